import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findMapping } from '../../../../listener/src/database/mappings.ts';
import { listMonitoringFiles } from '../../../../listener/src/database/monitoring-files.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { findMonitoringFile } from '../../support/rule-sets.ts';
import { judgedRun } from '../../support/runs.ts';

const SAMPLES = fileURLToPath(new URL('../../../../listener/seed/', import.meta.url));

let given: TestDatabase;
let folder: string;
beforeEach(async () => {
  given = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'seed-'));
  cpSync(SAMPLES, folder, { recursive: true });
});
afterEach(async () => {
  await given.drop();
  rmSync(folder, { recursive: true });
});

const seed = () => seedDefinitions(given.database, folder, expectationProblems);

/** Changes the one JSON file of a sub-folder whose name holds a text. */
function change(kind: string, part: string, edit: (value: Record<string, unknown>) => void): void {
  const name = readdirSync(join(folder, kind)).find((name) => name.includes(part)) ?? '';
  const path = join(folder, kind, name);
  const value = JSON.parse(readFileSync(path, 'utf8'));
  edit(value);
  writeFileSync(path, JSON.stringify(value));
}

test.each(['etl-ba-research-client-etl', 'etl-file-processing-client-etl'])(
  'the samples monitor the officers of Albuquerque in %s',
  async (bucket) => {
    await seed();
    const key = 'from_client/nm_albuquerque/organizations/Officer_Detail.csv';
    const file = await findMonitoringFile(given.database, { bucket, key });
    expect(file).toMatchObject({ mappingName: 'officer_detail', mappingVersion: 1 });
    expect(await findMapping(given.database, 'officer_detail', 1)).toBeDefined();
  },
);

test('a second time changes nothing', async () => {
  await seed();
  expect(await seed()).toStrictEqual({
    mappings: { found: 1, changed: 0 },
    monitoringFiles: { found: 2, changed: 0 },
  });
});

test('a changed definition is brought up to date', async () => {
  await seed();
  change('monitoring_files', 'etl-ba', (file) => {
    file.active = false;
  });
  expect((await seed()).monitoringFiles.changed).toBe(1);
});

test('a version that runs were judged by is not changed, and nothing else is either', async () => {
  await seed();
  const [file] = await listMonitoringFiles(given.database);
  const monitored = {
    monitoringFileId: file?.id ?? 0,
    mappingName: 'officer_detail',
    mappingVersion: 1,
  };
  await judgedRun(given.database, { bucket: 'b', key: 'k' }, { monitored });
  change('mappings', 'officer', (mapping) => {
    mapping.thresholds = {};
  });
  change('monitoring_files', 'etl-ba', (definition) => {
    definition.active = false;
  });
  await expect(seed()).rejects.toThrow(/make this version 2/);
  expect(await listMonitoringFiles(given.database)).toSatisfy((files: { active: boolean }[]) =>
    files.every(({ active }) => active),
  );
});

test('a monitored file without its mapping is refused', async () => {
  rmSync(join(folder, 'mappings'), { recursive: true });
  await expect(seed()).rejects.toMatchObject({
    code: 'RULES_INVALID',
    faults: [
      { path: 'mapping', message: "there is no mapping 'officer_detail' version 1" },
      { path: 'mapping' },
    ],
  });
});

test('a foreign key of a file that neither the folder nor the database has is refused, and one of the database is not', async () => {
  const [mapping = ''] = readdirSync(join(folder, 'mappings'));
  const [file = ''] = readdirSync(join(folder, 'monitoring_files'));
  rmSync(join(folder, 'monitoring_files'), { recursive: true });
  mkdirSync(join(folder, 'monitoring_files'));
  const define = (kind: string, name: string, value: object) =>
    writeFileSync(join(folder, kind, name), JSON.stringify(value));
  const sample = JSON.parse(readFileSync(join(SAMPLES, 'mappings', mapping), 'utf8'));
  const own = JSON.parse(readFileSync(join(SAMPLES, 'monitoring_files', file), 'utf8'));
  const [field] = sample.tableSchema.fields;
  const reference = { resource: 'units', fields: [field.name] };
  const keyed = { foreignKeys: [{ fields: [field.name], reference }] };
  define('mappings', mapping, { ...sample, tableSchema: { ...sample.tableSchema, ...keyed } });
  define('monitoring_files', file, own);
  const message = `is 'units', and there is no mapping of that name; there are: ${sample.name}`;
  const place = {
    file: `mappings/${mapping}`,
    path: 'tableSchema.foreignKeys[0].reference.resource',
  };
  await expect(seed()).rejects.toMatchObject({ faults: [{ ...place, message }] });

  const units = { ...own, keyPattern: 'units.csv', mapping: { name: 'units', version: 1 } };
  define('mappings', mapping, { name: 'units', version: 1, tableSchema: { fields: [field] } });
  define('monitoring_files', file, units);
  await seed();
  define('mappings', mapping, { ...sample, tableSchema: { ...sample.tableSchema, ...keyed } });
  define('monitoring_files', file, own);
  await seed();
});
