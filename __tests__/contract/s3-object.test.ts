import {
  decodeKey,
  decodeKeyFilter,
  encodeKey,
  encodeKeyFilter,
  isBucketName,
  isKeyPrefix,
  isKeySuffix,
  isOwnBucketName,
  keyProblem,
} from '@file-processing/contract/s3-object.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test.each(['etl', 'etl-ba-research-client-etl', 'a.b', `a${'b'.repeat(62)}`])(
  '%s names a bucket',
  (name) => {
    expect([isBucketName(name), isOwnBucketName(name)]).toStrictEqual([true, true]);
  },
);

test.each(['', 'ab', 'Upper', 'a_b', '-ab', 'ab-', 'a..b', '192.168.5.4', 'a'.repeat(64), 'ab\n'])(
  '%j names no bucket',
  (name) => {
    expect([isBucketName(name), isOwnBucketName(name)]).toStrictEqual([false, false]);
  },
);

test.each(['alias-abcdefg-s3alias', 'xn--bucket', 'table--table-s3'])(
  '%s stands for a bucket that nobody can make under that name',
  (name) => {
    expect([isBucketName(name), isOwnBucketName(name)]).toStrictEqual([true, false]);
  },
);

test.each([
  ['from_client/a.csv', 'from_client/a.csv'],
  ['two words.csv', 'two+words.csv'],
  ['plus+sign.csv', 'plus%2Bsign.csv'],
  ['Größe.csv', 'Gr%C3%B6%C3%9Fe.csv'],
  ['a=b&c.csv', 'a%3Db%26c.csv'],
  ['100%.csv', '100%25.csv'],
])('the key %s is written as a form would', (key, encoded) => {
  expect(encodeKey(key)).toBe(encoded);
});

test.each([
  ['from_client/a-b_c.d/', 'from_client/a-b_c.d/'],
  ["!'()*", "!'()*"],
  ['year=2026/', 'year%3D2026/'],
  ['Süd west+1/', 'S%C3%BCd+west%2B1/'],
])('the filter for %s is percent-encoded but for what S3 calls safe', (text, filter) => {
  expect(encodeKeyFilter(text)).toBe(filter);
});

test('every filter stands for what it was made from, and one that nobody encoded for itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(decodeKeyFilter(encodeKeyFilter(text))).toBe(text);
    }),
  );
  expect(decodeKeyFilter('100%/')).toBe('100%/');
});

test.each([
  ['from client/year=1/', true],
  [' a/', false],
  ['a\tb/', false],
  ['${aws:username}/', false],
  ['%{if}/', false],
  ['a,b/', false],
  ['a*/', false],
  ['/a/', false],
  ['a', false],
  [`${'a'.repeat(199)}/`, true],
  [`${'a'.repeat(200)}/`, false],
  ['a\u0007/', false],
  ['a\udc00/', false],
])('%j as a key prefix: %s', (text, expected) => {
  expect(isKeyPrefix(text)).toBe(expected);
});

test.each([
  ['report 1.csv', true],
  [' .csv', false],
  ['${x}', false],
  ['a/b', false],
  ['', false],
  ['a'.repeat(64), true],
  ['a'.repeat(65), false],
  ['\u0000', false],
  ['\ud800', false],
  ['💥', true],
])('%j as a key suffix: %s', (text, expected) => {
  expect(isKeySuffix(text)).toBe(expected);
});

test('every key is read as it was written', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (key) => {
      expect(decodeKey(encodeKey(key))).toBe(key);
    }),
  );
});

test('half of a surrogate pair throws nothing, and is told before', () => {
  expect(decodeKey(encodeKey('a\ud800'))).toBe('a\ufffd');
  expect(keyProblem('a\ud800')).toBe('has half of a surrogate pair');
});

test.each(['%', '%2', '%zz', 'a%C3', '%ff', '%C0%80'])('%s is not the code of a key', (encoded) => {
  expect(decodeKey(encoded)).toBeUndefined();
});

test.each([
  ['', 'is empty'],
  ['a\0', 'has a NUL character'],
  [`${'ü'.repeat(512)}a`, 'is longer than 1024 bytes'],
  ['ü'.repeat(512), undefined],
])('%j as a key: %s', (key, problem) => {
  expect(keyProblem(key)).toBe(problem);
});
