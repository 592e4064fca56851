import { FAULT_TYPES } from '@file-processing/quality/faults.ts';
import { expect, test } from 'vitest';
import { qualitySections } from '../../../docs/generate/quality-tables.ts';

const sections = qualitySections();

test('every kind of fault has its row, with what it is in and whether it fails a file', () => {
  const rows = sections['kinds of faults']?.split('\n').slice(2) ?? [];
  expect(rows.map((row) => row.split('`')[1])).toEqual(FAULT_TYPES);
  expect(rows.find((row) => row.includes('`type-error`'))).toMatch(/\| cell \|.*\| fails \|$/);
  expect(rows.find((row) => row.includes('`header-only`'))).toMatch(/\| only warns \|$/);
});

test('a default that is a value is shown as one, a default in words is not', () => {
  expect(sections['properties of a dialect']).toContain('| `delimiter` | `,` |');
  expect(sections['properties of a dialect']).toContain('| `commentChar` | none |');
});

test('a constraint names the types that it applies to', () => {
  expect(sections.constraints).toContain('| `required` | all |');
  expect(sections.constraints).toContain('| `jsonSchema` | `object`, `array` |');
});

test('the formats of a type are values, a pattern is described', () => {
  expect(sections['types of fields']).toContain(
    '| `date` | `default`, `any`, a strptime pattern |',
  );
});
