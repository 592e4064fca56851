import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Testing } from 'cdktf';
import { describe, expect, it } from 'vitest';
import { FileProcessingStack } from '../../../../src/file-processing/stack.ts';
import { loadEnvironment } from '../../../../src/settings/environment.ts';
import { ROOT } from '../../../support/run-main.ts';
import { type Block, resourceAt } from '../../../support/synthesized.ts';

/** What older versions made; the page in it says how it is laid out. */
const DEPLOYED = join(ROOT, '__tests__/fixtures/upgrade');

const deployed = readdirSync(DEPLOYED, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: version }) =>
    readdirSync(join(DEPLOYED, version, 'environments')).map((environment) => {
      const folder = join(DEPLOYED, version, 'environments', environment);
      const objects: Readonly<Record<string, Block>> = JSON.parse(
        readFileSync(join(folder, 'kubernetes.json'), 'utf8'),
      );
      return { version, environment, objects };
    }),
  );

describe.each(deployed)('An upgrade of $environment from $version', (recorded) => {
  const { version, environment, objects } = recorded;
  const { fileProcessing } = loadEnvironment(join(DEPLOYED, version), environment);
  const settings = { ...fileProcessing, manage_kubernetes: true };
  const stack = new FileProcessingStack(new App(), 'file-processing', { environment, settings });
  const json = JSON.parse(Testing.synth(stack));

  // The Kubernetes provider replaces an object for another one of these.
  it.each(Object.keys(objects))('keeps %s, with its name, namespace and selector', (address) => {
    const { metadata, spec } = resourceAt(json, address) as Readonly<
      Record<'metadata' | 'spec', Block | undefined>
    >;
    expect({
      name: metadata?.name,
      namespace: metadata?.namespace,
      selector: spec?.selector,
    }).toEqual(objects[address]);
  });
});
