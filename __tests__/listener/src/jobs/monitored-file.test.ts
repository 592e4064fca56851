import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

test('a monitored file comes with its mapping from the database', async () => {
  expect(await monitoredFileInDatabase(given.database, officers)).toMatchObject({
    monitoringFileId: expect.any(Number),
    client: 'nm_albuquerque',
    mapping: { name: 'officer_detail', version: 1 },
  });
});

test('nothing is found in the database for a file that nobody monitors', async () => {
  expect(await monitoredFileInDatabase(given.database, unknown)).toBeUndefined();
});

test('definitions find the same as the database they are loaded into', async () => {
  const definitions = await readRuleFolder(SEED_FOLDER, expectationProblems);
  const { monitoringFileId, ...stored } =
    (await monitoredFileInDatabase(given.database, officers)) ?? {};
  const { monitoringFileId: none, ...defined } =
    monitoredFileInRuleSet(definitions, officers) ?? {};
  expect(defined).toEqual(stored);
  expect([monitoringFileId, none]).toEqual([expect.any(Number), undefined]);
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
        ? await monitoredFileInDatabase(given.database, officers)
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
