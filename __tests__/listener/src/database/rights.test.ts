import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { type DatabaseConfig, Secret } from '../../../../listener/src/config/database-config.ts';
import { connect, type Database } from '../../../../listener/src/database/connection.ts';
import { migrate } from '../../../../listener/src/database/migrate.ts';
import { checkSchema, migrationNames } from '../../../../listener/src/database/schema-version.ts';
import { openQueue } from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { cli, eventOf } from '../../support/cli.ts';
import { databaseConfigOf } from '../../support/database-config.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** What PostgreSQL gives everybody is taken away, so that a role has what the test gives it, and nothing else. */
const NOTHING_FOR_EVERYBODY = (database: string) => `
  REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
`;

/** The database's owner, who is nobody of ours. */
let owner: pg.Client;
let names: { database: string; migrator: string; listener: string };

beforeEach(async () => {
  const suffix = randomBytes(6).toString('hex');
  names = {
    database: `rights_${suffix}`,
    migrator: `migrator_${suffix}`,
    listener: `listener_${suffix}`,
  };
  await onServer(`CREATE DATABASE ${names.database} TEMPLATE template0`);
  await onServer(`CREATE ROLE ${names.migrator} LOGIN PASSWORD 'x'`);
  await onServer(`CREATE ROLE ${names.listener} LOGIN PASSWORD 'x'`);
  owner = new pg.Client({ connectionString: urlOf() });
  await owner.connect();
  await owner.query(NOTHING_FOR_EVERYBODY(names.database));
  for (const kind of ['FUNCTIONS', 'TYPES']) {
    await owner.query(
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${names.migrator} REVOKE ALL ON ${kind} FROM PUBLIC`,
    );
  }
  await owner.query(
    `GRANT CONNECT ON DATABASE ${names.database} TO ${names.migrator}, ${names.listener}`,
  );
});
afterEach(async () => {
  await owner.end();
  await onServer(`DROP DATABASE ${names.database} WITH (FORCE)`);
  await onServer(`DROP ROLE ${names.migrator}, ${names.listener}`);
});

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

function urlOf(role?: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${names.database}`;
  if (role !== undefined) [url.username, url.password] = [role, 'x'];
  return url.href;
}

function configOf(role: string, overrides: Partial<DatabaseConfig> = {}): DatabaseConfig {
  const config = databaseConfigOf(inject('postgresUrl'), names.database);
  return { ...config, user: role, password: new Secret('x'), ...overrides };
}

function open(role: string): Database {
  const database = connect(configOf(role));
  onTestFinished(() => database.destroy());
  return database;
}

/** What docs/listener.md has the database's owner make where the migrator may make no schemas. */
const makeSchemas = () =>
  owner.query(`
    CREATE SCHEMA file_processing AUTHORIZATION ${names.migrator};
    CREATE SCHEMA file_processing_queue AUTHORIZATION ${names.migrator};
  `);

/** Both roles, as docs/listener.md describes them. */
async function migrateForListener(): Promise<readonly string[]> {
  await makeSchemas();
  return migrate(configOf(names.migrator, { listenerUser: names.listener }));
}

test('a migrator that may only make schemas migrates', async () => {
  await owner.query(`GRANT CREATE ON DATABASE ${names.database} TO ${names.migrator}`);
  expect(await migrate(configOf(names.migrator))).toEqual(await migrationNames());
  await checkSchema(open(names.migrator));
});

test('a migrator that may make no schema migrates in those that the owner has made', async () => {
  await makeSchemas();
  expect(await migrate(configOf(names.migrator))).toEqual(await migrationNames());
  await checkSchema(open(names.migrator));
});

test('a migrator that owns neither schema, and may make tables in both, migrates for a listener', async () => {
  await owner.query(`
    CREATE SCHEMA file_processing;
    CREATE SCHEMA file_processing_queue;
    GRANT USAGE, CREATE ON SCHEMA file_processing, file_processing_queue TO ${names.migrator};
    GRANT USAGE ON SCHEMA file_processing, file_processing_queue TO ${names.listener};
  `);
  await migrate(configOf(names.migrator, { listenerUser: names.listener }));
  await checkSchema(open(names.listener));
});

test('a migrator without a right is told which one, and makes nothing', async () => {
  const { code, err } = await cli(['migrate'], { DATABASE_URL: urlOf(names.migrator) });
  expect(err).toMatch(
    /^the database refuses this user: permission denied for database rights_\w+; /,
  );
  expect(code).toBe(2);
});

test.each(['migrate', 'migrate --print-sql'])(
  'where the role of DB_LISTENER_USER is missing, %s says so in one line',
  async (command) => {
    await makeSchemas();
    const { code, out, err } = await cli(command.split(' '), {
      DATABASE_URL: urlOf(names.migrator),
      DB_LISTENER_USER: 'nobody_has_made_it',
    });
    expect(err).toBe(
      'the database refuses these rights: role "nobody_has_made_it" does not exist; look at DB_LISTENER_USER, or create the role\n',
    );
    expect(out).toBe('');
    expect(code).toBe(2);
  },
);

test('the listener owns nothing, and may make and change nothing', async () => {
  await migrateForListener();
  const { rows } = await owner.query(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE relowner = $1::regrole
     UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = $1::regrole
     UNION ALL SELECT proname FROM pg_proc WHERE proowner = $1::regrole`,
    [names.listener],
  );
  expect(rows).toEqual([]);
  const listener = open(names.listener);
  for (const statement of [
    'CREATE TABLE file_processing.t ()',
    'CREATE TABLE file_processing_queue.t ()',
    'CREATE SCHEMA s',
    'CREATE TEMPORARY TABLE t ()',
    'ALTER TABLE file_processing_queue.job ADD x int',
    'TRUNCATE file_processing.runs',
    'DROP TABLE file_processing.runs',
    'DELETE FROM file_processing.migrations',
    'UPDATE file_processing.migrations_lock SET is_locked = 1',
  ]) {
    await expect(listener.raw(statement), statement).rejects.toMatchObject({ code: '42501' });
  }
});

test('the queue does all that it does with the rights of the listener', async () => {
  await migrateForListener();
  const database = open(names.listener);
  const errors: Error[] = [];
  const queue = await openQueue(database, (error) => errors.push(error));
  const jobs = ['done', 'back', 'dead'].map((runId) => ({ runId, number: 1, jobId: randomUUID() }));
  await database.transaction((transaction) => queue.enqueue(jobs, transaction));
  const [done, back, dead] = await queue.fetch(3);
  if (!done || !back || !dead) throw new Error('a job is missing');
  expect((await queue.heartbeat([done, back, dead])).size).toBe(3);
  await queue.complete(done);
  await queue.handBack(back);
  await owner.query('UPDATE file_processing_queue.job SET retry_limit = 0 WHERE id = $1', [
    dead.id,
  ]);
  await queue.fail(dead, new Error('no'));
  // The supervisor counts what it sees.
  await eventually(async () =>
    expect(await queue.depth()).toEqual({ waiting: 1, active: 0, deadLetters: 1 }),
  );
  const letters = await queue.deadLetters(10);
  await database.transaction((transaction) =>
    queue.discard(
      letters.map(({ id }) => id),
      transaction,
    ),
  );
  await eventually(async () =>
    expect(await queue.depth()).toEqual({ waiting: 1, active: 0, deadLetters: 0 }),
  );
  await queue.close();
  expect(errors).toEqual([]);
});

test('serve, seed, run and runs do with the rights of the listener', async () => {
  await migrateForListener();
  const root = await temporaryFolder();
  await mkdir(join(root, 'bucket'));
  await writeFile(join(root, 'bucket/a.csv'), 'a,b\n1,2\n');
  const environment = { DATABASE_URL: urlOf(names.listener), LOCAL_S3_ROOT: root };
  const serving = startListenerChild(['serve', '--role', 'worker'], {
    ...environment,
    METRICS_PORT: '0',
  });
  await serving.line('listening');
  for (const parameters of [
    ['seed'],
    ['run', 's3_data_quality_job', '--event-json', eventOf('bucket', 'a.csv')],
    ['runs', 'list'],
    ['check', '--only', 'database'],
  ]) {
    const { code, err } = await cli(parameters, environment);
    expect([code, err], parameters[0]).toEqual([0, '']);
  }
  serving.kill('SIGTERM');
  expect(await serving.ended).toBe(0);
  expect(serving.lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

test('migrate with the rights of the listener finds nothing to do', async () => {
  await migrateForListener();
  const { code, out, err } = await cli(['migrate'], { DATABASE_URL: urlOf(names.listener) });
  expect([code, out, err]).toEqual([0, 'the schema is up to date\n', '']);
});
