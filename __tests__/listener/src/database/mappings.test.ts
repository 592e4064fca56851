import { afterAll, beforeAll, expect, test } from 'vitest';
import { findMapping, storeMapping } from '../../../../listener/src/database/mappings.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { judgedRun } from '../../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

const mapping = (name: string, tableSchema: Record<string, unknown>) => ({
  name,
  version: 1,
  tableSchema,
  dialect: {},
  thresholds: {},
});

test('what was stored is found', async () => {
  expect(await storeMapping(given.database, mapping('a', { fields: [1] }))).toBe('created');
  expect(await findMapping(given.database, 'a', 1)).toStrictEqual(mapping('a', { fields: [1] }));
  expect(await findMapping(given.database, 'a', 2)).toBeUndefined();
});

test('the same content in another order of names is the same', async () => {
  await storeMapping(given.database, mapping('b', { x: 1, y: { p: 1, q: 2 } }));
  expect(await storeMapping(given.database, mapping('b', { y: { q: 2, p: 1 }, x: 1 }))).toBe(
    'unchanged',
  );
});

test('content may change while no run was judged by it', async () => {
  await storeMapping(given.database, mapping('c', { x: 1 }));
  expect(await storeMapping(given.database, mapping('c', { x: 2 }))).toBe('updated');
  expect((await findMapping(given.database, 'c', 1))?.tableSchema).toStrictEqual({ x: 2 });
});

test('content that a verdict rests on stays', async () => {
  await storeMapping(given.database, mapping('d', { x: 1 }));
  await given.database('monitoring_files').insert({
    client: 'c',
    bucket: 'b',
    key_pattern: 'k',
    mapping_name: 'd',
    mapping_version: 1,
  });
  const { id: monitoringFileId } = await given.database('monitoring_files').first('id');
  const monitored = { monitoringFileId, mappingName: 'd', mappingVersion: 1 };
  await judgedRun(given.database, { bucket: 'b', key: 'k' }, { monitored });
  expect(await storeMapping(given.database, mapping('d', { x: 2 }))).toBe('used');
  expect((await findMapping(given.database, 'd', 1))?.tableSchema).toStrictEqual({ x: 1 });
});
