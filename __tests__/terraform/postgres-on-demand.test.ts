import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AttachedAws,
  emptyAttachedAws,
  withProviderOfItsOwn,
} from './support/attached-provider.ts';
import { ACCOUNT, createNetwork, REGION } from './support/aws-account.ts';
import { cdktfIn } from './support/cdktf-cli.ts';
import { type Checkout, type StackName, temporaryCheckout } from './support/checkout.ts';
import { type Plan, type Terraform, terraformIn } from './support/terraform.ts';

const ENGINES = ['rds', 'aurora'] as const;
type Engine = (typeof ENGINES)[number];

const DATABASES = { rds: 'aws_db_instance.database', aurora: 'aws_rds_cluster.database' };

let emulator: AttachedAws;
/** The emulator with a provider for each engine, since their commands run at the same time. */
let awsOf: Readonly<Record<Engine, AttachedAws>>;
let checkout: Checkout;
let cliConfigDirectory: string;
const databases = new Map<Engine, Terraform>();
const processings = new Map<Engine, Terraform>();

const nameOf = (engine: Engine) => `etl-${engine}`;
const found = (terraforms: ReadonlyMap<Engine, Terraform>, engine: Engine): Terraform => {
  const terraform = terraforms.get(engine);
  if (terraform === undefined) throw new Error(`Terraform was not started for ${engine}`);
  return terraform;
};

/** Writes an environment whose file-processing takes the database of its own, and synthesizes it. */
async function synthesize(engine: Engine, lines = ''): Promise<void> {
  checkout.addEnvironment('etl-playground', { fileProcessing: { database: 'on_demand' } }, engine);
  const folder = `environments/${engine}`;
  const processing = readFileSync(join(checkout.root, folder, 'file_processing.tfvars'), 'utf8');
  checkout.write(`${folder}/file_processing.tfvars`, processing.replaceAll(/^db_.*\n/gm, ''));
  const own = `aws_profile = ""\nengine = "${engine}"\nidentifier = "${nameOf(engine)}"\n`;
  checkout.write(`${folder}/postgres_on_demand.tfvars`, `${own}${lines}`);
  await checkout.synthesize(engine, `cdktf.out.${engine}`);
}

async function opened(engine: Engine, stack: StackName): Promise<Terraform> {
  const folder = checkout.stackFolder(stack, `cdktf.out.${engine}`);
  const terraform = terraformIn(folder, { aws: awsOf[engine] });
  await terraform.init();
  return terraform;
}

// Most of each step is the provider waiting for RDS: both engines wait at the same time.
const both = <T>(step: (engine: Engine) => Promise<T>): Promise<T[]> =>
  Promise.all(ENGINES.map(step));

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  awsOf = { rds: emulator, aurora: await withProviderOfItsOwn(emulator) };
  await createNetwork(emulator, 'etl-platform');
  checkout = temporaryCheckout();
  cliConfigDirectory = mkdtempSync(join(tmpdir(), 'terraform-cli-'));
  await both(async (engine) => {
    await synthesize(engine);
    databases.set(engine, await opened(engine, 'postgres-on-demand'));
    processings.set(engine, await opened(engine, 'file-processing'));
  });
});

afterAll(async () => {
  await Promise.all([...databases.values(), ...processings.values()].map((one) => one.close()));
  await emulator?.stop();
  await checkout?.close();
  await rm(cliConfigDirectory, { recursive: true, force: true });
});

test.each(ENGINES)(
  'a plan of file-processing without its database of %s says what to do',
  async (engine) => {
    const plan = found(processings, engine).plan();
    await expect(plan).rejects.toThrow(
      new RegExp(
        `There is no database\\s+${nameOf(engine)}\\s+in\\s+us-gov-west-1:\\s+deploy\\s+postgres-on-demand\\s+first`,
      ),
    );
  },
);

describe('terraform apply', () => {
  beforeAll(() => both((engine) => found(databases, engine).apply()));

  test.each(ENGINES)('of %s leaves nothing to do', async (engine) => {
    expect(await found(databases, engine).plan()).toMatchObject({ exitCode: 0, changes: [] });
  });

  test.each(ENGINES)('of %s outputs what others need to find it', async (engine) => {
    const name = nameOf(engine);
    expect(await found(databases, engine).outputs()).toEqual({
      database_host: expect.stringMatching(new RegExp(`^${name}\\.`)),
      database_identifier: name,
      database_name: 'file_processing',
      database_port: 5432,
      database_resource_id: expect.stringMatching(/^(db|cluster)-[A-Z0-9]{26}$/),
      database_security_group_id: expect.stringMatching(/^sg-[0-9a-f]+$/),
      final_snapshot_identifier: `${name}-final`,
      master_user_secret_arn: expect.stringMatching(
        new RegExp(`^arn:aws-us-gov:secretsmanager:${REGION}:${ACCOUNT}:secret:rds!`),
      ),
    });
  });

  test.each(ENGINES)('of %s puts no password into the state', async (engine) => {
    const state = await checkout.localState(engine, 'postgres-on-demand');
    const values = [...state.matchAll(/"(?:master_)?password(?:_wo)?": (\S+?),/g)];
    expect(values.length).toBeGreaterThan(0);
    expect(values.map(([, value]) => value)).toEqual(values.map(() => 'null'));
  });

  test.each(ENGINES)('of %s is found by file-processing at plan', async (engine) => {
    const outputs = await found(databases, engine).outputs();
    const { json } = await found(processings, engine).plan();
    const rule = planned(json, 'aws_vpc_security_group_ingress_rule.database');
    expect(rule).toMatchObject({
      security_group_id: outputs.database_security_group_id,
      from_port: 5432,
    });
    expect(planned(json, 'aws_iam_policy.file_processing_database').policy).toContain(
      `:rds-db:${REGION}:${ACCOUNT}:dbuser:${outputs.database_resource_id}/file_processing`,
    );
  });
});

describe('a change', () => {
  beforeAll(() =>
    both((engine) =>
      synthesize(engine, 'deletion_protection = false\nbackup_retention_days = 30\n'),
    ),
  );

  test.each(ENGINES)('of %s is made in place', async (engine) => {
    const { changes } = await found(databases, engine).plan();
    expect(changes).toEqual([
      { address: DATABASES[engine], actions: ['update'], importing: undefined },
    ]);
  });

  test('is applied, and leaves nothing to do', async () => {
    await both((engine) => found(databases, engine).apply());
    for (const engine of ENGINES) {
      expect(await found(databases, engine).plan()).toMatchObject({ exitCode: 0, changes: [] });
    }
  });
});

describe('a destroy, of RDS by the cdktf CLI', () => {
  beforeAll(async () => {
    const cdktf = cdktfIn(checkout, 'rds', awsOf.rds, cliConfigDirectory);
    const parameters = ['--auto-approve', '--skip-provider-lock'];
    await Promise.all([
      cdktf.succeeds('destroy', 'postgres-on-demand', ...parameters),
      found(databases, 'aurora').destroy(),
    ]);
  });

  test.each(ENGINES)('leaves nothing of %s in the state', async (engine) => {
    const state = JSON.parse(await checkout.localState(engine, 'postgres-on-demand'));
    expect(state.resources).toEqual([]);
  });

  test.each([
    ['rds', 'DescribeDBSnapshots', 'DBSnapshotIdentifier'],
    ['aurora', 'DescribeDBClusterSnapshots', 'DBClusterSnapshotIdentifier'],
  ] as const)('leaves the final snapshot of %s', async (engine, Action, field) => {
    const answer = await emulator.query('rds', REGION, { Action, Version: '2014-10-31' });
    expect(answer).toContain(`<${field}>${nameOf(engine)}-final</${field}>`);
  });
});

/** What a plan makes of a resource. */
function planned(json: Plan['json'], address: string): Readonly<Record<string, unknown>> {
  const values = json.planned_values as {
    root_module: { resources: readonly { address: string; values: Record<string, unknown> }[] };
  };
  const resource = values.root_module.resources.find((one) => one.address === address);
  if (resource === undefined) throw new Error(`${address} is not planned`);
  return resource.values;
}
