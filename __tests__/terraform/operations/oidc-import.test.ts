import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from '../support/attached-provider.ts';
import { createNetwork, createOidcProvider, REGION } from '../support/aws-account.ts';
import { type ManagedCheckout, managedCheckout } from '../support/managed-checkout.ts';
import { type Plan, type Terraform, terraformIn } from '../support/terraform.ts';

const ADDRESS = 'aws_iam_openid_connect_provider.eks';

/** The environment whose state holds the cluster, and one that has lost its state. */
const ENVIRONMENT = 'etl-playground';
const FRESH = 'fresh';

let emulator: AttachedAws;
let checkout: ManagedCheckout;

/** The state with the cluster and without the provider. */
let withCluster: string;

/** The provider that IAM has for the cluster's issuer. */
let arn: string;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await createNetwork(emulator, 'etl-platform');
  checkout = managedCheckout(emulator);
  checkout.addEnvironment(ENVIRONMENT);
  checkout.addEnvironment(ENVIRONMENT, {}, FRESH);
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
});

async function stateOf(environment: string): Promise<string> {
  return await checkout.localState(environment, 'file-processing');
}

test('apply --target makes the cluster and what it refers to, and nothing else', async () => {
  const target = ['--target', 'aws_eks_cluster.this'];
  const { code, stderr } = await checkout.manage(['apply', ...target, '--auto-approve', '--json']);
  expect(code, stderr).toBe(0);
  withCluster = await stateOf(ENVIRONMENT);
  expect(withCluster).toContain('"aws_eks_cluster"');
  expect(withCluster).not.toContain('"aws_sns_topic"');
});

describe('oidc-import', () => {
  test('has nothing to import where IAM has no provider for the issuer', async () => {
    const { code, stdout, stderr } = await checkout.manage(['oidc-import', '--json']);
    expect(JSON.parse(stdout)).toEqual({ imported: false, provider: null });
    expect(stderr).toContain('apply makes one');
    expect(code).toBe(0);
  });

  test('says with --dry-run what it would import, and changes nothing', async () => {
    const issuer = /"issuer": "([^"]+)"/.exec(await stateOf(ENVIRONMENT))?.[1] ?? '';
    arn = await createOidcProvider(emulator, issuer);
    const before = await stateOf(ENVIRONMENT);
    const { code, stderr } = await checkout.manage(['oidc-import', '--dry-run']);
    expect(stderr).toContain(`Would run terraform import ${ADDRESS} ${arn}`);
    expect(code).toBe(0);
    expect(await stateOf(ENVIRONMENT)).toBe(before);
  });

  test('takes the provider into the state, and plans at most its tags', async () => {
    const { code, stdout, stderr } = await checkout.manage(['oidc-import']);
    expect(stderr).toContain(`Imported ${arn}.`);
    expect(stdout).toContain('0 to add, 1 to change, 0 to destroy');
    expect(code).toBe(0);
    expect(await stateOf(ENVIRONMENT)).toContain(arn);
  });

  test('has nothing to do a second time', async () => {
    const { code, stderr } = await checkout.manage(['oidc-import']);
    expect(stderr).toContain(`Nothing to do: ${ADDRESS} is in the state already (${arn})`);
    expect(code).toBe(0);
  });

  test('says that the cluster is missing in a fresh state, since an apply would replace the provider', async () => {
    const { code, stderr } = await checkout.manage(['oidc-import', '--environment', FRESH]);
    expect(stderr).toContain('the provider is imported, but an apply would replace it');
    expect(stderr).toMatch(
      /cdktf\.out\.fresh.* import aws_eks_cluster\.this file-processing-cluster/,
    );
    expect(code).toBe(1);
    expect(await stateOf(FRESH)).toContain(arn);
  });

  test('is refused where the stack uses the provider of others', async () => {
    checkout.addEnvironment(ENVIRONMENT, { fileProcessing: { existing_oidc_provider_arn: arn } });
    const { code, stderr } = await checkout.manage(['oidc-import']);
    expect(stderr).toContain(`existing_oidc_provider_arn is set to ${arn}`);
    expect(code).toBe(77);
  });
});

describe('terraform import by hand', () => {
  const BY_HAND = 'by-hand';
  const OUTPUT = 'cdktf.out.by-hand';
  let terraform: Terraform;
  let before: Plan;
  let after: Plan;

  beforeAll(async () => {
    await emulator.createBucket('etl-ba-research-client-etl', REGION);
    checkout.addEnvironment(ENVIRONMENT, {}, BY_HAND);
    await checkout.synthesize(BY_HAND, OUTPUT);
    checkout.write(`terraform.${BY_HAND}.file-processing.tfstate`, withCluster);
    terraform = terraformIn(checkout.stackFolder('file-processing', OUTPUT), { aws: emulator });
    await terraform.init();
    before = await terraform.plan();
    await terraform.importResource(ADDRESS, arn);
    after = await terraform.plan();
  });

  afterAll(() => terraform?.close());

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
    expect(await stateOf(BY_HAND)).toContain(arn);
  });
});
