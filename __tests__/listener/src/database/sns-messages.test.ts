import { afterAll, beforeAll, expect, test } from 'vitest';
import {
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

test('messages are listed by outcome', async () => {
  await insertSubscriptionMessage(given.database, envelope('u'), 'unsubscribe');
  const listed = await listMessages(given.database, 'unsubscribe');
  expect(listed.map(({ messageId }) => messageId)).toEqual(['u']);
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
