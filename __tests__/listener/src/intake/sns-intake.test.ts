import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../../listener/src/database/connection.ts';
import { findMessage } from '../../../../listener/src/database/sns-messages.ts';
import {
  recordConfirmation,
  recordUnsubscribe,
} from '../../../../listener/src/intake/sns-intake.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());

const envelope = (messageId: string) => ({
  messageId,
  topicArn: 'topic',
  timestamp: new Date(),
  message: 'text',
});

test.each([
  ['confirmation', recordConfirmation],
  ['unsubscribe', recordUnsubscribe],
])('a message about the subscription is recorded as %s, once', async (outcome, record) => {
  expect(await record(given.database, envelope(outcome))).toBe(true);
  expect(await record(given.database, envelope(outcome))).toBe(false);
  expect(await findMessage(given.database, outcome)).toMatchObject({ outcome });
});

test('a database that is unavailable is an error with a code', async () => {
  const away = connect({ ...given.config, port: 1 });
  await expect(recordConfirmation(away, envelope('x'))).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  });
  await away.destroy();
});
