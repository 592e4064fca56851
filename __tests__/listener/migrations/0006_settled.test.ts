import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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
