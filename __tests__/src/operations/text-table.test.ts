import { expect, test } from 'vitest';
import { textTable } from '../../../src/operations/text-table.ts';

test('columns are as wide as their widest cell, and no line ends with blanks', () => {
  expect(
    textTable([
      ['A', 'B'],
      ['longer', ''],
      ['x', 'y'],
    ]),
  ).toBe('A       B\nlonger\nx       y\n');
});

test('no rows make an empty text', () => {
  expect(textTable([])).toBe('');
});
