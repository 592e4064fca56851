import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../../quality/descriptor-error.ts';
import { compileFieldType, FIELD_TYPES } from '../../../quality/field-type.ts';
import { readCell } from '../../../quality/types/read-cell.ts';

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
