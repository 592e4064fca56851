import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import {
  closeJudgement,
  finishJudgement,
  judgementsOf,
} from '../../../../listener/src/database/judgements.ts';
import { lastListings } from '../../../../listener/src/database/listed-objects.ts';
import { listRuns } from '../../../../listener/src/database/runs.ts';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import { openIntake } from '../../../../listener/src/intake/accept-message.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { cli } from '../../support/cli.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { beginOf, enqueueRuns, forgetRuns, openRun, PASSED } from '../../support/runs.ts';
import { type ServedListing, type ServedVersion, startS3Server } from '../../support/s3-server.ts';

const HOUR = 3_600_000;
/** Whole seconds, as S3 has it. */
const ago = (milliseconds: number) =>
  new Date(Math.floor((Date.now() - milliseconds) / 1000) * 1000);
const YESTERDAY = ago(24 * HOUR);
const SINCE = '2020-01-01';

let given: TestDatabase;
let queue: Queue;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});

const versions: Record<string, ServedVersion[]> = {};
const listing: ServedListing = { versions, pageSize: 2 };
let server: Awaited<ReturnType<typeof startS3Server>>;
beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  await forgetRuns(given.database);
  await given.database('file_processing_queue.job').delete();
  for (const bucket of Object.keys(versions)) delete versions[bucket];
  server = await startS3Server({}, { listing });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const version = (key: string, given: Partial<ServedVersion> = {}): ServedVersion => ({
  ...{ key: `in/${key}`, eTag: 'e1', size: 10, lastModified: YESTERDAY },
  ...given,
});

async function backfill(
  parameters: readonly string[] = [],
  settings: Readonly<Record<string, string>> = {},
) {
  const since = parameters.includes('--since') ? [] : ['--since', SINCE];
  return cli(['backfill', ...since, ...parameters], { ...environment(), ...settings });
}

function environment(): Record<string, string> {
  return {
    ...{ DATABASE_URL: given.url, DB_SSL: 'disable', AWS_REGION: 'us-gov-west-1' },
    ...{ AWS_ENDPOINT_URL: server.endpoint, S3_BUCKET: 'box', S3_PREFIXES: 'in/' },
  };
}

async function counts(
  parameters: readonly string[] = [],
  settings: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const { out, err } = await backfill([...parameters, '--json'], settings);
  expect(err).toBe('');
  return JSON.parse(out);
}

const runs = () => listRuns(given.database);
const jobs = () =>
  given
    .database('file_processing_queue.job')
    .select('id', 'data', 'priority')
    .orderBy([{ column: 'priority' }, { column: 'id' }]);

describe('an object version without a run', () => {
  test('gets one, and a judgement that a listing asked for, behind what messages bring', async () => {
    versions.box = [version('a.csv', { versionId: 'v1' })];
    expect(await counts(['--reason', 'lost'])).toMatchObject({
      listed: 1,
      missing: 1,
      enqueued: 1,
    });
    const [run] = await runs();
    expect(run).toMatchObject({
      ...{ bucket: 'box', key: 'in/a.csv', versionId: 'v1', eTag: 'e1', sizeBytes: 10 },
      ...{ status: 'queued', messageId: null, askedBy: 'backfill', number: 1 },
    });
    expect(await judgementsOf(given.database, run?.id ?? '')).toMatchObject([
      { number: 1, askedBy: 'backfill', reason: 'lost', status: 'queued' },
    ]);
    await enqueueRuns(given.database, queue, 'of-a-message.csv');
    // A process that has just begun, whose turn for backfill is its twentieth fetched job.
    const other = await openQueue(given.database, () => undefined, { random: () => 0 });
    onTestFinished(() => other.close());
    expect((await other.fetch(1))[0]?.runId).not.toBe(run?.id);
    expect((await other.fetch(1))[0]).toMatchObject({ runId: run?.id, number: 1 });
  });

  test('is judged like any other', async () => {
    versions.box = [version('a.csv')];
    await backfill();
    const [run] = await runs();
    const held = await beginOf(given.database, run?.id ?? '');
    expect(held.object).toMatchObject({ key: 'in/a.csv', eTag: 'e1' });
    await finishJudgement(given.database, held, PASSED);
    expect(await counts()).toMatchObject({ known: 1, missing: 0 });
  });

  test('is found once: the next call knows it', async () => {
    versions.box = [version('a.csv'), version('b.csv', { versionId: 'v1' })];
    expect(await counts()).toMatchObject({ missing: 2 });
    expect(await counts()).toMatchObject({ known: 2, missing: 0, enqueued: 0 });
    expect(await runs()).toHaveLength(2);
    expect(await jobs()).toHaveLength(2);
  });

  test('is found once by two calls at the same time', async () => {
    versions.box = Array.from({ length: 40 }, (_, index) =>
      version(`${index}.csv`, index % 2 === 0 ? { versionId: 'v1' } : {}),
    );
    await Promise.all([backfill(), backfill(), backfill()]);
    expect(await listRuns(given.database, { limit: 100 })).toHaveLength(40);
    expect(await jobs()).toHaveLength(40);
  });

  test('is found after a call that was killed in the middle, with all the others, once', async () => {
    versions.box = [1, 2, 3, 4, 5].map((number) => version(`${number}.csv`));
    const listed = Promise.withResolvers<void>();
    // The second page is never answered.
    listing.onPage = (page) => {
      if (page === 2) listed.resolve();
      return page === 2 ? new Promise(() => undefined) : undefined;
    };
    const killed = startListenerChild(['backfill', '--since', SINCE], {
      ...environment(),
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    });
    await listed.promise;
    killed.kill('SIGKILL');
    await killed.ended;
    expect((await runs()).map(({ key }) => key).sort()).toEqual(['in/1.csv', 'in/2.csv']);
    delete listing.onPage;
    expect(await counts()).toMatchObject({ known: 2, missing: 3 });
    expect(await runs()).toHaveLength(5);
    expect(await jobs()).toHaveLength(5);
  });

  test('is judged once where its message comes at the same time', async () => {
    const accept = openIntake({ database: given.database });
    const names = Array.from({ length: 60 }, (_, index) => `${`${index}`.padStart(2, '0')}.csv`);
    versions.box = names.map((name) => version(name));
    const messages = names.map((name, index) =>
      accept(
        { messageId: `m${index}`, topicArn: 'topic', message: '{}', timestamp: new Date() },
        {
          kind: 'objects',
          objects: [
            {
              ...{ bucket: 'box', key: `in/${name}`, eTag: 'e1', sequencer: '00A1' },
              ...{ eventName: 'ObjectCreated:Put', eventTime: YESTERDAY.toISOString() },
            },
          ],
          ignored: [],
        },
      ),
    );
    await Promise.all([...messages, backfill(), backfill()]);
    const made = await listRuns(given.database, { limit: 200 });
    expect(made.map(({ key }) => key).sort()).toEqual(names.map((name) => `in/${name}`));
    expect(made.every(({ sequencer }) => sequencer === '00A1')).toBe(true);
    expect(await jobs()).toHaveLength(60);
  });

  test('is only counted in a dry run', async () => {
    versions.box = [version('a.csv')];
    expect(await counts(['--dry-run'])).toMatchObject({ missing: 1, enqueued: 0, dryRun: true });
    expect(await runs()).toEqual([]);
    expect((await backfill(['--dry-run'])).out).toContain('1 would be enqueued');
  });
});

describe('which object versions count', () => {
  test('the newest one of a key and older ones that were never judged; deletions do not', async () => {
    versions.box = [
      { key: 'in/a.csv', versionId: 'v3', lastModified: YESTERDAY },
      version('a.csv', { versionId: 'v2' }),
      version('a.csv', { versionId: 'v1', eTag: 'e0' }),
    ];
    expect(await counts()).toMatchObject({ listed: 2, missing: 2 });
    expect((await runs()).map(({ versionId }) => versionId).sort()).toEqual(['v1', 'v2']);
  });

  test('those of the last hour are left to their message', async () => {
    versions.box = [
      version('new.csv', { lastModified: ago(HOUR / 2) }),
      version('old.csv', { lastModified: ago(2 * HOUR) }),
    ];
    expect(await counts()).toMatchObject({ listed: 2, tooYoung: 1, missing: 1 });
    expect((await runs()).map(({ key }) => key)).toEqual(['in/old.csv']);
  });

  test('those that were modified since a time, and before another one', async () => {
    versions.box = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'].map(
      (time, index) => version(`${index}.csv`, { lastModified: new Date(time) }),
    );
    const range = ['--since', '2026-01-02', '--until', '2026-01-03T01:00+01:00'];
    expect(await counts(range)).toMatchObject({ outside: 2, missing: 1 });
    expect((await runs()).map(({ key }) => key)).toEqual(['in/1.csv']);
  });

  test('those since the installation, which is the first migration', async () => {
    const { migrations } = tablesOf(given.database);
    const before = await given.database(migrations).select('id', 'migration_time');
    await given.database(migrations).update({ migration_time: new Date() });
    await given
      .database(migrations)
      .where({ id: before[0]?.id })
      .update({ migration_time: ago(10 * HOUR) });
    versions.box = [
      version('before.csv', { lastModified: ago(11 * HOUR) }),
      version('since.csv', { lastModified: ago(9 * HOUR) }),
    ];
    expect(await counts(['--since', 'installation'])).toMatchObject({ outside: 1, missing: 1 });
  });

  test('those that the listener takes for deliveries: prefix, suffix, no report, no folder', async () => {
    versions.box = [
      version('a.csv'),
      version('a.txt'),
      version('reports/a.csv'),
      version('folder/', { size: 0 }),
      version('a\0.csv'),
      version('a.csv', { key: 'out/a.csv' }),
    ];
    const settings = { S3_SUFFIX: '.csv', REPORT_PREFIX: 'in/reports/' };
    // What is below no prefix is not even listed.
    expect(await counts([], settings)).toMatchObject({ listed: 5, filtered: 4, missing: 1 });
  });

  test('none that can be read only after it was restored', async () => {
    versions.box = [version('a.csv', { storageClass: 'DEEP_ARCHIVE' })];
    expect(await counts()).toMatchObject({ archived: 1, missing: 0 });
  });

  test('those of each prefix of each bucket', async () => {
    versions.box = [version('a.csv', { key: 'x/a.csv' }), version('b.csv', { key: 'y/b.csv' })];
    versions.letters = [version('c.csv', { key: 'z/c.csv' })];
    const S3_BUCKETS = JSON.stringify([
      { name: 'box', prefixes: ['x/', 'y/'] },
      { name: 'letters', prefixes: ['z/'] },
    ]);
    const settings = { S3_BUCKET: '', S3_PREFIXES: '', S3_BUCKETS };
    expect(await counts(['--bucket', 'box', '--prefix', 'y/b'], settings)).toMatchObject({
      listed: 1,
    });
    expect(await counts(['--bucket', 'letters'], settings)).toMatchObject({ listed: 1 });
    expect(await counts([], settings)).toMatchObject({ listed: 3, known: 2, missing: 1 });
  });
});

describe('an object version with a run', () => {
  const told = { bucket: 'box', key: 'in/a.csv', eTag: 'e1', sequencer: '00A1' };
  const at = (time: Date) => ({ ...told, eventTime: time.toISOString() });
  const seconds = (count: number) => new Date(YESTERDAY.getTime() + count * 1000);

  test.each([
    ['a minute before', -60, 'known'],
    ['a minute after', 60, 'known'],
    ['more than a minute before', -61, 'missing'],
    ['more than a minute after', 61, 'missing'],
  ])('of an event %s its last modification is %s s away: %s', async (_, distance, standing) => {
    await openRun(given.database, at(seconds(distance)));
    versions.box = [version('a.csv')];
    expect(await counts()).toMatchObject({ [standing]: 1 });
  });

  test('of the same bytes that were put before is another delivery', async () => {
    await openRun(given.database, at(seconds(-7200)));
    versions.box = [version('a.csv')];
    expect(await counts()).toMatchObject({ missing: 1 });
    expect(await runs()).toHaveLength(2);
  });

  test('of another content is another delivery', async () => {
    await openRun(given.database, { ...at(YESTERDAY), eTag: 'e0' });
    versions.box = [version('a.csv')];
    expect(await counts()).toMatchObject({ missing: 1 });
  });

  test('of a multipart upload that took hours is known by its event', async () => {
    await openRun(given.database, { ...at(seconds(3 * 3600)), eTag: 'e-7' });
    versions.box = [version('a.csv', { eTag: 'e-7' })];
    expect(await counts()).toMatchObject({ known: 1, missing: 0 });
  });

  test('of an event of the same version is known, whatever its time', async () => {
    await openRun(given.database, { ...at(seconds(-7200)), versionId: 'v1' });
    versions.box = [version('a.csv', { versionId: 'v1' })];
    expect(await counts()).toMatchObject({ known: 1 });
  });

  test.each(['gone', 'replaced'] as const)(
    'that ended as %s and is there is asked for again',
    async (status) => {
      const id = await openRun(given.database, at(YESTERDAY));
      await closeJudgement(given.database, await beginOf(given.database, id), status, 'was away');
      versions.box = [version('a.csv')];
      expect(await counts(['--reason', 'back'])).toMatchObject({ again: 1, enqueued: 1 });
      expect(await judgementsOf(given.database, id)).toMatchObject([
        { number: 1, askedBy: 'message', status },
        { number: 2, askedBy: 'backfill', reason: 'back', status: 'queued' },
      ]);
      expect(await jobs()).toMatchObject([{ data: { runId: id, number: 2 }, priority: -10 }]);
      expect(await counts()).toMatchObject({ known: 1, again: 0 });
    },
  );

  test('that ended in an error is left to whoever knows the reason, and counted', async () => {
    const id = await openRun(given.database, at(YESTERDAY));
    await closeJudgement(given.database, await beginOf(given.database, id), 'error', 'no rule');
    versions.box = [version('a.csv')];
    expect(await counts()).toMatchObject({ failed: 1, enqueued: 0 });
    expect(await jobs()).toEqual([]);
  });

  test('that was judged again, to no avail, keeps its verdict and is known', async () => {
    const id = await openRun(given.database, at(YESTERDAY));
    await finishJudgement(given.database, await beginOf(given.database, id), PASSED);
    versions.box = [version('a.csv')];
    expect(await counts()).toMatchObject({ known: 1 });
  });
});

describe('what is said', () => {
  test('the counts, each with what it is about', async () => {
    versions.box = [version('a.csv'), version('b.csv', { lastModified: ago(0) })];
    const { code, out } = await backfill();
    expect(out).toMatch(/^ +2 {2}listed +object versions that are there$/m);
    expect(out).toMatch(/^ +1 {2}tooYoung +of the last hour/m);
    expect(out).toMatch(/^1 enqueued$/m);
    expect(code).toBe(0);
  });

  test('a warning of the log where something was found, else a line of information', async () => {
    versions.box = [version('a.csv')];
    const line = async () => JSON.parse((await backfill(['--log'])).out);
    expect(await line()).toMatchObject({ level: 40, missing: 1, enqueued: 1 });
    expect(await line()).toMatchObject({ level: 30, known: 1, enqueued: 0 });
  });
});

describe('what is refused', () => {
  test.each([
    ['no time', ['backfill'], /--since/],
    ['a time that is none', ['backfill', '--since', 'yesterday'], /It must be a day/],
    ['a day that is none', ['backfill', '--since', '2026-02-30'], /It must be a day/],
    [
      'an end that is the installation',
      [...'backfill --since 2026-01-01 --until installation'.split(' ')],
      /It must be a day/,
    ],
  ])('%s', async (_, parameters, message) => {
    const { code, err } = await cli(parameters);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  test.each([
    ['a bucket that is none of the settings', ['--bucket', 'other'], {}, /--bucket other is none/],
    ['a prefix that no delivery has', ['--prefix', 'out/'], {}, /no key below --prefix out\//],
    ['no bucket at all', [], { S3_BUCKET: '' }, /--bucket is needed/],
    ['a folder in place of S3', [], { LOCAL_S3_ROOT: '.' }, /run judges single files/],
  ])('%s', async (_, parameters, settings, message) => {
    const { code, err } = await backfill(parameters, settings);
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(server.requests).toEqual([]);
  });

  test('a listing that S3 refuses is worth another try, and says which', async () => {
    versions.box = [];
    const { code, err } = await backfill([], { S3_PREFIXES: 'AccessDenied/' });
    expect(err).toMatch(/^s3:\/\/box\/AccessDenied\/ can't be listed: AccessDenied/);
    expect(code).toBe(75);
  });
});

describe('the verdict on what a listing found', () => {
  const quiet = () => given.database('judgements').orderBy('number').pluck('quiet');

  test('is told to nobody, of a new run and of one that had ended', async () => {
    versions.box = [version('a.csv', { versionId: 'v1' })];
    await backfill();
    expect(await quiet()).toEqual([true]);
    const [{ id } = { id: '' }] = await runs();
    await closeJudgement(given.database, await beginOf(given.database, id), 'gone', 'away');
    await backfill();
    expect(await quiet()).toEqual([true, true]);
  });

  test('is told where that is asked for', async () => {
    versions.box = [version('a.csv', { versionId: 'v1' })];
    await backfill(['--notify']);
    expect(await quiet()).toEqual([false]);
  });
});

test('what a listing found is recorded, and a dry run records nothing', async () => {
  await given.database('listings').delete();
  versions.box = [version('a.csv')];
  await backfill(['--dry-run']);
  expect(await lastListings(given.database, 10)).toEqual([]);
  await backfill(['--reason', 'after the outage']);
  expect(await lastListings(given.database, 10)).toMatchObject([
    {
      places: [{ bucket: 'box', prefix: 'in/' }],
      counts: { listed: 1, missing: 1 },
      reason: 'after the outage',
    },
  ]);
});
