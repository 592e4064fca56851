import '../../../src/stack/lighten-cdktf.ts';
import { createRequire } from 'node:module';
import { Lazy, Token } from 'cdktf';
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
