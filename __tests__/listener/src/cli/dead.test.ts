import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failJudgements, judgementsOf } from '../../../../listener/src/database/judgements.ts';
import { listRuns } from '../../../../listener/src/database/runs.ts';
import { findMessage } from '../../../../listener/src/database/sns-messages.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, emptyTables, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, judgedRun, leaveOneAttempt } from '../../support/runs.ts';
import { s3Event, topicArn } from '../../support/sns-messages.ts';

let given: TestDatabase;
let queue: Queue;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await emptyTables(
    given.database,
    'notice_messages',
    'notices',
    'judgements',
    'runs',
    'sns_messages',
  );
  await given.database('file_processing_queue.job').delete();
});

const COMMANDS = {
  list: ['dead', 'list'],
  show: ['dead', 'show'],
  retry: ['dead', 'retry'],
  discard: ['dead', 'discard'],
} as const;

const dead = (name: keyof typeof COMMANDS, ...parameters: string[]) =>
  cli([...COMMANDS[name], ...parameters], { DATABASE_URL: given.url });
const BECAUSE = ['--reason', 'S3 is back'];

/** A run that used up its attempts. @returns its id */
async function died(key: string): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, key);
  await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(1)) await queue.fail(job, new Error('S3 is unavailable'));
  await failJudgements(given.database, [{ runId, number: 1, error: 'S3 is unavailable' }]);
  return runId;
}

/** A message that could not be read. @returns its id */
async function unread(
  id: string,
  message = 'hello',
  outcome: 'dead' | 'ignored' = 'dead',
): Promise<string> {
  await given.database('sns_messages').insert({
    message_id: id,
    topic_arn: topicArn,
    type: 'Notification',
    outcome,
    reason: 'Message is not JSON',
    message,
    signed_at: new Date(),
  });
  return id;
}

/** A notice that could not be delivered. @returns its id */
async function undelivered(target: string): Promise<string> {
  const now = new Date();
  const [{ id }] = await given
    .database('notice_messages')
    .insert({
      ...{ way: 'email', target, notice_ids: [1, 2], status: 'dead', attempts: 3 },
      ...{ error: 'SMTP 550 to RCPT TO', settled_at: now, created_at: now },
      ...{ next_at: now, give_up_at: now },
    })
    .returning('id');
  return id;
}

const depth = async () => (await queue.depth()).deadLetters;

describe('dead list', () => {
  test('shows runs and messages with what is wrong with each', async () => {
    const [run, message] = [await died('a.csv'), await unread('m-1')];
    await unread('m-2', 'hello', 'ignored');
    const { code, out } = await dead('list');
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(
        `^runs whose attempts are used up: 1\nid .*\n${run} .* bucket/a.csv +S3 is unavailable\n` +
          `\nmessages that could not be read: 1\nid .*\n${message} .* Message is not JSON\n\nnotices that were not delivered: none\n\ndead letters in the queue: 1\n$`,
      ),
    );
    expect((await dead('list', '--kind', 'ignored')).out).toContain('m-2');
  });

  test('says that there is none', async () => {
    expect(await dead('list')).toMatchObject({
      code: 0,
      out:
        'runs whose attempts are used up: none\n\nmessages that could not be read: none\n\n' +
        'notices that were not delivered: none\n\n' +
        'dead letters in the queue: 0\n',
    });
  });

  test('shows a page at a time, of one kind', async () => {
    for (const key of ['1', '2', '3']) await died(key);
    const first = await dead('list', '--limit', '2');
    const [, next = ''] = /^runs .*: 2 of 3\n[\s\S]*the next ones: (.*)$/m.exec(first.out) ?? [];
    const second = await dead('list', '--limit', '2', ...next.split(' '));
    expect(second.out).toMatch(/^runs whose attempts are used up: 1 of 3\n[^\n]*\n[^\n]*bucket\/1/);
  });

  test('prints both kinds as JSON', async () => {
    const [run, message] = [await died('a.csv'), await unread('m-1')];
    expect(JSON.parse((await dead('list', '--json')).out)).toMatchObject([
      { kind: 'runs', id: run, bucket: 'bucket', key: 'a.csv', error: 'S3 is unavailable' },
      { kind: 'messages', messageId: message, reason: 'Message is not JSON' },
    ]);
  });

  test('selects by when it was delivered', async () => {
    await unread('old');
    await given.database('sns_messages').update({ received_at: '2026-11-01T12:00:00Z' });
    await unread('new');
    const { out } = await dead('list', '--since', '2026-11-01', '--until', '2026-11-02');
    expect(out).toContain('old ');
    expect(out).not.toContain('new ');
  });

  test.each([
    [['--after', 'x'], /--after needs the --kind/],
    [['--kind', 'messages', '--after', 'x'], /there is no message x/],
    [['--kind', 'files'], /choices/i],
  ])('refuses %j', async (parameters, message) => {
    const { code, err } = await dead('list', ...parameters);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('dead show', () => {
  test('shows a message with what it says', async () => {
    const { code, out } = await dead('show', await unread('m-1', 'hel\u001blo'));
    expect(code).toBe(0);
    expect(out).toMatch(/^outcome: dead\nreason: Message is not JSON\nmessage: hel\\u\{1b}lo$/m);
  });

  test('shows a run', async () => {
    const run = await died('a.csv');
    expect((await dead('show', run.slice(0, 8))).out).toMatch(/^error: +S3 is unavailable$/m);
  });

  test('refuses an id of nothing', async () => {
    const { code, out, err } = await dead('show', '0f8fad5b');
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe('there is no run, message or dead notice 0f8fad5b; see dead list\n');
  });

  test('shows why a run was discarded', async () => {
    const run = await died('a.csv');
    await dead('discard', run, '--reason', 'the sender was told');
    expect((await dead('show', run)).out).toContain('settled: the sender was told\n');
  });
});

describe('dead retry', () => {
  test('judges runs again, and nothing is counted as a dead letter any more', async () => {
    const [a, b] = [await died('a'), await died('b')];
    await eventually(async () => expect(await depth()).toBe(2));
    expect(await dead('retry', a, b.slice(0, 8), ...BECAUSE)).toMatchObject({
      code: 0,
      out: 'judged again: 2 runs\n',
    });
    await eventually(async () => expect(await depth()).toBe(0));
    expect(await queue.fetch(5)).toHaveLength(2);
    expect(await judgementsOf(given.database, a)).toMatchObject([
      { status: 'error' },
      { askedBy: 'operator', reason: 'S3 is back' },
    ]);
  });

  test('does nothing a second time', async () => {
    const [run, message] = [await died('a'), await unread('m', s3Event())];
    await dead('retry', run, message, ...BECAUSE);
    expect(await dead('retry', run, message, ...BECAUSE)).toMatchObject({
      code: 0,
      out: 'nothing to do: settled already, or waiting\n',
    });
    expect(await queue.fetch(5)).toHaveLength(2);
  });

  test('reads messages by the settings of today, and says which still cannot be read', async () => {
    await unread('good', s3Event('in/a.csv'));
    await unread('bad');
    const result = await dead('retry', '--all', ...BECAUSE);
    expect(result).toMatchObject({
      code: 1,
      out: 'read: 1 message, 1 new run\nstill not read: bad: Message is not JSON\n',
    });
    expect(await listRuns(given.database)).toMatchObject([{ key: 'in/a.csv', status: 'queued' }]);
    expect(await findMessage(given.database, 'good')).toMatchObject({
      outcome: 'accepted',
      settledReason: 'S3 is back',
    });
  });

  test('takes what was ignored where the settings were widened', async () => {
    await unread('taken', s3Event('in/a.csv'), 'ignored');
    await unread('left', s3Event('out/a.csv'), 'ignored');
    const parameters = ['dead', 'retry', '--all', '--kind', 'ignored', ...BECAUSE];
    const environment = { DATABASE_URL: given.url, S3_PREFIXES: 'in/' };
    expect(await cli(parameters, environment)).toMatchObject({
      code: 0,
      out: 'read: 1 message, 1 new run\nstill ignored: 1 message\n',
    });
  });

  test('takes all of one kind or time alone', async () => {
    const old = await died('old');
    await given.database('runs').where({ id: old }).update({ created_at: '2026-11-01T12:00:00Z' });
    await died('new');
    await unread('m', s3Event());
    const parameters = ['--all', '--kind', 'runs', '--until', '2026-11-02', ...BECAUSE];
    expect((await dead('retry', ...parameters)).out).toBe('judged again: 1 run\n');
    expect((await dead('retry', '--all', ...BECAUSE, '--json')).out).toBe(
      '{"judgements":1,"reports":0,"messages":1,"newRuns":1,"ignored":0,"notices":0,"unread":[]}\n',
    );
  });

  test('takes more than one page', async () => {
    await given.database.raw(
      `WITH run AS (
         INSERT INTO runs (bucket, key, identity, status)
         SELECT 'b', n, 'version 1', 'error' FROM generate_series(1, 650) AS n RETURNING id
       )
       INSERT INTO judgements (run_id, number, asked_by, status, error, finished_at)
       SELECT id, 1, 'message', 'error', 'S3 is unavailable', now() FROM run`,
    );
    expect((await dead('retry', '--all', ...BECAUSE)).out).toBe('judged again: 650 runs\n');
    expect(await queue.fetch(1000)).toHaveLength(650);
  });
});

describe('dead discard', () => {
  test('settles runs and messages with the reason, once', async () => {
    const [run, message] = [await died('a'), await unread('m')];
    const discard = () => dead('discard', run, message, '--reason', 'the sender was told');
    expect(await discard()).toMatchObject({ code: 0, out: 'discarded: 1 run, 1 message\n' });
    expect((await discard()).out).toMatch(/^nothing to do/);
    expect((await dead('list')).out).toMatch(/none\n\n.*none\n/);
    await eventually(async () => expect(await depth()).toBe(0));
    expect(await judgementsOf(given.database, run)).toMatchObject([
      { status: 'error', settledReason: 'the sender was told' },
    ]);
    expect(await findMessage(given.database, message)).toMatchObject({
      outcome: 'dead',
      settledReason: 'the sender was told',
    });
    expect(await queue.fetch(5)).toEqual([]);
  });

  test('leaves a run alone that is not dead', async () => {
    const run = await judgedRun(given.database, { bucket: 'b', key: 'k' });
    expect((await dead('discard', run, '--reason', 'r')).out).toMatch(/^nothing to do/);
  });
});

describe.each(['retry', 'discard'] as const)('dead %s', (act) => {
  test.each([
    ['no reason', ['--all'], /--reason/],
    ['neither ids nor all', BECAUSE, /either ids or --all are needed/],
    ['ids and all', ['m', '--all', ...BECAUSE], /either ids or --all are needed/],
    ['ids and a time', ['m', '--since', '24h', ...BECAUSE], /select among --all/],
    [
      'an id of nothing',
      ['0f8fad5b', ...BECAUSE],
      /^there is no run, message or dead notice 0f8fad5b; see dead list$/m,
    ],
  ])('refuses %s', async (_what, parameters, message) => {
    await unread('m');
    const { code, err } = await dead(act, ...parameters);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(await findMessage(given.database, 'm')).toMatchObject({ settledAt: null });
  });
});

test('what was ignored is not discarded', async () => {
  const { code, err } = await dead('discard', '--all', '--kind', 'ignored', ...BECAUSE);
  expect([code, err]).toEqual([
    2,
    'what was ignored needs nothing more: it is not among the dead\n',
  ]);
});

describe('a notice that could not be delivered', () => {
  const status = () => given.database('notice_messages').first('status', 'settled_reason');

  test('is listed with whom it was for and why, and shown', async () => {
    const id = await undelivered('ana@city.example');
    expect((await dead('list', '--kind', 'notices')).out).toMatch(
      new RegExp(
        `^notices that were not delivered: 1\nid .*\n${id} .* 3 .* email ana@city.example  SMTP 550 to RCPT TO\n$`,
      ),
    );
    expect(JSON.parse((await dead('list', '--json')).out)).toMatchObject([
      { kind: 'notices', id, changes: 2 },
    ]);
    expect((await dead('show', id)).out).toContain('error: SMTP 550 to RCPT TO');
  });

  test('is shown a page at a time', async () => {
    for (const name of ['a', 'b', 'c']) await undelivered(`${name}@city.example`);
    const first = await dead('list', '--kind', 'notices', '--limit', '2');
    const [, next = ''] = /^notices .*: 2 of 3\n[\s\S]*the next ones: (.*)$/m.exec(first.out) ?? [];
    const second = await dead('list', '--limit', '2', ...next.split(' '));
    expect(second.out).toMatch(/^notices that were not delivered: 1 of 3\n/);
    expect((await dead('list', '--kind', 'notices', '--after', 'x')).code).toBe(2);
  });

  test('is sent again on demand', async () => {
    const id = await undelivered('ana@city.example');
    expect((await dead('retry', id, ...BECAUSE)).out).toBe('sent again: 1 notice\n');
    expect(await status()).toMatchObject({ status: 'waiting' });
    expect((await dead('list')).out).toContain('notices that were not delivered: none');
  });

  test('is settled on demand', async () => {
    await undelivered('ana@city.example');
    const parameters = ['--all', '--kind', 'notices', ...BECAUSE];
    expect((await dead('discard', ...parameters)).out).toBe(
      'discarded: 0 runs, 0 messages, 1 notice\n',
    );
    expect(await status()).toEqual({ status: 'discarded', settled_reason: 'S3 is back' });
  });
});
