import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../listener/src/database/migrate.ts';
import { checkSchema } from '../../listener/src/database/schema-version.ts';
import { cli } from '../listener/support/cli.ts';
import { startListenerChild } from '../listener/support/listener-process.ts';
import { migrateTo, setUpOlderVersion } from '../listener/support/older-version.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';
import { run } from '../support/run-program.ts';

const OLDER_PG_BOSS = fileURLToPath(new URL('../support/older-pg-boss.cjs', import.meta.url));

let given: TestDatabase;
let role: string;
let url: string;
beforeEach(async () => {
  given = await createTestDatabase('empty');
  role = `printing_${randomBytes(4).toString('hex')}`;
  await given.database.raw(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  const address = new URL(given.url);
  [address.username, address.password] = [role, 'x'];
  url = address.href;
});
afterEach(async () => {
  const { config } = given;
  await given.drop();
  const server = await createTestDatabase('empty', { user: config.user });
  await server.database.raw(`DROP ROLE ${role}`);
  await server.drop();
});

/** What a command of the role says; it has no right but to connect. */
async function said(...parameters: string[]): Promise<string> {
  const { code, out, err } = await cli(parameters, { DATABASE_URL: url });
  expect([code, err]).toEqual([0, '']);
  return out;
}

/** Has the database's administrator run SQL. @returns what psql writes */
async function psql(sql: string): Promise<string> {
  const file = join(await temporaryFolder(), 'migrate.sql');
  await writeFile(file, sql);
  const { exitCode, stdout, stderr } = await run('psql', [
    ...['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--file', file],
    given.url,
  ]);
  expect([exitCode, stderr.replaceAll(/^.*NOTICE:.*\n/gm, '')]).toEqual([0, '']);
  return stdout;
}

test('psql runs what is printed on a fresh database, and migrate finds nothing to do', async () => {
  const printed = await said('migrate', '--print-sql');
  await psql(printed);
  await checkSchema(given.database);
  expect(await said('migrate')).toBe('the schema is up to date\n');
  expect(await said('migrate', '--print-sql')).toBe('-- The schema is up to date.\n');
});

test('it makes what migrate makes', async () => {
  await psql(await said('migrate', '--print-sql'));
  const migrated = await createTestDatabase('empty');
  onTestFinished(() => migrated.drop());
  await migrate(migrated.config);
  expect(await objectsOf(given)).toEqual(await objectsOf(migrated));
});

test('printing changes nothing', async () => {
  await said('migrate', '--print-sql');
  expect(await objectsOf(given)).toEqual([]);
});

test('where DB_LISTENER_USER names another role, that one gets the rights of the listener alone', async () => {
  const printed = await cli(['migrate', '--print-sql'], {
    DATABASE_URL: given.url,
    DB_LISTENER_USER: role,
  });
  await psql(printed.out);
  const { rows } = await given.database.raw(
    `SELECT has_table_privilege(?, 'file_processing.runs', 'INSERT') AS writes,
       has_table_privilege(?, 'file_processing.migrations', 'INSERT') AS notes`,
    [role, role],
  );
  expect(rows).toEqual([{ writes: true, notes: false }]);
});

test("an older version's tables, which are moved with the queue, are left to migrate", async () => {
  const older = await setUpOlderVersion({ connectionString: given.url });
  onTestFinished(() => older.close());
  const { code, out, err } = await cli(['migrate', '--print-sql'], { DATABASE_URL: given.url });
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(/^the tables of an older version are moved .*\n$/);
});

test('the role works with what the administrator has made', async () => {
  await psql(await said('migrate', '--print-sql'));
  await said('seed');
  const listener = startListenerChild(['serve', '--role', 'worker'], {
    DATABASE_URL: url,
    METRICS_PORT: '0',
    LOCAL_S3_ROOT: await temporaryFolder(),
  });
  await listener.line('listening');
  listener.kill('SIGTERM');
  expect(await listener.ended).toBe(0);
  expect(listener.lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

test("what can't run inside a transaction comes last, and leaves nothing for migrate to do", async () => {
  const older = startListenerChild(['migrate'], {
    DATABASE_URL: given.url,
    NODE_OPTIONS: `--require ${OLDER_PG_BOSS}`,
  });
  expect(await older.ended).toBe(0);
  await given.database.raw(`
    GRANT USAGE ON SCHEMA file_processing, file_processing_queue TO ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA file_processing, file_processing_queue TO ${role}`);
  const printed = await said('migrate', '--print-sql');
  const [inside = '', outside = ''] = printed.split('\n-- Outside of any transaction:\n');
  expect(inside).not.toMatch(/^CREATE (UNIQUE )?INDEX CONCURRENTLY/m);
  expect(outside.match(/^CREATE (UNIQUE )?INDEX CONCURRENTLY/gm)).toHaveLength(5);
  await psql(printed);
  expect(await said('migrate')).toBe('the schema is up to date\n');
});

test('on a database of the version before, it makes what migrate makes', async () => {
  const migrated = await createTestDatabase('empty');
  onTestFinished(() => migrated.drop());
  for (const { database } of [given, migrated]) {
    await migrateTo(database, '0022');
    await database.raw(`
      INSERT INTO file_processing.sns_messages (message_id, topic_arn, type, outcome, message, signed_at)
      VALUES ('m', 't', 'Notification', 'accepted', '{}', now())`);
  }
  await given.database.raw(`
    GRANT USAGE ON SCHEMA file_processing TO ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA file_processing TO ${role}`);
  const printed = await said('migrate', '--print-sql');
  expect(printed).toMatch(/First, outside of any transaction:[\s\S]*CONCURRENTLY[\s\S]*ATTACH/);
  await psql(printed);
  await migrate(migrated.config);
  expect(await objectsOf(given)).toEqual(await objectsOf(migrated));
  expect(await given.database('messages').pluck('message_id')).toEqual(['m']);
});

/** Tables, indexes, constraints and functions, as PostgreSQL describes them. */
async function objectsOf({ database }: TestDatabase): Promise<string[]> {
  const { rows } = await database.raw(`
    WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname LIKE 'file_processing%')
    SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || data_type AS object
      FROM information_schema.columns WHERE table_schema LIKE 'file_processing%'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname LIKE 'file_processing%'
    UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
      WHERE connamespace IN (SELECT oid FROM ours)
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)
    ORDER BY 1`);
  return rows.map(({ object }: { object: string }) => object);
}
