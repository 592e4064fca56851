import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { requestJudgements } from '../../../../listener/src/database/judgements.ts';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { forgetValues } from '../../../../listener/src/database/privacy-events.ts';
import { referenceKeysOf } from '../../../../listener/src/database/reference-keys.ts';
import { deleteOld } from '../../../../listener/src/database/retention.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, forgetRuns } from '../../support/runs.ts';
import { storeOf } from '../../support/stores.ts';

const OFFICERS = { fields: [{ name: 'badge', type: 'integer' }, { name: 'unit' }] };
const STOPS = {
  fields: [{ name: 'stop' }, { name: 'officer', type: 'integer' }],
  foreignKeys: [{ fields: 'officer', reference: { resource: 'officers', fields: 'badge' } }],
};

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(async () => {
  const { database } = given;
  await forgetRuns(database);
  await database(tablesOf(database).monitoringFiles).delete();
  for (const [mappingName, tableSchema] of Object.entries({ officers: OFFICERS, stops: STOPS })) {
    const mapping = { name: mappingName, version: 1, tableSchema, dialect: {}, thresholds: {} };
    await storeMapping(database, mapping);
    await monitor('county', mappingName, `county/${mappingName}.csv`);
  }
});

async function monitor(client: string, mappingName: string, keyPattern: string): Promise<void> {
  const entry = { client, bucket: 'b', keyPattern, mappingName, mappingVersion: 1 };
  await upsertMonitoringFile(given.database, { ...entry, active: true, description: '' });
}

let deliveries = 0;

interface Delivered {
  readonly key: string;
  readonly content: string;
  readonly day?: number;
}

/** Judges a delivery. @returns its run */
async function deliver({ key, content, day = ++deliveries }: Delivered): Promise<string> {
  const eventTime = new Date(Date.UTC(2026, 0, day)).toISOString();
  const held = await begin(given.database, { bucket: 'b', key, versionId: `v${day}`, eventTime });
  await judge(held, content);
  return held.runId;
}

function judge(held: Awaited<ReturnType<typeof begin>>, content: string) {
  return recordJudgement(held, {
    database: given.database,
    job: s3DataQualityJob,
    store: storeOf(content),
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 100,
    signal: new AbortController().signal,
  });
}

const officers = (content: string, day?: number) =>
  deliver({ key: 'county/officers.csv', content, ...(day === undefined ? {} : { day }) });

/** What becomes of a stop by an officer. @returns verdict and the rule's report */
async function stopBy(badge: string) {
  const runId = await deliver({ key: 'county/stops.csv', content: `stop,officer\ns,${badge}\n` });
  const run = await findRun(given.database, runId);
  const report = run?.report as { deliveryRules: { outcome: string; message: string }[] };
  const [rule] = report.deliveryRules;
  return [run?.verdict, rule?.outcome, rule?.message.replace(/^.*, since /, '')];
}

test('a delivery is compared with the keys that the other file had when it was accepted last', async () => {
  await officers('badge,unit\n1,a\n2,b\n');
  expect((await stopBy('02'))[0]).toBe('passed');
  expect((await stopBy('3')).slice(0, 2)).toEqual(['failed', 'failed']);
  await officers('badge,unit\n3,a\n');
  expect((await stopBy('3'))[0]).toBe('passed');
  expect((await stopBy('2'))[0]).toBe('failed');
});

test('there is one set for each list of fields, and no value in it', async () => {
  const { database } = given;
  await officers('badge,unit\n41714171,homicide\n');
  await officers('badge,unit\n41714171,homicide\n5,b\n');
  const rows = await database(tablesOf(database).referenceKeys);
  expect(rows).toHaveLength(1);
  expect([rows[0].fields, rows[0].types, rows[0].hashes.length]).toEqual([
    ['badge'],
    ['integer'],
    32,
  ]);
  expect(JSON.stringify(rows)).not.toMatch(/41714171|homicide/);
});

test('before a delivery of the other file was accepted, nothing is judged, and that is said', async () => {
  const nothing = ['passed', 'not judged', 'no delivery of it was accepted yet.'];
  expect(await stopBy('3')).toEqual(nothing);
  await officers('badge,unit\nx,a\n');
  expect(await stopBy('3')).toEqual(nothing);
});

test('a delivery that was accepted before the one whose keys are kept does not replace them', async () => {
  deliveries += 10;
  await officers('badge,unit\n1,a\n');
  await officers('badge,unit\n2,a\n', deliveries - 5);
  expect((await stopBy('1'))[0]).toBe('passed');
  expect((await stopBy('2'))[0]).toBe('failed');
});

test('the keys of a delivery that is accepted no more are not used', async () => {
  const { database } = given;
  const runId = await officers('badge,unit\n1,a\n');
  await database.transaction((transaction) =>
    requestJudgements(transaction, [runId], { askedBy: 'operator' }),
  );
  await judge(await beginOf(database, runId, 2), 'badge,unit\nx,a\n');
  expect((await stopBy('1'))[1]).toBe('not judged');
});

test('where a later delivery was accepted and its keys are not kept, nothing is judged', async () => {
  const { database } = given;
  const { referenceKeys } = tablesOf(database);
  await officers('badge,unit\n1,a\n');
  const [old] = await database(referenceKeys);
  await officers('badge,unit\n2,a\n');
  await database(referenceKeys).update({ run_id: old.run_id });
  expect(await stopBy('1')).toEqual([
    'passed',
    'not judged',
    'the keys of its last accepted delivery are not kept.',
  ]);
});

test('which file is meant has to be clear, among those of the same client', async () => {
  await monitor('other', 'officers', 'other/officers.csv');
  await officers('badge,unit\n1,a\n');
  expect((await stopBy('1'))[1]).toBe('passed');
  await monitor('county', 'officers', 'county/more-officers.csv');
  expect((await stopBy('1'))[2]).toBe('several files of the client have the mapping officers.');
  await given
    .database(tablesOf(given.database).monitoringFiles)
    .where({ mapping_name: 'officers', client: 'county' })
    .update({ active: false });
  expect((await stopBy('1'))[2]).toBe('no active file of the client has the mapping officers.');
});

test('keys that nobody refers to are not kept', async () => {
  const { database } = given;
  await database(tablesOf(database).monitoringFiles).where({ mapping_name: 'stops' }).delete();
  await officers('badge,unit\n1,a\n');
  expect(await database(tablesOf(database).referenceKeys)).toEqual([]);
});

test('keys that cannot be kept are said to be missing, and why', async () => {
  const { database } = given;
  const { mappings } = tablesOf(database);
  const wanted = { resource: 'officers', fields: ['rank'] };
  const foreignKeys = [{ fields: 'officer', reference: wanted }];
  await database(mappings)
    .where({ name: 'stops' })
    .update({ table_schema: JSON.stringify({ ...STOPS, foreignKeys }) });
  await officers('badge,unit\n1,a\n');
  expect(await referenceKeysOf(database, 'county', [wanted])).toEqual([
    { ...wanted, keys: 'it lacks rank' },
  ]);
  await database(mappings).where({ name: 'stops' }).update({ table_schema: STOPS });
});

test('they are deleted with what else is older than the retention', async () => {
  const { database } = given;
  const { referenceKeys } = tablesOf(database);
  const queue = { deadLetters: async () => [], discard: async () => 0 };
  const remove = () =>
    deleteOld({ database, queue, days: 30, isStopping: () => false, pauseMs: 0 });
  await officers('badge,unit\n1,a\n');
  expect(await remove()).toMatchObject({ referenceKeys: 0 });
  await database(referenceKeys).update({ kept_at: database.raw("now() - interval '31 days'") });
  expect(await remove()).toMatchObject({ referenceKeys: 1 });
  expect((await stopBy('1'))[1]).toBe('not judged');
});

test('they are forgotten with the delivery that they are of', async () => {
  const { database } = given;
  const runId = await officers('badge,unit\n1,a\n');
  await forgetValues(database, [runId]);
  expect(await database(tablesOf(database).referenceKeys)).toEqual([]);
});
