import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../listener/support/postgres.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { freePort } from '../../support/free-port.ts';
import { ROOT } from '../../support/run-main.ts';
import { type ProgramResult, run } from '../../support/run-program.ts';
import { type AlteringProxy, startAlteringProxy } from '../support/altering-proxy.ts';
import { createTopic } from '../support/drop-box.ts';
import { type ListenerProcess, startListener } from '../support/listener-process.ts';
import { credentials, type LocalStack, region, topicArnOf } from '../support/localstack.ts';
import { sharedLocalStack } from '../support/shared-localstack.ts';

const TOPIC = 'tunnelled';

let localStack: LocalStack;
let testDatabase: TestDatabase;
let listener: ListenerProcess;
let tunnel: AlteringProxy;

beforeAll(async () => {
  [localStack, testDatabase] = await Promise.all([sharedLocalStack(), createTestDatabase('empty')]);
  const environment = { SNS_TOPIC_ARNS: topicArnOf(TOPIC) };
  listener = await startListener({ localStack, databaseUrl: testDatabase.url, environment });
  tunnel = await startAlteringProxy(listener.url ?? '');
  await createTopic(localStack, TOPIC);
});

afterAll(async () => {
  await tunnel?.close();
  await listener?.stop();
  await testDatabase?.drop();
});

/** Runs `manage` with an SNS that, unlike the emulator, waits for a confirmation. */
function manage(...parameters: readonly string[]): Promise<ProgramResult> {
  return run(process.execPath, ['src/operations/main.ts', ...parameters, '--profile', ''], {
    directory: ROOT,
    environment: {
      ...COMPILE_CACHE,
      PATH: process.env.PATH,
      AWS_ENDPOINT_URL: localStack.url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      SNS_TOPIC_ARN: topicArnOf(TOPIC),
    },
  });
}

test('a listener behind a tunnel is subscribed, and has confirmed when the command ends', async () => {
  const { exitCode, stdout } = await manage('sns-subscribe', tunnel.url, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ endpoint: tunnel.url, state: 'confirmed' });
  expect(exitCode).toBe(0);
});

test('an endpoint where nobody confirms fails, stays pending, and is shown by sns-probe', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}/`;
  const { exitCode, stderr } = await manage('sns-subscribe', endpoint, '--wait', '0');
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`${endpoint} did not confirm within 0 s`);

  const probe = await manage('sns-probe');
  expect(probe.stdout).toMatch(new RegExp(`pending +http +${endpoint}`));
  expect(probe.exitCode).toBe(1);
});
