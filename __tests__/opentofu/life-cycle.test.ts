import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STACKS } from '../support/run-main.ts';
import { run } from '../support/run-program.ts';
import { REGION } from '../terraform/support/aws-account.ts';
import { type AwsEmulator, emptyAwsEmulator } from '../terraform/support/aws-emulator.ts';
import { type ManagedCheckout, managedCheckout } from '../terraform/support/managed-checkout.ts';
import { resourcesOf } from '../terraform/support/synthesized-addresses.ts';
import { openTofu, openTofuConfiguration } from './support/opentofu.ts';

const ENVIRONMENT = 'etl-playground';

let emulator: AwsEmulator;
let folder: string;
let tofu: string;
let environment: Record<string, string>;
let checkout: ManagedCheckout;

beforeAll(async () => {
  tofu = await openTofu();
  emulator = await emptyAwsEmulator();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  folder = mkdtempSync(join(tmpdir(), 'opentofu-'));
  environment = { TERRAFORM_BINARY: tofu, TF_CLI_CONFIG_FILE: openTofuConfiguration(folder) };
  checkout = managedCheckout(emulator, { environment });
  checkout.addEnvironment(ENVIRONMENT);
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
  await rm(folder, { recursive: true, force: true });
});

async function succeeds(...parameters: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await checkout.manage(parameters);
  expect(code, `${stdout}${stderr}`).toBe(0);
  return `${stdout}${stderr}`;
}

async function addressesIn(stack: (typeof STACKS)[number]): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await run(
    tofu,
    [`-chdir=${checkout.stackFolder(stack)}`, 'state', 'list'],
    { environment: { ...process.env, ...environment } },
  );
  expect(exitCode, stderr).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

describe.each(STACKS)('OpenTofu with %s', (stack) => {
  test('applies every resource that was synthesized', async () => {
    const written = await succeeds('apply', stack, '--auto-approve');
    expect(written).toContain(`the plain plan of ${stack} is empty`);
    expect(await addressesIn(stack)).toEqual(resourcesOf(await checkout.stackJson(stack)));
  });

  test('finds the configuration valid', async () => {
    const { exitCode, stdout, stderr } = await run(
      tofu,
      [`-chdir=${checkout.stackFolder(stack)}`, 'validate'],
      { environment: { ...process.env, ...environment } },
    );
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
  });

  test('has nothing left to do', async () => {
    expect(JSON.parse((await checkout.manage(['plan', stack, '--json'])).stdout)).toMatchObject({
      empty: true,
    });
  });
});

test('doctor finds OpenTofu in the place of Terraform', async () => {
  const { stdout } = await checkout.manage(['doctor', '--json']);
  expect(JSON.parse(stdout)).toContainEqual(
    expect.objectContaining({ name: tofu, state: 'ok', found: expect.stringMatching(/^1\.\d+/) }),
  );
});

test.each(STACKS.toReversed())('OpenTofu destroys %s', async (stack) => {
  await succeeds('destroy', stack, '--auto-approve');
  expect(await addressesIn(stack)).toEqual([]);
});
