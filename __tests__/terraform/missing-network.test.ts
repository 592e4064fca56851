import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, type ForeignNetwork, REGION, tagResource } from './support/aws-account.ts';
import { type CdktfCli, cdktfIn, unwrapped } from './support/cdktf-cli.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { type Terraform, terraformIn } from './support/terraform.ts';

const PREFIX = 'etl-platform';

let emulator: AttachedAws;
let checkout: Checkout;
let processing: Terraform;
let cliConfigDirectory: string;
let cdktf: CdktfCli;

/** Terraform on the file-processing stack of an environment, initialized. */
async function opened(environment: string): Promise<Terraform> {
  const outputFolder = `cdktf.out.${environment}`;
  await checkout.synthesize(environment, outputFolder);
  const folder = checkout.stackFolder('file-processing', outputFolder);
  const terraform = terraformIn(folder, { aws: emulator });
  await terraform.init();
  return terraform;
}

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  checkout = temporaryCheckout();
  checkout.addEnvironment('etl-playground');
  cliConfigDirectory = mkdtempSync(join(tmpdir(), 'terraform-cli-'));
  cdktf = cdktfIn(checkout, 'etl-playground', emulator, cliConfigDirectory);
  processing = await opened('etl-playground');
});

afterAll(async () => {
  await processing?.close();
  await emulator?.stop();
  await checkout?.close();
  await rm(cliConfigDirectory, { recursive: true, force: true });
});

test('a plan without a network says which VPC it looked for and what to do', async () => {
  await expect(processing.plan()).rejects.toThrow(
    /There must be exactly one VPC named\s+etl-platform-vpc in\s+us-gov-west-1: deploy\s+foundation-network first, or set\s+vpc_id/,
  );
});

test('cdktf deploy file-processing without a network fails with the message that says what to do', async () => {
  const message = 'There must be exactly one VPC named etl-platform-vpc';
  const { exitCode, stdout } = await cdktf.fails(
    message,
    'deploy',
    'file-processing',
    '--auto-approve',
    '--skip-provider-lock',
  );
  expect(exitCode).toBe(1);
  expect(unwrapped(stdout)).toContain(message);
});

describe('with a VPC of another name', () => {
  let network: ForeignNetwork;

  beforeAll(async () => {
    network = await createNetwork(emulator, PREFIX, 'somebody-elses');
  });

  test('vpc_id takes it, and the private subnets in it', async () => {
    checkout.addEnvironment(
      'etl-playground',
      { fileProcessing: { vpc_id: network.vpcId } },
      'override',
    );
    const overridden = await opened('override');
    try {
      const { json } = await overridden.plan();
      expect(plannedSubnets(json)).toEqual(network.privateSubnetIds);
      expect(JSON.stringify(json)).not.toContain('data.aws_vpcs');
    } finally {
      await overridden.close();
    }
  });

  test('private_subnet_ids takes just these, and no name', async () => {
    const values = {
      vpc_id: network.vpcId,
      private_subnet_ids: network.privateSubnetIds,
      foundation_name_prefix: 'nobodys',
    };
    checkout.addEnvironment('etl-playground', { fileProcessing: values }, 'ids');
    const overridden = await opened('ids');
    try {
      const { json } = await overridden.plan();
      expect(plannedSubnets(json)).toEqual(network.privateSubnetIds);
    } finally {
      await overridden.close();
    }
  });

  test('private_subnet_ids of another VPC are refused with what to do', async () => {
    const [id] = network.privateSubnetIds;
    const values = { vpc_id: network.vpcId, private_subnet_ids: [id, 'subnet-0a1b2c3d'] };
    checkout.addEnvironment('etl-playground', { fileProcessing: values }, 'other-ids');
    const overridden = await opened('other-ids');
    try {
      await expect(overridden.plan()).rejects.toThrow(
        /Not all 2 of private_subnet_ids are in VPC\s+vpc-\w+:\s+correct\s+private_subnet_ids or\s+vpc_id/,
      );
    } finally {
      await overridden.close();
    }
  });

  test('private_subnet_tags takes the subnets that have every tag', async () => {
    const values = { vpc_id: network.vpcId, private_subnet_tags: { tier: 'files', zone: '?' } };
    for (const [index, id] of network.privateSubnetIds.entries()) {
      await tagResource(emulator, id, 'tier', 'files');
      await tagResource(emulator, id, 'zone', `${index}`);
    }
    checkout.addEnvironment('etl-playground', { fileProcessing: values }, 'tags');
    const overridden = await opened('tags');
    try {
      const { json } = await overridden.plan();
      expect(plannedSubnets(json)).toEqual(network.privateSubnetIds);
    } finally {
      await overridden.close();
    }
  });

  test('vpc_id of a VPC without private subnets of ours is refused', async () => {
    const values = { vpc_id: network.vpcId, foundation_name_prefix: 'nobodys' };
    checkout.addEnvironment('etl-playground', { fileProcessing: values }, 'no-subnets');
    const overridden = await opened('no-subnets');
    try {
      await expect(overridden.plan()).rejects.toThrow(
        /Fewer than two private subnets named\s+nobodys-private-\* in VPC/,
      );
    } finally {
      await overridden.close();
    }
  });
});

test('a plan by a role of another account looks for the network there', async () => {
  await createNetwork(emulator, PREFIX);
  const values = { assume_role_arn: 'arn:aws-us-gov:iam::210987654321:role/etl-deploy' };
  checkout.addEnvironment('etl-playground', { fileProcessing: values }, 'by-role');
  const byRole = await opened('by-role');
  try {
    await expect(byRole.plan()).rejects.toThrow(/There must be exactly one VPC named/);
  } finally {
    await byRole.close();
  }
});

test('a plan with two VPCs of the name is refused instead of taking one of them', async () => {
  await createNetwork(emulator, PREFIX);
  await createNetwork(emulator, PREFIX);
  await expect(processing.plan()).rejects.toThrow(/There must be exactly one VPC/);
});

/** Subnets that a plan gives the cluster. */
function plannedSubnets(plan: Readonly<Record<string, unknown>>): unknown {
  const { planned_values: values } = plan as {
    readonly planned_values: {
      readonly root_module: {
        readonly resources: readonly {
          readonly address: string;
          readonly values: { readonly vpc_config?: readonly { readonly subnet_ids: unknown }[] };
        }[];
      };
    };
  };
  return values.root_module.resources.find(({ address }) => address === 'aws_eks_cluster.this')
    ?.values.vpc_config?.[0]?.subnet_ids;
}
