import { fileURLToPath } from 'node:url';
import pgBossPackage from 'pg-boss/package.json' with { type: 'json' };
import olderPackage from 'pg-boss-12.35/package.json' with { type: 'json' };
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  type MessageSource,
  openMessageSource,
  TOPIC_ARN,
} from '../../../../bench/intake/signed-messages.ts';
import { eventually } from '../../../support/eventually.ts';
import { cli } from '../../support/cli.ts';
import { type ListenerChild, startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const HOOK = fileURLToPath(new URL('../../../support/older-pg-boss.cjs', import.meta.url));

/** In the environment of a process that is to work with the release of pg-boss before ours. */
const OLDER = { NODE_OPTIONS: `--require ${HOOK}` };

let given: TestDatabase;
let source: MessageSource;
beforeEach(async () => {
  given = await createTestDatabase('empty');
  source = await openMessageSource();
});
afterEach(async () => {
  await source.close();
  await given.drop();
});

/** Migrates by the release of pg-boss before ours, which only a process of its own can load. */
async function migratedByOlder(): Promise<void> {
  const child = startListenerChild(['migrate'], { DATABASE_URL: given.url, ...OLDER });
  expect([await child.ended, child.errors()]).toEqual([0, '']);
}

async function migrated(): Promise<void> {
  const { code, err } = await cli(['migrate'], { DATABASE_URL: given.url });
  expect([code, err]).toEqual([0, '']);
}

async function schemaVersion(): Promise<number> {
  const { rows } = await given.database.raw('SELECT version FROM file_processing_queue.version');
  return rows[0].version;
}

interface Replica extends ListenerChild {
  readonly url: string;
}

/** A listener that judges files; none is there, so that each ends at once as `gone`. */
async function replica(environment: Record<string, string> = {}): Promise<Replica> {
  const child = startListenerChild(['serve'], {
    DATABASE_URL: given.url,
    // A pool that a busy machine is slow to serve is no deadlock.
    DB_CONNECT_TIMEOUT_SECONDS: '60',
    PORT: '0',
    METRICS_PORT: '0',
    SNS_TOPIC_ARNS: TOPIC_ARN,
    AWS_ENDPOINT_URL_SNS: source.origin,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    LOCAL_S3_ROOT: await temporaryFolder(),
    ...environment,
  });
  const { port } = await child.line('listening');
  return { ...child, url: `http://127.0.0.1:${port}/` };
}

/** Delivers one message until it is taken, as SNS does. */
async function deliver(url: string, body: string): Promise<void> {
  await eventually(async () => {
    const headers = {
      'content-type': 'text/plain; charset=UTF-8',
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-topic-arn': TOPIC_ARN,
    };
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
  });
}

/** Deliveries that each replica has at the same time. */
const AT_ONCE = 8;

/** Delivers messages to all of them until it is told to stop. */
function load(...replicas: readonly Replica[]) {
  let stopping = false;
  let count = 0;
  const going = Promise.all(
    replicas
      .flatMap((each) => Array(AT_ONCE).fill(each))
      .map(async ({ url }) => {
        while (!stopping) {
          const [body] = source.make(1);
          await deliver(url, `${body}`);
          count += 1;
        }
      }),
  );
  onTestFinished(() => {
    stopping = true;
  });
  return {
    /** Waits for so many more messages. */
    async more(messages: number) {
      const goal = count + messages;
      await eventually(() => expect(count).toBeGreaterThanOrEqual(goal));
    },
    /** @returns how many were taken in all */
    async stop() {
      stopping = true;
      await going;
      return count;
    },
  };
}

/** How many runs and jobs there are in each state, once all runs have ended. */
async function ended(runs: number): Promise<unknown> {
  return eventually(async () => {
    const { rows } = await given.database.raw(
      'SELECT status, count(*) AS count FROM runs GROUP BY status',
    );
    expect(rows).toEqual([{ status: 'gone', count: runs }]);
    const jobs = await given.database.raw(
      'SELECT state::text, count(*) AS count FROM file_processing_queue.job GROUP BY state',
    );
    expect(jobs.rows).toEqual([{ state: 'completed', count: runs }]);
  });
}

/** What went wrong in a process, deadlocks among it. */
const failures = ({ lines }: ListenerChild) => lines.filter(({ level }) => Number(level) >= 40);

test('working replicas get over an upgrade of pg-boss without a deadlock or a lost job', async () => {
  await migratedByOlder();
  expect(await schemaVersion()).toBe(olderPackage.pgboss.schema);
  const older = await Promise.all([replica(OLDER), replica(OLDER)]);
  const before = load(...older);
  await before.more(100);

  await migrated();
  expect(await schemaVersion()).toBe(pgBossPackage.pgboss.schema);
  await before.more(100);
  const newer = await replica();
  const beside = load(newer);
  await before.more(100);
  await beside.more(100);

  const taken = (await before.stop()) + (await beside.stop());
  await ended(taken);
  expect([...older, newer].flatMap(failures)).toEqual([]);
});

test('a worker of the older release starts on the newer schema, and judges what the newer one took', async () => {
  await migratedByOlder();
  await migrated();
  const intake = startListenerChild(['migrate'], { DATABASE_URL: given.url, ...OLDER });
  expect(await intake.ended).toBe(0);
  expect(await schemaVersion()).toBe(pgBossPackage.pgboss.schema);
  const older = await replica(OLDER);
  for (const body of source.make(3)) await deliver(older.url, `${body}`);
  await ended(3);
  expect(failures(older)).toEqual([]);
});
test('the indexes of the upgrade are there, and none is left for a listener to build', async () => {
  await migratedByOlder();
  // As when nobody has looked for some to build for a while: then it is anybody's turn.
  await given.database.raw('UPDATE file_processing_queue.version SET bam_on = NULL');
  await migrated();
  const { rows } = await given.database.raw(
    `SELECT (SELECT count(*) FROM file_processing_queue.bam WHERE status <> 'completed') AS waiting,
       (SELECT count(*) FROM pg_index WHERE NOT indisvalid) AS invalid,
       (SELECT count(*) FROM pg_indexes WHERE schemaname = 'file_processing_queue' AND indexname = 'job_common_i17') AS made`,
  );
  expect(rows).toEqual([{ waiting: 0, invalid: 0, made: 1 }]);
});
