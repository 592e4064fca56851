import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseTakenNames } from '../../src/operations/terraform/guards/refusals.ts';
import { nodeChanges } from '../../src/operations/terraform/node-changes.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, createSubnet, REGION } from './support/aws-account.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const GROUP = 'aws_eks_node_group.this';
/** The nodes, and what they need: no queue, which takes long. The template too, or a replaced one stays behind. */
const NODES = { targets: [GROUP, 'aws_launch_template.nodes'] };

let emulator: AttachedAws;
let checkout: Checkout;
let terraform: Terraform;
let vpcId: string;

/** Synthesizes with other settings, into the folder that has the state. */
async function change(settings: Readonly<Record<string, unknown>>): Promise<void> {
  checkout.addEnvironment(ENVIRONMENT, {
    fileProcessing: { db_security_group_id: '', ...settings },
  });
  await checkout.synthesize(ENVIRONMENT);
}

/** What a plan does, by address. */
function actionsIn({ changes }: Plan): Readonly<Record<string, string>> {
  return Object.fromEntries(changes.map(({ address, actions }) => [address, actions.join()]));
}

/** Asks EKS about the node groups of the cluster. */
async function askEks<T>(path: string): Promise<T> {
  const url = `${emulator.url}/clusters/file-processing-cluster/node-groups${path}`;
  const Authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/eks/aws4_request`;
  return (await (await fetch(url, { headers: { Authorization } })).json()) as T;
}

async function groupNames(): Promise<readonly string[]> {
  return (await askEks<{ nodegroups: readonly string[] }>('')).nodegroups;
}

interface Group {
  readonly amiType: string;
  readonly subnets: readonly string[];
}

async function groupNamed(name: string): Promise<Group> {
  return (await askEks<{ nodegroup: Group }>(`/${name}`)).nodegroup;
}

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  ({ vpcId } = await createNetwork(emulator, 'etl-platform'));
  checkout = temporaryCheckout();
  await change({});
  terraform = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await terraform.init();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await checkout?.close();
});

interface StackJson {
  readonly resource: Record<string, Record<string, Record<string, unknown>>>;
}

/** Changes the stack's JSON to what the project's version 0.2.0 made of nodes. */
function asDeployedBefore(): void {
  const file = join(checkout.stackFolder('file-processing'), 'cdk.tf.json');
  const json = JSON.parse(readFileSync(file, 'utf8')) as StackJson;
  const {
    aws_eks_node_group: groups,
    aws_iam_role: roles,
    aws_launch_template: templates,
  } = json.resource;
  const group = groups?.this ?? {};
  delete group.node_group_name_prefix;
  group.node_group_name = 'file-processing-nodes';
  group.instance_types = ['t3.medium'];
  group.lifecycle = { ignore_changes: ['scaling_config[0].desired_size'] };
  for (const part of ['description', 'lifecycle']) delete roles?.eks_node?.[part];
  delete templates?.nodes?.instance_type;
  delete json.resource.terraform_data;
  writeFileSync(file, JSON.stringify(json));
}

describe('a group that was deployed before', () => {
  beforeAll(async () => {
    await change({});
    asDeployedBefore();
    await terraform.apply(NODES);
    await change({});
  });

  test('an upgrade of this project replaces and renames nothing', async () => {
    expect(actionsIn(await terraform.plan(NODES))).toEqual({
      'terraform_data.node_group': 'create',
    });
    await terraform.applyPlan();
    expect(await groupNames()).toEqual(['file-processing-nodes']);
    expect(await terraform.plan(NODES)).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('another type makes a new group beside it, which goes once that one is ready', async () => {
    await change({ node_instance_types: ['m6i.large'] });
    await expectNewBeforeOld();
    expect(await terraform.plan(NODES)).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('so does another name, twice', async () => {
    for (const node_group_name of ['workers', 'others']) {
      await change({ node_instance_types: ['m6i.large'], node_group_name });
      await expectNewBeforeOld(node_group_name);
    }
  });

  test('destroy leaves nothing', async () => {
    await terraform.destroy();
    expect(await terraform.stateList()).toEqual([]);
  });
});

describe('a group that is made now', () => {
  let first: readonly string[];

  beforeAll(async () => {
    await change({});
    await terraform.apply(NODES);
    first = await groupNames();
  });

  test('has nothing left to do in a second plan', async () => {
    expect(await terraform.plan(NODES)).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('another type is a new version of its template, which it rolls to', async () => {
    await change({ node_instance_types: ['m6i.large'] });
    expect(actionsIn(await terraform.plan(NODES))).toEqual({
      'aws_launch_template.nodes': 'update',
      [GROUP]: 'update',
    });
    await terraform.applyPlan();
    expect(await groupNames()).toEqual(first);
  });

  test('a changed tag rolls its nodes, and the plan is told so', async () => {
    await change({ node_instance_types: ['m6i.large'], tags: { Owner: 'etl' } });
    const { json } = await terraform.plan(NODES);
    expect(nodeChanges(json)).toEqual([
      expect.stringMatching(
        /^every node of file-processing-nodes-[0-9a-f]{26} is replaced, some at a time, because of a change of tags,/,
      ),
    ]);
    await change({ node_instance_types: ['m6i.large'] });
  });

  test('a new subnet of the right name changes neither nodes nor cluster', async () => {
    await createSubnet(emulator, vpcId, 2, 'etl-platform-private-c');
    expect(await terraform.plan(NODES)).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('another name takes it in, with a new group beside the old', async () => {
    await change({ node_instance_types: ['m6i.large'], node_group_name: 'workers' });
    await expectNewBeforeOld('workers');
    const { subnets } = await groupNamed((await groupNames())[0] ?? '');
    expect(subnets).toHaveLength(3);
  });

  test('several types make a new group beside it, and a single one again another', async () => {
    for (const node_instance_types of [['m6i.large', 'm5.large'], ['m5.large']]) {
      await change({ node_instance_types, node_group_name: 'workers' });
      await expectNewBeforeOld('workers');
      expect(await terraform.plan(NODES)).toMatchObject({ exitCode: 0, changes: [] });
    }
  });
});

describe('an image of your own, Bottlerocket and Spot', () => {
  const spot = { name: 'spot', instance_types: ['m6i.large'], capacity_type: 'SPOT' };
  const settings = {
    ami_id: 'ami-0a1b2c3d4e5f67890',
    node_user_data: 'apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n',
    node_groups: [
      { ...spot, labels: { kind: 'spot' }, taints: ['batch=true:NoSchedule'] },
      {
        ...{ name: 'rocket', instance_types: ['m7g.large', 'c7g.large'] },
        ami_type: 'BOTTLEROCKET_ARM_64_FIPS',
      },
    ],
    node_autoscaler: 'cluster-autoscaler',
  };
  const GROUPS = {
    targets: [
      ...[...NODES.targets, 'aws_eks_node_group.nodes_spot', 'aws_eks_node_group.nodes_rocket'],
      'aws_iam_role_policy.cluster_autoscaler',
    ],
  };

  test('make a new group beside the one that was there, and are planned clean', async () => {
    await change(settings);
    const plan = await terraform.plan(GROUPS);
    expect(actionsIn(plan)).toMatchObject({
      [GROUP]: 'create,delete',
      'aws_eks_node_group.nodes_spot': 'create',
      'aws_eks_node_group.nodes_rocket': 'create',
    });
    await terraform.applyPlan();
    expect(await terraform.plan(GROUPS)).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('are what EKS was told', async () => {
    const groups = await Promise.all((await groupNames()).map(groupNamed));
    expect(groups.sort((one, other) => (one.amiType < other.amiType ? -1 : 1))).toMatchObject([
      { amiType: 'BOTTLEROCKET_ARM_64_FIPS', capacityType: 'ON_DEMAND' },
      { amiType: 'CUSTOM' },
      { amiType: 'CUSTOM' },
    ]);
    expect(groups).toContainEqual(
      expect.objectContaining({
        capacityType: 'SPOT',
        labels: { kind: 'spot' },
        taints: [{ key: 'batch', value: 'true', effect: 'NO_SCHEDULE' }],
      }),
    );
  });

  test('another image rolls the groups that have it', async () => {
    await change({ ...settings, ami_id: 'ami-0a1b2c3d4e5f67891' });
    expect(actionsIn(await terraform.plan(GROUPS))).toEqual({
      'aws_launch_template.nodes': 'update',
      'aws_launch_template.nodes_spot': 'update',
      [GROUP]: 'update',
      'aws_eks_node_group.nodes_spot': 'update',
    });
  });
});

describe('a role of nodes under another path', () => {
  test('would be made beside the one of its name: manage refuses that, and AWS before it deletes', async () => {
    await change({
      node_instance_types: ['m5.large'],
      node_group_name: 'workers',
      iam_path: '/etl/',
    });
    const before = await groupNames();
    const { json } = await terraform.plan(NODES);
    const refusals = refuseTakenNames(json, 'file-processing');
    expect(refusals.map(({ reason }) => reason)).toContainEqual(
      expect.stringContaining('a second file-processing-cluster-node-role (aws_iam_role.eks_node)'),
    );
    await expect(terraform.applyPlan()).rejects.toThrow('EntityAlreadyExists');
    expect(await groupNames()).toEqual(before);
  });
});

/** Applies what replaces the group, and sees that at no time there was none. */
async function expectNewBeforeOld(name = 'file-processing-nodes'): Promise<void> {
  const before = await groupNames();
  expect(actionsIn(await terraform.plan(NODES))).toMatchObject({
    'terraform_data.node_group': 'create,delete',
    [GROUP]: 'create,delete',
  });
  const lines = (await terraform.applyPlan()).split('\n');
  const made = lines.findIndex((line) => line.startsWith(`${GROUP}: Creation complete`));
  const gone = lines.findIndex((line) => line.startsWith(`${GROUP} (deposed object`));
  expect([made > 0, gone > made]).toEqual([true, true]);
  const after = await groupNames();
  expect(after).toEqual([expect.stringMatching(new RegExp(`^${name}-[0-9a-f]{26}$`))]);
  expect(before).not.toEqual(after);
}
