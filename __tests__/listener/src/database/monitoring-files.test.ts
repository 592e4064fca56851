import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import {
  listMonitoringFiles,
  type MonitoringFileDefinition,
  upsertMonitoringFile,
} from '../../../../listener/src/database/monitoring-files.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { findMonitoringFile } from '../../support/rule-sets.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  const empty = { tableSchema: {}, dialect: {}, thresholds: {} };
  await storeMapping(given.database, { name: 'officers', version: 1, ...empty });
  await storeMapping(given.database, { name: 'officers', version: 2, ...empty });
});
afterAll(() => given.drop());
beforeEach(() => given.database('monitoring_files').delete());

function file(keyPattern: string, rest: Partial<MonitoringFileDefinition> = {}) {
  return {
    client: 'nm',
    bucket: 'bucket',
    keyPattern,
    mappingName: 'officers',
    mappingVersion: 1,
    active: true,
    description: '',
    ...rest,
  };
}

async function found(key: string, bucket = 'bucket'): Promise<string | undefined> {
  return (await findMonitoringFile(given.database, { bucket, key }))?.keyPattern;
}

test('the most specific pattern is taken, whatever was stored first', async () => {
  for (const pattern of ['**', 'nm/2026/*.csv', 'nm/**/a.csv', 'nm/2026/a.csv']) {
    await upsertMonitoringFile(given.database, file(pattern));
  }
  expect(await found('nm/2026/a.csv')).toBe('nm/2026/a.csv');
  expect(await found('nm/2026/b.csv')).toBe('nm/2026/*.csv');
  expect(await found('nm/x/y/a.csv')).toBe('nm/**/a.csv');
  expect(await found('else')).toBe('**');
});

test('an entry that is not active does not count', async () => {
  await upsertMonitoringFile(given.database, file('a.csv', { active: false }));
  expect(await found('a.csv')).toBeUndefined();
});

test('another bucket does not count', async () => {
  await upsertMonitoringFile(given.database, file('a.csv'));
  expect(await found('a.csv', 'other')).toBeUndefined();
});

test('storing it again changes nothing, and says so', async () => {
  expect(await upsertMonitoringFile(given.database, file('a.csv'))).toBe(true);
  expect(await upsertMonitoringFile(given.database, file('a.csv'))).toBe(false);
});

test('a difference brings the entry up to date and keeps its id', async () => {
  await upsertMonitoringFile(given.database, file('a.csv'));
  const [before] = await listMonitoringFiles(given.database);
  expect(await upsertMonitoringFile(given.database, file('a.csv', { mappingVersion: 2 }))).toBe(
    true,
  );
  expect(await listMonitoringFiles(given.database)).toStrictEqual([
    { ...before, mappingVersion: 2 },
  ]);
});
