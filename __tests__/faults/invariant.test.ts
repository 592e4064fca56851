import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Evidence, type JudgementRow, type PutObject, violationsOf } from './invariant.ts';

const BODY = 'n\n1\n';
const SHA256 = createHash('sha256').update(BODY).digest('hex');

const object: PutObject = {
  bucket: 'bucket',
  key: 'in/a.csv',
  versionId: 'v1',
  eTag: 'e1',
  sequencer: 'A1',
  body: BODY,
  verdict: 'passed',
};
const run = {
  id: 'run-1',
  bucket: 'bucket',
  key: 'in/a.csv',
  version_id: 'v1',
  e_tag: 'e1',
  sequencer: 'A1',
  status: 'finished',
  verdict: 'passed' as string | null,
  verdict_number: 1 as number | null,
  last_number: 1,
};
const judgement: JudgementRow = {
  run_id: 'run-1',
  number: 1,
  status: 'finished',
  verdict: 'passed',
  sha256: SHA256,
  attempts: 2,
  error: null,
  invocation: null,
  report_key: 'reports/a.json',
  finished_at: '2026-11-28T12:00:00Z',
};
const told = {
  ...{ by: 'worker 7', runId: 'run-1', number: 1 },
  ...{ status: 'finished', verdict: 'passed', attempts: 2 },
};

/** A history in which all is well: one message, one run, one verdict with its report. */
const GOOD: Evidence = {
  published: [{ messageId: 'm1', objects: [object] }],
  givenUp: [],
  leftInQueue: 0,
  queueDead: 0,
  messages: [{ message_id: 'm1', outcome: 'accepted', reason: null }],
  runs: [run],
  judgements: [judgement],
  openJobs: 0,
  deadLetters: [],
  changes: [],
  told: [told],
  toldByCommands: [],
  stored: () => JSON.stringify({ runId: 'run-1', judgement: 1, verdict: 'passed' }),
};

const violations = (changes: Partial<Evidence>) =>
  violationsOf({ ...GOOD, ...changes }).map(({ text }) => text);

/** The judgement ended otherwise, and so did its run. */
const ended = (status: string, error: string | null, invocation: string | null = null) => ({
  runs: [{ ...run, status, verdict: null, verdict_number: null }],
  judgements: [
    { ...judgement, status, error, invocation, verdict: null, sha256: null, report_key: null },
  ],
  told: [],
});

test('a history in which all is well breaks nothing', () => {
  expect(violations({})).toEqual([]);
});

test.each<[string, Partial<Evidence>, string]>([
  ['a message that SNS gave up', { givenUp: ['m1'] }, 'SNS gave message m1 up'],
  ['a message left in the queue', { leftInQueue: 1 }, '1 messages are still in the SQS queue'],
  ['a message that SQS gave up', { queueDead: 1 }, '1 messages went to the dead-letter queue'],
  ['a message that is not recorded', { messages: [] }, 'message m1 is not recorded'],
  [
    'a message that is recorded as dead and can be read',
    { messages: [{ message_id: 'm1', outcome: 'dead', reason: 'why' }] },
    'message m1 is recorded as dead',
  ],
  [
    'a message that is dead without a reason',
    {
      published: [...GOOD.published, { messageId: 'm2', objects: [] }],
      messages: [...GOOD.messages, { message_id: 'm2', outcome: 'dead', reason: null }],
    },
    'message m2 is dead without a reason',
  ],
  ['an object without a run', { runs: [] }, 'has 0 runs in place of one'],
  [
    'an object with two runs',
    { runs: [run, { ...run, id: 'run-2' }] },
    'has 2 runs in place of one',
  ],
  [
    'a run that no message named',
    { runs: [run, { ...run, id: 'run-2', key: 'in/b.csv' }] },
    'in/b.csv (v1) has a run, and no message named it',
  ],
  ['a run that waits', { runs: [{ ...run, status: 'pending' }] }, 'still waits'],
  ['a run without a judgement', { judgements: [], told: [] }, 'was never judged'],
  ['a judgement that is in hand', ended('running', 'failed before'), 'has judgement 1 open'],
  [
    'a verdict of other bytes',
    { judgements: [{ ...judgement, sha256: 'ab' }] },
    'has a wrong judgement 1: passed, SHA-256 ab',
  ],
  [
    'a verdict that its run does not have',
    { runs: [{ ...run, verdict: null, verdict_number: null }] },
    'has verdict null of null, its judgements passed of 1',
  ],
  ['an object that is there and called gone', ended('gone', 'why'), 'the object is there'],
  ['an end without a reason', ended('error', null, 'by-hand'), 'has judgement 1 without a reason'],
  ['a failure that is not listed', ended('error', 'why'), 'is not listed as dead'],
  ['a job that has not ended', { openJobs: 1 }, '1 jobs have not ended'],
  [
    'a verdict that a run had once',
    { changes: [{ table: 'runs', before: run, after: { ...run, verdict: null } }] },
    'run run-1 lost verdict passed of judgement 1',
  ],
  [
    'a verdict of a lower number in the place of another',
    {
      changes: [
        {
          table: 'runs',
          before: { ...run, verdict_number: 2 },
          after: { ...run, verdict: 'failed' },
        },
      ],
    },
    'run run-1 lost verdict passed of judgement 2',
  ],
  [
    'a judgement that was begun again after its end',
    {
      changes: [
        { table: 'judgements', before: judgement, after: { ...judgement, status: 'running' } },
      ],
    },
    'judgement 1 of run-1 was finished, and became running',
  ],
  [
    'a judgement that a late worker ended once more, with the same verdict',
    {
      changes: [
        {
          table: 'judgements',
          before: judgement,
          after: { ...judgement, finished_at: '2026-11-28T12:00:01Z' },
        },
      ],
    },
    'judgement 1 of run-1 was ended twice',
  ],
  [
    'a judgement that was deleted',
    { changes: [{ table: 'judgements', before: judgement, after: null }] },
    'judgement 1 of run-1 was deleted',
  ],
  [
    'an attempt that was counted back',
    {
      changes: [
        {
          table: 'judgements',
          before: { ...judgement, status: 'running' },
          after: { ...judgement, status: 'running', attempts: 1 },
        },
      ],
    },
    'judgement 1 of run-1 fell from attempt 2 to 1',
  ],
  [
    'two workers that say they ended a judgement',
    { told: [told, { ...told, by: 'worker 8' }] },
    'so did worker 7 in attempt 2',
  ],
  [
    'a worker that says it ended what another one did',
    { told: [{ ...told, attempts: 1 }] },
    'in attempt 1; recorded is finished, verdict passed, attempt 2',
  ],
  [
    'a command that shows a verdict which is not recorded',
    { toldByCommands: [{ invocation: 'by-hand', exitCode: 0, verdict: 'passed' }] },
    'run by-hand ended with 0, passed; recorded is nothing',
  ],
  [
    'a report that nobody wrote',
    { judgements: [{ ...judgement, report_key: null }] },
    'the report of judgement 1 of run-1 was never written',
  ],
  ['a report that is not in the bucket', { stored: () => undefined }, 'is not in the bucket'],
])('%s breaks it', (_, changes, text) => {
  expect(violations(changes)).toContainEqual(expect.stringContaining(text));
});

test('what is gone, replaced, dead and listed, or failed by hand with a reason breaks nothing', () => {
  for (const fate of ['gone', 'replaced'] as const) {
    const published = [{ messageId: 'm1', objects: [{ ...object, fate }] }];
    expect(violations({ published, ...ended(fate, 'why') })).toEqual([]);
  }
  const deadLetters = [{ runId: 'run-1', number: 1 }];
  expect(violations({ deadLetters, ...ended('error', 'why') })).toEqual([]);
  expect(violations(ended('error', 'why', 'by-hand'))).toEqual([]);
});
