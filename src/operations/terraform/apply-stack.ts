import { deployedTags } from '../image/deployed-tags.ts';
import { CUSTOM_PHASE, type CustomObjects, customObjects } from '../kubernetes/custom-objects.ts';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { queueDepth } from '../topics/dead-letter-queue.ts';
import { queueName, waitUntilEmpty } from '../topics/queue-drain.ts';
import { guardPlan } from './guards/guard-plan.ts';
import { handOverLoadBalancer } from './load-balancer-handover.ts';
import { tellNodeChanges } from './node-changes.ts';
import { type OpenOptions, type OpenStack, openStack } from './open-stack.ts';
import { DELIVERY_QUEUE, nextStepOf, phasesOf } from './phases.ts';
import {
  changesOf,
  managedResources,
  type ResourceChange,
  type StateJson,
  summaryOf,
} from './plan-json.ts';
import {
  requireAddresses,
  requireCluster,
  requireLoadBalancerClass,
  requireRules,
  requireSecrets,
  requireWayForMessages,
} from './preconditions.ts';
import { reviewAndApply, withPlan } from './review.ts';
import { addressesOf, isKubernetes, type StackName } from './stacks.ts';
import { waitForEndpoint } from './subscription-endpoint.ts';

/** How something is applied. */
export interface ApplyOptions extends OpenOptions {
  /** Go on without asking. @default false */
  readonly autoApprove?: boolean;
  /** Plan and check, change nothing. @default false */
  readonly dryRun?: boolean;
  /** A replaced or deleted cluster is not a reason to refuse. @default false */
  readonly allowClusterReplacement?: boolean;
  /** Messages that wait, or come meanwhile, are not a reason to refuse. @default false */
  readonly allowMessageLoss?: boolean;
  /** Hand over to a Service of another class. @default false: refuse where the class differs */
  readonly replaceLoadBalancer?: boolean;
  /** As {@link HandoverOptions} has it. @default false */
  readonly endpointMoved?: boolean;
  /** Seconds that the endpoint of SNS may take to answer before it is subscribed. @default 900 */
  readonly wait?: number;
}

/** What an apply did, or with `dryRun` would do. */
export interface ApplyReport {
  readonly stack: StackName;
  /** Empty when there was nothing to do. */
  readonly changes: readonly ResourceChange[];
  /** False with `dryRun`, and when there was nothing to do. */
  readonly applied: boolean;
  /** What is left for the operator; absent when nothing is. */
  readonly next?: string;
}

const FIFTEEN_MINUTES = 900;

/** How queue-delete is told of a queue that has not the name of the topic, which was renamed too. */
function queueOption({ settings }: OpenStack, before: StateJson): string {
  const queue = managedResources(before).find(({ address }) => address === DELIVERY_QUEUE);
  const name = queueName(String(queue?.values.arn ?? ''));
  return ['', `${settings.sns_topic_name}-deliveries`].includes(name) ? '' : ` --queue ${name}`;
}

/**
 * Synthesizes a stack and applies it as `manage apply` does: in phases on a first run, each plan
 * checked, shown and agreed to, until the plain plan is empty. A second run changes nothing.
 *
 * @throws OperationError, SettingsError; EXIT.refused when a plan would do harm or was declined
 */
export async function applyStack(
  context: OperationContext,
  options: ApplyOptions,
  name: StackName = 'file-processing',
): Promise<ApplyReport> {
  const stack = await openStack(context, options, name);
  requireSecrets(stack, context.env);
  await requireRules(context, stack);
  let state = await stack.terraform.state();
  let finish: (() => Promise<void>) | undefined;
  if (options.replaceLoadBalancer && !options.dryRun) {
    await requireCluster(context, stack, state);
    finish = await handOverLoadBalancer(context, options, stack);
    state = await stack.terraform.state();
  } else if (!options.replaceLoadBalancer) {
    requireLoadBalancerClass(stack, state);
  }
  requireWayForMessages(stack, state, options);
  const held = managedResources(state).map(({ address }) => address);
  const phases = phasesOf(addressesOf(stack.json), held);
  const custom = customObjects(context, options, stack, state);
  const titles = [
    ...phases.map(({ title }) => title),
    ...(custom.concernsCluster ? [CUSTOM_PHASE] : []),
  ];
  if (titles.length > 1) tellPhases(context, titles);
  if (options.dryRun) {
    if (phases.at(-1)?.needsCluster) await requireCluster(context, stack, state);
    const report = await dryRun(context, options, stack);
    const show = (text: string) => void context.stderr.write(text);
    return { ...report, changes: [...report.changes, ...(await custom.changes(show))] };
  }

  const tags = deployedTags(context, stack, state, options.variables?.image);
  const changes: ResourceChange[] = [];
  for (const [index, phase] of phases.entries()) {
    if (titles.length > 1) context.stderr.write(`\n== ${index + 1}. ${phase.title}\n`);
    // Asked anew: the phase before may have made the cluster.
    if (phase.needsCluster) await requireCluster(context, stack, await stack.terraform.state());
    if (phase.needsEndpoint) {
      const { sns_endpoint_url: url } = stack.settings;
      await waitForEndpoint(context, url, options.wait ?? FIFTEEN_MINUTES);
    }
    if (phase.needsEmptyQueue) await drainQueue(context, options, stack, state);
    // What is listed no more goes first: nothing of it may outlast what it was for.
    const before = async () => {
      await tags.add();
      if (index === phases.length - 1) changes.push(...(await custom.remove()));
    };
    changes.push(...(await applyPhase(context, options, stack, phase.targets, before)));
  }
  if (custom.concernsCluster) {
    context.stderr.write(`\n== ${titles.length}. ${CUSTOM_PHASE}\n`);
    changes.push(...(await applyCustom(context, options, stack, custom)));
  }
  await tags.prune();
  await finish?.();
  if (changes.length > 0) await requireEmptyPlan(context, stack);
  const next = changes.some(
    ({ address, actions }) => address === DELIVERY_QUEUE && actions.includes('forget'),
  )
    ? `npm run manage -- queue-delete${queueOption(stack, state)}: the queue that the listener fetched from is not of the stack any more`
    : name === 'file-processing'
      ? nextStepOf(stack.settings, await stack.terraform.outputs())
      : undefined;
  return {
    stack: name,
    changes,
    applied: changes.length > 0,
    ...(next !== undefined && { next }),
  };
}

/**
 * Synthesizes a stack and applies some of its resources, and what they refer to, in the stack's own
 * state: the next plain apply finds them. Needs neither the cluster nor a password, as long as no
 * address is that of a Kubernetes object.
 *
 * @param addresses - such as `aws_ecr_repository.file_processing`
 * @throws OperationError, SettingsError; EXIT.refused when the plan would do harm or was declined
 */
export async function applyTargets(
  context: OperationContext,
  options: ApplyOptions,
  addresses: readonly string[],
  name: StackName = 'file-processing',
): Promise<ApplyReport> {
  const stack = await openStack(context, options, name);
  requireAddresses(stack, addresses);
  if (addresses.some(isKubernetes)) {
    requireSecrets(stack, context.env);
    await requireCluster(context, stack, await stack.terraform.state());
  }
  if (options.dryRun) return dryRun(context, options, stack, addresses);
  const changes = await applyPhase(context, options, stack, addresses);
  return { stack: name, changes, applied: changes.length > 0 };
}

function applyPhase(
  context: OperationContext,
  options: ApplyOptions,
  stack: OpenStack,
  targets: readonly string[] | undefined,
  before?: () => Promise<void>,
): Promise<readonly ResourceChange[]> {
  if (targets !== undefined) explainTargets(context);
  const question = `Apply this to ${stack.name} of ${stack.environment}?`;
  return reviewAndApply(context, stack, targets === undefined ? {} : { targets }, {
    guard: (plan) => guardPlan(stack, plan, options),
    question: () => (options.autoApprove ? undefined : question),
    ...(before && { before }),
  });
}

function dryRun(
  context: OperationContext,
  options: ApplyOptions,
  stack: OpenStack,
  targets?: readonly string[],
): Promise<ApplyReport> {
  return withPlan(stack, targets === undefined ? {} : { targets }, async ({ json }) => {
    await guardPlan(stack, json, options);
    tellNodeChanges(context, json);
    return { stack: stack.name, changes: changesOf(json).map(summaryOf), applied: false };
  });
}

/** Waits until the listener has fetched what is in the queue that the stack leaves. */
async function drainQueue(
  context: OperationContext,
  { allowMessageLoss, wait = FIFTEEN_MINUTES }: ApplyOptions,
  { clients }: OpenStack,
  state: StateJson,
): Promise<void> {
  if (allowMessageLoss) return;
  const queue = managedResources(state).find(({ address }) => address === DELIVERY_QUEUE);
  const sqs = await clients.sqs();
  await waitUntilEmpty(context, () => queueDepth(sqs, String(queue?.values.arn)), wait);
}

/** After the phases there must be nothing left; what is left would come back as drift at each apply. */
async function requireEmptyPlan(context: OperationContext, stack: OpenStack): Promise<void> {
  context.stderr.write('\nPlanning once more: nothing should be left to do.\n');
  await withPlan(stack, { quiet: true }, async ({ isEmpty, json }) => {
    if (isEmpty) {
      context.stderr.write(`Applied; the plain plan of ${stack.name} is empty.\n`);
      return;
    }
    const left = changesOf(json).map(({ address, change }) => `${change.actions} ${address}`);
    throw new OperationError(
      `applied, but the plan is not empty: ${left.join(', ') || 'outputs change'}`,
      { next: 'npm run manage -- plan shows it; apply once more' },
    );
  });
}

/** Shows what would change in the cluster, asks, and changes it. */
async function applyCustom(
  context: OperationContext,
  { autoApprove }: ApplyOptions,
  { name, environment }: OpenStack,
  custom: CustomObjects,
): Promise<readonly ResourceChange[]> {
  const planned = await custom.changes((text) => void context.stderr.write(text));
  if (planned.length === 0) return [];
  if (!autoApprove && !(await context.confirm(`Apply this to ${name} of ${environment}?`))) {
    throw new OperationError('declined; these objects were not changed', {
      next: '--auto-approve goes on without asking',
      code: EXIT.refused,
    });
  }
  return [...(await custom.remove()), ...(await custom.apply())];
}

function tellPhases({ stderr }: OperationContext, titles: readonly string[]): void {
  const list = titles.map((title, index) => `${index + 1}. ${title}`).join(', ');
  stderr.write(`Applied in phases, each with a plan of its own: ${list}.\n`);
}

function explainTargets({ stderr }: OperationContext): void {
  stderr.write(
    "Limited to a part of the stack on purpose: Terraform's warning about -target is expected.\n",
  );
}
