import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { waitOption, withConsentOptions } from '../command-options.ts';
import {
  ASIDE,
  type DatabaseTarget,
  databaseTarget,
  type FoundDatabase,
  waitForStatus,
} from '../database/database.ts';
import { removedAtExit } from '../files.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { type OpenStack, openStack } from '../terraform/open-stack.ts';
import { changesOf, deletes, managedResources, type PlanJson } from '../terraform/plan-json.ts';
import { reviewAndApply } from '../terraform/review.ts';
import { requireYes, timeIn } from './db-state.ts';

interface Options {
  readonly autoApprove: boolean;
  readonly dryRun: boolean;
  /** Seconds. */
  readonly wait: number;
}

/** Terraform merges files with this ending over the others ("Override Files"). */
const OVERRIDE_FILE = 'zz_db_restore_override.tf.json';

/** AWS puts a colon into the names of its own. */
function checkSnapshot(name: string): string {
  if (/^[A-Za-z][A-Za-z0-9:-]{0,254}$/.test(name)) return name;
  throw new InvalidArgumentError(
    '1 to 255 letters, digits, hyphens and colons, starting with a letter, are needed.',
  );
}

/** What the stack calls the database and the instances of a cluster. */
const RESOURCES =
  /^(aws_db_instance|aws_rds_cluster)\.database$|^aws_rds_cluster_instance\.database_\d+$/;

/** Longest name of an instance or cluster (Amazon RDS API Reference, CreateDBInstance). */
const LONGEST_NAME = 63;

/**
 * `manage db-restore`: puts a database from a snapshot into the place of the present one, which is
 * kept beside it under another name. A restore in RDS always makes a new database; what is deleted
 * here is nothing, so that whoever chose the wrong snapshot has lost nothing.
 */
export const dbRestore: Operation<Options> = {
  name: 'db-restore',
  summary: 'replace the database on demand with a snapshot; the old one is kept under another name',
  describe: (command) =>
    withConsentOptions(
      command.argument('<snapshot>', 'its name, as db-snapshot --list shows it', checkSnapshot),
    )
      .addOption(waitOption('how long renaming the present database may take'))
      .addHelpText(
        'after',
        `
1. The present database gets another name, and leaves Terraform's state. It is not deleted.
2. Terraform makes the database anew, under its own name and address, from the snapshot.
3. npm run manage -- apply lets the listener in: roles and Jobs name the new database, and it is
   migrated where the snapshot is older than the listener.
What was written since the snapshot is in the old database alone. Interrupted, run it again.`,
      ),
  execute: async (context, options, snapshot = '') => {
    const target = await databaseTarget(context, options);
    await requireSnapshot(target, snapshot);
    const stack = await openStack(context, options, 'postgres-on-demand');
    const held = managedResources(await stack.terraform.state())
      .map(({ address }) => address)
      .filter((address) => RESOURCES.test(address));
    const present = await target.api.find(target.identifier);
    refuseUnknown(target, held, present);
    const aside = asideName(target.identifier, context.clock.now());
    if (options.dryRun) {
      context.stderr.write(
        `Dry run: ${present ? `${target.identifier} would become ${aside}, and ` : ''}${snapshot} would take its place.\n`,
      );
      return EXIT.ok;
    }
    if (!options.autoApprove) {
      await requireYes(
        context,
        `Put ${snapshot} in the place of ${target.identifier}? What was written since then stays in the present database alone.`,
      );
    }
    if (present) await putAside(context, target, aside, options.wait);
    for (const address of held) await stack.terraform.removeFromState(address);
    await makeFrom(context, stack, snapshot);
    if (options.json) {
      const report = { identifier: target.identifier, snapshot, kept: present ? aside : null };
      context.stdout.write(`${JSON.stringify(report)}\n`);
    }
    context.stderr.write(farewell(target, present ? aside : undefined));
    return EXIT.ok;
  },
};

async function requireSnapshot({ api, settings }: DatabaseTarget, name: string): Promise<void> {
  const found = await api.snapshotNamed(name);
  if (found?.status === 'available') return;
  const what = settings.engine === 'rds' ? 'an instance of RDS' : 'an Aurora cluster';
  throw new OperationError(
    found === undefined
      ? `there is no snapshot ${name} of ${what}`
      : `the snapshot ${name} is ${found.status}`,
    {
      next: 'npm run manage -- db-snapshot --list shows those of the database',
      code: EXIT.refused,
    },
  );
}

/** A database that Terraform does not know of is none that this command may put aside. */
function refuseUnknown(
  { identifier, settings }: DatabaseTarget,
  held: readonly string[],
  present: FoundDatabase | undefined,
): void {
  if (present === undefined || held.length > 0) {
    if (present === undefined || present.status === 'available') return;
    throw new OperationError(`${identifier} is ${present.status}; it must be available`, {
      next: 'wait until AWS is done with it (npm run manage -- db-start), then run the command again',
      code: EXIT.refused,
    });
  }
  const address =
    settings.engine === 'rds' ? 'aws_db_instance.database' : 'aws_rds_cluster.database';
  throw new OperationError(`${identifier} exists, but is not in the state of postgres-on-demand`, {
    next: `terraform -chdir=cdktf.out/stacks/postgres-on-demand import ${address} ${identifier} takes it in`,
    code: EXIT.refused,
  });
}

function asideName(identifier: string, time: Date): string {
  const suffix = `${ASIDE}${timeIn(time)}`;
  return `${identifier.slice(0, LONGEST_NAME - suffix.length - '-2'.length)}${suffix}`;
}

async function putAside(
  context: OperationContext,
  { api, identifier }: DatabaseTarget,
  aside: string,
  seconds: number,
): Promise<void> {
  context.stderr.write(`${identifier} becomes ${aside}.\n`);
  await api.rename(aside, (status, instance) =>
    waitForStatus(context, instance, status, 'available', seconds),
  );
  const ask = async () => (await api.find(aside))?.status;
  await waitForStatus(context, aside, ask, 'available', seconds);
}

/** The setting would have to be in the tfvars before and may be gone after: neither matters to a plan. */
async function makeFrom(context: OperationContext, stack: OpenStack, snapshot: string) {
  const type = stack.json.resource?.aws_db_instance ? 'aws_db_instance' : 'aws_rds_cluster';
  const override = { resource: { [type]: { database: { snapshot_identifier: snapshot } } } };
  const file = join(stack.folder, OVERRIDE_FILE);
  await removedAtExit(file, async () => {
    await writeFile(file, JSON.stringify(override));
    await reviewAndApply(
      context,
      stack,
      { targets: databaseAddresses(stack) },
      { guard: async (plan) => refuseDeletion(plan), question: () => undefined },
    );
  });
}

function databaseAddresses({ json }: OpenStack): readonly string[] {
  return Object.entries(json.resource ?? {})
    .flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`))
    .filter((address) => RESOURCES.test(address));
}

function refuseDeletion(plan: PlanJson): void {
  const deleted = changesOf(plan).filter(deletes);
  if (deleted.length === 0) return;
  throw new OperationError(
    `the plan would delete ${deleted.map(({ address }) => address).join(', ')}: a restore deletes nothing`,
    {
      next: 'npm run manage -- plan postgres-on-demand shows why; apply that first',
      code: EXIT.refused,
    },
  );
}

function farewell({ identifier, settings }: DatabaseTarget, aside: string | undefined): string {
  const kind = settings.engine === 'rds' ? 'db-instance' : 'db-cluster';
  return [
    `${identifier} now runs from the snapshot. Next:`,
    '  npm run manage -- apply postgres-on-demand  what else of the stack refers to it',
    '  npm run manage -- apply                     lets the listener in, and migrates',
    ...(aside === undefined
      ? [`What an interrupted run has renamed still exists and is billed: ${identifier}${ASIDE}...`]
      : [
          `${aside} still exists, and is billed, until you delete it:`,
          `  aws rds modify-${kind} --${kind}-identifier ${aside} --no-deletion-protection`,
          ...(settings.engine === 'rds'
            ? []
            : ['  aws rds delete-db-instance --db-instance-identifier each of its instances']),
          `  aws rds delete-${kind} --${kind}-identifier ${aside} --final-db-snapshot-identifier NAME`,
        ]),
    '',
  ].join('\n');
}
