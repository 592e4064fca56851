import { expect, test } from 'vitest';
import { exactNumber, lineIndex } from '../../../../src/settings/tfvars/tfvars-value.ts';

test.each([
  ['the first character', '', 'ab\ncd\n', 1],
  ['the newline that ends a line', 'ab', '\ncd\n', 1],
  ['the character after a newline', 'ab\n', 'cd\n', 2],
  ['the end of a text that ends in a newline', 'ab\ncd\n', '', 3],
  ['a line after empty lines', '\n\n\n', 'x', 4],
  ['a line after CRLF', 'a\r\n', 'b', 2],
])('%s is on its line', (_, before, after, line) => {
  expect(lineIndex(before + after)(before.length)).toBe(line);
});

test.each([
  ['0', 0],
  ['-0', 0],
  ['0.000', 0],
  ['007', 7],
  ['-42', -42],
  ['0.1', 0.1],
  ['1.5e3', 1500],
  ['2E+2', 200],
  ['25e-1', 2.5],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['-9007199254740991', Number.MIN_SAFE_INTEGER],
  ['0.123456789012345', 0.123456789012345],
])('%s is held exactly', (literal, number) => {
  expect(exactNumber(literal)).toBe(number);
});

test.each([
  ['a whole number beyond 2^53 - 1', '9007199254740992'],
  ['a whole number that would be rounded', '12345678901234567890'],
  ['a negative whole number beyond -(2^53 - 1)', '-9007199254740993'],
  ['a decimal of more than 15 digits', '0.1234567890123456'],
  ['a number beyond the doubles', '1e400'],
  ['a number that would become zero', '1e-400'],
  ['a number that would lose digits near zero', '1.23456789e-320'],
  ['a large number with an exponent', '1e16'],
])('%s is refused', (_, literal) => {
  expect(exactNumber(literal)).toBeUndefined();
});
