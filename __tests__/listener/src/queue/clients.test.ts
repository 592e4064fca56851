import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { clientsOfObjects } from '../../../../listener/src/queue/clients.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const BUCKETS = [
  { name: 'etl', prefixes: ['from_client/', 'from_client/states/', 'other/'] },
  { prefixes: [] },
];

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await storeMapping(given.database, {
    ...{ name: 'officer', version: 1, tableSchema: { fields: [] } },
    ...{ dialect: {}, thresholds: {} },
  });
  await monitor('etl', 'from_client/nm_albuquerque/**/Officer.csv', 'albuquerque');
  await monitor('etl', 'from_client/nm_albuquerque/special/Officer.csv', 'special');
  await monitor('etl', 'from_client/retired/**', 'retired', false);
});
afterAll(() => given.drop());

function monitor(bucket: string, keyPattern: string, client: string, active = true) {
  return upsertMonitoringFile(given.database, {
    ...{ bucket, keyPattern, client, active, description: '' },
    ...{ mappingName: 'officer', mappingVersion: 1 },
  });
}

async function clientOf(key: string, bucket = 'etl'): Promise<string | undefined> {
  return (await clientsOfObjects(given.database, BUCKETS)([{ bucket, key }]))[0];
}

test.each([
  ['that of the monitored file', 'from_client/nm_albuquerque/2026/Officer.csv', 'albuquerque'],
  [
    'that of the most specific one, where several fit',
    'from_client/nm_albuquerque/special/Officer.csv',
    'special',
  ],
  ['the folder, where nobody monitors it', 'from_client/nm_taos/2026/a.csv', 'nm_taos'],
  ['the folder, where it is no longer monitored', 'from_client/retired/a.csv', 'retired'],
  ['the folder below the longest prefix that fits', 'from_client/states/tx/a.csv', 'tx'],
  ['the folder below any of the prefixes', 'other/ut/a.csv', 'ut'],
  ['no name, where it lies in no folder', 'from_client/a.csv', ''],
  ['the folder behind slashes that name nothing', 'from_client//nm_taos/a.csv', 'nm_taos'],
])('the client of a file is %s', async (_, key, client) => {
  expect(await clientOf(key)).toBe(client);
});

test('a bucket without prefixes has the first folder of the key', async () => {
  expect(await clientOf('nm_taos/2026/a.csv', 'another')).toBe('nm_taos');
});

test('a pattern of one bucket names no client in another one', async () => {
  expect(await clientOf('from_client/nm_albuquerque/2026/Officer.csv', 'another')).toBe(
    'from_client',
  );
});

test('clients are in the order of the objects, and no object needs no database', async () => {
  const clientsOf = clientsOfObjects(given.database, BUCKETS);
  const objects = ['b', 'a', 'b'].map((folder) => ({
    bucket: 'etl',
    key: `other/${folder}/x.csv`,
  }));
  expect(await clientsOf(objects)).toEqual(['b', 'a', 'b']);
  const ended = clientsOfObjects(undefined as never, BUCKETS);
  expect(await ended([])).toEqual([]);
});

test('a changed client counts after some seconds, without a query for each object', async () => {
  let now = 0;
  const clientsOf = clientsOfObjects(given.database, BUCKETS, () => now);
  const object = { bucket: 'etl', key: 'other/moved/a.csv' };
  expect(await clientsOf([object])).toEqual(['moved']);
  await monitor('etl', 'other/moved/*.csv', 'renamed');
  expect(await clientsOf([object])).toEqual(['moved']);
  now += 5_001;
  expect(await clientsOf([object])).toEqual(['renamed']);
});

test('after a failure the next object asks again', async () => {
  let isAway = true;
  const broken = new Proxy(given.database, {
    get: (target, name, receiver) => Reflect.get(target, name, receiver),
    apply(target, self, parameters) {
      if (isAway) throw new Error('the database is away');
      return Reflect.apply(target as never, self, parameters);
    },
  });
  const clientsOf = clientsOfObjects(broken, BUCKETS);
  const object = { bucket: 'etl', key: 'other/ut/a.csv' };
  await expect(clientsOf([object])).rejects.toThrow('the database is away');
  isAway = false;
  expect(await clientsOf([object])).toEqual(['ut']);
});
