import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  finishJudgement,
  requestJudgements,
} from '../../../../listener/src/database/judgements.ts';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { lookAtPeriods } from '../../../../listener/src/database/period-clock.ts';
import type { Schedule } from '../../../../listener/src/schedule/schedule.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, PASSED } from '../../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await storeMapping(given.database, {
    ...{ name: 'officers', version: 1, tableSchema: {}, dialect: {}, thresholds: {} },
  });
});
afterAll(() => given?.drop());
beforeEach(async () => {
  await given.database.raw(
    'TRUNCATE monitoring_files, judgements, runs, period_verdicts, period_clock RESTART IDENTITY CASCADE',
  );
});

const MONTHLY: Schedule = {
  ...{ every: 'P1M', due: 'P4DT17H', grace: 'P3D', timeZone: 'America/Denver', set: 'month' },
};

async function monitored(client: string, name: string): Promise<number> {
  await upsertMonitoringFile(given.database, {
    ...{ client, bucket: 'bucket', keyPattern: `in/${client}/${name}*.csv`, active: true },
    ...{ mappingName: 'officers', mappingVersion: 1, description: '', schedule: MONTHLY },
  });
  const [{ id }] = await given
    .database('monitoring_files')
    .where({ key_pattern: `in/${client}/${name}*.csv` })
    .select('id');
  return id;
}

let version = 0;

async function delivered(id: number, time: string, key: string, result: object = {}) {
  version += 1;
  const object = { bucket: 'bucket', key, versionId: `v${version}`, eventTime: time };
  const held = await begin(given.database, object);
  await finishJudgement(given.database, held, {
    ...{ ...PASSED, ...result },
    monitored: { monitoringFileId: id, mappingName: 'officers', mappingVersion: 1 },
  });
  return held.runId;
}

const run = (parameters: readonly string[]) => cli(parameters, { DATABASE_URL: given.url });
const words = (text: string) => text.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '));

const look = (time: string) =>
  lookAtPeriods({ database: given.database, now: new Date(`${time}Z`) });

/** October of two files, of which one came; November of both is not due yet. */
async function twoMonths(): Promise<{ runId: string }> {
  const officers = await monitored('nm', 'officers');
  await monitored('nm', 'cases');
  await look('2026-10-20T00:00');
  const runId = await delivered(officers, '2026-11-03T10:00:00Z', 'in/nm/officers_10.csv', {
    ...{ verdict: 'warned', faultCount: 2 },
  });
  await given.database('period_clock').update({ looked_at: '2026-11-21T00:00:00Z' });
  await look('2026-11-21T00:00');
  return { runId };
}

describe('deliveries', () => {
  test('lists what was due and what came of it, the last due first', async () => {
    const { runId } = await twoMonths();
    const { code, out } = await run(['deliveries']);
    expect([code, words(out)]).toEqual([
      0,
      [
        'period  due  state  verdict  delivered  run  client  file or set',
        '2026-11  2026-12-05 17:00 America/Denver  expected  -  -  -  nm  set month',
        '2026-11  2026-12-05 17:00 America/Denver  expected  -  -  -  nm  bucket/in/nm/cases*.csv',
        '2026-11  2026-12-05 17:00 America/Denver  expected  -  -  -  nm  bucket/in/nm/officers*.csv',
        '2026-10  2026-11-05 17:00 America/Denver  missing  -  -  -  nm  set month',
        '2026-10  2026-11-05 17:00 America/Denver  missing  -  -  -  nm  bucket/in/nm/cases*.csv',
        `2026-10  2026-11-05 17:00 America/Denver  received  warned  2026-11-03T10:00:00.000Z  ${runId}  nm  bucket/in/nm/officers*.csv`,
        'periods: 3 expected, 2 missing, 1 received',
        '',
      ],
    ]);
  });

  test('says that a corrected one has another verdict, not a better one', async () => {
    await twoMonths();
    await delivered(1, '2026-11-04T10:00:00Z', 'in/nm/officers_10.csv', { verdict: 'failed' });
    await look('2026-11-21T00:01');
    const { out } = await run(['deliveries', '--state', 'corrected']);
    expect(words(out)).toEqual([
      expect.any(String),
      expect.stringMatching(/^2026-10 .* {2}corrected {2}failed {2}/),
      'periods: 1 corrected (another verdict than before, better or worse)',
      '',
    ]);
  });

  test.each([
    [['--state', 'missing'], 2],
    [['--period', '2026-10'], 3],
    [['--period', '2026'], 6],
    [['--period', '2026-Q4'], 0],
    [['--period', '2024-02-29'], 0],
    [['--period', '2026-11-09/P1W'], 0],
    [['--period', '2026-11-05 17:00'], 0],
    [['--set', 'month', '--period', '2026'], 6],
    [['--file', 'bucket/in/nm/cases*.csv'], 2],
    [['--client', 'nm', '--state', 'received'], 1],
  ])('narrows them by %j', async (options, count) => {
    await twoMonths();
    const { out } = await run(['deliveries', ...options, '--json']);
    expect(JSON.parse(out).periods).toHaveLength(count);
  });

  test('lists them a page at a time, each once', async () => {
    await twoMonths();
    const seen: number[] = [];
    for (let after: string[] = []; seen.length < 6; after = ['--after', `${seen.at(-1)}`]) {
      const { out } = await run(['deliveries', '--limit', '2', '--json', ...after]);
      seen.push(...JSON.parse(out).periods.map(({ id }: { id: number }) => id));
    }
    expect(new Set(seen).size).toBe(6);
    expect((await run(['deliveries', '--after', `${seen.at(-1)}`])).out).toBe(
      'no periods: only monitored files and sets with a schedule have them\n',
    );
  });

  test('says how the next page is listed', async () => {
    await twoMonths();
    expect((await run(['deliveries', '--limit', '2'])).out).toMatch(
      /; the next ones: --after \d+\n$/,
    );
  });

  test.each([
    [['--client', 'ca'], 'no active monitored file is of client ca; known: nm'],
    [['--file', '99'], 'there is no monitored file 99; see rules list'],
    [['--after', 'x'], 'The number is needed'],
    [['--after', '99'], 'there is no period 99; see deliveries'],
    [['--set', 'week'], 'no set is week; known: month'],
    [['--period', '2026-13'], 'It must be a year (2026), quarter (2026-Q4)'],
    [['--period', '2026-00'], 'It must be a year'],
    [['--period', '2026-02-29'], 'It must be a year'],
    [['--period', '2026-Q5'], 'It must be a year'],
    [['--period', '202'], 'It must be a year'],
    [['--period', 'November'], 'It must be a year'],
    [['--state', 'lost'], 'Allowed choices are expected, late, missing'],
  ])('refuses %j', async (options, message) => {
    await twoMonths();
    const { code, err } = await run(['deliveries', ...options]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('history', () => {
  /** A delivery that was judged twice. */
  async function judgedTwice() {
    const id = await monitored('nm', 'officers');
    await look('2026-10-20T00:00');
    const runId = await delivered(id, '2026-11-03T10:00:00Z', 'in/nm/officers, "new".csv', {
      ...{ verdict: 'failed', faultCount: 2 },
    });
    await given.database.transaction((transaction) =>
      requestJudgements(transaction, [runId], { askedBy: 'operator' }),
    );
    const held = await beginOf(given.database, runId, 2);
    await finishJudgement(given.database, held, {
      ...PASSED,
      monitored: { monitoringFileId: id, mappingName: 'officers', mappingVersion: 1 },
    });
    await look('2026-11-04T00:00');
    await given.database('judgements').update({
      started_at: '2026-11-03T10:00:20Z',
      finished_at: given.database.raw(
        `'2026-11-03T10:00:30Z'::timestamptz + number * interval '1 s'`,
      ),
    });
    return { id, runId };
  }

  test('shows deliveries with their verdicts, the last judged first', async () => {
    const { id, runId } = await judgedTwice();
    expect(words((await run(['history', `${id}`])).out)).toEqual([
      'delivered  period  verdict  rows  faults  seconds  run  key',
      `2026-11-03T10:00:00.000Z  2026-10  passed  3  0  12  ${runId}  in/nm/officers, "new".csv`,
      `2026-11-03T10:00:00.000Z  2026-10  failed (replaced)  3  2  11  ${runId}  in/nm/officers, "new".csv`,
      '',
    ]);
  });

  test('exports them as CSV', async () => {
    const { id, runId } = await judgedTwice();
    expect((await run(['history', `${id}`, '--csv'])).out.split('\r\n')).toEqual([
      'period,delivered_at,verdict,stands,rows,bytes,faults,judged_at,seconds_to_verdict,seconds_of_judgement,asked_by,mapping,run,judgement,version,key',
      `2026-10,2026-11-03T10:00:00.000Z,passed,true,3,7,0,2026-11-03T10:00:32.000Z,32,12,operator,officers 1,${runId},2,v${version},"in/nm/officers, ""new"".csv"`,
      `2026-10,2026-11-03T10:00:00.000Z,failed,false,3,7,2,2026-11-03T10:00:31.000Z,31,11,message,officers 1,${runId},1,v${version},"in/nm/officers, ""new"".csv"`,
      '',
    ]);
  });

  test('exports them as JSON', async () => {
    const { id, runId } = await judgedTwice();
    expect(JSON.parse((await run(['history', `${id}`, '--json'])).out)).toMatchObject([
      { verdict: 'passed', run: runId, judgement: 2, stands: true, faults: 0 },
      { verdict: 'failed', run: runId, judgement: 1, stands: false, faults: 2 },
    ]);
  });

  test('of a file that nothing came of is empty', async () => {
    const id = await monitored('nm', 'officers');
    expect((await run(['history', `${id}`])).out).toBe('no deliveries\n');
    expect(JSON.parse((await run(['history', `${id}`, '--json'])).out)).toEqual([]);
  });

  test('exports nothing that a spreadsheet would work out', async () => {
    const id = await monitored('nm', 'officers');
    await delivered(id, '2026-11-03T10:00:00Z', '=cmd|calc!A1.csv');
    expect((await run(['history', `${id}`, '--csv'])).out).toContain(",'=cmd|calc!A1.csv\r\n");
  });

  test('exports more than one statement reads, each once, also where all ended at one time', async () => {
    const id = await monitored('nm', 'officers');
    await given.database.raw(
      `WITH run AS (
         INSERT INTO runs (bucket, key, identity, status, verdict, verdict_number, verdict_at)
         SELECT 'bucket', 'k', 'version ' || n, 'finished', 'passed', 1, now()
         FROM generate_series(1, 2500) AS n RETURNING id
       )
       INSERT INTO judgements (run_id, number, asked_by, status, verdict, row_count, byte_count,
         fault_count, attempts, started_at, finished_at, monitoring_file_id, mapping_name, mapping_version)
       SELECT id, 1, 'message', 'finished', 'passed', 0, 0, 0, 1, now(), now(), ?, 'officers', 1 FROM run`,
      [id],
    );
    const { out } = await run(['history', `${id}`, '--json']);
    expect(new Set(JSON.parse(out).map(({ run: one }: { run: string }) => one)).size).toBe(2500);
  });

  test.each([
    [['--since', '2026-11-03T10:00:32Z'], 1],
    [['--until', '2026-11-03T10:00:31Z'], 0],
    [['--limit', '1'], 1],
  ])('narrows them by %j', async (options, count) => {
    const { id } = await judgedTwice();
    const { out } = await run(['history', `${id}`, '--json', ...options]);
    expect(JSON.parse(out)).toHaveLength(count);
  });

  test.each([
    [['99'], 'there is no monitored file 99'],
    [['bucket/in/nm/officers*.csv', '--csv', '--json'], 'one of --csv and --json'],
  ])('refuses %j', async (parameters, message) => {
    await monitored('nm', 'officers');
    const { code, err } = await run(['history', ...parameters]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
