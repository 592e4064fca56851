import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { backfillPlaces } from '../../listener/src/cli/backfill.ts';
import { readConfig } from '../../listener/src/config.ts';
import { listRuns } from '../../listener/src/database/runs.ts';
import { openQueue, type Queue } from '../../listener/src/queue/queue.ts';
import { openListing } from '../../listener/src/storage/list-objects.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { createBucket, createTopic, putFile, subscribe } from './support/drop-box.ts';
import { type ListenerProcess, startListener } from './support/listener-process.ts';
import { credentials, type LocalStack, region, topicArnOf } from './support/localstack.ts';
import { endedRuns } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

const NAMES = { versioned: 'backfilled-versions', plain: 'backfilled-objects' } as const;

let localStack: LocalStack;
let testDatabase: TestDatabase;
let listener: ListenerProcess;
let queue: Queue;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([sharedLocalStack(), createTestDatabase('empty')]);
  listener = await startListener({
    localStack,
    databaseUrl: testDatabase.url,
    environment: { SNS_TOPIC_ARNS: Object.values(NAMES).map(topicArnOf).join(',') },
  });
  queue = await openQueue(testDatabase.database, () => undefined);
});

afterAll(async () => {
  await queue?.close();
  await listener?.stop();
  await testDatabase?.drop();
});

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
});
afterEach(() => vi.unstubAllEnvs());

/** As if it ran two hours later, when the objects of the test are no longer left to their messages. */
async function backfill(bucket: string) {
  const config = readConfig(
    { AWS_ENDPOINT_URL: localStack.url, AWS_REGION: region, S3_BUCKET: bucket },
    { database: false, httpIntake: false },
  );
  const listing = openListing(config);
  try {
    return await backfillPlaces(
      { database: testDatabase.database, queue, listing, filter: config.s3 },
      {
        ...{ places: [{ bucket, prefix: '' }], since: new Date(0), dryRun: false },
        now: new Date(Date.now() + 7_200_000),
      },
    );
  } finally {
    listing.close();
  }
}

test.each([
  ['a bucket that keeps versions', NAMES.versioned, true],
  ['a bucket that keeps none', NAMES.plain, false],
])(
  'what no message announced in %s is judged once, what one told of is known',
  async (_, name, versioned) => {
    const topicArn = await createTopic(localStack, name);
    // Nobody is subscribed yet: SNS drops what comes.
    await createBucket(localStack, name, topicArn, { versioned });
    await putFile(localStack, name, 'lost, a+b ä.csv', 'id\n1\n');
    await putFile(localStack, name, 'lost, a+b ä.csv', 'id\n1\n2\n');
    await subscribe(localStack, topicArn, listener.url);
    await putFile(localStack, name, 'told.csv', 'id\n1\n');
    await endedRuns(testDatabase.database, name);

    const missing = versioned ? 2 : 1;
    expect(await backfill(name)).toMatchObject({ listed: missing + 1, missing, known: 1 });
    const runs = await endedRuns(testDatabase.database, name, missing + 1);
    expect(runs.map(({ key, verdict, askedBy }) => `${key} ${verdict} ${askedBy}`).sort()).toEqual([
      ...Array(missing).fill('lost, a+b ä.csv passed backfill'),
      'told.csv passed message',
    ]);
    expect(await backfill(name)).toMatchObject({ known: missing + 1, missing: 0, again: 0 });
    expect(await listRuns(testDatabase.database, { bucket: name })).toHaveLength(missing + 1);
  },
);
