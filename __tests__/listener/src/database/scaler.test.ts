import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { waitingQuery } from '../../../../src/file-processing/workload/scaling.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, forgetRuns } from '../../support/runs.ts';

const SCALE = new URL('../../../../docs/scale.md', import.meta.url);
const QUERY = waitingQuery({
  db_schema: 'file_processing',
  max_replicas: 3,
  backlog_per_pod: 2,
});

let given: TestDatabase;
let queue: Queue;
let scaler: pg.Client;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, () => undefined);
  // The role is the server's, and tests share one.
  const role = `scaler_${given.config.database}`.replaceAll('-', '_');
  const [, statements = ''] =
    /```sql\n\s*(CREATE ROLE file_processing_scaler [^`]*)```/.exec(readFileSync(SCALE, 'utf8')) ??
    [];
  await given.database.raw(
    statements
      .replaceAll('file_processing_scaler', role)
      .replaceAll('etl_db', `"${given.config.database}"`),
  );
  scaler = new pg.Client({
    ...{ host: given.config.host, port: given.config.port, database: given.config.database },
    ...{ user: role, password: 'CHANGE-ME' },
  });
  await scaler.connect();
});
afterAll(async () => {
  await scaler.end();
  await queue.close();
  await given.drop();
});

async function count(): Promise<number> {
  const { rows } = await scaler.query(QUERY);
  return Number(rows[0].count);
}

test('what waits and is due is counted, what is in hand, failed or ended is not', async () => {
  await forgetRuns(given.database);
  await enqueueRuns(given.database, queue, 'a', 'b', 'c', 'd');
  const [first, second, third] = await queue.fetch(3);
  if (!first || !second || !third) throw new Error('three jobs were expected');
  await queue.complete(first);
  await queue.fail(second, new Error('S3 is unavailable'));
  expect(await count()).toBe(1);
});

test('no further than all pods together are to have', async () => {
  await enqueueRuns(given.database, queue, ...Array.from({ length: 9 }, (_, at) => `more/${at}`));
  expect(await count()).toBe(6);
});

test('its role may read nothing else, and change nothing', async () => {
  for (const statement of [
    'SELECT data FROM file_processing_queue.job',
    'SELECT output FROM file_processing_queue.job',
    'SELECT * FROM file_processing.runs',
    'SELECT * FROM file_processing.judgements',
    "UPDATE file_processing_queue.job SET state = 'completed'",
    'DELETE FROM file_processing_queue.job',
    'CREATE TABLE file_processing_queue.mine (id int)',
  ]) {
    await expect(scaler.query(statement), statement).rejects.toThrow(
      /permission denied|read-only transaction/,
    );
  }
});
