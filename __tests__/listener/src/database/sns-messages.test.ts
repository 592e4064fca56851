import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  findMessage,
  insertSubscriptionMessage,
  listMessages,
} from '../../../../listener/src/database/sns-messages.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

const envelope = (messageId: string) => ({
  messageId,
  topicArn: 'topic',
  timestamp: '2026-11-24T10:00:00.000Z',
  message: 'You have chosen to subscribe\0',
});

test('a confirmation is kept once', async () => {
  expect(await insertSubscriptionMessage(given.database, envelope('c'), 'confirmation')).toBe(true);
  expect(await insertSubscriptionMessage(given.database, envelope('c'), 'confirmation')).toBe(
    false,
  );
  expect(await findMessage(given.database, 'c')).toMatchObject({
    type: 'SubscriptionConfirmation',
    outcome: 'confirmation',
    message: 'You have chosen to subscribe␀',
    signedAt: new Date('2026-11-24T10:00:00Z'),
  });
});

test('messages are listed by outcome', async () => {
  await insertSubscriptionMessage(given.database, envelope('u'), 'unsubscribe');
  const listed = await listMessages(given.database, 'unsubscribe');
  expect(listed.map(({ messageId }) => messageId)).toEqual(['u']);
});

test('an unknown message is not found', async () => {
  expect(await findMessage(given.database, 'unknown')).toBeUndefined();
});
