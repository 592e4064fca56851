import { expect, test } from 'vitest';
import { finishedRun, logLine, verdictLine } from '../../../listener/local/verdict-line.ts';

const RUN_ID = '0f8fad5b-d9cb-469f-a165-70867728950e';

const line = {
  msg: 'run finished',
  runId: RUN_ID,
  bucket: 'bucket',
  key: 'a.csv',
  eTag: 'e',
  status: 'finished',
  verdict: 'failed',
  rows: 12,
  faults: 3,
  faultCounts: { 'type-error': 2, 'blank-row': 1 },
  monitored: true,
};

test('a verdict is one line with what is wrong', () => {
  expect(finishedRun(line)).toMatchObject({
    runId: RUN_ID,
    eTag: 'e',
    text: 'FAILED     bucket/a.csv: 12 rows, 3 faults (2 type-error, 1 blank-row) [run 0f8fad5b]',
  });
});

test('what explains most of the faults stands at the end of the line', () => {
  const diagnosis = 'Numbers have a decimal comma.';
  expect(finishedRun({ ...line, diagnosis })?.text).toMatch(
    / \[run 0f8fad5b\] Numbers have a decimal comma\.$/,
  );
});

test('a file that nobody monitors is told as such', () => {
  expect(finishedRun({ ...line, monitored: false })?.text).toContain(' rules: none [');
});

test('a run without verdict tells its status and why', () => {
  const { verdict, rows, faults, faultCounts, ...gone } = line;
  expect(finishedRun({ ...gone, status: 'gone', reason: 'it is gone' })?.text).toBe(
    'GONE       bucket/a.csv: it is gone [run 0f8fad5b]',
  );
});

test('other lines of the log end no run', () => {
  expect(finishedRun({ ...line, msg: 'message taken' })).toBeUndefined();
});

test('a name stays on its line', () => {
  expect(verdictLine({ name: 'a\nb\u001b\u202e', runId: 'r', status: 'gone' })).toContain(
    'a\\u{a}b\\u{1b}\\u{202e}',
  );
});

test.each([
  [{ msg: 'listening' }, 'listener: listening'],
  [{ msg: 'no', err: { message: 'refused' } }, 'listener: no: refused'],
  [
    { msg: 'states of deliveries changed', late: 1, received: 2 },
    'listener: states of deliveries changed: 1 late, 2 received',
  ],
  [
    { msg: 'not all', acts: [{ act: 'copy' }, { act: 'tag', note: 'no\ntags' }] },
    'listener: not all: no\\u{a}tags',
  ],
])('what else the log tells is one line with what it is about', (line, text) => {
  expect(logLine(line)).toBe(text);
});
