import { expect, test } from 'vitest';
import { lineIndex } from '../../../../src/settings/tfvars/line-index.ts';

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
