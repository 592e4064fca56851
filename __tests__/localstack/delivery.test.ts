import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { PublishCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findRun, listRuns } from '../../listener/src/database/runs.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { eventually } from '../support/eventually.ts';
import {
  createBucket,
  createTopic,
  putFile,
  subscribe,
  subscriptionAttributes,
} from './support/drop-box.ts';
import {
  type ListenerProcess,
  runListenerCommand,
  startListener,
} from './support/listener-process.ts';
import { type LocalStack, topicArnOf } from './support/localstack.ts';
import { endedRuns, messagesOf, outcomesOf } from './support/records.ts';
import { sharedLocalStack } from './support/shared-localstack.ts';

const GOOD_FILE = 'id,name\n1,Ada\n2,Grace\n';

/** The allow-list is fixed when the listener starts, so each test's topic is named ahead. */
const topics = {
  version1: 'signed-with-version-1',
  version2: 'signed-with-version-2',
  confirmed: 'confirmed',
  keys: 'keys',
  faulty: 'faulty-file',
  monitored: 'monitored-file',
  versions: 'versions',
  replaced: 'replaced-content',
  repeated: 'repeated-content',
  configured: 'configured',
  removed: 'removed-object',
  reports: 'our-own-reports',
  foreign: 'foreign-message',
  unsubscribed: 'unsubscribed',
} as const;

let localStack: LocalStack;
let testDatabase: TestDatabase;
let listener: ListenerProcess;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([sharedLocalStack(), createTestDatabase('empty')]);
  listener = await startListener({
    localStack,
    databaseUrl: testDatabase.url,
    environment: {
      SNS_TOPIC_ARNS: Object.values(topics).map(topicArnOf).join(','),
      SNS_SIGNATURE_VERSIONS: '1,2',
      REPORT_PREFIX: 'data_quality_reports/',
      WRITE_REPORTS: 'true',
    },
  });
});

afterAll(async () => {
  await listener?.stop();
  await testDatabase?.drop();
});

/** Topic, confirmed subscription and bucket, both under one name. */
async function openDropBox(name: string, signatureVersion: '1' | '2' = '2'): Promise<string> {
  const topicArn = await createTopic(localStack, name, signatureVersion);
  await subscribe(localStack, topicArn, listener.url);
  await createBucket(localStack, name, topicArn);
  return topicArn;
}

test.each([
  ['1', topics.version1],
  ['2', topics.version2],
] as const)(
  'a file whose notification has signature version %s gets its verdict',
  async (version, name) => {
    const topicArn = await openDropBox(name, version);
    await putFile(localStack, name, 'folder/file.csv', GOOD_FILE);

    const [run] = await endedRuns(testDatabase.database, name);
    expect(run).toMatchObject({
      key: 'folder/file.csv',
      status: 'finished',
      verdict: 'passed',
      rowCount: 2,
      byteCount: GOOD_FILE.length,
      attempts: 1,
    });
    expect(listener.log).toContainEqual(
      expect.objectContaining({ msg: 'message taken', topicArn, runIds: [run?.id] }),
    );
  },
);

test('a subscription is confirmed and recorded', async () => {
  const topicArn = await createTopic(localStack, topics.confirmed);
  const subscriptionArn = await subscribe(localStack, topicArn, listener.url);

  expect(await subscriptionAttributes(localStack, subscriptionArn)).toMatchObject({
    PendingConfirmation: 'false',
    ConfirmationWasAuthenticated: 'true',
  });
  expect(await outcomesOf(testDatabase.database, topicArn, 1)).toEqual([
    { outcome: 'confirmation', reason: null },
  ]);
});

test('a file is found under its key, whatever characters that has', async () => {
  await openDropBox(topics.keys);
  const keys = [
    'from client/two  spaces.csv',
    'plus+sign/a+b c.csv',
    'Straße/Größe & Maße.csv',
    'Größe decomposed.csv'.normalize('NFD'),
    '100%/50%25.csv',
    'quotes/\'single\' "double".csv',
    'emoji/📄.csv',
    'a=b&c=d;e,f:g@h?i#j~.csv',
  ];
  for (const key of keys) await putFile(localStack, topics.keys, key, GOOD_FILE);

  const runs = await endedRuns(testDatabase.database, topics.keys, keys.length);
  // LocalStack delivers side by side, in any order.
  expect(runs.map(({ key }) => key).sort()).toEqual(keys.sort());
  expect(runs.map(({ verdict }) => verdict)).toEqual(keys.map(() => 'passed'));
});

test('a file with faults gets its verdict and a report that names them', async () => {
  const topicArn = await openDropBox(topics.faulty);
  await putFile(localStack, topics.faulty, 'file.csv', 'id,name\n1,Ada,extra\n2\n');

  const [run] = await endedRuns(testDatabase.database, topics.faulty);
  expect(run).toMatchObject({ verdict: 'failed', faultCount: 2 });
  const { report } = (await findRun(testDatabase.database, run?.id ?? '')) ?? {};
  expect(report).toMatchObject({ faultCounts: { 'extra-cell': 1, 'missing-cell': 1 } });

  // The bucket sends events of everything, its report as well: confirmation, test event, file, report.
  expect(await outcomesOf(testDatabase.database, topicArn, 4)).toContainEqual({
    outcome: 'ignored',
    reason: 'the key is under our report prefix data_quality_reports/',
  });
  const Key = `data_quality_reports/file.csv.${run?.id}.1.json`;
  const written = await localStack.s3.send(new GetObjectCommand({ Bucket: topics.faulty, Key }));
  expect(written.ContentType).toBe('application/json');
  expect(JSON.parse((await written.Body?.transformToString()) ?? '')).toMatchObject({
    runId: run?.id,
    report,
  });
  expect(await listRuns(testDatabase.database, { bucket: topics.faulty })).toHaveLength(1);
});

test('a monitored file is judged by its mapping', async () => {
  const bucket = 'etl-ba-research-client-etl';
  await runListenerCommand({ localStack, databaseUrl: testDatabase.url }, ['seed']);
  const topicArn = await createTopic(localStack, topics.monitored);
  await subscribe(localStack, topicArn, listener.url);
  await createBucket(localStack, bucket, topicArn);
  const key = 'from_client/nm_albuquerque/2026/Officer_Detail.csv';
  await putFile(localStack, bucket, key, 'officer_id,rank\nnine,Admiral\n');

  const [run] = await endedRuns(testDatabase.database, bucket);
  expect(run).toMatchObject({
    key,
    verdict: 'failed',
    mappingName: 'officer_detail',
    mappingVersion: 1,
  });
});

test('two versions of an object make two runs, each with the bytes of its version', async () => {
  const bucket = topics.versions;
  const topicArn = await createTopic(localStack, topics.versions);
  await subscribe(localStack, topicArn, listener.url);
  await createBucket(localStack, bucket, topicArn, { versioned: true });
  const first = await putFile(localStack, bucket, 'file.csv', GOOD_FILE);
  const second = await putFile(localStack, bucket, 'file.csv', 'id,name\n1,Ada,extra\n');

  const runs = await endedRuns(testDatabase.database, bucket, 2);
  const verdicts = new Map(runs.map(({ versionId, verdict }) => [versionId, verdict]));
  expect(verdicts).toEqual(
    new Map([
      [first, 'passed'],
      [second, 'failed'],
    ]),
  );
});

test('new content under an old key makes a run of its own', async () => {
  const bucket = topics.replaced;
  await openDropBox(bucket);
  await putFile(localStack, bucket, 'file.csv', GOOD_FILE);
  await endedRuns(testDatabase.database, bucket);
  await putFile(localStack, bucket, 'file.csv', 'id,name\n1,Ada,extra\n');

  const runs = await endedRuns(testDatabase.database, bucket, 2);
  expect(runs.map(({ verdict }) => verdict)).toEqual(['passed', 'failed']);
});

// LocalStack gives all objects one sequencer, so two puts of the same bytes are one state of the
// object to everybody. AWS tells them apart, and then there are two runs.
test('two events of the same state of an object make one run', async () => {
  const bucket = topics.repeated;
  const topicArn = await openDropBox(bucket);
  await putFile(localStack, bucket, 'file.csv', GOOD_FILE);
  await putFile(localStack, bucket, 'file.csv', GOOD_FILE);

  // Ignored are the test event of the bucket, the one report and its page.
  const outcomes = await outcomesOf(testDatabase.database, topicArn, 6);
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
    'accepted',
    'accepted',
    'confirmation',
    'ignored',
    'ignored',
    'ignored',
  ]);
  expect(await endedRuns(testDatabase.database, bucket)).toHaveLength(1);
});

test('the test event of a new notification is recorded and makes no run', async () => {
  const topicArn = await openDropBox(topics.configured);

  expect(await outcomesOf(testDatabase.database, topicArn, 2)).toContainEqual({
    outcome: 'ignored',
    reason: 's3:TestEvent',
  });
  const messages = await messagesOf(testDatabase.database, topicArn);
  const event = messages.find(({ outcome }) => outcome === 'ignored');
  expect(JSON.parse(event?.message ?? '')).toMatchObject({
    Event: 's3:TestEvent',
    Bucket: topics.configured,
  });
  expect(await listRuns(testDatabase.database, { bucket: topics.configured })).toEqual([]);
});

test('an object that was removed is recorded as ignored', async () => {
  const bucket = topics.removed;
  const topicArn = await createTopic(localStack, topics.removed);
  await subscribe(localStack, topicArn, listener.url);
  await createBucket(localStack, bucket, topicArn, { events: ['s3:ObjectRemoved:*'] });
  await putFile(localStack, bucket, 'file.csv', GOOD_FILE);
  await localStack.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'file.csv' }));

  const outcomes = await outcomesOf(testDatabase.database, topicArn, 3);
  expect(outcomes).toContainEqual({
    outcome: 'ignored',
    reason: 'ObjectRemoved:Delete is not a delivery',
  });
});

test('a report of our own is recorded as ignored', async () => {
  const topicArn = await openDropBox(topics.reports);
  await putFile(localStack, topics.reports, 'data_quality_reports/file.json', '{}');

  const outcomes = await outcomesOf(testDatabase.database, topicArn, 3);
  expect(outcomes).toContainEqual({
    outcome: 'ignored',
    reason: 'the key is under our report prefix data_quality_reports/',
  });
});

test('a genuine message that is not an S3 event is kept as dead, umlauts included', async () => {
  const topicArn = await createTopic(localStack, topics.foreign);
  await subscribe(localStack, topicArn, listener.url);
  await localStack.sns.send(
    new PublishCommand({ TopicArn: topicArn, Subject: 'Grüße', Message: 'Schöne Grüße 📄' }),
  );

  const outcomes = await outcomesOf(testDatabase.database, topicArn, 2);
  expect(outcomes).toContainEqual({ outcome: 'dead', reason: 'Message is not JSON' });
  const messages = await messagesOf(testDatabase.database, topicArn);
  expect(messages.find(({ outcome }) => outcome === 'dead')?.message).toBe('Schöne Grüße 📄');
});

test('a removed subscription is recorded and not asked for again', async () => {
  const topicArn = await createTopic(localStack, topics.unsubscribed);
  const subscriptionArn = await subscribe(localStack, topicArn, listener.url);
  const confirmations = await countOfConfirmations();
  await localStack.sns.send(new UnsubscribeCommand({ SubscriptionArn: subscriptionArn }));

  const outcomes = await outcomesOf(testDatabase.database, topicArn, 2);
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['confirmation', 'unsubscribe']);
  await eventually(() =>
    expect(listener.log).toContainEqual(
      expect.objectContaining({ level: 50, topicArn, msg: expect.stringContaining('has ended') }),
    ),
  );
  expect(await countOfConfirmations()).toBe(confirmations);
});

/** What LocalStack was asked, since the subscription that a second one would revive is gone. */
async function countOfConfirmations(): Promise<number> {
  return (await localStack.log()).split('AWS sns.ConfirmSubscription').length;
}
