import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { freshBundle } from '../../../../listener/bin/bundle.cjs';
import { inspectFile } from '../../../../listener/src/cli/validate.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { buildBundle, bundledCli } from '../../support/bundled-cli.ts';
import { cli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const REPORT_SCHEMA = new URL('../../../../quality/report.schema.json', import.meta.url);

async function files(content: string, schema?: object | string) {
  const folder = await temporaryFolder();
  const [file, schemaFile] = [join(folder, 'a.csv'), join(folder, 'schema.json')];
  await writeFile(file, content);
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema ?? {});
  await writeFile(schemaFile, text);
  return { file, schemaFile };
}

const integer = { fields: [{ name: 'n', type: 'integer' }] };

beforeAll(buildBundle);

describe.each([
  ['its sources', cli],
  ['the bundle', bundledCli],
])('validate from %s', (_source, cli) => {
  test.each([
    ['passed', 0, 'n\n1\n'],
    ['warned', 0, 'n\n'],
    ['failed', 1, 'n\n1,2\n'],
    ['unreadable', 1, ''],
  ])('a file that is %s ends with %i', async (verdict, code, content) => {
    const { file } = await files(content);
    const result = await cli(['validate', file]);
    expect(result.code).toBe(code);
    expect(result.out).toContain(`${verdict.toUpperCase()}  ${file}`);
  });

  test('without a schema the verdict is that on the structure, whatever UNMONITORED is, and it says so', async () => {
    const { file } = await files('n\n1\n');
    const { code, out } = await cli(['validate', file], { UNMONITORED: 'fail' });
    expect(code).toBe(0);
    expect(out).toContain('rules: none; structure alone was judged');
  });

  test('the distributions of values are in the JSON', async () => {
    const { file } = await files('n\n1\n20\n');
    const { out } = await cli(['validate', file, '--json']);
    expect(JSON.parse(out).columns[0].distribution).toMatchObject({ by: 'magnitude', values: 2 });
  });

  test('foreign keys of another file are compared with the file that --reference names', async () => {
    const { file, schemaFile } = await files('officer\n1\n3\n', {
      fields: [{ name: 'officer', type: 'integer', constraints: { maximum: 3 } }],
      foreignKeys: [{ fields: 'officer', reference: { resource: 'officers', fields: 'badge' } }],
    });
    const validate = (...options: string[]) =>
      cli(['validate', file, '--schema', schemaFile, ...options]);
    expect((await validate()).out).toContain('was not judged, since its keys are not known here.');
    const officers = file.replace('a.csv', 'officers.csv');
    await writeFile(officers, 'name,badge\nA,1\nB,4\n');
    const { code, out } = await validate('--reference', `officers=${officers}`);
    expect([code, out]).toEqual([
      1,
      expect.stringContaining('record 3, line 3, column 1 (officer): foreign-key'),
    ]);
    await writeFile(officers, 'name,badge\nA,x\nB,4\n');
    expect((await validate('--reference', `officers=${officers}`)).out).toContain(
      'was not judged, since 1 of its values are not of the type of what refers to them.',
    );
    await writeFile(officers, 'name,number\nA,1\n');
    expect((await validate('--reference', `officers=${officers}`)).out).toContain(
      'was not judged, since it lacks badge.',
    );
  });

  test('references that name no foreign key, or no file, are faults of usage', async () => {
    const { file, schemaFile } = await files('n\n1\n', integer);
    const { code, err } = await cli([
      'validate',
      file,
      '--schema',
      schemaFile,
      '--reference',
      'x=a',
      '--reference',
      'y',
    ]);
    expect([code, err]).toEqual([
      2,
      '--reference names "x", which no foreign key of the schema refers to; those are: none\n' +
        '--reference is "y"; NAME=FILE is needed\n',
    ]);
  });

  test('a mapping in YAML is applied', async () => {
    const { file } = await files('n\nx\n');
    const schema = file.replace('a.csv', 'm.yaml');
    await writeFile(schema, 'name: m\ntableSchema: { fields: [{ name: n, type: integer }] }\n');
    expect((await cli(['validate', file, '--schema', schema])).out).toContain('type-error');
  });

  test('a column that is missing goes by its name, without a number', async () => {
    const fields = [{ name: 'n' }, { name: 'beat' }];
    const { file, schemaFile } = await files('n\n1\n', { fields });
    const { out } = await cli(['validate', file, '--schema', schemaFile]);
    expect(out).toContain('  record 1, line 1, column beat: missing-label: ');
  });

  test('--html writes a page for each file into a folder that it makes', async () => {
    const { file, schemaFile } = await files('n\nx\n', integer);
    const other = join(await temporaryFolder(), 'a.csv');
    await writeFile(other, 'n\n1\n');
    const folder = join(await temporaryFolder(), 'new/pages');
    const call = ['validate', file, other, '--schema', schemaFile, '--html', folder];
    const { code, err } = await cli(call);
    expect(code).toBe(1);
    const written = ['a.csv.html', 'a.csv.2.html'].map((name) => `wrote ${join(folder, name)}\n`);
    expect(err).toBe(written.join(''));
    const page = (name: string) => readFile(join(folder, name), 'utf8');
    expect(await page('a.csv.html')).toMatch(/type-error in column 1[\s\S]*<span class="text">x</);
    expect(await page('a.csv.2.html')).toContain('Nothing is wrong with this file.');
  });

  test('--html shows of a sensitive column what the terminal shows: no value', async () => {
    const field = { name: 'n', type: 'integer', classification: 'sensitive' };
    const { file, schemaFile } = await files('n\nM4rker\n', { fields: [field] });
    const folder = await temporaryFolder();
    await cli(['validate', file, '--schema', schemaFile, '--html', folder]);
    const page = await readFile(join(folder, 'a.csv.html'), 'utf8');
    expect(page).toContain('A9aaaa #1');
    expect(page).not.toContain('M4rker');
  });

  test('--html into what is not a folder is refused before a file is judged', async () => {
    const { file } = await files('n\n1\n');
    const { code, out, err } = await cli(['validate', file, '--html', file]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${file} can't be written to`);
  });

  test('a Table Schema is applied', async () => {
    const { file, schemaFile } = await files('n\nx\n', integer);
    const { code, out } = await cli(['validate', file, '--schema', schemaFile]);
    expect(code).toBe(1);
    expect(out).toContain('record 2, line 2, column 1 (n): type-error');
  });

  test('a mapping is applied with its dialect and thresholds', async () => {
    const mapping = {
      tableSchema: integer,
      dialect: { commentChar: '#' },
      thresholds: { minRows: 2 },
    };
    const { file, schemaFile } = await files('#x\nn\n1\n', mapping);
    const { out } = await cli(['validate', file, '--schema', schemaFile]);
    expect(out).toContain('1  table-dimensions');
  });

  test('--json prints a report that fits its schema, and nothing else', async () => {
    const { file } = await files('n\n1,2\n');
    const { out, err } = await cli(['validate', file, '--json']);
    const validate = new Ajv2020({ strict: false }).compile(
      JSON.parse(await readFile(REPORT_SCHEMA, 'utf8')),
    );
    expect(validate(JSON.parse(out)), JSON.stringify(validate.errors)).toBe(true);
    expect(err).toBe('');
  });

  test('several files are judged one after the other, and the most serious verdict decides', async () => {
    const folder = await temporaryFolder();
    const names = ['a.csv', 'b.csv', 'c.csv'].map((name) => join(folder, name));
    for (const name of names) await writeFile(name, name.endsWith('b.csv') ? 'n\n1,2\n' : 'n\n1\n');
    const { code, out } = await cli(['validate', ...names]);
    expect(code).toBe(1);
    expect(out.match(/^[A-Z]+ {2}.*$/gm)).toStrictEqual([
      `PASSED  ${names[0]}`,
      `FAILED  ${names[1]}`,
      `PASSED  ${names[2]}`,
    ]);
    expect((await cli(['validate', `${names[0]}`, `${names[2]}`])).code).toBe(0);
  });

  test('--json prints a line for each file, with its name', async () => {
    const folder = await temporaryFolder();
    const names = ['b.csv', 'a.csv'].map((name) => join(folder, name));
    for (const name of names) await writeFile(name, 'n\n1\n');
    const { out } = await cli(['validate', ...names, '--json']);
    const lines = out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).file)).toStrictEqual(names);
  });

  test('a pattern names the files of a folder in order, and each is judged once', async () => {
    const folder = await temporaryFolder();
    for (const name of ['b.csv', 'a.csv', 'c.txt']) await writeFile(join(folder, name), 'n\n1\n');
    await mkdir(join(folder, 'd.csv'));
    const { out } = await cli(['validate', join(folder, '*.csv'), join(folder, 'a.csv')]);
    expect(out.match(/^[A-Z]+ {2}.*$/gm)).toStrictEqual([
      `PASSED  ${join(folder, 'a.csv')}`,
      `PASSED  ${join(folder, 'b.csv')}`,
    ]);
  });

  test('a name that looks like a pattern is a file where there is one', async () => {
    const file = join(await temporaryFolder(), 'a[1].csv');
    await writeFile(file, 'n\n1\n');
    expect((await cli(['validate', file])).out).toContain(`PASSED  ${file}`);
  });

  test('all names that cannot be judged are said at once, and nothing is judged', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.csv'), 'n\n1\n');
    const names = ['a.csv', 'none.csv', '*.txt', ''].map((name) => join(folder, name));
    const { code, out, err } = await cli(['validate', ...names]);
    expect([code, out]).toStrictEqual([2, '']);
    expect(err).toContain(`${names[1]} can't be read: there is no such file\n`);
    expect(err).toContain(`${names[2]} names no file`);
    expect(err).toContain(`${names[3]} is a folder`);
  });

  test.each([
    ['a value of a sensitive column', 'n,mail\n1,ab@example.org\n1,\n'],
    ['the label of a column that no rule names', 'n,mail,Middle Name\n1,,x\n'],
  ])('says once that shapes stand for %s, and not where there are none', async (_, content) => {
    const mail = { name: 'mail', classification: 'sensitive', constraints: { maxLength: 3 } };
    const schema = { fields: [...integer.fields, mail], fieldsMatch: 'equal' };
    const { file, schemaFile } = await files(content, schema);
    const { out } = await cli(['validate', file, '--schema', schemaFile]);
    expect(out.match(/are shown as shapes/g)).toHaveLength(1);
    await writeFile(file, 'n,mail\nx,\n');
    const plain = await cli(['validate', file, '--schema', schemaFile]);
    expect(plain.out).toContain('type-error');
    expect(plain.out).not.toContain('shapes');
  });

  test('MAX_FAULTS limits the faults that are listed', async () => {
    const { file } = await files('n\n1,2\n1,2\n');
    const { out } = await cli(['validate', file, '--json'], { MAX_FAULTS: '1' });
    expect(JSON.parse(out)).toMatchObject({ faultCount: 2, faults: [{}] });
  });

  test('keys beyond memory and scratch space end without a verdict, to be tried again', async () => {
    const schema = { fields: [{ name: 'n', constraints: { unique: true } }] };
    const rows = Array.from({ length: 100_000 }, (_, i) => `key ${i}\n`);
    const { file, schemaFile } = await files(`n\n${rows.join('')}`, schema);
    const command = ['validate', file, '--schema', schemaFile];
    const full = await cli(command, { KEY_MEMORY_MIB: '0', SCRATCH_MIB: '1' });
    expect(full).toMatchObject({ code: 75, out: '', err: expect.stringContaining('SCRATCH_MIB') });
    expect(full.err).not.toContain('unexpected');
    const enough = await cli(command, { KEY_MEMORY_MIB: '0', SCRATCH_MIB: '4' });
    expect(enough).toMatchObject({ code: 0, out: expect.stringContaining('PASSED') });
  });

  test.each([
    [
      'MAX_UNPACKED_MIB',
      2,
      'more than 1048576 bytes, which is MAX_UNPACKED_MIB (max_unpacked of the stack).',
    ],
    ['MAX_COMPRESSION_RATIO', 65, 'more than 1 for each, which is MAX_COMPRESSION_RATIO'],
  ])(
    'an archive over %s is unreadable, and the fault names that setting',
    async (name, mebibytes, message) => {
      const { file } = await files('');
      // In long rows: millions of short ones take seconds to be judged.
      const row = `${'1'.repeat(1023)}\n`;
      await writeFile(file, gzipSync(Buffer.alloc(mebibytes * 2 ** 20, row)));
      const { code, out } = await cli(['validate', file], { [name]: '1' });
      expect([code, out]).toEqual([1, expect.stringContaining(message)]);
      expect(out).toContain('UNREADABLE');
    },
  );

  test('a file that is not there is a fault of usage', async () => {
    expect(await cli(['validate', '/nowhere/a.csv'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('/nowhere/a.csv'),
    });
  });

  test('a folder is a fault of usage', async () => {
    expect(await cli(['validate', await temporaryFolder()])).toMatchObject({ code: 2 });
  });

  test('a file that can no longer be read once it is open is one as well', async () => {
    const reading = inspectFile(await temporaryFolder(), NODE_PORTS, {});
    await expect(reading).rejects.toThrow("can't be read: it is a folder");
  });

  test.each([
    ['that is not JSON', 'fields'],
    ['with unknown types', { fields: [{ name: 'n', type: 'complex' }] }],
  ])('a schema %s is a fault of usage', async (_, schema) => {
    const { file, schemaFile } = await files('n\n1\n', schema);
    const { code, err } = await cli(['validate', file, '--schema', schemaFile]);
    expect(code).toBe(2);
    expect(err).not.toBe('');
  });

  test.each([
    ['a part that is not known', { tableSchema: integer, dialects: {} }, 'did you mean dialect?'],
    ['thresholds in its Table Schema', { ...integer, thresholds: {} }, 'beside tableSchema'],
    ['a property that is misspelt', { ...integer, primarykey: 'n' }, 'did you mean primaryKey?'],
  ])('a mapping with %s is a fault of usage', async (_, schema, meant) => {
    const { file, schemaFile } = await files('n\n1\n', schema);
    const { code, err } = await cli(['validate', file, '--schema', schemaFile]);
    expect(code).toBe(2);
    expect(err).toContain(meant);
  });

  test('a schema that begins with a byte order mark is read', async () => {
    const { file, schemaFile } = await files('n\nx\n', `\uFEFF${JSON.stringify(integer)}`);
    const { code, out } = await cli(['validate', file, '--schema', schemaFile]);
    expect(code).toBe(1);
    expect(out).toContain('type-error');
  });
});

test('a build compiles anew what is there already, as by another Node.js', async () => {
  const script = freshBundle(join(import.meta.dirname, '../../../../listener')) as string;
  const cache = join(dirname(script), `main.${process.arch}.cache`);
  await writeFile(cache, 'of another version');
  await buildBundle();
  expect((await readFile(cache)).length).toBeGreaterThan(1_000);
});

test('the bundle is of validate alone', async () => {
  expect(await bundledCli(['runs', 'list'])).toMatchObject({
    err: expect.stringContaining('loads file:'),
  });
});
