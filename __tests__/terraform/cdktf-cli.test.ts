import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT, STACKS } from '../support/run-main.ts';
import { type ProgramResult, run } from '../support/run-program.ts';
import { ACCOUNT, REGION } from './support/aws-account.ts';
import { type AttachedAws, startAttachedAws } from './support/attached-provider.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { terraformEnvironment, terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';

let emulator: AttachedAws;
let checkout: Checkout;
let cliConfigDirectory: string;

beforeAll(async () => {
  emulator = await startAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  cliConfigDirectory = mkdtempSync(join(tmpdir(), 'terraform-cli-'));
  checkout = temporaryCheckout();
  checkout.addEnvironment(ENVIRONMENT);
  relaxAfterSynth();
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
  await rm(cliConfigDirectory, { recursive: true, force: true });
});

/** Lets the checkout's own app command be followed by the rewriting of the provider's constraint. */
function relaxAfterSynth(): void {
  const configuration = JSON.parse(readFileSync(join(ROOT, 'cdktf.json'), 'utf8'));
  const node = './node_modules/.bin/node';
  const app = `${configuration.app} && ${node} ${join(import.meta.dirname, 'support/relax-output.ts')}`;
  checkout.write('cdktf.json', JSON.stringify({ ...configuration, app }));
}

/** Runs the cdktf CLI in the checkout as a user does. */
async function cdktf(...programArguments: string[]): Promise<ProgramResult> {
  return await run('npx', ['cdktf', ...programArguments], {
    directory: checkout.root,
    environment: {
      ...terraformEnvironment(emulator, cliConfigDirectory),
      CI: '1',
      DISABLE_VERSION_CHECK: '1',
      ENVIRONMENT,
    },
  });
}

/** The same, and it must end well. */
async function succeeds(...programArguments: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cdktf(...programArguments);
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** Without the line ends that the CLI puts into what is longer than a line. */
function unwrapped(output: string): string {
  return output.replaceAll(/\s+/g, ' ');
}

const deployment = ['--auto-approve', '--skip-provider-lock'];

test('cdktf deploy file-processing without a network fails with the message that says what to do', async () => {
  const { exitCode, stdout, stderr } = await cdktf('deploy', 'file-processing', ...deployment);
  expect(exitCode).toBe(1);
  expect(`${stdout}${stderr}`.replaceAll(/\s+(│\s+)?/g, ' ')).toContain(
    'There must be exactly one VPC named etl-platform-vpc',
  );
});

test('cdktf synth names both stacks', async () => {
  const output = await succeeds('synth');
  expect(output).toContain('Generated Terraform code for the stacks:');
  for (const stack of STACKS) expect(output).toContain(stack);
});

describe('cdktf deploy', () => {
  let network: string;
  let processing: string;

  beforeAll(async () => {
    network = await succeeds('deploy', 'foundation-network', ...deployment);
    processing = await succeeds('deploy', 'file-processing', ...deployment);
  });

  test('deploys foundation-network and shows its outputs', () => {
    expect(network).toMatch(/vpc_id = vpc-[0-9a-f]+/);
  });

  test('deploys file-processing, one after the other, and shows its outputs', () => {
    expect(unwrapped(processing)).toContain(
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

  test('has nothing left to do in a cdktf diff', async () => {
    expect(await succeeds('diff', 'file-processing', '--skip-provider-lock')).toContain(
      'No changes.',
    );
  });

  test('is shown again by cdktf output, also as a file of JSON', async () => {
    const file = join(checkout.root, 'outputs.json');
    const shown = await succeeds(
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
    await succeeds('synth', '--hcl', '--output', outputFolder);
  });

  // The state is that of the JSON: a difference between the two forms would be a change.
  test.each(STACKS)('of %s is valid and means the same as the JSON', async (stack) => {
    const folder = checkout.stackFolder(stack, outputFolder);
    expect(readdirSync(folder)).toContain('cdk.tf');
    expect(readdirSync(folder)).not.toContain('cdk.tf.json');
    const terraform = terraformIn(folder, { aws: emulator });
    try {
      await terraform.init();
      await terraform.validate();
      expect(await terraform.plan()).toMatchObject({ exitCode: 0, changes: [] });
    } finally {
      await terraform.close();
    }
  });
});

describe('cdktf destroy', () => {
  beforeAll(async () => {
    await succeeds('destroy', 'file-processing', ...deployment);
    await succeeds('destroy', 'foundation-network', ...deployment);
  });

  test.each(STACKS)('leaves nothing of %s', async (stack) => {
    const state = JSON.parse(await checkout.localState(ENVIRONMENT, stack));
    expect(state.resources).toEqual([]);
  });
});
