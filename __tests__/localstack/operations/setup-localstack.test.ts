import { join } from 'node:path';
import {
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
} from '@aws-sdk/client-s3';
import { GetTopicAttributesCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../listener/support/postgres.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { freePort } from '../../support/free-port.ts';
import { manage as manageHere } from '../../support/manage.ts';
import { ROOT } from '../../support/run-main.ts';
import { type ProgramResult, run } from '../../support/run-program.ts';
import { putFile } from '../support/drop-box.ts';
import { type ListenerProcess, startListener } from '../support/listener-process.ts';
import {
  type LocalStack,
  type OwnLocalStack,
  startLocalStack,
  topicArnOf,
} from '../support/localstack.ts';
import { endedRuns } from '../support/records.ts';
import { sharedLocalStack } from '../support/shared-localstack.ts';

const BUCKET = 'etl-file-processing-client-etl';
const TOPIC_ARN = topicArnOf('file-processing-topic');
const KEY = 'from_client/nm_albuquerque/Officer Detail.csv';
const MARKERS = {
  AWS_SECRET_ACCESS_KEY: 'marker-of-the-key',
  AWS_SESSION_TOKEN: 'marker-of-the-token',
  DATABASE_URL: 'postgresql://user:marker-of-the-url@localhost/db',
  DB_PASSWORD: 'marker-of-the-password',
  TF_VAR_db_password: 'marker-of-the-variable',
};

let localStack: LocalStack;
let testDatabase: TestDatabase;
let port: number;
let listener: ListenerProcess | undefined;

beforeAll(async () => {
  [localStack, testDatabase, port] = await Promise.all([
    sharedLocalStack(),
    createTestDatabase('empty'),
    freePort(),
  ]);
});

afterAll(async () => {
  await listener?.stop();
  await testDatabase?.drop();
});

/** Runs `manage` as an operator does, with credentials of AWS at hand that must not be used. */
function manage(...parameters: readonly string[]): Promise<ProgramResult> {
  return run(process.execPath, ['src/operations/main.ts', ...parameters], {
    directory: ROOT,
    environment: {
      ...COMPILE_CACHE,
      PATH: process.env.PATH,
      AWS_ENDPOINT_URL: localStack.url,
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_PROFILE: 'nobodys-profile',
      ...MARKERS,
    },
  });
}

function setup(...parameters: readonly string[]): Promise<ProgramResult> {
  return manage('setup-localstack', '127.0.0.1', String(port), ...parameters);
}

/** The environment in the command that starts the listener, as `setup-localstack` prints it. */
function printedEnvironment(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_]+)=(\S+) \\$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

async function notifications() {
  const { $metadata, ...configuration } = await localStack.s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: BUCKET }),
  );
  return configuration;
}

describe('the local chapter, in its order', () => {
  let first: ProgramResult;

  test('--dry-run shows what is missing and makes nothing', async () => {
    const { exitCode, stdout } = await setup('--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`bucket +${BUCKET} +made`));
    await expect(notifications()).rejects.toThrow('does not exist');
  });

  test('without a listener it makes all but the subscription, and prints how to start one', async () => {
    first = await setup('--wait', '0');

    expect(first.exitCode).toBe(1);
    expect(first.stdout).toMatch(new RegExp(`bucket +${BUCKET} +made`));
    expect(first.stdout).toMatch(new RegExp(`topic +${TOPIC_ARN} +made`));
    expect(first.stdout).toMatch(/subscription +http:\/\/127\.0\.0\.1:\d+\/ +missing, waits/);
    expect(first.stderr).toContain('npx file-processing serve --migrate');
    expect(await notifications()).toMatchObject({ TopicConfigurations: [{ TopicArn: TOPIC_ARN }] });
  });

  test('the listener that was printed confirms while the command waits for it', async () => {
    const { DATABASE_URL, RULES_LOCATION, ...printed } = printedEnvironment(first.stderr);
    expect(RULES_LOCATION).toBe('"$PWD/listener/seed"');
    const environment = { ...printed, RULES_LOCATION: join(ROOT, 'listener/seed') };
    expect(DATABASE_URL).toBe('postgresql://postgres:postgres@localhost:5432/postgres');
    const waiting = setup('--wait', '60');
    listener = await startListener({ localStack, databaseUrl: testDatabase.url, environment });

    const { exitCode, stdout } = await waiting;
    expect(stdout).toMatch(/subscription +http:\/\/127\.0\.0\.1:\d+\/ +confirmed, made/);
    expect(exitCode).toBe(0);
  });

  test('a second run changes nothing and says so', async () => {
    const before = await notifications();
    const { exitCode, stdout } = await setup('--json');

    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      bucket: BUCKET,
      topicArn: TOPIC_ARN,
      outcomes: { bucket: 'unchanged', topic: 'unchanged', notification: 'unchanged' },
      subscription: { state: 'confirmed', outcome: 'unchanged', others: [] },
    });
    expect(await notifications()).toEqual(before);
  });

  test('a file that is put into the bucket gets its verdict', async () => {
    await putFile(localStack, BUCKET, KEY, 'id,name\n1,Ada\n');
    const [verdict] = await endedRuns(testDatabase.database, BUCKET);
    expect(verdict).toMatchObject({ key: KEY, status: 'finished', verdict: 'passed', rowCount: 1 });
  });

  test('sns-publish sends its event once more, and it gets another verdict', async () => {
    const { exitCode, stdout, stderr } = await manage('sns-publish', KEY, '--localstack');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`for s3://${BUCKET}/${KEY} to ${TOPIC_ARN}`);

    const runs = await endedRuns(testDatabase.database, BUCKET, 2);
    expect(runs.map(({ key, verdict }) => [key, verdict])).toEqual([
      [KEY, 'passed'],
      [KEY, 'passed'],
    ]);
  });

  test('sns-probe finds all in order', async () => {
    const { exitCode, stdout } = await manage('sns-probe', '--localstack');
    expect(stdout).toContain('confirmed');
    expect(exitCode).toBe(0);
  });

  test('no command prints a secret', async () => {
    const results = [
      first,
      await setup(),
      await manage('sns-probe', '--localstack', '--json'),
      await manage('sns-publish', KEY, '--localstack', '--dry-run'),
    ];
    for (const { stdout, stderr } of results) expect(stdout + stderr).not.toContain('marker');
  });
});

describe('the perspective of others', () => {
  const perspective = ['--perspective', 'data_pipeline'];
  const topicArn = topicArnOf('data-pipeline-topic');
  let refused: ProgramResult;

  test('has a bucket and a topic of its own', async () => {
    refused = await setup(...perspective);
    expect(refused.stdout).toMatch(/bucket +etl-data-pipeline-client-etl +made/);
    await localStack.sns.send(new GetTopicAttributesCommand({ TopicArn: topicArn }));
  });

  test('is refused by a listener that does not know its topic, and the advice names it', () => {
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('the listener has not confirmed its subscription');
    expect(refused.stderr).toContain(`SNS_TOPIC_ARNS=${topicArn}`);
  });

  test('is asked to confirm again, though LocalStack itself asks but once', async () => {
    await listener?.stop();
    const environment = { PORT: String(port), SNS_TOPIC_ARNS: topicArn };
    listener = await startListener({ localStack, databaseUrl: testDatabase.url, environment });

    const { exitCode, stdout } = await setup(...perspective);
    expect(stdout).toMatch(/confirmed, made again/);
    expect(exitCode).toBe(0);
  });
});

test('several buckets notify one topic', async () => {
  const buckets = ['one-drop', 'two-drop'];
  const parameters = buckets.flatMap((bucket) => ['--bucket', bucket]);
  const { stdout } = await setup('--wait', '0', '--json', ...parameters);
  expect(JSON.parse(stdout)).toMatchObject({
    bucket: buckets,
    outcomes: { bucket: 'made', notification: 'changed' },
  });
  for (const Bucket of buckets) {
    const { TopicConfigurations } = await localStack.s3.send(
      new GetBucketNotificationConfigurationCommand({ Bucket }),
    );
    expect(TopicConfigurations).toMatchObject([{ TopicArn: TOPIC_ARN }]);
  }
});

test('what others configured in the bucket stays', async () => {
  const current = await notifications();
  await localStack.s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: BUCKET,
      NotificationConfiguration: {
        TopicConfigurations: [
          {
            Id: 'theirs',
            TopicArn: topicArnOf('data-pipeline-topic'),
            Events: ['s3:ObjectRemoved:*'],
          },
        ],
        EventBridgeConfiguration: {},
      },
    }),
  );
  await setup();
  expect(await notifications()).toMatchObject({
    TopicConfigurations: [{ Id: 'theirs' }, ...(current.TopicConfigurations ?? [])],
    EventBridgeConfiguration: {},
  });
});

test('LocalStack is found by https too, with the certificate that it made itself', async () => {
  const endpoint = localStack.url.replace('http:', 'https:');
  const { exitCode, stdout } = await setup('--endpoint', endpoint, '--dry-run');
  expect(stdout).toContain(endpoint);
  expect(exitCode).toBe(0);
});

test('LocalStack is started by the compose file when none answers', async () => {
  const ownPort = await freePort();
  const endpoint = `http://127.0.0.1:${ownPort}`;
  const commands: string[] = [];
  let started: OwnLocalStack | undefined;
  onTestFinished(async () => {
    await started?.stop();
  });
  const { out, err } = await manageHere(
    [
      'setup-localstack',
      '127.0.0.1',
      String(await freePort()),
      '--endpoint',
      endpoint,
      '--wait',
      '0',
    ],
    {
      env: { CONTAINER_TOOL: 'podman' },
      run: async (program, parameters) => {
        commands.push([program, ...parameters].join(' '));
        started = await startLocalStack(ownPort);
        return { code: 0, stdout: '', stderr: '' };
      },
    },
  );

  expect(commands).toEqual(['podman compose -f docker-compose.yml up -d localstack']);
  expect(out, err).toMatch(new RegExp(`bucket +${BUCKET} +made`));
});
