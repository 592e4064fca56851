import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../quality/descriptor-error.ts';
import {
  compileFieldType,
  FIELD_TYPES,
  type FieldType,
  readCell,
} from '../../quality/field-type.ts';

function compile(type: FieldType, field: Record<string, unknown>) {
  const problems = new ProblemList();
  const cell = compileFieldType(type, field, 'field', problems);
  const valid = (text: string): boolean =>
    !Number.isNaN(cell.read(Buffer.from(text), 0, Buffer.byteLength(text)));
  return { valid, paths: problems.problems.map(({ path }) => path) };
}

describe('compileFieldType', () => {
  it.each<[FieldType, Record<string, unknown>, string, string]>([
    ['string', { format: 'email' }, 'a@b.org', 'a@b'],
    ['integer', { groupChar: ',' }, '1,000', '1.000'],
    ['number', { decimalChar: ',', groupChar: '.' }, '1.000,5', '1,000.5'],
    ['number', { bareNumber: false }, '€ 95.5', '€'],
    ['boolean', { trueValues: ['yes'], falseValues: ['no'] }, 'yes', 'true'],
    ['date', { format: '%d/%m/%Y' }, '31/01/2024', '2024-01-31'],
    ['time', {}, '23:59:59', '24:00:01'],
    ['datetime', { format: 'any' }, '2024-01-31 10:00', 'yesterday'],
    ['year', {}, '2024', '24'],
    ['yearmonth', {}, '2024-12', '2024-13'],
    ['string', { format: 'binary' }, 'YWI=', 'YWI'],
    ['date', { format: 'fmt:%d/%m/%Y' }, '31/01/2024', '2024-01-31'],
    ['duration', {}, 'P1DT12H', 'P1W'],
    ['list', { itemType: 'integer', delimiter: ';' }, '1;2', '1,2'],
    ['object', {}, '{"a": 1}', '[1]'],
    ['array', {}, '[1]', '{"a": 1}'],
    ['geopoint', {}, '90.50, 45.50', '45.50, 90.50'],
    ['geopoint', { format: 'array' }, '[90.5, 45.5]', '90.5, 45.5'],
    ['geopoint', { format: 'object' }, '{"lon": 90.5, "lat": 45.5}', '{"lon": 90.5}'],
    ['geojson', {}, '{"type": "Point", "coordinates": [1, 2]}', '{"coordinates": [1, 2]}'],
    [
      'geojson',
      { format: 'topojson' },
      '{"type": "Topology", "objects": {}, "arcs": []}',
      '{"type": "Point", "coordinates": [1, 2]}',
    ],
  ])('%s with %j takes %s and not %s', (type, field, good, bad) => {
    const { valid, paths } = compile(type, field);
    expect([paths, valid(good), valid(bad)]).toStrictEqual([[], true, false]);
  });

  it.each<[FieldType, Record<string, unknown>, string]>([
    ['string', { format: 'base64' }, 'field.format'],
    ['geopoint', { format: 'list' }, 'field.format'],
    ['geojson', { format: 'wkt' }, 'field.format'],
    ['string', { itemType: 'integer' }, 'field.itemType'],
    ['array', { delimiter: ';' }, 'field.delimiter'],
    ['integer', { format: 'hex' }, 'field.format'],
    ['date', { format: 'YYYY-MM-DD' }, 'field.format'],
    ['date', { format: '%Y-%Q' }, 'field.format'],
    ['date', { format: 7 }, 'field.format'],
    ['date', { format: '%H:%M' }, 'field.format'],
    ['date', { format: '100%%' }, 'field.format'],
    ['date', { format: '%d/%m/%d' }, 'field.format'],
    ['time', { format: '%d/%m/%Y' }, 'field.format'],
    ['datetime', { format: '%z' }, 'field.format'],
    ['number', { decimalChar: 'e' }, 'field.decimalChar'],
    ['integer', { groupChar: 'E' }, 'field.groupChar'],
    ['number', { decimalChar: '..' }, 'field.decimalChar'],
    ['number', { groupChar: '.' }, 'field.groupChar'],
    ['integer', { bareNumber: 'no' }, 'field.bareNumber'],
    ['integer', { decimalChar: ',' }, 'field.decimalChar'],
    ['string', { bareNumber: false }, 'field.bareNumber'],
    ['date', { trueValues: ['x'] }, 'field.trueValues'],
    ['boolean', { trueValues: [] }, 'field.trueValues'],
    ['boolean', { trueValues: ['x'], falseValues: ['x'] }, 'field.falseValues'],
  ])('%s refuses %j', (type, field, path) => {
    expect(compile(type, field).paths).toStrictEqual([path]);
  });
});

describe('readCell', () => {
  it.each(FIELD_TYPES)('gives what the reader of %s gives', (type) => {
    const cell = compileFieldType(type, {}, 'field', new ProblemList());
    const texts = [
      '1',
      '2.5',
      'a',
      'true',
      '2024',
      '2024-01',
      '2024-01-01',
      '10:00:00',
      '2024-01-01T10:00:00Z',
    ];
    for (const text of texts) {
      const bytes = Buffer.from(text);
      expect(readCell(cell, bytes, 0, bytes.length)).toBe(cell.read(bytes, 0, bytes.length));
    }
  });
});
