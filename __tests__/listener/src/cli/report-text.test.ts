import { createInspection } from '@file-processing/quality/inspect.ts';
import { expect, test } from 'vitest';
import { printable, reportText } from '../../../../listener/src/cli/report-text.ts';

function textOf(content: string, maxFaults = 100): string {
  const inspection = createInspection({ maxFaults });
  inspection.write(Buffer.from(content));
  return reportText('a.csv', inspection.end());
}

test('a summary tells verdict, size and each fault with its place and value', () => {
  const text = textOf('a,b\n1,2,x\n');
  expect(text).toContain('FAILED  a.csv\n');
  expect(text).toContain('1 row, 2 columns, 10 bytes');
  expect(text).toMatch(/ {2}line 2 column 3.*: extra-cell: .*\(value "x"\)/);
});

test('faults that are not shown are counted', () => {
  expect(textOf(`a\n${'1,2\n'.repeat(30)}`)).toContain('  and 10 more faults\n');
  expect(textOf(`a\n${'1,2\n'.repeat(30)}`, 3)).toContain('  and 27 more faults\n');
});

test('control characters do not reach the terminal', () => {
  expect(printable('a\u001b[31m\u009b\u202e')).toBe('a\\u{1b}[31m\\u{9b}\\u{202e}');
});
