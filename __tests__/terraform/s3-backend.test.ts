import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from './support/attached-provider.ts';
import { REGION } from './support/aws-account.ts';
import { type Checkout, temporaryCheckout } from './support/checkout.ts';
import { openStacks, type Stacks } from './support/stacks.ts';
import { terraformIn } from './support/terraform.ts';

const ENVIRONMENT = 'etl-playground';
const BUCKET = 'etl-terraform-state';
const STATE = `file-processing-infra/${ENVIRONMENT}/foundation-network.tfstate`;
const LOCK = `${STATE}.tflock`;
const TARGET = 'aws_iam_role.flow_logs_writer';

/** As Terraform's S3 backend writes a lock file. */
const SOMEBODYS_LOCK = JSON.stringify({
  ID: '6e0a4b0e-2f57-4f6c-9e0a-0d5f1a2b3c4d',
  Operation: 'OperationTypeApply',
  Info: '',
  Who: 'somebody@elsewhere',
  Version: '1.11.4',
  Created: '2026-01-01T00:00:00Z',
  Path: `${BUCKET}/${STATE}`,
});

let emulator: AttachedAws;
let checkout: Checkout;
let stacks: Stacks;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket(BUCKET, REGION);
  checkout = temporaryCheckout();
  const state = { state_bucket: BUCKET };
  checkout.addEnvironment(ENVIRONMENT, { foundationNetwork: state, fileProcessing: state });
  stacks = await openStacks(checkout, ENVIRONMENT, emulator);
  await stacks.network.apply({ targets: [TARGET] });
});

afterAll(async () => {
  await stacks?.close();
  await emulator?.stop();
  await checkout?.close();
});

test('the state lies in the bucket, under prefix, environment and stack', async () => {
  expect(await emulator.getObject(BUCKET, STATE, REGION)).toContain('"flow_logs_writer"');
  expect(await stacks.network.stateList()).toEqual(expect.arrayContaining([TARGET]));
});

test('no state lies in the checkout', () => {
  const file = `terraform.${ENVIRONMENT}.foundation-network.tfstate`;
  expect(existsSync(join(checkout.root, file))).toBe(false);
});

test('the lock is released after an apply', async () => {
  await expect(emulator.getObject(BUCKET, LOCK, REGION)).rejects.toThrow('NoSuchKey');
});

test('the lock is taken before the state is written', async () => {
  const requests = (await emulator.log()).split('\n').filter((line) => line.includes('"PUT '));
  const paths = requests.map((line) => /"PUT \S*?\/([^/?\s]+)[?\s]/.exec(line)?.[1]);
  expect(paths).toContain('foundation-network.tfstate');
  expect(paths.indexOf('foundation-network.tfstate.tflock')).toBeLessThan(
    paths.indexOf('foundation-network.tfstate'),
  );
  expect(paths).toContain('foundation-network.tfstate.tflock');
});

describe('while somebody else holds the lock', () => {
  beforeAll(async () => {
    await emulator.putObject(BUCKET, LOCK, REGION, SOMEBODYS_LOCK);
  });

  test('a plan is refused and names who holds it', async () => {
    const plan = stacks.network.plan();
    await expect(plan).rejects.toThrow('Error acquiring the state lock');
    await expect(plan).rejects.toThrow('somebody@elsewhere');
  });

  test('an apply is refused and changes nothing', async () => {
    const before = await emulator.getObject(BUCKET, STATE, REGION);
    await expect(stacks.network.apply()).rejects.toThrow('Error acquiring the state lock');
    expect(await emulator.getObject(BUCKET, STATE, REGION)).toBe(before);
    expect(await emulator.getObject(BUCKET, LOCK, REGION)).toBe(SOMEBODYS_LOCK);
  });
});

test('a resource that is gone from AWS is planned anew', async () => {
  await emulator.deleteObject(BUCKET, LOCK, REGION);
  const state = await emulator.getObject(BUCKET, STATE, REGION);
  const role = /"name": "([^"]+)",\s+"name_prefix"/.exec(state)?.[1] ?? '';
  await emulator.query('iam', REGION, {
    Action: 'DeleteRole',
    Version: '2010-05-08',
    RoleName: role,
  });
  const { changes } = await stacks.network.plan({ targets: [TARGET] });
  expect(changes).toEqual([{ address: TARGET, actions: ['create'] }]);
});

test('a destroy empties the state once the lock is gone', async () => {
  await stacks.network.destroy();
  expect(await stacks.network.stateList()).toEqual([]);
});

test('Terraform takes a role for the state, with an external id', async () => {
  const byRole = {
    state_bucket: BUCKET,
    state_role_arn: 'arn:aws-us-gov:iam::210987654321:role/etl-state',
    assume_role_external_id: 'etl-4711',
  };
  checkout.addEnvironment(ENVIRONMENT, { foundationNetwork: byRole }, 'by-role');
  await checkout.synthesize('by-role', 'cdktf.out.by-role');
  const folder = checkout.stackFolder('foundation-network', 'cdktf.out.by-role');
  const terraform = terraformIn(folder, { aws: emulator });
  try {
    await terraform.init();
    await terraform.apply({ targets: [TARGET] });
  } finally {
    await terraform.close();
  }
  const initialized = readFileSync(join(folder, '.terraform/terraform.tfstate'), 'utf8');
  expect(JSON.parse(initialized)).toHaveProperty(
    'backend.config.assume_role',
    expect.objectContaining({ role_arn: byRole.state_role_arn, external_id: 'etl-4711' }),
  );
  expect(await emulator.getObject(BUCKET, STATE.replace(ENVIRONMENT, 'by-role'), REGION)).toContain(
    '"flow_logs_writer"',
  );
});
