import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BACKLOG_DAYS, backlogOf, COUNTED_TO } from '../../../../listener/src/database/backlog.ts';
import {
  closeJudgement,
  failJudgements,
  finishJudgement,
  noteReport,
  requestJudgements,
} from '../../../../listener/src/database/judgements.ts';
import { countRuns } from '../../../../listener/src/database/runs.ts';
import { retryRuns } from '../../../../listener/src/queue/dead-letters.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, emptyTables, type TestDatabase } from '../../support/postgres.ts';
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
  await given.database('mappings').insert({ name: 'm', version: 1, table_schema: {} });
  await given.database('monitoring_files').insert({
    ...{ client: 'c', bucket: 'b', key_pattern: '*', mapping_name: 'm', mapping_version: 1 },
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

const backlog = (writesReports = true) => backlogOf(given.database, { writesReports });

const NOTHING = {
  deadLetters: 0,
  deadMessages: 0,
  deadNotices: 0,
  waitingNotices: 0,
  oldestNoticeSeconds: 0,
  lastListing: undefined,
  foundByListing: undefined,
  missingReports: 0,
  unmonitoredFiles: 0,
  lateDeliveries: 0,
  missingDeliveries: 0,
  monthsAheadSeconds: expect.any(Number),
  oldestWaitingSeconds: 0,
};

const ago = (seconds: number) => given.database.raw('now() - make_interval(secs => ?)', [seconds]);
const DAY = 86_400;

const object = { bucket: 'b', key: 'k' };
const monitored = { monitoringFileId: 1, mappingName: 'm', mappingVersion: 1 };

/** A verdict with a mapping, as old as that. @returns its run */
async function judged(secondsAgo: number): Promise<string> {
  const [{ id }] = await given.database('monitoring_files').select('id');
  const runId = await judgedRun(given.database, object, {
    monitored: { ...monitored, monitoringFileId: id },
  });
  await given.database('judgements').update({ finished_at: ago(secondsAgo) });
  return runId;
}

async function again(runId: string) {
  await given.database.transaction((transaction) =>
    requestJudgements(transaction, [runId], { askedBy: 'operator' }),
  );
  return beginOf(given.database, runId, 2);
}

test('an empty database has nothing that waits for somebody', async () => {
  expect(await backlog()).toEqual(NOTHING);
});

test('a job whose attempts are used up is counted until it is retried', async () => {
  const [runId = ''] = await enqueueRuns(given.database, queue, 'a', 'b');
  expect(await backlog()).toMatchObject({ deadLetters: 0 });
  await leaveOneAttempt(given.database, runId);
  const [job] = await queue.fetch(1);
  if (job === undefined) throw new Error('there is no job');
  await queue.fail(job, new Error('no'));
  await failJudgements(given.database, [{ runId, number: 1, error: 'no' }]);
  expect(await backlog()).toMatchObject({ deadLetters: 1 });
  await retryRuns(given.database, queue, [runId], { askedBy: 'operator' });
  expect(await backlog()).toMatchObject({ deadLetters: 0 });
});

describe('dead messages', () => {
  const message = (message_id: string, outcome: string, columns: object = {}) =>
    given.database('sns_messages').insert({
      ...{ message_id, outcome, topic_arn: 't', type: 'Notification', reason: 'r' },
      ...{ message: '', signed_at: new Date(), ...columns },
    });

  test('are counted until an operator has settled them', async () => {
    await message('a', 'dead');
    await message('b', 'dead', { settled_at: new Date(), settled_reason: 'a test' });
    await message('c', 'ignored');
    expect(await backlog()).toEqual({ ...NOTHING, deadMessages: 1 });
  });

  test('are counted no further than a limit', async () => {
    await given.database.raw(
      `INSERT INTO sns_messages (message_id, outcome, topic_arn, type, reason, message, signed_at)
       SELECT i, 'dead', 't', 'Notification', 'r', '', now() FROM generate_series(1, ?) AS i`,
      [COUNTED_TO + 1],
    );
    expect(await backlog()).toMatchObject({ deadMessages: COUNTED_TO });
  });
});

describe('a verdict without its report in the bucket', () => {
  test('is counted once the attempts to write it are over', async () => {
    const runId = await judged(29 * 60);
    expect(await backlog()).toEqual(NOTHING);
    await given.database('judgements').update({ finished_at: ago(31 * 60) });
    expect(await backlog()).toEqual({ ...NOTHING, missingReports: 1 });
    await noteReport(given.database, { runId, number: 1 }, 'reports/k.json');
    expect(await backlog()).toEqual(NOTHING);
  });

  test('is not a figure where no reports are written', async () => {
    await judged(31 * 60);
    expect(await backlog(false)).toEqual({ ...NOTHING, missingReports: undefined });
  });

  test('is not counted once another judgement has the verdict', async () => {
    const runId = await judged(31 * 60);
    const held = await again(runId);
    await finishJudgement(given.database, held, { ...PASSED, monitored });
    expect(await backlog()).toMatchObject({ missingReports: 0 });
  });

  test('is still counted where a later judgement has no verdict', async () => {
    const runId = await judged(31 * 60);
    await closeJudgement(given.database, await again(runId), 'gone', 'no such key');
    expect(await backlog()).toMatchObject({ missingReports: 1 });
  });

  test('is not counted for ever', async () => {
    await judged((BACKLOG_DAYS + 1) * DAY);
    expect(await backlog()).toEqual(NOTHING);
  });
});

describe('an unmonitored file', () => {
  test('is counted until a mapping has judged it', async () => {
    const runId = await judgedRun(given.database, object);
    await noteReport(given.database, { runId, number: 1 }, 'reports/k.json');
    expect(await backlog()).toEqual({ ...NOTHING, unmonitoredFiles: 1 });
    await finishJudgement(given.database, await again(runId), { ...PASSED, monitored });
    expect(await backlog()).toMatchObject({ unmonitoredFiles: 0 });
  });

  test('is not counted for ever', async () => {
    await judgedRun(given.database, object);
    await given.database('runs').update({ created_at: ago((BACKLOG_DAYS + 1) * DAY) });
    expect(await backlog()).toMatchObject({ unmonitoredFiles: 0 });
  });

  test('is counted by the day on which it came, as a list of runs selects it', async () => {
    await judgedRun(given.database, object);
    await given.database('judgements').update({ finished_at: ago((BACKLOG_DAYS + 1) * DAY) });
    const since = new Date(Date.now() - BACKLOG_DAYS * DAY * 1000);
    const listed = await countRuns(given.database, { unmonitored: true, since });
    expect([listed, (await backlog()).unmonitoredFiles]).toEqual([1, 1]);
  });
});

describe('the age of the oldest judgement that has not ended', () => {
  const age = async () => (await backlog()).oldestWaitingSeconds;
  const older = (seconds: number) =>
    given.database('runs').update({ created_at: ago(seconds), message_id: 'm' });
  /** And what has passed since. */
  async function expectAMinute() {
    const seconds = await age();
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(3_600);
  }

  test('is that of a run that a message has made', async () => {
    await openRun(given.database, object, 'm');
    await older(60);
    await expectAMinute();
  });

  test('is counted on while it is in hand', async () => {
    await begin(given.database, object);
    await older(60);
    await expectAMinute();
  });

  test('is nothing once it has ended, however it did', async () => {
    await judgedRun(given.database, object);
    const held = await begin(given.database, { bucket: 'b', key: 'other' });
    await closeJudgement(given.database, held, 'error', 'no');
    await older(60);
    expect(await age()).toBe(0);
  });

  test('counts from when a judgement was asked for again, not from its run', async () => {
    const runId = await judgedRun(given.database, object);
    await older(500 * DAY);
    await given.database.transaction((transaction) =>
      requestJudgements(transaction, [runId], { askedBy: 'operator' }),
    );
    await given
      .database('judgements')
      .where({ number: 2 })
      .update({ created_at: ago(60) });
    await expectAMinute();
  });

  test.each(['backfill', 'rule_change'] as const)('leaves those of a %s out', async (askedBy) => {
    const runId = await judgedRun(given.database, object);
    await given.database.transaction((transaction) =>
      requestJudgements(transaction, [runId], { askedBy }),
    );
    await given
      .database('judgements')
      .where({ number: 2 })
      .update({ created_at: ago(60) });
    expect(await age()).toBe(0);
  });

  test('leaves out a run that no message has told of', async () => {
    await openRun(given.database, object);
    await given.database('runs').update({ created_at: ago(60) });
    expect(await age()).toBe(0);
  });
});

test('the figures are read by indexes, and next to nothing of tables full of what went well', async () => {
  const seen: string[] = [];
  const spy = (query: { sql: string }) => seen.push(query.sql);
  given.database.on('query', spy);
  await backlog();
  given.database.off('query', spy);
  await given.database.raw(`
    INSERT INTO runs (bucket, key, identity, message_id, status, verdict, verdict_number, verdict_at)
    SELECT 'b', i::text, 'etag', 'm', 'finished', 'passed', 1, now() FROM generate_series(1, 20000) AS i;
    INSERT INTO judgements (run_id, number, asked_by, status, verdict, row_count, byte_count,
      fault_count, report, report_key, mapping_name, mapping_version, attempts, started_at, finished_at)
    SELECT id, 1, 'message', 'finished', 'passed', 1, 1, 0, '{}', 'r', 'm', 1, 1, now(),
      now() - interval '1 day'
    FROM runs;
    INSERT INTO sns_messages (message_id, outcome, topic_arn, type, message, signed_at)
    SELECT i, 'accepted', 't', 'Notification', '', now() FROM generate_series(1, 20000) AS i;
    -- A listing's runs, which wait.
    INSERT INTO runs (bucket, key, identity, created_at)
    SELECT 'b', i::text, 'listed', now() - interval '1 day' FROM generate_series(1, 20000) AS i;
  `);
  for (const table of ['runs', 'judgements', 'sns_messages']) {
    await given.database.raw(`VACUUM ANALYZE ${table}`);
  }
  const { rows } = await given.database.raw(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${seen[0]}`);
  const [{ Plan: plan }] = rows[0]['QUERY PLAN'];
  expect(JSON.stringify(plan)).not.toContain('Seq Scan');
  const pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  // Of the catalog, which says which months there are, about 50.
  expect(pages).toBeLessThan(150);
});

describe('deliveries', () => {
  const period = (days: number, state: string) => ({
    ...{ client: 'c', name: '2026', time_zone: 'UTC', state },
    monitoring_file_id: given.database('monitoring_files').select('id').limit(1),
    ...{ starts_at: ago((days + 4) * DAY), ends_at: ago((days + 3) * DAY) },
    ...{ opens_at: ago((days + 3) * DAY), due_at: ago((days + 2) * DAY) },
    ...{ missing_at: ago((days + 1) * DAY), closes_at: ago(days * DAY) },
  });
  beforeEach(async () => {
    await emptyTables(given.database, 'period_changes', 'periods', 'period_schedules');
    const [{ id }] = await given.database('monitoring_files').select('id');
    const now = new Date();
    await given
      .database('period_schedules')
      .insert({ monitoring_file_id: id, schedule: '{}', since: now, next_at: now });
  });

  test('are late until they come or are missing', async () => {
    await given.database('periods').insert(period(20, 'late'));
    expect(await backlog()).toEqual({ ...NOTHING, lateDeliveries: 1 });
  });

  test.each([
    ['is expected soon', -3, 1],
    [`was expected ${BACKLOG_DAYS - 1} days ago`, BACKLOG_DAYS - 1, 1],
    [`was expected ${BACKLOG_DAYS + 1} days ago`, BACKLOG_DAYS + 1, 0],
  ])('are missing while the next one %s', async (_when, days, count) => {
    await given.database('periods').insert(period(days, 'missing'));
    expect(await backlog()).toEqual({ ...NOTHING, missingDeliveries: count });
  });

  test("of a file that has no schedule any more are nobody's business", async () => {
    await given.database('periods').insert(period(0, 'late'));
    await given.database('period_schedules').delete();
    expect(await backlog()).toEqual(NOTHING);
  });
});
