import { describe, expect, it } from 'vitest';
import type { TableSchema } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

describe('values', () => {
  it('takes an empty cell for text when the missing values do not list it', () => {
    const schema: TableSchema = { ...TWO, missingValues: ['NA'] };
    const report = inspectBytes('id,name\n1,\n,a\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['type-error 3:1']);
  });

  it.each([
    ['type-error', { type: 'integer' as const }, 'x', ['The value is not of type integer.']],
    [
      'type-error',
      { type: 'string' as const, format: 'email' },
      'x',
      ['The value is not of type string, format email.'],
    ],
    [
      'type-error',
      { type: 'date' as const, format: 'default' },
      'x',
      ['The value is not of type date.'],
    ],
    ['constraint-error', { constraints: { required: true } }, '', ['required']],
    [
      'constraint-error',
      { type: 'integer' as const, constraints: { minimum: 3, enum: [4] } },
      '2',
      ['minimum is 3', 'enum does not list it'],
    ],
  ])('are named as %s, each constraint for itself: %j', (type, field, value, messages) => {
    const schema: TableSchema = { fields: [{ name: 'a', ...field }, { name: 'b' }] };
    const { faults } = inspectBytes(`a,b\n${value},x\n`, { expectation: { schema } });
    expect(
      faults.map((fault) => [fault.type, fault.field, fault.value, fault.message]),
    ).toStrictEqual(messages.map((message) => [type, 1, value, message]));
  });
});
