import { expect, test } from 'vitest';
import { toJsonb } from '../../../../listener/src/database/column-values.ts';

test('U+0000 and half surrogate pairs are replaced, in values and keys', () => {
  const value = { 'a\0': ['b\0', { c: '\ud800' }], '\udc00': 1 };
  expect(JSON.parse(toJsonb(value))).toStrictEqual({ 'a␀': ['b␀', { c: '\ufffd' }], '\ufffd': 1 });
});

test('everything else stays', () => {
  const value = { a: 'ä😀\\u0000', n: [1, null, true], d: new Date(0) };
  expect(toJsonb(value)).toBe(JSON.stringify(value));
});
