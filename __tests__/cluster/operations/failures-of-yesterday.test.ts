import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { readConfig } from '../../../listener/src/config.ts';
import { openQueue } from '../../../listener/src/queue/queue.ts';
import { type RunningListener, startListener } from '../../../listener/src/serve/start-listener.ts';
import { processRunner, type Runner } from '../../../src/operations/runner.ts';
import { createTestDatabase, type TestDatabase } from '../../listener/support/postgres.ts';
import { enqueueRuns, leaveOneAttempt } from '../../listener/support/runs.ts';
import { type ServedObject, startS3Server } from '../../listener/support/s3-server.ts';
import { collectingLogger } from '../../listener/support/sns-listener.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { eventually } from '../../support/eventually.ts';
import { manage } from '../../support/manage.ts';
import { ROOT } from '../../support/run-main.ts';
import { run as runProgram } from '../../support/run-program.ts';
import { withValues } from '../../terraform/support/tfvars.ts';
import {
  APPLY,
  DEADLINE,
  type Kubectl,
  kubectlIn,
  operatorEnvironment,
  TIMEOUT,
} from '../support/kubectl.ts';
import type { ConfigMap, KubernetesResource } from '../support/kubernetes-resource.ts';
import { manifestsOf } from '../support/manifests.ts';
import { until } from '../support/until.ts';

const NAMESPACE = 'failures-of-yesterday';
const LISTENER = join(ROOT, 'listener/src/main.ts');
const DAY_MS = 86_400_000;
/** Once for the whole walk, which may begin before midnight and end after it. */
const NOW = Date.now();

let kubectl: Kubectl;
let given: TestDatabase;
let listener: RunningListener;
let s3: Awaited<ReturnType<typeof startS3Server>>;
let objects: Record<string, ServedObject>;
/** A checkout whose environment has the test's namespace. */
let root: string;
let runId: string;

beforeAll(async () => {
  kubectl = await kubectlIn(NAMESPACE);
  const manifests = await manifestsOf('etl-playground', NAMESPACE);
  root = await mkdtemp(join(tmpdir(), 'failures-'));
  await cp(join(ROOT, 'environments'), join(root, 'environments'), { recursive: true });
  const tfvars = join(root, 'environments/etl-playground/file_processing.tfvars');
  await writeFile(tfvars, withValues(await readFile(tfvars, 'utf8'), { namespace: NAMESPACE }));
  await kubectl.succeed(...APPLY, '--kustomize', manifests.folder);
  await kubectl.succeed('rollout', 'status', 'deployment/file-processing-sns', TIMEOUT);

  given = await createTestDatabase();
  await failYesterday();
});

afterAll(async () => {
  await kubectl?.succeed('delete', 'namespace', NAMESPACE, '--wait=false');
  await kubectl?.close();
  await listener?.stop();
  await s3?.close();
  await given?.drop();
  vi.unstubAllEnvs();
  if (root) await rm(root, { recursive: true });
});

/** A file that S3 refuses to a listener, and a message that nobody can read; both came yesterday. */
async function failYesterday(): Promise<void> {
  const queue = await openQueue(given.database, (error) => {
    throw error;
  });
  [runId = ''] = await enqueueRuns(given.database, queue, 'from_client/a.csv');
  await leaveOneAttempt(given.database, runId);
  await queue.close();
  const yesterday = new Date(NOW - DAY_MS);
  await given.database('runs').update({ created_at: yesterday });
  await given.database('sns_messages').insert({
    ...{ message_id: 'by-hand', topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files' },
    ...{ type: 'Notification', outcome: 'dead', reason: 'Message is not JSON', message: 'hello' },
    ...{ signed_at: yesterday, received_at: yesterday },
  });
  const file = { body: 'n\n1\n', eTag: 'e' };
  objects = {
    'bucket/from_client/a.csv': { ...file, fault: { status: 400, code: 'InvalidRequest' } },
  };
  s3 = await startS3Server(objects);
  const environment = {
    DATABASE_URL: given.url,
    SNS_TOPIC_ARNS: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files',
    METRICS_PORT: '0',
    AWS_REGION: 'us-gov-west-1',
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const config = readConfig(environment, { database: true, httpIntake: false });
  const { logger } = collectingLogger();
  listener = await startListener({ config, role: 'worker', migrate: false, logger });
}

/** What the listener's metrics say. */
async function gauge(name: string): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${listener.metricsPort}/metrics`);
  return new RegExp(`^${name} (\\S+)$`, 'm').exec(await response.text())?.[1];
}

test('who follows the page finds what failed yesterday, does it again, and sees the gauges at zero', async () => {
  const walk = await commandsOfThePage();
  await eventually(async () => expect(await gauge('file_processing_dead_letters')).toBe('1'));
  expect(await gauge('file_processing_dead_messages')).toBe('1');

  const listed = await exec(walk.list);
  const [found] = /^[0-9a-f-]{36}(?=\s)/m.exec(listed) ?? [];
  expect(found).toBe(runId);
  expect(listed).toContain('InvalidRequest');
  expect(listed).toMatch(/^by-hand\s.*Message is not JSON$/m);
  expect(listed).toContain('dead letters in the queue: 1');
  expect(await exec(walk.show, found)).toMatch(/^status: +error,/m);

  // The cause is put right.
  objects['bucket/from_client/a.csv'] = { body: 'n\n1\n', eTag: 'e' };
  expect(await exec(walk.retry, found)).toContain('judged again: 1 run');
  expect(await exec(walk.discard, 'by-hand')).toContain('discarded: 0 runs, 1 message');

  expect(await exec(walk.listAgain)).toMatch(
    /^runs whose attempts are used up: none\n\nmessages that could not be read: none\n[\s\S]*dead letters in the queue: 0\n/,
  );
  expect(await exec(walk.errors)).toBe('no runs\n');
  await eventually(async () => expect(await gauge('file_processing_dead_letters')).toBe('0'));
  await eventually(async () => expect(await gauge('file_processing_dead_messages')).toBe('0'));
  await eventually(async () =>
    expect(await given.database('runs').first('verdict', 'status')).toEqual({
      ...{ status: 'finished', verdict: expect.stringMatching(/passed|warned/) },
    }),
  );
}, 600_000);

/** The commands of the walk as the page has them, by what they are for; its days are yesterday and today. */
async function commandsOfThePage() {
  const page = await readFile(join(ROOT, 'docs/operate.md'), 'utf8');
  const [, rest = ''] = page.split('## What failed, and how to redo it\n');
  const [section = ''] = rest.split('\n## ');
  const day = (before: number) => new Date(NOW - before * DAY_MS).toISOString().slice(0, 10);
  const days: Readonly<Record<string, string>> = { '2026-11-27': day(1), '2026-11-28': day(0) };
  const commands = [...section.matchAll(/npm run manage -- exec -- ([^`\n]+)/g)].map(([, text]) =>
    wordsOf(`${text}`.replace(/2026-11-2\d/g, (named) => days[named] ?? named)),
  );
  const find = (...beginning: string[]) =>
    commands.filter((words) => beginning.every((word, index) => words[index] === word));
  const [list = [], listAgain = []] = find('dead', 'list');
  const [show = []] = find('dead', 'show');
  const [retry = []] = find('dead', 'retry');
  const [discard = []] = find('dead', 'discard');
  const [errors = []] = find('runs', 'list');
  return { list, show, retry, discard, listAgain, errors };
}

/** As a shell takes a command apart. */
function wordsOf(command: string): string[] {
  const [text = ''] = command.split(/\s#\s/);
  return [...text.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

/**
 * Runs a command of the page by `manage exec`, with an id in the place of each `ID`. Sign-in is played; kwok runs no
 * process, so that this machine runs the Job's own command, with the Job's environment but for the database.
 *
 * @returns what the command wrote
 */
async function exec(command: readonly string[], id = ''): Promise<string> {
  const { kubeconfig } = inject('controlPlane');
  const nothing = { write: () => undefined };
  const programs = processRunner(operatorEnvironment(root), { stdout: nothing, stderr: nothing });
  let log: string | undefined;
  const run: Runner = async (program, parameters, options) => {
    if (program === 'aws') {
      await copyFile(kubeconfig, parameters[parameters.indexOf('--kubeconfig') + 1] ?? '');
    } else if (parameters.includes('logs')) log ??= await runInTheJobsPlace();
    else return programs(program, parameters, options);
    return { code: 0, stdout: '', stderr: '' };
  };
  const clock = { now: () => new Date(), sleep: (milliseconds: number) => sleep(milliseconds) };
  const words = [...new Set(command)].map((word) => (word === 'ID' ? id : word));
  const { code, err } = await manage(['exec', '--profile', '', '--', ...words], {
    ...{ root, run, clock },
  });
  expect([code, err]).toEqual([0, expect.not.stringContaining('ended with')]);
  await until('its Job is gone', async () => (await kubectl.list('jobs')).length === 0, DEADLINE);
  return log ?? '';
}

/** A Job, as far as it is looked at here. */
interface Job extends KubernetesResource {
  readonly spec: { readonly template: { readonly spec: { readonly containers: [Container] } } };
}

interface Container {
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly envFrom?: readonly Readonly<
    Partial<Record<'configMapRef' | 'secretRef', { readonly name: string }>>
  >[];
}

async function runInTheJobsPlace(): Promise<string> {
  const [job] = await kubectl.list<Job>('jobs');
  if (job === undefined) throw new Error('there is no Job');
  const [container] = job.spec.template.spec.containers;
  const { PATH } = process.env;
  const { stdout, stderr, exitCode } = await runProgram(
    process.execPath,
    [LISTENER, ...container.args],
    { environment: { ...COMPILE_CACHE, ...(await environmentOf(container)), PATH } },
  );
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout;
}

async function environmentOf({ env = [], envFrom = [] }: Container) {
  const all: Record<string, string> = {};
  for (const { configMapRef, secretRef } of envFrom) {
    const [kind, name] = configMapRef
      ? (['configmaps', configMapRef.name] as const)
      : (['secrets', `${secretRef?.name}`] as const);
    const { data = {} } = await kubectl.get<ConfigMap>(kind, name);
    for (const [key, value] of Object.entries(data)) {
      all[key] = kind === 'secrets' ? Buffer.from(value, 'base64').toString() : value;
    }
  }
  for (const { name, value } of env) if (value !== undefined) all[name] = value;
  // The stack's database is out of reach.
  const others = Object.entries(all).filter(([name]) => !name.startsWith('DB_'));
  return { ...Object.fromEntries(others), DATABASE_URL: given.url };
}
