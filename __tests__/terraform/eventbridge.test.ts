import { GetBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awsClients } from '../../src/operations/aws-clients.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, REGION } from './support/aws-account.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const BUCKET = 'etl-ba-research-client-etl';
const BRIDGE = { notification: 'eventbridge' };

let emulator: AttachedAws;
let checkout: ManagedCheckout;
let terraform: Terraform;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await createNetwork(emulator, 'etl-platform');
  await emulator.createBucket(BUCKET, REGION);
  checkout = managedCheckout(emulator);
  await settings({});
  terraform = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await terraform.init();
  await terraform.apply();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await checkout?.close();
});

async function settings(fileProcessing: Readonly<Record<string, unknown>>): Promise<void> {
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: {
      account_id: '123456789012',
      create_repository: false,
      delivery: 'sqs',
      ...fileProcessing,
    },
  });
  await checkout.synthesize(ENVIRONMENT);
}

/** What the bucket tells of new objects, and to whom. */
async function told() {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const clients = awsClients({ region: REGION, profile: '', endpoint: emulator.url, credentials });
  const s3 = await clients.s3();
  const found = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: BUCKET }));
  return {
    topics: found.TopicConfigurations?.length ?? 0,
    eventBridge: found.EventBridgeConfiguration !== undefined,
  };
}

/** Expects lines of Terraform's output in this order. */
function inOrder(written: string, ...lines: readonly RegExp[]): void {
  const found = lines.map((line) => written.search(line));
  expect(found, written).not.toContain(-1);
  expect(found).toEqual(found.toSorted((one, other) => one - other));
}

const CONFIGURING = /aws_s3_bucket_notification\.bucket: Modifying/;
const CONFIGURED = /aws_s3_bucket_notification\.bucket: Modifications complete/;

describe('a switch to EventBridge', () => {
  test('makes rule, target and rights before the bucket tells the topic no more', async () => {
    expect(await told()).toEqual({ topics: 1, eventBridge: false });
    await settings(BRIDGE);
    const written = await terraform.apply();
    inOrder(
      written,
      /aws_sqs_queue\.deliveries: Modifications complete/,
      /aws_cloudwatch_event_target\.deliveries: Creation complete/,
      CONFIGURING,
    );
    expect(written).not.toContain('Destroying');
    expect(await told()).toEqual({ topics: 0, eventBridge: true });
  });

  test('leaves nothing to do in a second plan', async () => {
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});

test('manage refuses the way back in one step, and changes nothing', async () => {
  await settings({});
  const { code, stderr } = await checkout.manage(['apply', '--auto-approve']);
  expect(code, stderr).toBe(77);
  expect(stderr).toContain(`end the rule of EventBridge while bucket ${BUCKET} tells no topic`);
  expect(await told()).toEqual({ topics: 0, eventBridge: true });
});

describe('a switch back by way of both', () => {
  test('tells the topic again beside EventBridge', async () => {
    await settings({ ...BRIDGE, both_notifications: true });
    await terraform.apply();
    expect(await told()).toEqual({ topics: 1, eventBridge: true });
  });

  test('ends the rule while the topic is told, which manage does not refuse', async () => {
    await settings({});
    const { code, stdout, stderr } = await checkout.manage(['apply', '--auto-approve']);
    expect(code, `${stdout}${stderr}`).toBe(0);
    inOrder(stdout, /aws_cloudwatch_event_target\.deliveries: Destruction complete/, CONFIGURED);
    expect(await told()).toEqual({ topics: 1, eventBridge: false });
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});
