import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  type Evidence,
  type JudgementRow,
  type MessageRow,
  type PutObject,
  violationsOf,
} from './invariant.ts';

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
  asked_by: 'message',
  reason: null,
  report_key: 'reports/a.json',
  finished_at: '2026-11-28T12:00:00Z',
  settled_at: null,
  settled_reason: null,
  details_deleted_at: null,
};
const message: MessageRow = {
  message_id: 'm1',
  outcome: 'accepted',
  reason: null,
  received_at: '2026-11-28T12:00:00Z',
  settled_at: null,
  settled_reason: null,
};
const at = new Date('2026-11-28T13:00:00Z');
const told = {
  ...{ by: 'worker 7', runId: 'run-1', number: 1 },
  ...{ status: 'finished', verdict: 'passed', attempts: 2 },
};

/** A history in which all is well: one message, one run, one verdict with its report. */
const GOOD: Evidence = {
  published: [{ messageId: 'm1', objects: [object] }],
  unannounced: [],
  givenUp: [],
  leftInQueue: 0,
  queueDead: 0,
  messages: [message],
  runs: [run],
  judgements: [judgement],
  openJobs: 0,
  deadLetters: [],
  changes: [],
  told: [told],
  toldByCommands: [],
  asked: [],
  discarded: [],
  aged: [],
  at,
  stored: () => JSON.stringify({ runId: 'run-1', judgement: 1, verdict: 'passed' }),
};

/** An object without version, of which a listing has told. */
const unversioned = (({ versionId: _, ...others }) => others)(object);
const listed = {
  unannounced: [unversioned],
  published: [{ messageId: 'm1', objects: [unversioned] }],
};

const asked = { command: 'runs rejudge', reason: 'why', isOnce: true };
const again = { ...judgement, asked_by: 'rule_change', reason: 'why' };

/** Older than the retention. */
const LONG_AGO = '2025-07-01T12:00:00Z';

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
    { messages: [{ ...message, outcome: 'dead', reason: 'why' }] },
    'message m1 is recorded as dead',
  ],
  [
    'a message that is dead without a reason',
    {
      published: [...GOOD.published, { messageId: 'm2', objects: [] }],
      messages: [message, { ...message, message_id: 'm2', outcome: 'dead' }],
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
  [
    'a failure of an object that can be read',
    { ...ended('error', 'why'), deadLetters: [{ runId: 'run-1', number: 1 }] },
    'failed, and the object can be read: why',
  ],
  [
    'a listed object without a run',
    { published: [], messages: [], unannounced: [object], runs: [] },
    'has 0 runs in place of one',
  ],
  [
    'a listed object with a run of the listing and one of its message',
    {
      ...listed,
      runs: [
        { ...run, version_id: null, sequencer: null },
        { ...run, id: 'run-2', version_id: null },
      ],
    },
    'has 2 runs in place of one',
  ],
  [
    'a run of a listing that ignores the message of its object',
    { ...listed, runs: [{ ...run, version_id: null, sequencer: null }] },
    'has not taken over what its event said',
  ],
  [
    'a judgement that a command asked for twice',
    {
      asked: [{ ...asked, runs: [{ runId: 'run-1', number: 1 }] }],
      judgements: [judgement, { ...again, number: 2 }, { ...again, number: 3 }],
    },
    'runs rejudge asked 2 times for a judgement of run-1 (why)',
  ],
  [
    'a command that asked for nothing',
    { asked: [{ ...asked, runs: [{ runId: 'run-1', number: 1 }] }] },
    'runs rejudge asked for no judgement of run-1 (why)',
  ],
  [
    'a dead letter that is there after its run was retried',
    {
      asked: [{ ...asked, runs: [{ runId: 'run-1', number: 1 }] }],
      deadLetters: [{ runId: 'run-1', number: 1 }],
    },
    'runs rejudge left the dead letter of run-1 (why)',
  ],
  [
    'a message that was discarded and is not settled',
    { discarded: [{ id: 'm1', reason: 'why' }] },
    'm1 was discarded and is not settled: why',
  ],
  [
    'a dead letter that is there after its run was discarded',
    {
      discarded: [{ id: 'run-1', reason: 'why' }],
      judgements: [{ ...judgement, settled_at: '2026-11-28T12:30:00Z', settled_reason: 'why' }],
      deadLetters: [{ runId: 'run-1', number: 1 }],
    },
    'run-1 was discarded, and its dead letter waits',
  ],
  [
    'a message that was settled twice',
    {
      changes: [
        {
          ...{ at, table: 'sns_messages' },
          before: { ...message, settled_at: '2026-11-28T12:30:00Z' },
          after: { ...message, settled_at: '2026-11-28T12:31:00Z' },
        },
      ],
    },
    'm1 was settled twice',
  ],
  [
    'a message that was deleted before its time',
    { changes: [{ at, table: 'sns_messages', before: message, after: null }] },
    'message m1 of 2026-11-28T12:00:00Z was deleted',
  ],
  [
    'details of a judgement that were deleted before their time',
    {
      changes: [
        {
          ...{ at, table: 'judgements' },
          before: judgement,
          after: { ...judgement, details_deleted_at: '2026-11-28T13:00:00Z' },
        },
      ],
    },
    'details of judgement 1 of run-1 of 2026-11-28T12:00:00Z were deleted',
  ],
  [
    'a verdict that the retention took',
    {
      changes: [
        {
          ...{ at, table: 'judgements' },
          before: { ...judgement, finished_at: LONG_AGO },
          after: {
            ...{ ...judgement, finished_at: LONG_AGO },
            ...{ details_deleted_at: '2026-11-28T13:00:00Z', sha256: null },
          },
        },
      ],
    },
    'judgement 1 of run-1 was finished, and became finished',
  ],
  [
    'an old message that the retention left',
    { aged: ['m1'], messages: [{ ...message, received_at: LONG_AGO }] },
    'm1 is older than the retention and is there',
  ],
  [
    'an old report that the retention left',
    { aged: ['run-1'], judgements: [{ ...judgement, finished_at: LONG_AGO }] },
    'run-1 is older than the retention and is there',
  ],
  [
    'a failure that another attempt was made of after its end',
    {
      changes: [
        {
          ...{ at, table: 'judgements' },
          before: { ...judgement, status: 'error' },
          after: { ...judgement, status: 'running' },
        },
      ],
    },
    'judgement 1 of run-1 was error, and became running',
  ],
  ['a job that has not ended', { openJobs: 1 }, '1 jobs have not ended'],
  [
    'a verdict that a run had once',
    { changes: [{ at, table: 'runs', before: run, after: { ...run, verdict: null } }] },
    'run run-1 lost verdict passed of judgement 1',
  ],
  [
    'a verdict of a lower number in the place of another',
    {
      changes: [
        {
          at,
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
        { at, table: 'judgements', before: judgement, after: { ...judgement, status: 'running' } },
      ],
    },
    'judgement 1 of run-1 was finished, and became running',
  ],
  [
    'a judgement that a late worker ended once more, with the same verdict',
    {
      changes: [
        {
          at,
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
    { changes: [{ at, table: 'judgements', before: judgement, after: null }] },
    'judgement 1 of run-1 was deleted',
  ],
  [
    'an attempt that was counted back',
    {
      changes: [
        {
          at,
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
  const published = [{ messageId: 'm1', objects: [{ ...object, fate: 'dead' as const }] }];
  const deadLetters = [{ runId: 'run-1', number: 1 }];
  expect(violations({ published, deadLetters, ...ended('error', 'why') })).toEqual([]);
  expect(violations(ended('error', 'why', 'by-hand'))).toEqual([]);
});

test('a listed object without a message, or with one that came later, breaks nothing', () => {
  const ofListing = { ...run, version_id: null, sequencer: null };
  const alone = { unannounced: [unversioned], published: [], messages: [] };
  expect(violations({ ...alone, runs: [ofListing] })).toEqual([]);
  expect(violations({ ...listed, runs: [{ ...run, version_id: null }] })).toEqual([]);
});

test('what a command asked for once, and what it discarded, breaks nothing', () => {
  const runs = [{ ...run, verdict_number: 2, last_number: 2 }];
  const judgements = [judgement, { ...again, number: 2, report_key: 'reports/b.json' }];
  const stored = (path: string) =>
    JSON.stringify({
      ...{ runId: 'run-1', verdict: 'passed' },
      judgement: path.endsWith('b.json') ? 2 : 1,
    });
  const ofOne = [{ ...asked, runs: [{ runId: 'run-1', number: 1 }] }];
  expect(violations({ asked: ofOne, runs, judgements, stored })).toEqual([]);
  const settled = { settled_at: '2026-11-28T12:30:00Z', settled_reason: 'why' };
  const dead = {
    published: [{ messageId: 'm2', objects: [] }],
    messages: [{ ...message, ...settled, message_id: 'm2', outcome: 'dead', reason: 'unread' }],
  };
  const discarded = [{ id: 'm2', reason: 'why' }];
  expect(violations({ ...dead, discarded, runs: [], judgements: [], told: [] })).toEqual([]);
});

test('what is older than the retention may go, but for the verdict', () => {
  const old = { ...message, received_at: LONG_AGO };
  const before = { ...judgement, finished_at: LONG_AGO };
  const after = { ...before, details_deleted_at: '2026-11-28T13:00:00Z' };
  expect(
    violations({
      messages: [],
      judgements: [after],
      changes: [
        { at, table: 'sns_messages', before: old, after: null },
        { at, table: 'judgements', before, after },
      ],
      aged: ['m1', 'run-1'],
    }),
  ).toEqual([]);
});
