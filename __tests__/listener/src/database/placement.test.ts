import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { S3Event } from '@file-processing/contract/s3-event.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate, printMigration } from '../../../../listener/src/database/migrate.ts';
import { checkSchema, migrationNames } from '../../../../listener/src/database/schema-version.ts';
import { openIntake } from '../../../../listener/src/intake/accept-message.ts';
import { openQueue } from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { cli } from '../../support/cli.ts';
import { type OlderVersion, setUpOlderVersion } from '../../support/older-version.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const MIGRATE_SCRIPT = fileURLToPath(new URL('../../support/migrate-process.ts', import.meta.url));
const REPLICA_SCRIPT = fileURLToPath(
  new URL('../../support/older-listener-process.ts', import.meta.url),
);

/** An event for an object as the replicas of the older version record it. */
function eventOf(key: string): S3Event {
  return {
    kind: 'objects',
    objects: [{ bucket: 'b', key, eventName: 'ObjectCreated:Put' }],
    ignored: [],
  };
}

let given: TestDatabase;
beforeEach(async () => {
  given = await createTestDatabase('empty');
});
afterEach(() => given.drop());

/** Every relation that somebody made, with its schema. */
async function relations(): Promise<string[]> {
  const { rows } = await given.database.raw(
    `SELECT relnamespace::regnamespace || '.' || relname AS name FROM pg_class
     WHERE relkind IN ('r', 'p', 'v') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
     ORDER BY 1`,
  );
  return rows.map(({ name }: { name: string }) => name);
}

describe('a schema in which others have something', () => {
  test.each([
    ['a table', 'CREATE SCHEMA file_processing; CREATE TABLE file_processing.runs (theirs int)'],
    ['a view', 'CREATE SCHEMA file_processing; CREATE VIEW file_processing.v AS SELECT 1'],
    [
      "another application's migrations",
      `CREATE SCHEMA file_processing; CREATE TABLE file_processing.migrations (name text);
       INSERT INTO file_processing.migrations VALUES ('2020_theirs.js')`,
    ],
    [
      'a table where the queue belongs',
      'CREATE SCHEMA file_processing_queue; CREATE TABLE file_processing_queue.t ()',
    ],
    [
      "another application's pg-boss",
      `CREATE SCHEMA file_processing_queue; CREATE TABLE file_processing_queue.version (version int);
       CREATE TABLE file_processing_queue.queue (name text);
       INSERT INTO file_processing_queue.queue VALUES ('mail')`,
    ],
  ])('is refused in one line, and nothing is made: %s', async (_, statements) => {
    await given.database.raw(statements);
    const before = await relations();
    const { code, out, err } = await cli(['migrate'], { DATABASE_URL: given.url });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(
      /^the schema "file_processing(_queue)?" holds what is not the listener's: .*\n$/,
    );
    expect(await relations()).toEqual(before);
  });

  test('a word that SQL keeps for itself is refused', async () => {
    const { code, err } = await cli(['migrate'], { DATABASE_URL: given.url, DB_SCHEMA: 'user' });
    expect(err).toMatch(/^DB_SCHEMA="user": PostgreSQL keeps this word for itself.*\n$/);
    expect(code).toBe(2);
  });

  test('is taken where it is empty', async () => {
    await given.database.raw('CREATE SCHEMA file_processing; CREATE SCHEMA file_processing_queue');
    await migrate(given.config);
    await expect(checkSchema(given.database)).resolves.toBeUndefined();
  });
});

describe('a database of an older version', () => {
  let older: OlderVersion;
  beforeEach(async () => {
    older = await setUpOlderVersion({ connectionString: given.url });
  });
  afterEach(() => older.close());

  const query = async (statement: string) => (await given.database.raw(statement)).rows;

  /** One run of each state, with jobs as such a version had them. @returns ids by key */
  async function fill(): Promise<Record<string, string>> {
    await query(`
      INSERT INTO public.sns_messages (message_id, topic_arn, type, outcome, message, signed_at)
      VALUES ('m', 't', 'Notification', 'accepted', '{}', now());
      INSERT INTO public.runs (message_id, bucket, key) VALUES ('m', 'b', 'queued');
      INSERT INTO public.runs (bucket, key, status, started_at, attempts)
      VALUES ('b', 'running', 'running', now(), 1);
      INSERT INTO public.runs (bucket, key, status, error, finished_at)
      VALUES ('b', 'dead', 'error', 'no rights', now());
      INSERT INTO public.runs (bucket, key, status, started_at, finished_at, attempts, verdict, report,
        row_count, byte_count, fault_count)
      SELECT 'b', key, 'finished', now(), now(), 1, 'passed', '{}', 1, 1, 0
      FROM unnest(ARRAY['finished', 'without report']) AS key;
    `);
    const rows = await query('SELECT id, key FROM public.runs');
    const ids: Record<string, string> = Object.fromEntries(
      rows.map(({ id, key }: { id: string; key: string }) => [key, id]),
    );
    await older.boss.send('runs', { runId: ids.dead });
    const [job] = await older.boss.fetch('runs');
    await older.boss.fail('runs', job?.id ?? '', { message: 'no rights' });
    await older.boss.send('runs', { runId: ids.queued });
    await older.boss.send('runs', { runId: ids['without report'] });
    return ids;
  }

  /** Sessions of a migration, or those of them that wait for a lock. */
  const sessions = (condition = '') =>
    query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'file-processing migrate'
       AND datname = current_database() ${condition && `${condition} = 'Lock'`}`,
    );

  /** A listener of that version. */
  async function startReplica() {
    const child = fork(REPLICA_SCRIPT, [given.url], { execPath: process.execPath });
    await once(child, 'message');
    const answers = new Map<string, (recorded: boolean) => void>();
    child.on('message', ({ key, recorded }: { key: string; recorded: boolean }) =>
      answers.get(key)?.(recorded),
    );
    return {
      /** @returns whether it was recorded: else it answers 503 */
      accept: (key: string) =>
        new Promise<boolean>((resolve) => {
          answers.set(key, resolve);
          child.send(key);
        }),
      async end() {
        child.disconnect();
        await once(child, 'exit');
      },
    };
  }

  async function queueContents() {
    const queue = await openQueue(given.database, (error) => {
      throw error;
    });
    const jobs = await queue.fetch(100_000);
    const dead = await queue.deadLetters(10);
    await queue.close();
    return { jobs: jobs.map(({ runId }) => runId).sort(), dead };
  }

  test('is moved with its rows, jobs and dead letters, and said so', async () => {
    const ids = await fill();
    const { code, out } = await cli(['migrate'], { DATABASE_URL: given.url });
    expect(code).toBe(0);
    expect(out).toContain(
      'moved: the tables of an older version into the schema file_processing, with 3 jobs and 1 dead letters\n',
    );
    await expect(checkSchema(given.database)).resolves.toBeUndefined();
    expect(await query('SELECT key FROM file_processing.runs')).toHaveLength(5);
    expect(await given.database('migrations').orderBy('id').pluck('name')).toEqual(
      await migrationNames(),
    );
    const { jobs, dead } = await queueContents();
    expect(jobs).toEqual([ids.queued, ids.running, ids['without report']].sort());
    expect(dead).toMatchObject([{ runId: ids.dead, attempts: 1, error: 'no rights' }]);
  });

  test('leaves nothing behind but the notice that keeps an older version out', async () => {
    await fill();
    await migrate(given.config);
    const left = (await relations()).filter((name) => !name.startsWith('file_processing'));
    expect(left).toEqual(['public.monitoring_files']);
    await expect(setUpOlderVersion({ connectionString: given.url })).rejects.toThrow(
      '"monitoring_files" already exists',
    );
    expect(await migrate(given.config)).toEqual([]);
  });

  test('on which others have a view of its runs is refused in one line, and left as it was', async () => {
    await fill();
    await query('CREATE VIEW public.theirs AS SELECT key, verdict FROM public.runs');
    const { code, err } = await cli(['migrate'], { DATABASE_URL: given.url });
    expect([code, err]).toEqual([
      2,
      'a migration changes what others depend on: view theirs depends on table file_processing.runs; drop that, migrate, and make it anew\n',
    ]);
    expect(await query('SELECT key FROM public.runs')).toHaveLength(5);
  });

  test("others' migrations, queues and views stay, and so do the tables that hold them", async () => {
    await fill();
    await query(`
      INSERT INTO public.knex_migrations (name, batch, migration_time) VALUES ('theirs.js', 1, now());
      CREATE VIEW public.theirs AS SELECT count(*) FROM public.sns_messages;
    `);
    await older.boss.createQueue('mail');
    await older.boss.send('mail', { to: 'somebody' });
    await migrate(given.config);
    expect(await query('SELECT name FROM public.knex_migrations')).toEqual([{ name: 'theirs.js' }]);
    expect(await query('SELECT * FROM public.theirs')).toEqual([{ count: 1 }]);
    expect((await older.boss.getQueues()).map(({ name }) => name)).toEqual(['mail']);
    expect(await query('SELECT name FROM pgboss.job')).toEqual([{ name: 'mail' }]);
  });

  test("a table of others' in pg-boss's schema keeps it", async () => {
    await query('CREATE TABLE pgboss.theirs ()');
    await migrate(given.config);
    expect(await relations()).toContain('pgboss.theirs');
    expect(await query('SELECT name FROM pgboss.queue')).toEqual([]);
  });

  test('with only part of it there is refused, and left as it is', async () => {
    await query('DROP TABLE public.runs');
    const before = await relations();
    const { code, err } = await cli(['migrate'], { DATABASE_URL: given.url });
    expect(code).toBe(2);
    expect(err).toMatch(/^the schema "public" holds .* but lacks runs: .*\n$/);
    expect(await relations()).toEqual(before);
  });

  test.each([
    ['waits for the tables', 'LOCK TABLE public.runs IN ACCESS SHARE MODE'],
    ['has moved them', 'CREATE SCHEMA file_processing_queue'],
    ['takes the older queue away', 'LOCK TABLE pgboss.version IN ACCESS SHARE MODE'],
  ])('is as it was after a migration that is killed while it %s', async (_, blocking) => {
    const ids = await fill();
    const before = await relations();
    const blocker = await given.database.transaction();
    await blocker.raw(blocking);
    const child = fork(MIGRATE_SCRIPT, [given.url], { execPath: process.execPath });
    await eventually(async () => expect(await sessions('AND wait_event_type')).toHaveLength(1));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await blocker.rollback();
    await eventually(async () => expect(await sessions()).toEqual([]));
    expect(await relations()).toEqual(before);
    expect(await query('SELECT name FROM pgboss.job')).toHaveLength(4);

    await migrate(given.config);
    const { jobs, dead } = await queueContents();
    expect(jobs).toEqual([ids.queued, ids.running, ids['without report']].sort());
    expect(dead).toMatchObject([{ runId: ids.dead }]);
  });

  test('is moved under replicas of that version that work, and no message is lost', async () => {
    const replicas = await Promise.all([startReplica(), startReplica()]);
    const keys: string[] = [];
    const accepted: string[] = [];
    let migration: Promise<unknown> | undefined;
    let migrated = false;
    const deliver = async (replica: (typeof replicas)[number]) => {
      const key = `file ${keys.length}`;
      keys.push(key);
      const recorded = await replica.accept(key);
      if (recorded) accepted.push(key);
      return recorded;
    };
    const deliverTillMigrated = async (replica: (typeof replicas)[number]) => {
      while (!migrated) {
        await deliver(replica);
        if (accepted.length < 100) continue;
        migration ??= migrate(given.config).finally(() => {
          migrated = true;
        });
      }
    };
    const senders = replicas.flatMap((replica) => [replica, replica, replica, replica]);
    await Promise.all(senders.map(deliverTillMigrated));
    await migration;
    expect(await Promise.all(replicas.map(deliver))).toEqual([false, false]);
    await Promise.all(replicas.map((replica) => replica.end()));

    const keysOfRuns = () => given.database('file_processing.runs').orderBy('key').pluck('key');
    expect(await keysOfRuns()).toEqual([...accepted].sort());
    // SNS comes again with what was refused, and may do so with the rest.
    const accept = openIntake({ database: given.database });
    const envelope = { topicArn: 't', timestamp: new Date(), message: '{}' };
    await Promise.all(keys.map((key) => accept({ ...envelope, messageId: key }, eventOf(key))));
    expect(await keysOfRuns()).toEqual([...keys].sort());

    // Judged by an older replica before, or to be judged now.
    const waiting = await given
      .database('file_processing.runs')
      .where({ verdict: null })
      .pluck('id');
    const { jobs } = await queueContents();
    expect(jobs).toEqual(expect.arrayContaining(waiting));
    expect(jobs).toHaveLength(new Set(jobs).size);
  });

  test('is out of reach for its replicas also where the schema has the name of the user', async () => {
    const replica = await startReplica();
    // The search path of PostgreSQL begins with it.
    await migrate({ ...given.config, schema: given.config.user });
    expect(await replica.accept('file')).toBe(false);
    await replica.end();
    expect(await given.database(`${given.config.user}.runs`).select()).toEqual([]);
  });

  test('is left alone by an installation that has its own tables', async () => {
    await older.close();
    const other = await createTestDatabase('migrated');
    try {
      older = await setUpOlderVersion({ connectionString: other.url });
      expect(await migrate(other.config)).toEqual([]);
      expect(await other.database('public.runs').select()).toEqual([]);
      await other
        .database('migrations')
        .where({ name: (await migrationNames()).at(-1) })
        .delete();
      // Nothing of the queue is missing, and nothing is to be moved.
      expect(await printMigration(other.config)).not.toMatch(/public\.|CREATE TYPE/);
    } finally {
      await older.close();
      await other.drop();
    }
  });
});
