import { join } from 'node:path';
import { CreateClusterCommand, DescribeClusterCommand, type EKSClient } from '@aws-sdk/client-eks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/operations/operation-error.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import {
  ACCOUNT,
  createNetwork,
  createRole,
  createSecurityGroup,
  REGION,
} from './support/aws-account.ts';
import { emulatedAws } from './support/emulated-aws.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const CLUSTER = 'shared_by-all';

let emulator: AttachedAws;
let eks: EKSClient;
let checkout: ManagedCheckout;
let terraform: Terraform;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  await createRole(emulator, 'of-others');
  // A network that no setting could find: only the cluster's owner need know it.
  const { privateSubnetIds } = await createNetwork(emulator, 'of-others');
  eks = await emulatedAws(emulator)({ region: REGION, profile: '' }).eks();
  await eks.send(
    new CreateClusterCommand({
      name: CLUSTER,
      version: '1.34',
      roleArn: `arn:aws-us-gov:iam::${ACCOUNT}:role/of-others`,
      resourcesVpcConfig: { subnetIds: [...privateSubnetIds] },
    }),
  );
  checkout = managedCheckout(emulator);
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: {
      create_cluster: false,
      cluster_name: CLUSTER,
      node_group_name: null,
      cluster_endpoint_private_access_cidrs: [],
      db_security_group_id: await createSecurityGroup(emulator, 'database'),
    },
  });
  await checkout.synthesize(ENVIRONMENT);
  terraform = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await terraform.init();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await checkout?.close();
});

async function cluster() {
  return (await eks.send(new DescribeClusterCommand({ name: CLUSTER }))).cluster;
}

describe('beside a cluster of others', () => {
  let before: Awaited<ReturnType<typeof cluster>>;

  beforeAll(async () => {
    before = await cluster();
    await terraform.apply();
  });

  test('a second plan is empty', async () => {
    expect(await terraform.plan()).toMatchObject({ exitCode: 0 });
  });

  test('nothing of the cluster is made, and its network is not looked up', async () => {
    const addresses = await terraform.stateList();
    expect(addresses).toContain('data.aws_eks_cluster.existing');
    expect(
      addresses.filter((address) => /^(data\.aws_(vpcs|subnets)|aws_eks)/.test(address)),
    ).toEqual([]);
    expect(
      addresses.filter((address) => /eks_(cluster|node)|key\.cluster|group\.cluster/.test(address)),
    ).toEqual(['data.aws_eks_cluster.existing']);
  });

  test('the outputs are those of the cluster', async () => {
    const issuer = before?.identity?.oidc?.issuer;
    expect(await terraform.outputs()).toMatchObject({
      cluster_name: CLUSTER,
      cluster_endpoint: before?.endpoint,
      oidc_issuer: issuer,
      oidc_provider_arn: `arn:aws-us-gov:iam::${ACCOUNT}:oidc-provider/${issuer?.replace('https://', '')}`,
    });
  });

  test("the database lets in what has the cluster's security group", async () => {
    const rules = await emulator.query('ec2', REGION, {
      Action: 'DescribeSecurityGroupRules',
      Version: '2016-11-15',
    });
    const group = before?.resourcesVpcConfig?.clusterSecurityGroupId;
    expect(rules).toContain(`PostgreSQL from the nodes of ${CLUSTER}`);
    expect(rules).toMatch(new RegExp(`<referencedGroupInfo>\\s*<groupId>${group}<`));
  });

  test('its OIDC provider is not taken into the state by oidc-import', async () => {
    const { code, stderr } = await checkout.manage(['oidc-import']);
    expect(code).toBe(EXIT.refused);
    expect(stderr).toContain('existing_oidc_provider_arn');
  });

  test('destroy leaves it as it was', async () => {
    await terraform.destroy();
    expect(await terraform.stateList()).toEqual([]);
    expect(await cluster()).toEqual(before);
  });
});

describe('from a cluster of the stack to one of others', () => {
  const OWN = 'own';
  const own = (values: Readonly<Record<string, unknown>>) =>
    checkout.addEnvironment(ENVIRONMENT, { fileProcessing: { cluster_name: OWN, ...values } }, OWN);
  const plan = () => checkout.manage(['plan', '--environment', OWN, '--json']);
  let refused: Awaited<ReturnType<typeof plan>>;

  beforeAll(async () => {
    await createNetwork(emulator, 'etl-platform');
    own({});
    const targets = ['aws_eks_node_group.this', 'aws_iam_openid_connect_provider.eks'];
    const { code, stderr } = await checkout.manage([
      ...['apply', '--environment', OWN, '--auto-approve'],
      ...targets.flatMap((target) => ['--target', target]),
    ]);
    expect(code, stderr).toBe(EXIT.ok);
    own({
      create_cluster: false,
      node_group_name: null,
      cluster_endpoint_private_access_cidrs: [],
    });
    refused = await plan();
  });

  test('manage refuses to destroy the cluster', () => {
    expect(refused.code).toBe(EXIT.refused);
    expect(refused.stderr).toContain(`the plan would destroy the cluster ${OWN}`);
  });

  test('what it prints hands the cluster over: the next plan deletes nothing', async () => {
    const addresses = /terraform state rm ([^;]+);/.exec(refused.stderr)?.[1]?.split(' ') ?? [];
    expect(addresses).toContain('aws_eks_node_group.this');
    expect(addresses).not.toContain('aws_iam_openid_connect_provider.eks');
    const folder = join(checkout.root, `cdktf.out.${OWN}/stacks/file-processing`);
    const stack = terraformIn(folder, { aws: emulator });
    await stack.forget(addresses);
    await stack.close();
    const { code, stdout } = await plan();
    expect(code).toBe(2);
    const { changes } = JSON.parse(stdout) as {
      changes: readonly { actions: readonly string[] }[];
    };
    expect(new Set(changes.flatMap(({ actions }) => actions))).not.toContain('delete');
  });
});
