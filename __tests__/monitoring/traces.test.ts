import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { objectCreatedEvent } from '@file-processing/contract/s3-event.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { type LocalSns, startLocalSns } from '../../listener/local/sns/local-sns.ts';
import { readConfig } from '../../listener/src/config.ts';
import { judgementsOf } from '../../listener/src/database/judgements.ts';
import { findRun, listRuns } from '../../listener/src/database/runs.ts';
import { seedDefinitions } from '../../listener/src/database/seed.ts';
import { createLogger } from '../../listener/src/serve/logger.ts';
import { type RunningListener, startListener } from '../../listener/src/serve/start-listener.ts';
import { otlpTracer } from '../../listener/src/tracing/otlp.ts';
import { startGate } from '../faults/gate.ts';
import { cli } from '../listener/support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { startS3Server } from '../listener/support/s3-server.ts';
import { eventually } from '../support/eventually.ts';
import { type Collector, startCollector } from './support/programs.ts';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files';
const BUCKET = 'etl-ba-research-client-etl';
const KEY = 'from_client/nm_secretplace/Officer_Detail.csv';
/** Two MiB more than the size from which on objects are read by parts. */
const BODY = `id,name\n${'1,SENCELL\n'.repeat(1_900_000)}`;
/** Of whoever published. */
const SENDER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let collector: Collector;
let given: TestDatabase;
let sns: LocalSns;
let s3: Awaited<ReturnType<typeof startS3Server>>;
let hook: Awaited<ReturnType<typeof startHook>>;
let listener: RunningListener | undefined;
let log: string;

beforeAll(async () => {
  collector = await startCollector();
});
afterAll(() => collector?.stop());

beforeEach(async () => {
  log = '';
  given = await createTestDatabase();
  await seedDefinitions(
    given.database,
    new URL('../../listener/seed/', import.meta.url).pathname,
    expectationProblems,
  );
  sns = await startLocalSns({ retryPolicy: { intervalMilliseconds: 50, retries: 100 } });
  sns.createTopic(TOPIC);
  s3 = await startS3Server({ [`${BUCKET}/${KEY}`]: { body: BODY, eTag: 'e1' } });
  hook = await startHook();
});
afterEach(async () => {
  await listener?.stop();
  listener = undefined;
  await Promise.all([sns.close(), s3.close(), hook.close()]);
  await given.drop();
  vi.unstubAllEnvs();
});

/** Takes notices. */
async function startHook() {
  const requests: IncomingMessage['headers'][] = [];
  const server = createServer(async (request, response) => {
    await text(request);
    requests.push(request.headers);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { url: `http://127.0.0.1:${port}/`, requests, close };
}

/** The environment of a process; what the SDKs read by themselves is put into that of this one. */
function environmentWith(more: Record<string, string>): Record<string, string> {
  const aws = {
    ...{ AWS_ENDPOINT_URL_SNS: sns.origin, AWS_ENDPOINT_URL: s3.endpoint },
    ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-gov-west-1' },
  };
  for (const [name, value] of Object.entries({ ...aws, ...more })) vi.stubEnv(name, value);
  return {
    ...aws,
    ...{ DATABASE_URL: given.url, SNS_TOPIC_ARNS: TOPIC, PORT: '0', METRICS_PORT: '0' },
    ...{ S3_BUCKET: BUCKET, S3_PREFIXES: 'from_client/' },
    ...{ REPORT_PREFIX: 'reports/', WRITE_REPORTS: 'true' },
    ...{ NOTICE_WEBHOOK_URLS: hook.url, NOTICE_WEBHOOK_SECRETS: `whsec_${'a'.repeat(32)}` },
    NOTICE_STATES: 'passed,warned,failed',
    ...more,
  };
}

async function start(more: Record<string, string>): Promise<RunningListener> {
  const settings = environmentWith(more);
  listener = await startListener({
    config: readConfig(settings, { database: true, httpIntake: true }),
    ...{ role: 'both', migrate: false },
    logger: createLogger('debug', { write: (line) => (log += line) }),
  });
  await sns.subscribe(TOPIC, await relayTo(listener.port ?? 0)).confirmed;
  return listener;
}

/** Passes on what SNS posts, with the message attributes of a sender. */
async function relayTo(port: number): Promise<string> {
  const relay = createServer(async (request, response) => {
    const message = JSON.parse((await buffer(request)).toString());
    const MessageAttributes = { traceparent: { Type: 'String', Value: SENDER } };
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'x-amz-sns-message-type': message.Type },
      body: JSON.stringify({ ...message, MessageAttributes }),
    });
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  relay.unref();
  return `http://127.0.0.1:${(relay.address() as AddressInfo).port}/`;
}

function eventText(): string {
  const event = objectCreatedEvent({
    ...{ bucket: BUCKET, key: KEY, sizeBytes: BODY.length, eTag: 'e1' },
    ...{ region: 'us-gov-west-1', time: new Date() },
  });
  return JSON.stringify(event);
}

function publish() {
  return sns.publish(TOPIC, { message: eventText() });
}

/** Has a command judge the object. */
function run(more: Record<string, string>) {
  return cli(['run', 's3_data_quality_job', '--event-json', eventText()], environmentWith(more));
}

async function judged() {
  return eventually(async () => {
    const runs = await listRuns(given.database);
    expect(runs.map(({ status }) => status)).toEqual(['finished']);
    return findRun(given.database, runs[0]?.id ?? '');
  });
}

const named = (name: string, traceId?: string) =>
  collector.spans.filter((span) => span.name === name && (!traceId || span.traceId === traceId));

test('one trace goes from the message over the queue to the judgement and its parts, and the notice links to it', async () => {
  await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_RESOURCE_ATTRIBUTES: 'site=albuquerque',
  });
  const { messageId, delivered } = publish();
  expect(await delivered).toBe(true);
  const run = await judged();
  await eventually(async () => expect(hook.requests).toHaveLength(1));
  await listener?.stop();

  const [intake] = collector.spans.filter(
    ({ name, attributes }) =>
      name === 'process message' && attributes['messaging.message.id'] === messageId,
  );
  expect(intake).toMatchObject({
    ...{ kind: 5, parentSpanId: '' },
    attributes: {
      'messaging.system': 'aws_sns',
      'messaging.destination.name': 'files',
      'file_processing.outcome': 'accepted',
      'http.response.status_code': 200,
    },
    resource: { 'service.name': 'file-processing', site: 'albuquerque' },
    links: [{ traceId: SENDER.slice(3, 35), spanId: SENDER.slice(36, 52) }],
  });
  const traceId = intake?.traceId ?? '';
  expect(traceId).not.toBe(SENDER.slice(3, 35));
  const [judgement] = named('process runs', traceId);
  expect(judgement).toMatchObject({
    ...{ kind: 5, parentSpanId: intake?.spanId },
    attributes: { 'file_processing.run': run?.id, 'file_processing.verdict': run?.verdict },
  });
  for (const name of ['verify signature', 'record message', 'wait in runs']) {
    expect(named(name, traceId), name).toMatchObject([{ parentSpanId: intake?.spanId }]);
  }
  for (const name of ['look up rules', 'read and judge', 'record verdict', 'write report']) {
    expect(named(name, traceId), name).toMatchObject([{ parentSpanId: judgement?.spanId }]);
  }
  const ranges = named('S3 GetObject', traceId).map(
    ({ attributes }) => attributes['file_processing.range'],
  );
  expect(ranges.toSorted()).toEqual([`16777216-${BODY.length - 1}`, '8388608-16777215', undefined]);
  expect(named('S3 PutObject', traceId).length).toBeGreaterThan(0);

  const [notice] = named('send notice');
  expect(notice).toMatchObject({ kind: 4, links: [{ traceId, spanId: judgement?.spanId }] });
  expect(hook.requests[0]?.traceparent).toBe(`00-${notice?.traceId}-${notice?.spanId}-01`);

  expect(run?.report).toMatchObject({ traceId });
  const lines = log
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  for (const msg of ['message taken', 'run finished', 'report written']) {
    expect(
      lines.findLast((line) => line.msg === msg),
      msg,
    ).toMatchObject({ trace_id: traceId });
  }
});

test('the trace goes on in the Kubernetes Job of the judgement, and in what is left to do after it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'traces-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  // No API server is there: the test does what the pod of the Job would.
  await start({
    ...tracing,
    ...{ JOB_RUNNER: 'auto', JOB_SIZE_BYTES: '1', JOB_TEMPLATE: join(folder, 'template.json') },
    ...{ SERVICE_ACCOUNT_FOLDER: folder, KUBERNETES_SERVICE_HOST: '127.0.0.1' },
  });
  await publish().delivered;
  const runId: string = await eventually(async () => {
    const rows = await given.database('kubernetes_jobs').select('run_id');
    expect(rows).toHaveLength(1);
    return rows[0].run_id;
  });
  expect(await cli(['judge', runId, '1'], environmentWith(tracing))).toMatchObject({ code: 0 });
  const run = await judged();
  await eventually(async () => expect(log).toContain('report written'));
  await listener?.stop();

  const traceId = named('judge in job')[0]?.traceId ?? '';
  expect(run?.report).toMatchObject({ traceId });
  const [intake] = named('process message', traceId);
  const [placed, after] = named('process runs', traceId);
  const [job] = named('judge in job', traceId);
  expect(intake).toMatchObject({ parentSpanId: '' });
  expect(placed).toMatchObject({ parentSpanId: intake?.spanId });
  expect(job).toMatchObject({
    ...{ kind: 5, parentSpanId: placed?.spanId },
    attributes: { 'file_processing.run': runId, 'file_processing.verdict': run?.verdict },
  });
  expect(named('wait for job', traceId)).toMatchObject([{ parentSpanId: placed?.spanId }]);
  for (const name of ['look up rules', 'read and judge', 'record verdict']) {
    expect(named(name, traceId), name).toMatchObject([{ parentSpanId: job?.spanId }]);
  }
  expect(after).toMatchObject({ parentSpanId: placed?.spanId });
  expect(named('write report', traceId)).toMatchObject([{ parentSpanId: after?.spanId }]);
  const [judgement] = await judgementsOf(given.database, runId);
  expect(judgement?.traceparent).toBe(`00-${traceId}-${job?.spanId}-01`);
});

test('a command that judges a file makes a trace, or goes on with the one of its caller', async () => {
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  expect(await run(tracing)).toMatchObject({ code: 0 });
  expect(await run({ ...tracing, TRACEPARENT: SENDER })).toMatchObject({ code: 0 });
  await eventually(async () => expect(named('judge file')).toHaveLength(2));
  const [own, callers] = named('judge file');
  expect(own).toMatchObject({ parentSpanId: '', attributes: { 'file_processing.faults': 0 } });
  expect(callers).toMatchObject({
    traceId: SENDER.slice(3, 35),
    parentSpanId: SENDER.slice(36, 52),
  });
  for (const span of [own, callers]) {
    for (const name of ['read and judge', 'write report']) {
      expect(named(name, span?.traceId), name).toMatchObject([{ parentSpanId: span?.spanId }]);
    }
  }
  const [recorded] = await listRuns(given.database);
  const judgements = await judgementsOf(given.database, recorded?.id ?? '');
  expect(judgements.map(({ traceparent }) => traceparent)).toEqual(
    [own, callers].map((span) => `00-${span?.traceId}-${span?.spanId}-01`),
  );
});

/** Where a collector is to be, and breaks each connection until it is: a port that nobody listens on could be anybody's. */
async function placeOfCollector() {
  const place: { endpoint: string; port?: number } = { endpoint: '' };
  const gate = await startGate(() => place.port);
  onTestFinished(() => gate.close());
  place.endpoint = `http://127.0.0.1:${gate.port}`;
  return place;
}

test('a collector that is away keeps no command from its verdict, and is told of in one line', async () => {
  const away = await placeOfCollector();
  const { code, err } = await run({
    OTEL_EXPORTER_OTLP_ENDPOINT: away.endpoint,
    OTEL_EXPORTER_OTLP_TIMEOUT: '200',
  });
  expect(code).toBe(0);
  expect(err.match(/the collector takes no spans|the last spans were not sent/g)).toHaveLength(1);
});

test('no trace holds a text of a file, or the key of an object', async () => {
  await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
  await publish().delivered;
  await judged();
  await listener?.stop();
  expect(collector.text()).toContain('read and judge');
  expect(collector.text()).not.toMatch(/SENCELL|secretplace|Officer/);
});

test('a sampler that records nothing leaves no trace, and the report names none', async () => {
  const before = collector.spans.length;
  await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  });
  await publish().delivered;
  const run = await judged();
  await listener?.stop();
  expect(collector.spans.length).toBe(before);
  expect(run?.report).not.toHaveProperty('traceId');
});

test('messages that nobody signed cause no span', async () => {
  const { port } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
  const before = named('process message').length;
  const confirmations = 1;
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { 'x-amz-sns-message-type': 'Notification' },
    body: JSON.stringify({ Type: 'Notification' }),
  });
  expect(answer.status).toBe(400);
  await listener?.stop();
  expect(named('process message').length).toBeLessThanOrEqual(before + confirmations);
  expect(
    named('process message').filter(
      ({ attributes }) => attributes['http.response.status_code'] === 400,
    ),
  ).toEqual([]);
});

test('a collector that is away costs a file nothing, and is told of in one line; what comes after its return is sent', async () => {
  const place = await placeOfCollector();
  await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: place.endpoint,
    // Of one export: once it is back, it must not be away again for being slow.
    OTEL_EXPORTER_OTLP_TIMEOUT: '3000',
    SHUTDOWN_SECONDS: '10',
  });
  await publish().delivered;
  expect(await judged()).toMatchObject({ status: 'finished' });
  const told = () =>
    log.split('\n').filter((line) => line.includes('the collector takes no spans'));
  await eventually(async () => expect(told()).toHaveLength(1));
  const back = await startCollector();
  place.port = Number(new URL(back.endpoint).port);
  try {
    await publish().delivered;
    await eventually(async () => expect(back.spans.length).toBeGreaterThan(0));
    await eventually(async () => expect(log).toContain('the collector takes spans again'));
    expect(told()).toHaveLength(1);
    await listener?.stop();
  } finally {
    await back.stop();
  }
});

test('spans for which there is no room are counted as lost, and the others are sent', async () => {
  const counts = { sent: 0, lost: 0 };
  const tracer = otlpTracer({
    config: {
      ...{ url: `${collector.endpoint}/v1/traces`, headers: undefined },
      ...{ sampler: 'always_on', ratio: 1, serviceName: 'many' },
    },
    logger: createLogger('silent'),
    onSpans: (outcome, count) => {
      counts[outcome] += count;
    },
  });
  for (let at = 0; at < 3_000; at += 1) tracer.start(`span ${at}`, {}).end();
  expect(counts).toEqual({ sent: 0, lost: 3_000 - 2_048 });
  await tracer.stop(30_000);
  expect(counts).toEqual({ sent: 2_048, lost: 3_000 - 2_048 });
});
