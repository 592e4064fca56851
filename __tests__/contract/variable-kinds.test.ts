import {
  httpAddress,
  listOf,
  oneOf,
  wholeNumber,
  wholeNumbersByName,
} from '@file-processing/contract/variable-kinds.ts';
import { expect, test } from 'vitest';

test.each(['', '-1', '1.5', '0x10', '1e3', '11', ' 5'])(
  '%j is not a whole number from 1 to 10',
  (text) => {
    expect(wholeNumber(1, 10).read(text)).toBeUndefined();
  },
);

test('both bounds are included', () => {
  expect([wholeNumber(1, 10).read('1'), wholeNumber(1, 10).read('10')]).toEqual([1, 10]);
});

test.each(['', 'a,', 'a,,b', 'a,a', 'a,c'])(
  '%j is not a list of a and b without repetition',
  (text) => {
    expect(listOf(oneOf('a', 'b')).read(text)).toBeUndefined();
  },
);

test('blanks around the items of a list are dropped', () => {
  expect(listOf(oneOf('a', 'b')).read('a , b')).toEqual(['a', 'b']);
});

test('a list of words says that each item is one of them', () => {
  expect(listOf(oneOf('a', 'b')).allowed).toBe('a comma-separated list, each one of a, b');
});

test.each(['ftp://host', 'host:80', 'http://u:p@host', 'http://host/?a=b', 'http://host/#x'])(
  '%j is not an allowed address',
  (text) => {
    expect(httpAddress().read(text)).toBeUndefined();
  },
);

test.each(['', '{}', '[]', '3', 'null', '{"a":0}', '{"a":11}', '{"a":1.5}', '{"a":"3"}', '{a:3}'])(
  '%j is not an object of whole numbers from 1 to 10',
  (text) => {
    expect(wholeNumbersByName(1, 10).read(text)).toBeUndefined();
  },
);

test('whole numbers are found by their names, of whatever characters these are', () => {
  const read = wholeNumbersByName(1, 10).read('{"nm_albuquerque":3,"a, b=c":10}');
  expect(read).toEqual(
    new Map([
      ['nm_albuquerque', 3],
      ['a, b=c', 10],
    ]),
  );
});
