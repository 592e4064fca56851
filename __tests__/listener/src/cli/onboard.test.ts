import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { cli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Sample {
  readonly name: string;
  readonly content: string | Uint8Array;
}

async function onboarded(samples: readonly Sample[], ...options: readonly string[]) {
  const folder = await temporaryFolder();
  const paths = await Promise.all(
    samples.map(async ({ name, content }) => {
      const path = join(folder, 'in', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return path;
    }),
  );
  const into = join(folder, 'rules');
  const result = await cli(['onboard', ...paths, '--into', into, ...options]);
  const text = (path: string) => readFile(join(into, path), 'utf8');
  return { ...result, into, paths, text, read: async (path: string) => parse(await text(path)) };
}

const rows = (count: number, row: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${row(index)}\n`).join('');

const visits = (day: string) => ({
  name: `visits_${day}.csv`,
  content: `visit_id,visited_on,birth_year\n${rows(12, (i) => `${i + 1},${day},${1960 + (i % 9)}`)}`,
});

test('weekly files with commas: from samples to a first verdict, with a schedule', async () => {
  const samples = ['2026-01-05', '2026-01-12', '2026-01-19'].map(visits);
  const { code, out, read, text } = await onboarded(
    samples,
    '--client',
    'clinic',
    '--bucket',
    'land',
  );
  expect(code).toBe(0);
  expect(out.match(/^PASSED/gm)).toHaveLength(3);
  expect(await read('monitoring_files/visits.yaml')).toEqual({
    client: 'clinic',
    bucket: 'land',
    keyPattern: '**/visits_*.csv',
    mapping: 'visits',
    schedule: { cron: '0 12 * * 1', grace: 'P1D', dated: true },
  });
  const mapping = await text('mappings/visits.yaml');
  expect(parse(mapping)).toMatchObject({
    tableSchema: {
      fields: [
        { name: 'visit_id', type: 'integer' },
        { name: 'visited_on', constraints: { required: true, minimum: '2026-01-05' } },
        { name: 'birth_year', classification: 'sensitive' },
      ],
      primaryKey: 'visit_id',
    },
  });
  // The next delivery has later days.
  expect(mapping).not.toContain('2026-01-19');
  expect(mapping).toContain('# birth_year: integer in 36 values, 0 nulls, looks personal');
  expect(`${mapping}${out}`).not.toContain('196');
  expect(out).toContain(
    '- primaryKey: whether visit_id is one, or is unique in the samples by chance.',
  );
  expect(out).not.toContain('- client:');
});

test('a column in which no value came twice is to be decided', async () => {
  const content = `visit_id,minutes,site\n${rows(30, (i) => `${i + 1},${i + 20},${i % 3}`)}`;
  const { out } = await onboarded([{ name: 'visits.csv', content }]);
  expect(out).toContain(
    '- unique: whether a value of minutes may come twice in a file; in the samples none did.\n',
  );
});

test('dates whose month and day can be exchanged are to be decided', async () => {
  const content = `id,seen,born\n${rows(12, (i) => `${i},0${1 + (i % 9)}/02/2024,1/31/2024`)}`;
  const { code, out, read } = await onboarded([{ name: 'sightings.csv', content }]);
  expect(code).toBe(0);
  expect(await read('mappings/sightings.yaml')).toMatchObject({
    tableSchema: { fields: [{}, { type: 'date', format: '%m/%d/%Y' }, { format: '%m/%d/%Y' }] },
  });
  expect(out.match(/^- format: .*$/gm)).toEqual([
    '- format: whether seen is written as %m/%d/%Y or %d/%m/%Y; all samples fit both.',
  ]);
});

test('names of persons in few complaints are no codes in the rule set', async () => {
  const content = `id,Complainant\n${rows(40, (i) => `${i},${i % 2 ? 'Mun\u00f3z' : 'Begay'}`)}`;
  const { text } = await onboarded([{ name: 'complaints.csv', content }]);
  expect(await text('mappings/complaints.yaml')).not.toMatch(/Mun|Begay/);
});

test('a name that is no bucket is refused before anything is written', async () => {
  const { code, err, into } = await onboarded([visits('2026-01-05')], '--bucket', 'My_Bucket');
  expect([code, err]).toEqual([2, expect.stringContaining('--bucket')]);
  await expect(readFile(join(into, 'mappings/visits.yaml'))).rejects.toThrow('ENOENT');
});

test('a file with semicolons in Windows-1252: the dialect is written down and asked about', async () => {
  const content = Buffer.from(`ort;menge\n${rows(12, (i) => `K\u00f6ln;${i % 4}`)}`, 'latin1');
  const { code, out, read } = await onboarded([{ name: 'Lager.csv', content }]);
  expect(code).toBe(0);
  expect(await read('mappings/lager.yaml')).toMatchObject({
    name: 'lager',
    dialect: { encoding: 'windows-1252', delimiter: ';' },
  });
  expect(out).toContain('PASSED');
  expect(out).toContain('- encoding: the file is not UTF-8');
  expect(out).toContain('- bucket: where files arrive; replace my-bucket.');
});

test('the encoding is that of all samples, not of the first one', async () => {
  const content = (town: string) => Buffer.from(`town,n\n${rows(3, () => `${town},1`)}`, 'latin1');
  const { code, read } = await onboarded([
    { name: 'towns_1.csv', content: content('Bonn') },
    { name: 'towns_2.csv', content: content('K\u00f6ln') },
  ]);
  expect(code).toBe(0);
  expect(await read('mappings/towns.yaml')).toMatchObject({
    dialect: { encoding: 'windows-1252' },
  });
});

test('a file with vertical bars and lines before its header is judged by the header row that was found', async () => {
  const head = 'Report of the county\nMade by hand\n';
  const content = `${head}id|name|amount\n${rows(15, (i) => `${i}|N${i}|${i}.5`)}`;
  const { code, out, read } = await onboarded([{ name: '20260105/amounts.txt', content }]);
  expect(code).toBe(0);
  expect(await read('mappings/amounts.yaml')).toMatchObject({
    dialect: { delimiter: '|', headerRows: [3] },
  });
  expect(out).toContain('PASSED');
});

test('a sample that is broken by itself shows nothing: the code is 1, and nothing is written', async () => {
  const { code, err, into } = await onboarded([{ name: 'a.csv', content: 'a,b\n1\n2\n3\n' }]);
  expect(code).toBe(1);
  expect(err).toContain('even without rules');
  await expect(readFile(join(into, 'mappings/a.yaml'))).rejects.toThrow('ENOENT');
});

test('a rule set that is there already is not replaced', async () => {
  const { paths, into } = await onboarded([visits('2026-01-05')]);
  const { code, err } = await cli(['onboard', ...paths, '--into', into]);
  expect([code, err]).toEqual([2, expect.stringContaining('there already')]);
});
