import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type Database } from '../../../../listener/src/database/connection.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import type { RoutingForm } from '../../../../listener/src/jobs/route-verdict.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import type { ReportForm } from '../../../../listener/src/jobs/write-report.ts';
import { PostponedError } from '../../../../listener/src/queue/jobs-in-hand.ts';
import { jobHandler } from '../../../../listener/src/serve/job-handler.ts';
import {
  type Breakers,
  type BreakersOptions,
  createBreakers,
} from '../../../../listener/src/storage/breaker.ts';
import {
  type ObjectStore,
  ObjectUnavailableError,
  StoreError,
} from '../../../../listener/src/storage/object-store.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { routingStoreOf } from '../../support/routing-store.ts';
import { forgetRuns, openRun } from '../../support/runs.ts';
import { collectingLogger } from '../../support/sns-listener.ts';
import { storeOf, writableStoreOf } from '../../support/stores.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(() => forgetRuns(given.database));

/** Their time stands still: the ten seconds between two tries of a bucket that is out are never over. */
const breakersOf = (options: BreakersOptions = {}) => createBreakers({ now: () => 0, ...options });
const closedBreakers = () => ({ read: breakersOf(), write: breakersOf() });

interface Handling {
  readonly retryCount?: number;
  readonly signal?: AbortSignal;
  readonly reports?: ReportForm;
  readonly routing?: RoutingForm;
  /** @default that of a new object */
  readonly runId?: string;
  readonly breakers?: Record<'read' | 'write', Breakers>;
  readonly makeRoom?: () => void;
  /** @default the one that is there */
  readonly database?: Database;
}

/** Handles one job whose object has this content, or lies in this store. */
async function handle(
  object: string | Error | ObjectStore,
  { retryCount = 0, signal, reports, routing, runId: before, ...more }: Handling = {},
) {
  const runId = before ?? (await openRun(given.database, { bucket: 'bucket', key: 'a.csv' }));
  const { breakers = closedBreakers(), makeRoom = () => undefined, database } = more;
  const { logger, lines } = collectingLogger();
  const metrics = createMetrics();
  const work = jobHandler({
    database: database ?? given.database,
    store: typeof object === 'string' || object instanceof Error ? storeOf(object) : object,
    job: s3DataQualityJob,
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 10,
    reports,
    routing,
    logger,
    metrics,
    breakers,
  });
  const job = { id: 'job', runId, number: 1, retryCount, retryLimit: 10 };
  const error = await work(job, signal ?? new AbortController().signal, makeRoom).catch(
    (error) => error,
  );
  return { runId, lines, error, metrics: await metrics.registry.metrics() };
}

test('a verdict is logged and counted', async () => {
  const { runId, lines, metrics } = await handle('n\n1,2\n');
  expect(lines).toMatchObject([
    {
      msg: 'run finished',
      runId,
      bucket: 'bucket',
      key: 'a.csv',
      verdict: 'failed',
      rows: 1,
      faults: 1,
      monitored: false,
    },
  ]);
  expect(metrics).toContain('file_processing_runs_total{verdict="failed",rules="none"} 1');
  expect(metrics).toContain('file_processing_checked_rows_total 1');
});

test('the line of a run has the first diagnosis, and no evidence, which may quote the file', async () => {
  const { lines } = await handle('id,text\n1,"say \\"confidential\\", x"\n');
  expect(lines).toMatchObject([
    { diagnosis: 'Quotes are escaped by backslashes, and not doubled.', verdict: 'failed' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('confidential');
});

test('the line of a run without a diagnosis has none', async () => {
  const { lines } = await handle('n\n1\n');
  expect(lines).toMatchObject([{ verdict: 'passed' }]);
  expect(lines[0]).not.toHaveProperty('diagnosis');
});

test('an object that is gone is a finished run, not a failed job', async () => {
  const unavailable = new ObjectUnavailableError('object-gone', 'is gone');
  const { lines, error, metrics } = await handle(unavailable);
  expect(error).toBeUndefined();
  expect(metrics).toContain('file_processing_judgements_without_verdict_total{status="gone"} 1');
  expect(lines).toMatchObject([{ msg: 'run finished', status: 'gone', reason: 'is gone' }]);
});

test('a failed attempt is a warning and is thrown for the queue', async () => {
  const { lines, error } = await handle(new Error('access denied'));
  expect(error).toMatchObject({ message: 'access denied' });
  expect(lines).toMatchObject([{ level: 40, key: 'a.csv', attempt: 1 }]);
});

test('a failed attempt is noted on its judgement, which waits for the next one', async () => {
  const { runId } = await handle(new Error('access denied'));
  expect(await findRun(given.database, runId)).toMatchObject({
    status: 'queued',
    error: 'access denied',
  });
});

test('the last failed attempt finishes the run', async () => {
  const { lines } = await handle(new Error('access denied'), { retryCount: 10 });
  expect(lines).toMatchObject([{ level: 50, msg: 'run finished', status: 'error', attempts: 11 }]);
});

test('a job that is handed back is not a failure', async () => {
  const signal = AbortSignal.abort(new Error('shutdown'));
  const { lines } = await handle('n\n1\n', { signal });
  expect(lines).toEqual([]);
});

test('a job that comes again after its verdict does nothing', async () => {
  const { runId } = await handle('n\n1\n');
  const { lines } = await handle(new Error('must not be opened'), { runId });
  expect(lines).toMatchObject([{ level: 20, msg: 'judgement had ended before' }]);
});

const reports = { prefix: 'reports/', bySetting: false };
const refusing = (content: string | Error) => {
  const store = writableStoreOf(content);
  store.refuseNext(new Error('SlowDown'));
  return store;
};

test('a verdict is followed by its report', async () => {
  const store = writableStoreOf('n\n1\n');
  const { runId, lines, metrics } = await handle(store, { reports });
  const reportKey = `reports/a.csv.${runId}.1.json`;
  expect(store.written[0]).toMatchObject({ bucket: 'bucket', key: reportKey });
  expect(lines).toMatchObject([
    { level: 30, msg: 'run finished' },
    { level: 30, msg: 'report written', runId, bucket: 'bucket', reportKey },
  ]);
  expect(metrics).toContain('file_processing_reports_total{outcome="written"} 1');
});

test('without a prefix no report is written', async () => {
  const store = writableStoreOf('n\n1\n');
  const { runId } = await handle(store);
  expect(store.written).toEqual([]);
  expect(await findRun(given.database, runId)).toMatchObject({ reportKey: null });
});

test('a run whose object is gone has no report', async () => {
  const store = writableStoreOf(new ObjectUnavailableError('object-gone', 'is gone'));
  const { lines, error } = await handle(store, { reports });
  expect([store.written, error]).toEqual([[], undefined]);
  expect(lines).toHaveLength(1);
});

test('a failed attempt at a verdict writes no report', async () => {
  const store = writableStoreOf(new Error('access denied'));
  await handle(store, { reports });
  expect(store.written).toEqual([]);
});

test('a report that is refused is thrown for the queue, after the verdict was told', async () => {
  const { runId, lines, error, metrics } = await handle(refusing('n\n1\n'), { reports });
  expect(error).toMatchObject({ message: 'SlowDown' });
  expect(lines).toMatchObject([
    { level: 30, msg: 'run finished', verdict: 'passed' },
    { level: 40, msg: 'the report was not written, it is tried again', key: 'a.csv' },
  ]);
  expect(metrics).toContain('file_processing_reports_total{outcome="failed"} 1');
  expect(metrics).toContain('file_processing_runs_total{verdict="passed",rules="none"} 1');
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'finished', error: null });
});

test('the attempt after that writes the report alone, and tells no second verdict', async () => {
  const { runId } = await handle(refusing('n\n1\n'), { reports });
  const store = writableStoreOf(new Error('must not be opened'));
  const { lines, metrics } = await handle(store, { retryCount: 1, reports, runId });
  expect(store.written).toHaveLength(2);
  expect(lines).toMatchObject([
    { level: 20, msg: 'judgement had ended before' },
    { level: 30, msg: 'report written', runId },
  ]);
  expect(metrics).toContain('file_processing_runs_total{verdict="passed",rules="none"} 0');
});

test('the last refused attempt is one error that says that the verdict stands', async () => {
  const { runId } = await handle(refusing('n\n1\n'), { reports });
  const store = refusing(new Error('must not be opened'));
  const { lines } = await handle(store, { retryCount: 10, reports, runId });
  const message = 'the verdict stands, its report was not written';
  expect(lines.slice(1)).toMatchObject([
    { level: 50, msg: message, runId, judgement: 1, attempt: 11 },
  ]);
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'finished' });
});

test('a report that is handed back is not a failure', async () => {
  const controller = new AbortController();
  const store = writableStoreOf('n\n1\n', async () => controller.abort(new Error('shutdown')));
  const { signal } = controller;
  const { lines, error, metrics } = await handle(store, { signal, reports });
  expect(error).toMatchObject({ message: 'shutdown' });
  expect(lines).toMatchObject([{ msg: 'run finished' }]);
  expect(metrics).toContain('file_processing_reports_total{outcome="failed"} 0');
});

const denied = () =>
  new StoreError(
    "s3://bucket/key can't be read",
    Object.assign(new Error(''), { name: 'AccessDenied' }),
  );
/** A run of a key of its own. */
const runOf = (key: string) => openRun(given.database, { bucket: 'bucket', key, eTag: key });

/** As many failed attempts as it takes until a bucket is out. */
async function bucketThatIsOut(breakers = closedBreakers()) {
  const outcomes: { error: unknown; lines: unknown[]; runId: string }[] = [];
  for (const key of 'abcde') {
    outcomes.push(await handle(denied(), { runId: await runOf(key), breakers }));
  }
  return { breakers, outcomes };
}

test('the fault of a whole bucket uses up no attempt of a file', async () => {
  const { outcomes } = await bucketThatIsOut();
  expect(outcomes.map(({ error }) => error instanceof PostponedError)).toEqual([
    ...[false, false, false, false],
    true,
  ]);
  expect(await findRun(given.database, outcomes[4]?.runId ?? '')).toMatchObject({
    status: 'queued',
    error: expect.stringContaining('AccessDenied'),
  });
});

test('a file of a bucket that is out waits without being begun', async () => {
  const { breakers } = await bucketThatIsOut();
  const runId = await runOf('f');
  const { error, lines } = await handle('n\n1\n', { runId, breakers });
  expect(error).toBeInstanceOf(PostponedError);
  expect(lines).toEqual([]);
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'queued', attempts: 0 });
});

test('a bucket is back before a large file of it was read to its end', async () => {
  const { breakers } = await bucketThatIsOut({
    ...closedBreakers(),
    read: breakersOf({ rightsDiffer: true }),
  });
  const begun = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<void>();
  async function* slowBytes() {
    yield Buffer.from('n\n');
    begun.resolve();
    await rest.promise;
    yield Buffer.from('1\n');
  }
  const store = storeOf('n\n1\n');
  const open: ObjectStore['open'] = async (object, signal) => ({
    ...(await store.open(object, signal)),
    bytes: slowBytes(),
  });
  const large = handle({ ...store, open }, { runId: await runOf('large'), breakers });
  await begun.promise;
  const small = await handle('n\n1\n', { runId: await runOf('small'), breakers });
  expect(small.error).toBeUndefined();
  expect(breakers.read.anyOpen).toBe(false);
  rest.resolve();
  expect((await large).error).toBeUndefined();
});

describe('an outage of the database', () => {
  const outage = () => Object.assign(new Error('terminating connection'), { code: '57P01' });

  test.each([0, 10])(
    'uses up no attempt of a file, of which %i were made before',
    async (retryCount) => {
      const { error, lines } = await handle(outage(), { retryCount });
      expect(error).toBeInstanceOf(PostponedError);
      expect(lines).toMatchObject([{ msg: 'attempt failed, the run is tried again' }]);
    },
  );

  test('before a judgement is begun uses up none either', async () => {
    const away = connect({ ...given.config, port: 1 });
    const { error } = await handle('n\n1\n', { database: away, runId: await runOf('a') });
    expect(error).toBeInstanceOf(PostponedError);
    await away.destroy();
  });

  test('is not what a statement ends with that took too long: the file may be why', async () => {
    const { error } = await handle(Object.assign(outage(), { code: '57014' }));
    expect(error).not.toBeInstanceOf(PostponedError);
  });
});

test('a file of another bucket is judged meanwhile', async () => {
  const { breakers } = await bucketThatIsOut();
  const runId = await openRun(given.database, { bucket: 'other', key: 'a.csv', eTag: 'e' });
  const { error } = await handle('n\n1\n', { runId, breakers });
  expect(error).toBeUndefined();
});

test('a job makes room for others before its verdict is recorded', async () => {
  const order: string[] = [];
  const note = ({ sql }: { readonly sql: string }) => {
    if (/INSERT INTO \S+reports\b/.test(sql)) order.push('record');
  };
  given.database.on('query', note);
  try {
    await handle('n\n1\n', { makeRoom: () => order.push('room') });
  } finally {
    given.database.off('query', note);
  }
  expect(order).toEqual(['room', 'record']);
});

test('no more than 16 jobs whose verdicts are being recorded make room', async () => {
  let found = 0;
  let rooms = 0;
  const work = jobHandler({
    ...{ database: given.database, store: storeOf('n\n1\n'), maxFaults: 10, reports: undefined },
    job: {
      ...s3DataQualityJob,
      async run(object, context) {
        const outcome = await s3DataQualityJob.run(object, context);
        found += 1;
        return outcome;
      },
    },
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    ...{ logger: collectingLogger().logger, metrics: createMetrics(), breakers: closedBreakers() },
  });
  const runIds = await Promise.all(Array.from({ length: 18 }, (_, file) => runOf(`${file}.csv`)));
  const lock = await given.database.transaction();
  try {
    await lock.raw('LOCK TABLE file_processing.reports IN SHARE MODE');
    const ended = Promise.all(
      runIds.map((runId) =>
        work(
          { id: runId, runId, number: 1, retryCount: 0, retryLimit: 10 },
          new AbortController().signal,
          () => {
            rooms += 1;
          },
        ),
      ),
    );
    await eventually(() => expect(found).toBe(18));
    await lock.commit();
    await ended;
  } finally {
    if (!lock.isCompleted()) await lock.rollback();
  }
  expect(rooms).toBe(16);
});

test('a job that has its verdict makes room for others before it writes its report', async () => {
  const { runId } = await handle('n\n1\n');
  const order: string[] = [];
  const store = writableStoreOf('n\n1\n', async () => void order.push('write'));
  await handle(store, { runId, reports, makeRoom: () => order.push('room') });
  expect(order).toEqual(['room', 'write', 'write']);
});

test('a bucket that takes no report is not asked for each one', async () => {
  const breakers = closedBreakers();
  const store = writableStoreOf('n\n1\n');
  for (const key of 'abcde') {
    store.refuseNext(denied());
    await handle(store, { runId: await runOf(key), reports, breakers });
  }
  const runId = await runOf('f');
  const { error, metrics } = await handle(store, { runId, reports, breakers });
  expect(error).toBeInstanceOf(PostponedError);
  expect(store.written).toEqual([]);
  expect(metrics).toContain('file_processing_reports_total{outcome="failed"} 0');
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'finished' });
});

describe('a file whose rules have it routed', () => {
  const routing = {
    ...{ tags: true, bySetting: false },
    targets: [{ bucket: 'checked-files', prefix: 'nm/' }],
  };
  beforeAll(async () => {
    await given.database('mappings').insert({
      ...{ name: 'routed', version: 1 },
      table_schema: { fields: [{ name: 'n', type: 'integer' }] },
    });
    await given.database('monitoring_files').insert({
      ...{ client: 'nm', bucket: 'bucket', key_pattern: 'routed/*' },
      ...{ mapping_name: 'routed', mapping_version: 1 },
      on_verdict: { tag: true, copy: { bucket: 'checked-files', prefix: 'nm/' } },
    });
  });
  const delivered = () =>
    openRun(given.database, { bucket: 'bucket', key: 'routed/a.csv', versionId: 'v1' });

  test('is routed after its verdict, which is logged and counted', async () => {
    const store = routingStoreOf('n\n1\n');
    const { lines, metrics, error } = await handle(store, { routing, runId: await delivered() });
    expect(error).toBeUndefined();
    expect([...store.objects.keys()]).toEqual(['checked-files/nm/accepted/routed/v1.1/a.csv']);
    expect(lines).toMatchObject([
      { msg: 'run finished' },
      { level: 30, msg: 'file routed by its verdict', acts: [{ act: 'tag' }, { act: 'copy' }] },
    ]);
    expect(metrics).toContain('file_processing_routings_total{outcome="done"} 1');
  });

  test('is left alone where the settings allow nothing', async () => {
    const store = routingStoreOf('n\n1\n');
    await handle(store, { runId: await delivered() });
    expect(store.begun).toEqual([]);
  });

  test('is a warning where not all of it could be done', async () => {
    const store = routingStoreOf('n\n1\n');
    store.tag = async () => 'full';
    const { lines, metrics } = await handle(store, { routing, runId: await delivered() });
    expect(lines[1]).toMatchObject({ level: 40, acts: [{ outcome: 'full' }, { outcome: 'done' }] });
    expect(metrics).toContain('file_processing_routings_total{outcome="partly"} 1');
  });

  test('has its report also where it cannot be routed, and is tried again', async () => {
    const runId = await delivered();
    const store = routingStoreOf('n\n1\n');
    store.copy = async () => {
      throw new Error('SlowDown');
    };
    const { lines, error, metrics } = await handle(store, { routing, reports, runId });
    expect(error).toMatchObject({ message: 'SlowDown' });
    expect(await findRun(given.database, runId)).toMatchObject({
      ...{ verdict: 'passed', reportKey: expect.any(String) },
    });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 40, msg: expect.stringMatching(/not routed.*tried again/) }),
    );
    expect(metrics).toContain('file_processing_routings_total{outcome="failed"} 1');
  });

  test('waits, and uses up no attempt, while the bucket of copies is out', async () => {
    const breakers = closedBreakers();
    const store = routingStoreOf('n\n1\n');
    store.copy = async () => {
      throw denied();
    };
    for (const key of 'abcde') {
      const routed = { bucket: 'bucket', key: `routed/${key}`, versionId: key };
      const runId = await openRun(given.database, routed);
      await handle(store, { routing, breakers, runId });
    }
    const { error } = await handle(store, { routing, breakers, runId: await delivered() });
    expect(error).toBeInstanceOf(PostponedError);
  });
});
