import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runMain, STACKS } from './support/run-main.ts';

const alias = join(import.meta.dirname, 'support/cdktn-alias.cjs');

/** A stack's JSON without the version of the library that wrote it. */
function withoutVersion(json: string): unknown {
  const { '//': comment, ...stack } = JSON.parse(json);
  const { version: _, ...metadata } = comment.metadata;
  return { metadata, stack };
}

describe.each(['etl-playground', 'complete'])(
  'on cdktn, the continuation of cdktf, %s',
  (environment) => {
    const onCdktf = runMain({ environment });
    const onCdktn = runMain({
      environment,
      env: { NODE_OPTIONS: `--require=${JSON.stringify(alias)}` },
    });

    test('is synthesized by another version of the library', () => {
      expect(onCdktn.stderr).not.toContain('Error');
      const version = ({ json }: typeof onCdktf) =>
        JSON.parse(json['file-processing'])['//'].metadata.version;
      expect(version(onCdktn)).not.toBe(version(onCdktf));
    });

    test.each(STACKS)('has the same %s', (stack) => {
      expect(withoutVersion(onCdktn.json[stack])).toEqual(withoutVersion(onCdktf.json[stack]));
    });
  },
);
