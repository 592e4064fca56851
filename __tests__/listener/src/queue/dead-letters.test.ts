import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database, Transaction } from '../../../../listener/src/database/connection.ts';
import {
  closeJudgement,
  failJudgements,
  finishJudgement,
  judgementsOf,
  startOwnJudgement,
} from '../../../../listener/src/database/judgements.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import {
  countDeadRuns,
  discardDeadRuns,
  endDeadJudgements,
  listDeadRuns,
  lookForDeadProcesses,
  repairJudgements,
  retryDeadRuns,
  retryRuns,
  settleOvertaken,
} from '../../../../listener/src/queue/dead-letters.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import {
  begin,
  beginOf,
  enqueueRuns,
  forgetRuns,
  judgedRun,
  leaveOneAttempt,
  openRun,
  PASSED,
} from '../../support/runs.ts';

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
  await given.database('file_processing_queue.job').delete();
});

/** Runs whose only attempt failed, as the worker leaves them. */
async function diedRuns(...keys: readonly string[]): Promise<string[]> {
  const runIds = await enqueueRuns(given.database, queue, ...keys);
  for (const runId of runIds) await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(runIds.length)) {
    await queue.fail(job, new Error('S3 is unavailable'));
  }
  await failJudgements(
    given.database,
    runIds.map((runId) => ({ runId, number: 1, error: 'S3 is unavailable' })),
  );
  return runIds;
}

/** A run with a verdict, the attempts at whose report are used up. */
async function runWithoutReport(key: string): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, key);
  await finishJudgement(given.database, await beginOf(given.database, runId), PASSED);
  await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(1)) await queue.fail(job, new Error('AccessDenied'));
  return runId;
}

const runOf = (runId: string | undefined) => findRun(given.database, runId ?? '');

describe('a retry', () => {
  let runIds: string[];
  beforeEach(async () => {
    runIds = await diedRuns('a', 'b');
  });

  const retry = (ids: readonly string[]) =>
    retryRuns(given.database, queue, ids, { askedBy: 'operator', reason: 'S3 is back' });

  test('asks for another judgement and settles the dead letter', async () => {
    const [first, second] = runIds;
    expect(await retry([first ?? ''])).toEqual([first]);
    expect(await queue.fetch(5)).toMatchObject([{ runId: first, number: 2 }]);
    expect((await queue.deadLetters(100)).map(({ runId }) => runId)).toEqual([second]);
  });

  test('a second time changes nothing', async () => {
    await retry(runIds);
    expect(await retry(runIds)).toEqual([]);
    expect(await queue.fetch(5)).toHaveLength(2);
  });

  test('of a run that is not there changes nothing', async () => {
    expect(await retry(['00000000-0000-0000-0000-000000000000'])).toEqual([]);
    expect(await queue.deadLetters(100)).toHaveLength(2);
  });

  test('of a run with a verdict leaves it standing', async () => {
    const runId = await judgedRun(given.database, { bucket: 'b', key: 'judged' });
    await retry([runId]);
    expect(await runOf(runId)).toMatchObject({ status: 'queued', verdict: 'passed', number: 2 });
  });
});

describe('a repair', () => {
  const OBJECT = { bucket: 'b', key: 'k', eTag: 'e' };
  const repair = () => repairJudgements(given.database, queue);
  /** As if its process had died a minute ago. */
  const lapse = () =>
    given.database('judgements').update({ heartbeat_at: new Date(Date.now() - 60_000) });

  test('gives a run that waits without a job one', async () => {
    const runId = await openRun(given.database, OBJECT);
    expect(await repair()).toStrictEqual({ enqueued: 1, next: undefined });
    const [job] = await queue.fetch(1);
    expect(job).toMatchObject({ runId, number: 1 });
    expect(await beginOf(given.database, runId)).toMatchObject({ number: 1 });
  });

  test('gives a judgement in hand whose process and job are gone a job', async () => {
    const { runId } = await begin(given.database, OBJECT);
    await lapse();
    expect(await repair()).toStrictEqual({ enqueued: 1, next: undefined });
    expect(await queue.fetch(1)).toMatchObject([{ runId, number: 1 }]);
    expect(await runOf(runId)).toMatchObject({ status: 'queued' });
  });

  test('is done once, by however many processes', async () => {
    await openRun(given.database, OBJECT);
    const repaired = await Promise.all([repair(), repair(), repair()]);
    expect(repaired.reduce((sum, { enqueued }) => sum + enqueued, 0)).toBe(1);
    expect(await repair()).toStrictEqual({ enqueued: 0, next: undefined });
  });

  test.each([
    ['waits in the queue', async () => undefined],
    ['is in the hands of a worker', async () => void (await queue.fetch(1))],
    [
      'waits for its next attempt',
      async () => {
        for (const job of await queue.fetch(1)) await queue.fail(job, new Error('x'));
      },
    ],
    [
      'has a dead letter that the worker has not seen yet',
      async (runId: string) => {
        await leaveOneAttempt(given.database, runId);
        for (const job of await queue.fetch(1)) await queue.fail(job, new Error('x'));
      },
    ],
  ])('leaves a judgement alone whose job %s', async (_state, arrange) => {
    const [runId = ''] = await enqueueRuns(given.database, queue, 'k');
    await arrange(runId);
    expect(await repair()).toStrictEqual({ enqueued: 0, next: undefined });
  });

  test.each(['at work', 'silent'])('leaves a command alone that is %s', async (state) => {
    await startOwnJudgement(given.database, { object: OBJECT, invocation: 'cli' });
    if (state === 'silent') await lapse();
    expect(await repair()).toStrictEqual({ enqueued: 0, next: undefined });
  });
});

describe('a repair of many', () => {
  /** Runs that wait, each later than the one before. */
  const wait = (count: number) =>
    given.database.raw(
      `INSERT INTO file_processing.runs (bucket, key, identity, created_at)
       SELECT 'b', 'k' || n, 'version v', now() + n * interval '1 second'
       FROM generate_series(1, ?) AS n`,
      [count],
    );

  test('looks at a thousand at a time, and goes on where it ended', async () => {
    await wait(1_500);
    const first = await repairJudgements(given.database, queue);
    expect(first).toStrictEqual({ enqueued: 1_000, next: expect.any(String) });
    const second = await repairJudgements(given.database, queue, first.next);
    expect(second).toStrictEqual({ enqueued: 500, next: undefined });
  });

  test('reads neither what has ended nor the rest of what waits', async () => {
    await wait(20_000);
    await given.database.raw(
      `INSERT INTO file_processing.judgements (run_id, number, asked_by, status, attempts, started_at,
         finished_at, verdict, row_count, byte_count, fault_count)
       SELECT id, 1, 'message', 'finished', 1, now(), now(), 'passed', 1, 1, 0
       FROM file_processing.runs WHERE created_at > now() + interval '2 hours'`,
    );
    await given.database.raw(
      `UPDATE file_processing.runs SET status = 'finished', verdict = 'passed', verdict_number = 1,
         verdict_at = now() WHERE created_at > now() + interval '2 hours'`,
    );
    await given.database.raw(
      `INSERT INTO file_processing_queue.job (id, name, data)
       SELECT id, 'runs', jsonb_build_object('runId', id, 'number', 1)
       FROM file_processing.runs WHERE status = 'pending'`,
    );
    await given.database.raw('ANALYZE file_processing.runs, file_processing.judgements');
    const read = await rowsRead((database) => repairJudgements(database, queue));
    expect(read).toBeLessThan(6_000);
  });

  /** Rows of runs and judgements that a transaction reads. */
  async function rowsRead(work: (database: Database) => Promise<unknown>): Promise<number> {
    return given.database.transaction(async (transaction) => {
      // Of this session alone: those of the server come from others too, and a second later.
      const count = async () => {
        const { rows } = await transaction.raw(
          `SELECT sum(seq_tup_read + idx_tup_fetch) AS read FROM pg_stat_xact_user_tables
           WHERE relname IN ('runs', 'judgements')`,
        );
        return Number(rows[0].read);
      };
      const before = await count();
      await work(transaction as never);
      return (await count()) - before;
    });
  }
});

describe('a look for dead processes', () => {
  let clock: number;
  beforeEach(() => {
    clock = 0;
  });

  const looks = () => lookForDeadProcesses(given.database, queue, () => clock);
  /** Looks once a second until the look counts, as a process that is up does. */
  async function lookSteadily(look = looks()) {
    for (clock = 1000; clock < 5000; clock += 1000) expect(await look()).toEqual([]);
    return look();
  }
  const silent = (seconds: number) => new Date(Date.now() - seconds * 1000);
  const jobs = () => given.database('file_processing_queue.job').where({ name: 'runs' });

  /** A judgement in hand, as a process leaves it whose last heartbeat was a minute ago. */
  async function inHand() {
    const [runId = ''] = await enqueueRuns(given.database, queue, 'k');
    const [job] = await queue.fetch(1);
    if (job === undefined) throw new Error('there is no job');
    const held = await beginOf(given.database, runId);
    await given.database('judgements').update({ heartbeat_at: silent(60) });
    // The queue itself, which has a job run again after ten seconds, leaves it to the look.
    await jobs().update({ heartbeat_on: silent(60), heartbeat_seconds: 3_600 });
    return { runId, job, held };
  }

  test('has the job run again soon, the attempt counted', async () => {
    const { runId } = await inHand();
    expect(await lookSteadily()).toEqual([{ runId, number: 1, outcome: 'retry' }]);
    expect(await runOf(runId)).toMatchObject({
      ...{ status: 'queued', attempts: 1 },
      error: 'the process that judged it has died',
    });
    const [job] = await jobs();
    expect(job.state).toBe('retry');
    expect(job.start_after - Date.now()).toBeLessThanOrEqual(2_000);
    await jobs().update({ start_after: silent(0) });
    expect(await queue.fetch(1)).toMatchObject([{ runId, retryCount: 1 }]);
  });

  test('lets a process that wakes up late end neither judgement nor job', async () => {
    const { runId, job, held } = await inHand();
    await lookSteadily();
    expect(await finishJudgement(given.database, held, PASSED)).toBe(false);
    await queue.complete(job);
    expect(await queue.fail(job, new Error('late'))).toBe('lost');
    expect(await queue.heartbeat([job])).toEqual(new Set());
    expect((await jobs()).map(({ state }) => state)).toEqual(['retry']);
    expect((await beginOf(given.database, runId)).attempts).toBe(2);
    expect(await finishJudgement(given.database, held, PASSED)).toBe(false);
  });

  test('makes a dead letter of a file that has killed every process', async () => {
    const { runId, job } = await inHand();
    await leaveOneAttempt(given.database, runId);
    expect(await lookSteadily()).toEqual([{ runId, number: 1, outcome: 'dead' }]);
    expect(job.retryCount).toBe(0);
    expect(await queue.deadLetters(10)).toMatchObject([
      { runId, error: 'the process that judged it has died' },
    ]);
  });

  test.each([
    ['the judgement', 'judgements', 'heartbeat_at'],
    ['the job', 'file_processing_queue.job', 'heartbeat_on'],
  ])('leaves one of which a process has just said that it works on %s', async (_, table, said) => {
    await inHand();
    await given.database.transaction(async (transaction) => {
      // The time of a transaction stands still, so that three seconds do not become five.
      await transaction(table).update({ [said]: transaction.raw("now() - interval '3 s'") });
      const look = lookForDeadProcesses(transaction as never, queue, () => clock);
      expect(await lookSteadily(look)).toEqual([]);
    });
    expect((await jobs()).map(({ state }) => state)).toEqual(['active']);
  });

  describe('of commands, which have no job', () => {
    const object = { bucket: 'b', key: 'k', eTag: 'e' };
    const command = (invocation = 'i') => startOwnJudgement(given.database, { object, invocation });
    const silence = (seconds: number) =>
      given.database('judgements').update({ heartbeat_at: silent(seconds) });
    /** Looks for a minute. @returns what the last look has ended */
    async function lookForAMinute(look = looks()) {
      for (const end = clock + 60_000; clock < end; clock += 1000) expect(await look()).toEqual([]);
      return look();
    }

    test('ends what a killed one began, and leaves the verdict that stands', async () => {
      const runId = await judgedRun(given.database, object);
      await command();
      await silence(90);
      expect(await lookForAMinute()).toEqual([{ runId, number: 2, outcome: 'error' }]);
      expect(await runOf(runId)).toMatchObject({
        status: 'error',
        error: 'the process that judged it has died',
        verdict: 'passed',
      });
    });

    test('ends it also where a later judgement has ended', async () => {
      await command('killed');
      const later = await command('later');
      if ('held' in later) await finishJudgement(given.database, later.held, PASSED);
      await silence(90);
      expect(await lookForAMinute()).toMatchObject([{ number: 1, outcome: 'error' }]);
    });

    test('leaves one that said within a minute that it works', async () => {
      await command();
      await silence(40);
      expect(await lookForAMinute()).toEqual([]);
    });

    test('leaves one that was silent as long as the database was away', async () => {
      const look = looks();
      await command();
      await silence(3600);
      clock = 3_600_000;
      expect(await look()).toEqual([]);
      clock += 1000;
      expect(await look()).toEqual([]);
      await silence(0);
      expect(await lookForAMinute(look)).toEqual([]);
    });
  });

  test('ends each attempt once, however many look', async () => {
    await inHand();
    const [one, other] = [looks(), looks()];
    for (clock = 1000; clock < 5000; clock += 1000) await Promise.all([one(), other()]);
    clock = 5000;
    expect((await Promise.all([one(), other()])).flat()).toHaveLength(1);
  });

  test('ends nothing before it has looked for as long as the silence lasts', async () => {
    await inHand();
    const look = looks();
    clock = 1000;
    expect(await look()).toEqual([]);
    // It was frozen, or the database was away: others may have been as well.
    clock = 60_000;
    expect(await look()).toEqual([]);
    for (clock = 61_000; clock < 65_000; clock += 1000) expect(await look()).toEqual([]);
    expect(await look()).toHaveLength(1);
  });
});

describe('a dead letter that no worker saw die', () => {
  /** Jobs in hand whose process dies. */
  async function lastAttempts(...keys: readonly string[]) {
    const runIds = await enqueueRuns(given.database, queue, ...keys);
    for (const runId of runIds) await leaveOneAttempt(given.database, runId);
    const jobs = await queue.fetch(runIds.length);
    const die = async (runId = '', transaction?: Transaction) => {
      const job = jobs.find((one) => one.runId === runId);
      if (job) await queue.fail(job, new Error('killed'), transaction);
    };
    return { runIds, die };
  }

  test.each(['begun', 'not begun'])('ends its judgement, %s, with the error', async (state) => {
    const { runIds, die } = await lastAttempts('a');
    const [runId = ''] = runIds;
    if (state === 'begun') await beginOf(given.database, runId);
    await die(runId);
    expect(await endDeadJudgements(given.database)).toEqual([{ runId, number: 1 }]);
    expect(await runOf(runId)).toMatchObject({ status: 'error', error: 'killed' });
  });

  test('is seen also where a younger one was seen before it', async () => {
    const { runIds, die } = await lastAttempts('late', 'early');
    const [late, early] = runIds;
    await given.database.transaction(async (transaction) => {
      await die(late, transaction);
      await die(early);
      expect(await endDeadJudgements(given.database)).toEqual([{ runId: early, number: 1 }]);
    });
    expect(await endDeadJudgements(given.database)).toEqual([{ runId: late, number: 1 }]);
  });

  test('is looked after once, and is a dead letter still', async () => {
    const { runIds, die } = await lastAttempts('a');
    await die(runIds[0]);
    await endDeadJudgements(given.database);
    expect(await endDeadJudgements(given.database)).toEqual([]);
    expect(await queue.deadLetters(10)).toHaveLength(1);
  });

  test('changes nothing about a verdict whose report it is of', async () => {
    const runId = await runWithoutReport('a');
    expect(await endDeadJudgements(given.database)).toEqual([]);
    expect(await runOf(runId)).toMatchObject({ status: 'finished', verdict: 'passed' });
  });
});

describe('what used up its attempts', () => {
  const list = async (filter: Parameters<typeof listDeadRuns>[1] = {}, limit = 50) =>
    (await listDeadRuns(given.database, filter, limit)).map(({ id }) => id);
  const count = () => countDeadRuns(given.database, {}, 100);
  const letters = async () => (await queue.deadLetters(100)).map(({ runId }) => runId);
  const retryDead = (...runIds: string[]) =>
    retryDeadRuns(given.database, queue, runIds, 'S3 is back');
  const discardDead = (...runIds: string[]) =>
    discardDeadRuns(given.database, queue, runIds, 'the sender was told');

  test('is listed with its last error, newest first, and counted', async () => {
    const [a, b] = await diedRuns('a', 'b');
    await judgedRun(given.database, { bucket: 'bucket', key: 'judged' });
    expect(await listDeadRuns(given.database, {}, 50)).toMatchObject([
      { id: b, key: 'b', status: 'error', verdict: null, error: 'S3 is unavailable' },
      { id: a, key: 'a' },
    ]);
    expect(await count()).toBe(2);
    expect(await countDeadRuns(given.database, {}, 1)).toBe(1);
  });

  test('is listed where only its report was not written', async () => {
    const runId = await runWithoutReport('k');
    expect(await listDeadRuns(given.database, {}, 50)).toMatchObject([
      { id: runId, status: 'finished', verdict: 'passed', error: 'AccessDenied', attempts: 1 },
    ]);
    expect(await count()).toBe(1);
  });

  test('is listed where a command ended in an error, without a dead letter', async () => {
    const held = await begin(given.database, { bucket: 'b', key: 'k' });
    await closeJudgement(given.database, held, 'error', 'interrupted');
    expect(await list()).toEqual([held.runId]);
  });

  test('is listed by when it was delivered, a page at a time', async () => {
    const [a, b, c] = await diedRuns('a', 'b', 'c');
    expect(await list({}, 2)).toEqual([c, b]);
    expect(await list({ after: b ?? '' })).toEqual([a]);
    await given.database('runs').where({ id: a }).update({ created_at: '2026-11-27T12:00:00Z' });
    const since = new Date('2026-11-27T00:00:00Z');
    expect(await list({ since, until: new Date('2026-11-28T00:00:00Z') })).toEqual([a]);
  });

  test('is listed no more once its error was deleted for its age', async () => {
    await diedRuns('a');
    await given.database('judgements').update({ error: null, details_deleted_at: new Date() });
    await given.database('file_processing_queue.job').delete();
    expect(await list()).toEqual([]);
  });

  test('is judged again by a retry, which says why, and is dead no more', async () => {
    const [a = '', b = ''] = await diedRuns('a', 'b');
    expect(await retryDead(a)).toStrictEqual({ judgements: 1, reports: 0 });
    expect(await list()).toEqual([b]);
    expect(await letters()).toEqual([b]);
    expect(await queue.fetch(5)).toMatchObject([{ runId: a, number: 2 }]);
    expect(await judgementsOf(given.database, a)).toMatchObject([
      { number: 1, status: 'error' },
      { number: 2, askedBy: 'operator', reason: 'S3 is back' },
    ]);
  });

  test('has its report written again by a retry, without another judgement', async () => {
    const runId = await runWithoutReport('k');
    expect(await retryDead(runId)).toStrictEqual({ judgements: 0, reports: 1 });
    expect(await list()).toEqual([]);
    expect(await letters()).toEqual([]);
    expect(await queue.fetch(5)).toMatchObject([{ runId, number: 1 }]);
    expect(await judgementsOf(given.database, runId)).toMatchObject([
      { number: 1, verdict: 'passed', settledReason: 'S3 is back' },
    ]);
  });

  test.each([
    ['another judgement', async () => (await diedRuns('k'))[0] ?? ''],
    ['another attempt at its report', () => runWithoutReport('k')],
  ])('gets %s once, however many ask for it at once', async (_what, arrange) => {
    const runId = await arrange();
    await Promise.all([retryDead(runId), retryDead(runId), retryDead(runId)]);
    await retryDead(runId);
    expect(await queue.fetch(5)).toHaveLength(1);
  });

  test('is retried also where no worker has seen the dead letter', async () => {
    const [runId = ''] = await enqueueRuns(given.database, queue, 'k');
    await leaveOneAttempt(given.database, runId);
    for (const job of await queue.fetch(1)) await queue.fail(job, new Error('S3 is unavailable'));
    expect(await retryDead(runId)).toStrictEqual({ judgements: 1, reports: 0 });
    expect(await judgementsOf(given.database, runId)).toMatchObject([
      { number: 1, status: 'error', error: 'S3 is unavailable' },
      { number: 2, status: 'queued' },
    ]);
  });

  test('is nothing that has its verdict and report: a retry leaves it alone', async () => {
    const runId = await judgedRun(given.database, { bucket: 'b', key: 'k' });
    expect(await retryDead(runId)).toStrictEqual({ judgements: 0, reports: 0 });
    expect(await discardDead(runId)).toBe(0);
    expect(await queue.fetch(5)).toEqual([]);
    expect(await judgementsOf(given.database, runId)).toMatchObject([{ settledAt: null }]);
  });

  test.each([
    ['its judgement', async () => (await diedRuns('k'))[0] ?? ''],
    ['its report', () => runWithoutReport('k')],
  ])('is discarded once, with the reason, where %s failed', async (_what, arrange) => {
    const runId = await arrange();
    expect(await discardDead(runId)).toBe(1);
    expect(await discardDead(runId)).toBe(0);
    expect(await list()).toEqual([]);
    expect(await letters()).toEqual([]);
    expect(await judgementsOf(given.database, runId)).toMatchObject([
      { number: 1, settledAt: expect.any(Date), settledReason: 'the sender was told' },
    ]);
  });

  test('can be retried after it was discarded', async () => {
    const [runId = ''] = await diedRuns('k');
    await discardDead(runId);
    expect(await retryDead(runId)).toStrictEqual({ judgements: 1, reports: 0 });
  });

  test('is listed again where a command that was discarded goes on and fails again', async () => {
    const own = { object: { bucket: 'b', key: 'k', eTag: 'e' }, invocation: 'pod' };
    const fail = async () => {
      const started = await startOwnJudgement(given.database, own);
      if ('ended' in started) throw new Error('it was judged before');
      await closeJudgement(given.database, started.held, 'error', 'S3 is unavailable');
      return started.held.runId;
    };
    const runId = await fail();
    await discardDead(runId);
    expect(await list()).toEqual([]);
    await fail();
    expect(await list()).toEqual([runId]);
  });

  test('is listed again where the retry fails too, and when it was discarded before', async () => {
    const [runId = ''] = await diedRuns('k');
    await discardDead(runId);
    await retryDead(runId);
    await leaveOneAttempt(given.database, runId);
    for (const job of await queue.fetch(1)) await queue.fail(job, new Error('again'));
    await failJudgements(given.database, [{ runId, number: 2, error: 'again' }]);
    expect(await list()).toEqual([runId]);
  });

  describe('and has another judgement since', () => {
    /** What `run` does. */
    async function judgeByHand(runId: string, end: 'finished' | 'gone' | 'error'): Promise<void> {
      const { bucket = '', key = '' } = (await runOf(runId)) ?? {};
      const [{ version_id: versionId }] = await given.database('runs').where({ id: runId });
      const object = { bucket, key, versionId };
      const started = await startOwnJudgement(given.database, { object, invocation: 'by hand' });
      if ('ended' in started) throw new Error('it was judged before');
      await (end === 'finished'
        ? finishJudgement(given.database, started.held, PASSED)
        : closeJudgement(given.database, started.held, end, 'gone'));
    }

    async function diedVersion(key: string): Promise<string> {
      const [runId = ''] = await diedRuns(key);
      await given
        .database('runs')
        .where({ id: runId })
        .update({ identity: `version ${key}`, version_id: key });
      return runId;
    }

    test.each(['finished', 'gone'] as const)('is settled once that is %s', async (end) => {
      const judged = await diedVersion('judged');
      const other = await diedVersion('other');
      expect(await settleOvertaken(given.database, queue)).toBe(0);
      await judgeByHand(judged, end);
      expect(await settleOvertaken(given.database, queue)).toBe(1);
      expect(await letters()).toEqual([other]);
      expect(await list()).toEqual([other]);
    });

    test('ends its judgement where no worker has seen it die', async () => {
      const runId = await diedVersion('k');
      const unseen = { status: 'queued', finished_at: null, error: null };
      await given.database('judgements').where({ run_id: runId, number: 1 }).update(unseen);
      await judgeByHand(runId, 'finished');
      expect(await settleOvertaken(given.database, queue)).toBe(1);
      expect(await judgementsOf(given.database, runId)).toMatchObject([
        { status: 'error', error: 'S3 is unavailable' },
        { status: 'finished' },
      ]);
    });

    test('stays where that ended in an error, too', async () => {
      const runId = await diedVersion('k');
      await judgeByHand(runId, 'error');
      expect(await settleOvertaken(given.database, queue)).toBe(0);
      expect(await list()).toEqual([runId]);
    });
  });

  test('is settled by a retry of its run in any other way', async () => {
    const [runId = ''] = await diedRuns('k');
    await retryRuns(given.database, queue, [runId], { askedBy: 'operator' });
    expect(await list()).toEqual([]);
  });
});
