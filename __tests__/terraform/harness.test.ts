import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AttachedAws, startAttachedAws } from './support/attached-provider.ts';
import { copyForTerraform } from './support/synthesized-stack.ts';
import { type Plan, type Terraform, TerraformError, terraformIn } from './support/terraform.ts';

const region = 'us-gov-west-1';
const topicArn = `arn:aws-us-gov:sns:${region}:123456789012:events`;

const stack = {
  terraform: {
    backend: { local: { path: 'terraform.tfstate' } },
    required_providers: { aws: { source: 'aws', version: '~> 6.25' } },
  },
  provider: { aws: [{ region, default_tags: [{ tags: { Project: 'harness' } }] }] },
  variable: { retention: { type: 'number', default: 1209600 } },
  resource: {
    aws_kms_key: {
      events: { description: 'events', enable_key_rotation: true, rotation_period_in_days: 180 },
    },
    aws_sns_topic: {
      events: {
        name: 'events',
        kms_master_key_id: '${aws_kms_key.events.arn}',
        signature_version: 2,
      },
    },
    aws_sqs_queue: {
      dead_letters: {
        name: 'dead-letters',
        message_retention_seconds: '${var.retention}',
      },
      events: {
        name: 'events',
        redrive_policy:
          '{"deadLetterTargetArn":"${aws_sqs_queue.dead_letters.arn}","maxReceiveCount":5}',
      },
    },
  },
  output: {
    topic_arn: { value: '${aws_sns_topic.events.arn}' },
  },
};

let directory: string;
let emulator: AttachedAws;
let terraform: Terraform;
let firstPlan: Plan;

/** A work folder with the stack's JSON, initialized. */
async function initialized(workDirectory: string): Promise<Terraform> {
  await copyForTerraform(join(directory, 'synthesized'), workDirectory);
  const opened = terraformIn(workDirectory, { aws: emulator });
  await opened.init();
  return opened;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'terraform-harness-'));
  emulator = await startAttachedAws();
  await mkdir(join(directory, 'synthesized'));
  await writeFile(join(directory, 'synthesized', 'cdk.tf.json'), JSON.stringify(stack));
  terraform = await initialized(join(directory, 'work'));
  await terraform.validate();
  firstPlan = await terraform.plan();
  await terraform.apply();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await rm(directory, { recursive: true, force: true });
});

test('a first plan creates everything', () => {
  expect(firstPlan.exitCode).toBe(2);
  expect(firstPlan.changes.map(({ address, actions }) => `${actions} ${address}`).sort()).toEqual([
    'create aws_kms_key.events',
    'create aws_sns_topic.events',
    'create aws_sqs_queue.dead_letters',
    'create aws_sqs_queue.events',
  ]);
});

test('what was applied is in the state', async () => {
  expect((await terraform.stateList()).sort()).toEqual([
    'aws_kms_key.events',
    'aws_sns_topic.events',
    'aws_sqs_queue.dead_letters',
    'aws_sqs_queue.events',
  ]);
});

test('outputs have the ARNs of the GovCloud partition', async () => {
  expect(await terraform.outputs()).toEqual({ topic_arn: topicArn });
});

test('a second plan is empty', async () => {
  const second = await terraform.plan();
  expect(second.text).toContain('No changes');
  expect(second).toMatchObject({ exitCode: 0, changes: [] });
});

test('a changed variable plans an update in place', async () => {
  const { changes } = await terraform.plan({ variables: { retention: '86400' } });
  expect(changes).toEqual([{ address: 'aws_sqs_queue.dead_letters', actions: ['update'] }]);
});

test('a plan limited to one address leaves the others out', async () => {
  const { exitCode } = await terraform.plan({
    variables: { retention: '86400' },
    targets: ['aws_sns_topic.events'],
  });
  expect(exitCode).toBe(0);
});

test('a resource that AWS already has is imported into a fresh state', async () => {
  const fresh = await initialized(join(directory, 'import'));
  try {
    await fresh.importResource('aws_sns_topic.events', topicArn);
    const { changes } = await fresh.plan();
    expect(changes).toContainEqual({ address: 'aws_sns_topic.events', actions: ['update'] });
  } finally {
    await fresh.close();
  }
});

test('a resource that is gone from AWS is planned anew', async () => {
  const parameters = { Action: 'DeleteTopic', Version: '2010-03-31', TopicArn: topicArn };
  await emulator.query('sns', region, parameters);
  const { changes } = await terraform.plan();
  expect(changes).toEqual([{ address: 'aws_sns_topic.events', actions: ['create'] }]);
});

test("a failing command throws Terraform's own message", async () => {
  const failure = terraform.importResource('aws_sns_topic.unknown', 'x');
  await expect(failure).rejects.toThrow(TerraformError);
  await expect(failure).rejects.toThrow('resource address "aws_sns_topic.unknown" does not exist');
});

test('destroy leaves an empty state', async () => {
  await terraform.destroy();
  expect(await terraform.stateList()).toEqual([]);
});
