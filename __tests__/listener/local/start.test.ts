import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { eventually } from '../../support/eventually.ts';
import { copyCluster } from '../support/copy-cluster.ts';
import { type SynthesizedStack, synthesizedStack } from '../support/synthesized-stack.ts';

const START = fileURLToPath(new URL('../../../listener/local/start.ts', import.meta.url));

/** One database for all tests of the file. */
let state: string;
beforeAll(async () => {
  state = await mkdtemp(join(inject('postgresCluster'), '../start-'));
  await copyCluster(inject('postgresCluster'), join(state, 'postgres'));
});
afterAll(() => rm(state, { recursive: true, force: true }));

async function writeStack(change: (resource: SynthesizedStack['resource']) => void = () => {}) {
  const stack = await synthesizedStack();
  change(stack.resource);
  const folder = await mkdtemp(join(state, 'stack-'));
  const path = join(folder, 'cdk.tf.json');
  await writeFile(path, JSON.stringify(stack));
  return { path, data: join(folder, 'data') };
}

interface Stack {
  readonly path: string;
  readonly data: string;
}

/** Starts the local flow as `npm start` does; it ends with the test. */
function start(stack: Stack, ...parameters: string[]) {
  const flow = launch(stack, ...parameters);
  onTestFinished(flow.end);
  return flow;
}

function launch({ path, data }: Stack, ...parameters: string[]) {
  const child = spawn(
    process.execPath,
    [START, '--stack', path, '--data', data, '--state', state, ...parameters],
    { env: { ...COMPILE_CACHE, PATH: process.env.PATH, PORT: '0', METRICS_PORT: '0' } },
  );
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return {
    pid: child.pid ?? 0,
    ended,
    /** Asks it to end and does not kill it: a kill would leave the database running. */
    async end() {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
    },
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    output: () => out,
    errors: () => err,
    prints: (text: string | RegExp) => eventually(() => expect(out + err).toMatch(text)),
  };
}

/** Ids of the processes that a process has started. */
async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child = 0]) => child);
}

async function listenerOf(pid: number): Promise<number> {
  for (const child of await childrenOf(pid)) {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(child)]);
    if (stdout.includes('listener-entry')) return child;
  }
  throw new Error('there is no listener');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const BUCKET = 'etl-ba-research-client-etl';

test('--once judges the sample that the first start brings, and knows it the second time', async () => {
  const stack = await writeStack(({ kubernetes_config_map_v1 }) => {
    expect(kubernetes_config_map_v1.config.data.WRITE_REPORTS).toBe('true');
  });
  const first = start(stack, '--once');
  expect(await first.ended).toBe(0);
  expect(first.output()).toMatch(/^FAILED .*Officer_Detail\.csv: 12 rows, 9 faults \(.*\n$/);
  const second = start(stack, '--once');
  expect(await second.ended).toBe(0);
  expect(second.output()).toMatch(
    /^FAILED .*Officer_Detail\.csv: 12 rows, 9 faults, judged before/,
  );
  // Of the reports that the stack writes to the bucket, none appears in the drop folder.
  expect(await readdir(stack.data)).toEqual([BUCKET]);
  expect(await readdir(join(stack.data, BUCKET))).toEqual(['from_client']);
});

describe('while it runs', () => {
  let stack: Stack;
  let flow: ReturnType<typeof launch>;
  beforeAll(async () => {
    stack = await writeStack((resource) => {
      resource.kubernetes_config_map_v1.config.data.REPORT_PREFIX = 'from_client/reports/';
    });
    flow = launch(stack);
    await flow.prints(/ready: copy a CSV file into .*from_client/);
  });
  afterAll(() => flow.end());

  test('a file that is dropped is judged', async () => {
    await writeFile(join(stack.data, BUCKET, 'from_client', 'a b.csv'), 'n\n1\n');
    await flow.prints(/PASSED +\S+\/from_client\/a b\.csv: 1 row, 0 faults, not monitored/);
  });

  test('a file without an event notification, or that the listener ignores, is told and not judged', async () => {
    await writeFile(join(stack.data, BUCKET, 'elsewhere.csv'), 'n\n1\n');
    await flow.prints(
      /NO EVENT .*elsewhere\.csv: the event notification covers only from_client\/\*/,
    );
    await mkdir(join(stack.data, BUCKET, 'from_client/reports'));
    await writeFile(join(stack.data, BUCKET, 'from_client/reports/a.csv'), 'n\n1\n');
    await flow.prints(/IGNORED .*a\.csv: the key is under our report prefix/);
  });

  test('the address of the database is for its owner alone', async () => {
    await flow.prints('DATABASE_URL_FILE=');
    const url = (await readFile(join(state, 'database-url'), 'utf8')).trim();
    expect((await stat(join(state, 'database-url'))).mode & 0o077).toBe(0);
    expect(flow.output()).not.toContain(new URL(url).password);
  });

  test('a listener that is killed starts again and takes what lands', async () => {
    process.kill(await listenerOf(flow.pid), 'SIGKILL');
    await flow.prints(/the listener ended \(SIGKILL\) and is started again/);
    await writeFile(join(stack.data, BUCKET, 'from_client', 'after.csv'), 'n\n1\n');
    await flow.prints(/PASSED .*after\.csv/);
  });

  test('Ctrl-C leaves no process', async () => {
    const children = await childrenOf(flow.pid);
    expect(children.length).toBeGreaterThanOrEqual(2);
    flow.kill('SIGINT');
    expect(await flow.ended).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });
});

test('a changed stack is followed: bucket, filter and environment', async () => {
  const stack = await writeStack((resource) => {
    resource.aws_s3_bucket_notification = {
      bucket: { bucket: 'other-bucket', topic: [{ filter_prefix: 'inbox/' }] },
    };
    Object.assign(resource.kubernetes_config_map_v1.config.data, {
      S3_BUCKET: 'other-bucket',
      S3_PREFIXES: 'inbox/',
      REPORT_PREFIX: 'inbox/reports/',
    });
  });
  const first = start(stack, '--once');
  expect(await first.ended).toBe(0);
  expect(first.output()).toContain('other-bucket/inbox/nm_albuquerque/Officer_Detail.csv');
});

test('a setting that the listener refuses ends the start', async () => {
  const stack = await writeStack((resource) => {
    resource.kubernetes_config_map_v1.config.data.WORKER_CONCURRENCY = '1000';
  });
  const flow = start(stack);
  expect(await flow.ended).toBe(70);
  expect(flow.errors()).toContain('WORKER_CONCURRENCY');
});

test('without a synthesized stack the start says what to do', async () => {
  const flow = start({ path: '/nowhere/cdk.tf.json', data: '/nowhere' });
  expect(await flow.ended).toBe(2);
  expect(flow.errors()).toBe(
    "/nowhere/cdk.tf.json can't be read (ENOENT): run npm run synth first\n",
  );
});
