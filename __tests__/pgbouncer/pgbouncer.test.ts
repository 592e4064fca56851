import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openMessageSource, TOPIC_ARN } from '../../bench/intake/signed-messages.ts';
import type { DatabaseConfig } from '../../listener/src/config/database-config.ts';
import { connect, type Database } from '../../listener/src/database/connection.ts';
import { meansUnavailable } from '../../listener/src/database/errors.ts';
import { deleteOld } from '../../listener/src/database/retention.ts';
import { listRuns } from '../../listener/src/database/runs.ts';
import { checkSchema } from '../../listener/src/database/schema-version.ts';
import { openQueue } from '../../listener/src/queue/queue.ts';
import { eventOf } from '../listener/support/cli.ts';
import { startListenerChild } from '../listener/support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';
import { eventually } from '../support/eventually.ts';
import { type PgBouncer, POOL_SIZE, startPgBouncer } from './support/pgbouncer.ts';

let pooler: PgBouncer;
beforeAll(async () => {
  pooler = await startPgBouncer();
});
afterAll(() => pooler.stop());

let given: TestDatabase;
let url: string;
beforeEach(async () => {
  given = await createTestDatabase('empty');
  url = pooler.urlOf(given.config.database);
});
afterEach(() => given.drop());

/** Runs a command through the pooler to its end. */
async function command(parameters: readonly string[], environment: Record<string, string> = {}) {
  const child = startListenerChild(parameters, { DATABASE_URL: url, ...environment });
  const code = await child.ended;
  return { code, said: `${child.lines.map(({ msg }) => `${msg}\n`).join('')}${child.errors()}` };
}

/** A pool through the pooler, in this process. */
function pooled(overrides: Partial<DatabaseConfig> = {}): Database {
  const database = connect({ ...given.config, port: pooler.port, ...overrides });
  onTestFinished(() => database.destroy());
  return database;
}

/** What is left stays; what a queue does in the background holds a transaction open for a moment. */
const nothingIsLeft = () => eventually(async () => expect(await leftBehind()).toEqual([]));

/**
 * What the connections between pooler and server still hold: advisory locks, open transactions and
 * settings of their sessions. Each of them is asked, at the same time as the others.
 */
async function leftBehind(): Promise<unknown[]> {
  const { rows: held } = await given.database.raw(
    `SELECT locktype, mode FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND (locktype = 'advisory' OR state LIKE 'idle in transaction%')`,
  );
  const clients = Array.from({ length: POOL_SIZE }, () => new pg.Client({ connectionString: url }));
  const settings = await Promise.all(
    clients.map(async (client) => {
      await client.connect();
      await client.query('BEGIN');
      const { rows } = await client.query(
        `SELECT name, setting FROM pg_settings
         WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone',
           'standard_conforming_strings')
         UNION ALL SELECT 'role', current_user WHERE current_user <> session_user
         UNION ALL SELECT 'prepared', name FROM pg_prepared_statements`,
      );
      return { client, rows };
    }),
  );
  for (const { client } of settings) {
    await client.query('COMMIT');
    await client.end();
  }
  return [...held, ...settings.flatMap(({ rows }) => rows)];
}

test('migrate five times at once and five times in sequence leaves nothing on the connections', async () => {
  const atOnce = await Promise.all([1, 2, 3, 4, 5].map(() => command(['migrate'])));
  for (let time = 0; time < 5; time += 1) {
    expect(await command(['migrate'])).toEqual({ code: 0, said: 'the schema is up to date\n' });
  }
  expect(atOnce.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
  expect(atOnce.filter(({ said }) => said.startsWith('applied: '))).toHaveLength(1);
  await checkSchema(given.database);
  await nothingIsLeft();
});

test('migrate, seed and run end with 0 and leave nothing on the connections', async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'bucket'));
  await writeFile(join(root, 'bucket/a.csv'), 'a,b\n1,2\n');
  expect(await command(['migrate'])).toMatchObject({ code: 0 });
  expect(await command(['seed'])).toMatchObject({ code: 0 });
  const run = ['run', 's3_data_quality_job', '--event-json', eventOf('bucket', 'a.csv')];
  expect(await command(run, { LOCAL_S3_ROOT: root })).toMatchObject({ code: 0 });
  expect(await command(['runs', 'list'])).toMatchObject({ code: 0 });
  expect(await listRuns(given.database)).toMatchObject([{ key: 'a.csv', status: 'finished' }]);
  await nothingIsLeft();
});

test('of two replicas that delete what is old one works at a time, and no lock is left behind', async () => {
  expect(await command(['migrate'])).toMatchObject({ code: 0 });
  await given.database.raw(
    `INSERT INTO sns_messages (message_id, outcome, topic_arn, type, message, signed_at, received_at)
     SELECT i, 'accepted', 't', 'Notification', '', now(), 'epoch' FROM generate_series(1, 20) AS i`,
  );
  const remove = async () => {
    const database = pooled();
    const queue = await openQueue(database, () => undefined);
    onTestFinished(() => queue.close());
    const often = { batchSize: 2, pauseMs: 0, isStopping: () => false };
    return deleteOld({ database, queue, days: 400, ...often });
  };
  const deleted = await Promise.all([remove(), remove()]);
  const { messages } = await remove();
  expect(deleted.reduce((sum, one) => sum + one.messages, messages)).toBe(20);
  expect(await given.database('sns_messages')).toEqual([]);
  await nothingIsLeft();
});

test('two replicas share the pool, and each message is followed by one verdict', async () => {
  expect(await command(['migrate'])).toMatchObject({ code: 0 });
  const source = await openMessageSource();
  onTestFinished(() => source.close());
  const root = await temporaryFolder();
  const replicas = [1, 2].map(() =>
    startListenerChild(['serve'], {
      DATABASE_URL: url,
      PORT: '0',
      METRICS_PORT: '0',
      SNS_TOPIC_ARNS: TOPIC_ARN,
      AWS_ENDPOINT_URL_SNS: source.origin,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      LOCAL_S3_ROOT: root,
    }),
  );
  const ports = await Promise.all(
    replicas.map(async (each) => (await each.line('listening')).port),
  );
  const answers = await Promise.all(
    source.make(60).map(async (body, index) => {
      const { headers } = notification(body);
      const answer = await fetch(`http://127.0.0.1:${ports[index % 2]}/`, {
        method: 'POST',
        headers,
        body: body.toString(),
      });
      return answer.status;
    }),
  );
  expect(answers.filter((status) => status !== 200)).toEqual([]);
  // No object is there, which is an end as well.
  await eventually(async () => {
    const runs = await listRuns(given.database, { limit: 100 });
    expect(runs.filter(({ status }) => status === 'gone')).toHaveLength(60);
  });
  for (const replica of replicas) replica.kill('SIGTERM');
  expect(await Promise.all(replicas.map(({ ended }) => ended))).toEqual([0, 0]);
  expect(replicas.flatMap(({ lines }) => lines.filter(({ level }) => Number(level) >= 40))).toEqual(
    [],
  );
  await nothingIsLeft();
});

function notification(body: Buffer): { headers: Record<string, string> } {
  const { TopicArn } = JSON.parse(body.toString());
  return {
    headers: {
      'content-type': 'text/plain; charset=UTF-8',
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-topic-arn': TopicArn,
    },
  };
}

test.each<[string, (database: Database) => Promise<unknown>]>([
  ['by itself', (database) => database.raw('SELECT pg_sleep(?)', [600])],
  [
    'in a transaction',
    (database) => database.transaction((each) => each.raw('SELECT pg_sleep(600)')),
  ],
])('a statement %s that is over its time ends on the server behind the pooler', async (_, run) => {
  const database = pooled({ statementTimeoutMs: 100 });
  await expect(run(database)).rejects.toMatchObject({ code: '57014' });
  // The answer goes out before the session is idle, and on a busy machine this one takes its time as well.
  await eventually(async () => {
    const { rows } = await given.database.raw(
      "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()",
    );
    expect(rows).toEqual([]);
  });
  await eventually(() => database.raw('SELECT 1'));
  await nothingIsLeft();
});

test("a statement that waits for a connection of the pooler has its own time, not the pooler's", async () => {
  const waiting = pooled({ statementTimeoutMs: 1_000, connectTimeoutMs: 1_000 });
  await eventually(() => waiting.raw('SELECT 1'));
  const holding = pooled();
  const held = await Promise.all(Array.from({ length: POOL_SIZE }, () => holding.transaction()));
  const refusal = waiting.raw('SELECT 1');
  await expect(refusal).rejects.toThrow('Connection terminated');
  await expect(refusal).rejects.toSatisfy(meansUnavailable);
  await Promise.all(held.map((transaction) => transaction.rollback()));
  await eventually(() => waiting.raw('SELECT 1'));
});

test('a startup parameter that the pooler refuses is configuration, in one line', async () => {
  const { code, said } = await command(['runs', 'list'], {
    PGOPTIONS: '-c statement_timeout=1000',
  });
  expect(said).toMatch(
    /^the database refuses this connection: unsupported startup parameter: options; .*PGOPTIONS.*\n$/,
  );
  expect(code).toBe(2);
});

test('a database that is not there is one line through the pooler too', async () => {
  url = pooler.urlOf('nowhere');
  const { code, said } = await command(['runs', 'list']);
  expect(said).toMatch(/^the database refuses this connection: .*"nowhere".*DB_NAME.*\n$/);
  expect(code).toBe(2);
});
