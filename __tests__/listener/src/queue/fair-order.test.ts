import { randomUUID } from 'node:crypto';
import type { S3Event } from '@file-processing/contract/s3-event.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import { openIntake } from '../../../../listener/src/intake/accept-message.ts';
import { forgetIdleClients, placeWaiting } from '../../../../listener/src/queue/fair-order.ts';
import {
  BACKFILL_TURN,
  type ClientsOf,
  type JobRequest,
  openQueue,
  type Queue,
  type RunJob,
  takePlaces,
} from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { forgetRuns } from '../../support/runs.ts';

const WEIGHTS = new Map([['three', 3]]);
const JOB = 'file_processing_queue.job';

let given: TestDatabase;
let queue: Queue;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await open();
});
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(emptyQueue);

async function emptyQueue(): Promise<void> {
  await forgetRuns(given.database);
  await given.database(JOB).delete();
  await given.database(tablesOf(given.database).queueClients).delete();
}

function open(random = 0): Promise<Queue> {
  const onError = (error: Error) => {
    throw error;
  };
  return openQueue(given.database, onError, { random: () => random });
}

/** As the folder of the key says. */
const clientsOf: ClientsOf = async (objects) => objects.map(({ key }) => key.split('/')[0] ?? '');

/** New files of a client, each with its run and a job that waits: as intake takes them, else as other work asks for them. */
async function bring(
  client: string,
  count: number,
  as: { backfill?: boolean; known?: boolean } = {},
) {
  const { backfill = false, known = !backfill } = as;
  const objects = Array.from({ length: count }, () => ({
    ...{ bucket: 'b', eTag: 'e', eventName: 'ObjectCreated:Put' },
    key: `${client}/${randomUUID()}.csv`,
  }));
  if (known) {
    const accept = openIntake({ database: given.database, clientsOf, weights: WEIGHTS });
    const envelope = { topicArn: 'topic', timestamp: new Date(), message: '{}' };
    const event: S3Event = { kind: 'objects', objects, ignored: [] };
    await accept({ ...envelope, messageId: randomUUID() }, event);
    return;
  }
  const runs = objects.map(({ bucket, key }) => ({
    ...{ id: randomUUID(), bucket, key, identity: 'i' },
  }));
  await given.database.batchInsert(tablesOf(given.database).runs, runs, 1_000);
  const jobs = runs.map(({ id }): JobRequest => ({ runId: id, number: 1, jobId: id }));
  await given.database.transaction((transaction) => queue.enqueue(jobs, transaction, backfill));
}

/** Fetches so many jobs, by several processes in turn. */
async function fetch(count: number, queues: readonly Queue[] = [queue], limit = 5) {
  const jobs: RunJob[] = [];
  for (let turn = 0; jobs.length < count; turn += 1) {
    const some =
      (await queues[turn % queues.length]?.fetch(Math.min(limit, count - jobs.length))) ?? [];
    if (some.length === 0) break;
    jobs.push(...some);
  }
  return jobs;
}

/** How many of the jobs are each client's. */
async function shares(jobs: readonly RunJob[]): Promise<Record<string, number>> {
  const keys: { id: string; key: string }[] = await given
    .database(tablesOf(given.database).runs)
    .select('id', 'key');
  const keyOf = new Map(keys.map(({ id, key }) => [id, key]));
  const counts: Record<string, number> = {};
  for (const { runId } of jobs) {
    const client = keyOf.get(runId)?.split('/')[0] ?? '';
    counts[client] = (counts[client] ?? 0) + 1;
  }
  return counts;
}

/** Transactions that wait until another one has given out places. */
async function waitingForPlaces(): Promise<number> {
  const { rows } = await given.database.raw(
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows.length;
}

const shareOfNext = async (count: number) => shares(await fetch(count));

test('clients that wait have the same share, however much each has brought', async () => {
  await bring('a', 1_000);
  await bring('b', 60);
  await bring('c', 60);
  expect(await shareOfNext(99)).toEqual({ a: 33, b: 33, c: 33 });
});

test('a client has the share of its weight', async () => {
  await bring('one', 200);
  await bring('three', 200);
  expect(await shareOfNext(100)).toEqual({ one: 25, three: 75 });
});

test('a client that comes late has its share at once, and not more', async () => {
  await bring('a', 400);
  await fetch(150);
  await bring('late', 100);
  expect(await shareOfNext(100)).toEqual({ a: 50, late: 50 });
});

test('a client that had the queue for itself is not behind others for it', async () => {
  await bring('a', 300);
  await fetch(300);
  await bring('b', 100);
  await bring('a', 100);
  expect(await shareOfNext(100)).toEqual({ a: 50, b: 50 });
});

test('what one client brings in many small parts is no more than in one', async () => {
  await bring('whole', 100);
  for (let part = 0; part < 20; part += 1) await bring('parts', 5);
  expect(await shareOfNext(100)).toEqual({ whole: 50, parts: 50 });
});

test('any number of processes share it out among the clients as one does', async () => {
  const others = await Promise.all([open(0.2), open(0.4), open(0.8)]);
  try {
    await bring('a', 500);
    await bring('three', 500);
    const parts = await Promise.all(
      [queue, ...others].map(async (one) => [...(await one.fetch(10)), ...(await one.fetch(15))]),
    );
    const counts = await shares(parts.flat());
    expect(counts.a).toBeGreaterThanOrEqual(24);
    expect(counts.a).toBeLessThanOrEqual(26);
  } finally {
    for (const one of others) await one.close();
  }
});

test('a process that was started anew goes on where the one before it was', async () => {
  await bring('a', 300);
  await fetch(100);
  await bring('b', 100);
  const anew = await open();
  try {
    await bring('a', 100);
    expect(await shares(await fetch(100, [anew]))).toEqual({ a: 50, b: 50 });
  } finally {
    await anew.close();
  }
});

test('with arrivals at random, clients that wait all the time have their shares', async () => {
  const clients = ['a', 'b', 'c', 'three'];
  const steps = fc.array(
    fc.record({
      arrivals: fc.tuple(
        ...clients.map(() => fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 150 }))),
      ),
      fetched: fc.integer({ min: 20, max: 120 }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const property = fc.asyncProperty(steps, async (all) => {
    await emptyQueue();
    const waiting = clients.map(() => 0);
    for (const { arrivals, fetched } of all) {
      for (const [index, count] of arrivals.entries()) {
        if (count > 0) await bring(clients[index] ?? '', count);
        waiting[index] = (waiting[index] ?? 0) + count;
      }
      const counts = await shareOfNext(fetched);
      const taken = clients.map((client) => counts[client] ?? 0);
      for (const [index, count] of taken.entries()) waiting[index] = (waiting[index] ?? 0) - count;
      expectShares(
        clients.flatMap((client, index) =>
          (waiting[index] ?? 0) > 0
            ? [{ weight: WEIGHTS.get(client) ?? 1, taken: taken[index] ?? 0 }]
            : [],
        ),
      );
    }
  });
  await fc.assert(property, { numRuns: 12, seed: 21 });
}, 120_000);

/** Of those that still wait: what others left was theirs. */
function expectShares(clients: readonly { readonly weight: number; readonly taken: number }[]) {
  for (const one of clients) {
    for (const other of clients) {
      // The first round may have begun before, and the last one not have ended.
      expect(Math.abs(one.taken / one.weight - other.taken / other.weight)).toBeLessThanOrEqual(2);
    }
  }
}

describe('places that others hold', () => {
  test('intake does not wait for a process that is frozen with them: the judgement is placed later', async () => {
    await bring('a', 50);
    const frozen = await given.database.transaction();
    await takePlaces(frozen, [{ client: 'b' }], WEIGHTS);
    await bring('b', 10);
    const unplaced = () => given.database(JOB).where({ priority: 0 });
    expect(await unplaced()).toHaveLength(10);
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS, 10)).toBe(0);
    await frozen.rollback();
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(10);
    expect(await shareOfNext(20)).toEqual({ a: 10, b: 10 });
  });

  test('processes that enqueue for one client at the same time give it no more than its share', async () => {
    await bring('b', 200);
    await Promise.all(Array.from({ length: 8 }, () => bring('a', 20)));
    while ((await placeWaiting(given.database, clientsOf, WEIGHTS)) > 0) {}
    expect(await shareOfNext(100)).toEqual({ a: 50, b: 50 });
  });

  test('a judgement that has none is placed before intake gets more of them for its client', async () => {
    await bring('b', 1, { known: false });
    const intake = await given.database.transaction();
    await takePlaces(intake, [{ client: 'b' }], WEIGHTS);
    const look = placeWaiting(given.database, clientsOf, WEIGHTS, 60_000);
    await eventually(async () => expect(await waitingForPlaces()).toBe(1));
    await bring('b', 5);
    await intake.commit();
    expect(await look).toBe(1);
    expect(await given.database(JOB).where({ priority: 0 })).toHaveLength(5);
  });

  test('those of a client whose places a frozen process holds keep no others from theirs', async () => {
    const frozen = await given.database.transaction();
    await takePlaces(frozen, [{ client: 'b' }], WEIGHTS);
    await bring('b', 1_000, { known: false });
    await bring('c', 3, { known: false });
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS, 10)).toBe(3);
    await frozen.rollback();
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(1_000);
  });
});

describe('judgements that have no place yet', () => {
  test('they are fetched after those that have one, and before backfill', async () => {
    await bring('later', 2, { backfill: true });
    await bring('asked', 2, { known: false });
    await bring('a', 2);
    // What one fetch answers has no order.
    expect(await shareOfNext(2)).toEqual({ a: 2 });
    expect(await shareOfNext(2)).toEqual({ asked: 2 });
    expect(await shareOfNext(2)).toEqual({ later: 2 });
  });

  test('they get places as if they came now', async () => {
    await bring('a', 200);
    await bring('asked', 100, { known: false });
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(100);
    expect(await shareOfNext(100)).toEqual({ a: 50, asked: 50 });
  });

  test('one look ends, however much comes in meanwhile', async () => {
    const bringing: ClientsOf = async (objects) => {
      await bring('a', 1_000, { known: false });
      return clientsOf(objects);
    };
    await bring('a', 1_000, { known: false });
    expect(await placeWaiting(given.database, bringing, WEIGHTS)).toBe(1_000);
  });

  test('two processes that place them at once place each once', async () => {
    await bring('a', 100, { known: false });
    const place = () => placeWaiting(given.database, clientsOf, WEIGHTS);
    await Promise.all([place(), place(), place()]);
    while ((await place()) > 0) {}
    const rounds = await given.database(JOB).distinct('priority');
    expect(rounds).toHaveLength(100);
  });

  test('a failed one waits without a place, and gets one when its next attempt is due', async () => {
    await bring('outage', 200);
    const failed = await fetch(100);
    await bring('b', 200);
    // A second would be over on a busy machine before all of them have failed.
    await given.database(JOB).update({ retry_delay: 3_600 });
    await Promise.all(failed.map((job) => queue.fail(job, new Error('S3 is unavailable'))));
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(0);
    await given
      .database(JOB)
      .where({ state: 'retry' })
      .update({ start_after: new Date(0) });
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(100);
    expect(await shareOfNext(100)).toEqual({ outage: 50, b: 50 });
  });

  test('however long more comes in than is judged, a failed one is fetched before what its client brings after it', async () => {
    await bring('a', 40);
    const [failed] = await fetch(1);
    if (!failed) throw new Error('the queue is empty');
    await queue.fail(failed, new Error('S3 is unavailable'));
    await given
      .database(JOB)
      .where({ id: failed.id })
      .update({ start_after: new Date(0) });
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(1);
    const before: RunJob[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      await bring('a', 30);
      await bring('b', 30);
      // One by one, since what one fetch answers has no order.
      for (let job = 0; job < 20; job += 1) before.push(...(await fetch(1)));
    }
    const place = before.findIndex(({ id }) => id === failed.id);
    expect(await shares(before.slice(0, place))).toMatchObject({ a: 39 });
  });

  test('one whose run is gone gets one, so that it does not wait for good', async () => {
    await bring('a', 1, { known: false });
    await forgetRuns(given.database);
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(1);
  });

  test('one that is handed back until its bucket is there gets one when it is due', async () => {
    await bring('outage', 100);
    for (const job of await fetch(100)) await queue.handBack(job, 30);
    await bring('b', 100);
    await given
      .database(JOB)
      .where({ state: 'created' })
      .update({ start_after: new Date(0) });
    await placeWaiting(given.database, clientsOf, WEIGHTS);
    expect(await shareOfNext(100)).toEqual({ outage: 50, b: 50 });
  });

  test('one that is handed back at once keeps its place', async () => {
    await bring('a', 20);
    const [job] = await fetch(1);
    if (!job) throw new Error('the queue is empty');
    await queue.handBack(job);
    expect((await fetch(1))[0]?.id).toBe(job.id);
  });
});

describe('backfill', () => {
  test('it moves on while files never stop coming, and takes no more than one in twenty', async () => {
    await bring('later', 100, { backfill: true });
    let fetched: RunJob[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      await bring('a', 20);
      await bring('b', 20);
      fetched = [...fetched, ...(await fetch(40))];
    }
    expect((await shares(fetched)).later).toBe(fetched.length / BACKFILL_TURN);
  });

  test('it has one in twenty of several processes too', async () => {
    const others = await Promise.all([open(0.3), open(0.6), open(0.9)]);
    try {
      await bring('later', 100, { backfill: true });
      await bring('a', 1_000);
      const counts = await shares(await fetch(400, [queue, ...others], 7));
      expect(counts.later).toBeGreaterThanOrEqual(400 / BACKFILL_TURN - 4);
      expect(counts.later).toBeLessThanOrEqual(400 / BACKFILL_TURN + 4);
    } finally {
      for (const one of others) await one.close();
    }
  });

  test('it has what is left, where no file waits', async () => {
    await bring('later', 100, { backfill: true });
    await bring('a', 20);
    expect(await shareOfNext(100)).toEqual({ a: 20, later: 80 });
  });

  test('a fetch is as full as it can be where none waits', async () => {
    await bring('a', 100);
    for (let turn = 0; turn < 4; turn += 1) expect(await queue.fetch(25)).toHaveLength(25);
  });

  test('a failed one of it stays backfill', async () => {
    await bring('later', 1, { backfill: true });
    const [job] = await fetch(1);
    if (!job) throw new Error('the queue is empty');
    await queue.fail(job, new Error('S3 is unavailable'));
    await given.database(JOB).update({ start_after: new Date(0) });
    expect(await placeWaiting(given.database, clientsOf, WEIGHTS)).toBe(0);
  });
});

describe('forgetIdleClients', () => {
  const clients = () =>
    given.database(tablesOf(given.database).queueClients).orderBy('client').pluck('client');

  test('a client whose places are used up is forgotten, one that waits is not', async () => {
    await bring('gone', 5);
    await bring('a', 50);
    await fetch(40);
    expect(await forgetIdleClients(given.database)).toBe(1);
    expect(await clients()).toEqual(['a']);
  });

  test('where none waits, the rounds go on where they were', async () => {
    await bring('gone', 5);
    await bring('a', 50);
    await fetch(55);
    await forgetIdleClients(given.database);
    expect(await clients()).toEqual(['a']);
    await bring('gone', 100);
    await bring('a', 100);
    expect(await shareOfNext(100)).toEqual({ gone: 50, a: 50 });
  });

  test('it does not wait for an intake that is under way', async () => {
    await bring('gone', 5);
    await bring('a', 50);
    await fetch(40);
    const transaction = await given.database.transaction();
    await takePlaces(transaction, [{ client: 'gone' }], WEIGHTS);
    expect(await forgetIdleClients(given.database)).toBe(0);
    await transaction.rollback();
  });
});
