import { createInspection } from '@file-processing/quality/inspect.ts';
import { expect, test } from 'vitest';
import {
  printable,
  reportText,
  showProgress,
  worstFaults,
} from '../../../../listener/src/cli/report-text.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';

function reportOf(content: string, maxFaults = 100) {
  const inspection = createInspection(NODE_PORTS, { maxFaults });
  inspection.write(Buffer.from(content));
  return inspection.end();
}

function textOf(content: string, maxFaults = 100): string {
  return reportText('a.csv', reportOf(content, maxFaults));
}

test('a summary tells verdict, size and each fault with its place and value', () => {
  const text = textOf('a,b\n1,2,x\n');
  expect(text).toContain('FAILED  a.csv\n');
  expect(text).toContain('1 row, 2 columns, 10 bytes');
  expect(text).toMatch(/ {2}record 2, line 2, column 3: extra-cell: .*\(value "x"\)/);
});

const compared = { status: 'compared', algorithm: 'CRC64NVME', reason: null } as const;
const composite = {
  status: 'not checked',
  algorithm: 'CRC32',
  reason: 'It is composite.',
} as const;

test.each([
  [compared, null, '  checksum compared (CRC64NVME)\n'],
  [composite, null, '  checksum not checked: It is composite.\n'],
  [compared, 'gzip\u001b', '  Content-Encoding gzip\\u{1b}\n'],
])('a summary tells how the bytes came from their store', (checksum, contentEncoding, line) => {
  const report = { ...reportOf('a\n1\n'), source: { checksum, contentEncoding } };
  expect(reportText('a.csv', report)).toContain(line);
});

test('a summary of a file that came from no store tells nothing of one', () => {
  expect(textOf('a\n1\n')).not.toContain('checksum');
});

test('faults that are not shown are counted', () => {
  const rows = `a\n${'1,2\n'.repeat(30)}`;
  expect(textOf(rows)).toContain('  and 27 more faults; --json lists more of them\n');
  expect(textOf(rows, 3)).toContain('  and 27 more faults\n');
});

test('many faults of one kind and column hide no others', () => {
  const text = textOf(`a,b\n${'1,2,3\n'.repeat(30)}1\n`);
  expect(text.match(/: extra-cell: /g)).toHaveLength(3);
  expect(text).toContain('line 32, column 2 (b): missing-cell: ');
});

test('how many faults a diagnosis explains is said of several alone', () => {
  const diagnosis = {
    kind: 'a',
    sentence: 'A.',
    evidence: null,
    remedy: 'B.',
    classification: null,
  };
  const text = (faults: number) =>
    reportText('a.csv', { ...reportOf('a\n1\n'), diagnoses: [{ ...diagnosis, faults }] });
  expect(text(1)).toContain('  A.\n    B.\n');
  expect(text(2)).toContain('  A. It explains 2 faults.\n    B.\n');
});

test('the evidence of a diagnosis ends like a sentence', () => {
  const { diagnoses, ...report } = reportOf('id,note\n1,"say \\"a\\""\n2,"\\"b\\""\n');
  expect(reportText('a.csv', { ...report, diagnoses })).toMatch(
    / in record 2\. It explains 2 faults\.\n/,
  );
});

test('the worst faults are one of each kind in the order of the kinds, then others', () => {
  const report = reportOf('a,b\n1\n2\n1,2,3\n4,"5\n');
  const kinds = (count: number) =>
    worstFaults(report, count).map((text) => /(line \d+).*: ([a-z-]+): /.exec(text)?.slice(1));
  expect(kinds(2)).toEqual([
    ['line 5', 'unclosed-quote'],
    ['line 2', 'missing-cell'],
  ]);
  expect(kinds(9).slice(2)).toEqual([
    ['line 4', 'extra-cell'],
    ['line 3', 'missing-cell'],
  ]);
});

test('control characters do not reach the terminal', () => {
  expect(printable('a\u001b[31m\u009b\u202e')).toBe('a\\u{1b}[31m\\u{9b}\\u{202e}');
});

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

test('a summary names each rule that was not kept, and each that was not judged', () => {
  const inspection = createInspection(NODE_PORTS, {
    expectation: {
      rules: [
        { rule: 'RowCount', warn: { min: 2 } },
        { rule: 'FileSize', fail: { min: 1 } },
        { rule: 'FileUniqueness' },
      ],
    },
  });
  inspection.write(Buffer.from('a\n1\n'));
  const text = reportText('a.csv', inspection.end());
  expect(text).toContain('  rule warned: RowCount is 1; the rule asks for at least 2.\n');
  expect(text).toContain('  rule not judged: FileUniqueness was not judged: not checked here,');
  expect(text).not.toContain('FileSize');
});
