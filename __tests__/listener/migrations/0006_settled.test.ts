import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import * as initialSchema from '../../../listener/migrations/0001_initial_schema.ts';
import * as reportKey from '../../../listener/migrations/0002_report_key.ts';
import * as judgements from '../../../listener/migrations/0003_judgements.ts';
import * as settled from '../../../listener/migrations/0006_settled.ts';
import type { Transaction } from '../../../listener/src/database/connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let given: TestDatabase;
let transaction: Transaction;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(async () => {
  transaction = await given.database.transaction();
});
afterEach(() => transaction.rollback());

const MESSAGE = {
  message_id: 'm',
  topic_arn: 'topic',
  type: 'Notification',
  outcome: 'dead',
  reason: 'Message is not JSON',
  message: '',
  signed_at: new Date(),
};
const RUN = { id: '00000000-0000-4000-8000-000000000000', bucket: 'b', key: 'k', identity: 'i' };
const JUDGEMENT = {
  run_id: RUN.id,
  number: 1,
  asked_by: 'message',
  status: 'error',
  error: 'S3 is unavailable',
  finished_at: new Date(),
};
const SETTLED = { settled_at: new Date(), settled_reason: 'the sender was told' };

const refused = (error: { constraint?: string }) => error.constraint;

test.each([
  ['has both', SETTLED, undefined],
  ['has no reason', { settled_at: new Date() }, 'settled_says_why'],
  ['has an empty reason', { ...SETTLED, settled_reason: '' }, 'settled_says_why'],
  ['has no time', { settled_reason: 'x' }, 'settled_says_why'],
])('what was settled has time and reason: one that %s', async (_what, columns, constraint) => {
  await transaction('runs').insert(RUN);
  for (const [table, row] of [
    ['sns_messages', MESSAGE],
    ['judgements', JUDGEMENT],
  ] as const) {
    const failure = await transaction
      .savepoint((savepoint) => savepoint(table).insert({ ...row, ...columns }))
      .then(() => undefined, refused);
    expect(failure).toBe(constraint && `${table}_${constraint}`);
  }
});

test('runs whose verdict no mapping made are known in a database that has some', async () => {
  const old = await createTestDatabase('empty');
  try {
    await old.database.raw('CREATE SCHEMA file_processing');
    for (const { up } of [initialSchema, reportKey]) await up(old.database);
    await old.database('mappings').insert({ name: 'm', version: 1, table_schema: {} });
    const mapped = { mapping_name: 'm', mapping_version: 1 };
    const judged = {
      ...{ bucket: 'b', status: 'finished', verdict: 'passed', report: {}, attempts: 1 },
      ...{ row_count: 1, byte_count: 1, fault_count: 0 },
      ...{ started_at: new Date(), finished_at: new Date() },
    };
    await old.database('runs').insert([
      { ...judged, key: 'mapped', ...mapped },
      { ...judged, key: 'unmonitored' },
      { bucket: 'b', key: 'waits' },
    ]);
    for (const { up } of [judgements, settled]) await up(old.database);
    const keys = await old.database('runs').where({ unmonitored: true }).pluck('key');
    expect(keys).toEqual(['unmonitored']);
  } finally {
    await old.drop();
  }
});
