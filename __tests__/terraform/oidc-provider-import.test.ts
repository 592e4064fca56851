import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, createOidcProvider, REGION } from './support/aws-account.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ADDRESS = 'aws_iam_openid_connect_provider.eks';
const CLUSTER = 'aws_eks_cluster.this';

let emulator: AttachedAws;
let checkout: Checkout;
let terraform: Terraform;
let providerArn: string;
let before: Plan;
let after: Plan;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  await createNetwork(emulator, 'etl-platform');
  checkout = temporaryCheckout();
  checkout.addEnvironment('etl-playground');
  await checkout.synthesize('etl-playground');
  const folder = checkout.stackFolder('file-processing');
  terraform = terraformIn(folder, { aws: emulator });
  await terraform.init();
  await terraform.apply({ targets: [CLUSTER] });
  const state = await checkout.localState('etl-playground', 'file-processing');
  providerArn = await createOidcProvider(emulator, issuerIn(state));
  before = await terraform.plan();
  await terraform.importResource(ADDRESS, providerArn);
  after = await terraform.plan();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await checkout?.close();
});

/** The cluster's OIDC issuer in a state. */
function issuerIn(state: string): string {
  const issuer = /"issuer": "([^"]+)"/.exec(state)?.[1];
  if (issuer === undefined) throw new Error('No issuer in the state');
  return issuer;
}

function actionsOn({ changes }: Plan, wanted: string): readonly string[] | undefined {
  return changes.find(({ address }) => address === wanted)?.actions;
}

test('without the import it would be created', () => {
  expect(actionsOn(before, ADDRESS)).toEqual(['create']);
});

test('after the import it is tagged at the most: neither created, replaced nor destroyed', () => {
  expect(actionsOn(after, ADDRESS)).toEqual(['update']);
});

test('after the import the plan is the same but for the provider', () => {
  const others = ({ changes }: Plan) => changes.filter(({ address }) => address !== ADDRESS);
  expect(others(after)).toEqual(others(before));
});

test('an apply leaves it where it is, with nothing left to do', async () => {
  await terraform.apply({ targets: [ADDRESS] });
  expect((await terraform.plan({ targets: [ADDRESS] })).exitCode).toBe(0);
  const state = await checkout.localState('etl-playground', 'file-processing');
  expect(state).toContain(providerArn);
});
