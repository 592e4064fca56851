import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../support/run-main.ts';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { createNetwork, REGION } from './support/aws-account.ts';
import { type ManagedCheckout, managedCheckout } from './support/managed-checkout.ts';
import { withValues } from './support/tfvars.ts';

const ENVIRONMENT = 'government';

/** The stacks in the order in which they are deployed. */
const STACKS = ['postgres-on-demand', 'file-processing'] as const;

let emulator: AttachedAws;
let checkout: ManagedCheckout;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  // Of the name that no lookup goes by.
  const { vpcId, privateSubnetIds } = await createNetwork(emulator, 'agency', 'the-agency');
  for (const bucket of ['agency-etl-drop', 'agency-etl-letters']) {
    await emulator.createBucket(bucket, REGION);
  }
  checkout = managedCheckout(emulator);
  for (const file of ['postgres_on_demand.tfvars', 'file_processing.tfvars']) {
    const path = join('environments', ENVIRONMENT, file);
    const values = {
      ...{ vpc_id: vpcId, private_subnet_ids: privateSubnetIds },
      ...{ aws_profile: '', state_bucket: '', state_kms_key_arn: '' },
      // The binary of the Kubernetes provider may not be at hand.
      ...(file.startsWith('file') && { manage_kubernetes: false }),
    };
    checkout.write(path, withValues(readFileSync(join(ROOT, path), 'utf8'), values));
  }
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
});

async function manage(...parameters: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await checkout.manage([
    ...parameters,
    ...['--environment', ENVIRONMENT],
  ]);
  expect(code, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

async function rolesOfState(): Promise<readonly Readonly<Record<string, string>>[]> {
  const states = await Promise.all(STACKS.map((stack) => checkout.localState(ENVIRONMENT, stack)));
  return states
    .flatMap((state) => JSON.parse(state).resources)
    .filter(({ type }) => type === 'aws_iam_role')
    .map(({ instances }) => instances[0].attributes);
}

describe('the account of a government, with a network of others', () => {
  test.each(STACKS)('has %s applied, after which its plan is empty', async (stack) => {
    await manage('apply', stack, '--auto-approve');
    expect(JSON.parse(await manage('plan', stack, '--json'))).toMatchObject({ empty: true });
  });

  test('has every role below its boundary and path', async () => {
    const roles = await rolesOfState();
    expect(roles.length).toBeGreaterThan(3);
    for (const role of roles) {
      expect(role).toMatchObject({
        name: expect.stringMatching(/^agency-/),
        path: '/agency/etl/',
        permissions_boundary: 'arn:aws-us-gov:iam::123456789012:policy/agency-boundary',
      });
    }
  });

  test('has no foundation-network', async () => {
    const { code, stderr } = await checkout.manage([
      ...['apply', 'foundation-network', '--environment', ENVIRONMENT],
    ]);
    expect([code, stderr]).toEqual([
      64,
      expect.stringContaining('environment government has no foundation-network'),
    ]);
  });
});
