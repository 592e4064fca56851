import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordNotices } from '../../../../listener/src/notices/outbox.ts';
import type { OutgoingMessage, Outlet } from '../../../../listener/src/notices/outlet.ts';
import { DIGEST_MS, GIVE_UP_MS, RefusedError } from '../../../../listener/src/notices/policy.ts';
import { eventually } from '../../../support/eventually.ts';
import {
  CONTACT,
  describeFiles,
  forgetNotices,
  noticedVerdict,
  REPORT,
  tellerOf,
} from '../../support/noticed-runs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await describeFiles(given.database);
});
afterAll(() => given?.drop());
beforeEach(() => forgetNotices(given.database));

/** Mail that is kept; `fail` says what becomes of an attempt. */
function keptMail(fail: () => Error | undefined = () => undefined) {
  const sent: OutgoingMessage[] = [];
  const outlet: Outlet = {
    way: 'email',
    async send(message) {
      sent.push(message);
      const error = fail();
      if (error) throw error;
    },
    close() {},
  };
  return { sent, outlet };
}

const statesOf = ({ notices }: OutgoingMessage) => notices.map(({ data }) => data.state);

describe('a verdict', () => {
  test('that rejects a file is told to its contact, once', async () => {
    const { sent, outlet } = keptMail();
    const teller = tellerOf(given.database, [outlet]);
    const runId = await noticedVerdict(given.database, 'failed');
    await teller.tell();
    await teller.after(DIGEST_MS);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ target: CONTACT, attempts: 1 });
    expect(sent[0]?.notices).toMatchObject([
      {
        type: 'delivery.failed',
        data: {
          ...{ state: 'failed', verdict: 'failed', client: 'nm_albuquerque' },
          mapping: { name: 'people', version: 1 },
          object: { bucket: 'bucket', key: 'a.csv' },
          counts: { rows: 4, faultyRows: 1, faults: 1 },
          findings: [{ kind: 'constraint-error', missing: true, field: 'officer_id', rows: [3] }],
          run: { id: runId, judgement: 1 },
        },
      },
    ]);
  });

  test('that nobody asked for leaves nothing in the outbox', async () => {
    const { sent, outlet } = keptMail();
    await noticedVerdict(given.database, 'passed');
    await tellerOf(given.database, [outlet]).tell();
    expect(sent).toEqual([]);
    expect(await given.database('notices')).toEqual([]);
  });

  test('on a better version of a file that was rejected is told as its recovery', async () => {
    const { sent, outlet } = keptMail();
    const teller = tellerOf(given.database, [outlet]);
    await noticedVerdict(given.database, 'failed', { versionId: 'v1' });
    await teller.tell();
    await noticedVerdict(given.database, 'passed', { versionId: 'v2' });
    await teller.after(DIGEST_MS);
    expect(sent.map(statesOf)).toEqual([['failed'], ['recovered']]);
  });

  test('of a later judgement is told where it differs from the one that stood', async () => {
    const { sent, outlet } = keptMail();
    const teller = tellerOf(given.database, [outlet]);
    const runId = await noticedVerdict(given.database, 'failed');
    await teller.tell();
    await noticedVerdict(given.database, 'failed', { runId });
    await teller.after(DIGEST_MS);
    await noticedVerdict(given.database, 'passed', { runId });
    await teller.after(DIGEST_MS);
    expect(sent.map(statesOf)).toEqual([['failed'], ['corrected']]);
    expect(sent[1]?.notices[0]?.data).toMatchObject({
      verdict: 'passed',
      previousVerdict: 'failed',
    });
  });
});

test('changes of ten minutes after a mail are one digest', async () => {
  const { sent, outlet } = keptMail();
  const teller = tellerOf(given.database, [outlet]);
  await noticedVerdict(given.database, 'failed', { key: '0.csv' });
  await teller.tell();
  for (const key of ['1.csv', '2.csv', '3.csv']) {
    await noticedVerdict(given.database, 'failed', { key });
    await teller.after(DIGEST_MS / 10);
  }
  expect(sent).toHaveLength(1);
  await teller.after(DIGEST_MS);
  expect(sent.map(({ notices }) => notices.length)).toEqual([1, 3]);
});

test('of a long digest the first changes are told, and the rest are counted', async () => {
  const { sent, outlet } = keptMail();
  for (let index = 0; index < 23; index += 1) {
    await noticedVerdict(given.database, 'failed', { key: `${index}.csv` });
  }
  await tellerOf(given.database, [outlet]).tell();
  expect(sent).toMatchObject([{ untold: 3 }]);
  expect(sent[0]?.notices).toHaveLength(20);
});

test('a period that is late and then missing is told, with when it was due', async () => {
  const { sent, outlet } = keptMail();
  const [file] = await given.database('monitoring_files').pluck('id');
  const change = {
    ...{ client: 'nm_albuquerque', subject: '*.csv', period: '2026-11' },
    ...{ monitoringFileId: file, dueAt: new Date('2026-11-30T12:00:00Z') },
  };
  await given.database.transaction((transaction) =>
    recordNotices(transaction, [
      { ...change, state: 'late' },
      { ...change, state: 'missing' },
    ]),
  );
  await tellerOf(given.database, [outlet]).tell();
  expect(sent).toHaveLength(1);
  expect(sent[0]?.target).toBe(CONTACT);
  expect(sent[0]?.notices.map(({ data }) => data)).toMatchObject([
    { state: 'late', object: null, period: { name: '2026-11', dueAt: '2026-11-30T12:00:00.000Z' } },
    { state: 'missing' },
  ]);
});

test('a period that came before its digest was sent is not asked for in it', async () => {
  const { sent, outlet } = keptMail();
  const [file] = await given.database('monitoring_files').pluck('id');
  const change = {
    ...{ client: 'nm_albuquerque', subject: '*.csv', period: '2026-11' },
    ...{ monitoringFileId: file, dueAt: new Date('2026-11-30T12:00:00Z') },
  };
  await given.database.transaction((transaction) =>
    recordNotices(transaction, [
      { ...change, state: 'late' },
      { ...change, period: '2026-12', state: 'late' },
      { ...change, state: 'missing' },
      { ...change, state: 'recovered' },
    ]),
  );
  await tellerOf(given.database, [outlet]).tell();
  const told = sent.flatMap(({ notices }) => notices.map(({ data }) => data));
  expect(told).toMatchObject([
    { state: 'late', period: { name: '2026-12' } },
    { state: 'recovered', period: { name: '2026-11' } },
  ]);
});

describe('what was late and has a verdict before it could be told', () => {
  /** One or two months are late, which nobody can be told of at first; meanwhile that of November comes. */
  async function novemberComes(
    months: readonly ('11' | '12')[],
    outlet: Outlet,
    options: Parameters<typeof tellerOf>[2] = {},
  ) {
    const { database } = given;
    await database('periods').delete();
    const [file] = await database('monitoring_files').pluck('id');
    await database('periods').insert(
      months.map((month) => ({
        ...{ client: 'nm_albuquerque', monitoring_file_id: file, name: `2026-${month}` },
        ...{ starts_at: `2026-${month}-01`, ends_at: `2026-${month}-27` },
        ...{ opens_at: `2026-${month}-01`, closes_at: `2026-${month}-29` },
        ...{ due_at: `2026-${month}-28T12:00Z`, missing_at: `2026-${month}-30T12:00Z` },
        ...{ time_zone: 'UTC', state: 'late' },
      })),
    );
    const changes = months.map((month) => ({
      ...{ client: 'nm_albuquerque', subject: '*.csv', period: `2026-${month}` },
      ...{ monitoringFileId: file, dueAt: new Date(`2026-${month}-28T12:00Z`) },
      state: 'late' as const,
    }));
    await database.transaction((transaction) => recordNotices(transaction, changes));
    let isUp = false;
    const reached: OutgoingMessage[] = [];
    const teller = tellerOf(
      database,
      [
        {
          ...outlet,
          async send(message) {
            if (!isUp) throw new Error('not there');
            reached.push(message);
          },
        },
      ],
      options,
    );
    await teller.tell();
    await database('periods')
      .where({ name: '2026-11' })
      .update({ state: 'received', verdict: 'passed', delivered_at: '2026-11-30T12:00Z' });
    isUp = true;
    await teller.after(GIVE_UP_MS / 2);
    return reached.flatMap(({ notices }) => notices.map(({ data }) => data.period?.name));
  }

  test('is left out of a mail that tells of others', async () => {
    expect(await novemberComes(['11', '12'], keptMail().outlet)).toEqual(['2026-12']);
  });

  test('gets no mail of its own, and the outbox says why', async () => {
    expect(await novemberComes(['11'], keptMail().outlet)).toEqual([]);
    expect(await given.database('notice_messages').select('status', 'settled_reason')).toEqual([
      { status: 'discarded', settled_reason: 'what it asks for has come' },
    ]);
  });

  test('is told to a program all the same', async () => {
    const target = 'https://loader.example/';
    const audience = {
      ...{ states: ['late' as const], operators: [], mail: false, topicArn: undefined },
      webhooks: [target],
    };
    const outlet: Outlet = { ...keptMail().outlet, way: 'webhook', target };
    expect(await novemberComes(['11'], outlet, { audience })).toEqual(['2026-11']);
  });
});

test('processes that tell at the same time tell each change once', async () => {
  const { sent, outlet } = keptMail();
  const tellers = [0, 1, 2].map(() => tellerOf(given.database, [outlet]));
  for (let round = 0; round < 5; round += 1) {
    await noticedVerdict(given.database, 'failed', { key: `${round}.csv` });
    await Promise.all(tellers.map((teller) => teller.after(DIGEST_MS)));
  }
  const told = sent.flatMap(({ notices }) => notices.map(({ data }) => data.object?.key));
  expect(told.sort()).toEqual(['0.csv', '1.csv', '2.csv', '3.csv', '4.csv']);
});

describe('a message that is not taken', () => {
  test('for a day is delivered in the end, as the same message', async () => {
    let isUp = false;
    const { sent, outlet } = keptMail(() => (isUp ? undefined : new Error('SMTP 421')));
    const teller = tellerOf(given.database, [outlet]);
    await noticedVerdict(given.database, 'failed');
    await teller.tell();
    for (let tenth = 0; tenth < 24 * 6; tenth += 1) await teller.after(600_000);
    expect(sent.length).toBeLessThan(40);
    isUp = true;
    await teller.after(3_600_000);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    const attempts = sent.length;
    await teller.after(3_600_000);
    expect(sent).toHaveLength(attempts);
    expect(await given.database('notice_messages').pluck('status')).toEqual(['delivered']);
  });

  test('for two days is a dead letter', async () => {
    const { outlet } = keptMail(() => new Error('SMTP 421'));
    const teller = tellerOf(given.database, [outlet]);
    await noticedVerdict(given.database, 'failed');
    await teller.tell();
    for (let waited = 0; waited <= GIVE_UP_MS; waited += 3_600_000) await teller.after(3_600_000);
    expect(await given.database('notice_messages')).toMatchObject([
      { status: 'dead', error: 'SMTP 421' },
    ]);
    expect(teller.log).toContain('"msg":"notice not delivered, it is a dead letter"');
  });

  test('for good is a dead letter at once', async () => {
    const { sent, outlet } = keptMail(() => new RefusedError('SMTP 550 to RCPT TO'));
    await noticedVerdict(given.database, 'failed');
    const teller = tellerOf(given.database, [outlet]);
    await teller.tell();
    await teller.after(3_600_000);
    expect(sent).toHaveLength(1);
    expect(await given.database('notice_messages').pluck('status')).toEqual(['dead']);
  });

  test('by anybody, since its way was switched off, is a dead letter after two days', async () => {
    await noticedVerdict(given.database, 'failed');
    const teller = tellerOf(given.database, []);
    await teller.tell();
    await teller.after(GIVE_UP_MS);
    expect(await given.database('notice_messages').pluck('status')).toEqual(['waiting']);
    await teller.after(3_600_000);
    expect(await given.database('notice_messages')).toMatchObject([
      { status: 'dead', error: 'nobody has tried to deliver it' },
    ]);
  });
});

test('a process that died with a message has it sent again after its lease, as the same message', async () => {
  const dead = keptMail();
  const hanging: Outlet = {
    ...dead.outlet,
    send: (message) => {
      dead.sent.push(message);
      return new Promise(() => undefined);
    },
  };
  await noticedVerdict(given.database, 'failed');
  void tellerOf(given.database, [hanging])
    .tell()
    .catch(() => undefined);
  await eventually(() => expect(dead.sent.length).toBe(1));
  const { sent, outlet } = keptMail();
  const teller = tellerOf(given.database, [outlet]);
  await teller.tell();
  expect(sent).toEqual([]);
  await teller.after(61_000);
  expect(sent.map(({ id }) => id)).toEqual(dead.sent.map(({ id }) => id));
});

test('what was forgotten of a file is told no more than its counts, as before', async () => {
  const { sent, outlet } = keptMail();
  await noticedVerdict(given.database, 'failed');
  await given.database('reports').update({ report: { ...REPORT, faults: [] } });
  await tellerOf(given.database, [outlet]).tell();
  expect(sent[0]?.notices[0]?.data.findings).toMatchObject([{ count: 1, rows: [] }]);
});
