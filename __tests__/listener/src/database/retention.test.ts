import { LONGEST_RETENTION_DAYS } from '@file-processing/contract/listener-variables.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  closeJudgement,
  findJudgement,
  judgementsOf,
  startJudgement,
  startOwnJudgement,
} from '../../../../listener/src/database/judgements.ts';
import { deleteOld } from '../../../../listener/src/database/retention.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, enqueueRuns, forgetRuns, judgedRun, leaveOneAttempt } from '../../support/runs.ts';

const DAYS = 400;

let given: TestDatabase;
let queue: Queue;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await forgetRuns(given.database);
  await given.database('sns_messages').delete();
  await given.database('file_processing_queue.job').delete();
});

const remove = (options: Partial<Parameters<typeof deleteOld>[0]> = {}) =>
  deleteOld({
    ...{ database: given.database, queue, days: DAYS, isStopping: () => false, pauseMs: 0 },
    ...options,
  });

const daysAgo = (days: number) =>
  given.database.raw("now() - make_interval(days => ?) + interval '1 minute'", [days]);

async function message(id: string, outcome: string, days: number): Promise<void> {
  const types: Record<string, string> = {
    confirmation: 'SubscriptionConfirmation',
    unsubscribe: 'UnsubscribeConfirmation',
  };
  await given.database('sns_messages').insert({
    message_id: id,
    topic_arn: 't',
    type: types[outcome] ?? 'Notification',
    outcome,
    reason: 'why',
    message: '{}',
    signed_at: new Date(),
    received_at: daysAgo(days),
  });
}

const messagesLeft = () => given.database('sns_messages').orderBy('message_id').pluck('message_id');

/** Where it has a report, that is in the table of what fits no month: those of then have no tables. */
async function endedBefore(days: number, runId: string): Promise<void> {
  const { database } = given;
  const at = daysAgo(days);
  await database('reports').where({ run_id: runId }).update({ recorded_at: at });
  await database('judgements').where({ run_id: runId }).update({ finished_at: at });
  await database('judgements')
    .where({ run_id: runId })
    .whereNotNull('reported_at')
    .update({
      reported_at: database('reports').where({ run_id: runId }).select('recorded_at'),
    });
}

/** A file with a value that nobody may find for ever. */
const judged = (key: string) =>
  judgedRun(
    given.database,
    { bucket: 'b', key },
    { verdict: 'failed', faultCount: 1, report: { faults: [{ value: '123-45-6789' }] } },
  );

/** A run whose attempts are used up. @returns its id */
async function dead(key: string): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, key);
  await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(1)) await queue.fail(job, new Error('no'));
  return runId;
}

const diedBefore = (days: number, runId: string) =>
  given
    .database('file_processing_queue.job')
    .where({ name: 'runs_dead_letter' })
    .whereRaw("data->>'runId' = ?", [runId])
    .update({ created_on: daysAgo(days) });

test.each(['accepted', 'ignored', 'dead', 'confirmation', 'unsubscribe'])(
  'a message that is %s is deleted once it is too old, and not a day before',
  async (outcome) => {
    await message('kept', outcome, DAYS);
    await message('old', outcome, DAYS + 1);
    expect(await remove()).toMatchObject({ messages: 1, details: 0, deadLetters: 0 });
    expect(await messagesLeft()).toEqual(['kept']);
  },
);

describe('a verdict that is too old', () => {
  let runId: string;
  beforeEach(async () => {
    runId = await judged('a');
    await endedBefore(DAYS + 1, runId);
  });

  test('loses its report with the values in it, and nothing else', async () => {
    const before = await findJudgement(given.database, { runId, number: 1 });
    const run = await given.database('runs').where({ id: runId }).first();
    expect(await remove()).toMatchObject({ messages: 0, details: 1, deadLetters: 0 });
    expect(await findJudgement(given.database, { runId, number: 1 })).toEqual({
      ...before,
      report: null,
      withheld: null,
      detailsDeletedAt: expect.any(Date),
    });
    expect(await given.database('runs').where({ id: runId }).first()).toEqual(run);
    expect(await findRun(given.database, runId)).toMatchObject({
      verdict: 'failed',
      faultCount: 1,
    });
  });

  test('is looked at once', async () => {
    await remove();
    expect(await remove()).toMatchObject({ messages: 0, details: 0, deadLetters: 0 });
  });

  test('leaves the report of a later judgement alone', async () => {
    const own = await startOwnJudgement(given.database, {
      object: { bucket: 'b', key: 'a', eTag: 'other' },
      invocation: 'i',
    });
    if (!('held' in own)) throw new Error('it has ended');
    const later = await judged('later');
    await remove();
    expect(await findJudgement(given.database, { runId: later, number: 1 })).toMatchObject({
      report: expect.anything(),
      detailsDeletedAt: null,
    });
    expect(await judgementsOf(given.database, own.held.runId)).toMatchObject([
      { status: 'running', detailsDeletedAt: null },
    ]);
  });
});

test('the report of a verdict is kept until it is too old', async () => {
  const runId = await judged('a');
  await endedBefore(DAYS, runId);
  expect(await remove()).toMatchObject({ messages: 0, details: 0, deadLetters: 0 });
  expect(await findRun(given.database, runId)).toMatchObject({ report: expect.anything() });
});

test.each(['gone', 'replaced', 'error'] as const)(
  'a judgement that ended as %s loses the text of its reason',
  async (status) => {
    const held = await begin(given.database, { bucket: 'b', key: 'a' });
    await closeJudgement(given.database, held, status, 'invalid input: "123-45-6789"');
    await endedBefore(DAYS + 1, held.runId);
    expect(await remove()).toMatchObject({ details: 1 });
    expect(await judgementsOf(given.database, held.runId)).toMatchObject([
      { status, error: null, detailsDeletedAt: expect.any(Date) },
    ]);
  },
);

test('a judgement that waits is never touched, however old', async () => {
  const { runId } = await begin(given.database, { bucket: 'b', key: 'a' });
  await given.database('judgements').update({ created_at: daysAgo(DAYS + 1) });
  await given.database('runs').update({ created_at: daysAgo(DAYS + 1) });
  expect(await remove()).toMatchObject({ messages: 0, details: 0, deadLetters: 0 });
  expect(await startJudgement(given.database, { runId, number: 1 })).toMatchObject({ attempts: 2 });
});

test('a call that goes on after its judgement lost its reason keeps what it finds', async () => {
  const object = { bucket: 'b', key: 'a', eTag: 'e' };
  const own = { object, invocation: 'job' };
  const first = await startOwnJudgement(given.database, own);
  if (!('held' in first)) throw new Error('it has ended');
  await closeJudgement(given.database, first.held, 'error', 'no');
  await endedBefore(DAYS + 1, first.held.runId);
  await remove();
  const second = await startOwnJudgement(given.database, own);
  if (!('held' in second)) throw new Error('it has ended');
  await closeJudgement(given.database, second.held, 'gone', 'no such key');
  expect(await judgementsOf(given.database, second.held.runId)).toMatchObject([
    { number: 1, status: 'gone', error: 'no such key', detailsDeletedAt: null },
  ]);
});

describe('dead letters', () => {
  test('are deleted once they are too old, and their runs stay', async () => {
    const [old, kept] = [await dead('old'), await dead('kept')];
    await diedBefore(DAYS + 1, old);
    await diedBefore(DAYS, kept);
    expect(await remove()).toMatchObject({ messages: 0, details: 0, deadLetters: 1 });
    expect(await queue.deadLetters(10)).toMatchObject([{ runId: kept }]);
    expect(await findRun(given.database, old)).toBeDefined();
  });

  test('are kept by the queue for as long as the settings allow', async () => {
    await dead('a');
    const [{ days }] = await given
      .database('file_processing_queue.job')
      .where({ name: 'runs_dead_letter' })
      .select(given.database.raw('extract(day FROM keep_until - created_on)::int AS days'));
    expect(days).toBeGreaterThanOrEqual(LONGEST_RETENTION_DAYS);
  });
});

describe('many old rows', () => {
  beforeEach(async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await message(id, 'accepted', DAYS + 1);
  });

  test('are deleted in batches, each a transaction', async () => {
    let transactions = 0;
    const isStopping = () => {
      transactions += 1;
      return transactions > 2;
    };
    expect(await remove({ batchSize: 2, isStopping })).toMatchObject({ messages: 4 });
    expect(await messagesLeft()).toHaveLength(1);
    expect(await remove({ batchSize: 2 })).toMatchObject({ messages: 1 });
  });

  test('are left to the process that deletes already', async () => {
    let second: Promise<unknown> | undefined;
    const blocked: Pick<Queue, 'deadLetters' | 'discard'> = {
      deadLetters: async () => {
        // Inside the transaction of the first one.
        await message('f', 'accepted', DAYS + 1);
        second = remove();
        await second;
        return [];
      },
      discard: async () => 0,
    };
    expect(await remove({ queue: blocked })).toMatchObject({ messages: 5 });
    expect(await second).toMatchObject({ messages: 0, details: 0, deadLetters: 0 });
    expect(await remove()).toMatchObject({ messages: 1 });
  });

  test('are each deleted once where several processes begin at the same time', async () => {
    const counts = await Promise.all(Array.from({ length: 4 }, () => remove({ batchSize: 1 })));
    const again = await remove();
    const all = [...counts, again].reduce((sum, { messages }) => sum + messages, 0);
    expect(all).toBe(5);
    expect(await messagesLeft()).toEqual([]);
  });

  test('that another transaction holds are passed over', async () => {
    await given.database.transaction(async (transaction) => {
      await transaction.raw("SELECT FROM sns_messages WHERE message_id = 'c' FOR UPDATE");
      expect(await remove()).toMatchObject({ messages: 4 });
    });
    expect(await messagesLeft()).toEqual(['c']);
  });

  test('leave no lock behind', async () => {
    await remove();
    const { rows } = await given.database.raw(
      `SELECT FROM pg_locks WHERE locktype = 'advisory'
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(rows).toEqual([]);
  });
});

test('changes go with the messages that told of them, where both are old', async () => {
  const day = 86_400_000;
  const at = (days: number) => new Date(Date.now() - days * day);
  const { rows } = await given.database.raw(
    `INSERT INTO notices (run_id, number, created_at)
     SELECT gen_random_uuid(), 1, at FROM unnest(?::timestamptz[]) AS at RETURNING id`,
    [[at(DAYS + 1), at(DAYS - 1)]],
  );
  for (const [index, days] of [DAYS + 1, DAYS - 1].entries()) {
    await given.database('notice_messages').insert({
      ...{ way: 'email', target: 'a@example.org', notice_ids: [rows[index].id] },
      ...{ created_at: at(days), next_at: at(days), give_up_at: at(days) },
    });
  }
  expect(await remove()).toMatchObject({ notices: 2 });
  expect(await given.database('notices').pluck('id')).toEqual([rows[1].id]);
  expect(await given.database('notice_messages').pluck('notice_ids')).toEqual([[`${rows[1].id}`]]);
});
