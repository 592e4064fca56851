import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork } from './support/aws-account.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const IMAGE = `registry.example.gov/listener@sha256:${'a'.repeat(64)}`;
const TO_ENDPOINT = { delivery: 'http', sns_endpoint_url: 'http://files.example.gov/' };

let emulator: AttachedAws;
let checkout: ManagedCheckout;
let terraform: Terraform;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await createNetwork(emulator, 'etl-platform');
  checkout = managedCheckout(emulator, {
    afterSynth: join(import.meta.dirname, 'support/kubernetes-as-data.ts'),
    environment: { TF_VAR_db_password: 'unused' },
  });
  await settings(TO_ENDPOINT);
  terraform = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await terraform.init();
  await terraform.apply();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await checkout?.close();
});

/** Synthesizes the whole stack with other settings, where Terraform is at work. */
async function settings(fileProcessing: Readonly<Record<string, unknown>>): Promise<void> {
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: {
      create_s3_notifications: false,
      create_repository: false,
      manage_kubernetes: true,
      image: IMAGE,
      ...fileProcessing,
    },
  });
  await checkout.synthesize(ENVIRONMENT);
}

/** Expects lines of Terraform's output in this order. */
function inOrder(written: string, lines: readonly RegExp[]): void {
  const found = lines.map((line) => written.search(line));
  expect(found, written).not.toContain(-1);
  expect(found).toEqual(found.toSorted((one, other) => one - other));
}

const SUBSCRIBED = /aws_sns_topic_subscription\.queue: Creation complete/;
const ROLLED_OUT = /terraform_data\.deployment_sns_listener: Modifications complete/;

describe('a switch to the queue', () => {
  test('without manage is stopped by Terraform before it changes anything', async () => {
    const before = await terraform.stateList();
    await settings({ delivery: 'sqs' });
    await expect(terraform.apply()).rejects.toThrow('Cycle');
    expect(await terraform.stateList()).toEqual(before);
  });

  test('by manage keeps the endpoint subscribed until the listener fetches from the queue', async () => {
    const { code, stdout, stderr } = await checkout.manage(['apply', '--auto-approve']);
    expect(code, `${stdout}${stderr}`).toBe(0);
    inOrder(stdout, [
      SUBSCRIBED,
      ROLLED_OUT,
      /aws_sns_topic_subscription\.queue \(deposed object \w+\): Destroying/,
      /terraform_data\.service_sns_listener: Destroying/,
    ]);
  });
});

describe('a switch to the endpoint without manage', () => {
  test('opens it once its load balancer and the right to confirm are there', async () => {
    await settings({ ...TO_ENDPOINT, both_deliveries: true });
    const written = await terraform.apply();
    const endpoint = /aws_sns_topic_subscription\.http: Creating/;
    inOrder(written, [/terraform_data\.service_sns_listener: Creation complete/, endpoint]);
    inOrder(written, [/aws_iam_policy\.file_processing_delivery: Modifications/, endpoint]);
    expect(written).not.toContain('Destroying');
  });

  test('unsubscribes the queue before the listener is told of it no more', async () => {
    await settings(TO_ENDPOINT);
    inOrder(await terraform.apply(), [
      /aws_sns_topic_subscription\.queue: Destruction complete/,
      /terraform_data\.config_map_config: Modifying/,
    ]);
  });
});

describe('a switch to the queue by way of both, without manage', () => {
  test('subscribes it before the listener is told of it', async () => {
    await settings({ ...TO_ENDPOINT, both_deliveries: true });
    inOrder(await terraform.apply(), [SUBSCRIBED, ROLLED_OUT]);
  });

  test('ends the endpoint before its load balancer', async () => {
    await settings({ delivery: 'sqs' });
    inOrder(await terraform.apply(), [
      /aws_sns_topic_subscription\.http: Destruction complete/,
      /terraform_data\.service_sns_listener: Destroying/,
    ]);
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});

test('what others take over in Kubernetes is left to them, with what is in it', async () => {
  const existing_secret_name = 'file-processing-secrets';
  await settings({ delivery: 'sqs', create_namespace: false, existing_secret_name });
  const { changes } = await terraform.plan();
  const leaving = changes.filter(({ actions }) => !actions.includes('update'));
  expect(leaving.map(({ address, actions }) => `${actions.join()} ${address}`).sort()).toEqual([
    'forget terraform_data.namespace_ns',
    'forget terraform_data.secret_database',
  ]);
  await terraform.applyPlan();
  expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
});
