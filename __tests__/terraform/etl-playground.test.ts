import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMain } from '../support/run-main.ts';
import { ACCOUNT, REGION } from './support/aws-account.ts';
import { type AttachedAws, startAttachedAws } from './support/attached-provider.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { openStacks, type Stacks } from './support/stacks.ts';
import { resourcesOf } from './support/synthesized-addresses.ts';
import type { Plan } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';

/** All that this suite leaves out of the full file-processing stack. */
const NOT_APPLIED = [
  'kubernetes_config_map_v1.config',
  'kubernetes_deployment_v1.sns_listener',
  'kubernetes_horizontal_pod_autoscaler_v2.sns_listener',
  'kubernetes_namespace_v1.ns',
  'kubernetes_network_policy_v1.sns_listener',
  'kubernetes_pod_disruption_budget_v1.sns_listener',
  'kubernetes_secret_v1.database',
  'kubernetes_service_account_v1.sa',
  'kubernetes_service_v1.sns_listener',
];

/** Variables of the full stack that fill a Kubernetes object alone. */
const VARIABLES_NOT_APPLIED = ['db_password', 'db_password_revision'];

/** ARNs in a text that are not of the partition of GovCloud. */
function arnsOutsideGovCloud(text: string): string[] {
  return [...text.matchAll(/arn:[\w-]+:[^"\\]*/g)]
    .map(([arn]) => arn)
    .filter((arn) => !arn.startsWith('arn:aws-us-gov:'));
}

let emulator: AttachedAws;
let checkout: Checkout;
let stacks: Stacks;

beforeAll(async () => {
  emulator = await startAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  checkout = temporaryCheckout();
  checkout.addEnvironment(ENVIRONMENT);
  stacks = await openStacks(checkout, ENVIRONMENT, emulator);
});

afterAll(async () => {
  await stacks?.close();
  await emulator?.stop();
  await checkout?.close();
});

const full = runMain({ environment: ENVIRONMENT }).json;

describe('foundation-network', () => {
  let second: Plan;

  beforeAll(async () => {
    await stacks.network.validate();
    await stacks.network.apply();
    second = await stacks.network.plan();
  });

  test('applies every resource', async () => {
    expect((await stacks.network.stateList()).sort()).toEqual(
      resourcesOf(full['foundation-network']),
    );
  });

  test('has nothing left to do in a second plan', () => {
    expect(second).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('outputs what others need to find it', async () => {
    const id = (kind: string) => expect.stringMatching(new RegExp(`^${kind}-[0-9a-f]+$`));
    expect(await stacks.network.outputs()).toEqual({
      availability_zones: ['us-gov-west-1a', 'us-gov-west-1b'],
      nat_gateway_public_ips: [expect.stringMatching(/^\d+(\.\d+){3}$/)],
      private_subnet_ids: [id('subnet'), id('subnet')],
      public_subnet_ids: [id('subnet'), id('subnet')],
      vpc_cidr: '10.0.0.0/16',
      vpc_id: id('vpc'),
    });
  });

  test('has no ARN of another partition in its state', async () => {
    const state = await checkout.localState(ENVIRONMENT, 'foundation-network');
    expect(state).toContain('arn:aws-us-gov:');
    expect(arnsOutsideGovCloud(state)).toEqual([]);
  });
});

describe('file-processing', () => {
  let second: Plan;

  beforeAll(async () => {
    await stacks.processing.validate();
    await stacks.processing.apply();
    second = await stacks.processing.plan();
  });

  test('applies every resource but the Kubernetes objects', async () => {
    const applied = (await stacks.processing.stateList()).sort();
    const synthesized = resourcesOf(full['file-processing']);
    expect(synthesized.filter((address) => !applied.includes(address))).toEqual(NOT_APPLIED);
    expect(applied.filter((address) => !synthesized.includes(address))).toEqual([]);
  });

  test('has the variables and outputs of the full stack but those for Kubernetes objects', async () => {
    const applied = await checkout.stackJson('file-processing');
    const names = (json: string, block: string) => Object.keys(JSON.parse(json)[block]).sort();
    const json = full['file-processing'];
    expect(names(json, 'output')).toEqual(names(applied, 'output'));
    expect(
      names(json, 'variable').filter((name) => !names(applied, 'variable').includes(name)),
    ).toEqual(VARIABLES_NOT_APPLIED);
  });

  test('has nothing left to do in a second plan', () => {
    expect(second).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('outputs what an operator needs', async () => {
    const host = /^https:\/\/oidc\.eks\.us-gov-west-1\.amazonaws\.com\/id\/[0-9A-F]{32}$/;
    const outputs = await stacks.processing.outputs();
    expect(outputs).toEqual({
      cluster_name: 'file-processing-cluster',
      cluster_endpoint: expect.stringMatching(/^https:\/\//),
      kubeconfig_command: `aws eks update-kubeconfig --name file-processing-cluster --region ${REGION}`,
      oidc_issuer: expect.stringMatching(host),
      oidc_provider_arn: `arn:aws-us-gov:iam::${ACCOUNT}:oidc-provider/${String(outputs.oidc_issuer).replace('https://', '')}`,
      service_account_role_arn: `arn:aws-us-gov:iam::${ACCOUNT}:role/file-processing-cluster-file-processing-sa`,
      sns_topic_arn: `arn:aws-us-gov:sns:${REGION}:${ACCOUNT}:file-processing-topic`,
      dead_letter_queue_url: expect.stringMatching(
        new RegExp(`/${ACCOUNT}/file-processing-topic-dead-letter$`),
      ),
      queue_url: '',
      repository_url: expect.stringMatching(
        new RegExp(`^${ACCOUNT}\\.dkr\\.ecr\\.${REGION}\\.amazonaws\\.com/file-processing$`),
      ),
      image: expect.stringMatching(/\/file-processing@sha256:[0-9a-f]{64}$/),
      load_balancer_hostname: '',
      namespace: 'file-processing',
      sns_endpoint_url: '',
    });
  });

  test('has no ARN of another partition in its state', async () => {
    const state = await checkout.localState(ENVIRONMENT, 'file-processing');
    expect(state).toContain('arn:aws-us-gov:');
    expect(arnsOutsideGovCloud(state)).toEqual([]);
  });

  test('changes its output alone for another image', async () => {
    const image = `registry.example.gov/file-processing@sha256:${'a'.repeat(64)}`;
    const { exitCode, changes, json } = await stacks.processing.plan({ variables: { image } });
    expect({ exitCode, changes }).toEqual({ exitCode: 2, changes: [] });
    expect(changedOutputs(json)).toEqual({ image });
  });

  test('refuses an image that is none', async () => {
    const plan = stacks.processing.plan({ variables: { image: 'Not An Image' } });
    await expect(plan).rejects.toThrow('image must be an image reference');
  });
});

describe('destroy', () => {
  beforeAll(async () => {
    await stacks.processing.destroy();
    await stacks.network.destroy();
  });

  test('leaves nothing of file-processing', async () => {
    expect(await stacks.processing.stateList()).toEqual([]);
  });

  test('leaves nothing of foundation-network', async () => {
    expect(await stacks.network.stateList()).toEqual([]);
  });
});

/** Values of the outputs that a plan would change, by name. */
function changedOutputs(plan: Plan['json']): Record<string, unknown> {
  const changes = (plan.output_changes ?? {}) as Record<
    string,
    { readonly actions: readonly string[]; readonly after: unknown }
  >;
  return Object.fromEntries(
    Object.entries(changes)
      .filter(([, { actions }]) => !actions.includes('no-op'))
      .map(([name, { after }]) => [name, after]),
  );
}
