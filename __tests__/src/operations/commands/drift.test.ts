import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Runner } from '../../../../src/operations/runner.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';

const TOPIC = { name: 'events' };
const STACK = { resource: { aws_sns_topic: { events: TOPIC }, kubernetes_secret_v1: { db: {} } } };
const HELD = {
  resources: ['aws_sns_topic.events', 'kubernetes_secret_v1.db'].map((address) => {
    const [type, name] = address.split('.');
    return { mode: 'managed', type, name, instances: [{ attributes: {} }] };
  }),
};
const RED = [
  {
    green: false,
    findings: [{ severity: 'high', rule: 'a-rule', place: 's/a.b', message: 'It is open.' }],
  },
];

interface Played {
  /** Names that the topics of all stacks have. */
  readonly name: string;
  readonly state?: object;
  /** How the audit ends. @default 1, with one finding */
  readonly audit?: { readonly code: number; readonly stdout: string };
}

/** npm and terraform, played on two stacks. */
function played({ name, state = HELD, audit = { code: 1, stdout: JSON.stringify(RED) } }: Played) {
  const commands: string[] = [];
  let folder = '';
  const run: Runner = async (program, parameters, options) => {
    commands.push([program, ...parameters].join(' '));
    const said = (stdout: string, code = 0) => ({ code, stdout, stderr: '' });
    if (program === 'npm' && parameters.includes('audit')) return said(audit.stdout, audit.code);
    if (program === 'npm') {
      folder = String(options?.env?.CDKTF_OUTPUT);
      for (const stack of ['foundation-network', 'file-processing']) {
        mkdirSync(join(folder, 'stacks', stack), { recursive: true });
        writeFileSync(join(folder, 'stacks', stack, 'cdk.tf.json'), JSON.stringify(STACK));
      }
      writeFileSync(join(folder, 'manifest.json'), '{}');
      return said('');
    }
    if (parameters.includes('pull')) return said(JSON.stringify(state));
    if (parameters.includes('plan')) return said('', name === TOPIC.name ? 0 : 2);
    if (!parameters.includes('show')) return said('');
    const change = { actions: ['update'], before: { name }, after: TOPIC };
    const topic = { address: 'aws_sns_topic.events', type: 'aws_sns_topic', change };
    return said(JSON.stringify({ resource_changes: name === TOPIC.name ? [] : [topic] }));
  };
  return { run, commands };
}

async function drift(parts: Played, ...parameters: readonly string[]) {
  const root = temporaryRoot();
  const { run, commands } = played(parts);
  const command = ['drift', 'etl-playground', '--profile', '', '--aws-only', ...parameters];
  const ended = await manage(command, { root, env: { CDKTF_OUTPUT: join(root, 'out') }, run });
  const report = () =>
    JSON.parse(readFileSync(join(root, 'drift-report/etl-playground/drift.json'), 'utf8'));
  const copy = () =>
    JSON.parse(
      readFileSync(
        join(root, 'drift-report/etl-playground/cdktf.out/stacks/file-processing/cdk.tf.json'),
        'utf8',
      ),
    );
  return { ...ended, commands, report, copy };
}

test('ends with 0 where nothing differs', async () => {
  const { code, out } = await drift({ name: 'events' });
  expect(out).toContain('Nothing drifted.');
  expect(code).toBe(0);
});

test('ends with 2 where something does, and shows both values and what the audit says', async () => {
  const { code, out, copy, report } = await drift({ name: 'other' });
  expect(code).toBe(2);
  expect(out).toContain(
    'changed  file-processing/aws_sns_topic.events name\n  is      "other"\n  wanted  "events"',
  );
  expect(out).toContain('high  a-rule  s/a.b\n  It is open.');
  expect(copy().resource.aws_sns_topic.events.name).toBe('other');
  expect(report()).toMatchObject({
    environment: 'etl-playground',
    awsOnly: true,
    green: false,
    drifts: [{ stack: 'foundation-network' }, { stack: 'file-processing', kind: 'changed' }],
  });
});

test('has the copy judged by the rules alone, and told that it is of AWS alone', async () => {
  const { commands } = await drift({ name: 'other' });
  const audit = commands.find((command) => command.includes(' audit ')) ?? '';
  expect(audit).toContain('--environment etl-playground --only-rules --without-accepted');
  expect(audit).toContain('AWS only (--aws-only)');
});

test('leaves out what is in the cluster with --aws-only, and so needs no password', async () => {
  const { commands } = await drift({ name: 'other' });
  const plans = commands.filter((command) => command.includes(' plan '));
  expect(plans).toHaveLength(2);
  for (const plan of plans) {
    expect(plan).toContain('-target=aws_sns_topic.events');
    expect(plan).not.toContain('kubernetes_');
  }
});

test('says that a stack is not deployed, and has nothing of it in the copy', async () => {
  const { code, report, copy } = await drift({ name: 'other', state: {} });
  expect(report().drifts).toContainEqual(
    expect.objectContaining({ address: 'file-processing', kind: 'missing' }),
  );
  expect(copy()).not.toHaveProperty('resource');
  expect(code).toBe(2);
});

test('prints the report as JSON', async () => {
  const { out, report } = await drift({ name: 'other' }, '--json');
  expect(JSON.parse(out)).toStrictEqual(report());
});

test('is an error where the audit breaks down', async () => {
  const { code, err } = await drift({ name: 'other', audit: { code: 64, stdout: 'broken' } });
  expect(err).toContain('npm run audit ended with 64');
  expect(code).toBe(1);
});

test('names an environment that does not exist', async () => {
  const { code } = await manage(['drift', 'nowhere'], { root: temporaryRoot() });
  expect(code).toBe(64);
});
