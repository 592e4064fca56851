import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { Secret } from '../../../../listener/src/config/database-config.ts';
import { bootstrapDatabase } from '../../../../listener/src/database/bootstrap.ts';
import { connect, type Database } from '../../../../listener/src/database/connection.ts';
import { BootstrapError } from '../../../../listener/src/database/errors.ts';
import { migrate } from '../../../../listener/src/database/migrate.ts';
import { checkSchema } from '../../../../listener/src/database/schema-version.ts';
import { openQueue } from '../../../../listener/src/queue/queue.ts';
import { waitingQuery } from '../../../../src/file-processing/workload/scaling.ts';
import { COMPILE_CACHE } from '../../../support/compile-cache.ts';
import { cli } from '../../support/cli.ts';
import { databaseConfigOf } from '../../support/database-config.ts';
import { setUpOlderVersion } from '../../support/older-version.ts';
import { startTestServer, type TestServer } from '../../support/sns-sockets.ts';

const SCALE = new URL('../../../../docs/scale.md', import.meta.url);
const MAIN = fileURLToPath(new URL('../../../../listener/src/main.ts', import.meta.url));

/** Signs in as the server's superuser, as AWS alone can on RDS. */
let server: pg.Client;
beforeAll(async () => {
  server = new pg.Client({ connectionString: inject('postgresUrl') });
  await server.connect();
});
afterAll(() => server.end());

/** Names of one test: a server's roles are there for all of them. */
interface Names {
  readonly master: string;
  readonly migrator: string;
  readonly listener: string;
  readonly database: string;
}
let names: Names;
const quoted = pg.escapeIdentifier;

beforeEach(async () => {
  const suffix = randomBytes(4).toString('hex');
  // Quotes and capitals, so that a name that is not quoted shows.
  names = {
    master: `master_${suffix}`,
    migrator: `Migrator "${suffix}"`,
    listener: `listener-${suffix}`,
    database: `Files?${suffix}`,
  };
  await server.query(
    `CREATE ROLE ${names.master} LOGIN CREATEROLE CREATEDB PASSWORD 'master-marker'`,
  );
});
afterEach(async () => {
  await server.query(`DROP DATABASE IF EXISTS ${quoted(names.database)} WITH (FORCE)`);
  for (const role of [names.listener, names.migrator, names.master]) {
    await server.query(`DROP ROLE IF EXISTS ${quoted(role)}`);
  }
});

/** Settings of `migrate` and `bootstrap-database`. */
function config(overrides: Partial<ReturnType<typeof databaseConfigOf>> = {}) {
  return {
    ...databaseConfigOf(inject('postgresUrl'), names.database),
    user: names.migrator,
    listenerUser: names.listener,
    ...overrides,
  };
}

function bootstrap() {
  return bootstrapDatabase(config(), {
    user: names.master,
    password: new Secret('master-marker'),
  });
}

test('a server without the role rds_iam is not of Amazon RDS, and no role is left on it', async () => {
  await expect(bootstrap()).rejects.toThrow('the server has no role rds_iam: it is not Amazon RDS');
  expect(await rolesThere()).toEqual([]);
});

describe('on a server of Amazon RDS', () => {
  beforeAll(() => server.query('CREATE ROLE rds_iam'));
  afterAll(() => server.query('DROP ROLE rds_iam'));
  beforeEach(() => server.query(`GRANT rds_iam TO ${names.master} WITH ADMIN OPTION`));

  test('it makes the database and both roles, which sign in by IAM', async () => {
    expect(await bootstrap()).toEqual([
      `database ${names.database}`,
      `role ${names.migrator}`,
      `role ${names.listener}`,
    ]);
    const { rows } = await server.query(
      `SELECT rolcanlogin, rolpassword IS NULL AS without_password, pg_has_role(oid, 'rds_iam', 'MEMBER') AS iam
       FROM pg_authid WHERE rolname = ANY ($1)`,
      [[names.migrator, names.listener]],
    );
    const signsIn = { rolcanlogin: true, without_password: true, iam: true };
    expect(rows).toEqual([signsIn, signsIn]);
  });

  test('a second time changes nothing', async () => {
    await bootstrap();
    expect(await bootstrap()).toEqual([]);
  });

  test('three at once make everything exactly once', async () => {
    const made = await Promise.all([bootstrap(), bootstrap(), bootstrap()]);
    expect(made.flat()).toHaveLength(3);
  });

  test('a database and roles that are there are taken', async () => {
    await server.query(`CREATE DATABASE ${quoted(names.database)} OWNER ${names.master}`);
    await asMaster(`CREATE ROLE ${quoted(names.listener)} NOLOGIN`);
    expect(await bootstrap()).toEqual([`role ${names.migrator}`]);
    const { rows } = await server.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [
      names.listener,
    ]);
    expect(rows).toEqual([{ rolcanlogin: true }]);
  });

  test("others' database is refused with the rights that the master can't grant", async () => {
    await server.query(`CREATE DATABASE ${quoted(names.database)}`);
    const refusal = bootstrap();
    await expect(refusal).rejects.toThrow(BootstrapError);
    await expect(refusal).rejects.toThrow(
      `can't grant CREATE on the database for ${names.migrator}: others own it`,
    );
    expect(await rolesThere()).toEqual([]);
  });

  test("others' role is taken where it may sign in", async () => {
    await server.query(`CREATE ROLE ${quoted(names.listener)} LOGIN`);
    expect(await bootstrap()).toEqual([`database ${names.database}`, `role ${names.migrator}`]);
  });

  test("others' role that may not sign in is refused, since the master can't change it", async () => {
    await server.query(`CREATE ROLE ${quoted(names.listener)} NOLOGIN`);
    await expect(bootstrap()).rejects.toThrow(
      /^the master user "master_\w+" may not do that: .*role/,
    );
  });

  test.each(['SUPERUSER', 'CREATEROLE', 'CREATEDB', 'REPLICATION', 'BYPASSRLS'])(
    'a listener that is %s is refused',
    async (attribute) => {
      await server.query(`CREATE ROLE ${quoted(names.listener)} LOGIN ${attribute}`);
      await expect(bootstrap()).rejects.toThrow('exists and administers the server');
    },
  );

  test('a listener that is a member of rds_superuser is refused', async () => {
    await server.query('CREATE ROLE rds_superuser');
    try {
      await server.query(`CREATE ROLE ${quoted(names.listener)} LOGIN IN ROLE rds_superuser`);
      await expect(bootstrap()).rejects.toThrow('exists and administers the server');
    } finally {
      await server.query('DROP ROLE rds_superuser');
    }
  });

  test('a master that may make no database is refused by its name', async () => {
    await server.query(`ALTER ROLE ${names.master} NOCREATEDB`);
    await expect(bootstrap()).rejects.toThrow(
      `the master user "${names.master}" may not do that: permission denied to create database`,
    );
  });

  test.each<[string, (names: Names) => Partial<Names>]>([
    ['migrator and listener', ({ migrator }) => ({ listener: migrator })],
    ['migrator and master', ({ master }) => ({ migrator: master })],
    ['listener and master', ({ master }) => ({ listener: master })],
  ])('%s cannot be one role', async (_, change) => {
    const given = names;
    const { migrator, listener } = { ...given, ...change(given) };
    const settings = config({ user: migrator, listenerUser: listener });
    const master = { user: given.master, password: new Secret('master-marker') };
    await expect(bootstrapDatabase(settings, master)).rejects.toThrow('must be three roles');
  });

  test('the role by which KEDA counts is made as the page says, the last two statements as the migrator', async () => {
    await bootstrap();
    await server.query(`ALTER ROLE ${quoted(names.migrator)} PASSWORD 'token'`);
    await migrate(config({ password: new Secret('token') }));
    const role = names.master.replace('master', 'scaler');
    const [, text = ''] =
      /```sql\n\s*(CREATE ROLE file_processing_scaler [^`]*)```/.exec(
        readFileSync(SCALE, 'utf8'),
      ) ?? [];
    const statements = text
      .replaceAll('file_processing_scaler', role)
      .replaceAll('etl_db', quoted(names.database))
      .split(/;\s*/)
      .filter(Boolean);
    const { host, port, database } = config();
    const as = async (user: string, password: string, queries: readonly string[]) => {
      const client = new pg.Client({ host, port, database, user, password });
      await client.connect();
      try {
        for (const query of queries) await client.query(query);
      } finally {
        await client.end();
      }
    };
    await as(names.master, 'master-marker', statements.slice(0, -2));
    await as(names.migrator, 'token', statements.slice(-2));
    const count = waitingQuery({
      ...{ db_schema: 'file_processing', max_replicas: 3, backlog_per_pod: 2 },
    });
    await as(role, 'CHANGE-ME', [count]);
    await server.query(`DROP DATABASE ${quoted(names.database)} WITH (FORCE)`);
    await server.query(`DROP ROLE ${role}`);
  });

  test("an older version's database is moved, whose queue is the listener's own", async () => {
    await bootstrap();
    for (const role of [names.migrator, names.listener]) {
      await server.query(`ALTER ROLE ${quoted(role)} PASSWORD 'token'`);
    }
    // As bootstrap and migration of that version left it.
    const there = await connected();
    await there.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${quoted(names.migrator)};
      GRANT ${quoted(names.listener)} TO ${quoted(names.migrator)};
      CREATE SCHEMA pgboss AUTHORIZATION ${quoted(names.listener)}`);
    const { host, port, database, user } = config();
    const address = { host, port, database, user, password: 'token' };
    const older = await setUpOlderVersion(address, { ...address, user: names.listener });
    await older.close();
    await there.query("INSERT INTO public.runs (bucket, key) VALUES ('b', 'k')");

    await migrate(config({ password: new Secret('token') })).finally(() => there.end());
    const listener = connect(config({ user: names.listener, password: new Secret('token') }));
    try {
      await checkSchema(listener);
      const queue = await openQueue(listener, () => undefined);
      expect(await queue.fetch(2)).toHaveLength(1);
      await queue.close();
      expect(await listener('file_processing.runs').pluck('key')).toEqual(['k']);
      expect(await listener('pg_namespace').where({ nspname: 'pgboss' })).toEqual([]);
    } finally {
      await listener.destroy();
    }
  });

  describe('after the migration', () => {
    let listener: Database;
    beforeEach(async () => {
      await bootstrap();
      // What RDS checks by IAM is a password here.
      for (const role of [names.migrator, names.listener]) {
        await server.query(`ALTER ROLE ${quoted(role)} PASSWORD 'token'`);
      }
      await migrate(config({ password: new Secret('token') }));
      listener = connect(config({ user: names.listener, password: new Secret('token') }));
    });
    afterEach(() => listener.destroy());

    test('the listener finds its schema, and its queue works', async () => {
      await checkSchema(listener);
      const errors: Error[] = [];
      const queue = await openQueue(listener, (error) => errors.push(error));
      const jobs = [{ runId: 'run', number: 1, jobId: '0b2f6c0e-2f0c-4c55-9f5e-6f1f4f0a8b11' }];
      await listener.transaction((transaction) => queue.enqueue(jobs, transaction));
      const [job] = await queue.fetch(1);
      if (job) await queue.complete(job);
      expect(await queue.depth()).toMatchObject({ deadLetters: 0 });
      await queue.close();
      expect([job?.runId, errors]).toEqual(['run', []]);
    });

    test('the listener reads and writes the tables, and can neither make nor change one', async () => {
      const mapping = { name: 'm', version: 1, table_schema: '{}' };
      await listener('file_processing.mappings').insert(mapping);
      await listener('file_processing.mappings').update({ version: 2 });
      await listener('file_processing.mappings').delete();
      for (const statement of [
        'CREATE TABLE public.t ()',
        'CREATE TABLE file_processing.t ()',
        'ALTER TABLE file_processing.runs ADD x int',
        'DROP TABLE file_processing.runs',
        'DELETE FROM file_processing.migrations',
        `CREATE SCHEMA s`,
      ]) {
        await expect(listener.raw(statement)).rejects.toMatchObject({ code: '42501' });
      }
    });

    test("all tables are the migrator's, which may not act as the listener", async () => {
      const { rows } = await listener.raw(
        `SELECT DISTINCT tableowner AS owner, pg_has_role(?, ?, 'MEMBER') AS acts
         FROM pg_tables WHERE schemaname IN ('file_processing', 'file_processing_queue')`,
        [names.migrator, names.listener],
      );
      expect(rows).toEqual([{ owner: names.migrator, acts: false }]);
    });

    test('a second migration changes nothing, and gives rights on a table that is new', async () => {
      const migrator = connect(config({ password: new Secret('token') }));
      await migrator.raw('CREATE TABLE file_processing.later (id int)');
      await migrator.destroy();
      await expect(listener('file_processing.later').select()).rejects.toMatchObject({
        code: '42501',
      });
      expect(await migrate(config({ password: new Secret('token') }))).toEqual([]);
      expect(await listener('file_processing.later').select()).toEqual([]);
    });
  });

  describe('as a command', () => {
    const ARN = 'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:rds!db-1-AbCdEf';
    let answer: { status: number; body: unknown };
    let secrets: TestServer;
    beforeEach(async () => {
      const secret = { username: names.master, password: 'master-marker' };
      answer = { status: 200, body: { ARN, SecretString: JSON.stringify(secret) } };
      secrets = await startTestServer((_, response) => {
        response.writeHead(answer.status, { 'Content-Type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify(answer.body));
      });
    });
    afterEach(() => secrets.close());

    function environment(): NodeJS.ProcessEnv {
      const { host, port } = config();
      return {
        ...COMPILE_CACHE,
        AWS_ENDPOINT_URL: secrets.origin,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        DB_MASTER_SECRET_ARN: ARN,
        DB_HOST: host,
        DB_PORT: `${port}`,
        DB_NAME: names.database,
        DB_USER: names.migrator,
        DB_LISTENER_USER: names.listener,
      };
    }

    /** As a process of its own: the SDK reads its credentials from the environment. */
    async function run(given: NodeJS.ProcessEnv) {
      const child = spawn(process.execPath, [MAIN, 'bootstrap-database'], { env: given });
      const said: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text) => said.push(`${text}`));
      const [code] = await once(child, 'close');
      return { code, said: said.join('') };
    }

    test('it says what it made, and the second time that everything is there', async () => {
      const first = await run(environment());
      expect(first).toEqual({
        code: 0,
        said: `made: database ${names.database}, role ${names.migrator}, role ${names.listener}\n`,
      });
      expect(await run(environment())).toEqual({ code: 0, said: 'everything is there\n' });
    });

    test('killed in the middle it leaves no role, and the next one does it all', async () => {
      // Its own role of that name, not committed yet, keeps the command waiting in its transaction.
      const other = new pg.Client({ connectionString: inject('postgresUrl') });
      await other.connect();
      await other.query(`BEGIN; CREATE ROLE ${quoted(names.listener)}`);
      const child = spawn(process.execPath, [MAIN, 'bootstrap-database'], { env: environment() });
      const pid = await waitingBackend();
      child.kill('SIGKILL');
      await once(child, 'close');
      await other.query('ROLLBACK');
      await other.end();
      await backendIsGone(pid);
      expect(await rolesThere()).toEqual([]);
      expect(await run(environment())).toMatchObject({ code: 0 });
      expect(await rolesThere()).toHaveLength(2);
    });

    test('a secret that the role may not read is worth another try', async () => {
      answer = { status: 400, body: { __type: 'AccessDeniedException', Message: 'not you' } };
      const { code, said } = await run(environment());
      expect(said).toContain(
        `the secret ${ARN} can't be read: AccessDeniedException: not you; the role needs`,
      );
      expect(code).toBe(75);
    });

    test.each(['no JSON secret-marker', '{"username":"x","pass":"secret-marker"}', 'null', ''])(
      'a secret that holds %j is refused, and not shown',
      async (SecretString) => {
        answer = { status: 200, body: { ARN, SecretString } };
        const { code, said } = await run(environment());
        expect(said).toContain('does not hold "username" and "password"');
        expect(said).not.toContain('secret-marker');
        expect(code).toBe(2);
      },
    );

    test('a password that the server refuses is not shown', async () => {
      const secret = { username: names.master, password: 'secret-marker' };
      answer = { status: 200, body: { SecretString: JSON.stringify(secret) } };
      const { code, said } = await run(environment());
      expect(said).toMatch(/^the database refuses this connection: password authentication failed/);
      expect(said).not.toContain('secret-marker');
      expect(code).toBe(2);
    });

    test('every variable that is missing or wrong is named at once', async () => {
      const { code, err } = await cli(['bootstrap-database'], {
        DB_HOST: 'db',
        DB_MASTER_SECRET_ARN: 'arn:aws:s3:::bucket',
      });
      for (const name of ['DB_NAME', 'DB_USER', 'DB_LISTENER_USER', 'DB_MASTER_SECRET_ARN']) {
        expect(err).toContain(`- ${name}`);
      }
      expect(code).toBe(2);
    });
  });
});

test('migrate refuses a listener that is the migrator', async () => {
  const { code, err } = await cli(['migrate'], {
    DATABASE_URL: 'postgresql://same@db/files',
    DB_LISTENER_USER: 'same',
  });
  expect(err).toContain('DB_LISTENER_USER="same": DB_USER is the same role');
  expect(code).toBe(2);
});

/** A session on the test's database, as the server's superuser. */
async function connected(): Promise<pg.Client> {
  const { host, port, database, user, password } = databaseConfigOf(
    inject('postgresUrl'),
    names.database,
  );
  const client = new pg.Client({ host, port, database, user, password: password?.reveal() });
  await client.connect();
  return client;
}

async function rolesThere(): Promise<string[]> {
  const { rows } = await server.query('SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)', [
    [names.migrator, names.listener],
  ]);
  return rows.map(({ rolname }) => rolname);
}

async function asMaster(statement: string): Promise<void> {
  const { host, port } = config();
  const client = new pg.Client({
    host,
    port,
    user: names.master,
    password: 'master-marker',
    database: 'postgres',
  });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** Resolves once a bootstrap of this test waits inside its transaction. @returns its process */
async function waitingBackend(): Promise<number> {
  for (;;) {
    const { rows } = await server.query(
      "SELECT pid FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'",
      [names.master],
    );
    if (rows.length > 0) return rows[0].pid;
  }
}

async function backendIsGone(pid: number): Promise<void> {
  for (;;) {
    const { rowCount } = await server.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid]);
    if (rowCount === 0) return;
  }
}
