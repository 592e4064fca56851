import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMain } from '../support/run-main.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createRole, createSecurityGroup, REGION } from './support/aws-account.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { openStacks, type Stacks } from './support/stacks.ts';
import { awsResourcesOf } from './support/synthesized-addresses.ts';
import type { Plan } from './support/terraform.ts';

const ENVIRONMENT = 'complete';

let emulator: AttachedAws;
let checkout: Checkout;
let stacks: Stacks;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl-prod', REGION);
  await createRole(emulator, 'etl-admin');
  await createRole(emulator, 'etl-deploy');
  const databaseGroup = await createSecurityGroup(emulator, 'database');
  checkout = temporaryCheckout();
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: { db_security_group_id: databaseGroup },
  });
  stacks = await openStacks(checkout, ENVIRONMENT, emulator);
});

afterAll(async () => {
  await stacks?.close();
  await emulator?.stop();
  await checkout?.close();
});

const full = runMain({ environment: ENVIRONMENT }).json;

describe.each([
  ['foundation-network', 'network'],
  ['file-processing', 'processing'],
] as const)('%s with every option on', (stack, name) => {
  let second: Plan;

  beforeAll(async () => {
    await stacks[name].validate();
    await stacks[name].apply();
    second = await stacks[name].plan();
  });

  test('applies every AWS resource', async () => {
    // Read of a cluster that is there already alone, so not at a first apply.
    const later = 'data.aws_eks_cluster.running';
    expect((await stacks[name].stateList()).sort()).toEqual(
      awsResourcesOf(full[stack]).filter((address) => address !== later),
    );
  });

  test('has nothing left to do in a second plan', () => {
    expect(second).toMatchObject({ exitCode: 0, changes: [] });
  });
});

test('the subscription is of the topic, by https, with retries and a dead-letter queue', async () => {
  const parameters = { Action: 'ListSubscriptions', Version: '2010-03-31' };
  const list = await emulator.query('sns', REGION, parameters);
  expect(list).toContain('<Protocol>https</Protocol>');
  expect(list).toContain('<Endpoint>https://files.example.gov/</Endpoint>');
  const arn = /<SubscriptionArn>([^<]+)</.exec(list)?.[1] ?? '';
  const attributes = await emulator.query('sns', REGION, {
    Action: 'GetSubscriptionAttributes',
    Version: '2010-03-31',
    SubscriptionArn: arn,
  });
  expect(attributes).toContain('file-processing-topic-prod-dead-letter');
  expect(attributes).toMatch(/numRetries(&quot;|"):\s*65/);
});

test("the database's security group lets the cluster's in on the database's port", async () => {
  const rules = await emulator.query('ec2', REGION, {
    Action: 'DescribeSecurityGroupRules',
    Version: '2016-11-15',
  });
  expect(rules).toContain('PostgreSQL from the nodes of file-processing-prod');
  expect(rules).toContain('<fromPort>5432</fromPort>');
});

test('destroy leaves nothing of either stack', async () => {
  await stacks.processing.destroy();
  await stacks.network.destroy();
  expect(await stacks.processing.stateList()).toEqual([]);
  expect(await stacks.network.stateList()).toEqual([]);
});
