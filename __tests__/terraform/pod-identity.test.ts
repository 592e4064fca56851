import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, REGION } from './support/aws-account.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const ASSOCIATION = 'aws_eks_pod_identity_association.file_processing_sa';
const PROVIDER = 'aws_iam_openid_connect_provider.eks';

let emulator: AttachedAws;
let checkout: Checkout;
let processing: Terraform;

/** Applies the stack with other settings. */
async function applyWith(values: Readonly<Record<string, unknown>>): Promise<Plan> {
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: { create_repository: false, create_s3_notifications: false, ...values },
  });
  await checkout.synthesize(ENVIRONMENT);
  await processing?.close();
  processing = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await processing.init();
  const plan = await processing.plan();
  await processing.applyPlan();
  return plan;
}

async function trustPolicy(): Promise<string> {
  const role = await emulator.query('iam', REGION, {
    Version: '2010-05-08',
    Action: 'GetRole',
    RoleName: 'file-processing-cluster-file-processing-sa',
  });
  return decodeURIComponent(role);
}

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await createNetwork(emulator, 'etl-platform');
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  checkout = temporaryCheckout();
  await applyWith({});
});

afterAll(async () => {
  await processing?.close();
  await emulator?.stop();
  await checkout?.close();
});

describe('a switch from IRSA to EKS Pod Identity', () => {
  test('first lets the role trust both, with the association beside the provider', async () => {
    await applyWith({ identity: 'pod_identity', both_identities: true });
    const state = await processing.stateList();
    expect(state).toEqual(expect.arrayContaining([ASSOCIATION, PROVIDER]));
    const policy = await trustPolicy();
    expect(policy).toContain('sts:AssumeRoleWithWebIdentity');
    expect(policy).toContain('pods.eks.amazonaws.com');
  });

  test('then takes the provider away, and replaces nothing', async () => {
    const { changes } = await applyWith({ identity: 'pod_identity' });
    expect(changes.filter(({ actions }) => actions.includes('delete'))).toMatchObject([
      { address: PROVIDER, actions: ['delete'] },
    ]);
    expect(await processing.stateList()).toContain(ASSOCIATION);
    expect(await trustPolicy()).not.toContain('sts:AssumeRoleWithWebIdentity');
  });

  test('has nothing left to do in a second plan', async () => {
    expect(await processing.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});

test('a switch back makes the provider and lets the association go, with both trusted', async () => {
  await applyWith({ both_identities: true });
  const state = await processing.stateList();
  expect(state).toContain(PROVIDER);
  expect(state).not.toContain(ASSOCIATION);
  expect(await trustPolicy()).toContain('pods.eks.amazonaws.com');
});

test('a provider that is given to others stays, with what trusts it', async () => {
  const { oidc_provider_arn: existing_oidc_provider_arn } = await processing.outputs();
  const { changes } = await applyWith({ existing_oidc_provider_arn });
  expect(changes).toContainEqual(
    expect.objectContaining({ address: PROVIDER, actions: ['forget'] }),
  );
  const provider = await emulator.query('iam', REGION, {
    Version: '2010-05-08',
    Action: 'GetOpenIDConnectProvider',
    OpenIDConnectProviderArn: String(existing_oidc_provider_arn),
  });
  expect(provider).toContain('sts.amazonaws.com');
  expect(await processing.plan()).toMatchObject({ exitCode: 0, changes: [] });
});

test('a permissions boundary that comes later is put on every role in place', async () => {
  const { oidc_provider_arn: existing_oidc_provider_arn } = await processing.outputs();
  const { changes } = await applyWith({
    existing_oidc_provider_arn,
    permissions_boundary_arn: 'arn:aws-us-gov:iam::123456789012:policy/etl-boundary',
  });
  const roles = (await processing.stateList()).filter((address) => /^aws_iam_role\./.test(address));
  expect(roles.length).toBeGreaterThan(3);
  expect(changes).toEqual(
    roles.map((address) => expect.objectContaining({ address, actions: ['update'] })),
  );
  expect(await processing.plan()).toMatchObject({ exitCode: 0, changes: [] });
});
