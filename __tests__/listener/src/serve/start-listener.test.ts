import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { objectCreatedEvent } from '@file-processing/contract/s3-event.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { droppedFile } from '../../../../listener/local/dropped-file.ts';
import { type LocalSns, startLocalSns } from '../../../../listener/local/sns/local-sns.ts';
import { signMessage } from '../../../../listener/local/sns/message.ts';
import { makeSigningKey } from '../../../../listener/local/sns/signing-key.ts';
import { readConfig } from '../../../../listener/src/config.ts';
import { findRun, listRuns } from '../../../../listener/src/database/runs.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { findMessage } from '../../../../listener/src/database/sns-messages.ts';
import { openQueue } from '../../../../listener/src/queue/queue.ts';
import { SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import {
  type RunningListener,
  startListener,
} from '../../../../listener/src/serve/start-listener.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, leaveOneAttempt } from '../../support/runs.ts';
import { startS3Server } from '../../support/s3-server.ts';
import { collectingLogger } from '../../support/sns-listener.ts';
import { startSqsServer } from '../../support/sqs-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const TOPIC = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files';
const BUCKET = 'etl-ba-research-client-etl';
const KEY = 'from_client/nm_albuquerque/Officer Detail/Officer_Detail.csv';
const SAMPLE = new URL('../../../../listener/local/samples/Officer_Detail.csv', import.meta.url);

let given: TestDatabase;
let sns: LocalSns;
let root: string;
let settings: Record<string, string>;
let listener: RunningListener;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  given = await createTestDatabase();
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
  sns = await startLocalSns({ retryPolicy: { intervalMilliseconds: 50, retries: 1_000 } });
  sns.createTopic(TOPIC);
  root = await temporaryFolder();
  const environment = {
    AWS_ENDPOINT_URL_SNS: sns.origin,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  // The SDK reads its part from the process.
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  settings = {
    ...environment,
    DATABASE_URL: given.url,
    SNS_TOPIC_ARNS: TOPIC,
    LOCAL_S3_ROOT: root,
    S3_BUCKET: BUCKET,
    S3_PREFIXES: 'from_client/',
    S3_SUFFIX: '.csv',
    PORT: '0',
    METRICS_PORT: '0',
    REPORT_PREFIX: 'reports/',
    WRITE_REPORTS: 'true',
  };
  const config = readConfig(settings, { database: true, httpIntake: true });
  const collected = collectingLogger();
  lines = collected.lines;
  listener = await startListener({
    config,
    role: 'both',
    migrate: false,
    logger: collected.logger,
  });
  await sns.subscribe(TOPIC, endpoint()).confirmed;
});
afterEach(async () => {
  await listener.stop();
  await sns.close();
  await given.drop();
  vi.unstubAllEnvs();
});

const endpoint = () => `http://127.0.0.1:${listener.port}/`;

/** Puts the sample into the bucket. @returns the event that S3 would send */
async function putSample(): Promise<string> {
  const path = join(root, BUCKET, KEY);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, await readFile(SAMPLE));
  const file = await droppedFile(root, path);
  if (file === undefined) throw new Error('the file is not there');
  return JSON.stringify(objectCreatedEvent({ ...file, region: 'us-gov-west-1', time: new Date() }));
}

async function finishedRuns() {
  return eventually(async () => {
    const runs = await listRuns(given.database);
    expect(runs.map(({ status }) => status)).toEqual(['finished']);
    return runs;
  });
}

test('a file that lands is followed by its verdict', async () => {
  const { messageId, delivered } = sns.publish(TOPIC, { message: await putSample() });
  expect(await delivered).toBe(true);
  expect(await finishedRuns()).toMatchObject([
    {
      messageId,
      bucket: BUCKET,
      key: KEY,
      verdict: 'failed',
      faultCount: 9,
      mappingName: 'officer_detail',
    },
  ]);
});

test('a dead letter is settled once a later judgement has a verdict, with one line', async () => {
  await sns.publish(TOPIC, { message: await putSample() }).delivered;
  const [run] = await finishedRuns();
  await listener.stop();
  const letters = () =>
    given.database('file_processing_queue.job').where({ name: 'runs_dead_letter' });
  await letters().insert({ name: 'runs_dead_letter', data: { runId: run?.id, number: 1 } });
  await given.database('runs').update({ last_number: 2 });
  const collected = collectingLogger();
  listener = await startListener({
    config: readConfig(settings, { database: true, httpIntake: true }),
    role: 'both',
    migrate: false,
    logger: collected.logger,
  });
  await eventually(() =>
    expect(collected.lines).toContainEqual(
      expect.objectContaining({
        settled: 1,
        msg: 'dead letters were settled by later judgements',
      }),
    ),
  );
  expect(await letters()).toEqual([]);
});

test('what is older than the retention is deleted while the listener serves, with one line', async () => {
  const { messageId, delivered } = sns.publish(TOPIC, { message: await putSample() });
  await delivered;
  const [run] = await finishedRuns();
  await listener.stop();
  await given.database('sns_messages').update({ received_at: new Date(0) });
  await given.database('reports').update({ recorded_at: new Date(0) });
  await given.database('judgements').update({ finished_at: new Date(0), reported_at: new Date(0) });
  const collected = collectingLogger();
  listener = await startListener({
    config: readConfig(settings, { database: true, httpIntake: true }),
    role: 'both',
    migrate: false,
    logger: collected.logger,
  });
  await eventually(() => {
    expect(collected.lines).toContainEqual(
      expect.objectContaining({ messages: 2, details: 1, deadLetters: 0, retentionDays: 400 }),
    );
  });
  expect(await findMessage(given.database, messageId)).toBeUndefined();
  expect(await findRun(given.database, run?.id ?? '')).toMatchObject({
    verdict: 'failed',
    report: null,
  });
});

test('what waits for somebody is among the metrics', async () => {
  expect(await sns.publish(TOPIC, { message: 'no event' }).delivered).toBe(true);
  const metrics = await (await fetch(`http://127.0.0.1:${listener.metricsPort}/metrics`)).text();
  expect(metrics).toContain('file_processing_dead_messages 1');
  expect(metrics).toContain('file_processing_missing_reports 0');
  expect(lines).toContainEqual(expect.objectContaining({ level: 50, outcome: 'dead' }));
});

test('a run whose attempts are used up is counted', async () => {
  await listener.stop();
  const queue = await openQueue(given.database, () => undefined);
  const [runId = ''] = await enqueueRuns(given.database, queue, 'a.csv');
  await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(1)) await queue.fail(job, new Error('out of memory'));
  await queue.close();
  const config = readConfig(settings, { database: true, httpIntake: true });
  const { logger } = collectingLogger();
  listener = await startListener({ config, role: 'both', migrate: false, logger });
  await eventually(async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${listener.metricsPort}/metrics`)).text();
    expect(metrics).toContain('file_processing_judgements_without_verdict_total{status="error"} 1');
  });
});

test('what lies outside bucket, key prefixes or key suffix is recorded as ignored', async () => {
  const event = (bucket: string, key: string) =>
    JSON.stringify(objectCreatedEvent({ bucket, key }));
  const published = [
    event('other', KEY),
    event(BUCKET, 'elsewhere/a.csv'),
    event(BUCKET, 'from_client/a.txt'),
  ].map((message) => sns.publish(TOPIC, { message }));
  for (const { messageId, delivered } of published) {
    expect(await delivered).toBe(true);
    expect(await findMessage(given.database, messageId)).toMatchObject({ outcome: 'ignored' });
  }
  expect(await listRuns(given.database)).toEqual([]);
});

test('a verdict is followed by its report, in the bucket of the file', async () => {
  sns.publish(TOPIC, { message: await putSample() });
  const [run] = await eventually(async () => {
    const runs = await listRuns(given.database);
    expect(runs).toMatchObject([{ reportKey: expect.any(String) }]);
    return runs;
  });
  const reportKey = `reports/${KEY}.${run?.id}.1.json`;
  expect(run).toMatchObject({ reportKey });
  expect(JSON.parse(await readFile(join(root, BUCKET, reportKey), 'utf8'))).toMatchObject({
    runId: run?.id,
    verdict: 'failed',
    client: 'nm_albuquerque',
    report: { faultCount: 9 },
  });
});

test('an accepted message and a finished run are a log line each, with ids', async () => {
  const { messageId } = sns.publish(TOPIC, { message: await putSample() });
  const [run] = await finishedRuns();
  await eventually(() => {
    expect(lines.map(({ msg }) => msg)).toContain('run finished');
    expect(
      lines.find((line) => line.msg === 'message taken' && line.messageId === messageId),
    ).toEqual(expect.objectContaining({ outcome: 'accepted', runIds: [run?.id] }));
  });
  expect(lines.find(({ msg }) => msg === 'run finished')).toMatchObject({
    runId: run?.id,
    messageId,
    verdict: 'failed',
    client: 'nm_albuquerque',
  });
});

test('no log line holds a body, a token or a password', async () => {
  sns.publish(TOPIC, { message: await putSample() });
  await finishedRuns();
  const log = JSON.stringify(lines);
  const password = new URL(given.url).password;
  const secrets = [password, 'Records', ...sns.subscriptions().map(({ token }) => token)];
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
});

test('messages that come twice, and two messages of one object, make one run', async () => {
  sns.injectFaults(() => ({ kind: 'duplicate' }));
  const message = await putSample();
  await Promise.all([1, 2, 3].map(() => sns.publish(TOPIC, { message }).delivered));
  expect(await finishedRuns()).toHaveLength(1);
});

test('a message whose delivery was dropped comes again and is judged', async () => {
  sns.injectFaults((_, attempt) => (attempt < 3 ? { kind: 'drop-request' } : undefined));
  await sns.publish(TOPIC, { message: await putSample() }).delivered;
  expect(await finishedRuns()).toHaveLength(1);
});

test('a message whose answer was lost comes again and is judged once', async () => {
  sns.injectFaults((_, attempt) => (attempt < 3 ? { kind: 'drop-answer' } : undefined));
  await sns.publish(TOPIC, { message: await putSample() }).delivered;
  expect(await finishedRuns()).toMatchObject([{ attempts: 1 }]);
});

test('a forged message is refused and leaves nothing behind', async () => {
  const forger = await makeSigningKey();
  const message = signMessage(
    {
      Type: 'Notification',
      MessageId: '11111111-2222-4333-8444-555555555555',
      TopicArn: TOPIC,
      Message: await putSample(),
      Timestamp: new Date().toISOString(),
      UnsubscribeURL: `${sns.origin}/?Action=Unsubscribe`,
    },
    { privateKey: forger.privateKey, certificateUrl: sns.certificateUrl, signatureVersion: '2' },
  );
  const response = await fetch(endpoint(), {
    method: 'POST',
    headers: { 'x-amz-sns-message-type': 'Notification' },
    body: JSON.stringify(message),
  });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ error: 'signature_invalid' });
  expect(await listRuns(given.database)).toEqual([]);
});

test('while a certificate can’t be fetched that a message of the queue needs, nothing is fetched from the queue', async () => {
  const key = await makeSigningKey();
  let isAway = true;
  let asked = 0;
  const authority = createServer((_request, response) => {
    asked += 1;
    if (isAway) response.writeHead(503).end();
    else response.end(key.certificate);
  });
  await new Promise<void>((resolve) => authority.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(authority.address() as AddressInfo).port}`;
  const sqs = await startSqsServer();
  vi.stubEnv('AWS_ENDPOINT_URL', sqs.origin);
  const { logger, lines: told } = collectingLogger();
  const environment = {
    ...settings,
    AWS_ENDPOINT_URL_SNS: origin,
    AWS_ENDPOINT_URL: sqs.origin,
    AWS_REGION: 'us-gov-west-1',
    SQS_QUEUE_URL: sqs.queueUrl,
  };
  const config = readConfig(environment, { database: true, httpIntake: true });
  const fetching = await startListener({ config, role: 'intake', migrate: false, logger });
  onTestFinished(async () => {
    await fetching.stop();
    await sqs.close();
    authority.close();
  });
  const message = await putSample();
  const send = () =>
    sqs.send(
      JSON.stringify(
        signMessage(
          {
            Type: 'Notification',
            MessageId: randomUUID(),
            TopicArn: TOPIC,
            Message: message,
            Timestamp: new Date().toISOString(),
            UnsubscribeURL: `${origin}/?Action=Unsubscribe`,
          },
          {
            privateKey: key.privateKey,
            certificateUrl: `${origin}${new URL(sns.certificateUrl).pathname}`,
            signatureVersion: '2',
          },
        ),
      ),
    );
  const refused = () => told.filter(({ code }) => code === 'certificate_unavailable').length;

  // One for each of the two that fetch: the second learns it from a message of its own.
  send();
  await eventually(() => expect(refused()).toBe(1));
  send();
  await eventually(() => expect(refused()).toBe(2));
  send();
  const askedBefore = asked;
  await eventually(() => expect(asked).toBeGreaterThan(askedBefore + 1));
  expect([sqs.waiting().length, sqs.hidden().length]).toEqual([3, 2]);

  isAway = false;
  sqs.showAgain();
  await eventually(() => expect(sqs.waiting()).toEqual([]));
  expect(sqs.mostReceives()).toBe(2);
});

test('a database that is unavailable makes the listener not ready and SNS come again', async () => {
  const { database: server, drop } = await createTestDatabase('empty');
  onTestFinished(drop);
  const name = new URL(given.url).pathname.slice(1);
  const allowConnections = (allowed: boolean) =>
    server.raw(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${allowed}`);

  await allowConnections(false);
  await server.raw('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?', [
    name,
  ]);
  const message = await putSample();
  const { messageId, delivered } = sns.publish(TOPIC, { message });
  expect((await fetch(`${endpoint()}readyz`)).status).toBe(503);
  expect((await fetch(`${endpoint()}healthz`)).status).toBe(200);
  const firstAnswer = () => sns.attempts.find((attempt) => attempt.messageId === messageId)?.status;
  await eventually(() => expect(firstAnswer()).toBe(503));
  await allowConnections(true);
  expect(await delivered).toBe(true);
  expect(await finishedRuns()).toHaveLength(1);
});

test('a connection with a verified message is kept while others are closed, and that is counted', async () => {
  const config = readConfig(
    { ...settings, MAX_CONNECTIONS_PER_ADDRESS: '1', KEEP_ALIVE_SECONDS: '7' },
    { database: true, httpIntake: true },
  );
  const { logger } = collectingLogger();
  const limited = await startListener({ config, role: 'intake', migrate: false, logger });
  onTestFinished(() => limited.stop());
  const url = `http://127.0.0.1:${limited.port}/`;
  const idle = await fetch(url);
  expect(idle.headers.get('keep-alive')).toMatch(/^timeout=7,/);
  // Closes the idle connection.
  await sns.subscribe(TOPIC, url).confirmed;

  const message = await putSample();
  const { delivered } = await given.database.transaction(async (trx) => {
    await trx.raw('LOCK TABLE sns_messages IN ACCESS EXCLUSIVE MODE');
    const published = sns.publish(TOPIC, { message });
    await eventually(async () => {
      const { rows } = await given.database.raw(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
           AND query LIKE '%accept_messages%'`,
      );
      // That of the other listener as well; what they look at now and then waits beside it.
      expect(rows).toHaveLength(2);
    });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    return { delivered: published.delivered };
  });
  expect(await delivered).toBe(true);
  const metrics = await (await fetch(`http://127.0.0.1:${limited.metricsPort}/metrics`)).text();
  expect(metrics).toContain('file_processing_http_closed_connections_total{closure="idle"} 1');
  expect(metrics).toContain('file_processing_http_closed_connections_total{closure="refused"} 1');
});

test.each(['healthz', 'readyz'])(
  '%s of the port of probes asks the port of messages',
  async (path) => {
    const asked: unknown[] = [];
    const note = (message: unknown) => {
      const { request } = message as { request: IncomingMessage };
      if (request.socket.localPort === listener.port) asked.push(request.url);
    };
    subscribe('http.server.request.start', note);
    onTestFinished(() => void unsubscribe('http.server.request.start', note));

    expect((await fetch(`http://127.0.0.1:${listener.metricsPort}/${path}`)).status).toBe(200);

    expect(asked).toEqual(['/healthz']);
  },
);

test('forged messages do not keep a listener that has just started from genuine ones', async () => {
  // The other listener has confirmed, and so has verified a message.
  await eventually(async () =>
    expect(await given.database('signing_certificates').pluck('url')).toEqual([sns.certificateUrl]),
  );
  const config = readConfig(settings, { database: true, httpIntake: true });
  const collected = collectingLogger();
  const { logger } = collected;
  const cold = await startListener({ config, role: 'intake', migrate: false, logger });
  onTestFinished(() => cold.stop());
  const url = `http://127.0.0.1:${cold.port}/`;
  const forge = async (count: number) => {
    const body = JSON.stringify({
      ...{ Type: 'Notification', MessageId: randomUUID(), TopicArn: TOPIC, Message: '{}' },
      ...{ Timestamp: new Date().toISOString(), SignatureVersion: '2', Signature: 'AAAA' },
      SigningCertURL: `${sns.origin}/SimpleNotificationService-${count}.pem`,
    });
    const headers = { 'x-amz-sns-message-type': 'Notification' };
    return (await fetch(url, { method: 'POST', headers, body })).status;
  };
  const refusals = () => collected.lines.filter(({ code }) => code === 'certificate_unavailable');
  const isSpent = () => /more than 120 fetches of unknown/.test(`${refusals().at(-1)?.msg}`);
  // The fetches of a minute: on a busy machine some of the first 120 may be of the minute before.
  for (let count = 0; !isSpent(); count += 10) {
    const some = Array.from({ length: 10 }, (_, index) => forge(count + index));
    expect(new Set(await Promise.all(some))).toEqual(new Set([503]));
  }

  await sns.subscribe(TOPIC, url).confirmed;

  const refused = refusals();
  expect(refused.filter((line) => 'err' in line)).toEqual([]);
});

test('a job that does not finish in time goes back to the queue at once', async () => {
  await listener.stop();
  const gate = new Promise<void>(() => undefined);
  const s3 = await startS3Server({ 'bucket/slow.csv': { body: 'a,b\n1,2\n', eTag: 'e', gate } });
  onTestFinished(() => s3.close());
  const queue = await openQueue(given.database, () => undefined);
  onTestFinished(() => queue.close());
  const config = readConfig(
    {
      DATABASE_URL: given.url,
      AWS_REGION: 'us-gov-west-1',
      AWS_ENDPOINT_URL: s3.endpoint,
      METRICS_PORT: '0',
      SHUTDOWN_SECONDS: '1',
    },
    { database: true, httpIntake: false },
  );
  const { logger } = collectingLogger();
  const worker = await startListener({ config, role: 'worker', migrate: false, logger });
  const [runId] = await enqueueRuns(given.database, queue, 'slow.csv');
  await eventually(() => expect(s3.requests).toHaveLength(1));
  const probe = `http://127.0.0.1:${worker.metricsPort}/healthz`;
  // It has no port for messages that could answer.
  expect((await fetch(probe)).status).toBe(200);
  await worker.stop();
  // Long before its heartbeat would lapse.
  expect(await queue.fetch(1)).toMatchObject([{ runId }]);
});
