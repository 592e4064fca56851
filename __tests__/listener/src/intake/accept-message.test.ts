import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ObjectReference, S3Event } from '@file-processing/contract/s3-event.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../../listener/src/database/connection.ts';
import { finishJudgement } from '../../../../listener/src/database/judgements.ts';
import { askForListed } from '../../../../listener/src/database/listed-objects.ts';
import { findRun, listRuns } from '../../../../listener/src/database/runs.ts';
import { findMessage } from '../../../../listener/src/database/sns-messages.ts';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import {
  type Acceptance,
  type AcceptMessage,
  openIntake,
  withinDeadline,
} from '../../../../listener/src/intake/accept-message.ts';
import { type ClientsOf, openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, emptyTables, type TestDatabase } from '../../support/postgres.ts';
import { beginOf, PASSED } from '../../support/runs.ts';

const ACCEPT_SCRIPT = fileURLToPath(new URL('../../support/accept-process.ts', import.meta.url));

let given: TestDatabase;
let queue: Queue;
let accept: AcceptMessage;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
  accept = openIntake({ database: given.database });
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await emptyTables(given.database, 'judgements', 'runs', 'sns_messages');
  await given.database('file_processing_queue.job').delete();
});

const envelope = (messageId: string = randomUUID()) => ({
  messageId,
  topicArn: 'topic',
  timestamp: new Date('2026-11-24T10:00:00Z'),
  subject: 'Amazon S3 Notification',
  message: '{"Records":[]}',
});
const object = (key: string, sequencer = '1') => ({
  bucket: 'b',
  key,
  eTag: 'e',
  sequencer,
  eventName: 'ObjectCreated:Put',
});
const objects = (...list: ObjectReference[]): S3Event => ({
  kind: 'objects',
  objects: list,
  ignored: [],
});

async function jobs(): Promise<string[]> {
  const rows = await given.database('file_processing_queue.job').pluck<{ runId: string }[]>('data');
  return rows.map(({ runId }) => runId).sort();
}

test("each new judgement has its client's place in the queue, one that is known already has none", async () => {
  const clientsOf: ClientsOf = async (all) => all.map(({ key }) => key.split('/')[0] ?? '');
  const sharing = openIntake({ database: given.database, clientsOf });
  await sharing(envelope(), objects(object('a/1'), object('a/2'), object('b/1')));
  await sharing(envelope(), objects(object('a/1'), object('a/3'), object('b/2')));
  const { rows } = await given.database.raw(
    `SELECT split_part(key, '/', 1) AS client, count(DISTINCT priority) FILTER (WHERE priority > 0) AS places
     FROM runs JOIN file_processing_queue.job ON job.id = runs.id GROUP BY client ORDER BY client`,
  );
  expect(rows).toEqual([
    { client: 'a', places: 3 },
    { client: 'b', places: 2 },
  ]);
});

test('a new message makes a run and a job for each object', async () => {
  const result = await accept(envelope('m'), objects(object('k1'), object('k2')));
  expect(result).toStrictEqual({
    outcome: 'accepted',
    runIds: [expect.any(String), expect.any(String)],
  });
  const runs = await listRuns(given.database);
  expect(runs.map(({ id, messageId, key }) => ({ id, messageId, key }))).toStrictEqual(
    expect.arrayContaining([
      { id: expect.any(String), messageId: 'm', key: 'k1' },
      { id: expect.any(String), messageId: 'm', key: 'k2' },
    ]),
  );
  expect(await jobs()).toEqual(result.runIds.toSorted());
});

test('the message is kept as it came', async () => {
  await accept(envelope('m'), objects(object('k')));
  expect(await findMessage(given.database, 'm')).toMatchObject({
    type: 'Notification',
    outcome: 'accepted',
    reason: null,
    subject: 'Amazon S3 Notification',
    message: '{"Records":[]}',
    signedAt: new Date('2026-11-24T10:00:00Z'),
  });
});

test('a message that came before does nothing', async () => {
  await accept(envelope('m'), objects(object('k')));
  expect(await accept(envelope('m'), objects(object('other')))).toStrictEqual({
    outcome: 'duplicate',
    runIds: [],
  });
  expect(await listRuns(given.database)).toHaveLength(1);
});

test('the same object named by another message makes no second run', async () => {
  await accept(envelope('m1'), objects(object('k')));
  expect(await accept(envelope('m2'), objects(object('k')))).toStrictEqual({
    outcome: 'known',
    runIds: [],
  });
  expect(await jobs()).toHaveLength(1);
});

test('a version is one run, whatever the sequencer of its events', async () => {
  const version = (sequencer: string) => ({ ...object('k', sequencer), versionId: 'v1' });
  await accept(envelope('m1'), objects(version('1')));
  expect((await accept(envelope('m2'), objects(version('2')))).outcome).toBe('known');
});

describe('an object that a listing found before', () => {
  const MODIFIED = new Date('2026-11-24T10:00:00Z');
  const seconds = (count: number) => new Date(MODIFIED.getTime() + count * 1000).toISOString();
  const told = (sequencer: string, distance = 0) => ({
    ...object('k', sequencer),
    eventTime: seconds(distance),
  });
  const list = async (lastModified = MODIFIED, eTag = 'e') => {
    const listed = { bucket: 'b', key: 'k', eTag, sizeBytes: 1, lastModified };
    await askForListed(given.database, queue, [listed], { dryRun: false });
  };
  const identities = async () =>
    await given.database(tablesOf(given.database).runs).orderBy('identity').pluck('identity');

  test('has one run: that of the listing takes over what the event says', async () => {
    await list();
    const [listed] = await listRuns(given.database);
    expect(await accept(envelope('m'), objects(told('7')))).toEqual({
      ...{ outcome: 'known', runIds: [] },
    });
    expect(await listRuns(given.database)).toMatchObject([
      {
        ...{ id: listed?.id, sequencer: '7', messageId: 'm', eventName: 'ObjectCreated:Put' },
        eventTime: MODIFIED,
      },
    ]);
    expect(await jobs()).toEqual([listed?.id]);
  });

  test('keeps its verdict', async () => {
    await list();
    const [listed] = await listRuns(given.database);
    await finishJudgement(given.database, await beginOf(given.database, listed?.id ?? ''), PASSED);
    await accept(envelope('m'), objects(told('7')));
    expect(await listRuns(given.database)).toMatchObject([
      { id: listed?.id, verdict: 'passed', sequencer: '7' },
    ]);
  });

  test('has one run also where the event comes twice, one after the other or at once', async () => {
    await list();
    await Promise.all(['m1', 'm2', 'm3'].map((id) => accept(envelope(id), objects(told('7')))));
    expect((await accept(envelope('m4'), objects(told('7')))).outcome).toBe('known');
    expect(await identities()).toEqual(['etag e 7']);
  });

  test.each([60, -60])('is told of by an event %s s away', async (distance) => {
    await list();
    expect((await accept(envelope('m'), objects(told('7', distance)))).runIds).toEqual([]);
  });

  test.each([61, -61])('is not told of by an event %s s away', async (distance) => {
    await list();
    expect((await accept(envelope('m'), objects(told('7', distance)))).runIds).toHaveLength(1);
    expect(await identities()).toHaveLength(2);
  });

  test('is not told of by an event of another content, or without a time', async () => {
    await list();
    const { eventTime: _, ...timeless } = told('8');
    await accept(envelope('m1'), objects({ ...told('7'), eTag: 'other' }));
    await accept(envelope('m2'), objects(timeless));
    expect(await identities()).toHaveLength(3);
  });

  test('and was put again, even at once, is another delivery the second time', async () => {
    await list();
    const result = await accept(envelope('m'), objects(told('7'), told('8', 5)));
    expect(result).toMatchObject({ outcome: 'accepted', runIds: [expect.any(String)] });
    expect(await identities()).toEqual(['etag e 7', 'etag e 8']);
    expect((await accept(envelope('m2'), objects(told('9', 30)))).runIds).toHaveLength(1);
  });

  test('is told of by the nearest of several events', async () => {
    await list();
    const [listed] = await listRuns(given.database);
    const others = [10, 20, 30, 40, 50, -10, -20, -30, -40, -50].map((distance, index) =>
      told(`${20 + index}`, distance),
    );
    const result = await accept(envelope('m'), objects(...others, told('7')));
    expect(result.runIds).toHaveLength(others.length);
    expect(await findRun(given.database, listed?.id ?? '')).toMatchObject({ sequencer: '7' });
  });

  test('is not told of by an event of a version, which the bucket keeps by now', async () => {
    await list();
    const event = { ...told('7', 5), versionId: 'v1' };
    expect((await accept(envelope('m'), objects(event))).runIds).toHaveLength(1);
  });

  test('is told of once, where another event was faster by a moment', async () => {
    await list();
    const { runs } = tablesOf(given.database);
    const faster = await given.database.transaction();
    await faster(runs).update({ identity: 'etag e 7', sequencer: '7' });
    const accepted = accept(envelope('m'), objects(told('8', 5)));
    await eventually(async () => {
      const { rows } = await given.database.raw(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      expect(rows).toHaveLength(1);
    });
    await faster.commit();
    expect((await accepted).runIds).toHaveLength(1);
    expect(await identities()).toEqual(['etag e 7', 'etag e 8']);
  });

  test('twice within a minute is told of where it is nearest', async () => {
    await list();
    await list(new Date(MODIFIED.getTime() + 40_000));
    await accept(envelope('m'), objects(told('7', 30)));
    expect(await identities()).toEqual(['etag e 7', `listed e ${MODIFIED.toISOString()}`]);
  });

  test('after a multipart upload of hours is told of by the event of its end', async () => {
    await list(MODIFIED, 'e-7');
    const event = { ...told('7', 3 * 3600), eTag: 'e-7' };
    expect((await accept(envelope('m'), objects(event))).runIds).toEqual([]);
  });

  test('is not told of by a multipart upload that ended after the listing', async () => {
    await list(MODIFIED, 'e-7');
    const event = {
      ...told('7'),
      eTag: 'e-7',
      eventTime: new Date(Date.now() + 3_600_000).toISOString(),
    };
    expect((await accept(envelope('m'), objects(event))).runIds).toHaveLength(1);
  });

  test('is not taken for one that no message announced while its message is recorded', async () => {
    const { runs, snsMessages } = tablesOf(given.database);
    const recording = await given.database.transaction();
    await recording(snsMessages).insert({
      ...{ message_id: 'm', topic_arn: 'topic', type: 'Notification', outcome: 'accepted' },
      ...{ message: '{}', signed_at: MODIFIED },
    });
    await recording(runs).insert({
      ...{ bucket: 'b', key: 'k', identity: 'etag e 7', e_tag: 'e', event_time: MODIFIED },
    });
    const listed = { bucket: 'b', key: 'k', eTag: 'e', sizeBytes: 1, lastModified: MODIFIED };
    const asked = askForListed(given.database, queue, [listed], { dryRun: false });
    await eventually(async () => {
      const { rows } = await given.database.raw(
        `SELECT FROM pg_locks WHERE NOT granted AND relation = '${snsMessages}'::regclass`,
      );
      expect(rows).toHaveLength(1);
    });
    await recording.commit();
    expect(await asked).toEqual(['known']);
    expect(await identities()).toEqual(['etag e 7']);
  });

  test('in a bucket with versions is told of by its version, whatever the time', async () => {
    const version = { bucket: 'b', key: 'k', versionId: 'v1', eTag: 'e', sizeBytes: 1 };
    await askForListed(given.database, queue, [{ ...version, lastModified: MODIFIED }], {
      dryRun: false,
    });
    const event = { ...told('7', 7200), versionId: 'v1' };
    expect((await accept(envelope('m'), objects(event))).outcome).toBe('known');
    expect(await identities()).toEqual(['version v1']);
  });
});

test('a message whose event names neither version nor content is a run of its own', async () => {
  const bare = { bucket: 'b', key: 'test.csv', eventName: 'ObjectCreated:Put' };
  const first = await accept(envelope('m1'), objects(bare));
  const second = await accept(envelope('m2'), objects(bare));
  expect([first.runIds.length, second.runIds.length]).toEqual([1, 1]);
});

test('an object that is written again makes a new run', async () => {
  await accept(envelope(), objects(object('k', '1')));
  expect((await accept(envelope(), objects(object('k', '2')))).runIds).toHaveLength(1);
});

test('the same object twice in one message is one run', async () => {
  const { runIds } = await accept(envelope(), objects(object('k'), object('k')));
  expect(runIds).toHaveLength(1);
});

test.each(['ignored', 'dead'] as const)(
  'a message that is %s is kept with its reason',
  async (kind) => {
    expect(await accept(envelope('m'), { kind, reason: 'because' })).toStrictEqual({
      outcome: kind,
      runIds: [],
      reason: 'because',
    });
    expect(await findMessage(given.database, 'm')).toMatchObject({
      outcome: kind,
      reason: 'because',
    });
  },
);

test('what was ignored in an accepted message is kept as its reason', async () => {
  const ignored = ['removed', 'report', 'removed'].map((reason) => ({ ...object('i'), reason }));
  const event = { kind: 'objects', objects: [object('k')], ignored } as const;
  expect(await accept(envelope('m'), event)).toMatchObject({ reason: 'removed; report' });
  expect(await findMessage(given.database, 'm')).toMatchObject({ reason: 'removed; report' });
});

test.each([
  ['U+0000 in a key', object('a\0b'), 'SQLSTATE 22P05'],
  ['half a surrogate pair', object('\ud800'), 'SQLSTATE 22P02'],
  ['a key that is too long', object('x'.repeat(1025)), 'runs_key_is_a_key'],
])('%s makes a dead message and no run', async (_what, broken, reason) => {
  expect(await accept(envelope('m'), objects(object('valid'), broken))).toStrictEqual({
    outcome: 'dead',
    runIds: [],
    reason: expect.stringContaining(reason),
  });
  expect(await findMessage(given.database, 'm')).toMatchObject({
    outcome: 'dead',
    reason: expect.stringContaining(reason),
  });
  expect(await listRuns(given.database)).toEqual([]);
});

test('a message that the database refuses does not take others of its group with it', async () => {
  const events = [...Array(20).keys()].map((n) => objects(object(n === 7 ? 'a\0' : `k${n}`)));
  const results = await Promise.all(events.map((event) => accept(envelope(), event)));
  expect(results.map(({ outcome }) => outcome)).toEqual(
    [...Array(20).keys()].map((n) => (n === 7 ? 'dead' : 'accepted')),
  );
  expect(await jobs()).toHaveLength(19);
});

test('a text with U+0000 is kept', async () => {
  await accept({ ...envelope('m'), message: 'a\0b' }, { kind: 'dead', reason: 'a\0' });
  expect(await findMessage(given.database, 'm')).toMatchObject({ message: 'a␀b', reason: 'a␀' });
});

test('50 duplicates at once in one process make one run', async () => {
  const results = await Promise.all(
    Array.from({ length: 50 }, () => accept(envelope('m'), objects(object('k')))),
  );
  expect(outcomes(results)).toStrictEqual({ accepted: 1, duplicate: 49 });
  expect(await jobs()).toHaveLength(1);
});

test('the same message twice in one transaction is new once', async () => {
  // The first two have a transaction each; the rest share the next one.
  const results = await Promise.all(
    ['x', 'y', 'm', 'm'].map((id) => accept(envelope(id), objects(object(`key of ${id}`)))),
  );
  expect(results.map(({ outcome }) => outcome)).toEqual([
    'accepted',
    'accepted',
    'accepted',
    'duplicate',
  ]);
});

test('50 duplicates at once on two processes make one run', async () => {
  const ids = Array.from({ length: 25 }, () => 'm');
  const results = await inProcesses(ids, ids, objects(object('k')));
  expect(outcomes(results)).toStrictEqual({ accepted: 1, duplicate: 49 });
  expect(await listRuns(given.database)).toHaveLength(1);
  expect(await jobs()).toHaveLength(1);
});

test('50 messages on two processes that name the same objects make one run each', async () => {
  const ids = Array.from({ length: 50 }, () => randomUUID());
  const keys = Array.from({ length: 20 }, (_, n) => object(`k${n}`));
  const results = await inProcesses(ids.slice(0, 25), ids.slice(25), objects(...keys));
  const { accepted = 0, known = 0 } = outcomes(results);
  expect(accepted + known).toBe(50);
  expect(results.flatMap(({ runIds }) => runIds)).toHaveLength(20);
  expect(await jobs()).toHaveLength(20);
});

test('messages that name the same objects in opposite order wait in one line', async () => {
  const keys = Array.from({ length: 50 }, (_, n) => object(`k${n}`));
  const stuck = await given.database.transaction();
  await stuck('runs').insert({ bucket: 'b', key: 'k25', identity: 'etag e 1' });
  const { rows } = await stuck.raw('SELECT pg_backend_pid() AS pid');
  const both = [
    accept(envelope('a'), objects(...keys)),
    accept(envelope('b'), objects(...keys.toReversed())),
  ];
  const blockers = await eventually(async () => {
    const waiting = await given
      .database('pg_stat_activity')
      .where({ wait_event_type: 'Lock' })
      .whereRaw('datname = current_database()')
      .select<{ by: number[] }[]>(given.database.raw('pg_blocking_pids(pid) AS by'));
    expect(waiting).toHaveLength(2);
    return waiting.flatMap(({ by }) => by);
  });
  // Each holding what the other needs, both would wait for the stuck one, and then for each other.
  expect(blockers.filter((pid) => pid === rows[0].pid)).toHaveLength(1);
  await stuck.rollback();
  const results = await Promise.all(both);
  expect(results.flatMap(({ runIds }) => runIds)).toHaveLength(50);
});

/** Has the queue's table answer each job, or the first one alone, with an error. */
async function refuseJobs(code: string, { once = false } = {}): Promise<void> {
  await given.database.raw(`
    CREATE SEQUENCE public.refused_jobs;
    CREATE FUNCTION public.refuse_job() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('public.refused_jobs') = 1 OR NOT ${once} THEN
          RAISE EXCEPTION 'no queue' USING ERRCODE = '${code}';
        END IF;
        RETURN NEW;
      END $$;
    CREATE TRIGGER refuse_job BEFORE INSERT ON file_processing_queue.job
      FOR EACH ROW EXECUTE FUNCTION public.refuse_job()`);
  onTestFinished(async () => {
    await given.database.raw(
      'DROP FUNCTION public.refuse_job CASCADE; DROP SEQUENCE public.refused_jobs',
    );
  });
}

test('nothing is kept when the job cannot be enqueued', async () => {
  await refuseJobs('P0001');
  await expect(accept(envelope('m'), objects(object('k')))).rejects.toThrow('no queue');
  expect(await findMessage(given.database, 'm')).toBeUndefined();
  expect(await listRuns(given.database)).toEqual([]);
});

test.each(['40P01', '40001'])('a transaction broken off with %s is tried again', async (code) => {
  await refuseJobs(code, { once: true });
  expect((await accept(envelope(), objects(object('k')))).outcome).toBe('accepted');
});

test('a job is as pg-boss makes it', async () => {
  const [runId = ''] = (await accept(envelope(), objects(object('k')))).runIds;
  const asMade = { runId: randomUUID(), number: 1, jobId: randomUUID() };
  await given.database.transaction((transaction) => queue.enqueue([asMade], transaction));
  const columnsOf = async (id: string) => {
    const { rows } = await given.database.raw(
      `SELECT tableoid::regclass, job.*, start_after = created_on AS is_due, keep_until - start_after AS kept_for
       FROM file_processing_queue.job WHERE id = ?`,
      [id],
    );
    const { id: _, data, start_after, created_on, keep_until, ...columns } = rows[0];
    expect(data).toEqual({ runId: data.runId, number: 1 });
    return columns;
  };
  expect(await columnsOf(runId)).toEqual(await columnsOf(asMade.jobId));
});

test('a database that is unavailable is an error with a code', async () => {
  const away = connect({ ...given.config, port: 1 });
  const accepting = openIntake({ database: away });
  await expect(accepting(envelope(), objects(object('k')))).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  });
  await away.destroy();
});

test('an exhausted pool is an error with a code', async () => {
  const small = connect({ ...given.config, poolSize: 2, connectTimeoutMs: 2_000 });
  const hold = () => eventually(() => small.transaction());
  const holders = await Promise.all([hold(), hold()]);
  const accepting = openIntake({ database: small });
  await expect(accepting(envelope(), objects(object('k')))).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  });
  await Promise.all(holders.map((holder) => holder.rollback()));
  await small.destroy();
});

test('a database that is stuck is an error with a code, within the deadline', async () => {
  const stuck = await given.database.transaction();
  await stuck.raw('LOCK TABLE sns_messages IN ACCESS EXCLUSIVE MODE');
  const accepting = openIntake({ database: given.database, deadlineMs: 50 });
  await expect(accepting(envelope('m'), objects(object('k')))).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  });
  await stuck.rollback();
  // What the caller no longer waits for goes on, and would meet the next test's cleaning up.
  await eventually(async () => expect(await findMessage(given.database, 'm')).toBeDefined());
});

function outcomes(results: readonly Acceptance[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Accepts at the same moment in two processes of their own. */
async function inProcesses(
  first: string[],
  second: string[],
  event: S3Event,
): Promise<Acceptance[]> {
  const children = await Promise.all([startProcess(), startProcess()]);
  const answers = children.map((child) => once(child, 'message'));
  children[0].send({ ids: first, event });
  children[1].send({ ids: second, event });
  const results = await Promise.all(answers);
  return results.flatMap(([result]) => result as Acceptance[]);
}

async function startProcess(): Promise<ChildProcess> {
  const child = fork(ACCEPT_SCRIPT, [given.url], { execPath: process.execPath });
  await once(child, 'message');
  return child;
}

test('work that never ends means that the database is not available', async () => {
  const never = () => new Promise<void>(() => undefined);
  await expect(withinDeadline(1, never)).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringContaining('no answer within 1 ms'),
  });
});

test('an error of the connection is named and kept as the cause', async () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  await expect(withinDeadline(1000, () => Promise.reject(cause))).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    cause,
  });
});

test('any other error stays itself', async () => {
  const bug = new TypeError('bug');
  await expect(withinDeadline(1000, () => Promise.reject(bug))).rejects.toBe(bug);
});

test('work that ends in time gives its result', async () => {
  expect(await withinDeadline(1000, async () => 1)).toBe(1);
});
