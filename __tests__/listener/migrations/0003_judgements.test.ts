import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as initialSchema from '../../../listener/migrations/0001_initial_schema.ts';
import * as reportKey from '../../../listener/migrations/0002_report_key.ts';
import * as judgements from '../../../listener/migrations/0003_judgements.ts';
import type { Transaction } from '../../../listener/src/database/connection.ts';
import { tablesOf } from '../../../listener/src/database/tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let given: TestDatabase;
let transaction: Transaction;
let runId: string;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(async () => {
  transaction = await given.database.transaction();
  const [run] = await transaction(tablesOf(transaction).runs)
    .insert({ ...WAITING, key: 'judged' })
    .returning('id');
  runId = run.id;
});
afterEach(() => transaction.rollback());

const WAITING = { bucket: 'b', key: 'k', identity: 'version v' };
const JUDGED = { ...WAITING, verdict: 'passed', verdict_number: 1, verdict_at: new Date() };

const QUEUED = { number: 1, asked_by: 'message' };
const RUNNING = {
  ...QUEUED,
  status: 'running',
  started_at: new Date(),
  heartbeat_at: new Date(),
  attempts: 1,
};
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

async function broken(table: 'runs' | 'judgements', row: object): Promise<string | undefined> {
  return transaction(tablesOf(transaction)[table])
    .insert(table === 'judgements' ? { run_id: runId, ...row } : row)
    .then(
      () => undefined,
      (error: { constraint?: string }) => error.constraint,
    );
}

test.each([
  ['waits', WAITING],
  ['has a verdict', { ...JUDGED, status: 'finished' }],
  ['has a verdict, and a later judgement that waits', { ...JUDGED, last_number: 2 }],
  ['has a verdict, and a later judgement found it gone', { ...JUDGED, status: 'gone' }],
  ['has none, and was gone', { ...WAITING, status: 'gone' }],
])('a run %s', async (_state, row) => {
  expect(await broken('runs', row)).toBeUndefined();
});

test.each([
  ['runs_status_is_known', { ...WAITING, status: 'running' }],
  ['runs_verdict_is_known', { ...JUDGED, verdict: 'good' }],
  ['runs_finished_means_a_verdict', { ...WAITING, status: 'finished' }],
  ['runs_verdict_is_of_a_judgement', { ...JUDGED, verdict_number: null }],
  ['runs_verdict_is_of_a_judgement', { ...JUDGED, verdict_at: null }],
  ['runs_verdict_is_of_a_judgement', { ...JUDGED, verdict_number: 2 }],
  ['runs_last_number_is_positive', { ...WAITING, last_number: 0 }],
  ['runs_size_is_no_less_than_zero', { ...WAITING, size_bytes: -1 }],
  ['runs_key_is_a_key', { ...WAITING, key: 'ä'.repeat(513) }],
  ['runs_key_is_a_key', { ...WAITING, key: '' }],
  ['runs_bucket_is_named', { ...WAITING, bucket: '' }],
  ['runs_identity_is_short', { ...WAITING, identity: '' }],
  ['runs_identity_is_short', { ...WAITING, e_tag: 'x'.repeat(257) }],
  ['runs_object_once', { ...WAITING, key: 'judged' }],
])('%s refuses a run', async (constraint, row) => {
  expect(await broken('runs', row)).toBe(constraint);
});

test.each([
  ['queued', QUEUED],
  ['running', RUNNING],
  ['finished', FINISHED],
  ['finished, its report deleted since', { ...FINISHED, report: null }],
  ['finished, its report in the bucket', { ...FINISHED, report_key: 'ä'.repeat(512) }],
  ['gone', { ...RUNNING, status: 'gone', error: 'no such key', finished_at: new Date() }],
  ['dead before it ever ran', { ...QUEUED, status: 'error', error: 'x', finished_at: new Date() }],
])('a judgement may be %s', async (_state, row) => {
  expect(await broken('judgements', row)).toBeUndefined();
});

test.each([
  ['judgements_run_exists', { ...QUEUED, run_id: '00000000-0000-0000-0000-000000000000' }],
  ['judgements_number_is_positive', { ...QUEUED, number: 0 }],
  ['judgements_asked_by_is_known', { ...QUEUED, asked_by: 'nobody' }],
  ['judgements_status_is_known', { ...RUNNING, status: 'paused', finished_at: new Date() }],
  ['judgements_verdict_is_known', { ...FINISHED, verdict: 'good' }],
  [
    'judgements_finished_means_a_verdict',
    { ...RUNNING, ...{ status: 'finished', finished_at: new Date() } },
  ],
  ['judgements_finished_means_a_verdict', { ...FINISHED, status: 'running', finished_at: null }],
  ['judgements_verdict_comes_with_counts', { ...FINISHED, fault_count: null }],
  ['judgements_report_is_of_a_verdict', { ...QUEUED, report: {} }],
  ['judgements_report_is_of_a_verdict', { ...QUEUED, report_key: 'r.json' }],
  ['judgements_report_is_an_object', { ...FINISHED, report: '[]' }],
  ['judgements_report_key_is_a_key', { ...FINISHED, report_key: '' }],
  ['judgements_report_key_is_a_key', { ...FINISHED, report_key: 'ä'.repeat(513) }],
  ['judgements_counts_are_no_less_than_zero', { ...FINISHED, row_count: -1 }],
  ['judgements_sha256_is_hexadecimal', { ...FINISHED, sha256: 'ABC' }],
  ['judgements_end_has_a_time', { ...FINISHED, finished_at: null }],
  ['judgements_end_has_a_time', { ...QUEUED, finished_at: new Date() }],
  ['judgements_work_has_a_start', { ...RUNNING, started_at: null }],
  ['judgements_work_has_a_start', { ...RUNNING, attempts: 0 }],
  ['judgements_running_has_a_heartbeat', { ...RUNNING, heartbeat_at: null }],
  [
    'judgements_end_without_verdict_says_why',
    { ...RUNNING, status: 'gone', finished_at: new Date() },
  ],
  ['judgements_verdict_is_no_error', { ...FINISHED, error: 'x' }],
  ['judgements_mapping_exists', { ...FINISHED, mapping_name: 'unknown', mapping_version: 1 }],
  ['judgements_mapping_exists', { ...FINISHED, mapping_name: 'half' }],
])('%s refuses a judgement', async (constraint, row) => {
  expect(await broken('judgements', row)).toBe(constraint);
});

test('a number is given out once', async () => {
  expect(await broken('judgements', QUEUED)).toBeUndefined();
  expect(await broken('judgements', QUEUED)).toBe('judgements_pkey');
});

test('an invocation has one judgement of an object', async () => {
  const invoked = { ...QUEUED, invocation: 'job' };
  expect(await broken('judgements', invoked)).toBeUndefined();
  expect(await broken('judgements', { ...invoked, number: 2 })).toBe('judgements_invocation_once');
});

test('the longest key with the longest identity fits the unique index', async () => {
  const random = (length: number) =>
    Array.from({ length }, () => Math.random().toString(36)[3] ?? 'x').join('');
  const version_id = random(1024);
  const row = { ...WAITING, key: random(1024), identity: `version ${version_id}`, version_id };
  expect(await broken('runs', row)).toBeUndefined();
});

describe('a database of the version before', () => {
  let old: TestDatabase;
  beforeAll(async () => {
    old = await createTestDatabase('empty');
    await old.database.raw('CREATE SCHEMA file_processing');
    for (const { up } of [initialSchema, reportKey]) await up(old.database);
    await old.database('sns_messages').insert({
      message_id: 'm',
      topic_arn: 't',
      type: 'Notification',
      outcome: 'accepted',
      message: '{}',
      signed_at: new Date(),
    });
    const ended = { started_at: new Date(), finished_at: new Date(), attempts: 1 };
    const passed = { verdict: 'passed', report: {}, row_count: 1, byte_count: 1, fault_count: 0 };
    await old.database('runs').insert([
      { bucket: 'b', key: '1', message_id: 'm', e_tag: 'e', sequencer: '1' },
      { bucket: 'b', key: '2', status: 'running', started_at: new Date(), attempts: 3 },
      { bucket: 'b', key: '3', status: 'finished', ...ended, ...passed, report_key: 'r.json' },
      { bucket: 'b', key: '4', status: 'error', error: 'x', ...ended, message_id: 'm' },
      { bucket: 'b', key: '5', version_id: 'v', sequencer: '1', created_at: new Date(1) },
      { bucket: 'b', key: '5', version_id: 'v', sequencer: '2' },
    ]);
    await judgements.up(old.database);
  });
  afterAll(() => old.drop());

  const run = (key: string) => old.database('runs').where({ key }).orderBy('created_at');
  const judgement = (key: string) =>
    old
      .database('judgements')
      .join('runs', 'runs.id', 'run_id')
      .where({ key })
      .first('judgements.*', 'runs.id');

  test('keeps each verdict, as that of the first judgement', async () => {
    expect(await run('3')).toMatchObject([
      { status: 'finished', verdict: 'passed', verdict_number: 1, last_number: 1 },
    ]);
    expect(await judgement('3')).toMatchObject({
      status: 'finished',
      verdict: 'passed',
      asked_by: 'operator',
      report_key: 'r.json',
    });
  });

  test('has what waited wait, and what was in hand wait again', async () => {
    expect(await run('1')).toMatchObject([{ status: 'pending', identity: 'etag e 1' }]);
    expect(await run('2')).toMatchObject([{ status: 'pending' }]);
    expect(await judgement('2')).toMatchObject({ status: 'queued', attempts: 3 });
  });

  test('keeps why a run failed, and the job that it had', async () => {
    expect(await run('4')).toMatchObject([{ status: 'error', verdict: null }]);
    const failed = await judgement('4');
    expect(failed).toMatchObject({ status: 'error', error: 'x', asked_by: 'message' });
    expect(failed.job_id).toBe(failed.id);
  });

  test('keeps both runs where one version had two', async () => {
    const [first, second] = await run('5');
    expect(first.identity).toBe('version v');
    expect(second.identity).toBe(`version v run ${second.id}`);
  });
});
