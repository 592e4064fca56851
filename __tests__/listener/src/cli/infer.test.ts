import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const rows = (from: number) =>
  Array.from(
    { length: 12 },
    (_, i) =>
      `${from + i},2024-01-${10 + (i % 3)},${i % 4},${1960 + (i % 9)},${i === 3 ? '' : 'x'}`,
  );
const HEADER = 'visit_id,visited_on,count,birth_year,note';

async function files(...texts: readonly string[]): Promise<string[]> {
  const folder = await temporaryFolder();
  return Promise.all(
    texts.map(async (text, index) => {
      const path = join(folder, `${index}.csv`);
      await writeFile(path, text);
      return path;
    }),
  );
}

test('a schema is proposed with its evidence, and takes its own samples', async () => {
  const paths = await files(
    `${HEADER}\n${rows(1).join('\n')}\n`,
    `${HEADER}\n${rows(100).join('\n')}\n`,
  );
  const { code, out, err } = await cli(['infer', ...paths]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    fields: [
      { name: 'visit_id', type: 'integer', constraints: { required: true } },
      {
        name: 'visited_on',
        type: 'date',
        constraints: { required: true, minimum: '2024-01-10' },
      },
      { name: 'count', type: 'integer', constraints: { required: true, minimum: 0, maximum: 3 } },
      { name: 'birth_year', type: 'integer', constraints: { required: true } },
      { name: 'note', type: 'string' },
    ],
    primaryKey: 'visit_id',
  });
  expect(err).toContain('visit_id: integer in 24 values, 0 nulls, no value twice in a file\n');
  expect(err).toContain('birth_year: integer in 24 values, 0 nulls, looks personal');
  expect(`${out}${err}`).not.toContain('196');
  const schema = join(await temporaryFolder(), 'schema.json');
  await writeFile(schema, out);
  expect((await cli(['validate', ...paths, '--schema', schema])).code).toBe(0);
});

test('what is odd about a sample is said, since it has gone into the schema', async () => {
  const paths = await files('id,sum\n1,2\n2,3\nTotal,\n');
  const { code, err } = await cli(['infer', ...paths]);
  expect(code).toBe(0);
  expect(err).toContain('0.csv: The last row looks like a total. Leave totals out, or declare');
});

test('types are those that fit all files', async () => {
  const paths = await files('a,b,c\n1,,x\n', 'a,b,c\n1.5,2,2024-01-01\n');
  const { fields } = JSON.parse((await cli(['infer', ...paths])).out);
  expect(fields.map(({ type }: { type: string }) => type)).toEqual(['number', 'integer', 'string']);
});

test('few rows prove neither a key nor a range', async () => {
  const paths = await files('a\n1\n2\n');
  expect(JSON.parse((await cli(['infer', ...paths])).out)).toEqual({
    fields: [{ name: 'a', type: 'integer', constraints: { required: true } }],
  });
});

test('a file that fails without any rules ends with 1, and nothing is proposed', async () => {
  const { code, out, err } = await cli(['infer', ...(await files('a,b\n1\n'))]);
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(/is failed even without rules: .* `validate` shows its faults\./);
});

test('files of several kinds are a fault of usage', async () => {
  const { code, err } = await cli(['infer', ...(await files('a\n1\n', 'b\n1\n'))]);
  expect(code).toBe(2);
  expect(err).toMatch(/1\.csv has other columns than .*0\.csv; give files of one kind at a time/);
});

const column = (label: string, values: readonly string[]) =>
  `id,${label}\n${values.map((value, index) => `${index},${value}\n`).join('')}`;
const repeated = (...values: readonly string[]) => Array.from({ length: 12 }, () => values).flat();

test('few short texts that come again and again are an enum', async () => {
  const paths = await files(column('status', repeated('open', 'closed')));
  const { fields } = JSON.parse((await cli(['infer', ...paths])).out);
  expect(fields[1].constraints).toEqual({ required: true, enum: ['closed', 'open'] });
});

test.each([
  ['a column that looks personal by its label', 'gender', repeated('f', 'm')],
  ['one that looks personal by its values', 'contact', repeated('a@b.org', 'c@d.org')],
  ['long texts', 'note', repeated('a'.repeat(21), 'b')],
  ['many texts', 'town', repeated(...'abcdefghijk')],
])('%s gives no enum', async (_, label, values) => {
  const { out } = await cli(['infer', ...(await files(column(label, values)))]);
  expect(JSON.parse(out).fields[1].constraints).toEqual({ required: true });
});

test.each([
  ['%m/%d/%Y', 'date', ['1/31/2024', '02/01/2024', 'N/A', '']],
  ['%d.%m.%Y', 'date', ['1.12.2024', '31.01.2024']],
  ['%m/%d/%Y %H:%M', 'datetime', ['1/31/2024 9:05', '12/01/2024 23:59']],
  ['%m/%d/%Y %I:%M %p', 'datetime', ['1/31/2024 9:05 AM', '12/01/2024 11:59 PM']],
  ['%H:%M', 'time', ['9:05', '23:59']],
])('dates written as %s are of type %s, and no code', async (format, type, values) => {
  const paths = await files(column('day', repeated(...values)), column('day', [values[0] ?? '']));
  const { code, out } = await cli(['infer', ...paths]);
  expect(code).toBe(0);
  expect(JSON.parse(out).fields[1]).toMatchObject({ name: 'day', type, format });
  expect(out).not.toContain('enum');
});

test('a day that one format alone can have decides between month and day first', async () => {
  const paths = await files(
    column('day', repeated('01/02/2024', '03/04/2024')),
    column('day', ['31/01/2024']),
  );
  const { out } = await cli(['infer', ...paths]);
  expect(JSON.parse(out).fields[1]).toMatchObject({ type: 'date', format: '%d/%m/%Y' });
});

test('one text that is no date leaves a column of texts', async () => {
  const paths = await files(column('day', [...repeated('01/31/2024'), 'soon']));
  const { out } = await cli(['infer', ...paths]);
  expect(JSON.parse(out).fields[1].type).toBe('string');
});

test('numbers that are filled up with zeros in one of the samples are texts', async () => {
  const paths = await files(column('zip', repeated('87101')), column('zip', ['00501']));
  const { code, out, err } = await cli(['infer', ...paths]);
  expect([code, JSON.parse(out).fields[1].type]).toEqual([0, 'string']);
  expect(err).toContain('zip: string in 13 values, 0 nulls, filled up with zeros');
});

test.each(['0', '0.5', '10'])('a number %s is not filled up', async (text) => {
  const paths = await files(column('n', repeated(text, '7')));
  expect(JSON.parse((await cli(['infer', ...paths])).out).fields[1].type).toMatch(/integer|number/);
});

test('a column without a value but NULL is no date', async () => {
  const paths = await files(column('day', repeated('NULL')));
  const { code, out } = await cli(['infer', ...paths]);
  expect([code, JSON.parse(out).fields[1].type]).toEqual([0, 'string']);
});

test.each(['subject_age', 'officerSex', 'Complainant', 'victim_1', 'case_narrative', 'Notes'])(
  'a column labelled %s looks personal',
  async (label) => {
    const paths = await files(column(label, repeated('21', 'x')));
    expect((await cli(['infer', ...paths])).err).toContain('looks personal');
  },
);

test.each(['usage', 'stage', 'sexes_total', 'notebook'])(
  'a column labelled %s does not',
  async (label) => {
    const paths = await files(column(label, repeated('21', 'x')));
    expect((await cli(['infer', ...paths])).err).not.toContain('looks personal');
  },
);

test('texts that stand for no value are missing values, and hide no type', async () => {
  const paths = await files(column('n', ['NULL', 'NA', ...repeated('1', '2')]));
  const { code, out, err } = await cli(['infer', ...paths]);
  expect(code).toBe(0);
  expect(JSON.parse(out).fields[1]).toEqual({
    name: 'n',
    type: 'integer',
    missingValues: ['', 'NA', 'NULL'],
    constraints: { minimum: 1, maximum: 2 },
  });
  expect(err).toContain('n: integer in 24 values, 2 nulls (NA, NULL among them)');
});

test('a text that may be a code is none of the missing values of a column of texts', async () => {
  const paths = await files(column('country', repeated('NA', 'DE')));
  const { out } = await cli(['infer', ...paths]);
  expect(JSON.parse(out).fields[1]).toEqual({
    ...{ name: 'country', type: 'string', constraints: { required: true } },
  });
});

test('another delimiter is proposed with the schema as a mapping, which takes its own sample', async () => {
  const paths = await files('a;b\n1;x\n2;y\n');
  const { code, out } = await cli(['infer', ...paths]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    dialect: { delimiter: ';' },
    tableSchema: { fields: [{ name: 'a' }, { name: 'b' }] },
  });
  const mapping = join(await temporaryFolder(), 'mapping.json');
  await writeFile(mapping, out);
  expect((await cli(['validate', ...paths, '--schema', mapping])).code).toBe(0);
});

const DAYS = rows(1)
  .map((row) => `${row}\n`)
  .join('');

test.each<[string, string | Uint8Array, object, string]>([
  [
    'apostrophes as quotes',
    `${HEADER}\n${DAYS}99,2024-01-10,1,1960,'a, b'\n`,
    { quoteChar: "'" },
    'The file is quoted by apostrophes: 1 cell of its first lines is.',
  ],
  [
    'lines before the header',
    `Visits\n\n${HEADER}\n${DAYS}`,
    { headerRows: [3] },
    'The header is probably in line 3: what stands before it has fewer cells.',
  ],
  [
    'semicolons under lines before the header',
    `Visits\n\n${HEADER}\n${DAYS}`.replaceAll(',', ';'),
    { delimiter: ';', headerRows: [3] },
    'The file is semicolon-separated: 13 of 13 lines have 4 semicolons.',
  ],
  [
    'UTF-16 by its bytes',
    Buffer.from(`${HEADER}\n${DAYS}`, 'utf16le'),
    { encoding: 'utf-16' },
    'encoding: its bytes, or a byte order mark, are those of UTF-16.',
  ],
  [
    'UTF-16 by its mark',
    Buffer.from(`\ufeff${HEADER}\n${DAYS}`, 'utf16le'),
    { encoding: 'utf-16' },
    'are those of UTF-16.',
  ],
  [
    'Windows-1252 and tabs',
    Buffer.from(`${HEADER}\n${DAYS}99,2024-01-10,1,1960,\xa3 5\n`.replaceAll(',', '\t'), 'latin1'),
    { encoding: 'windows-1252', delimiter: '\t' },
    'In Windows-1252 it would be £ (U+00A3).',
  ],
])('%s are proposed as a dialect, with the evidence', async (_, text, dialect, evidence) => {
  const path = join(await temporaryFolder(), 'a.csv');
  await writeFile(path, text);
  const { code, out, err } = await cli(['infer', path]);
  const mapping = JSON.parse(out);
  expect([code, mapping.dialect]).toEqual([0, dialect]);
  expect(mapping.tableSchema.fields.map(({ name }: { name: string }) => name)).toEqual(
    HEADER.split(','),
  );
  expect(err).toContain(evidence);
  expect(mapping.tableSchema.primaryKey).toBe('visit_id');
});

test('samples that are written in several ways are a fault of usage', async () => {
  const paths = await files(`${HEADER}\n${DAYS}`, `${HEADER}\n${DAYS}`.replaceAll(',', ';'));
  const { code, err } = await cli(['infer', ...paths]);
  expect([code, err]).toEqual([
    2,
    `${paths[1]} separates cells by ";", quotes them by " and has its labels in line 1, ${paths[0]} separates cells by ",", quotes them by " and has its labels in line 1; give files of one kind at a time\n`,
  ]);
});

test('of dates no largest one is proposed, since the next delivery has later ones', async () => {
  const [path] = await files(`${HEADER}\n${DAYS}`);
  const { out } = await cli(['infer', path ?? '']);
  const [, visitedOn, count] = JSON.parse(out).fields;
  expect([visitedOn.constraints, count.constraints]).toEqual([
    { required: true, minimum: '2024-01-10' },
    { required: true, minimum: 0, maximum: 3 },
  ]);
});
