import { expect, test } from 'vitest';
import { showProgress } from '../../../../listener/src/cli/progress.ts';

function show(isTTY: boolean, times: readonly number[]) {
  let written = '';
  let time = 0;
  const output = { isTTY, write: (text: string) => (written += text) };
  const progress = showProgress('a.csv', output, () => time);
  for (time of times) progress.update({ bytes: 5e6, rows: 10, sizeBytes: 1e7 });
  progress.end();
  return written;
}

test('a short file shows nothing', () => {
  expect(show(true, [100, 200])).toBe('');
});

test('the line of a terminal is written over and cleared', () => {
  expect(show(true, [1000])).toBe('\r\u001b[2Ka.csv: 50 %, 5 MB, 10 rows, 5 MB/s\r\u001b[2K');
});

test('elsewhere a line comes every few seconds', () => {
  expect(show(false, [1000, 5000, 6000, 10_000]).split('\n')).toHaveLength(3);
});
