import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  finishJudgement,
  type JudgementResult,
  requestJudgements,
} from '../../../../listener/src/database/judgements.ts';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import {
  listMonitoringFiles,
  upsertMonitoringFile,
} from '../../../../listener/src/database/monitoring-files.ts';
import {
  type ClockOptions,
  lookAtPeriods,
} from '../../../../listener/src/database/period-clock.ts';
import type { PeriodChange } from '../../../../listener/src/schedule/transitions.ts';
import { eventually } from '../../../support/eventually.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, openRun, PASSED } from '../../support/runs.ts';

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

const DAILY = { cron: '0 12 * * *', grace: 'PT6H' };

/** @returns its id */
async function monitoredFile(
  schedule: object | null = DAILY,
  name = 'officers',
  more: { active?: boolean; client?: string } = {},
): Promise<number> {
  await upsertMonitoringFile(given.database, {
    ...{ client: 'nm', bucket: 'bucket', keyPattern: `in/${name}*.csv`, active: true },
    ...{ mappingName: 'officers', mappingVersion: 1, description: '', ...more },
    schedule: schedule as never,
  });
  const files = await listMonitoringFiles(given.database);
  return files.find(({ keyPattern }) => keyPattern === `in/${name}*.csv`)?.id ?? 0;
}

let version = 0;

/** A delivery at a time, with its verdict. @returns the id of its run */
async function delivered(
  monitoringFileId: number,
  time: string,
  verdict: JudgementResult['verdict'] = 'passed',
  key = 'in/officers.csv',
  mappingName = 'officers',
): Promise<string> {
  version += 1;
  const object = { bucket: 'bucket', key, versionId: `v${version}` };
  const held = await begin(given.database, { ...object, eventTime: at(time).toISOString() });
  await finishJudgement(given.database, held, {
    ...PASSED,
    verdict,
    monitored: { monitoringFileId, mappingName, mappingVersion: 1 },
  });
  return held.runId;
}

async function judgedAgain(
  runId: string,
  monitoringFileId: number,
  verdict: JudgementResult['verdict'],
): Promise<void> {
  const asked = await given.database.transaction((transaction) =>
    requestJudgements(transaction, [runId], { askedBy: 'operator' }),
  );
  const held = await beginOf(given.database, runId, asked[0]?.number);
  await finishJudgement(given.database, held, {
    ...PASSED,
    verdict,
    monitored: { monitoringFileId, mappingName: 'officers', mappingVersion: 1 },
  });
}

/** `03-05T12:00`, of 2026. */
const at = (time: string) => new Date(`2026-${time}Z`);

const look = async (time: string, more: Partial<ClockOptions> = {}) => {
  const found = await lookAtPeriods({ database: given.database, now: at(time), ...more });
  if (found === undefined) throw new Error('another process looks');
  return found.changes.map(shown);
};

const shown = ({ dueAt, from, to }: PeriodChange) =>
  `${dueAt.toISOString().slice(5, 16)}: ${from} -> ${to}`;

/** A clock that has looked since the day before, and each minute, until a time. */
async function running(until: string): Promise<void> {
  await look('03-04T10:00');
  await keepRunning(until);
}

async function keepRunning(until: string): Promise<void> {
  await given
    .database('period_clock')
    .update({ looked_at: at(until), resumed_at: at('03-04T10:00') });
}

const states = () =>
  given
    .database('periods')
    .whereNotNull('monitoring_file_id')
    .orderBy('due_at')
    .select('state', 'verdict', given.database.raw(`to_char(due_at, 'MM-DD"T"HH24:MI') AS due`));

describe('one delivery a day', () => {
  test('is expected from half of the time since the one before', async () => {
    await monitoredFile();
    await running('03-04T23:59');
    await look('03-04T23:59');
    expect(await states()).toMatchObject([{ due: '03-04T12:00' }]);
    await look('03-05T00:00');
    expect(await states()).toMatchObject([{}, { due: '03-05T12:00', state: 'expected' }]);
  });

  test('is received with a verdict of any kind', async () => {
    const id = await monitoredFile();
    await running('03-05T11:00');
    await delivered(id, '03-04T11:00', 'unreadable');
    expect(await look('03-05T11:00')).toContain('03-04T12:00: expected -> received');
    expect(await states()).toMatchObject([{ state: 'received', verdict: 'unreadable' }, {}]);
  });

  test('is late when it is due, and missing after its grace, once each', async () => {
    await monitoredFile();
    await running('03-04T12:00');
    expect(await look('03-04T11:59')).toEqual([]);
    expect(await look('03-04T12:00')).toEqual(['03-04T12:00: expected -> late']);
    expect(await look('03-04T12:01')).toEqual([]);
    await keepRunning('03-04T18:00');
    expect(await look('03-04T18:00')).toEqual(['03-04T12:00: late -> missing']);
    expect(await look('03-04T18:01')).toEqual([]);
  });

  test('is received when it comes late, and recovered when it had been missing', async () => {
    const id = await monitoredFile();
    await running('03-04T12:00');
    await look('03-04T12:00');
    await delivered(id, '03-04T13:00');
    expect(await look('03-04T13:00')).toEqual(['03-04T12:00: late -> received']);
    await keepRunning('03-05T18:00');
    await look('03-05T18:00');
    await delivered(id, '03-05T19:00');
    expect(await look('03-05T19:00')).toEqual(['03-05T12:00: missing -> recovered']);
  });

  test('that comes early counts for the next due time', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    await delivered(id, '03-04T01:00');
    await delivered(id, '03-05T00:00');
    await look('03-05T00:30');
    expect(await states()).toMatchObject([
      { due: '03-04T12:00', state: 'received' },
      { due: '03-05T12:00', state: 'received' },
    ]);
  });

  test('may be two files: the later one counts, another verdict corrects', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    await delivered(id, '03-04T10:30', 'failed');
    await look('03-04T11:00');
    await delivered(id, '03-04T11:30', 'failed');
    expect(await look('03-04T11:31')).toEqual([]);
    const last = await delivered(id, '03-04T11:40');
    expect(await look('03-04T11:41')).toEqual(['03-04T12:00: received -> corrected']);
    expect(await given.database('periods').pluck('run_id')).toEqual([last]);
  });

  test('is that of the later file also where the earlier one is judged last', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    const later = await delivered(id, '03-04T11:30');
    await look('03-04T11:31');
    await delivered(id, '03-04T10:30', 'failed');
    expect(await look('03-04T11:32')).toEqual([]);
    expect(await given.database('periods')).toMatchObject([{ run_id: later, verdict: 'passed' }]);
  });

  test('is corrected when it is judged again with another verdict', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    const runId = await delivered(id, '03-04T10:30', 'failed');
    await look('03-04T11:00');
    await judgedAgain(runId, id, 'warned');
    expect(await look('03-04T11:31')).toEqual(['03-04T12:00: received -> corrected']);
    expect(await given.database('period_changes').orderBy('id')).toMatchObject([
      { to_state: 'received', verdict: 'failed', run_id: runId, number: 1 },
      { to_state: 'corrected', verdict: 'warned', run_id: runId, number: 2 },
    ]);
  });

  test('that was due before there was a schedule is of no period', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    await delivered(id, '02-20T11:00');
    expect(await look('03-04T11:01')).toEqual([]);
    expect(await given.database('period_verdicts')).toEqual([]);
  });

  test('that came before its schedule counts for what is due then', async () => {
    const id = await monitoredFile(null);
    await delivered(id, '03-04T09:00');
    await monitoredFile();
    expect(await look('03-04T10:00')).toEqual(['03-04T12:00: expected -> received']);
  });

  test('of a file without a schedule costs the clock nothing', async () => {
    await delivered(await monitoredFile(null), '03-04T09:00');
    expect(await given.database('period_verdicts')).toEqual([]);
  });
});

describe('what is not known yet', () => {
  test.each(['pending', 'error'])('a file whose judgement is %s is not late', async (status) => {
    await monitoredFile();
    await running('03-04T12:00');
    const eventTime = at('03-04T11:00').toISOString();
    await openRun(given.database, { bucket: 'bucket', key: 'in/officers.csv', eventTime });
    await given.database('runs').update({ status });
    expect(await look('03-04T12:00')).toEqual([]);
    await given.database('runs').update({ status: 'gone' });
    expect(await look('03-04T12:01')).toEqual(['03-04T12:00: expected -> late']);
  });

  test('a waiting file of another pattern, or another period, keeps nothing from being late', async () => {
    await monitoredFile();
    await running('03-04T12:00');
    const eventTime = at('03-04T11:00').toISOString();
    await openRun(given.database, { bucket: 'bucket', key: 'in/cases.csv', eventTime });
    const before = at('03-03T11:00').toISOString();
    const object = { bucket: 'bucket', key: 'in/officers.csv', eventTime: before };
    await openRun(given.database, object);
    expect(await look('03-04T12:00')).toEqual(['03-04T12:00: expected -> late']);
  });

  test('what is due soon after the first start of all is late at once', async () => {
    await monitoredFile();
    await look('03-04T11:59');
    expect(await look('03-04T12:00')).toEqual(['03-04T12:00: expected -> late']);
  });

  test('after downtime nothing is late until no file has come for two minutes', async () => {
    await monitoredFile();
    await running('03-04T11:00');
    await look('03-04T11:00');
    await openRun(given.database, { bucket: 'bucket', key: 'in/cases.csv' });
    await given.database('runs').update({ created_at: at('03-04T12:00') });
    expect(await look('03-04T11:59')).toEqual([]);
    expect(await look('03-04T12:00')).toEqual([]);
    expect(await look('03-04T12:01')).toEqual([]);
    expect(await look('03-04T12:02')).toEqual(['03-04T12:00: expected -> late']);
  });

  test('where files come all the time nothing is late until ten minutes after downtime, and what came counts at once', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    await look('03-04T11:00');
    // By the database's clock, long after the one that is looked at here.
    await openRun(given.database, { bucket: 'bucket', key: 'in/cases.csv' });
    await look('03-04T11:55');
    expect(await look('03-04T12:04')).toEqual([]);
    await delivered(id, '03-04T11:00');
    expect(await look('03-04T12:04')).toEqual(['03-04T12:00: expected -> received']);
  });

  test('downtime over several periods tells of all in one look, each once', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    await look('03-04T11:00');
    await delivered(id, '03-06T11:00');
    expect(await look('03-08T08:00')).toEqual(['03-06T12:00: expected -> received']);
    await keepRunning('03-08T08:10');
    await given.database('period_clock').update({ resumed_at: at('03-08T08:00') });
    expect(await look('03-08T08:10')).toEqual([
      '03-04T12:00: expected -> missing',
      '03-05T12:00: expected -> missing',
      '03-07T12:00: expected -> missing',
    ]);
    expect(await look('03-08T08:11')).toEqual([]);
  });

  test('a verdict that an older version recorded without a note is found within the hour', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    await delivered(id, '03-04T11:00');
    await given.database('period_verdicts').delete();
    await given.database('judgements').update({ finished_at: at('03-04T11:00') });
    await given.database('period_clock').update({ next_sweep_at: at('03-04T11:02') });
    expect(await look('03-04T11:01')).toEqual([]);
    expect(await look('03-04T11:02')).toEqual(['03-04T12:00: expected -> received']);
    await given.database('period_clock').update({ next_sweep_at: at('03-04T11:03') });
    expect(await look('03-04T11:03')).toEqual([]);
  });
});

describe('a schedule', () => {
  test('that changes drops what is due later, and keeps what has been', async () => {
    await monitoredFile();
    await running('03-04T12:00');
    await look('03-04T12:00');
    await look('03-05T00:30');
    await monitoredFile({ cron: '0 9 * * *' });
    await keepRunning('03-05T01:00');
    await look('03-05T01:00');
    expect(await states()).toMatchObject([
      { due: '03-04T12:00', state: 'missing' },
      { due: '03-05T09:00', state: 'expected' },
    ]);
  });

  test.each([
    ['no schedule', null, {}],
    ['an inactive file', DAILY, { active: false }],
  ])('of %s expects nothing any more', async (_name, schedule, more) => {
    await monitoredFile();
    await running('03-04T11:00');
    await monitoredFile(schedule, 'officers', more);
    expect(await look('03-04T13:00')).toEqual([]);
    expect(await states()).toEqual([]);
  });

  test('that an older version took and that is none by now is named, and harms no other', async () => {
    await monitoredFile({ cron: 'every day' }, 'cases');
    await monitoredFile();
    await running('03-04T12:00');
    const found = await lookAtPeriods({ database: given.database, now: at('03-04T12:00') });
    expect(found?.badSchedules).toEqual(['bucket/in/cases*.csv']);
    expect(found?.changes.map(shown)).toEqual(['03-04T12:00: expected -> late']);
  });

  test('with days of a calendar is worked by them', async () => {
    const holidays = { calendar: 'us', on: 'next', days: ['2026-03-04'] };
    await monitoredFile({ ...DAILY, holidays });
    await running('03-05T12:00');
    expect(await look('03-05T12:00')).toEqual(['03-05T12:00: expected -> late']);
  });
});

describe('a dated delivery', () => {
  test('recovers the day in its name, whenever it comes', async () => {
    const id = await monitoredFile({ ...DAILY, dated: true });
    await running('03-05T18:00');
    await look('03-05T18:00');
    for (const name of ['20260304', '20260305']) {
      await delivered(id, '03-05T19:00', 'passed', `in/officers_${name}.csv`);
    }
    expect((await look('03-05T19:00')).sort()).toEqual([
      '03-04T12:00: missing -> recovered',
      '03-05T12:00: missing -> recovered',
    ]);
  });

  test('that waits for its verdict keeps its own day from being late, and no other', async () => {
    await monitoredFile({ ...DAILY, dated: true });
    await running('03-05T12:00');
    const eventTime = at('03-05T11:00').toISOString();
    await openRun(given.database, { bucket: 'bucket', key: 'in/officers_20260305.csv', eventTime });
    expect(await look('03-05T12:00')).toEqual(['03-04T12:00: expected -> missing']);
  });
});

describe('a set', () => {
  const SET = { ...DAILY, set: 'month' };
  const ofSet = () =>
    given
      .database('periods')
      .whereNull('monitoring_file_id')
      .select('set_name', 'state', 'verdict');
  const setChanges = async (time: string) => {
    const found = await lookAtPeriods({ database: given.database, now: at(time) });
    return found?.changes.filter(({ monitoringFileId }) => monitoringFileId === null).map(shown);
  };

  test('is received once all of its files are, with the worst verdict', async () => {
    const [first, second] = [await monitoredFile(SET, 'a'), await monitoredFile(SET, 'b')];
    await running('03-04T11:00');
    await delivered(first, '03-04T10:30', 'failed');
    expect(await setChanges('03-04T11:00')).toEqual([]);
    await delivered(second, '03-04T10:40');
    expect(await setChanges('03-04T11:01')).toEqual(['03-04T12:00: expected -> received']);
    expect(await ofSet()).toEqual([{ set_name: 'month', state: 'received', verdict: 'failed' }]);
  });

  test('is late and missing with a file of it, and recovered with the last', async () => {
    const [first, second] = [await monitoredFile(SET, 'a'), await monitoredFile(SET, 'b')];
    await running('03-04T12:00');
    await delivered(first, '03-04T10:30');
    expect(await setChanges('03-04T12:00')).toEqual(['03-04T12:00: expected -> late']);
    await keepRunning('03-04T18:00');
    expect(await setChanges('03-04T18:00')).toEqual(['03-04T12:00: late -> missing']);
    await delivered(second, '03-04T19:00');
    expect(await setChanges('03-04T19:00')).toEqual(['03-04T12:00: missing -> recovered']);
  });

  test('is not held up by a file that is not of it any more', async () => {
    const first = await monitoredFile(SET, 'a');
    await monitoredFile(SET, 'b');
    await running('03-04T11:00');
    await monitoredFile(null, 'b');
    await look('03-04T11:00');
    await delivered(first, '03-04T10:30');
    expect(await setChanges('03-04T11:01')).toEqual(['03-04T12:00: expected -> received']);
  });

  describe('that is whole', () => {
    const REFERRING = {
      fields: [{ name: 'officer' }],
      foreignKeys: [{ fields: 'officer', reference: { resource: 'officers', fields: 'badge' } }],
    };

    /** A set of a file that refers to another one. @returns their ids, and the jobs that a look asks for */
    async function referringSet() {
      await storeMapping(given.database, {
        ...{ name: 'stops', version: 1, tableSchema: REFERRING, dialect: {}, thresholds: {} },
      });
      const officers = await monitoredFile(SET, 'a');
      await upsertMonitoringFile(given.database, {
        ...{ client: 'nm', bucket: 'bucket', keyPattern: 'in/stops*.csv', active: true },
        ...{ mappingName: 'stops', mappingVersion: 1, description: '', schedule: SET as never },
      });
      const files = await listMonitoringFiles(given.database);
      const stops = files.find(({ keyPattern }) => keyPattern === 'in/stops*.csv')?.id ?? 0;
      const jobs: string[] = [];
      const queue = {
        enqueue: async (asked: readonly { readonly runId: string }[]) => {
          jobs.push(...asked.map(({ runId }) => runId));
        },
      };
      await running('03-04T11:00');
      return { officers, stops, jobs, queue };
    }

    test('has what came before the last file and refers to others judged again, once', async () => {
      const { officers, stops, jobs, queue } = await referringSet();
      const runId = await delivered(stops, '03-04T10:00', 'passed', 'in/stops.csv', 'stops');
      await look('03-04T11:00', { queue });
      expect(jobs).toEqual([]);
      await delivered(officers, '03-04T10:30');
      await look('03-04T11:01', { queue });
      await look('03-04T11:02', { queue });
      expect(jobs).toEqual([runId]);
      expect(await given.database('judgements').where({ run_id: runId, number: 2 })).toMatchObject([
        { asked_by: 'worker', reason: 'the set month of 2026-03-04 12:00 is whole' },
      ]);
    });

    test('has its last file judged no second time', async () => {
      const { officers, stops, jobs, queue } = await referringSet();
      await delivered(officers, '03-04T10:00');
      await look('03-04T11:00', { queue });
      await delivered(stops, '03-04T10:30', 'passed', 'in/stops.csv', 'stops');
      await look('03-04T11:01', { queue });
      expect(jobs).toEqual([]);
    });
  });

  test('of another client is another set', async () => {
    const first = await monitoredFile(SET, 'a');
    await monitoredFile(SET, 'b', { client: 'ca' });
    await running('03-04T11:00');
    await delivered(first, '03-04T10:30');
    expect(await setChanges('03-04T11:01')).toEqual(['03-04T12:00: expected -> received']);
  });
});

describe('several processes', () => {
  test('record and tell each change once', async () => {
    for (let index = 0; index < 20; index += 1) await monitoredFile(DAILY, `f${index}`);
    await running('03-04T12:00');
    const looks = await Promise.all(
      Array.from({ length: 8 }, () =>
        lookAtPeriods({ database: given.database, now: at('03-04T12:00'), tells: true }),
      ),
    );
    expect(looks.flatMap((found) => found?.changes ?? [])).toHaveLength(20);
    expect(await given.database('period_changes')).toHaveLength(20);
    expect(await given.database('notices')).toHaveLength(20);
  });

  test('that are killed in the middle of a look lose nothing, and a restart repeats nothing', async () => {
    const id = await monitoredFile({ every: 'P1D', early: 'PT1H', grace: 'P1D' });
    await given.database('period_schedules').insert({
      ...{ monitoring_file_id: id, schedule: { every: 'P1D', early: 'PT1H', grace: 'P1D' } },
      ...{ since: at('01-01T00:00'), next_at: at('12-31T00:00') },
    });
    for (let day = 1; day <= 28; day += 1) {
      await delivered(id, `02-${String(day).padStart(2, '0')}T12:00`);
    }
    const serve = () =>
      startListenerChild(['serve', '--role', 'worker'], {
        ...{ DATABASE_URL: given.url, METRICS_PORT: '0', LOCAL_S3_ROOT: tmpdir() },
      });
    // Whoever looks has counted all verdicts, and waits to record the changes.
    const held = await given.database.transaction();
    onTestFinished(async () => {
      if (!held.isCompleted()) await held.rollback();
    });
    await held.raw('LOCK TABLE period_changes IN EXCLUSIVE MODE');
    const replicas = [serve(), serve()];
    await Promise.all(replicas.map((replica) => replica.line('listening')));
    await eventually(async () => {
      const { rows } = await given.database.raw(
        "SELECT FROM pg_locks WHERE NOT granted AND relation = 'period_changes'::regclass",
      );
      expect(rows).toHaveLength(1);
    });
    for (const replica of replicas) replica.kill('SIGKILL');
    await Promise.all(replicas.map(({ ended }) => ended));
    await held.rollback();
    serve();
    await eventually(async () => expect(await given.database('period_verdicts')).toEqual([]));
    const changes = await given.database('period_changes').select('period_id', 'to_state');
    const steps = changes.map(({ period_id, to_state }) => `${period_id} ${to_state}`);
    expect(new Set(steps).size).toBe(steps.length);
    expect(steps.filter((step) => step.endsWith('received'))).toHaveLength(28);
  });

  test('find nothing of a look whose transaction did not end', async () => {
    await monitoredFile();
    await running('03-04T12:00');
    const broken = given.database.transaction(async (transaction) => {
      await lookAtPeriods({ database: transaction as never, now: at('03-04T12:00'), tells: true });
      throw new Error('killed');
    });
    await expect(broken).rejects.toThrow('killed');
    expect(await given.database('notices')).toEqual([]);
    expect(await look('03-04T12:01')).toEqual(['03-04T12:00: expected -> late']);
  });
});

describe('notices', () => {
  test('are recorded of what is late, with what was due', async () => {
    await monitoredFile({ ...DAILY, timeZone: 'America/Denver' });
    await running('03-04T19:00');
    await look('03-04T19:00', { tells: true });
    expect(await given.database('notices')).toMatchObject([
      { state: 'late', client: 'nm', subject: 'in/officers*.csv', period: '2026-03-04 12:00' },
    ]);
  });

  test('are not recorded of what came in time: its verdict is told', async () => {
    const id = await monitoredFile();
    await running('03-04T11:00');
    await delivered(id, '03-04T10:00');
    await look('03-04T11:00', { tells: true });
    expect(await given.database('notices')).toEqual([]);
  });

  test('are not recorded where they have no way out', async () => {
    await monitoredFile();
    await running('03-04T12:00');
    await look('03-04T12:00');
    expect(await given.database('notices')).toEqual([]);
  });
});
