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
  topic_arn: 't',
  type: 'Notification',
  outcome: 'accepted',
  message: '{}',
  signed_at: new Date(),
};
async function broken(table: string, row: object): Promise<string | undefined> {
  return transaction(table)
    .insert(row)
    .then(
      () => undefined,
      (error: { constraint?: string }) => error.constraint,
    );
}

test.each([
  ['sns_messages_outcome_fits_the_type', { ...MESSAGE, outcome: 'confirmation' }],
  ['sns_messages_outcome_fits_the_type', { ...MESSAGE, type: 'SubscriptionConfirmation' }],
  ['sns_messages_has_a_reason', { ...MESSAGE, outcome: 'dead', reason: '' }],
  ['sns_messages_has_a_reason', { ...MESSAGE, outcome: 'ignored' }],
  ['sns_messages_message_id_is_short', { ...MESSAGE, message_id: '' }],
])('%s refuses a message', async (constraint, row) => {
  expect(await broken('sns_messages', row)).toBe(constraint);
});

test.each([
  ['mappings_name_is_an_identifier', { name: 'Officer Detail', version: 1, table_schema: {} }],
  ['mappings_version_is_positive', { name: 'a', version: 0, table_schema: {} }],
  ['mappings_table_schema_is_an_object', { name: 'a', version: 1, table_schema: '[]' }],
])('%s refuses a mapping', async (constraint, row) => {
  expect(await broken('mappings', row)).toBe(constraint);
});

const FILE = { client: 'c', bucket: 'b', key_pattern: 'k', mapping_name: 'a', mapping_version: 1 };

test('a monitored file needs a mapping that exists', async () => {
  expect(await broken('monitoring_files', FILE)).toBe('monitoring_files_mapping_exists');
});

test('a pattern is monitored once in a bucket', async () => {
  await transaction('mappings').insert({ name: 'a', version: 1, table_schema: {} });
  expect(await broken('monitoring_files', FILE)).toBeUndefined();
  expect(await broken('monitoring_files', FILE)).toBe('monitoring_files_pattern_once');
});
