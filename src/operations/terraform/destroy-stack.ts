import { bucketsOf } from '../../settings/buckets.ts';
import { finalSnapshotIdentifier } from '../../settings/postgres-on-demand-variables.ts';
import { databaseTarget } from '../database/database.ts';
import { CUSTOM_PHASE, customObjects } from '../kubernetes/custom-objects.ts';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { queueDepth } from '../topics/dead-letter-queue.ts';
import { depthText, queueName } from '../topics/queue-drain.ts';
import { guardPlan } from './guards/guard-plan.ts';
import { DATABASES } from './guards/refusals.ts';
import {
  interfacesOf,
  type LoadBalancer,
  loadBalancersOf,
  waitForInterfaces,
} from './load-balancer.ts';
import { type OpenOptions, type OpenStack, openStack } from './open-stack.ts';
import { DEAD_LETTER_QUEUE, DELIVERY_QUEUE } from './phases.ts';
import {
  changesOf,
  clusterIn,
  type HeldResource,
  managedResources,
  type PlanJson,
  type ResourceChange,
  type StateJson,
  summaryOf,
} from './plan-json.ts';
import { requireCluster } from './preconditions.ts';
import { type Review, requireConsent, reviewAndApply, withPlan } from './review.ts';
import { isKubernetes, type StackName } from './stacks.ts';

/** How a stack is destroyed. */
export interface DestroyOptions extends OpenOptions {
  /** Go on without asking. @default false */
  readonly autoApprove?: boolean;
  /** Plan and check, change nothing. @default false */
  readonly dryRun?: boolean;
  /** Seconds that the load balancer's network interfaces may take to go. @default 900 */
  readonly wait?: number;
  /** Destroy a database; what is left of it is its final snapshot. @default false */
  readonly allowDataLoss?: boolean;
}

/** What a destroy did, or with `dryRun` would do. */
export interface DestroyReport {
  readonly stack: StackName;
  /** Empty when there was nothing to destroy. */
  readonly changes: readonly ResourceChange[];
  /** False with `dryRun`, and when there was nothing to destroy. */
  readonly destroyed: boolean;
}

const FIFTEEN_MINUTES = 900;

/**
 * Destroys a stack. Its load balancer goes first, while the cluster can still delete it, and its
 * network interfaces are waited for. What was agreed to is the whole plan; the plans that follow are
 * parts of it, and ask again if they are not.
 *
 * @throws OperationError, SettingsError; EXIT.refused when the plan would do harm or was declined
 */
export async function destroyStack(
  context: OperationContext,
  options: DestroyOptions,
  name: StackName,
): Promise<DestroyReport> {
  const stack = await openStack(context, options, name);
  const state = await stack.terraform.state();
  const held = managedResources(state);
  if (held.length === 0) return { stack: name, changes: [], destroyed: false };
  if (held.some(({ address }) => isKubernetes(address)))
    await requireCluster(context, stack, state);
  const custom = customObjects(context, options, stack, state);
  const database = await databaseToDestroy(context, options, state);
  if (name === 'postgres-on-demand' && !database) refuseKeyOfSnapshots(options, held);
  const whole = { destroy: true, ...(database && { targets: withoutKeys(held) }) };

  if (options.dryRun) {
    return await withPlan(stack, whole, async ({ json }) => {
      await guardDestruction(stack, json);
      const rest = changesOf(json).map(summaryOf);
      return { stack: name, changes: [...custom.held, ...rest], destroyed: false };
    });
  }
  warnWhatStays(context, stack);
  await warnOfLeftQueue(context, stack, held);
  const changes: ResourceChange[] = [];
  const review = { ...reviewOf(stack, options), ...(database && { before: database.unprotect }) };
  const loadBalancers = loadBalancersOf(state);
  if (custom.holdsAny || loadBalancers.length > 0) await review.agreeTo(context);
  if (custom.holdsAny) {
    context.stderr.write(`\n${CUSTOM_PHASE} first.\n`);
    changes.push(...(await custom.removeAll()));
  }
  if (loadBalancers.length > 0) {
    const targets = loadBalancers.map(({ address }) => address);
    context.stderr.write('\nThe load balancer first, while the cluster can still delete it.\n');
    changes.push(...(await reviewAndApply(context, stack, { destroy: true, targets }, review)));
    await waitUntilGone(context, options, stack, state, loadBalancers);
    context.stderr.write('\nThen the rest.\n');
  }
  changes.push(...(await reviewAndApply(context, stack, whole, review)));
  if (database) {
    context.stderr.write(
      `What is left of the data: snapshot ${database.snapshot}, and the key that reads it, which stays in the state.\n`,
    );
  }
  return { stack: name, changes, destroyed: true };
}

/**
 * The database that a stack holds. RDS refuses to delete it as long as it is protected, or a
 * snapshot has the name of the final one: both in the middle of a destroy, when the rest is gone.
 *
 * @throws OperationError (EXIT.refused) without `allowDataLoss`, or where the snapshot is there
 */
async function databaseToDestroy(
  context: OperationContext,
  options: DestroyOptions,
  state: StateJson,
): Promise<{ readonly snapshot: string; readonly unprotect: () => Promise<void> } | undefined> {
  const held = managedResources(state).find(({ type }) => DATABASES.includes(type));
  if (held === undefined) return undefined;
  const { final_snapshot_identifier: snapshot, deletion_protection } = held.values;
  const name = String(snapshot ?? '');
  if (!options.allowDataLoss) {
    throw new OperationError(
      `${held.address} holds what the listener has recorded, and would be deleted; its final snapshot ${name} would be left`,
      { next: '--allow-data-loss destroys it all the same', code: EXIT.refused },
    );
  }
  const { api, settings } = await databaseTarget(context, options);
  if (await api.snapshotNamed(name)) {
    throw new OperationError(`the final snapshot ${name} is there already`, {
      next: 'set final_snapshot_identifier in postgres_on_demand.tfvars to another name, and apply postgres-on-demand first',
      code: EXIT.refused,
    });
  }
  const wanted = finalSnapshotIdentifier(settings);
  if (name !== wanted) {
    throw new OperationError(`the final snapshot would be ${name}, not ${wanted} of the tfvars`, {
      next: 'npm run manage -- apply postgres-on-demand first: Terraform reads the name from its state',
      code: EXIT.refused,
    });
  }
  const unprotect = async () => {
    if (deletion_protection !== true) return;
    context.stderr.write('Lifting deletion protection; an apply would set it again.\n');
    await api.allowDeletion();
  };
  return { snapshot: name, unprotect };
}

/** What encrypts the snapshots that outlive the database, and its retained backups: without it they are lost. */
const KEYS = ['aws_kms_key', 'aws_kms_alias'];

function withoutKeys(held: readonly { readonly type: string; readonly address: string }[]) {
  return held.filter(({ type }) => !KEYS.includes(type)).map(({ address }) => address);
}

/**
 * A second destroy would find the key alone.
 *
 * @throws OperationError (EXIT.refused) without `allowDataLoss`
 */
function refuseKeyOfSnapshots(
  { allowDataLoss }: DestroyOptions,
  held: readonly { readonly type: string; readonly address: string }[],
): void {
  const key = held.find(({ type }) => type === 'aws_kms_key');
  if (allowDataLoss || key === undefined) return;
  throw new OperationError(
    `${key.address} encrypts the snapshots and backups of the database that was here: without it they can't be restored`,
    {
      next: 'apply makes a database again, with this key; --allow-data-loss deletes the key, once the snapshots may go',
      code: EXIT.refused,
    },
  );
}

/** Asks once for everything, and again for whatever was not part of what was agreed to. */
function reviewOf(
  stack: OpenStack,
  options: DestroyOptions,
): Review & { readonly agreeTo: (context: OperationContext) => Promise<void> } {
  const agreed = new Set<string>();
  const review: Review = {
    guard: (plan) => guardDestruction(stack, plan),
    question: (plan) => {
      const isNew = changesOf(plan).some(({ address }) => !agreed.has(address));
      if (options.autoApprove || !isNew) return undefined;
      return `Destroy all of this in ${stack.name} of ${stack.environment}?`;
    },
  };
  return {
    ...review,
    agreeTo: (context) =>
      withPlan(stack, { destroy: true }, async ({ json }) => {
        await requireConsent(context, json, review);
        for (const { address } of changesOf(json)) agreed.add(address);
      }),
  };
}

function guardDestruction(stack: OpenStack, plan: PlanJson): Promise<void> {
  // Without leave to delete the database, no plan is made.
  return guardPlan(stack, plan, {
    allowClusterReplacement: true,
    allowDataLoss: true,
    allowMessageLoss: true,
  });
}

async function waitUntilGone(
  context: OperationContext,
  { wait = FIFTEEN_MINUTES }: DestroyOptions,
  { clients }: OpenStack,
  state: StateJson,
  loadBalancers: readonly LoadBalancer[],
): Promise<void> {
  const vpcId = vpcOfCluster(state);
  const names = loadBalancers.flatMap(({ name }) => (name === undefined ? [] : [name]));
  if (vpcId === undefined || names.length === 0) return;
  await waitForInterfaces(context, () => interfacesOf(clients, vpcId, names), wait);
}

function vpcOfCluster(state: StateJson): string | undefined {
  const values = clusterIn(state);
  const [network] = (values?.vpc_config ?? []) as readonly { readonly vpc_id?: string }[];
  return network?.vpc_id;
}

/** A queue that a switch of delivery has left is outside the state: it stays, but not the key that reads it. */
async function warnOfLeftQueue(
  { stderr }: OperationContext,
  { clients }: OpenStack,
  held: readonly HeldResource[],
): Promise<void> {
  const arnOf = (address: string) => held.find((one) => one.address === address)?.values.arn;
  const deadLetters = arnOf(DEAD_LETTER_QUEUE);
  if (deadLetters === undefined || arnOf(DELIVERY_QUEUE) !== undefined) return;
  const left = String(deadLetters).replace(/-dead-letter$/, '-deliveries');
  const depth = await queueDepth(await clients.sqs(), left);
  if (depth === undefined) return;
  stderr.write(
    `warning: ${queueName(left)}, left by a switch of delivery, stays: ${depthText(depth)}, which nobody can read once the stack's key is gone (npm run manage -- queue-delete)\n`,
  );
}

function warnWhatStays({ stderr }: OperationContext, { name, settings }: OpenStack): void {
  if (name !== 'file-processing') return;
  const names = bucketsOf(settings).map((bucket) => bucket.name);
  const buckets = `${names.length === 1 ? 'bucket' : 'the buckets'} ${names.join(', ')}`;
  const database = settings.db_host === '' ? '' : ` and the database on ${settings.db_host}`;
  stderr.write(
    `warning: ${buckets}${database} stay, with what is in them; the topic's messages and the image repository do not\n`,
  );
}
