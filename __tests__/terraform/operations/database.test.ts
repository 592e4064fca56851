import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAws, emptyAttachedAws } from '../support/attached-provider.ts';
import { createNetwork, REGION } from '../support/aws-account.ts';
import {
  type Managed,
  type ManagedCheckout,
  managedCheckout,
} from '../support/managed-checkout.ts';

const ENVIRONMENT = 'etl-playground';
const ID = 'etl-platform-postgres';
const RDS = { Version: '2014-10-31' };

let emulator: AttachedAws;
let checkout: ManagedCheckout;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await createNetwork(emulator, 'etl-platform');
  checkout = managedCheckout(emulator);
  checkout.addEnvironment(ENVIRONMENT);
  checkout.write(
    join('environments', ENVIRONMENT, 'postgres_on_demand.tfvars'),
    `foundation_name_prefix = "etl-platform"
aws_region                  = "${REGION}"
aws_profile                 = ""
monitoring_interval_seconds = 0
`,
  );
  ended(await checkout.manage(['apply', 'postgres-on-demand', '--auto-approve']), 0);
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
});

function ended({ code, stdout, stderr }: Managed, expected: number): string {
  expect(code, `${stdout}${stderr}`).toBe(expected);
  return `${stdout}${stderr}`;
}

interface StateResource {
  readonly mode: string;
  readonly type: string;
  readonly instances: readonly { readonly attributes: { readonly id: string } }[];
}

async function resourcesInState(): Promise<readonly StateResource[]> {
  const path = join(checkout.root, `terraform.${ENVIRONMENT}.postgres-on-demand.tfstate`);
  return JSON.parse(await readFile(path, 'utf8')).resources;
}

/** Id of the database in Terraform's state: the one that RDS gives it for ever. */
async function idInState(): Promise<string | undefined> {
  const resources = await resourcesInState();
  return resources.find(({ type }) => type === 'aws_db_instance')?.instances[0]?.attributes.id;
}

/** Names of the databases that RDS has. */
async function databases(): Promise<readonly string[]> {
  const answer = await emulator.query('rds', REGION, { ...RDS, Action: 'DescribeDBInstances' });
  return [...answer.matchAll(/<DBInstanceIdentifier>([^<]+)</g)].map(([, name = '']) => name);
}

/** Deletes what db-restore has kept, as its last words say. */
async function deleteKept(): Promise<void> {
  const kept = (await databases()).find((name) => name.startsWith(`${ID}-until-`)) ?? '';
  const named = { ...RDS, DBInstanceIdentifier: kept };
  await emulator.query('rds', REGION, {
    ...named,
    Action: 'ModifyDBInstance',
    DeletionProtection: 'false',
  });
  await emulator.query('rds', REGION, {
    ...named,
    Action: 'DeleteDBInstance',
    SkipFinalSnapshot: 'true',
  });
}

describe('the database on demand', () => {
  test('is stopped and started', async () => {
    expect(ended(await checkout.manage(['db-stop', '--auto-approve']), 0)).toContain('now stopped');
    expect(ended(await checkout.manage(['db-start']), 0)).toContain('now available');
  });

  test('is restored from its snapshot, while the present one stays, and the state follows', async () => {
    const before = await idInState();
    ended(await checkout.manage(['db-snapshot', 'good']), 0);
    ended(await checkout.manage(['db-restore', 'good', '--auto-approve']), 0);
    expect(await databases()).toEqual(
      expect.arrayContaining([ID, expect.stringMatching(`^${ID}-until-`)]),
    );
    const after = await idInState();
    expect(after).toMatch(/^db-/);
    expect(after).not.toBe(before);
    ended(await checkout.manage(['apply', 'postgres-on-demand', '--auto-approve']), 0);
    ended(await checkout.manage(['plan', 'postgres-on-demand']), 0);
  });

  test('is destroyed only by who says that data may be lost, and leaves a snapshot', async () => {
    ended(await checkout.manage(['destroy', 'postgres-on-demand', '--auto-approve']), 77);
    // It uses the stack's subnets and key; so its owner deletes it before, as db-restore says.
    await deleteKept();
    const allowed = ['destroy', 'postgres-on-demand', '--auto-approve', '--allow-data-loss'];
    ended(await checkout.manage(allowed), 0);
    expect(await databases()).not.toContain(ID);
    const snapshots = await emulator.query('rds', REGION, {
      ...RDS,
      Action: 'DescribeDBSnapshots',
    });
    expect(snapshots).toContain(`<DBSnapshotIdentifier>${ID}-final<`);
    const managed = (await resourcesInState()).filter(({ mode }) => mode === 'managed');
    expect(managed.map(({ type }) => type)).toEqual(['aws_kms_alias', 'aws_kms_key']);
  });
});
