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
        constraints: { required: true, minimum: '2024-01-10', maximum: '2024-01-12' },
      },
      { name: 'count', type: 'integer', constraints: { required: true, minimum: 0, maximum: 3 } },
      { name: 'birth_year', type: 'integer', constraints: { required: true } },
      { name: 'note', type: 'string' },
    ],
    primaryKey: 'visit_id',
  });
  expect(err).toContain('visit_id: integer by 24 values, 0 nulls, none twice in a file\n');
  expect(err).toContain('birth_year: integer by 24 values, 0 nulls, looks personal');
  expect(`${out}${err}`).not.toContain('196');
  const schema = join(await temporaryFolder(), 'schema.json');
  await writeFile(schema, out);
  expect((await cli(['validate', ...paths, '--schema', schema])).code).toBe(0);
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
  expect(err).toContain('is failed without any rules');
});

test('files of several kinds are a fault of usage', async () => {
  const { code, err } = await cli(['infer', ...(await files('a\n1\n', 'b\n1\n'))]);
  expect(code).toBe(2);
  expect(err).toContain('has other columns than the files before it');
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
  expect(err).toContain('n: integer by 24 values, 2 nulls (NA, NULL among them)');
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
