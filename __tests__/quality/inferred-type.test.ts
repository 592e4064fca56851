import { describe, expect, it } from 'vitest';
import { type InferredCell, inferCell } from '../../quality/inferred-type.ts';

describe('inferCell', () => {
  it.each([
    ['12', 'integer'],
    ['-12', 'integer'],
    ['007', 'integer'],
    ['1.5', 'number'],
    ['.5', 'number'],
    ['-1e5', 'number'],
    ['2024-02-29', 'date'],
    ['2023-02-29', 'string'],
    ['10:00:00', 'time'],
    ['2024-02-29T10:00:00Z', 'datetime'],
    ['true', 'boolean'],
    ['FALSE', 'boolean'],
    ['word', 'string'],
    ['12 Main St', 'string'],
    ['-', 'string'],
    ['1', 'integer'],
  ])('takes %s for %s', (text, type) => {
    const cell: InferredCell = { type: 'any', value: 0 };
    inferCell(Buffer.from(text), 0, text.length, cell);
    expect(cell.type).toBe(type);
  });
});
