import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { makeSigningKey, type SigningKey } from '../../../../listener/local/sns/signing-key.ts';
import { listRuns } from '../../../../listener/src/database/runs.ts';
import { tablesOf } from '../../../../listener/src/database/tables.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import {
  confirmation,
  eventBridgeEvent,
  notification,
  s3Event,
  signed,
  topicArn,
} from '../../support/sns-messages.ts';
import { startTestServer, type TestServer } from '../../support/sns-sockets.ts';
import { type SqsServer, startSqsServer } from '../../support/sqs-server.ts';

const BUCKET = 'etl-ba-research-client-etl';
const ACCOUNT = '123456789012';
const DAY = 86_400_000;

let key: SigningKey;
let certificates: TestServer;
let given: TestDatabase;

beforeAll(async () => {
  key = await makeSigningKey({ validFrom: new Date(Date.now() - 100 * DAY) });
  certificates = await startTestServer((_, response) => response.end(key.certificate));
});
afterAll(() => certificates.close());
beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  given = await createTestDatabase('migrated');
  return async () => {
    vi.unstubAllEnvs();
    await given.drop();
  };
});

const message = (id: string, object: string, daysAgo = 0) =>
  JSON.stringify(
    signed(
      notification({
        MessageId: id,
        Message: s3Event(object),
        Timestamp: new Date(Date.now() - daysAgo * DAY).toISOString(),
      }),
      key,
      { certificateUrl: `${certificates.origin}/SimpleNotificationService-0.pem` },
    ),
  );

/** Drains a queue that holds these messages. */
async function drain(
  bodies: readonly string[],
  {
    policy = undefined as string | undefined,
    fail = undefined as string | undefined,
    sentAt = new Date(),
    environment = {} as Record<string, string>,
  } = {},
) {
  const sqs: SqsServer = await startSqsServer({ waits: false, ...(policy && { policy }) });
  onTestFinished(() => sqs.close());
  for (const body of bodies) sqs.send(body, sentAt);
  if (fail !== undefined) sqs.failNext('ReceiveMessage', fail);
  const result = await cli(['drain-queue', sqs.queueUrl, '--json'], {
    AWS_REGION: 'us-gov-west-1',
    AWS_ENDPOINT_URL: sqs.origin,
    AWS_ENDPOINT_URL_SNS: certificates.origin,
    SNS_TOPIC_ARNS: topicArn,
    SNS_MAX_AGE_SECONDS: '3600',
    S3_BUCKET: BUCKET,
    DATABASE_URL: given.url,
    ...environment,
  });
  return { ...result, sqs };
}

const keysOf = async () => (await listRuns(given.database, {})).map((run) => run.key).sort();

describe('drain-queue', () => {
  test('takes what SNS gave up on, however long it has waited there', async () => {
    const bodies = [message('1', 'in/a.csv'), message('2', 'in/b.csv', 27)];
    const { code, out, sqs } = await drain(bodies);
    expect(JSON.parse(out)).toStrictEqual({
      ...{ taken: 2, kept: 0, undeleted: 0, end: 'empty' },
      outcomes: { accepted: 2 },
    });
    expect(await keysOf()).toEqual(['in/a.csv', 'in/b.csv']);
    expect(sqs.waiting()).toEqual([]);
    expect(code).toBe(0);
  });

  test('takes a message that was delivered after all as the duplicate that it is', async () => {
    await drain([message('1', 'in/a.csv')]);
    const { out, sqs } = await drain([message('1', 'in/a.csv')]);
    expect(JSON.parse(out)).toMatchObject({ taken: 1, outcomes: { duplicate: 1 } });
    expect(await keysOf()).toEqual(['in/a.csv']);
    expect(sqs.waiting()).toEqual([]);
  });

  test('leaves what is refused where it is, says why, and ends with 1', async () => {
    const old = message('1', 'in/old.csv', 29);
    const forged = message('2', 'in/forged.csv').replace('forged.csv', 'other.csv');
    const bodies = [old, forged, s3Event('in/raw.csv'), JSON.stringify(confirmation())];
    const { code, out, err, sqs } = await drain([...bodies, message('3', 'in/good.csv')]);
    const { kept, outcomes } = JSON.parse(out);
    expect([kept, outcomes.accepted, outcomes.signature_invalid]).toEqual([4, 1, 1]);
    expect(err).toContain('message stays in the queue');
    expect(sqs.waiting()).toEqual(bodies);
    expect(sqs.hidden()).toEqual([]);
    expect(await keysOf()).toEqual(['in/good.csv']);
    expect(code).toBe(1);
  });

  test('has nothing to do with a queue that is empty', async () => {
    const { code, out } = await drain([]);
    expect(JSON.parse(out)).toMatchObject({ taken: 0, kept: 0, end: 'empty' });
    expect(code).toBe(0);
  });
});

describe('drain-queue with the queue of a rule of EventBridge', () => {
  const environment = {
    SQS_QUEUE_URL: 'https://sqs.us-gov-west-1.amazonaws.com/123456789012/deliveries',
    SQS_TRUSTED_SOURCES: `${BUCKET}@${ACCOUNT}`,
  };
  const policyFor = (Condition: object) =>
    JSON.stringify({
      Statement: {
        ...{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' } },
        ...{ Action: 'sqs:SendMessage', Condition },
      },
    });
  const narrow = policyFor({
    StringEquals: { 'aws:SourceAccount': ACCOUNT },
    ArnEquals: { 'aws:SourceArn': `arn:aws-us-gov:events:us-gov-west-1:${ACCOUNT}:rule/new` },
  });
  const event = JSON.stringify(eventBridgeEvent());

  test('takes its events, which nobody signed', async () => {
    const { code, out } = await drain([event], { policy: narrow, environment });
    expect(JSON.parse(out)).toMatchObject({ taken: 1, outcomes: { accepted: 1 } });
    expect(await keysOf()).toHaveLength(1);
    expect(code).toBe(0);
  });

  test('records when they were sent, however old they say they are', async () => {
    const sentAt = new Date('2026-12-01T00:00:01Z');
    await drain([event], { policy: narrow, environment, sentAt });
    const [message] = await given.database(tablesOf(given.database).messages).select('signed_at');
    expect(message).toEqual({ signed_at: sentAt });
  });

  test('refuses them where somebody else could have sent them', async () => {
    const { code, err, sqs } = await drain([event], { policy: policyFor({}), environment });
    expect(err).toContain('its policy lets others send');
    expect(sqs.waiting()).toEqual([event]);
    expect(sqs.actions).toEqual(['GetQueueAttributes']);
    expect(code).toBe(2);
  });

  test('refuses them where no bucket is trusted', async () => {
    const { code, sqs } = await drain([event], { policy: narrow });
    expect(sqs.waiting()).toEqual([event]);
    expect(code).toBe(1);
  });
});

describe('drain-queue ends', () => {
  test.each([
    ['AccessDeniedException', 2],
    ['QueueDoesNotExist', 2],
    ['RequestThrottled', 75],
  ])('where SQS answers %s with %i', async (fail, expected) => {
    // The SDK tries what may pass three times.
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
    const { code, err } = await drain([], { fail });
    expect(err).toContain(`/deliveries can't be read: ${fail}`);
    expect(code).toBe(expected);
  });

  test('with 69, and all messages where they were, while the database is unavailable', async () => {
    const [, rest = ''] = /@(.*)$/.exec(given.url) ?? [];
    const environment = { DATABASE_URL: given.url.replace(rest, '127.0.0.1:1/none') };
    const body = message('1', 'in/a.csv');
    const { code, sqs } = await drain([body], { environment });
    expect(sqs.waiting()).toEqual([body]);
    expect(code).toBe(69);
  });

  test('with 2 for what is not a URL, before it asks anybody', async () => {
    const { code, err } = await cli(['drain-queue', 'file-processing-topic-dead-letter']);
    expect(err).toContain('the queue\'s URL="file-processing-topic-dead-letter": not allowed');
    expect(code).toBe(2);
  });

  test('with 2 where no topic is named', async () => {
    const { code, err } = await drain([], { environment: { SNS_TOPIC_ARNS: '' } });
    expect(err).toContain('SNS_TOPIC_ARNS');
    expect(code).toBe(2);
  });
});
