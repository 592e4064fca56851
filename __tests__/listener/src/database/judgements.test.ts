import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  closeJudgement,
  failJudgements,
  findJudgement,
  finishJudgement,
  heartbeat,
  judgementsOf,
  noteFailure,
  noteReport,
  requestJudgements,
  startJudgement,
  startOwnJudgement,
} from '../../../../listener/src/database/judgements.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, forgetRuns, judgedRun, openRun, PASSED } from '../../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(() => forgetRuns(given.database));

const OBJECT = { bucket: 'b', key: 'k', eTag: 'e', sizeBytes: 7 };
const FAILED = { ...PASSED, verdict: 'failed', report: { verdict: 'failed' } } as const;

const request = (runIds: readonly string[], reason?: string) =>
  given.database.transaction((transaction) =>
    requestJudgements(transaction, runIds, {
      askedBy: 'operator',
      ...(reason === undefined ? {} : { reason }),
    }),
  );

/** Another judgement of a run, in hand. */
async function beginAnother(runId: string) {
  const [requested] = await request([runId]);
  return beginOf(given.database, runId, requested?.number);
}

test('a judgement that is to be made once for a reason is not asked for again by somebody who waited meanwhile', async () => {
  const runId = await judgedRun(given.database, OBJECT);
  const once = { askedBy: 'rule_change', reason: 'rule 2 is mended', onlyOnce: true } as const;
  const other = await given.database.transaction(async (transaction) => {
    const [asked] = await requestJudgements(transaction, [runId], once);
    const waiting = given.database.transaction((another) =>
      requestJudgements(another, [runId], once),
    );
    await eventually(async () => {
      const { rows } = await given.database.raw(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    });
    await failJudgements(transaction, [{ runId, number: asked?.number ?? 0, error: 'ended' }]);
    return { waiting };
  });
  expect(await other.waiting).toEqual([]);
  expect(await judgementsOf(given.database, runId)).toHaveLength(2);
});

test('the judgement of a message is begun with what its event said', async () => {
  expect(await begin(given.database, OBJECT)).toMatchObject({
    number: 1,
    attempts: 1,
    object: OBJECT,
    messageId: null,
  });
});

test('an attempt is counted, also one after a process that died', async () => {
  const { runId } = await begin(given.database, OBJECT);
  expect(await beginOf(given.database, runId)).toMatchObject({ attempts: 2 });
});

test('an attempt begins with the revision of the rules of that moment', async () => {
  const { runId, ruleRevision } = await begin(given.database, OBJECT);
  expect(ruleRevision).toEqual(expect.any(String));
  await given.database.raw('UPDATE file_processing.mappings SET name = name');
  const { ruleRevision: next } = await beginOf(given.database, runId);
  expect(next).toEqual(expect.any(String));
  expect(next).not.toBe(ruleRevision);
});

/** How many statements some work sends. */
async function statementsOf(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const onQuery = () => {
    count += 1;
  };
  given.database.on('query', onQuery);
  await work().finally(() => given.database.off('query', onQuery));
  return count;
}

const KEYS = ['a', 'b', 'c', 'd', 'e'];
const beginAll = () =>
  Promise.all(KEYS.map((key) => begin(given.database, { bucket: 'b', key, eTag: 'e' })));

test('judgements that are begun and ended at once share a statement', async () => {
  const runIds = await Promise.all(
    KEYS.map((key) => openRun(given.database, { bucket: 'b', key, eTag: 'e' })),
  );
  expect(
    await statementsOf(async () => {
      const all = await Promise.all(runIds.map((runId) => beginOf(given.database, runId)));
      expect(all.map(({ runId, object }) => [runId, object.key])).toEqual(
        runIds.map((runId, index) => [runId, KEYS[index]]),
      );
      const verdicts = all.map((held, index) =>
        finishJudgement(given.database, held, index === 1 ? FAILED : PASSED),
      );
      expect(await Promise.all(verdicts)).toEqual([true, true, true, true, true]);
    }),
  ).toBe(2);
  const ended = await Promise.all(runIds.map((runId) => findRun(given.database, runId)));
  expect(ended.map((run) => run?.verdict)).toEqual([
    ...['passed', 'failed', 'passed', 'passed', 'passed'],
  ]);
});

test('one attempt that was lost, and one that is refused, are nothing to those that end beside them', async () => {
  const [lost, refused, ...others] = await beginAll();
  if (lost === undefined || refused === undefined) throw new Error('there are none');
  await beginOf(given.database, lost.runId);
  const settled = await Promise.allSettled([
    finishJudgement(given.database, lost, PASSED),
    finishJudgement(given.database, refused, { ...PASSED, rowCount: -1 }),
    ...others.map((held) => finishJudgement(given.database, held, PASSED)),
  ]);
  expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : one.status))).toEqual([
    ...[false, 'rejected', true, true, true],
  ]);
  expect(await findRun(given.database, refused.runId)).toMatchObject({ verdict: null });
});

test('two jobs of one judgement at once begin two attempts', async () => {
  const runId = await openRun(given.database, OBJECT);
  const both = await Promise.all([beginOf(given.database, runId), beginOf(given.database, runId)]);
  expect(both.map(({ attempts }) => attempts).sort()).toEqual([1, 2]);
});

test('two judgements of one run that end at once both count', async () => {
  const runId = await judgedRun(given.database, OBJECT);
  const first = await beginAnother(runId);
  const { held: second } = (await startOwnJudgement(given.database, {
    object: OBJECT,
    invocation: 'i',
  })) as { held: typeof first };
  expect(
    await Promise.all([
      finishJudgement(given.database, second, FAILED),
      finishJudgement(given.database, first, PASSED),
    ]),
  ).toEqual([true, true]);
  expect(await findRun(given.database, runId)).toMatchObject({
    ...{ verdict: 'failed', verdictNumber: second.number, status: 'finished' },
  });
});

test('a number that nobody gave out is not begun', async () => {
  const runId = await openRun(given.database, OBJECT);
  expect(await startJudgement(given.database, { runId, number: 2 })).toBeUndefined();
});

test('a verdict is recorded with counts and report', async () => {
  const held = await begin(given.database, OBJECT);
  expect(await finishJudgement(given.database, held, PASSED)).toBe(true);
  expect(await findRun(given.database, held.runId)).toMatchObject({
    status: 'finished',
    verdict: 'passed',
    verdictNumber: 1,
    rowCount: 3,
    faultCount: 0,
    report: { verdict: 'passed' },
    finishedAt: expect.any(Date),
  });
});

test('a report may hold what a broken file holds', async () => {
  const report = { value: 'a\0b\ud800' };
  const runId = await judgedRun(given.database, OBJECT, { report });
  expect((await findRun(given.database, runId))?.report).toStrictEqual({ value: 'a␀b\ufffd' });
});

test('a judgement that has ended is not begun by a job that comes twice', async () => {
  const runId = await judgedRun(given.database, OBJECT);
  expect(await startJudgement(given.database, { runId, number: 1 })).toBeUndefined();
});

test('a verdict stands while another judgement waits, and while it is in hand', async () => {
  const runId = await judgedRun(given.database, OBJECT);
  await request([runId]);
  const standing = { verdict: 'passed', verdictNumber: 1, rowCount: 3, report: PASSED.report };
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'queued', ...standing });
  await beginOf(given.database, runId, 2);
  expect(await findRun(given.database, runId)).toMatchObject({ status: 'running', ...standing });
});

test('the verdict of a later judgement takes the place of the earlier one, which is kept', async () => {
  const runId = await judgedRun(given.database, OBJECT);
  await finishJudgement(given.database, await beginAnother(runId), FAILED);
  expect(await findRun(given.database, runId)).toMatchObject({
    verdict: 'failed',
    verdictNumber: 2,
  });
  expect(await judgementsOf(given.database, runId)).toMatchObject([
    { number: 1, verdict: 'passed' },
    { number: 2, verdict: 'failed', askedBy: 'operator' },
  ]);
});

test('the judgement with the highest number counts, in whatever order they end', async () => {
  const first = await begin(given.database, OBJECT);
  const second = await startOwnJudgement(given.database, { object: OBJECT, invocation: 'cli' });
  if (!('held' in second)) throw new Error('it was not begun');
  await finishJudgement(given.database, second.held, FAILED);
  await finishJudgement(given.database, first, PASSED);
  expect(await findRun(given.database, first.runId)).toMatchObject({
    verdict: 'failed',
    verdictNumber: 2,
    status: 'finished',
  });
});

test('a verdict of a lower number counts where the highest has none', async () => {
  const first = await begin(given.database, OBJECT);
  const second = await startOwnJudgement(given.database, { object: OBJECT, invocation: 'cli' });
  if (!('held' in second)) throw new Error('it was not begun');
  await closeJudgement(given.database, second.held, 'error', 'access denied');
  await finishJudgement(given.database, first, PASSED);
  expect(await findRun(given.database, first.runId)).toMatchObject({
    verdict: 'passed',
    verdictNumber: 1,
    status: 'error',
    error: 'access denied',
  });
});

test.each(['gone', 'replaced', 'error'] as const)(
  'a judgement that ends %s says what was tried last and leaves the verdict',
  async (status) => {
    const runId = await judgedRun(given.database, OBJECT);
    await closeJudgement(given.database, await beginAnother(runId), status, 'no such key');
    expect(await findRun(given.database, runId)).toMatchObject({
      status,
      error: 'no such key',
      verdict: 'passed',
      verdictNumber: 1,
      rowCount: 3,
      report: PASSED.report,
    });
  },
);

test('who lost a judgement to another attempt can neither finish, close nor put it back', async () => {
  const lost = await begin(given.database, OBJECT);
  const held = await beginOf(given.database, lost.runId);
  expect(await finishJudgement(given.database, lost, FAILED)).toBe(false);
  expect(await closeJudgement(given.database, lost, 'gone', 'x')).toBe(false);
  expect(await noteFailure(given.database, lost, 'x')).toBe(false);
  expect(await findRun(given.database, lost.runId)).toMatchObject({ status: 'running' });
  expect(await finishJudgement(given.database, held, PASSED)).toBe(true);
});

test('a verdict on a judgement that has ended otherwise is not recorded', async () => {
  const held = await begin(given.database, OBJECT);
  await closeJudgement(given.database, held, 'gone', 'no such key');
  expect(await finishJudgement(given.database, held, PASSED)).toBe(false);
});

test('a failed attempt puts its judgement back and says why', async () => {
  const held = await begin(given.database, OBJECT);
  expect(await noteFailure(given.database, held, 'S3 is unavailable')).toBe(true);
  expect(await findRun(given.database, held.runId)).toMatchObject({
    status: 'queued',
    error: 'S3 is unavailable',
  });
});

test('only judgements that have not ended fail for good', async () => {
  const finished = await judgedRun(given.database, OBJECT);
  const waiting = await openRun(given.database, { ...OBJECT, key: '2' });
  const failures = [finished, waiting].map((runId) => ({ runId, number: 1, error: '' }));
  expect(await failJudgements(given.database, [...failures, ...failures])).toEqual([
    { runId: waiting, number: 1 },
  ]);
  expect(await findRun(given.database, finished)).toMatchObject({ status: 'finished' });
  expect(await findRun(given.database, waiting)).toMatchObject({
    status: 'error',
    error: 'no reason given',
  });
});

test('a dead letter of an earlier judgement does not touch the later one', async () => {
  const held = await begin(given.database, OBJECT);
  await failJudgements(given.database, [{ ...held, error: 'dead' }]);
  const again = await beginAnother(held.runId);
  await failJudgements(given.database, [{ ...held, error: 'dead' }]);
  expect(await finishJudgement(given.database, again, PASSED)).toBe(true);
});

test('a run that waits is not asked for a second time', async () => {
  const runId = await openRun(given.database, OBJECT);
  expect(await request([runId])).toEqual([]);
});

test('a judgement that was asked for knows who asked and why', async () => {
  const runId = await judgedRun(given.database, OBJECT);
  expect(await request([runId], 'the mapping was wrong')).toEqual([
    { runId, number: 2, jobId: expect.any(String) },
  ]);
  expect(await findJudgement(given.database, { runId, number: 2 })).toMatchObject({
    askedBy: 'operator',
    reason: 'the mapping was wrong',
    status: 'queued',
  });
});

test('the key of a report is noted once', async () => {
  const runId = await judgedRun(given.database, OBJECT);
  const reference = { runId, number: 1 };
  expect(await noteReport(given.database, reference, 'reports/1.json')).toBe(true);
  expect(await noteReport(given.database, reference, 'reports/2.json')).toBe(false);
  expect(await findRun(given.database, runId)).toMatchObject({ reportKey: 'reports/1.json' });
});

test('a judgement without a verdict has no report to note', async () => {
  const held = await begin(given.database, OBJECT);
  await closeJudgement(given.database, held, 'gone', 'no such key');
  expect(await noteReport(given.database, held, 'reports/k.json')).toBe(false);
});

test('a heartbeat is that of who holds the judgement', async () => {
  const lost = await begin(given.database, OBJECT);
  await beginOf(given.database, lost.runId);
  const { judgements } = { judgements: 'judgements' };
  await given.database(judgements).update({ heartbeat_at: new Date(0) });
  await heartbeat(given.database, [lost]);
  expect(await given.database(judgements).pluck('heartbeat_at')).toEqual([new Date(0)]);
  await heartbeat(given.database, [{ ...lost, attempts: 2 }]);
  expect(await given.database(judgements).pluck('heartbeat_at')).not.toEqual([new Date(0)]);
});

test('a heartbeat says how far the judgement has come, and the next attempt begins anew', async () => {
  const held = await begin(given.database, OBJECT);
  await heartbeat(given.database, [{ ...held, progress: { bytes: 5e9, rows: 7 } }]);
  const progress = () => given.database('judgements').first('progress_bytes', 'progress_rows');
  expect(await progress()).toEqual({ progress_bytes: 5e9, progress_rows: 7 });
  await beginOf(given.database, held.runId);
  expect(await progress()).toEqual({ progress_bytes: null, progress_rows: null });
});

const own = (object: Parameters<typeof startOwnJudgement>[1]['object'], invocation: string) =>
  startOwnJudgement(given.database, { object, invocation, reason: 'by hand' });

test('a judgement of a command makes the run of an object that nobody told of', async () => {
  const started = await own(OBJECT, 'one');
  expect(started).toMatchObject({ held: { number: 1, attempts: 1 } });
});

test('another command judges the same object anew', async () => {
  const first = await own(OBJECT, 'one');
  if ('held' in first) await finishJudgement(given.database, first.held, PASSED);
  const second = await own(OBJECT, 'two');
  expect(second).toMatchObject({ held: { number: 2 } });
});

test('a pod that is started anew goes on with the judgement of the one before it', async () => {
  const first = await own(OBJECT, 'job');
  expect(await own(OBJECT, 'job')).toMatchObject({ held: { number: 1, attempts: 2 } });
  if ('held' in first) {
    expect(await finishJudgement(given.database, first.held, PASSED)).toBe(false);
  }
});

test('a pod whose predecessor recorded an error tries again', async () => {
  const first = await own(OBJECT, 'job');
  if ('held' in first) await closeJudgement(given.database, first.held, 'error', 'x');
  expect(await own(OBJECT, 'job')).toMatchObject({ held: { number: 1, attempts: 2 } });
});

test('a pod whose predecessor recorded the verdict has nothing to do', async () => {
  const first = await own(OBJECT, 'job');
  if ('held' in first) await finishJudgement(given.database, first.held, PASSED);
  expect(await own(OBJECT, 'job')).toMatchObject({ ended: { number: 1 } });
});

describe('a command whose event tells of an object that a listing found', () => {
  const EVENT = { ...OBJECT, sequencer: 'A1', eventTime: '2026-11-24T10:00:05Z' };
  /** A run as a listing makes it. */
  const list = async (lastModified = '2026-11-24T10:00:00Z') => {
    const { runs } = tablesOf(given.database);
    const [{ id }] = await given
      .database(runs)
      .insert({
        ...{ bucket: 'b', key: 'k', e_tag: 'e', last_modified: lastModified },
        identity: `listed e ${lastModified}`,
      })
      .returning('id');
    return id as string;
  };
  const runOf = async (invocation = 'one') => {
    const started = await own(EVENT, invocation);
    return 'held' in started ? started.held.runId : started.ended.runId;
  };

  test('judges the run of the listing, which takes over what the event says', async () => {
    const listed = await list();
    expect(await runOf()).toBe(listed);
    expect(await findRun(given.database, listed)).toMatchObject({
      ...{ sequencer: 'A1', eventTime: new Date(EVENT.eventTime) },
    });
    expect(await runOf('two')).toBe(listed);
  });

  test('makes a run of its own for the same bytes at another time', async () => {
    const listed = await list('2026-11-24T09:00:00Z');
    expect(await runOf()).not.toBe(listed);
  });

  test('leaves the listing alone where the event has its run already', async () => {
    const before = await runOf();
    const listed = await list();
    expect(await runOf('two')).toBe(before);
    expect(await findRun(given.database, listed)).toMatchObject({ sequencer: null });
  });
});

test('an object without identity is another one for each command, and one for a Job', async () => {
  const bare = { bucket: 'b', key: 'k' };
  const idOf = async (invocation: string) => {
    const started = await own(bare, invocation);
    return 'held' in started ? started.held.runId : started.ended.runId;
  };
  const first = await idOf('one');
  expect(await idOf('one')).toBe(first);
  expect(await idOf('two')).not.toBe(first);
});
