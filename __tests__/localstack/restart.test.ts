import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { type AlteringProxy, startAlteringProxy } from './support/altering-proxy.ts';
import {
  createBucket,
  createTopic,
  DEADLINE,
  putFile,
  requestSubscription,
  subscribe,
} from './support/drop-box.ts';
import { type ListenerProcess, startListener } from './support/listener-process.ts';
import { type OwnLocalStack, startLocalStack, topicArnOf } from './support/localstack.ts';
import { endedRuns } from './support/records.ts';

const NAME = 'drop-box';

let localStack: OwnLocalStack;
let testDatabase: TestDatabase;
let listener: ListenerProcess;
let proxy: AlteringProxy;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([startLocalStack(), createTestDatabase('empty')]);
  listener = await startListener(settings());
  proxy = await startAlteringProxy(listener.url ?? '');
});

afterAll(async () => {
  await proxy?.close();
  await listener?.stop();
  await localStack?.stop();
  await testDatabase?.drop();
});

function settings() {
  const environment = { SNS_TOPIC_ARNS: topicArnOf(NAME) };
  return { localStack, databaseUrl: testDatabase.url, environment };
}

test('a publisher that restarts with a new key at the same URL is believed again', async () => {
  const topicArn = await createTopic(localStack, NAME);
  await subscribe(localStack, topicArn, proxy.url);
  await createBucket(localStack, NAME, topicArn);
  await putFile(localStack, NAME, 'before.csv', 'id\n1\n');
  await endedRuns(testDatabase.database, NAME, 1);
  const before = await certificateInUse();

  await localStack.restart();
  await createTopic(localStack, NAME);
  await subscribeUntilBelieved(topicArn);
  await createBucket(localStack, NAME, topicArn);
  await putFile(localStack, NAME, 'after.csv', 'id\n1\n2\n');

  const runs = await endedRuns(testDatabase.database, NAME, 2);
  expect(runs.map(({ key, verdict }) => ({ key, verdict }))).toEqual([
    { key: 'before.csv', verdict: 'passed' },
    { key: 'after.csv', verdict: 'passed' },
  ]);
  const after = await certificateInUse();
  expect(after.url).toBe(before.url);
  expect(after.pem).not.toBe(before.pem);
});

test('a certificate that is out of reach is a reason to try again, not to refuse', async () => {
  const delivery = proxy.deliveries.at(-1);
  // The other one knows the certificate.
  const newListener = await startListener(settings());
  try {
    await localStack.stop();
    const answer = await fetch(newListener.url ?? '', {
      method: 'POST',
      headers: { ...delivery?.headers },
      body: delivery?.body ?? '',
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await answer.json()).toEqual({ error: 'certificate_unavailable' });
  } finally {
    await newListener.stop();
  }
});

/** Of the message that was delivered last. */
async function certificateInUse(): Promise<{ url: string; pem: string }> {
  const { SigningCertURL: url } = JSON.parse(proxy.deliveries.at(-1)?.body ?? '');
  return { url, pem: await (await fetch(url)).text() };
}

/**
 * A listener fetches a certificate that it knows once more at most every 5 seconds, so it may
 * refuse the new key for the rest of that time. SNS does not repeat what was refused, so each
 * attempt is a subscription of another address.
 */
async function subscribeUntilBelieved(topicArn: string): Promise<void> {
  await vi.waitUntil(
    async () => {
      const count = proxy.deliveries.length;
      await requestSubscription(localStack, topicArn, `${proxy.url}?attempt=${count}`);
      const delivery = await vi.waitUntil(() => proxy.deliveries[count], { timeout: DEADLINE });
      if (delivery.status !== 200) {
        expect(JSON.parse(delivery.answer)).toMatchObject({ error: 'signature_invalid' });
      }
      return delivery.status === 200;
    },
    { timeout: DEADLINE, interval: 250 },
  );
}
