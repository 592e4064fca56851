import { describe, expect, it } from 'vitest';
import { DescriptorError, meantName, nearestName, show } from '../../quality/descriptor-error.ts';

describe('DescriptorError', () => {
  it('tells every problem in its message, one a line', () => {
    const error = new DescriptorError([
      { path: 'a', message: 'is 1' },
      { path: 'b', message: 'is 2' },
    ]);
    expect(error.message).toBe('a: is 1\nb: is 2');
  });
});

describe('nearestName', () => {
  const known = ['primaryKey', 'fields', 'constraints', 'maxFaults'];

  it.each([
    ['primarykey', 'primaryKey'],
    ['primary_key', 'primaryKey'],
    ['feilds', 'fields'],
    ['constraint', 'constraints'],
    ['maxFalts', 'maxFaults'],
    ['colour', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('for %s is %s', (name, nearest) => {
    expect(nearestName(name, known)).toBe(nearest);
  });
});

describe('meantName', () => {
  const known = ['minLength', 'minimum', 'integer', 'unique'];

  it.each([
    ['minimun', 'minimum'],
    ['min', 'minimum'],
    ['int', 'integer'],
    ['Uniq', 'unique'],
    ['mi', undefined],
    ['regex', undefined],
  ])('for %s is %s', (name, meant) => {
    expect(meantName(name, known)).toBe(meant);
  });
});

describe('show', () => {
  it('cuts a long value', () => {
    expect(show('x'.repeat(200))).toHaveLength(80);
  });

  it('shows what JSON has no word for', () => {
    expect(show(undefined)).toBe('undefined');
  });
});
