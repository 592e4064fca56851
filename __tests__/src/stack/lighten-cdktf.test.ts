import '../../../src/stack/lighten-cdktf.ts';
import { createRequire } from 'node:module';
import { Lazy, Token } from 'cdktf';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a library that reads call sites from an object of its own gets them', () => {
  const subject: { stack?: string } = {};
  Error.captureStackTrace(subject);
  expect(subject.stack).toContain('lighten-cdktf.test.ts');
});

test("an object with an empty stack, as cdktf's tokens have one, keeps it", () => {
  const subject = { stack: '' };
  Error.captureStackTrace(subject);
  expect(subject.stack).toBe('');
});

const requireFromCdktf = createRequire(createRequire(import.meta.url).resolve('cdktf'));
const { resolve } = requireFromCdktf('./_tokens.js') as {
  resolve(scope: undefined, value: unknown): unknown;
};
const later = <T>(value: T) => Lazy.anyValue({ produce: () => value });

test.each([
  ['a text', Token.asString(later('x')), 'x'],
  ['a part of a text', `a ${Token.asString(later('x'))} b`, 'a x b'],
  ['a number', Token.asNumber(later(5)), 5],
  ['a number in a text', `port ${Token.asNumber(later(5))}`, 'port 5'],
  ['a list', Token.asList(later(['x', 'y'])), ['x', 'y']],
  ['a map', Token.asStringMap(later({ x: 'y' })), { x: 'y' }],
  ['an object', later({ x: later('y') }), { x: 'y' }],
  ['nothing', later(undefined), undefined],
])('%s that is known later is found at any depth', (_, token, value) => {
  const around = (inner: unknown) => ({ list: [{ inner, plain: 'a' }], plain: [1, true, null] });
  const expected = JSON.parse(JSON.stringify(around(value)));
  expect(resolve(undefined, around(token))).toStrictEqual(expected);
});

test('what is undefined is left out of objects and lists', () => {
  expect(resolve(undefined, { a: undefined, b: [undefined, 'c'], d: {} })).toStrictEqual({
    b: ['c'],
    d: {},
  });
});

test('a key may be known later too', () => {
  const key = Token.asString(later('x'));
  expect(resolve(undefined, { a: { [key]: 1 } })).toStrictEqual({ a: { x: 1 } });
});

type Stringify = (value: unknown, options: { space: number }) => string | undefined;
const stringify: Stringify = requireFromCdktf('json-stable-stringify');
delete requireFromCdktf.cache[requireFromCdktf.resolve('json-stable-stringify')];
const stringifyOfTheLibrary: Stringify = requireFromCdktf('json-stable-stringify');

test('JSON is written as by the library, to the byte', () => {
  const text = fc.constantFrom('', 'a', 'B', 'é', '10', '9', '"', '\\', '\n', '\ud800', '🙂', '//');
  const values = fc.object({
    key: text,
    values: [text, fc.double(), fc.boolean(), fc.constantFrom(null, undefined)],
    maxDepth: 3,
    maxKeys: 4,
  });
  fc.assert(
    fc.property(
      values,
      (value) => stringify(value, { space: 2 }) === stringifyOfTheLibrary(value, { space: 2 }),
    ),
  );
});

const { ValidateBinaryVersion } = requireFromCdktf('./validations');

test.each([
  ['>=1.0.0', []],
  ['<1.0.0', [expect.stringContaining('lower than the required version <1.0.0')]],
])('a version is held against the range %s', (range, faults) => {
  expect(new ValidateBinaryVersion('node', range, 'node --version').validate()).toEqual(faults);
});

test('an archive of files can still be made', () => {
  expect(requireFromCdktf('archiver')('zip')).toHaveProperty('append');
});
