import { expect, test } from 'vitest';
import type { RunOptions } from '../../../../src/operations/runner.ts';
import { outputFolderOf, synthesize } from '../../../../src/operations/terraform/synthesize.ts';
import { operationContext } from '../../../support/manage.ts';

test.each([
  ['the default environment', 'etl-playground', {}, 'cdktf.out'],
  ['another environment', 'complete', {}, 'cdktf.out.complete'],
  ['CDKTF_OUTPUT', 'complete', { CDKTF_OUTPUT: 'out' }, 'out'],
  ['an empty CDKTF_OUTPUT', 'complete', { CDKTF_OUTPUT: '' }, 'cdktf.out.complete'],
])('the folder for %s', (_, environment, env, expected) => {
  expect(outputFolderOf(environment, env)).toBe(expected);
});

test('a synthesis runs the checkout for the environment, into its folder', async () => {
  const runs: { readonly command: string; readonly options: RunOptions }[] = [];
  const context = operationContext({
    root: '/checkout',
    env: { CDKTF_OUTDIR: 'of-the-cli' },
    run: async (program, parameters, options = {}) => {
      runs.push({ command: [program, ...parameters].join(' '), options });
      return { code: 0, stdout: '', stderr: '' };
    },
  });
  expect(await synthesize(context, 'complete')).toBe('/checkout/cdktf.out.complete');
  expect(runs).toStrictEqual([
    {
      command: 'npm run --silent synth',
      options: {
        cwd: '/checkout',
        env: {
          ENVIRONMENT: 'complete',
          CDKTF_OUTPUT: 'cdktf.out.complete',
          CDKTF_OUTDIR: undefined,
        },
      },
    },
  ]);
});

test('a synthesis that fails says what it wrote', async () => {
  const context = operationContext({
    run: async () => ({ code: 1, stdout: '', stderr: 'main.ts: no such thing\n' }),
  });
  await expect(synthesize(context, 'etl-playground')).rejects.toThrow(
    'npm run synth ended with 1:\nmain.ts: no such thing',
  );
});
