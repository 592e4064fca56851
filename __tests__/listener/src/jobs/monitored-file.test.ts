import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../../listener/src/database/connection.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import {
  monitoredFileInDatabase,
  monitoredFileInRuleSet,
} from '../../../../listener/src/jobs/monitored-file.ts';
import { readRuleFolder, SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const officers = {
  bucket: 'etl-ba-research-client-etl',
  key: 'from_client/nm_albuquerque/2026/Officer_Detail.csv',
};
const unknown = { ...officers, key: 'from_client/nm_albuquerque/Other.csv' };

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
});
afterAll(() => given.drop());

/** As a judgement does that begins now. */
async function lookUp(database: Database, object: typeof officers) {
  const { rows } = await database.raw<{ rows: { revision: string }[] }>(
    'SELECT revision FROM file_processing.rule_revision',
  );
  return monitoredFileInDatabase(database, object, rows[0]?.revision);
}

test('a monitored file comes with its mapping from the database', async () => {
  expect(await lookUp(given.database, officers)).toMatchObject({
    monitoringFileId: expect.any(Number),
    client: 'nm_albuquerque',
    mapping: { name: 'officer_detail', version: 1 },
  });
});

test('nothing is found in the database for a file that nobody monitors', async () => {
  expect(await lookUp(given.database, unknown)).toBeUndefined();
});

test('definitions find the same as the database they are loaded into', async () => {
  const definitions = await readRuleFolder(SEED_FOLDER, expectationProblems);
  const { monitoringFileId, fieldsReferredTo, ...stored } =
    (await lookUp(given.database, officers)) ?? {};
  const { monitoringFileId: none, ...defined } =
    monitoredFileInRuleSet(definitions, officers) ?? {};
  expect(defined).toEqual(stored);
  expect([monitoringFileId, none]).toEqual([expect.any(Number), undefined]);
  expect(fieldsReferredTo).toEqual([]);
});

test('nothing is found in definitions for a file that nobody monitors', async () => {
  const definitions = await readRuleFolder(SEED_FOLDER, expectationProblems);
  expect(monitoredFileInRuleSet(definitions, unknown)).toBeUndefined();
});

test.each(['database', 'definitions'])(
  "fields are as sensitive as the monitored file says in the %s, where the schema doesn't",
  async (place) => {
    const definitions = await readRuleFolder(SEED_FOLDER, expectationProblems);
    const [file] = definitions.monitoringFiles;
    if (file === undefined) throw new Error('the sample has a monitored file');
    const sensitive = {
      ...definitions,
      monitoringFiles: [
        { ...file, value: { ...file.value, classification: 'sensitive' as const } },
      ],
    };
    await given.database('monitoring_files').update({ classification: 'sensitive' });
    const found =
      place === 'database'
        ? await lookUp(given.database, officers)
        : monitoredFileInRuleSet(sensitive, officers);
    expect(found?.mapping.tableSchema).toMatchObject({ classification: 'sensitive' });
    const mapping = definitions.mappings.map(({ value, ...rest }) => ({
      ...rest,
      value: { ...value, tableSchema: { ...value.tableSchema, classification: 'public' } },
    }));
    const own = monitoredFileInRuleSet({ ...sensitive, mappings: mapping }, officers);
    expect(own?.mapping.tableSchema).toMatchObject({ classification: 'public' });
  },
);

/** Changes of the rules by plain SQL, each of which makes the file found by another mapping, or not at all. */
const CHANGES = [
  ['an entry that is switched off', 'UPDATE ?? SET active = false'],
  ['an entry that is deleted', 'DELETE FROM ??'],
  ['all entries truncated', 'TRUNCATE ?? CASCADE'],
] as const;

test.each(CHANGES)('%s counts for the next file', async (_, statement) => {
  const other = await createTestDatabase();
  try {
    await seedDefinitions(other.database, SEED_FOLDER, expectationProblems);
    expect(await lookUp(other.database, officers)).toBeDefined();
    await other.database.raw(statement, ['file_processing.monitoring_files']);
    expect(await lookUp(other.database, officers)).toBeUndefined();
  } finally {
    await other.drop();
  }
});

test('another content of a mapping counts once its transaction has ended, and not before', async () => {
  const other = await createTestDatabase();
  try {
    await seedDefinitions(other.database, SEED_FOLDER, expectationProblems);
    const minRows = async () =>
      (await lookUp(other.database, officers))?.mapping.thresholds.minRows;
    const before = await minRows();
    await other.database.transaction(async (transaction) => {
      for (const wanted of [7, 8]) {
        await transaction.raw(
          `UPDATE file_processing.mappings SET thresholds = '{"minRows": ${wanted}}'`,
        );
      }
      expect(await minRows()).toBe(before);
    });
    expect(await minRows()).toBe(8);
  } finally {
    await other.drop();
  }
});

test('a new entry with a more specific pattern counts for the next file', async () => {
  const other = await createTestDatabase();
  try {
    await seedDefinitions(other.database, SEED_FOLDER, expectationProblems);
    expect(await lookUp(other.database, officers)).toMatchObject({
      client: 'nm_albuquerque',
    });
    await upsertMonitoringFile(other.database, {
      ...{ ...officers, keyPattern: officers.key, client: 'other', description: '', active: true },
      ...{ mappingName: 'officer_detail', mappingVersion: 1 },
    });
    expect(await lookUp(other.database, officers)).toMatchObject({
      client: 'other',
    });
  } finally {
    await other.drop();
  }
});

test('what is read of the rules is read once while they stand', async () => {
  const statements: string[] = [];
  const note = ({ sql }: { readonly sql: string }) => statements.push(sql);
  await monitoredFileInDatabase(given.database, officers, 'this one');
  given.database.on('query', note);
  try {
    for (let file = 0; file < 3; file += 1) {
      await monitoredFileInDatabase(given.database, officers, 'this one');
    }
  } finally {
    given.database.off('query', note);
  }
  expect(statements).toStrictEqual([]);
});

test('rules that could not be read are read again for the next file', async () => {
  const other = await createTestDatabase();
  try {
    await seedDefinitions(other.database, SEED_FOLDER, expectationProblems);
    const hide = (from: string, to: string) =>
      other.database.raw(`ALTER TABLE file_processing.${from} RENAME TO ${to}`);
    await hide('mappings', 'hidden');
    await expect(lookUp(other.database, officers)).rejects.toThrow('mappings');
    await hide('hidden', 'mappings');
    expect(await lookUp(other.database, officers)).toBeDefined();
  } finally {
    await other.drop();
  }
});

test('a change counts also where it is made as replication and restores make it', async () => {
  const other = await createTestDatabase();
  try {
    await seedDefinitions(other.database, SEED_FOLDER, expectationProblems);
    expect(await lookUp(other.database, officers)).toBeDefined();
    await other.database.transaction(async (transaction) => {
      // Ordinary triggers do not fire then.
      await transaction.raw('SET LOCAL session_replication_role = replica');
      await transaction.raw('UPDATE file_processing.monitoring_files SET active = false');
    });
    expect(await lookUp(other.database, officers)).toBeUndefined();
  } finally {
    await other.drop();
  }
});

test('without its revision nothing is taken for known, and the next change makes a new one', async () => {
  const other = await createTestDatabase();
  try {
    await seedDefinitions(other.database, SEED_FOLDER, expectationProblems);
    await other.database.raw('DELETE FROM file_processing.rule_revision');
    expect(await lookUp(other.database, officers)).toBeDefined();
    await other.database.raw('UPDATE file_processing.monitoring_files SET active = false');
    expect(await lookUp(other.database, officers)).toBeUndefined();
    expect((await other.database.raw('SELECT FROM file_processing.rule_revision')).rowCount).toBe(
      1,
    );
  } finally {
    await other.drop();
  }
});
