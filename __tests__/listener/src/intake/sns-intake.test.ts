import { type DeliveryFilter, readS3Event } from '@file-processing/contract/s3-event.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../../listener/src/database/connection.ts';
import { listRuns } from '../../../../listener/src/database/runs.ts';
import { findMessage, type SnsMessage } from '../../../../listener/src/database/sns-messages.ts';
import { openIntake } from '../../../../listener/src/intake/accept-message.ts';
import {
  recordConfirmation,
  recordUnsubscribe,
  rereadMessage,
} from '../../../../listener/src/intake/sns-intake.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { createTestDatabase, emptyTables, type TestDatabase } from '../../support/postgres.ts';
import { eventBridgeEvent, s3Event } from '../../support/sns-messages.ts';

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

describe('a message that is read anew', () => {
  let queue: Queue;
  beforeAll(async () => {
    queue = await openQueue(given.database, (error) => {
      throw error;
    });
  });
  afterAll(() => queue.close());

  /** As an older version recorded it that could not read it, or as older settings had it. */
  async function recorded(
    changes: Partial<Record<'message' | 'topic_arn' | 'outcome', string>>,
  ): Promise<SnsMessage> {
    await emptyTables(given.database, 'judgements', 'runs', 'sns_messages');
    await given.database('file_processing_queue.job').delete();
    await given.database('sns_messages').insert({
      message_id: 'm',
      topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:270022076279:topic',
      type: 'Notification',
      outcome: 'dead',
      reason: 'a bug of an older version',
      message: s3Event('in/a.csv'),
      signed_at: new Date('2026-11-24T08:00:00Z'),
      ...changes,
    });
    return stored();
  }

  const stored = async () => (await findMessage(given.database, 'm')) as SnsMessage;
  const keys = async () => (await listRuns(given.database)).map(({ key }) => key);
  const ALL: DeliveryFilter = { buckets: [{ prefixes: [] }], reportPrefix: '' };
  const reread = (message: SnsMessage, filter = ALL) =>
    rereadMessage({ database: given.database, filter }, message, 'the bug is mended');

  test('makes its runs and jobs, and keeps why and what was wrong with it', async () => {
    const message = await recorded({});
    expect(await reread(message)).toMatchObject({
      outcome: 'accepted',
      runIds: [expect.any(String)],
    });
    const [run] = await listRuns(given.database);
    expect(run).toMatchObject({ key: 'in/a.csv', messageId: 'm', status: 'queued' });
    expect(await queue.fetch(5)).toMatchObject([{ runId: run?.id, number: 1 }]);
    expect(await stored()).toMatchObject({
      outcome: 'accepted',
      reason: 'before: a bug of an older version',
      settledAt: expect.any(Date),
      settledReason: 'the bug is mended',
      signedAt: new Date('2026-11-24T08:00:00Z'),
    });
  });

  test('makes them once, however many read it at once', async () => {
    const message = await recorded({});
    const outcomes = await Promise.all([reread(message), reread(message), reread(message)]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
      'accepted',
      'duplicate',
      'duplicate',
    ]);
    expect(await reread(await stored())).toStrictEqual({ outcome: 'duplicate', runIds: [] });
    expect(await queue.fetch(5)).toHaveLength(1);
  });

  test('has no new run for an object that another message named', async () => {
    const message = await recorded({});
    const accept = openIntake({ database: given.database });
    const other = { ...envelope('other'), message: message.message };
    await accept(other, readS3Event(other.message, ALL));
    expect(await reread(message)).toMatchObject({ outcome: 'known', runIds: [] });
    expect(await stored()).toMatchObject({ outcome: 'accepted' });
    expect(await keys()).toEqual(['in/a.csv']);
  });

  test('stays as it is where it still cannot be read', async () => {
    const message = await recorded({ message: 'hello' });
    expect(await reread(message)).toStrictEqual({
      outcome: 'dead',
      runIds: [],
      reason: 'Message is not JSON',
    });
    expect(await stored()).toStrictEqual(message);
  });

  test('stays as it is where the database refuses what it says', async () => {
    const message = await recorded({ message: s3Event('a\0b.csv') });
    expect(readS3Event(message.message, ALL).kind).toBe('dead');
    expect(await reread(message)).toMatchObject({ outcome: 'dead' });
    const tooLong = await recorded({
      message: s3Event('in/a.csv').replace('00A1', '1'.repeat(64)),
    });
    await given.database.raw(
      'ALTER TABLE runs ADD CONSTRAINT short CHECK (length(sequencer) < 64) NOT VALID',
    );
    expect(await reread(tooLong)).toMatchObject({
      outcome: 'dead',
      reason: 'the database refuses what the event says: short',
    });
    await given.database.raw('ALTER TABLE runs DROP CONSTRAINT short');
    expect(await stored()).toStrictEqual(tooLong);
    expect(await keys()).toEqual([]);
  });

  test('stays as it is where its text was not stored as it came', async () => {
    const message = await recorded({ message: s3Event('in/\u2400.csv') });
    expect(await reread(message)).toMatchObject({
      outcome: 'dead',
      reason: 'its text could not be stored as it came',
    });
    expect(await keys()).toEqual([]);
  });

  test('is taken by the settings of today, where those of its day left it aside', async () => {
    const message = await recorded({ outcome: 'ignored' });
    const elsewhere = { ...ALL, buckets: [{ prefixes: ['out/'] }] };
    expect(await reread(message, elsewhere)).toMatchObject({ outcome: 'ignored', runIds: [] });
    expect(await stored()).toStrictEqual(message);
    expect(await reread(message)).toMatchObject({ outcome: 'accepted' });
    expect(await keys()).toEqual(['in/a.csv']);
  });

  test('is dead no more where the settings of today leave it aside', async () => {
    const elsewhere = { ...ALL, buckets: [{ prefixes: ['out/'] }] };
    expect(await reread(await recorded({}), elsewhere)).toMatchObject({ outcome: 'ignored' });
    expect(await stored()).toMatchObject({ outcome: 'ignored', settledAt: expect.any(Date) });
  });

  test('is read as EventBridge wrote it, where no topic signed it', async () => {
    const message = await recorded({
      topic_arn: 'arn:aws-us-gov:s3:::etl-ba-research-client-etl',
      message: JSON.stringify(eventBridgeEvent()),
    });
    expect(await reread(message)).toMatchObject({ outcome: 'accepted' });
    expect(await keys()).toEqual(['in/Officer Detail.csv']);
  });

  test('is not read as EventBridge wrote it, where a topic signed it', async () => {
    const message = await recorded({ message: JSON.stringify(eventBridgeEvent()) });
    expect(await reread(message)).toMatchObject({ outcome: 'dead' });
    expect(await keys()).toEqual([]);
  });

  test('about the subscription changes nothing', async () => {
    await recordConfirmation(given.database, envelope('about'));
    const message = (await findMessage(given.database, 'about')) as SnsMessage;
    expect(await reread(message)).toStrictEqual({ outcome: 'duplicate', runIds: [] });
  });
});
