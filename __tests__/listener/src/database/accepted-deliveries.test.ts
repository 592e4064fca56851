import { afterAll, beforeAll, expect, test } from 'vitest';
import { acceptedBefore } from '../../../../listener/src/database/accepted-deliveries.ts';
import {
  finishJudgement,
  type JudgementResult,
  requestJudgements,
} from '../../../../listener/src/database/judgements.ts';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, PASSED } from '../../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

/** A monitored file. @returns its id */
async function monitor(keyPattern: string): Promise<number> {
  const { database } = given;
  const mapping = { name: 'visits', version: 1 };
  await storeMapping(database, { ...mapping, tableSchema: {}, dialect: {}, thresholds: {} });
  await upsertMonitoringFile(database, {
    client: 'county',
    bucket: 'b',
    keyPattern,
    mappingName: mapping.name,
    mappingVersion: mapping.version,
    active: true,
    description: '',
  });
  const [id] = await database(tablesOf(database).monitoringFiles)
    .where({ key_pattern: keyPattern })
    .pluck('id');
  return id;
}

let count = 0;

interface Delivered {
  readonly file: number;
  readonly verdict?: JudgementResult['verdict'];
  readonly day: number;
  readonly rows?: number;
}

const monitoredBy = (file: number) => ({
  monitored: {
    monitoringFileId: file,
    mappingName: 'visits',
    mappingVersion: 1,
    columns: [{ label: 'id', type: 'integer', declared: true }],
  },
});

/** A delivery that was judged. @returns its run */
async function deliver({ file, verdict = 'passed', day, rows = 1 }: Delivered): Promise<string> {
  count++;
  const eventTime = `2026-11-${String(day).padStart(2, '0')}T06:00:00.000Z`;
  const object = { bucket: 'b', key: 'k', versionId: `v${count}`, eventTime };
  const held = await begin(given.database, object);
  const result = { ...PASSED, verdict, rowCount: rows, ...monitoredBy(file) };
  expect(await finishJudgement(given.database, held, result)).toBe(true);
  return held.runId;
}

async function before(runId: string, monitoringFileId: number, limit = 10): Promise<string[]> {
  const found = await acceptedBefore(given.database, { monitoringFileId, runId, limit });
  return found.map((delivery) => delivery.runId);
}

test('the accepted ones come in the order of their delivery, the last one first', async () => {
  const file = await monitor('order');
  const third = await deliver({ file, day: 3, verdict: 'warned' });
  const first = await deliver({ file, day: 1 });
  const second = await deliver({ file, day: 2, rows: 5 });
  const now = await deliver({ file, day: 9 });
  expect(await before(now, file)).toEqual([third, second, first]);
  expect(await before(now, file, 2)).toEqual([third, second]);
  const [found, ...others] = await acceptedBefore(given.database, {
    monitoringFileId: file,
    runId: third,
    limit: 2,
  });
  expect(found).toEqual({
    runId: second,
    deliveredAt: '2026-11-02T06:00:00.000Z',
    rows: 5,
    bytes: PASSED.byteCount,
    sha256: PASSED.sha256,
    columns: [{ label: 'id', type: 'integer', declared: true }],
  });
  expect(others[0]).not.toHaveProperty('columns');
});

test('one that failed, could not be read or is of another monitored file is none', async () => {
  const [file, other] = [await monitor('one'), await monitor('other')];
  await deliver({ file, day: 1, verdict: 'failed' });
  await deliver({ file, day: 2, verdict: 'unreadable' });
  await deliver({ file: other, day: 3 });
  expect(await before(await deliver({ file, day: 9 }), file)).toEqual([]);
});

test('a run that is judged again has before it what was delivered before it', async () => {
  const file = await monitor('again');
  const first = await deliver({ file, day: 1 });
  const old = await deliver({ file, day: 2 });
  await deliver({ file, day: 3 });
  expect(await before(old, file)).toEqual([first]);
});

test('the verdict that stands decides', async () => {
  const { database } = given;
  const file = await monitor('stands');
  const changed = await deliver({ file, day: 1 });
  const now = await deliver({ file, day: 2 });
  for (const [verdict, expected] of [
    ['failed', []],
    ['warned', [changed]],
  ] as const) {
    const [asked] = await database.transaction((transaction) =>
      requestJudgements(transaction, [changed], { askedBy: 'operator' }),
    );
    const held = await beginOf(database, changed, asked?.number);
    await finishJudgement(database, held, { ...PASSED, verdict, ...monitoredBy(file) });
    expect(await before(now, file)).toEqual(expected);
  }
});

test('deliveries of one moment are in one order, and none is before itself', async () => {
  const file = await monitor('moment');
  const runs = [await deliver({ file, day: 1 }), await deliver({ file, day: 1 })];
  const found = await Promise.all(runs.map((run) => before(run, file)));
  expect(found.flat()).toHaveLength(1);
});
