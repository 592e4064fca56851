import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../../quality/descriptor-error.ts';
import { compileFieldType } from '../../../quality/field-type.ts';

function read(field: Record<string, unknown>, text: string) {
  const problems = new ProblemList();
  const type = compileFieldType('list', field, 'field', problems);
  expect(problems.problems).toStrictEqual([]);
  const bytes = Buffer.from(`<${text}>`);
  const end = bytes.length - 1;
  const value = type.read(bytes, 1, end);
  if (Number.isNaN(value)) return undefined;
  return { length: type.length?.(bytes, 1, end), key: type.key(bytes, 1, end, value) };
}

describe('listType', () => {
  it('has the items that the text falls into at its delimiters', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', '|', '-', 'é'), minLength: 1 });
    fc.assert(
      fc.property(letters, fc.constantFrom('|', '||', '|-', 'aa', 'é'), (text, delimiter) => {
        expect(read({ delimiter }, text)?.length).toBe(text.split(delimiter).length);
      }),
    );
  });

  it('has items of the same value, however they are written', () => {
    const integers = { itemType: 'integer' };
    expect(read(integers, '1,02')?.key).toBe(read(integers, '01,+2')?.key);
    expect(read(integers, '12')?.key).not.toBe(read(integers, '1,2')?.key);
    expect(read({}, '1,02')?.key).not.toBe(read({}, '01,2')?.key);
    expect(read({ delimiter: ';' }, 'a,b')?.key).not.toBe(read({ delimiter: ',' }, 'a,b')?.key);
    expect(read({}, 'é,,')?.key).toMatch(/^[\x20-\x7e]+$/);
  });

  it('has an item of no text only where it is of text', () => {
    expect(read({}, 'a,,b')?.length).toBe(3);
    expect(read({ itemType: 'integer' }, '1,,2')).toBeUndefined();
  });

  it.each([
    [{ delimiter: '' }, 'field.delimiter'],
    [{ delimiter: 1 }, 'field.delimiter'],
    [{ itemType: 'year' }, 'field.itemType'],
    [{ itemType: null }, 'field.itemType'],
    [{ itemType: 'list' }, 'field.itemType'],
    [{ format: 'csv' }, 'field.format'],
  ])('refuses %j', (field, path) => {
    const problems = new ProblemList();
    compileFieldType('list', field, 'field', problems);
    expect(problems.problems.map((problem) => problem.path)).toStrictEqual([path]);
  });
});
