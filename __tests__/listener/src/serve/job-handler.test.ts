import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openRun } from '../../../../listener/src/database/runs.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality/s3-data-quality-job.ts';
import { jobHandler } from '../../../../listener/src/serve/job-handler.ts';
import { ObjectUnavailableError } from '../../../../listener/src/storage/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { collectingLogger } from '../../support/sns-listener.ts';
import { storeOf } from '../../support/stores.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(() => given.database('runs').delete());

/** Handles one job whose object has this content. */
async function handle(content: string | Error, retryCount = 0, signal?: AbortSignal) {
  const runId = await openRun(given.database, { bucket: 'bucket', key: 'a.csv' });
  const { logger, lines } = collectingLogger();
  const metrics = createMetrics();
  const work = jobHandler({
    database: given.database,
    store: storeOf(content),
    job: s3DataQualityJob,
    maxFaults: 10,
    logger,
    metrics,
  });
  const job = { id: 'job', runId, retryCount, retryLimit: 10 };
  const error = await work(job, signal ?? new AbortController().signal).catch((error) => error);
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
  expect(metrics).toContain('file_processing_runs_total{verdict="failed"} 1');
  expect(metrics).toContain('file_processing_checked_rows_total 1');
});

test('an object that is gone is a finished run, not a failed job', async () => {
  const { lines, error } = await handle(new ObjectUnavailableError('object-gone', 'is gone'));
  expect(error).toBeUndefined();
  expect(lines).toMatchObject([{ msg: 'run finished', status: 'gone', reason: 'is gone' }]);
});

test('a failed attempt is a warning and is thrown for the queue', async () => {
  const { lines, error } = await handle(new Error('access denied'));
  expect(error).toMatchObject({ message: 'access denied' });
  expect(lines).toMatchObject([{ level: 40, key: 'a.csv', attempt: 1 }]);
});

test('the last failed attempt finishes the run', async () => {
  const { lines } = await handle(new Error('access denied'), 10);
  expect(lines).toMatchObject([{ level: 50, msg: 'run finished', status: 'error', attempts: 11 }]);
});

test('a job that is handed back is no failure', async () => {
  const { lines } = await handle('n\n1\n', 0, AbortSignal.abort(new Error('shutdown')));
  expect(lines).toEqual([]);
});

test('a job that comes again after its verdict does nothing', async () => {
  await handle('n\n1\n');
  const { lines } = await handle(new Error('must not be opened'));
  expect(lines).toMatchObject([{ level: 20, msg: 'run had ended before' }]);
});
