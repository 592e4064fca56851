import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Transaction } from '../../../../listener/src/database/connection.ts';
import { migrate } from '../../../../listener/src/database/migrate.ts';
import { findRun, listRuns } from '../../../../listener/src/database/runs.ts';
import { migrationNames } from '../../../../listener/src/database/schema-version.ts';
import { SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import { eventually } from '../../../support/eventually.ts';
import { eventOf } from '../../support/cli.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { beginOf, openRun } from '../../support/runs.ts';
import { startS3Server } from '../../support/s3-server.ts';

let given: TestDatabase;
let blocker: Transaction | undefined;
afterEach(async () => {
  // A pool waits for its open transactions before it closes.
  await blocker?.rollback();
  await given.drop();
});

/** Sessions of the program, and whether one waits for a lock of ours. */
async function sessions(): Promise<{ all: number; waiting: number }> {
  const { rows } = await given.database.raw(
    `SELECT count(*)::int AS "all", count(*) FILTER (WHERE wait_event_type = 'Lock')::int AS waiting
     FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'file-processing%'
       AND application_name <> 'file-processing tests'`,
  );
  return rows[0];
}

/** Starts a command that then waits for what a transaction of ours holds. */
async function stuckCommand(parameters: readonly string[], blockingStatement: string) {
  const transaction = await given.database.transaction();
  blocker = transaction;
  await transaction.raw(blockingStatement);
  const child = startListenerChild(parameters, {
    ...{ DATABASE_URL: given.url, UNMONITORED: 'judge', AWS_REGION: 'us-gov-west-1' },
    ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  });
  await eventually(async () => expect((await sessions()).waiting).toBe(1));
  return {
    child,
    /** Lets go, and waits until the server has done with what the command left. */
    async release() {
      await transaction.rollback();
      await eventually(async () => expect((await sessions()).all).toBe(0));
    },
  };
}

const tableExists = async (name: string) => {
  const { rows } = await given.database.raw('SELECT to_regclass(?) IS NOT NULL AS found', [name]);
  return rows[0].found;
};

describe('migrate', () => {
  beforeEach(async () => {
    given = await createTestDatabase('empty');
  });
  // Our uncommitted schema of the same name holds the migration up in the middle.
  const HALFWAY = 'CREATE SCHEMA file_processing';

  test('ends at once with 143, and the database is as it was', async () => {
    const { child, release } = await stuckCommand(['migrate'], HALFWAY);
    child.kill('SIGTERM');
    expect(await child.ended).toBe(143);
    expect(child.errors()).toBe('interrupted by SIGTERM\n');
    await release();
    expect(await tableExists('mappings')).toBe(false);
  });

  test('can be run again after it was interrupted', async () => {
    const { child, release } = await stuckCommand(['migrate'], HALFWAY);
    child.kill('SIGINT');
    expect(await child.ended).toBe(130);
    await release();
    expect(await migrate(given.config)).toEqual(await migrationNames());
  });

  test('serve --migrate that is still starting ends at once as well', async () => {
    const { child, release } = await stuckCommand(['serve', '--migrate', '--role=worker'], HALFWAY);
    child.kill('SIGTERM');
    expect(await child.ended).toBe(143);
    await release();
    expect(await tableExists('mappings')).toBe(false);
  });
});

describe('with tables', () => {
  beforeEach(async () => {
    given = await createTestDatabase();
  });

  test('seed ends at once with 143 and leaves nothing of what it had written', async () => {
    const command = ['seed', SEED_FOLDER];
    const { child, release } = await stuckCommand(command, 'LOCK TABLE monitoring_files');
    child.kill('SIGTERM');
    expect(await child.ended).toBe(143);
    await release();
    expect(await given.database('mappings').pluck('name')).toEqual([]);
  });

  test.each([
    [['runs', 'list'], 'LOCK TABLE runs'],
    [['check', '--only', 'database'], 'LOCK TABLE file_processing.migrations'],
  ])('%s ends at once with 143', async (parameters, blockingStatement) => {
    const { child, release } = await stuckCommand(parameters, blockingStatement);
    child.kill('SIGTERM');
    expect(await child.ended).toBe(143);
    await release();
  });
});

describe('run', () => {
  let s3: Awaited<ReturnType<typeof startS3Server>>;
  beforeEach(async () => {
    given = await createTestDatabase();
    s3 = await startS3Server({
      // Its second half never comes.
      'bucket/slow.csv': { body: 'a,b\n1,2\n', eTag: 'e', gate: new Promise(() => undefined) },
      'bucket/next.csv': { body: 'a,b\n1,2\n', eTag: 'e' },
    });
  });
  afterEach(() => s3.close());

  function startRun(parameters: readonly string[], environment: Record<string, string> = {}) {
    return startListenerChild(['run', 's3_data_quality_job', ...parameters], {
      DATABASE_URL: given.url,
      UNMONITORED: 'judge',
      AWS_REGION: 'us-gov-west-1',
      AWS_ENDPOINT_URL: s3.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ...environment,
    });
  }

  /** Starts a run that is in the middle of its first object. */
  async function runUnderWay(...parameters: readonly string[]) {
    const event = eventOf('bucket', 'slow.csv', 'next.csv');
    const child = startRun(['--event-json', event, ...parameters]);
    await eventually(() => expect(s3.requests).toHaveLength(1));
    return child;
  }

  test('notes the object in hand as interrupted and does not begin the next', async () => {
    const child = await runUnderWay();
    child.kill('SIGTERM');
    expect(await child.ended).toBe(143);
    expect(child.errors()).toBe('interrupted by SIGTERM\n');
    expect(await listRuns(given.database)).toMatchObject([
      { key: 'slow.csv', status: 'error', error: 'interrupted by SIGTERM', verdict: null },
    ]);
  });

  test('leaves the judgement of a message to the queue', async () => {
    const id = await openRun(given.database, { bucket: 'bucket', key: 'slow.csv', eTag: 'e' }, 'm');
    const event = JSON.parse(eventOf('bucket', 'slow.csv'));
    event.Records[0].s3.object.eTag = 'e';
    const child = startRun(['--event-json', JSON.stringify(event)]);
    await eventually(() => expect(s3.requests).toHaveLength(1));
    child.kill('SIGINT');
    expect(await child.ended).toBe(130);
    expect(await findRun(given.database, id)).toMatchObject({
      messageId: 'm',
      number: 2,
      status: 'error',
      error: 'interrupted by SIGINT',
    });
    expect(await beginOf(given.database, id, 1)).toMatchObject({ number: 1, attempts: 1 });
  });

  test('keeps the verdict of the object whose report it is writing', async () => {
    const child = startRun(['--event-json', eventOf('bucket', 'next.csv')], {
      REPORT_PREFIX: 'Unanswered/',
      WRITE_REPORTS: 'true',
    });
    await eventually(() => expect(s3.requests).toHaveLength(2));
    child.kill('SIGTERM');
    expect(await child.ended).toBe(143);
    expect(child.errors()).toBe('interrupted by SIGTERM\n');
    expect(await listRuns(given.database)).toMatchObject([
      { status: 'finished', verdict: 'passed', reportKey: null },
    ]);
  });

  test('--dry-run ends as well', async () => {
    const child = await runUnderWay('--dry-run');
    child.kill('SIGTERM');
    expect(await child.ended).toBe(143);
  });
});
