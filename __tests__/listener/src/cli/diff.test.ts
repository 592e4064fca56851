import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SCHEMA = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'amount', type: 'number' },
    { name: 'name', type: 'string', classification: 'sensitive' },
  ],
  primaryKey: 'id',
};

/** Paths of two deliveries, and of a schema where there is one. */
async function delivered(
  before: string | Uint8Array,
  after: string | Uint8Array,
  schema?: object,
): Promise<[before: string, after: string, schema: string]> {
  const folder = await temporaryFolder();
  const paths = ['before.csv', 'after.csv', 'schema.json'].map((name) => join(folder, name));
  const [one = '', other = '', rules = ''] = paths;
  await writeFile(one, before);
  await writeFile(other, after);
  await writeFile(rules, JSON.stringify(schema ?? {}));
  return [one, other, rules];
}

test('rows added, removed and changed are counted, and changes per column', async () => {
  const [before, after] = await delivered(
    'id,name,town\n1,a,x\n2,b,x\n3,c,x\n4,d,x\n',
    'id,name,town\n4,d,y\n3,C,y\n1,a,x\n5,e,x\n6,f,x\n',
  );
  const { code, out } = await cli(['diff', before, after, '--key', 'id', '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    equal: false,
    key: ['id'],
    before: { file: before, rows: 4, unreadRows: 0, rowsWithoutKey: 0, ambiguousRows: 0 },
    after: { file: after, rows: 5 },
    ...{ rowsAdded: 2, rowsRemoved: 1, rowsChanged: 2, rowsEqual: 1 },
    columns: [
      { name: 'id', changed: 0 },
      { name: 'name', changed: 1 },
      { name: 'town', changed: 2 },
    ],
    ...{ columnsAdded: [], columnsRemoved: [] },
  });
});

test('the text has counts and no value', async () => {
  const [before, after] = await delivered(
    'id,name\nk1,old\nk2,gone\n',
    'id,name\nk1,new\nk3,here\n',
  );
  const { out } = await cli(['diff', before, after, '--key', 'id']);
  expect(out).toBe(
    [
      `DIFFERENT  ${before} -> ${after}, by id`,
      '  2 rows before, 2 after',
      '  1 row added, 1 removed, 1 changed, 0 equal',
      '          1  changed in name',
      '',
    ].join('\n'),
  );
});

test('the same rows in another order and other columns order are equal and end with 0', async () => {
  const [before, after] = await delivered('id,a\n1,x\n2,y\n', 'a,id\ny,2\nx,1\n');
  const { code, out } = await cli(['diff', before, after, '--key', 'id']);
  expect(code).toBe(0);
  expect(out).toContain('EQUAL');
});

test('columns that came or went are named, and make files different', async () => {
  const [before, after] = await delivered('id,a,old\n1,x,\n', 'id,a,new\n1,x,\n');
  const { code, out } = await cli(['diff', before, after, '--key', 'id']);
  expect(code).toBe(1);
  expect(out).toContain('column added: new\n  column removed: old\n');
  expect(out).toContain('0 changed, 1 equal');
});

test('with a schema its primary key is the key, and values compare by their types', async () => {
  const [before, after, schema] = await delivered(
    'id,amount,name\n1,1.50,a\n2,2,b\n',
    'id,amount,name\n01,1.5,a\n2,2.01,b\n',
    SCHEMA,
  );
  const typed = await cli(['diff', before, after, '--schema', schema, '--json']);
  expect(JSON.parse(typed.out)).toMatchObject({ rowsEqual: 1, rowsChanged: 1, rowsAdded: 0 });
  const text = await cli(['diff', before, after, '--key', 'id', '--json']);
  expect(JSON.parse(text.out)).toMatchObject({ rowsEqual: 0, rowsChanged: 1, rowsAdded: 1 });
});

test('a value that is not of its type is compared as a text', async () => {
  const [before, after, schema] = await delivered(
    'id,amount,name\n1,junk,a\n2,junk,b\n',
    'id,amount,name\n1,junk,a\n2,rubbish,b\n',
    SCHEMA,
  );
  const { out } = await cli(['diff', before, after, '--schema', schema, '--json']);
  expect(JSON.parse(out)).toMatchObject({ rowsEqual: 1, rowsChanged: 1 });
});

test('places are listed by record, changed column and key', async () => {
  const [before, after] = await delivered(
    'id,day,n\n1,mon,x\n1,tue,x\n2,mon,x\n',
    'id,day,n\n1,tue,y\n1,mon,x\n3,mon,x\n',
  );
  const { out } = await cli(['diff', before, after, '--key', 'id', '--key', 'day', '--rows']);
  expect(out).toContain('  added: record 4 after, key "3", "mon"\n');
  expect(out).toContain('  removed: record 4 before, key "2", "mon"\n');
  expect(out).toContain('  changed: record 3 before, record 2 after, key "1", "tue": n\n');
});

test('the shape of a sensitive key stands in its place', async () => {
  const [before, after, schema] = await delivered(
    'id,amount,name\n1,1,Ann7\n',
    'id,amount,name\n1,2,Ann7\n2,2,Bob8\n',
    SCHEMA,
  );
  const { out } = await cli(['diff', before, after, '--schema', schema, '--key', 'name', '--rows']);
  expect(out).toContain('added: record 3 after, key "Aaa9 #');
  expect(out).not.toMatch(/Ann7|Bob8/);
});

test('so does that of a key in the place of a field whose name its label is not', async () => {
  const fields = ['id', 'note'].map((name) => ({ name, classification: 'public' }));
  const [before, after, schema] = await delivered(
    'id,social_security\n1,Ann7\n',
    'id,social_security\n1,Ann7\n2,Bob8\n',
    { fields },
  );
  const { out } = await cli(['diff', before, after, '--schema', schema, '--key', 'note', '--rows']);
  expect(out).toContain('added: record 3 after, key "Aaa9 #');
  expect(out).not.toContain('Bob8');
});

test('a label that the schema does not declare is shown by its shape', async () => {
  const [before, after, schema] = await delivered(
    'id,amount,name\n1,1,a\n',
    'id,amount,name,Smith\n1,1,a,x\n',
    SCHEMA,
  );
  const { out } = await cli(['diff', before, after, '--schema', schema]);
  expect(out).toContain('column added: Aaaaa\n');
});

test('a key that comes twice in a file is said, and its rows are not compared', async () => {
  const [before, after] = await delivered(
    'id,n\n1,x\n1,y\n2,x\n3,x\n',
    'id,n\n1,x\n2,x\n3,x\n3,x\n3,x\n',
  );
  const { code, out } = await cli(['diff', before, after, '--key', 'id', '--json', '--rows']);
  expect(code).toBe(1);
  const { places, ...result } = JSON.parse(out);
  expect(result).toMatchObject({
    equal: false,
    ...{ rowsAdded: 0, rowsRemoved: 0, rowsChanged: 0, rowsEqual: 1 },
    before: { duplicateKeys: 1, ambiguousRows: 3 },
    after: { duplicateKeys: 1, ambiguousRows: 4 },
  });
  expect(places).toEqual([
    { kind: 'duplicate', before: 3, after: null, first: 2, key: ['1'] },
    { kind: 'duplicate', before: null, after: 5, first: 4, key: ['3'] },
    { kind: 'duplicate', before: null, after: 6, first: 4, key: ['3'] },
  ]);
});

test('rows without a whole key, and broken ones, are said and never equal', async () => {
  const text = 'id,n\n1,x\n,y\n3\n';
  const { code, out } = await cli([
    'diff',
    ...(await delivered(text, text)).slice(0, 2),
    '--key=id',
  ]);
  expect(code).toBe(1);
  expect(out).toContain('1 row not compared, without a whole key');
  expect(out).toContain('1 row not compared, broken in structure (see validate)');
});

test('dialect, encoding and compression are read as validate reads them', async () => {
  const [before, after] = await delivered(
    gzipSync('id,n\n1,"a ""quoted"" one"\n2,b\n'),
    Buffer.from('\ufeffid;n\r\n1;"a ""quoted"" one"\r\n2;b\r\n', 'utf16le'),
  );
  const { code, err } = await cli(['diff', before, after, '--key', 'id']);
  expect([code, err]).toEqual([0, '']);
});

test('without a key nothing is compared, and what to give is said', async () => {
  const [before, after, schema] = await delivered('id\n1\n', 'id\n1\n', {
    fields: [{ name: 'id', type: 'integer' }],
  });
  const bare = await cli(['diff', before, after]);
  expect([bare.code, bare.out]).toEqual([2, '']);
  expect(bare.err).toContain('give --key COLUMN, once for each of its columns, or --schema FILE');
  const { code, err } = await cli(['diff', before, after, '--schema', schema]);
  expect(code).toBe(2);
  expect(err).toContain(`or a primaryKey in ${schema}`);
});

test('a column of the key that is missing in either file is a fault of usage, and all are named', async () => {
  const [before, after] = await delivered('a,b\n', 'b,c\n1,2\n');
  const { code, err } = await cli(['diff', before, after, '--key', 'a', '--key', 'd']);
  expect(code).toBe(2);
  expect(err).toBe(
    `${before} has no column d for the key; it has a, b\n` +
      `${after} has no column a, d for the key; it has b, c\n`,
  );
});

test('a file that is not a table ends with 1 and is named', async () => {
  const [before, after] = await delivered('id\n1\n', '%PDF-1.7\n');
  const { code, out, err } = await cli(['diff', before, after, '--key', 'id']);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(`${after} can't be compared, it is not a table that can be read`);
});

test('a file that is not there is a fault of usage', async () => {
  const [before] = await delivered('id\n1\n', '');
  const { code, err } = await cli(['diff', before, `${before}.gone`, '--key', 'id']);
  expect(code).toBe(2);
  expect(err).toContain("can't be read");
});
