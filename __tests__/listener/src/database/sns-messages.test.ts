import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  countMessages,
  discardMessages,
  findMessage,
  insertSubscriptionMessage,
  listMessages,
  signingCertificates,
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

test('messages are listed by outcome, by when they came, a page at a time', async () => {
  for (const [id, hour] of [
    ['u1', '10'],
    ['u2', '11'],
    ['u3', '11'],
  ] as const) {
    await insertSubscriptionMessage(given.database, envelope(id), 'unsubscribe');
    const received_at = `2026-11-24T${hour}:00:00Z`;
    await given.database('sns_messages').where({ message_id: id }).update({ received_at });
  }
  const list = async (filter: Parameters<typeof listMessages>[2], limit = 50) =>
    (await listMessages(given.database, 'unsubscribe', filter, limit)).map((one) => one.messageId);
  expect(await list({})).toEqual(['u2', 'u3', 'u1']);
  expect(await list({}, 1)).toEqual(['u2']);
  expect(await list({ after: 'u2' })).toEqual(['u3', 'u1']);
  expect(await list({ since: new Date('2026-11-24T11:00:00Z') })).toEqual(['u2', 'u3']);
  expect(await list({ until: new Date('2026-11-24T11:00:00Z') })).toEqual(['u1']);
  expect(await countMessages(given.database, 'unsubscribe', {}, 100)).toBe(3);
  expect(await countMessages(given.database, 'unsubscribe', {}, 2)).toBe(2);
});

test('a dead message is discarded once, with the reason, and is listed no more', async () => {
  await given.database('sns_messages').insert({
    message_id: 'dead',
    topic_arn: 'topic',
    type: 'Notification',
    outcome: 'dead',
    reason: 'Message is not JSON',
    message: 'hello',
    signed_at: new Date(),
  });
  await insertSubscriptionMessage(given.database, envelope('c2'), 'confirmation');
  expect(await listMessages(given.database, 'dead', {}, 50)).toHaveLength(1);
  expect(await discardMessages(given.database, ['dead', 'c2', 'unknown'], 'a test')).toBe(1);
  expect(await discardMessages(given.database, ['dead'], 'another')).toBe(0);
  expect(await listMessages(given.database, 'dead', {}, 50)).toEqual([]);
  expect(await findMessage(given.database, 'dead')).toMatchObject({
    outcome: 'dead',
    settledAt: expect.any(Date),
    settledReason: 'a test',
  });
});

test('an unknown message is not found', async () => {
  expect(await findMessage(given.database, 'unknown')).toBeUndefined();
});

const certificate = (url: string, digit = 'a', years = 1) => ({
  url: `https://sns.us-gov-west-1.amazonaws.com/${url}`,
  sha256: digit.repeat(64),
  validUntil: new Date(Date.now() + years * 365 * 24 * 3_600_000),
});

test('a certificate that has verified a message is known to all processes', async () => {
  const certificates = signingCertificates(given.database);
  await certificates.add(certificate('one'));
  await certificates.add(certificate('two'));
  expect(await certificates.list()).toEqual(
    [certificate('two'), certificate('one')].map((known) => ({
      ...known,
      validUntil: expect.any(Date),
    })),
  );
});

test('another certificate of the same URL takes the place of the first, and comes first', async () => {
  const certificates = signingCertificates(given.database);
  await certificates.add(certificate('one', 'b'));
  expect((await certificates.list()).map(({ sha256 }) => sha256[0])).toEqual(['b', 'a']);
});

test('a certificate that has expired is not known, and goes with the next one', async () => {
  const certificates = signingCertificates(given.database);
  await certificates.add(certificate('old', 'c', -1));
  expect((await certificates.list()).map(({ sha256 }) => sha256[0])).toEqual(['b', 'a']);
  await certificates.add(certificate('three', 'd'));
  expect(await given.database('signing_certificates').where({ sha256: 'c'.repeat(64) })).toEqual(
    [],
  );
});

test.each([
  ['signing_certificates_url_is_short', { url: 'x'.repeat(2049) }],
  ['signing_certificates_sha256_is_hexadecimal', { sha256: 'X'.repeat(64) }],
])('%s refuses a certificate', async (constraint, wrong) => {
  await expect(
    signingCertificates(given.database).add({ ...certificate('wrong'), ...wrong }),
  ).rejects.toMatchObject({ constraint });
});
