import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDefinitions, SeedError } from '../../../../listener/src/database/definitions.ts';

test('the message has one line a fault, without empty parts', () => {
  const error = new SeedError('seed', [
    { file: 'mappings/a.json', path: 'name', message: 'is missing' },
    { file: '', path: '', message: 'nothing to load' },
  ]);
  expect(error.message.split('\n')).toEqual([
    "the definitions in seed can't be loaded:",
    '- mappings/a.json: name: is missing',
    '- nothing to load',
  ]);
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'definitions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const MAPPING = { name: 'officers', version: 1, tableSchema: {} };
const FILE = {
  client: 'nm',
  bucket: 'bucket',
  keyPattern: 'a/**/b.csv',
  mapping: { name: 'officers', version: 1 },
};

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(
    join(folder, path),
    typeof content === 'string' ? content : JSON.stringify(content),
  );
}

async function faults(check: Parameters<typeof readDefinitions>[1] = () => []) {
  const error = await readDefinitions(folder, check).then(
    () => undefined,
    (error: unknown) => error,
  );
  return error instanceof SeedError ? error.faults : error;
}

test('what is left out gets its default', async () => {
  write('mappings/m.json', MAPPING);
  write('monitoring_files/f.json', FILE);
  const { mappings, monitoringFiles } = await readDefinitions(folder, () => []);
  expect(mappings[0]?.value).toStrictEqual({ ...MAPPING, dialect: {}, thresholds: {} });
  expect(monitoringFiles[0]?.value).toMatchObject({ active: true, description: '' });
});

test('a file that begins with a byte order mark is read', async () => {
  write('mappings/m.json', `\uFEFF${JSON.stringify(MAPPING)}`);
  const { mappings } = await readDefinitions(folder, () => []);
  expect(mappings[0]?.value.name).toBe('officers');
});

test('the faults of all files are reported together, with file and path', async () => {
  write('mappings/a.json', '{');
  write('mappings/b.json', { ...MAPPING, name: 'Not An Identifier', version: 0, colour: 1 });
  write('monitoring_files/c.json', { ...FILE, bucket: 'B', keyPattern: 'a**b', active: 'yes' });
  write('monitoring_files/d.json', { ...FILE, mapping: { name: 'officers' } });
  expect(await faults()).toStrictEqual([
    { file: 'mappings/a.json', path: '', message: expect.stringContaining('is not JSON') },
    { file: 'mappings/b.json', path: 'colour', message: expect.stringContaining('known: name') },
    { file: 'mappings/b.json', path: 'name', message: expect.stringContaining('identifier') },
    { file: 'mappings/b.json', path: 'version', message: expect.stringContaining('is 0') },
    { file: 'monitoring_files/c.json', path: 'bucket', message: expect.any(String) },
    { file: 'monitoring_files/c.json', path: 'keyPattern', message: expect.any(String) },
    { file: 'monitoring_files/c.json', path: 'active', message: expect.any(String) },
    {
      file: 'monitoring_files/d.json',
      path: 'mapping.version',
      message: 'is missing; allowed: a whole number from 1',
    },
  ]);
});

test('what the quality checks say of a schema is reported under its own name', async () => {
  write('mappings/a.json', MAPPING);
  const check = () => [{ path: 'schema.fields[0].type', message: 'is not a type' }];
  expect(await faults(check)).toStrictEqual([
    { file: 'mappings/a.json', path: 'tableSchema.fields[0].type', message: 'is not a type' },
  ]);
});

test('two files that define the same are a fault that names both', async () => {
  write('mappings/a.json', MAPPING);
  write('mappings/b.json', MAPPING);
  expect(await faults()).toStrictEqual([
    {
      file: 'mappings/b.json',
      path: '',
      message: "mapping 'officers' version 1 is defined by mappings/a.json already",
    },
  ]);
});

test('a folder with nothing to load is a fault', async () => {
  expect(await faults()).toEqual([
    expect.objectContaining({ message: expect.stringContaining('nothing to load') }),
  ]);
});
