import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMain, STACKS } from '../support/run-main.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { ACCOUNT, REGION } from './support/aws-account.ts';
import { type CdktfCli, cdktfIn, unwrapped } from './support/cdktf-cli.ts';
import { type Checkout, type StackName, temporaryCheckout } from './support/checkout.ts';
import { resourcesOf } from './support/synthesized-addresses.ts';
import { type AwsOfTest, type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';

/** All that this suite leaves out of the full file-processing stack. */
const NOT_APPLIED = [
  'kubernetes_config_map_v1.config',
  'kubernetes_cron_job_v1.reconciliation',
  'kubernetes_deployment_v1.sns_listener',
  'kubernetes_horizontal_pod_autoscaler_v2.sns_listener',
  'kubernetes_namespace_v1.ns',
  'kubernetes_network_policy_v1.reconciliation',
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
let cliConfigDirectory: string;
let cdktf: CdktfCli;
const opened: Terraform[] = [];

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  cliConfigDirectory = mkdtempSync(join(tmpdir(), 'terraform-cli-'));
  checkout = temporaryCheckout();
  checkout.addEnvironment(ENVIRONMENT);
  cdktf = cdktfIn(checkout, ENVIRONMENT, emulator, cliConfigDirectory);
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
  await rm(cliConfigDirectory, { recursive: true, force: true });
  await Promise.all(opened.map((terraform) => terraform.close()));
});

/** Terraform in a folder that the CLI has synthesized. */
function terraformOf(
  stack: StackName,
  outputFolder?: string,
  aws: AwsOfTest = emulator,
): Terraform {
  const terraform = terraformIn(checkout.stackFolder(stack, outputFolder), { aws });
  opened.push(terraform);
  return terraform;
}

const full = runMain({ environment: ENVIRONMENT }).json;
const deployment = ['--auto-approve', '--skip-provider-lock'];

test('cdktf synth names both stacks', async () => {
  const output = await cdktf.succeeds('synth');
  expect(output).toContain('Generated Terraform code for the stacks:');
  for (const stack of STACKS) expect(output).toContain(stack);
});

describe('cdktf deploy foundation-network', () => {
  let written: string;
  let network: Terraform;

  beforeAll(async () => {
    written = await cdktf.succeeds('deploy', 'foundation-network', ...deployment);
    network = terraformOf('foundation-network');
    await network.validate();
  });

  test('shows its outputs', () => {
    expect(written).toMatch(/vpc_id = vpc-[0-9a-f]+/);
  });

  test('applies every resource', async () => {
    expect((await network.stateList()).sort()).toEqual(resourcesOf(full['foundation-network']));
  });

  test('outputs what others need to find it', async () => {
    const id = (kind: string) => expect.stringMatching(new RegExp(`^${kind}-[0-9a-f]+$`));
    expect(await network.outputs()).toEqual({
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

describe('cdktf deploy file-processing', () => {
  let written: string;
  let processing: Terraform;

  beforeAll(async () => {
    written = await cdktf.succeeds('deploy', 'file-processing', ...deployment);
    processing = terraformOf('file-processing');
    await processing.validate();
  });

  test('shows its outputs', () => {
    expect(unwrapped(written)).toContain(
      `sns_topic_arn = arn:aws-us-gov:sns:${REGION}:${ACCOUNT}:file-processing-topic`,
    );
  });

  test('keeps each state beside the output folder, under environment and stack', () => {
    for (const stack of STACKS) {
      expect(existsSync(join(checkout.root, `terraform.${ENVIRONMENT}.${stack}.tfstate`))).toBe(
        true,
      );
    }
  });

  test('applies every resource but the Kubernetes objects', async () => {
    const applied = (await processing.stateList()).sort();
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

  test('has nothing left to do in a cdktf diff', async () => {
    const output = await cdktf.succeeds('diff', 'file-processing', '--skip-provider-lock');
    expect(output).toContain('No changes.');
  });

  test('outputs what an operator needs', async () => {
    const host = /^https:\/\/oidc\.eks\.us-gov-west-1\.amazonaws\.com\/id\/[0-9A-F]{32}$/;
    const outputs = await processing.outputs();
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
    const { exitCode, changes, json } = await processing.plan({ variables: { image } });
    expect({ exitCode, changes }).toEqual({ exitCode: 2, changes: [] });
    expect(changedOutputs(json)).toEqual({ image });
  });

  test('refuses an image that is not one', async () => {
    const plan = processing.plan({ variables: { image: 'Not An Image' } });
    await expect(plan).rejects.toThrow('image must be an image reference');
  });

  test('is shown again by cdktf output, also as a file of JSON', async () => {
    const file = join(checkout.root, 'outputs.json');
    const shown = await cdktf.succeeds(
      'output',
      'file-processing',
      '--skip-provider-lock',
      '--outputs-file',
      file,
    );
    expect(shown).toContain('cluster_name = file-processing-cluster');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      'file-processing': { cluster_name: 'file-processing-cluster' },
    });
  });
});

describe('cdktf synth --hcl', () => {
  const outputFolder = 'cdktf.out.hcl';

  beforeAll(async () => {
    await cdktf.succeeds('synth', '--hcl', '--output', outputFolder);
  });

  // The state is that of the JSON: a difference between the two forms would be a change.
  test.each(STACKS)('of %s is valid and means the same as the JSON', async (stack) => {
    const folder = checkout.stackFolder(stack, outputFolder);
    expect(readdirSync(folder)).toContain('cdk.tf');
    expect(readdirSync(folder)).not.toContain('cdk.tf.json');
    const terraform = terraformOf(stack, outputFolder);
    await terraform.init();
    await terraform.validate();
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });

  test('is planned with the provider that Terraform finds, installs and starts, as it does for its users', async () => {
    const terraform = terraformOf('foundation-network', outputFolder, { url: emulator.url });
    await terraform.init();
    expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
  });
});

describe('cdktf destroy', () => {
  beforeAll(async () => {
    await cdktf.succeeds('destroy', 'file-processing', ...deployment);
    await cdktf.succeeds('destroy', 'foundation-network', ...deployment);
  });

  test.each(STACKS)('leaves nothing of %s', async (stack) => {
    const state = JSON.parse(await checkout.localState(ENVIRONMENT, stack));
    expect(state.resources).toEqual([]);
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
