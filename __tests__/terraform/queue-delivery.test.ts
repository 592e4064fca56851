import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createOidcProvider, REGION } from './support/aws-account.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { openStacks, type Stacks } from './support/stacks.ts';
import type { Plan } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const ISSUER = `https://oidc.eks.${REGION}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF`;

let emulator: AttachedAws;
let checkout: Checkout;
let providerArn: string;
let stacks: Stacks;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  providerArn = await createOidcProvider(emulator, ISSUER);
  checkout = temporaryCheckout();
  checkout.addEnvironment(ENVIRONMENT, {
    foundationNetwork: {
      nat_gateways: 'per_zone',
      flow_logs: false,
      interface_endpoints: ['sqs', 'sts'],
    },
    fileProcessing: {
      delivery: 'sqs',
      create_s3_notifications: false,
      create_repository: false,
      existing_oidc_provider_arn: providerArn,
      db_iam_auth: true,
      db_resource_id: 'db-ABCDEFGHIJKL01234',
    },
  });
  stacks = await openStacks(checkout, ENVIRONMENT, emulator);
});

afterAll(async () => {
  await stacks?.close();
  await emulator?.stop();
  await checkout?.close();
});

describe('foundation-network with a NAT gateway in each zone and without flow logs', () => {
  let second: Plan;

  beforeAll(async () => {
    await stacks.network.apply();
    second = await stacks.network.plan();
  });

  test('has nothing left to do in a second plan', () => {
    expect(second).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('has two NAT gateways, with an address each', async () => {
    const { nat_gateway_public_ips: addresses } = await stacks.network.outputs();
    expect(new Set(addresses as string[]).size).toBe(2);
  });
});

describe('file-processing with a queue and an OIDC provider of others', () => {
  let second: Plan;

  beforeAll(async () => {
    await stacks.processing.apply();
    second = await stacks.processing.plan();
  });

  test('has nothing left to do in a second plan', () => {
    expect(second).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('has the delivery queue behind the topic and no subscription by HTTP', async () => {
    const state = await stacks.processing.stateList();
    expect(state).toContain('aws_sqs_queue.deliveries');
    expect(state).toContain('aws_sns_topic_subscription.queue');
    expect(state).not.toContain('aws_sns_topic_subscription.http');
    const { queue_url: queueUrl } = await stacks.processing.outputs();
    expect(queueUrl).toMatch(/\/file-processing-topic-deliveries$/);
  });

  test('puts what is published into the queue', async () => {
    const { queue_url: queueUrl, sns_topic_arn: topicArn } = await stacks.processing.outputs();
    await emulator.query('sns', REGION, {
      Action: 'Publish',
      Version: '2010-03-31',
      TopicArn: String(topicArn),
      Message: 'a new file',
    });
    const received = await emulator.query('sqs', REGION, {
      Action: 'ReceiveMessage',
      Version: '2012-11-05',
      QueueUrl: String(queueUrl),
    });
    expect(received).toContain('a new file');
    // The envelope with the signature, not the raw message.
    expect(received).toContain('SignatureVersion');
  });

  test('names the provider of others and makes none', async () => {
    const { oidc_provider_arn: named } = await stacks.processing.outputs();
    expect(named).toBe(providerArn);
    expect(await stacks.processing.stateList()).not.toContain(
      'aws_iam_openid_connect_provider.eks',
    );
  });

  test('lets the listener sign in to the database by IAM', async () => {
    const state = await checkout.localState(ENVIRONMENT, 'file-processing');
    expect(state).toContain(
      `arn:aws-us-gov:rds-db:${REGION}:123456789012:dbuser:db-ABCDEFGHIJKL01234/etl_user`,
    );
  });
});

describe('destroy', () => {
  beforeAll(async () => {
    await stacks.processing.destroy();
    await stacks.network.destroy();
  });

  test('leaves nothing of either stack', async () => {
    expect(await stacks.processing.stateList()).toEqual([]);
    expect(await stacks.network.stateList()).toEqual([]);
  });

  test('leaves the OIDC provider of others where it was', async () => {
    const provider = await emulator.query('iam', REGION, {
      Action: 'GetOpenIDConnectProvider',
      Version: '2010-05-08',
      OpenIDConnectProviderArn: providerArn,
    });
    expect(provider).toContain(ISSUER.replace('https://', ''));
  });
});
