import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createQueues,
  DEAD_LETTER_QUEUE,
  RUN_QUEUE,
} from '../../../../listener/src/queue/create-queues.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase('empty');
});
afterAll(() => given.drop());

const queues = () =>
  given
    .database('pgboss.queue')
    .select('name', 'retry_limit', 'heartbeat_seconds', 'dead_letter')
    .whereIn('name', [RUN_QUEUE, DEAD_LETTER_QUEUE])
    .orderBy('name');

test('the queue of runs has heartbeats, attempts and a dead-letter queue', async () => {
  await createQueues(given.database);
  expect(await queues()).toMatchObject([
    { name: RUN_QUEUE, retry_limit: 10, heartbeat_seconds: 10, dead_letter: DEAD_LETTER_QUEUE },
    { name: DEAD_LETTER_QUEUE },
  ]);
});

test('options that an older version set are brought up to date', async () => {
  await createQueues(given.database);
  const before = await queues();
  await given.database('pgboss.queue').where({ name: RUN_QUEUE }).update({ retry_limit: 1 });
  await createQueues(given.database);
  expect(await queues()).toEqual(before);
});
