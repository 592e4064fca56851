import { expect, test } from 'vitest';
import { nextAssignment } from '../../../../src/settings/tfvars/hcl-recovery.ts';

/** What follows the skipped text, read from the start of `text`. */
const rest = (text: string, openBrackets = 0) => text.slice(nextAssignment(text, 0, openBrackets));

test.each([
  ['the rest of the line', 'junk\nb = 1', 'b = 1'],
  ['lines that start no assignment', 'junk\nmore junk\n}\nb = 1', 'b = 1'],
  ['a comparison', 'junk\na == 1\nb = 1', 'b = 1'],
  ['a name without a value, which may be base64', 'junk\nc2VjcmV0=\nb = 1', 'b = 1'],
  ['a bracket with assignments inside', 'f({\n  x = 1\n})\nb = 1', 'b = 1'],
  ['a bracket in a string', 'f("[")\n  b = 1', '  b = 1'],
  ['an escaped quote in a string', 'f("\\"[")\n  b = 1', '  b = 1'],
  ['a string that is not closed', '"a [\n  b = 1', '  b = 1'],
  ['a bracket in a line comment', '# [\n// {\n  b = 1', '  b = 1'],
  ['an assignment in a block comment', '/* [\na = 1\n*/\n  b = 1', '  b = 1'],
  ['an assignment in a heredoc', 'f(<<E\na = 1\nE\n)\nb = 1', 'b = 1'],
  ['a sign that opens no heredoc', '1 < 2 << 3\nb = 1', 'b = 1'],
  ['a closing bracket too many', ')]}\n  b = 1', '  b = 1'],
])('skips %s', (_, text, expected) => {
  expect(rest(text)).toBe(expected);
});

test('takes an assignment without an indent for the next one even inside of a bracket', () => {
  expect(rest('[\n  a = 1\nb = 2')).toBe('b = 2');
});

test('stays where an assignment starts', () => {
  expect(nextAssignment('[\nb = 2', 2, 1)).toBe(2);
});

test('counts the brackets that were open before', () => {
  expect(rest('1\n  x = 1\n}\n  b = 2', 1)).toBe('  b = 2');
});

test.each([
  ['there is no assignment', 'junk\njunk'],
  ['a comment is not closed', '/* \nb = 1'],
  ['a heredoc is not closed', '<<E\nb = 1\n'],
])('goes to the end where %s', (_, text) => {
  expect(nextAssignment(text, 0, 0)).toBe(text.length);
});
