import { join } from 'node:path';
import { environmentRulesFolder } from '../../settings/rules-folder.ts';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { checkRules } from '../rules-check.ts';
import {
  clusterEndpointOf,
  describedEndpoint,
  unreachableBecause,
  unreachableCluster,
} from './cluster-endpoint.ts';
import type { Allowed } from './guards/guard-plan.ts';
import { refuseUnreadySwitch } from './guards/message-loss.ts';
import { refuse, refuseLoadBalancerClass, refuseOrphanedObjects } from './guards/refusals.ts';
import { loadBalancerServiceIn } from './load-balancer-handover.ts';
import type { OpenStack } from './open-stack.ts';
import { managedResources, type StateJson } from './plan-json.ts';
import { addressesOf, isKubernetes } from './stacks.ts';
import { missingSecrets } from './variables.ts';

/**
 * Stops where the stack's Kubernetes objects could not be planned, before anything is changed.
 *
 * @throws OperationError (EXIT.refused) when the cluster's API can't be reached, or the stack has no
 *   Kubernetes provider any more for the objects in its state
 */
export async function requireCluster(
  context: OperationContext,
  stack: OpenStack,
  state: StateJson,
): Promise<void> {
  refuse(refuseOrphanedObjects(stack.json, managedResources(state)));
  const { create_cluster, cluster_name } = stack.settings;
  const endpoint =
    clusterEndpointOf(state) ??
    (create_cluster ? undefined : await describedEndpoint(await stack.clients.eks(), cluster_name));
  if (endpoint === undefined) return;
  const reason = await unreachableBecause(endpoint, context.env);
  if (reason !== undefined) refuse([unreachableCluster(endpoint, reason, create_cluster)]);
}

/**
 * Stops where a plan could not be made, or where it would be of no use.
 *
 * @param targets - addresses that it is limited to; none are all
 * @param allowed - what the operator allows
 * @throws OperationError
 */
export async function requirePlannable(
  context: OperationContext,
  stack: OpenStack,
  targets: readonly string[],
  allowed: Allowed,
): Promise<void> {
  requireAddresses(stack, targets);
  const state = await stack.terraform.state();
  requireLoadBalancerClass(stack, state);
  requireWayForMessages(stack, state, allowed);
  const held = managedResources(state).map(({ address }) => address);
  const planned = targets.length > 0 ? targets : [...addressesOf(stack.json), ...held];
  if (!planned.some(isKubernetes)) return;
  requireSecrets(stack, context.env);
  await requireRules(context, stack);
  await requireCluster(context, stack, state);
}

/**
 * Stops where the Service of the load balancer has another class than the settings name.
 *
 * @throws OperationError (EXIT.refused) that says what a change costs
 */
export function requireLoadBalancerClass({ name, settings }: OpenStack, state: StateJson): void {
  if (name !== 'file-processing') return;
  refuse(refuseLoadBalancerClass(settings.load_balancer_class, loadBalancerServiceIn(state)));
}

/**
 * Stops where the listener would lose its queue before SNS posts to an endpoint.
 *
 * @throws OperationError (EXIT.refused)
 */
export function requireWayForMessages(
  { json }: OpenStack,
  state: StateJson,
  { allowMessageLoss }: Allowed,
): void {
  if (allowMessageLoss) return;
  refuse(refuseUnreadySwitch(addressesOf(json), managedResources(state)));
}

/** Secrets that come by the environment: what each is, and how to do without. */
const SECRETS: Readonly<Record<string, readonly [name: string, without: string]>> = {
  db_password: [
    "the database's password",
    'name a Secret by existing_secret_name, or use db_iam_auth',
  ],
  scaler_password: ['the password of scaler_user', 'leave autoscaling = "backlog" out'],
  console_secret: [
    "the secret of the console's provider or proxy",
    'leave CONSOLE_OIDC_ISSUER and CONSOLE_GRANTS out of console_variables',
  ],
  otlp_headers: ['what the collector of traces asks for', 'set otlp_headers_revision to 0'],
  console_tokens: ['what scripts may do in the console', 'set console_tokens_revision to 0'],
};

/**
 * Stops where every plan would fail for want of a secret.
 *
 * @throws OperationError (EXIT.usage)
 */
export function requireSecrets(stack: OpenStack, env: OperationContext['env']): void {
  const [missing] = missingSecrets(stack.json, env);
  if (missing === undefined) return;
  const [name, without] = SECRETS[missing] ?? [missing];
  throw new OperationError(`${name} is missing: the stack makes its Secret`, {
    next: `export TF_VAR_${missing}='…'${without === undefined ? '' : `; or ${without}`}`,
    code: EXIT.usage,
  });
}

/** Address of the ConfigMap that a rule set goes along as. */
const RULES = 'kubernetes_config_map_v1.rules';

/**
 * Stops where the rule set that goes along is one that the listener would refuse: it would keep the one before, or on a new
 * database not start.
 *
 * @throws OperationError (EXIT.refused) with every fault
 */
export async function requireRules(
  context: OperationContext,
  { json, environment }: OpenStack,
): Promise<void> {
  if (!addressesOf(json).includes(RULES)) return;
  await checkRules(context, join(context.root, environmentRulesFolder(environment)));
}

/**
 * Checks addresses that a plan is to be limited to: Terraform would silently plan nothing.
 *
 * @throws OperationError (EXIT.usage) for those that the stack does not manage
 */
export function requireAddresses(stack: OpenStack, addresses: readonly string[]): void {
  const known = addressesOf(stack.json);
  const unknown = addresses.filter((address) => !known.includes(address));
  if (unknown.length === 0) return;
  throw new OperationError(`${stack.name} does not manage ${unknown.join(', ')}`, {
    next: `its addresses are in ${stack.folder}/cdk.tf.json`,
    code: EXIT.usage,
  });
}
