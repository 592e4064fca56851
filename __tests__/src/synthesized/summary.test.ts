import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { briefSummaryOfSynthesis, summaryOfSynthesis } from '../../../src/synthesized/summary.ts';
import { runMain } from '../../support/run-main.ts';

let outdir: string;

beforeEach(() => {
  outdir = mkdtempSync(join(tmpdir(), 'summary-'));
});

afterEach(() => rmSync(outdir, { recursive: true }));

/** Leaves in the folder what cdktf does for one stack. */
function synthesized(
  file: string,
  text: string,
  warnings: readonly string[] = [],
  name = 'network',
): void {
  mkdirSync(join(outdir, `stacks/${name}`), { recursive: true });
  const synthesizedStackPath = `stacks/${name}/${file}`;
  const annotations = warnings.map((message) => ({ level: '@cdktf/warn', message }));
  const stacks = { [name]: { synthesizedStackPath, annotations } };
  writeFileSync(join(outdir, 'manifest.json'), JSON.stringify({ stacks }));
  writeFileSync(join(outdir, synthesizedStackPath), text);
}

const JSON_TEXT = JSON.stringify({
  resource: { aws_vpc: { main: {} }, aws_subnet: { a: {}, b: {} } },
  data: { aws_caller_identity: { current: {} } },
});
const HCL_TEXT = `resource "aws_vpc" "main" {
}

resource "aws_subnet" "a" {
}

resource "aws_subnet" "b" {
}

data "aws_caller_identity" "current" {}
`;

test.each([
  ['cdk.tf.json', JSON_TEXT],
  ['cdk.tf', HCL_TEXT],
])('the resources in %s are counted by type, and data sources are not', (file, text) => {
  synthesized(file, text);
  expect(summaryOfSynthesis(outdir, 'dev')).toContain(
    `network: 3 resources in ${join(outdir, 'stacks/network', file)}\n    2 aws_subnet\n    1 aws_vpc\n`,
  );
});

test('warnings are counted and listed', () => {
  synthesized('cdk.tf.json', '{}', ['tags: too many']);
  expect(summaryOfSynthesis(outdir, 'dev')).toContain('Warnings (1)\n  tags: too many\n');
});

test('placeholders are counted and listed, and the next step is an environment of one’s own', () => {
  synthesized('cdk.tf.json', '{}');
  const summary = summaryOfSynthesis(outdir, 'dev', ['db_host: is a placeholder']);
  expect(summary).toContain('Placeholders (1)\n  db_host: is a placeholder\n');
  expect(summary).toContain('Next\n  npm run manage -- new-environment NAME');
  const without = summaryOfSynthesis(outdir, 'dev');
  expect(without).not.toContain('Placeholders');
  expect(without).not.toContain('new-environment');
});

test.each([
  ['etl-playground', ['npm run audit', 'npm run manage -- apply']],
  ['dev', ['npm run audit -- --environment dev', 'npm run manage -- apply --environment dev']],
])('the next steps are those of the environment %s', (environment, steps) => {
  synthesized('cdk.tf.json', '{}');
  const lines = summaryOfSynthesis(outdir, environment).split('\n');
  for (const step of steps) expect(lines).toContainEqual(expect.stringMatching(`^  ${step}  `));
});

test('a stack without resources and warnings says so', () => {
  synthesized('cdk.tf.json', '{}');
  const summary = summaryOfSynthesis(outdir, 'dev');
  expect(summary).toContain('network: 0 resources');
  expect(summary).toContain('No warnings');
});

test('the views are mentioned where there are any', () => {
  synthesized('cdk.tf.json', '{}');
  const without = summaryOfSynthesis(outdir, 'dev');
  mkdirSync(join(outdir, 'plans'));
  expect(without).not.toContain('manifests');
  expect(summaryOfSynthesis(outdir, 'dev')).toContain(
    `manifests in ${join(outdir, 'manifests')}, for scanners in ${join(outdir, 'plans')}\n`,
  );
});

test('in brief it is a line for the environment and one for each stack', () => {
  synthesized('cdk.tf.json', JSON_TEXT, ['tags: too many']);
  expect(briefSummaryOfSynthesis(outdir, 'dev', ['a', 'b'])).toBe(
    'Environment dev: 1 warning, 2 placeholders (details: npm run synth)\n' +
      `  network  3 resources in ${join(outdir, 'stacks/network/cdk.tf.json')}\n`,
  );
});

test('an argument that npm run synth does not have is one line and code 64, before any synthesis', () => {
  const { status, stdout, stderr } = runMain({ parameters: ['--environment', 'dev'] });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 64,
    stdout: '',
    stderr:
      "Unknown argument '--environment': ENVIRONMENT names the environment, CDKTF_OUTPUT the folder for the JSON\n",
  });
});

test('a database is among what is to be applied only where there is one', () => {
  const step = 'npm run manage -- apply postgres-on-demand --environment dev';
  synthesized('cdk.tf.json', JSON_TEXT);
  expect(summaryOfSynthesis(outdir, 'dev')).not.toContain(step);
  synthesized('cdk.tf.json', JSON_TEXT, [], 'postgres-on-demand');
  expect(summaryOfSynthesis(outdir, 'dev')).toContain(step);
});
