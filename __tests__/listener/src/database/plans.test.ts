import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  CLIENTS_SQL,
  deliveriesSql,
  pagesToOpen,
  pastMonthsSql,
  REPORT,
  VACUUM_SQL,
} from '../../../../bench/pages.ts';
import { startConsole } from '../../../../listener/src/console/console.ts';
import { connect, type Database } from '../../../../listener/src/database/connection.ts';
import { listMessages } from '../../../../listener/src/database/sns-messages.ts';
import { openIntake } from '../../../../listener/src/intake/accept-message.ts';
import { clientsOfObjects } from '../../../../listener/src/queue/clients.ts';
import { placeWaiting } from '../../../../listener/src/queue/fair-order.ts';
import { eventually } from '../../../support/eventually.ts';
import { cli } from '../../support/cli.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const JUDGEMENTS = 40_000;
const MONTHS = 14;
/** Rows of a table that may be read one after the other: a list says how many runs there are up to 10,000, for which any will do. */
const MOST_ROWS = { runs: 10_001, others: 1_000 };
const TOKEN = 'a-token-of-the-test';
const NEW_MESSAGES = ['new-a', 'new-b', 'new-c'];
const keyOf = (messageId: string) => `in/client_7/${messageId}.csv`;

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase('migrated', { statementTimeoutMs: 300_000 });
  const secondsApart = (MONTHS * 30.4 * 86_400) / JUDGEMENTS;
  for (const statement of [
    ...CLIENTS_SQL,
    pastMonthsSql(MONTHS + 1),
    deliveriesSql({ count: JUDGEMENTS, secondsApart, report: REPORT }),
    `UPDATE mappings SET table_schema = '{"fields": [{"name": "n", "type": "integer"}]}',
       rules = '[{"rule": "RowCountChange", "last": 5, "warn": {"maxDecrease": 0.2}}]'`,
    `INSERT INTO messages (message_id, topic_arn, type, outcome, message, signed_at, received_at)
     SELECT message_id, 't', 'Notification', 'accepted', '{}', created_at, created_at FROM runs`,
    VACUUM_SQL,
    // What this session itself has read is counted now, and not in the middle of a test.
    'SELECT pg_stat_force_next_flush()',
  ]) {
    await given.database.raw(statement);
  }
});
afterAll(() => given.drop());

/** Tables of which some of the work has read more rows without an index than a list counts, and how many. */
async function readWhole(
  work: (database: Database) => Promise<unknown>,
  on: TestDatabase = given,
): Promise<unknown> {
  await on.database.raw('SELECT pg_stat_reset()');
  const database = connect(on.config, 'plans');
  try {
    await work(database);
  } finally {
    // A session says what it has read once it ends.
    await database.destroy();
  }
  await eventually(async () => {
    const { rows } = await on.database.raw(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND backend_type = 'client backend' AND application_name NOT LIKE '%tests'`,
    );
    expect(rows).toHaveLength(0);
  });
  const { rows } = await on.database.raw(
    `SELECT relname AS table, seq_scan::integer AS scans, seq_tup_read::integer AS rows
     FROM pg_stat_user_tables WHERE relname ~ '^(runs|judgements|messages|reports|job)'
       AND seq_tup_read > seq_scan * CASE relname
         WHEN 'runs' THEN ${MOST_ROWS.runs} ELSE ${MOST_ROWS.others} END
     ORDER BY 1`,
  );
  return rows;
}

/** New files, one of them told of twice, and a message that says nothing. */
async function takeIn(database: Database): Promise<void> {
  const accept = openIntake({ database });
  const one = async (messageId: string, key: string) =>
    accept({ messageId, topicArn: 't', timestamp: new Date(), message: '{}' }, {
      kind: 'objects',
      ignored: [],
      objects: [
        {
          bucket: 'box',
          key,
          sequencer: '1',
          sizeBytes: 4,
          eventName: 'ObjectCreated:Put',
          eventTime: new Date().toISOString(),
          awsRegion: 'us-gov-west-1',
        },
      ],
    } as never);
  for (const id of NEW_MESSAGES) await one(id, keyOf(id));
  expect(await one('new-a', keyOf('new-a'))).toMatchObject({ outcome: 'duplicate' });
  expect(await one('again', keyOf('new-a'))).toMatchObject({ outcome: 'known' });
}

test('intake reads no table as a whole', async () => {
  expect(await readWhole(takeIn)).toEqual([]);
});

test('intake reads none as a whole in a session that has its plans from when all were empty', async () => {
  const small = await createTestDatabase('migrated');
  onTestFinished(() => small.drop());
  await small.database.raw('VACUUM ANALYZE');
  // It would have the plans made anew, though not at once.
  for (const table of ['runs', 'file_processing_queue.job_common']) {
    await small.database.raw(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
  }
  const work = async (database: Database) => {
    const accept = openIntake({ database, clientsOf: async (all) => all.map(() => 'client_7') });
    const take = (id: string) =>
      accept({ messageId: id, topicArn: 't', timestamp: new Date(), message: '{}' }, {
        ...{ kind: 'objects', ignored: [] },
        objects: [{ bucket: 'box', key: id, eTag: 'e', eventName: 'ObjectCreated:Put' }],
      } as never);
    // After five times, PostgreSQL thinks of a plan for any parameters.
    for (let n = 0; n < 8; n += 1) await take(`before-${n}`);
    await small.database.raw(`
      INSERT INTO runs (bucket, key, identity, e_tag) SELECT 'box', n, 'listed e', 'e' FROM generate_series(1, 20000) AS n;
      INSERT INTO file_processing_queue.job (name, priority) SELECT 'runs', n FROM generate_series(1, 20000) AS n`);
    await take('after');
  };
  expect(await readWhole(work, small)).toEqual([]);
});

test('places in the queue are given without reading a table as a whole', async () => {
  const look = async (database: Database) => {
    expect(await placeWaiting(database, clientsOfObjects(database, []), new Map())).toBeGreaterThan(
      0,
    );
  };
  expect(await readWhole(look)).toEqual([]);
});

test('a worker with all that it does again and again reads no table as a whole', async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'box/in/client_7'), { recursive: true });
  for (const id of NEW_MESSAGES) await writeFile(join(root, `box/${keyOf(id)}`), 'n\n1\n');
  const work = async () => {
    const worker = startListenerChild(['serve', '--role', 'worker'], {
      ...{ DATABASE_URL: given.url, METRICS_PORT: '0', LOCAL_S3_ROOT: root, RETENTION_DAYS: '400' },
    });
    const { metricsPort } = (await worker.line('listening')) as { metricsPort?: number };
    await worker.line('what was older than RETENTION_DAYS was deleted');
    await eventually(async () =>
      expect(
        await given.database('runs').whereIn('key', NEW_MESSAGES.map(keyOf)).pluck('status'),
      ).toEqual(NEW_MESSAGES.map(() => 'finished')),
    );
    await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  };
  expect(await readWhole(work)).toEqual([]);
});

test('lists and pages read no table as a whole', async () => {
  const [run] = await given.database('runs').where({ verdict: 'failed' }).limit(1);
  const [bad] = await given.database('runs').where({ status: 'error' }).limit(1);
  const [file] = await given.database('monitoring_files').limit(1);
  const look = async (database: Database) => {
    await listMessages(database, 'accepted', {}, 50);
    for (const command of [
      ['runs', 'list'],
      ['runs', 'list', '--status', 'running'],
      ['runs', 'show', run.id],
      ['dead', 'list'],
      ['history', `${file.id}`],
    ]) {
      const { code, err } = await cli(command, { DATABASE_URL: given.url });
      expect([command, code, err]).toEqual([command, 0, '']);
    }
    const pages = await startConsole({
      ...{ database, port: 0, token: TOKEN, acting: {} as never },
      onError: (error: unknown) => {
        throw error;
      },
    });
    for (const path of Object.values(pagesToOpen({ run: bad.id, file: file.id }))) {
      const answer = await fetch(new URL(path, pages.address), {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      expect([path, answer.status]).toEqual([path, 200]);
      await answer.text();
    }
    await pages.close();
  };
  expect(await readWhole(look)).toEqual([]);
});
