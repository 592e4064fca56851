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
const QUEUED = { bucket: 'b', key: 'k' };
const RUNNING = { ...QUEUED, status: 'running', started_at: new Date(), attempts: 1 };
const FINISHED = {
  ...RUNNING,
  status: 'finished',
  verdict: 'passed',
  report: {},
  row_count: 1,
  byte_count: 1,
  fault_count: 0,
  finished_at: new Date(),
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
  ['queued', QUEUED],
  ['running', RUNNING],
  ['finished', FINISHED],
  ['gone', { ...RUNNING, status: 'gone', error: 'no such key', finished_at: new Date() }],
  ['dead before it ever ran', { ...QUEUED, status: 'error', error: 'x', finished_at: new Date() }],
])('a run may be %s', async (_state, row) => {
  expect(await broken('runs', row)).toBeUndefined();
});

test.each([
  ['runs_status_is_known', { ...RUNNING, status: 'paused', finished_at: new Date() }],
  ['runs_verdict_is_known', { ...FINISHED, verdict: 'good' }],
  [
    'runs_finished_means_a_verdict',
    { ...RUNNING, ...{ status: 'finished', finished_at: new Date() } },
  ],
  ['runs_finished_means_a_verdict', { ...FINISHED, status: 'running', finished_at: null }],
  ['runs_verdict_comes_with_report', { ...FINISHED, report: null }],
  ['runs_verdict_comes_with_report', { ...FINISHED, fault_count: null }],
  ['runs_report_is_an_object', { ...FINISHED, report: '[]' }],
  ['runs_counts_are_no_less_than_zero', { ...FINISHED, row_count: -1 }],
  ['runs_sha256_is_hexadecimal', { ...FINISHED, sha256: 'ABC' }],
  ['runs_end_has_a_time', { ...FINISHED, finished_at: null }],
  ['runs_end_has_a_time', { ...QUEUED, finished_at: new Date() }],
  ['runs_work_has_a_start', { ...RUNNING, started_at: null }],
  ['runs_work_has_a_start', { ...RUNNING, attempts: 0 }],
  ['runs_end_without_verdict_says_why', { ...RUNNING, status: 'gone', finished_at: new Date() }],
  ['runs_verdict_is_no_error', { ...FINISHED, error: 'x' }],
  ['runs_key_is_a_key', { ...QUEUED, key: 'ä'.repeat(513) }],
  ['runs_key_is_a_key', { ...QUEUED, key: '' }],
  ['runs_bucket_is_named', { ...QUEUED, bucket: '' }],
  ['runs_identity_is_short', { ...QUEUED, e_tag: 'x'.repeat(257) }],
  ['runs_message_exists', { ...QUEUED, message_id: 'unknown' }],
  ['runs_mapping_exists', { ...FINISHED, mapping_name: 'unknown', mapping_version: 1 }],
  ['runs_mapping_exists', { ...FINISHED, mapping_name: 'half' }],
])('%s refuses a run', async (constraint, row) => {
  expect(await broken('runs', row)).toBe(constraint);
});

test.each([
  ['without any part', {}, {}],
  ['by version', { version_id: 'v', e_tag: 'one' }, { version_id: 'v', e_tag: 'two' }],
  ['by entity tag and sequencer', { e_tag: 'e', sequencer: '1' }, { e_tag: 'e', sequencer: '1' }],
])('one state of an object is one run, %s', async (_how, first, second) => {
  expect(await broken('runs', { ...QUEUED, ...first })).toBeUndefined();
  expect(await broken('runs', { ...QUEUED, ...second })).toBe('runs_object_once');
});

test.each([
  ['key', { key: 'k2' }],
  ['version', { version_id: 'v' }],
  ['sequencer', { sequencer: '2' }],
])('another %s is another run', async (_part, difference) => {
  await transaction('runs').insert(QUEUED);
  expect(await broken('runs', { ...QUEUED, ...difference })).toBeUndefined();
});

test('the longest key with the longest version fits the unique index', async () => {
  const random = (length: number) =>
    Array.from({ length }, () => Math.random().toString(36)[3] ?? 'x').join('');
  const row = { ...QUEUED, key: random(1024), version_id: random(1024), sequencer: random(64) };
  expect(await broken('runs', row)).toBeUndefined();
});

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
