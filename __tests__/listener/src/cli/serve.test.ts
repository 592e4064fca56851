import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { cli } from '../../support/cli.ts';
import { type ListenerChild, startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, forgetRuns } from '../../support/runs.ts';
import { startS3Server } from '../../support/s3-server.ts';

let given: TestDatabase;
let queue: Queue;
/** Lets the object that is read slowly come to its end. */
let gate: PromiseWithResolvers<void>;
let s3: Awaited<ReturnType<typeof startS3Server>>;

beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, () => undefined);
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await forgetRuns(given.database);
  await given.database('file_processing_queue.job').delete();
  gate = Promise.withResolvers();
  s3 = await startS3Server({
    'bucket/slow.csv': { body: 'a,b\n1,2\n', eTag: 'e', gate: gate.promise },
    'bucket/quick.csv': { body: 'a,b\n1,2\n', eTag: 'e' },
  });
});
afterEach(() => s3.close());

function serve(parameters: string[] = [], environment: Record<string, string> = {}): ListenerChild {
  return startListenerChild(['serve', ...parameters], {
    DATABASE_URL: given.url,
    UNMONITORED: 'judge',
    PORT: '0',
    METRICS_PORT: '0',
    SNS_TOPIC_ARNS: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files',
    AWS_REGION: 'us-gov-west-1',
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ...environment,
  });
}

/** A run whose object is being read by the process. */
async function runUnderWay(): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, 'slow.csv');
  await eventually(() => expect(s3.requests).toHaveLength(1));
  return runId;
}

const statusOf = async (id: string) => (await findRun(given.database, id))?.status;
const readiness = async (port: unknown) => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;

test('SIGTERM lets a running job finish, is not ready meanwhile and ends with 0', async () => {
  const listener = serve();
  const { port } = await listener.line('listening');
  expect(await readiness(port)).toBe(200);
  const runId = await runUnderWay();
  listener.kill('SIGTERM');
  await listener.line('draining');
  expect(await readiness(port)).toBe(503);
  gate.resolve();
  expect(await listener.ended).toBe(0);
  expect(await statusOf(runId)).toBe('finished');
  expect(await listener.line('run finished')).toMatchObject({
    runId,
    bucket: 'bucket',
    key: 'slow.csv',
    verdict: 'passed',
  });
});

test('a second signal ends the process at once', async () => {
  const listener = serve();
  await listener.line('listening');
  await runUnderWay();
  listener.kill('SIGTERM');
  await listener.line('draining');
  // The first half second counts as the same signal.
  const again = setInterval(() => listener.kill('SIGTERM'), 100);
  onTestFinished(() => clearInterval(again));
  expect(await listener.ended).toBe(143);
});

test('a job whose process was killed is finished by another process', async () => {
  const killed = serve();
  await killed.line('listening');
  const runId = await runUnderWay();
  killed.kill('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  gate.resolve();
  const other = serve(['--role', 'worker']);
  await other.line('run finished');
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'finished', attempts: 2 });
});

test('a process that is up already takes over what a killed one had in hand, before the queue notices', async () => {
  const killed = serve();
  await killed.line('listening');
  const runId = await runUnderWay();
  const other = serve(['--role', 'worker']);
  await other.line('listening');
  killed.kill('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  gate.resolve();
  expect(await other.line('the process that judged a file has died')).toMatchObject({
    ...{ runId, judgement: 1, outcome: 'retry' },
  });
  await other.line('run finished');
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'finished', attempts: 2 });
});

test('a worker opens no port for messages', async () => {
  const listener = serve(['--role', 'worker'], { SNS_TOPIC_ARNS: '' });
  expect(await listener.line('listening')).toMatchObject({
    role: 'worker',
    metricsPort: expect.any(Number),
  });
  expect(listener.lines.find(({ msg }) => msg === 'listening')).not.toHaveProperty('port');
});

test('an intake leaves the jobs to others', async () => {
  const listener = serve(['--role', 'intake']);
  await listener.line('listening');
  const [runId = ''] = await enqueueRuns(given.database, queue, 'quick.csv');
  listener.kill('SIGTERM');
  expect(await listener.ended).toBe(0);
  expect(await statusOf(runId)).toBe('queued');
});

test('the metrics tell what was judged', async () => {
  const listener = serve();
  const { metricsPort } = await listener.line('listening');
  await enqueueRuns(given.database, queue, 'quick.csv');
  await listener.line('run finished');
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toContain('file_processing_runs_total{verdict="passed",rules="none"} 1');
  expect(metrics).toContain('file_processing_checked_bytes_total 8');
  expect(metrics).toMatch(/file_processing_queue_depth\{queue="runs"\} \d/);
});

test('a port in use is one clear line', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '0.0.0.0', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const listener = serve([], { PORT: String(port) });
  expect(await listener.ended).toBe(2);
  expect(listener.errors()).toBe(
    `PORT ${port} is in use by another process. Set PORT to a free port.\n`,
  );
});

test('an old schema is refused with what to do', async () => {
  const empty = await createTestDatabase('empty');
  onTestFinished(() => empty.drop());
  const { code, err } = await cli(['serve', '--role', 'worker'], {
    ...{ DATABASE_URL: empty.url, METRICS_PORT: '0', LOCAL_S3_ROOT: '.' },
  });
  expect(code).toBe(2);
  expect(err).toContain('file-processing migrate');
});

test('an old schema is brought up to date with --migrate', async () => {
  const empty = await createTestDatabase('empty');
  const listener = serve(['--migrate'], { DATABASE_URL: empty.url });
  await listener.line('listening');
  listener.kill('SIGTERM');
  expect(await listener.ended).toBe(0);
  await empty.drop();
});

const WAITS = 'the database is not available, the listener waits for it';

test('a database that is unavailable is waited for, alive and not ready, with the reason', async () => {
  const listener = serve([], { DATABASE_URL: 'postgresql://u:secret@127.0.0.1:1/x' });
  const { metricsPort } = await listener.line(WAITS);
  const ask = (path: string) => fetch(`http://127.0.0.1:${metricsPort}${path}`);
  expect((await ask('/healthz')).status).toBe(200);
  const unready = await ask('/readyz');
  expect(unready.status).toBe(503);
  expect(await unready.json()).toMatchObject({ reason: expect.stringContaining('ECONNREFUSED') });
  listener.kill('SIGTERM');
  expect(await listener.ended).toBe(143);
  expect(JSON.stringify(listener.lines)).not.toContain('secret');
});

test('a bucket that is out of reach is a metric, and its files wait', async () => {
  const listener = serve([], { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
  const { metricsPort } = await listener.line('listening');
  await enqueueRuns(given.database, queue, ...'abcde');
  await listener.line('the bucket cannot be read: its files wait');
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toContain(
    'file_processing_bucket_outage{bucket="bucket",way="read",outage="network"} 1',
  );
});

test('the listener serves once its database is there', async () => {
  const url = new URL(given.url);
  const [host, port] = [url.hostname, Number(url.port)];
  let isThere = false;
  const proxy = createServer((client) => {
    client.on('error', () => client.destroy());
    if (isThere) client.pipe(connect(port, host)).pipe(client);
    else client.destroy();
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void proxy.close());
  url.hostname = '127.0.0.1';
  url.port = `${(proxy.address() as AddressInfo).port}`;
  const listener = serve([], { DATABASE_URL: url.href });
  await listener.line(WAITS);
  isThere = true;
  const { port: served } = await listener.line('listening');
  expect(await readiness(served)).toBe(200);
});

test.each([
  ['warned of', 40, 'http://sns.example.org'],
  ['named, where it is on this machine', 30, 'http://127.0.0.1:4566'],
])('an origin that is trusted beside AWS is %s', async (_, level, origin) => {
  const listener = serve([], { AWS_ENDPOINT_URL_SNS: origin });
  await listener.line('listening');
  expect(listener.lines).toContainEqual(expect.objectContaining({ level, origin }));
});

test('no credentials for AWS are a fault of the settings', async () => {
  const listener = serve([], {
    ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
    ...{ AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' },
  });
  expect(await listener.ended).toBe(2);
  expect(listener.errors()).toMatch(
    /^1 fault in the environment:\n- AWS credentials: .*; allowed: AWS_ACCESS_KEY_ID with .*\n$/,
  );
});

test('credentials that an agent gives out may come later', async () => {
  const listener = serve([], {
    ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/credentials',
  });
  expect(await listener.line('listening')).toMatchObject({ role: 'both' });
});

test('every fault of the environment is named at once', async () => {
  const { code, err } = await cli(['serve'], { DATABASE_URL: given.url, PORT: 'eighty' });
  expect(code).toBe(2);
  expect(err).toMatch(/PORT[\s\S]*SNS_TOPIC_ARNS|SNS_TOPIC_ARNS[\s\S]*PORT/);
});
