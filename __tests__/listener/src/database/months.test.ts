import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../../../listener/src/config/database-config.ts';
import { connect } from '../../../../listener/src/database/connection.ts';
import { findJudgement, judgementsOf } from '../../../../listener/src/database/judgements.ts';
import { migrate } from '../../../../listener/src/database/migrate.ts';
import { makeMonths, monthsOf } from '../../../../listener/src/database/months.ts';
import { deleteOld } from '../../../../listener/src/database/retention.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { judgedRun } from '../../support/runs.ts';

const DAYS = 400;
/** 1 is the present month, of which the tables before the first upgrade have more than one. */
const MADE = 4;

let given: TestDatabase;
beforeEach(async () => {
  given = await createTestDatabase();
});
afterEach(() => given.drop());

const remove = (database = given.database) =>
  deleteOld({
    ...{ database, days: DAYS, isStopping: () => false, pauseMs: 0 },
    queue: { deadLetters: async () => [], discard: async () => 0 },
  });

/** As the listener would have made it then. @param monthsAgo of its beginning */
async function pastMonth(parent: string, monthsAgo: number): Promise<string> {
  const { rows } = await given.database.raw(
    `SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => ?), 'YYYY-MM-DD') AS first,
       to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => ?), 'YYYY-MM-DD') AS next`,
    [monthsAgo, monthsAgo - 1],
  );
  const [{ first, next }] = rows;
  const name = `${parent}_${first.slice(0, 7).replace('-', '_')}`;
  await given.database.raw(`
    CREATE TABLE ${name} (LIKE ${parent}_other INCLUDING ALL);
    ALTER TABLE ${parent} ATTACH PARTITION ${name}
      FOR VALUES FROM ('${first} 00:00+00') TO ('${next} 00:00+00')`);
  return name;
}

const names = async () => (await monthsOf(given.database)).map(({ name }) => name);

/** The oldest month begins later, as where `sns_messages` was dropped for its age. */
const withoutFirst = () =>
  given.database.raw('ALTER TABLE messages DETACH PARTITION sns_messages; DROP TABLE sns_messages');

describe('months', () => {
  test('are made for this month and the next three, whoever migrates', async () => {
    const { rows } = await given.database.raw(
      `SELECT to_char(date_trunc('month', time AT TIME ZONE 'UTC') + make_interval(months => ahead), '"reports_"YYYY_MM') AS name
       FROM generate_series(0, ?) AS ahead, (SELECT max(migration_time) AS time FROM file_processing.migrations) AS last
       ORDER BY ahead`,
      [MADE - 1],
    );
    const reports = (await names()).filter((name) => /^reports_2/.test(name));
    expect(reports).toEqual(rows.map(({ name }: { name: string }) => name));
    // The month may have ended since.
    await makeMonths(given.database);
    expect(await makeMonths(given.database)).toBe(0);
  });

  test('are made once by many processes at the same time', async () => {
    await makeMonths(given.database);
    const [last] = (await names()).filter((name) => /^reports_2/.test(name)).reverse();
    await given.database.raw(`DROP TABLE ${last}`);
    const made = await Promise.all([1, 2, 3].map(() => makeMonths(given.database)));
    expect(made.reduce((sum, one) => sum + one)).toBe(1);
    expect(await names()).toContain(last);
  });

  test('are the same for a session that writes times in another way', async () => {
    const bounds = async (settings: string) =>
      given.database.transaction(async (transaction) => {
        await transaction.raw(settings);
        const { rows } = await transaction.raw(
          'SELECT name, extract(epoch FROM starts) AS starts, extract(epoch FROM ends) AS ends FROM months() ORDER BY name',
        );
        return rows;
      });
    // India's abbreviation is also Israel's, which is how PostgreSQL before 18 reads it: months were 3.5 hours off there.
    const elsewhere = `SET LOCAL datestyle = 'Postgres, DMY'; SET LOCAL timezone = 'Asia/Kolkata'`;
    expect(await bounds(elsewhere)).toEqual(await bounds(`SET LOCAL timezone = 'UTC'`));
  });

  test('take what comes in them, and all rules and keys of a message', async () => {
    await withoutFirst();
    await makeMonths(given.database);
    const message = {
      ...{ message_id: 'm', topic_arn: 't', type: 'Notification', outcome: 'dead', reason: 'r' },
      ...{ message: '', signed_at: new Date() },
    };
    await given.database('messages').insert(message);
    const { rows } = await given.database.raw(
      'SELECT tableoid::regclass::text AS name FROM messages',
    );
    expect(rows).toEqual([{ name: expect.stringMatching(/^messages_2/) }]);
    const again = given.database('messages').insert(message);
    await expect(again).rejects.toMatchObject({ code: '23505' });
    const wrong = given.database('messages').insert({ ...message, message_id: 'n', reason: null });
    await expect(wrong).rejects.toMatchObject({ constraint: 'sns_messages_has_a_reason' });
  });

  test('that have begun without their table leave their rows where they are', async () => {
    await makeMonths(given.database);
    await given.database.raw('DROP TABLE reports');
    await given.database.raw(`
      CREATE TABLE reports (run_id uuid, number integer, recorded_at timestamptz NOT NULL, report jsonb)
        PARTITION BY RANGE (recorded_at);
      CREATE TABLE reports_other PARTITION OF reports DEFAULT;
      INSERT INTO reports VALUES (gen_random_uuid(), 1, now(), '{}')`);
    expect(await makeMonths(given.database)).toBe(MADE - 1);
    expect(await makeMonths(given.database)).toBe(0);
    expect(await given.database('reports')).toHaveLength(1);
  });
});

describe('a month of which all is too old', () => {
  test('is dropped with its messages, and the next one is kept', async () => {
    await withoutFirst();
    const [old, kept] = [await pastMonth('messages', 15), await pastMonth('messages', 13)];
    await given.database.raw(`INSERT INTO messages (message_id, topic_arn, type, outcome, message, signed_at)
      SELECT 'm' || ago, 't', 'Notification', 'accepted', '', now() - make_interval(months => ago)
      FROM unnest(ARRAY[15, 13]) AS ago`);
    expect(await remove()).toMatchObject({ messages: 0, months: 1 });
    expect(await names()).toContain(kept);
    expect(await names()).not.toContain(old);
    expect(await given.database('messages').pluck('message_id')).toEqual(['m13']);
    expect(await remove()).toMatchObject({ months: 0 });
  });

  test('takes reports with it, of which the judgements say when', async () => {
    const runId = await judgedRun(given.database, { bucket: 'b', key: 'k' });
    await pastMonth('reports', 15);
    const time = given.database.raw("now() - interval '15 months'");
    await given.database('reports').update({ recorded_at: time });
    await given.database.raw(
      'UPDATE judgements SET (finished_at, reported_at) = (SELECT recorded_at, recorded_at FROM reports)',
    );
    expect(await findJudgement(given.database, { runId, number: 1 })).toMatchObject({
      report: expect.anything(),
      detailsDeletedAt: null,
    });
    expect(await remove()).toMatchObject({ details: 0, months: 1 });
    expect(await judgementsOf(given.database, runId)).toMatchObject([
      { verdict: 'passed', rowCount: 3, detailsDeletedAt: expect.any(Date) },
    ]);
    expect(await findJudgement(given.database, { runId, number: 1 })).toMatchObject({
      report: null,
    });
  });

  test('waits for another time while somebody uses the table, and nobody waits for it meanwhile', async () => {
    const old = await pastMonth('reports', 15);
    const reader = await given.database.transaction();
    await reader.raw('SELECT FROM reports');
    const call = given.database.raw("SELECT retire_month('reports', ?)", [old]);
    await expect(call).rejects.toMatchObject({ code: '55P03' });
    await reader.commit();
    expect(await names()).toContain(old);
    // A session that is refused says so before it gives its locks back: a look at that very moment leaves the month to the next.
    await eventually(async () => expect((await remove()).months).toBe(1));
    expect(await names()).not.toContain(old);
  });

  test('is dropped by the next look where the process died in between', async () => {
    const old = await pastMonth('reports', 15);
    await given.database.raw("SELECT retire_month('reports', ?)", [old]);
    expect(await names()).not.toContain(old);
    expect(await remove()).toMatchObject({ months: 1 });
    const { rows } = await given.database.raw('SELECT to_regclass(?) AS there', [old]);
    expect(rows).toEqual([{ there: null }]);
  });
});

test('what works with the rights of its owner waits 30 ms for a table, and looks names up in no schema of others', async () => {
  const { rows } = await given.database.raw(
    `SELECT DISTINCT prosecdef AS "byOwner", proconfig[1:2] AS settings,
       has_function_privilege('public', oid, 'EXECUTE') AS "byAnybody"
     FROM pg_proc WHERE proname IN ('make_month', 'retire_month', 'drop_retired_months')`,
  );
  const settings = ['search_path=pg_catalog, pg_temp', 'lock_timeout=30ms'];
  expect(rows).toEqual([{ byOwner: true, settings, byAnybody: false }]);
});

describe('a listener that may make no table', () => {
  let server: TestDatabase;
  const role = `listener_${randomBytes(4).toString('hex')}`;
  beforeAll(async () => {
    server = await createTestDatabase('empty');
    await server.database.raw(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    await migrate({ ...server.config, listenerUser: role });
  });
  afterAll(async () => {
    await server.database.raw(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await server.drop();
  });

  async function asListener<T>(
    work: (database: ReturnType<typeof connect>) => Promise<T>,
  ): Promise<T> {
    const database = connect({ ...server.config, user: role, password: new Secret('x') });
    database.client.searchPath = [server.config.schema];
    return work(database).finally(() => database.destroy());
  }

  test('makes and drops months all the same', async () => {
    const [last] = (await monthsOf(server.database))
      .map(({ name }) => name)
      .filter((name) => /^reports_2/.test(name))
      .reverse();
    await server.database.raw(`DROP TABLE ${last}; INSERT INTO reports SELECT gen_random_uuid(), 1, '2020-01-15', '{}', '{}';
      CREATE TABLE reports_2019_01 PARTITION OF reports FOR VALUES FROM ('2019-01-01') TO ('2019-02-01')`);
    expect(await asListener(makeMonths)).toBe(1);
    expect(await asListener((database) => remove(database))).toMatchObject({ months: 1 });
  });

  test.each([
    ["make_month('runs', now()::date)", '22023'],
    ["make_month('reports', '2020-01-01')", '22023'],
    ["make_month('reports', (now() + interval '2 years')::date)", '22023'],
    ['drop_retired_months() FROM runs; DROP TABLE reports', '42501'],
  ])('may not call %s', async (call, code) => {
    await expect(asListener((database) => database.raw(`SELECT ${call}`))).rejects.toMatchObject({
      code,
    });
  });

  test.each(['runs', 'reports_other', 'sns_messages', 'judgements'])(
    'takes out no table such as %s',
    async (name) => {
      const { rows } = await asListener((database) =>
        database.raw("SELECT retire_month('reports', ?) OR retire_month('messages', ?) AS out", [
          name,
          name,
        ]),
      );
      expect(rows).toEqual([{ out: false }]);
    },
  );

  test('has no table dropped as a retired month that is none', async () => {
    const forge = (database: ReturnType<typeof connect>) =>
      database.raw(
        `INSERT INTO retired_months (parent, name, starts, ends)
         VALUES ('messages', 'knex_migrations_lock', now(), now())`,
      );
    await expect(asListener(forge)).rejects.toMatchObject({ code: '42501' });
  });
});
