import { expect, test } from 'vitest';
import { httpAddress, listOf, oneOf, wholeNumber } from '../../../../listener/src/config/kinds.ts';

test.each(['', '-1', '1.5', '0x10', '1e3', '11', ' 5'])(
  '%j is no whole number from 1 to 10',
  (text) => {
    expect(wholeNumber(1, 10).read(text)).toBeUndefined();
  },
);

test('both bounds are included', () => {
  expect([wholeNumber(1, 10).read('1'), wholeNumber(1, 10).read('10')]).toEqual([1, 10]);
});

test.each(['', 'a,', 'a,,b', 'a,a', 'a,c'])(
  '%j is no list of a and b without repetition',
  (text) => {
    expect(listOf(oneOf('a', 'b')).read(text)).toBeUndefined();
  },
);

test('blanks around the items of a list are dropped', () => {
  expect(listOf(oneOf('a', 'b')).read('a , b')).toEqual(['a', 'b']);
});

test.each(['ftp://host', 'host:80', 'http://u:p@host', 'http://host/?a=b', 'http://host/#x'])(
  '%j is no allowed address',
  (text) => {
    expect(httpAddress().read(text)).toBeUndefined();
  },
);
