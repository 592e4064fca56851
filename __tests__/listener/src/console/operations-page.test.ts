import { randomUUID } from 'node:crypto';
import type { ConsoleRight } from '@file-processing/contract/console.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningConsole, startConsole } from '../../../../listener/src/console/console.ts';
import { outageTeller } from '../../../../listener/src/database/bucket-outages.ts';
import { failJudgements, judgementsOf } from '../../../../listener/src/database/judgements.ts';
import { recordListing } from '../../../../listener/src/database/listed-objects.ts';
import { lastActs } from '../../../../listener/src/database/privacy-events.ts';
import { findRun } from '../../../../listener/src/database/runs.ts';
import { findMessage } from '../../../../listener/src/database/sns-messages.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, emptyTables, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns, judgedRun, leaveOneAttempt } from '../../support/runs.ts';
import { s3Event, topicArn } from '../../support/sns-messages.ts';

const TOKEN = 'a-token-of-the-test';

let given: TestDatabase;
let queue: Queue;
let acting: RunningConsole;
const onError = (error: unknown) => {
  throw error;
};
const start = (rights: readonly ConsoleRight[]) => {
  const filter = { buckets: [{ prefixes: [] }], suffixes: ['.csv'] };
  const parts = { queue, filter: filter as never };
  return startConsole({
    ...{ database: given.database, port: 0, token: TOKEN, rights, acting: parts, onError },
  });
};
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, onError);
  acting = await start(['look', 'act']);
});
afterAll(async () => {
  await acting?.close();
  await queue?.close();
  await given.drop();
});
beforeEach(async () => {
  await emptyTables(
    given.database,
    ...['notice_messages', 'notices', 'judgements', 'runs', 'sns_messages'],
    ...['privacy_events', 'listings', 'bucket_outages'],
  );
  await given.database('file_processing_queue.job').delete();
});

const headers = { Authorization: `Bearer ${TOKEN}` };
const get = (path: string, pages = acting) => fetch(new URL(path, pages.address), { headers });
const textOf = async (path: string, pages = acting) => (await get(path, pages)).text();

/** What the form of the page of confirmation sends. */
async function fieldsOf(path: string): Promise<Record<string, string>> {
  const page = await textOf(path);
  return Object.fromEntries(
    [...page.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
}

const send = (fields: Record<string, string>, pages = acting) =>
  fetch(new URL('/operations/act', pages.address), {
    ...{ method: 'POST', headers, redirect: 'manual', body: new URLSearchParams(fields) },
  });

/** A run that used up its attempts. @returns its id */
async function died(key: string): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, key);
  await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(1)) await queue.fail(job, new Error('S3 is unavailable'));
  await failJudgements(given.database, [{ runId, number: 1, error: 'S3 is unavailable' }]);
  return runId;
}

async function unread(id: string, message: string): Promise<void> {
  await given.database('sns_messages').insert({
    ...{ message_id: id, topic_arn: topicArn, type: 'Notification', outcome: 'dead' },
    ...{ reason: 'Message is not JSON', message, signed_at: new Date() },
  });
}

async function deadNotice(): Promise<string> {
  const at = new Date();
  const [{ id }] = await given
    .database('notice_messages')
    .insert({
      ...{ way: 'email', target: 'ana@city.example', notice_ids: [1], status: 'dead' },
      ...{ created_at: at, next_at: at, give_up_at: at, settled_at: at, error: 'refused' },
    })
    .returning('id');
  return id;
}

describe('the page of operations', () => {
  it('lists dead runs, messages and notices with their reasons, and how many there are', async () => {
    const run = await died('a.csv');
    await unread('m1', 'hello');
    await deadNotice();
    const page = await textOf('/operations');
    expect(page).toMatch(/attempts are used up: 1[\s\S]*S3 is unavailable/);
    expect(page).toContain(`href="/runs/${run}"`);
    expect(page).toMatch(/could not be read: 1[\s\S]*Message is not JSON/);
    expect(page).toMatch(/not delivered: 1[\s\S]*ana@city.example[\s\S]*refused/);
  });

  it('names the buckets that are out, since when and why, once for all processes', async () => {
    expect(await textOf('/operations')).not.toContain('Bucket outages');
    const outage = { bucket: 'box', way: 'read', outage: 'access' } as const;
    const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
    const tell = outageTeller(given.database, randomUUID());
    await tell([{ ...outage, since: hours(3) }]);
    await outageTeller(given.database, randomUUID())([{ ...outage, since: hours(5) }]);
    const page = await textOf('/operations');
    expect(page).toMatch(
      /Bucket outages[\s\S]*5 hours<\/time><\/td><td><span class="text">box<\/span><\/td><td>read<\/td>\s*<td>access: rights to the bucket<\/td><td class="number">2</,
    );
    await tell([]);
    expect(await textOf('/operations')).toMatch(/<td class="number">1<\/td>\s*<\/tr>/);
  });

  it('names no bucket of a process that says nothing any more', async () => {
    await outageTeller(
      given.database,
      randomUUID(),
    )([{ bucket: 'box', way: 'write', outage: 'network', since: new Date() }]);
    await given
      .database('bucket_outages')
      .update({ said_at: given.database.raw("now() - interval '4 minutes'") });
    expect(await textOf('/operations')).not.toContain('Bucket outages');
    await outageTeller(
      given.database,
      randomUUID(),
    )([{ bucket: 'other', way: 'read', outage: 'kms', since: new Date() }]);
    expect(await given.database('bucket_outages').pluck('bucket')).toEqual(['other']);
  });

  it('says what waits in the queue', async () => {
    await enqueueRuns(given.database, queue, 'a.csv', 'b.csv');
    await queue.fetch(1);
    expect(await textOf('/operations')).toMatch(
      /Due<\/dt><dd>1 judgement<[\s\S]*In hand<\/dt><dd>1 judgement</,
    );
  });

  it('shows what the last listings of the buckets found', async () => {
    await recordListing(given.database, {
      places: [{ bucket: 'box', prefix: 'in/' }],
      counts: { listed: 12, missing: 3 },
      reason: 'after the outage',
    });
    expect(await textOf('/operations')).toMatch(
      /box\/in\/[\s\S]*>12<[\s\S]*>3<[\s\S]*after the outage/,
    );
  });

  it('goes on with older ones where a page ends', async () => {
    for (let number = 10; number < 62; number += 1) await unread(`m${number}`, 'hello');
    const first = await textOf('/operations');
    const [, older = ''] = /href="(\/operations\?after-message=[^"]+)"/.exec(first) ?? [];
    const second = await textOf(older);
    const ids = (page: string) => [...page.matchAll(/name="message-(m\d+)"/g)].map(([, id]) => id);
    expect([ids(first).length, ids(second).length]).toEqual([50, 2]);
    expect(new Set([...ids(first), ...ids(second)]).size).toBe(52);
  });

  it('offers nothing to who may only look', async () => {
    await died('a.csv');
    const looking = await start(['look']);
    const page = await textOf('/operations', looking);
    const confirm = await get('/operations/confirm?act=retry', looking);
    const answer = await send({ act: 'retry', reason: 'x', form: randomUUID() }, looking);
    await looking.close();
    expect(page).not.toMatch(/<button|type="checkbox"/);
    expect([confirm.status, answer.status]).toEqual([403, 403]);
  });

  it('is not there for who sees one client alone', async () => {
    // Nothing else decides it: the routes ask the viewer.
    const { operationsRoutes } = await import(
      '../../../../listener/src/console/operations-page.ts'
    );
    const [look] = operationsRoutes(undefined);
    const viewer = { name: 'ana', rights: new Set<ConsoleRight>(['look']), clients: ['abq'] };
    const visit = { viewer, database: given.database, query: {}, form: {}, parameters: [] };
    expect(await look?.answer(visit as never)).toBeUndefined();
  });
});

describe('an act', () => {
  it('is asked for once more, with the names of what was chosen, before it is done', async () => {
    const id = await died('a<b>.csv');
    const page = await textOf(`/operations/confirm?act=retry&run-${id}=on`);
    expect(page).toMatch(/<h1>Try again: 1 item<\/h1>[\s\S]*bucket\/a&lt;b&gt;\.csv/);
    expect(page).toMatch(/name="reason" required/);
    expect(await findRun(given.database, id)).toMatchObject({ status: 'error' });
  });

  it('tries runs, messages and notices again, and says what came of it', async () => {
    const id = await died('a.csv');
    await unread('m1', s3Event('a.csv'));
    await unread('m2', 'hello');
    const notice = await deadNotice();
    const chosen = `run-${id}=on&message-m1=on&message-m2=on&notice-${notice}=on`;
    const fields = await fieldsOf(`/operations/confirm?act=retry&${chosen}`);
    const answer = await send({ ...fields, reason: 'S3 is back' });
    expect(answer.status).toBe(303);
    expect(await findRun(given.database, id)).toMatchObject({ status: 'queued', number: 2 });
    const told = await textOf(answer.headers.get('location') ?? '');
    expect(told).toMatch(/judged again: 1 run; sent again: 1 notice/);
    expect(told).toMatch(/still not read: 1 message/);
  });

  it('is recorded with who asked and why, and shown', async () => {
    const id = await died('a.csv');
    const fields = await fieldsOf(`/operations/confirm?act=discard&run-${id}=on`);
    await send({ ...fields, reason: ' a test by hand ' });
    expect(await lastActs(given.database, 5)).toMatchObject([
      { act: 'discard', via: 'console', reason: 'a test by hand', subject: { runIds: [id] } },
    ]);
    expect(await textOf('/operations')).toMatch(/What was done[\s\S]*discard[\s\S]*a test by hand/);
  });

  it('that is sent twice is done once, also at the same moment', async () => {
    const id = await judgedRun(given.database, { bucket: 'bucket', key: 'a.csv' });
    const fields = await fieldsOf(`/operations/confirm?act=rejudge&run-${id}=on`);
    const sent = { ...fields, reason: 'the rules are mended' };
    const answers = await Promise.all([send(sent), send(sent), send(sent)]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303]);
    expect(await judgementsOf(given.database, id)).toHaveLength(2);
    expect(await lastActs(given.database, 5)).toHaveLength(1);
  });

  it('whose form is sent again later does nothing, whatever became of it meanwhile', async () => {
    const id = await died('a.csv');
    const fields = await fieldsOf(`/operations/confirm?act=retry&run-${id}=on`);
    await send({ ...fields, reason: 'S3 is back' });
    await failJudgements(given.database, [{ runId: id, number: 2, error: 'it is not' }]);
    expect((await send({ ...fields, reason: 'S3 is back' })).status).toBe(303);
    expect(await findRun(given.database, id)).toMatchObject({ status: 'error', number: 2 });
  });

  it('without a reason is not done', async () => {
    const id = await died('a.csv');
    const fields = await fieldsOf(`/operations/confirm?act=discard&run-${id}=on`);
    const answer = await send({ ...fields, reason: '  ' });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('A reason is needed'),
    ]);
    expect(await lastActs(given.database, 5)).toEqual([]);
  });

  it.each([
    ['nothing that is known', { act: 'destroy', 'run-x': 'on' }, 404],
    ['what is not there', { act: 'retry', 'run-00000000-0000-0000-0000-000000000000': 'on' }, 404],
  ])('on %s is refused', async (_case, fields, status) => {
    const answer = await send({ ...(fields as object), reason: 'x', form: randomUUID() });
    expect(answer.status).toBe(status);
    expect(await lastActs(given.database, 5)).toEqual([]);
  });

  it('of nothing is asked for in vain', async () => {
    const answer = await get('/operations/confirm?act=retry');
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('Nothing is chosen'),
    ]);
  });

  it.each(['run', 'message', 'notice'])('on a %s that no id names is none', async (kind) => {
    for (const id of ['%00', 'latest', '%27--']) {
      expect((await get(`/operations/confirm?act=retry&${kind}-${id}=on`)).status).toBe(404);
    }
  });

  it('retries a run whose object was gone, which is not a dead letter', async () => {
    const [id = ''] = await enqueueRuns(given.database, queue, 'a.csv');
    const [held] = await queue.fetch(1);
    if (held) await queue.complete(held);
    await given.database('runs').where({ id }).update({ status: 'gone' });
    const fields = await fieldsOf(`/operations/confirm?act=retry&run-${id}=on`);
    await send({ ...fields, reason: 'it is there again' });
    expect(await findRun(given.database, id)).toMatchObject({ status: 'queued', number: 2 });
  });

  it('settles a message that is discarded with its reason', async () => {
    await unread('m1', 'hello');
    const fields = await fieldsOf('/operations/confirm?act=discard&message-m1=on');
    await send({ ...fields, reason: 'a test by hand' });
    expect(await findMessage(given.database, 'm1')).toMatchObject({
      settledReason: 'a test by hand',
    });
  });
});

describe('which buckets are out for a process', () => {
  const OPEN = [
    { bucket: 'box', way: 'read', outage: 'access', since: new Date('2026-11-29T10:00:00Z') },
  ] as const;

  it('is written where it has changed, and once a minute while one is', async () => {
    let now = 0;
    const tell = outageTeller(given.database, randomUUID(), () => now);
    const written: string[] = [];
    given.database.on('query', ({ sql }) => {
      if (/^insert into .*bucket_outages/.test(sql)) written.push(sql);
    });
    for (const after of [0, 2_000, 59_000, 60_000, 62_000]) {
      now = after;
      await tell(OPEN);
    }
    given.database.removeAllListeners('query');
    expect(written).toHaveLength(2);
  });

  it('is written at the next call where the database was away', async () => {
    const process = randomUUID();
    let isAway = true;
    const database = new Proxy(given.database, {
      get: (target, name) => {
        if (isAway && name === 'transaction') throw new Error('away');
        return Reflect.get(target, name);
      },
    });
    const tell = outageTeller(database, process);
    await expect(tell(OPEN)).rejects.toThrow('away');
    isAway = false;
    await tell(OPEN);
    expect(await given.database('bucket_outages').where({ process }).pluck('bucket')).toEqual([
      'box',
    ]);
  });
});
