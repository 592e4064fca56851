import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT, STACKS } from '../support/run-main.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, createRole, createSecurityGroup, REGION } from './support/aws-account.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { relaxAwsProvider } from './support/synthesized-stack.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

type Stack = (typeof STACKS)[number];

/** What older versions made of the same tfvars; the page in it says how it is laid out. */
const DEPLOYED = join(ROOT, '__tests__/fixtures/upgrade');

/** The security group of the database in the recorded tfvars. */
const RECORDED_GROUP = 'sg-0a1b2c3d4e5f67890';

/**
 * What a plan may do to a stack that an older version deployed, by address: what the change log tells. Nothing that
 * runs may be deleted, replaced or renamed, so an address with a `delete` is here with the reason why it may.
 */
const EXPECTED: Readonly<Record<Stack, Readonly<Record<string, string>>>> = {
  'foundation-network': {},
  'file-processing': {
    // Terraform can't change a lifecycle policy in place. Without one, nothing expires; of two, the deletion of the
    // old one would take the new one away.
    'aws_ecr_lifecycle_policy.file_processing': 'delete,create',
    // In the state alone: what replaces the nodes once it changes.
    'terraform_data.node_group': 'create',
    // Its text names the command that takes dead letters in again.
    'aws_cloudwatch_metric_alarm.dead_letters': 'update',
    // The listener may list the versions of objects.
    'aws_iam_policy.file_processing_s3': 'update',
  },
};

/** What is planned beside that in some environments. */
const EXPECTED_IN: Readonly<Record<string, Partial<typeof EXPECTED>>> = Object.fromEntries(
  // The listener takes what SNS gave up on. Where it has a queue, SQS moves dead letters back into that.
  ['complete', 'etl-playground'].map((environment) => [
    environment,
    { 'file-processing': { 'aws_iam_policy.file_processing_delivery': 'update' } },
  ]),
);

/** Environments with the version that deployed them. */
const deployed = readdirSync(DEPLOYED, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: version }) =>
    readdirSync(join(DEPLOYED, version, 'environments')).map((environment) => ({
      version,
      environment,
    })),
  );

test('every version has environments that deliver by endpoint, by queue and by neither', () => {
  const environments = Object.groupBy(deployed, ({ version }) => version);
  expect(Object.keys(environments)).toContain('0.2.0');
  for (const of of Object.values(environments)) {
    expect(of?.map(({ environment }) => environment)).toEqual([
      ...['complete', 'etl-playground', 'queue'],
    ]);
  }
});

describe.each(deployed)('$environment as $version deployed it', ({ version, environment }) => {
  const folder = join(DEPLOYED, version, 'environments', environment);
  const stacks = STACKS.filter((stack) => existsSync(join(folder, `${stack}.json`)));
  const terraforms = new Map<Stack, Terraform>();
  let emulator: AttachedAws;
  let checkout: ManagedCheckout;

  beforeAll(async () => {
    emulator = await emptyAttachedAws();
    for (const bucket of ['', '-prod']) {
      await emulator.createBucket(`etl-ba-research-client-etl${bucket}`, REGION);
    }
    for (const role of ['etl-admin', 'etl-deploy']) await createRole(emulator, role);
    const group = await createSecurityGroup(emulator, 'database');
    if (!stacks.includes('foundation-network')) await createNetwork(emulator, 'etl-platform');
    const recorded = (file: string) =>
      readFileSync(join(folder, file), 'utf8').replaceAll(RECORDED_GROUP, group);
    checkout = managedCheckout(emulator);
    for (const file of ['foundation_network.tfvars', 'file_processing.tfvars']) {
      checkout.write(join('environments', environment, file), recorded(file));
    }
    for (const stack of stacks) {
      const json = relaxAwsProvider(recorded(`${stack}.json`));
      checkout.write(join('cdktf.out/stacks', stack, 'cdk.tf.json'), json);
      const terraform = terraformIn(checkout.stackFolder(stack), { aws: emulator });
      terraforms.set(stack, terraform);
      await terraform.init();
      await terraform.apply();
    }
    await checkout.synthesize(environment);
  });

  afterAll(async () => {
    for (const terraform of terraforms.values()) await terraform.close();
    await emulator?.stop();
    await checkout?.close();
  });

  describe.each(stacks)('%s', (stack) => {
    const terraform = () => terraforms.get(stack) as Terraform;

    test('is planned to change as the change log says: nothing that runs is deleted or replaced', async () => {
      await terraform().init();
      expect(actionsIn(await terraform().plan())).toEqual({
        ...EXPECTED[stack],
        ...EXPECTED_IN[environment]?.[stack],
      });
    });

    test('is not refused by manage', async () => {
      const { code, stderr } = await checkout.manage(['plan', stack, '--environment', environment]);
      expect(code, stderr).toBe(Object.keys(EXPECTED[stack]).length === 0 ? 0 : 2);
    });

    test('has nothing left to do after the upgrade', async () => {
      await terraform().apply();
      expect(await terraform().plan()).toMatchObject({ exitCode: 0, changes: [] });
    });
  });
});

function actionsIn({ changes }: Plan): Readonly<Record<string, string>> {
  return Object.fromEntries(changes.map(({ address, actions }) => [address, actions.join()]));
}
