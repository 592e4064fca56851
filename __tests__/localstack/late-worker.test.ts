import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { createBucket, createTopic, putFile, subscribe } from './support/drop-box.ts';
import { type ListenerProcess, startListener } from './support/listener-process.ts';
import { type LocalStack, topicArnOf } from './support/localstack.ts';
import { endedRuns, outcomesOf } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

const NAME = 'late-worker';

let localStack: LocalStack;
let testDatabase: TestDatabase;
let intake: ListenerProcess;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([sharedLocalStack(), createTestDatabase('empty')]);
  intake = await startListener({
    localStack,
    databaseUrl: testDatabase.url,
    environment: { SNS_TOPIC_ARNS: topicArnOf(NAME) },
    parameters: ['--migrate', '--role', 'intake'],
  });
});

afterAll(async () => {
  await intake?.stop();
  await testDatabase?.drop();
});

test('a worker that comes late judges what is still there and says what became of the rest', async () => {
  const topicArn = await createTopic(localStack, NAME);
  await subscribe(localStack, topicArn, intake.url);
  await createBucket(localStack, NAME, topicArn);
  await putFile(localStack, NAME, 'kept.csv', 'id\n1\n');
  await putFile(localStack, NAME, 'deleted.csv', 'id\n1\n');
  await localStack.s3.send(new DeleteObjectCommand({ Bucket: NAME, Key: 'deleted.csv' }));
  await putFile(localStack, NAME, 'replaced.csv', 'id\n1\n');
  await putFile(localStack, NAME, 'replaced.csv', 'id\n1\n2\n');
  // A confirmation, a test event and four files.
  await outcomesOf(testDatabase.database, topicArn, 6);

  const worker = await startListener({
    localStack,
    databaseUrl: testDatabase.url,
    parameters: ['--role', 'worker'],
  });
  try {
    const runs = await endedRuns(testDatabase.database, NAME, 4);
    expect(runs.map(({ key, status, verdict }) => `${key} ${status} ${verdict}`).sort()).toEqual([
      'deleted.csv gone null',
      'kept.csv finished passed',
      'replaced.csv finished passed',
      'replaced.csv replaced null',
    ]);
  } finally {
    expect(await worker.stop()).toBe(0);
  }
});
