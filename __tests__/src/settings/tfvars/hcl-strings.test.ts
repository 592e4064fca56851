// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's templates look like JavaScript's.

import { describe, expect, test } from 'vitest';
import { readHclLiterals } from '../../../../src/settings/tfvars/hcl-literals.ts';
import {
  HclProblem,
  hclLiteral,
  heredocAt,
  heredocText,
  quotedText,
} from '../../../../src/settings/tfvars/hcl-strings.ts';
import type { TfvarsValue } from '../../../../src/settings/tfvars/tfvars-value.ts';

function problemOf(read: () => unknown): HclProblem {
  try {
    read();
  } catch (error) {
    if (error instanceof HclProblem) return error;
    throw error;
  }
  throw new Error('no problem was found');
}

function heredocValue(text: string): string | undefined {
  const heredoc = heredocAt(text, 0);
  return heredoc && heredocText(text, heredoc);
}

describe('a quoted string', () => {
  test.each([
    ['plain text', 'abc', 'abc'],
    ['the simple escapes', '\\n\\r\\t\\"\\\\', '\n\r\t"\\'],
    ['a short Unicode escape', '\\u00e9\\u00C9', 'éÉ'],
    ['a long Unicode escape', '\\U0001F600', '😀'],
    ['a long Unicode escape of a short code point', '\\U000000e9', 'é'],
    ['an escaped backslash before an n', '\\\\n', '\\n'],
    ['an escaped interpolation', '$${a}', '${a}'],
    ['an escaped directive', '%%{if}', '%{if}'],
    ['signs before an escaped interpolation', '$$$${a}', '$$${a}'],
    ['signs without a brace', '$ $$ $a %% {', '$ $$ $a %% {'],
    ['a dollar sign from an escape before a brace', '\\u0024{a}', '${a}'],
    ['decomposed characters, which Terraform composes', 'e\\u0301', 'é'],
  ])('holds %s', (_, raw, value) => {
    expect(quotedText(raw, 0)).toBe(value);
  });

  test.each([
    ['an interpolation', 'ab${c}', 'literal values only', 2],
    ['a directive', 'ab%{if c}', 'literal values only', 2],
    ['an interpolation after an escaped backslash', '\\\\${c}', 'literal values only', 2],
    ['an unknown escape', 'ab\\q', 'unknown escape', 2],
    ['a short escape with too few digits', '\\u12', 'unknown escape', 0],
    ['a long escape with too few digits', '\\U0001F60', 'unknown escape', 0],
    ['half a surrogate pair', '\\uD83D', 'unknown escape', 0],
    ['a code point beyond Unicode', '\\U00110000', 'unknown escape', 0],
  ])('refuses %s where it stands', (_, raw, message, at) => {
    const problem = problemOf(() => quotedText(raw, 100));
    expect(problem.message).toContain(message);
    expect(problem.offset).toBe(100 + at);
  });
});

describe('a heredoc', () => {
  test.each([
    ['its lines, with the last newline', '<<E\na\n b\nE\n', 'a\n b\n'],
    ['nothing', '<<E\nE\n', ''],
    ['backslashes and quotes as they are', '<<E\n\\n "q"\nE\n', '\\n "q"\n'],
    ['an escaped interpolation and directive', '<<E\n$${a} %%{b}\nE\n', '${a} %{b}\n'],
    ['its marker inside of a longer line', '<<E\nE x\nxE\nE\n', 'E x\nxE\n'],
    ['text up to a marker with an indent', '<<E\na\n  E\n', 'a\n'],
    ['text up to a marker with spaces behind it', '<<E\na\nE \t\n', 'a\n'],
    ['carriage returns of its lines', '<<E\r\na\r\nE\r\n', 'a\r\n'],
    ['a marker with a dash and digits', '<<E-1\na\nE-1\n', 'a\n'],
    ['decomposed characters, which Terraform composes', '<<E\ne\u0301\nE\n', 'é\n'],
  ])('holds %s', (_, text, value) => {
    expect(heredocValue(text)).toBe(value);
  });

  test.each([
    ['the least indent of all lines', '<<-E\n    a\n  b\n   c\nE\n', '  a\nb\n c\n'],
    ['a tab as one character', '<<-E\n\t\ta\n  b\nE\n', 'a\nb\n'],
    ['nothing where a line has no indent', '<<-E\n  a\nb\nE\n', '  a\nb\n'],
    ['an indent that is deeper than the marker', '<<-E\n    a\n  E\n', 'a\n'],
    ['no account of the indent of the marker', '<<-E\n  a\nE\n', 'a\n'],
    ['no account of empty lines', '<<-E\n  a\n\n  b\nE\n', 'a\n\nb\n'],
    ['nothing from lines of only white space', '<<-E\n  a\n    \n b\nE\n', ' a\n    \nb\n'],
    ['an indent with CRLF', '<<-E\r\n  a\r\n\r\n  b\r\nE\r\n', 'a\r\n\r\nb\r\n'],
  ])('with a dash takes off %s', (_, text, value) => {
    expect(heredocValue(text)).toBe(value);
  });

  test.each([
    ['a space before the marker', '<< E\na\nE\n'],
    ['a quoted marker', '<<"E"\na\nE\n'],
    ['a space behind the marker', '<<E \na\nE\n'],
    ['a marker that starts with a digit', '<<1\na\n1\n'],
  ])('does not open with %s', (_, text) => {
    expect(heredocAt(text, 0)).toBeUndefined();
  });

  test.each([
    ['has no marker line', '<<E\na\n'],
    ['has a marker line without a newline', '<<E\na\nE'],
    ['has a comment behind the marker', '<<E\na\nE # end\n'],
  ])('is refused where it %s', (_, text) => {
    const problem = problemOf(() => heredocAt(`x = ${text}`, 4));
    expect(problem.message).toContain('a line with only E, and a newline after it, must end it');
    expect(problem.offset).toBe(4);
  });

  test.each([
    ['an interpolation', '<<-E\n  a\n  b ${c}\nE\n', 'literal values only', 13],
    ['a directive', '<<E\na\n%{if c}\nE\n', 'literal values only', 6],
    ['a lone carriage return', '<<E\na\rb\nE\n', 'lone carriage return', 5],
  ])('refuses %s where it stands', (_, text, message, offset) => {
    const problem = problemOf(() => heredocValue(text));
    expect(problem.message).toContain(message);
    expect(problem.offset).toBe(offset);
  });
});

describe('a literal that is written', () => {
  test.each<[string, TfvarsValue]>([
    ['plain text', 'etl-drop'],
    ['nothing', ''],
    ['quotes and backslashes', 'a "b" \\ c \\b'],
    ['white space and control characters', '\n\r\t\b\f\u0001'],
    ['what would start an expression', '${a} %{if} $${b} $'],
    ['what lies beyond ASCII', 'é 😀 \u2028'],
    ['no item', []],
    ['items', ['10.0.0.0/16', '${a}']],
    ['objects', [{ name: 'a', on: true, count: 2, 'a b': [], '${c}': ['${d}'] }, {}]],
  ])('is read back: %s', (_, value) => {
    const { assignments, faults } = readHclLiterals(`name = ${hclLiteral(value)}\n`);
    expect(faults).toEqual([]);
    expect(assignments).toStrictEqual([{ name: 'name', value, line: 1 }]);
  });
});
