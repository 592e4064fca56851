import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
import { listRuns } from '../../../../listener/src/database/runs.ts';
import { cli, eventOf } from '../../support/cli.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { forgetRuns } from '../../support/runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A local root with files in a bucket. */
async function rootWith(files: Record<string, string>, bucket = 'bucket'): Promise<string> {
  const root = await temporaryFolder();
  for (const [key, content] of Object.entries(files)) {
    await mkdir(join(root, bucket, key, '..'), { recursive: true });
    await writeFile(join(root, bucket, key), content);
  }
  return root;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

const JOB = ['run', 's3_data_quality_job'];

/** An event of bucket/a.csv that says which version. */
const VERSIONED = JSON.stringify({
  Records: [
    {
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
      s3: { bucket: { name: 'bucket' }, object: { key: 'a.csv', versionId: 'v1' } },
    },
  ],
});

describe('a dry run', () => {
  test.each([
    ['as options', ['--event-json', eventOf('bucket', 'a.csv'), '--dry-run']],
    ['after --', ['--', '--event-json', eventOf('bucket', 'a.csv'), '--dry-run']],
  ])('takes the event %s', async (_, parameters) => {
    const root = await rootWith({ 'a.csv': 'n\n1\n' });
    const { code, out } = await cli([...JOB, ...parameters], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
    });
    expect(code).toBe(0);
    expect(out).toContain('PASSED  bucket/a.csv');
  });

  test('takes events from a file, one a line', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1\n', 'b.csv': 'n\n1,2\n' });
    const file = join(root, 'events.jsonl');
    await writeFile(file, `${eventOf('bucket', 'a.csv')}\n${eventOf('bucket', 'b.csv')}\n`);
    const { code, out } = await cli([...JOB, '--events-file', file, '--dry-run'], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
    });
    expect(code).toBe(1);
    expect(out).toMatch(/PASSED {2}bucket\/a\.csv[\s\S]*FAILED {2}bucket\/b\.csv/);
  });

  test('judges a monitored file by the definitions', async () => {
    const bucket = 'etl-ba-research-client-etl';
    const key = 'from_client/nm_albuquerque/Officer_Detail.csv';
    const root = await rootWith({ [key]: 'officer_id\n1\n' }, bucket);
    const { code, out } = await cli([...JOB, '--event-json', eventOf(bucket, key), '--dry-run'], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
    });
    expect(code).toBe(1);
    expect(out).toContain('missing-label');
  });

  test('prints one report a line with --json', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1\n', 'b.csv': 'n\n1,2\n' });
    const event = eventOf('bucket', 'a.csv', 'b.csv');
    const { out } = await cli([...JOB, '--event-json', event, '--dry-run', '--json'], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
    });
    const verdicts = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).verdict);
    expect(verdicts).toEqual(['passed', 'failed']);
  });

  test('of an object that is gone ends with 66', async () => {
    const root = await rootWith({});
    const event = eventOf('bucket', 'a.csv');
    const { code, out } = await cli([...JOB, '--event-json', event, '--dry-run'], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
    });
    expect(code).toBe(66);
    expect(out).toContain('GONE  bucket/a.csv');
  });
});

test.each([
  ['without an event', []],
  ['with two kinds of event', ['--event-json', '{}', '--events-file', 'f']],
  ['with an event that is not one', ['--event-json', '{}']],
  ['with a file that is not there', ['--events-file', '/nowhere']],
])('a run %s is a fault of usage', async (_, parameters) => {
  expect(await cli([...JOB, ...parameters, '--dry-run'])).toMatchObject({ code: 2 });
});

test('a job that does not exist is named with those that do', async () => {
  expect(await cli(['run', 'other', '--event-json', '{}'])).toMatchObject({
    code: 2,
    err: "there is no job 'other'; jobs: s3_data_quality_job\n",
  });
});

test('with UNMONITORED=fail a dry run of a file without rules ends with 1', async () => {
  const environment = { LOCAL_S3_ROOT: await rootWith({ 'a.csv': 'n\n1\n' }) };
  const job = [...JOB, '--dry-run', '--event-json', eventOf('bucket', 'a.csv')];
  expect(await cli(job, { ...environment, UNMONITORED: 'fail' })).toMatchObject({ code: 1 });
  expect(await cli(job, environment)).toMatchObject({
    ...{ code: 0, out: expect.stringContaining('WARNED  bucket/a.csv\n  No rules: ') },
  });
});

describe('a run with a database', () => {
  let given: TestDatabase;
  beforeAll(async () => {
    given = await createTestDatabase();
  });
  afterAll(() => given.drop());
  beforeEach(() => forgetRuns(given.database));

  const run = (root: string, ...keys: string[]) =>
    cli([...JOB, '--event-json', eventOf('bucket', ...keys)], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
      DATABASE_URL: given.url,
    });

  test('ends with 0 once the verdict is recorded, whatever it is', async () => {
    const { code } = await run(await rootWith({ 'a.csv': 'n\n1,2\n' }), 'a.csv');
    expect(code).toBe(0);
    expect(await listRuns(given.database)).toMatchObject([
      { key: 'a.csv', status: 'finished', verdict: 'failed' },
    ]);
  });

  /** The same object twice: its version says so. */
  const judge = (root: string, ...more: readonly string[]) =>
    cli([...JOB, '--event-json', VERSIONED, ...more], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
      DATABASE_URL: given.url,
    });
  const show = async () =>
    JSON.parse((await cli(['runs', 'show', 'latest', '--json'], { DATABASE_URL: given.url })).out);

  test('judges an object anew that was judged before, and keeps both verdicts', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1,2\n' });
    await judge(root);
    await writeFile(join(root, 'bucket', 'a.csv'), 'n\n1\n');
    await judge(root, '--reason', 'the client sent it again');
    expect(await show()).toMatchObject({
      verdict: 'passed',
      verdictNumber: 2,
      judgements: [
        { number: 1, verdict: 'failed', askedBy: 'operator' },
        { number: 2, verdict: 'passed', reason: 'the client sent it again' },
      ],
    });
  });

  test('runs show says why the only judgement was asked for', async () => {
    await judge(await rootWith({ 'a.csv': 'n\n1\n' }), '--reason', 'the client asked');
    const { out } = await cli(['runs', 'show', 'latest'], { DATABASE_URL: given.url });
    expect(out).toMatch(/^ {2}1 .* passed {2}asked by operator {2}the client asked$/m);
  });

  test('an empty reason is refused, and nothing is judged', async () => {
    const { code, err } = await judge(await rootWith({ 'a.csv': 'n\n1\n' }), '--reason', ' ');
    expect(err).toContain('A reason is needed, in your own words.');
    expect(code).toBe(2);
    expect(await listRuns(given.database)).toEqual([]);
  });

  test('an object that is gone has no verdict, and ends with 66', async () => {
    expect(await run(await rootWith({}), 'a.csv')).toMatchObject({ code: 66 });
    expect(await listRuns(given.database)).toMatchObject([{ status: 'gone', verdict: null }]);
  });

  test('the verdict of an object that has been moved since stands, and the call ends with 66', async () => {
    await judge(await rootWith({ 'a.csv': 'n\n1\n' }));
    const { code, err } = await judge(await rootWith({}));
    expect([code, err]).toEqual([66, 'bucket/a.csv: the verdict of judgement 1 stands: passed\n']);
    expect(await show()).toMatchObject({ status: 'gone', verdict: 'passed', verdictNumber: 1 });
  });

  test('the verdict of an object that cannot be read now stands', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    await judge(await rootWith({ 'a.csv': 'n\n1\n' }));
    const { code } = await cli([...JOB, '--event-json', VERSIONED], {
      AWS_REGION: 'us-gov-west-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      DATABASE_URL: given.url,
    });
    expect(code).toBe(75);
    expect(await show()).toMatchObject({ status: 'error', verdict: 'passed', verdictNumber: 1 });
  });

  test('the most serious of several objects gives the code', async () => {
    const root = await rootWith({ 'b.csv': 'n\n1\n' });
    expect(await run(root, 'a.csv', 'b.csv')).toMatchObject({ code: 66 });
  });

  test('an error that nobody foresaw of one object is told, and the others are judged', async () => {
    await given.database.raw(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'nobody foresaw this'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON runs
        FOR EACH ROW WHEN (NEW.key = 'a.csv') EXECUTE FUNCTION refuse()`);
    onTestFinished(() => given.database.raw('DROP TRIGGER refuse ON runs; DROP FUNCTION refuse'));
    const { code, err, out } = await run(await rootWith({ 'b.csv': 'n\n1\n' }), 'a.csv', 'b.csv');
    expect([code, out]).toEqual([70, expect.stringContaining('PASSED  bucket/b.csv')]);
    expect(err).toMatch(/^bucket\/a\.csv: unexpected error: .*nobody foresaw this/s);
  });

  test('a pod that is started anew says what the one before it recorded', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1,2\n' });
    await judge(root, '--invocation', 'job');
    const again = await judge(root, '--invocation', 'job');
    expect([again.code, again.err]).toEqual([
      0,
      'bucket/a.csv: this invocation has judged it before: failed\n',
    ]);
    expect((await show()).judgements).toHaveLength(1);
  });

  test('an object that cannot be read is worth a retry and does not keep the others back', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const { code, err, out } = await cli(
      [...JOB, '--event-json', eventOf('bucket', 'a.csv', 'b.csv')],
      {
        AWS_REGION: 'us-gov-west-1',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        DATABASE_URL: given.url,
      },
    );
    expect(code).toBe(75);
    expect(err).toMatch(
      /^bucket\/a\.csv: s3:\/\/bucket\/a\.csv can't be read: .*\nbucket\/b\.csv: s3:\/\/bucket\/b\.csv can't/,
    );
    expect(out).toBe('');
    expect(await listRuns(given.database)).toMatchObject([
      { status: 'error' },
      { status: 'error' },
    ]);
  });

  test.each([
    ['region', {}, '- AWS_REGION: is not set, and the AWS SDK finds no region'],
    ['credentials', { AWS_REGION: 'us-gov-west-1' }, '- AWS credentials: Could not load'],
  ])(
    'S3 without %s is a fault of the settings that no run is recorded for',
    async (_, more, says) => {
      const command = startListenerChild([...JOB, '--event-json', eventOf('bucket', 'a.csv')], {
        ...{ DATABASE_URL: given.url, AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' },
        ...more,
      });
      expect(await command.ended).toBe(2);
      expect(command.errors()).toContain(says);
      expect(command.errors()).not.toContain('    at ');
      expect(await listRuns(given.database)).toEqual([]);
    },
  );

  const reporting = (root: string, more: readonly string[] = []) =>
    cli([...JOB, '--event-json', eventOf('bucket', 'a.csv'), ...more], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
      DATABASE_URL: given.url,
      REPORT_PREFIX: 'reports/',
      WRITE_REPORTS: 'true',
    });

  test('writes the report where reports are asked for', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1\n' });
    expect(await reporting(root)).toMatchObject({ code: 0, err: '' });
    const [run] = await listRuns(given.database);
    expect(run?.reportKey).toBe(`reports/a.csv.${run?.id}.1.json`);
    const written = await readFile(join(root, 'bucket', run?.reportKey ?? ''), 'utf8');
    expect(JSON.parse(written)).toMatchObject({ runId: run?.id, verdict: 'passed' });
  });

  test('writes the report of another judgement beside the first one', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1,2\n' });
    const reports = { REPORT_PREFIX: 'reports/', WRITE_REPORTS: 'true' };
    const again = () =>
      cli([...JOB, '--event-json', VERSIONED], {
        LOCAL_S3_ROOT: root,
        UNMONITORED: 'judge',
        DATABASE_URL: given.url,
        ...reports,
      });
    await again();
    await writeFile(join(root, 'bucket', 'a.csv'), 'n\n1\n');
    await again();
    const [run] = await listRuns(given.database);
    const verdicts = [1, 2].map(async (number) => {
      const key = `reports/a.csv.${run?.id}.${number}.json`;
      return JSON.parse(await readFile(join(root, 'bucket', key), 'utf8')).verdict;
    });
    expect(await Promise.all(verdicts)).toEqual(['failed', 'passed']);
  });

  test('writes no report where none is asked for', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1\n' });
    await run(root, 'a.csv');
    expect(await readdir(join(root, 'bucket'))).toEqual(['a.csv']);
  });

  test('a report that cannot be written is worth a retry, its verdict kept and shown', async () => {
    const root = await rootWith({
      'a.csv': 'n\n1\n',
      reports: 'a file in the place of the folder',
    });
    const { code, out, err } = await reporting(root);
    expect(code).toBe(75);
    expect(out).toContain('PASSED  bucket/a.csv');
    expect(err).toMatch(
      /^bucket\/a\.csv: the verdict stands, its report was not written: bucket\/reports\/.* can't be written .*\n$/,
    );
    expect(await listRuns(given.database)).toMatchObject([
      { status: 'finished', verdict: 'passed', reportKey: null },
    ]);
  });

  test('a dry run writes no report', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1\n' });
    expect(await reporting(root, ['--dry-run'])).toMatchObject({ code: 0 });
    expect(await readdir(join(root, 'bucket'))).toEqual(['a.csv']);
  });

  test('runs tell the key of a report', async () => {
    await reporting(await rootWith({ 'a.csv': 'n\n1\n' }));
    const list = await cli(['runs', 'list', '--json'], { DATABASE_URL: given.url });
    const [{ id, reportKey }] = JSON.parse(list.out);
    expect(reportKey).toBe(`reports/a.csv.${id}.1.json`);
    const shown = await cli(['runs', 'show', id], { DATABASE_URL: given.url });
    expect(shown.out).toContain(`report:  ${reportKey}\n`);
  });

  test('a dry run beside it writes nothing', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1\n' });
    await cli([...JOB, '--event-json', eventOf('bucket', 'a.csv'), '--dry-run'], {
      LOCAL_S3_ROOT: root,
      UNMONITORED: 'judge',
      DATABASE_URL: given.url,
    });
    expect(await listRuns(given.database)).toEqual([]);
  });

  test('runs list and runs show tell what was recorded', async () => {
    await run(await rootWith({ 'a.csv': 'n\n1,2\n' }), 'a.csv');
    const list = await cli(['runs', 'list', '--json'], { DATABASE_URL: given.url });
    const [{ id }] = JSON.parse(list.out);
    const shown = await cli(['runs', 'show', id], { DATABASE_URL: given.url });
    expect(shown.out).toMatch(
      /^FAILED[\s\S]*line 2, .*extra-cell[\s\S]*\n\nrun: [\s\S]*verdict: failed/,
    );
    const table = await cli(['runs', 'list', '--verdict', 'passed'], { DATABASE_URL: given.url });
    expect(table.out).toBe('no runs\n');
  });

  test('runs show takes the first 8 characters of a run, and latest', async () => {
    const root = await rootWith({ 'a.csv': 'n\n1\n', 'b.csv': 'n\n1\n' });
    await run(root, 'a.csv');
    await run(root, 'b.csv');
    const [latest, first] = await listRuns(given.database);
    const shown = async (name = '') =>
      (await cli(['runs', 'show', name, '--json'], { DATABASE_URL: given.url })).out;
    expect(JSON.parse(await shown('latest')).id).toBe(latest?.id);
    expect(JSON.parse(await shown(first?.id.slice(0, 8))).id).toBe(first?.id);
  });

  test('a beginning that two runs share is a fault of usage that names them', async () => {
    const ids = ['0f8fad5b-0000-4000-8000-000000000000', '0f8fad5b-ffff-4000-8000-000000000000'];
    for (const id of ids) {
      await given.database('runs').insert({ id, bucket: 'b', key: id, identity: 'version 1' });
    }
    const shown = await cli(['runs', 'show', '0f8fad5b'], { DATABASE_URL: given.url });
    expect([shown.code, shown.out, shown.err]).toEqual([
      2,
      '',
      `more than one run begins with 0f8fad5b: ${ids.join(', ')}\n`,
    ]);
    expect(await cli(['runs', 'show', ids[1] ?? ''], { DATABASE_URL: given.url })).toMatchObject({
      code: 0,
    });
  });

  test.each(['x', 'latest', '0f8fad5', '0f8fad5b', '0f8fad5b%', '0f8fad5bd9cb469f'])(
    'runs show %s finds nothing where there is no run',
    async (name) => {
      const { code, err } = await cli(['runs', 'show', name], { DATABASE_URL: given.url });
      expect([code, err]).toEqual([2, `there is no run ${name}; see runs list\n`]);
    },
  );
});

test('without a database that is named, a run is a fault of configuration', async () => {
  expect(await cli([...JOB, '--event-json', eventOf('bucket', 'a.csv')])).toMatchObject({
    code: 2,
  });
});

test('a database that is unavailable is worth a retry', async () => {
  const DATABASE_URL = 'postgresql://u:p@127.0.0.1:1/x';
  const result = await cli([...JOB, '--event-json', eventOf('bucket', 'a.csv')], { DATABASE_URL });
  expect(result.code).toBe(69);
});
