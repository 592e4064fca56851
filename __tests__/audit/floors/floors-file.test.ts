import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFloors, writeFloors } from '../../../audit/floors/floors-file.ts';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'floors-'));
  file = join(folder, 'floors.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('has no floors where there is no file', () => {
  expect(readFloors(join(folder, 'none.json'))).toEqual({});
});

it('reads what it wrote, environments in order', () => {
  const floors = { b: { east: { resources: 1 } }, a: { east: { resources: 2, rules: 3 } } };
  writeFloors(file, floors);
  expect(readFloors(file)).toEqual(floors);
  expect(readFileSync(file, 'utf8').indexOf('"a"')).toBeLessThan(
    readFileSync(file, 'utf8').indexOf('"b"'),
  );
});

it.each(['{', '[]', '{"a": 1}', '{"a": {"east": {"resources": "many"}}}'])(
  'refuses %s and names the file',
  (text) => {
    writeFileSync(file, text);
    expect(() => readFloors(file)).toThrow(file);
  },
);
