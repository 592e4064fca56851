import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UpdateClusterVersionCommand } from '@aws-sdk/client-eks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/operations/operation-error.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, REGION } from './support/aws-account.ts';
import { changeSettings } from './support/change-settings.ts';
import { emulatedAws } from './support/emulated-aws.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const CLUSTER = 'file-processing-cluster';

/** What has a version; the rest of the stack takes minutes more. */
const NODES = 'aws_eks_node_group.this';
const VERSIONED = ['aws_eks_cluster.this', NODES, 'aws_eks_addon.vpc_cni', 'aws_eks_addon.coredns'];

let emulator: AttachedAws;
let checkout: ManagedCheckout;
let terraform: Terraform;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await createNetwork(emulator, 'etl-platform');
  checkout = managedCheckout(emulator);
  checkout.addEnvironment(ENVIRONMENT);
  await checkout.synthesize(ENVIRONMENT);
  terraform = terraformIn(checkout.stackFolder('file-processing'), { aws: emulator });
  await terraform.init();
});

afterAll(async () => {
  await terraform?.close();
  await emulator?.stop();
  await checkout?.close();
});

/** Makes the JSON that of the release before: a literal 1.34 for the cluster, none for nodes and add-ons. */
function asOfTheReleaseBefore(): void {
  const file = join(checkout.stackFolder('file-processing'), 'cdk.tf.json');
  const { resource, data, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
  const cluster = resource.aws_eks_cluster.this;
  cluster.version = '1.34';
  cluster.lifecycle.ignore_changes = cluster.lifecycle.ignore_changes.slice(0, 2);
  delete resource.aws_eks_node_group.this.version;
  for (const addOn of Object.values<Record<string, unknown>>(resource.aws_eks_addon)) {
    delete addOn.addon_version;
  }
  delete data.aws_eks_addon_version;
  writeFileSync(file, JSON.stringify({ resource, data, ...rest }));
}

async function planWith(settings: Readonly<Record<string, unknown>>): Promise<Plan> {
  changeSettings(checkout.root, settings);
  await checkout.synthesize(ENVIRONMENT);
  return await terraform.plan({ targets: VERSIONED });
}

async function applyWith(settings: Readonly<Record<string, unknown>>): Promise<void> {
  changeSettings(checkout.root, settings);
  await checkout.synthesize(ENVIRONMENT);
  await terraform.apply({ targets: VERSIONED });
}

/** The planned version of a resource, by its address. */
function plannedVersions({ json }: Plan): Readonly<Record<string, string>> {
  const changes = json.resource_changes as readonly {
    readonly address: string;
    readonly mode: string;
    readonly change: { readonly after: Readonly<Record<string, string>> };
  }[];
  return Object.fromEntries(
    changes
      .filter(({ mode, address }) => mode === 'managed' && VERSIONED.includes(address))
      .map(({ address, change: { after } }) => [address, after.version ?? after.addon_version]),
  ) as Readonly<Record<string, string>>;
}

const VERSIONS_OF = (minor: number) => ({
  'aws_eks_cluster.this': `1.${minor}`,
  [NODES]: `1.${minor}`,
  'aws_eks_addon.vpc_cni': `v1.${minor}.1-eksbuild.1`,
  'aws_eks_addon.coredns': `v1.${minor}.1-eksbuild.1`,
});

const everythingAt = (minor: number) => async () => {
  const plan = await terraform.plan({ targets: VERSIONED });
  expect(plan.changes).toEqual([]);
  const state = await checkout.localState(ENVIRONMENT, 'file-processing');
  for (const version of Object.values(VERSIONS_OF(minor))) expect(state).toContain(`"${version}"`);
};

async function upgradeAsEksDoes(version: string): Promise<void> {
  const eks = await emulatedAws(emulator)({ region: REGION, profile: '' }).eks();
  await eks.send(new UpdateClusterVersionCommand({ name: CLUSTER, version }));
}

const manage = (...parameters: string[]) => {
  const targets = VERSIONED.flatMap((address) => ['--target', address]);
  return checkout.manage([...parameters, ...targets]);
};

test('a first deploy gets 1.35, with nodes and add-ons', async () => {
  expect(plannedVersions(await planWith({}))).toEqual(VERSIONS_OF(35));
});

describe('a cluster that the default of the release before made', () => {
  beforeAll(async () => {
    asOfTheReleaseBefore();
    await terraform.apply({ targets: VERSIONED });
  });

  test('is left alone by the new default', async () => {
    const plan = await planWith({});
    expect(plan.changes).toEqual([]);
  });

  test('is upgraded where the tfvars name a version, in place, and nodes and add-ons follow', async () => {
    const plan = await planWith({ kubernetes_version: '1.35' });
    expect(plannedVersions(plan)).toEqual(VERSIONS_OF(35));
    expect(new Set(plan.changes.flatMap(({ actions }) => actions))).toEqual(new Set(['update']));
    await terraform.applyPlan();
    await everythingAt(35)();
  });
});

describe('manage refuses', () => {
  test('a version that is two minor ones away', async () => {
    changeSettings(checkout.root, { kubernetes_version: '1.37' });
    const { code, stderr } = await manage('plan');
    expect(code).toBe(EXIT.refused);
    expect(stderr).toContain('EKS upgrades by one minor version at a time');
    expect(stderr).toContain('kubernetes_version = "1.36"');
  });

  test('a version that is older', async () => {
    changeSettings(checkout.root, { kubernetes_version: '1.34' });
    const { code, stderr } = await manage('apply', '--auto-approve');
    expect(code).toBe(EXIT.refused);
    expect(stderr).toContain('kubernetes_version is behind the cluster');
    expect(stderr).toContain('kubernetes_version = "1.35"');
  });

  test('an add-on that would go back to the default', async () => {
    changeSettings(checkout.root, {
      kubernetes_version: '1.35',
      addon_versions: { coredns: 'v1.35.2-eksbuild.1' },
    });
    const newer = await manage('apply', '--auto-approve');
    expect(newer.code, newer.stderr).toBe(EXIT.ok);
    changeSettings(checkout.root, { addon_versions: {} });
    const { code, stderr } = await manage('plan');
    expect(code).toBe(EXIT.refused);
    expect(stderr).toContain('addon_versions = { coredns = "v1.35.2-eksbuild.1" }');
  });
});

describe('a cluster that EKS has upgraded', () => {
  test('is not set back with STANDARD support, nodes and add-ons follow, and a plan says what is behind', async () => {
    await applyWith({ addon_versions: {}, cluster_support_type: 'STANDARD' });
    await upgradeAsEksDoes('1.36');
    const plan = await planWith({});
    expect(plannedVersions(plan)).toEqual(VERSIONS_OF(36));
    expect(plan.changes.map(({ address }) => address)).not.toContain('aws_eks_cluster.this');
    const { text } = await terraform.plan();
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      `kubernetes_version is 1.35, but EKS has upgraded ${CLUSTER} to 1.36`,
    );
  });

  test('is as the tfvars say once they name its version', async () => {
    await planWith({ kubernetes_version: '1.36' });
    expect((await terraform.plan()).text).not.toContain('but EKS has upgraded');
    await applyWith({});
    await everythingAt(36)();
  });
});

describe('nodes with an image of the operator', () => {
  beforeAll(() => applyWith({ ami_id: 'ami-0a1b2c3d4e5f67890' }));

  test('stay at its version when the control plane is upgraded', async () => {
    await applyWith({ kubernetes_version: '1.37' });
    const state = JSON.parse(await checkout.localState(ENVIRONMENT, 'file-processing'));
    const versionOf = (type: string) =>
      state.resources.find(
        (one: { mode: string; type: string }) => one.mode === 'managed' && one.type === type,
      ).instances[0].attributes.version;
    expect([versionOf('aws_eks_cluster'), versionOf('aws_eks_node_group')]).toEqual([
      '1.37',
      '1.36',
    ]);
  });

  test('keep manage from an upgrade that would leave them two versions behind', async () => {
    changeSettings(checkout.root, { kubernetes_version: '1.38' });
    const { code, stderr } = await manage('plan');
    expect(code).toBe(EXIT.refused);
    expect(stderr).toContain(`while the nodes of ${NODES} stay at 1.36`);
    expect(stderr).toContain('give the nodes an image of 1.37 first (ami_id)');
  });
});
