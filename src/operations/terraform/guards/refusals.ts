import { trustsPodIdentity, trustsTokens } from '../../../settings/file-processing/cluster.ts';
import type { FileProcessingSettings } from '../../../settings/file-processing-variables.ts';
import { EXIT, OperationError } from '../../operation-error.ts';
import { changesOf, deletes, type HeldResource, type PlanJson } from '../plan-json.ts';
import { addressesOf, isKubernetes, type StackJson, type StackName } from '../stacks.ts';

/** A reason not to apply a plan. */
export interface Refusal {
  /** What the plan would do, and to what. */
  readonly reason: string;
  /** The ways out. */
  readonly next: string;
}

/**
 * Stops a command, with every reason at once, and each way out once.
 *
 * @throws OperationError (EXIT.refused) unless there is no reason
 */
export function refuse(refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  throw new OperationError(`refused: ${refusals.map(({ reason }) => reason).join('\nrefused: ')}`, {
    next: [...new Set(refusals.map(({ next }) => next))].join('\nnext: '),
    code: EXIT.refused,
  });
}

/** Refuses a plan that replaces a role under another name or path: what works with it stops, and others may name it. */
export function refuseRoleReplacement(plan: PlanJson, stack: StackName): readonly Refusal[] {
  return changesOf(plan)
    .filter(
      (change) =>
        change.type === 'aws_iam_role' &&
        deletes(change) &&
        change.change.actions.includes('create'),
    )
    .map(({ address, change }) => ({
      reason: `the plan would replace the role ${String(change.before?.name ?? address)} (${address})`,
      next: `leave iam_path and iam_role_name_prefix as they were at the first deploy; or npm run manage -- destroy ${stack}, and apply again`,
    }));
}

/**
 * Refuses a plan by which a role of pods no longer trusts the way that they take it by now: pods took their role when they
 * started, and fetch its credentials anew within hours.
 *
 * @param settings - what the plan was made from: it may not know the new trust policy yet
 */
export function refuseIdentitySwitch(
  plan: PlanJson,
  settings: Pick<FileProcessingSettings, 'identity' | 'both_identities'>,
): readonly Refusal[] {
  const wanted = WAYS.filter(({ trusted }) => trusted(settings));
  // While a role trusts both ways, pods take the one that has associations, or else the other.
  const isAssociated = (plan.resource_changes ?? []).some(
    ({ type, change }) => type === POD_ASSOCIATION && change.before !== null,
  );
  const taken = isAssociated ? 'pod_identity' : 'irsa';
  return changesOf(plan).flatMap(({ type, address, change }) => {
    if (type !== 'aws_iam_role' || change.before == null || change.after == null) return [];
    const policy = String(change.before.assume_role_policy ?? '');
    const trusted = WAYS.filter(({ sign }) => policy.includes(sign));
    const before = trusted.length > 1 ? trusted.filter(({ name }) => name === taken) : trusted;
    if (before.length === 0 || before.some((way) => wanted.includes(way))) return [];
    return [
      {
        reason: `the plan would have ${address} trust ${namesOf(wanted)} in place of ${namesOf(before)}, by which running pods have their rights`,
        next: 'set both_identities = true, apply, and restart the pods (npm run manage -- rollout restart); then set it to false again',
      },
    ];
  });
}

const POD_ASSOCIATION = 'aws_eks_pod_identity_association';

/** How pods take a role: its name in the settings, and the sign of it in the role's trust policy. */
const WAYS = [
  { name: 'irsa', sign: 'sts:AssumeRoleWithWebIdentity', trusted: trustsTokens },
  { name: 'pod_identity', sign: 'pods.eks.amazonaws.com', trusted: trustsPodIdentity },
];

function namesOf(ways: typeof WAYS): string {
  return ways.map(({ name }) => name).join(' and ');
}

/**
 * Refuses to go on with a class of the load balancer that its Service does not have and can't be given: a plan
 * ignores it, so that what the cluster sets is not drift.
 *
 * @param service - the Service in the state
 */
export function refuseLoadBalancerClass(
  wanted: string,
  service: { readonly name: string; readonly loadBalancerClass: string } | undefined,
): readonly Refusal[] {
  if (wanted === '' || service === undefined || service.loadBalancerClass === wanted) return [];
  return [
    {
      reason: `load_balancer_class is ${wanted}, but the Service ${service.name} exists with ${service.loadBalancerClass === '' ? 'none' : service.loadBalancerClass}, which can't be changed: only a new Service has another, and with it a new load balancer under a new host name, which the name of sns_endpoint_url must be pointed at`,
      next: 'npm run manage -- apply --replace-load-balancer makes the new one beside the old one, waits for the name, and deletes the old one then; or leave load_balancer_class as it was',
    },
  ];
}

/** What holds the listener's record. */
export const DATABASES: readonly string[] = ['aws_db_instance', 'aws_rds_cluster'];

/**
 * Refuses a plan that destroys or replaces a database: what is in it would be gone, or in a snapshot at best. And one
 * that renames it, which replaces the subnets' group and the security group below it: AWS refuses that half-way.
 */
export function refuseDatabaseDeletion(plan: PlanJson): readonly Refusal[] {
  const changes = changesOf(plan);
  const renamed = changes.filter(
    (change) =>
      change.type === 'aws_db_subnet_group' &&
      deletes(change) &&
      changes.some(
        ({ type, change: { actions } }) => DATABASES.includes(type) && actions[0] === 'update',
      ),
  );
  return [
    ...renamed.map(({ address }) => ({
      reason: `the plan would replace ${address}, which the database is in`,
      next: 'take identifier in postgres_on_demand.tfvars back: a database keeps its name',
    })),
    ...deletedDatabases(changes),
  ];
}

function deletedDatabases(changes: ReturnType<typeof changesOf>): readonly Refusal[] {
  return changes
    .filter((change) => DATABASES.includes(change.type) && deletes(change))
    .map(({ address, change }) => ({
      reason: `the plan would ${change.actions.includes('create') ? 'replace' : 'destroy'} the database ${address}, and what is in it`,
      next: 'take back the setting that does so; or npm run manage -- db-snapshot, then destroy postgres-on-demand --allow-data-loss, and apply with restore_from_snapshot',
    }));
}

/**
 * Refuses a plan that destroys or replaces an EKS cluster: everything in it would be gone.
 *
 * @param keeps - whether the stack is to have a cluster of its own (`create_cluster`)
 */
export function refuseClusterReplacement(plan: PlanJson, keeps = true): readonly Refusal[] {
  const deleted = changesOf(plan)
    .filter(deletes)
    .map(({ address }) => address);
  const next = keeps
    ? 'undo the setting that the plan marks with "forces replacement", such as cluster_name'
    : `set create_cluster = true again; or hand the cluster over, with all that is of it, by terraform state rm ${deleted.join(' ')}`;
  return changesOf(plan)
    .filter((change) => change.type === 'aws_eks_cluster' && deletes(change))
    .map(({ address, change }) => {
      const name = String(change.before?.name ?? address);
      const what = change.actions.includes('create') ? 'replace' : 'destroy';
      return {
        reason: `the plan would ${what} the cluster ${name} (${address}) and everything that runs in it`,
        next: `${next}; or go on with --allow-cluster-replacement`,
      };
    });
}

/**
 * Refuses a plan that deletes nodes before those in their place are ready: pods would have nowhere to go. Groups of two
 * addresses are worked on at the same time, and a deletion is the faster one.
 */
export function refuseNodesDeletedFirst(plan: PlanJson): readonly Refusal[] {
  const groups = changesOf(plan).filter(({ type }) => type === 'aws_eks_node_group');
  const makes = groups.some(({ change: { actions } }) => actions.join() === 'create');
  return groups.flatMap(({ address, change: { actions, before } }) => {
    const isReplaced = actions[0] === 'delete' && actions.includes('create');
    if (!isReplaced && !(makes && actions.join() === 'delete')) return [];
    return {
      reason: `the plan would delete the nodes ${String(before?.node_group_name ?? address)} (${address}) before new ones are ready`,
      next: isReplaced
        ? 'undo the setting that the plan marks with "forces replacement"; the stack of this version makes the new ones first'
        : 'keep it beside the new one in node_groups, apply, and take it out then',
    };
  });
}

/** What has its name once in an account or region. */
const UNIQUE_NAMES: readonly string[] = [
  ...['aws_eks_cluster', 'aws_iam_role', 'aws_iam_policy', 'aws_launch_template'],
  ...['aws_kms_alias', 'aws_cloudwatch_log_group'],
];

/**
 * Refuses a plan that makes a second thing of a name beside the first. Node groups are made before the old ones go,
 * and Terraform replaces all that they depend on in this order too (Terraform, "The lifecycle Meta-Argument").
 */
export function refuseTakenNames(plan: PlanJson, stack: StackName): readonly Refusal[] {
  return changesOf(plan)
    .filter(
      ({ type, change: { actions, before, after } }) =>
        UNIQUE_NAMES.includes(type) &&
        actions.join() === 'create,delete' &&
        before?.name === after?.name,
    )
    .map(({ address, change }) => ({
      reason: `the plan would make a second ${String(change.before?.name ?? address)} (${address}) beside the first, and the name is taken`,
      next: `undo the setting that the plan marks with "forces replacement"; or npm run manage -- destroy ${stack}, and apply again`,
    }));
}

/**
 * Refuses a plan that imports an OIDC provider only to replace it: that is what an `import` block leads
 * to while the cluster, and so the issuer's URL, is not known yet. Others may use the provider.
 */
export function refuseOidcProviderReplacement(plan: PlanJson): readonly Refusal[] {
  return changesOf(plan)
    .filter(
      (change) =>
        change.type === 'aws_iam_openid_connect_provider' &&
        change.change.importing !== undefined &&
        deletes(change),
    )
    .map(({ address, change }) => ({
      reason: `the plan would import ${change.importing?.id ?? address} and replace it at once, since the cluster of its issuer is not in the state yet`,
      next: 'remove the import block, and run npm run manage -- oidc-import once the cluster is in the state',
    }));
}

/**
 * Refuses to go on with Kubernetes objects in the state of a stack that makes none any more: its
 * Kubernetes provider is gone with them, and Terraform could neither read nor delete them.
 */
export function refuseOrphanedObjects(
  json: StackJson,
  held: readonly HeldResource[],
): readonly Refusal[] {
  const orphaned = held.map(({ address }) => address).filter(isKubernetes);
  if (orphaned.length === 0 || addressesOf(json).some(isKubernetes)) return [];
  return [
    {
      reason: `manage_kubernetes = false, but the state still holds ${orphaned.join(', ')}`,
      next: 'to hand the objects over as they are, take them out of the state (terraform state rm); to delete them, set manage_kubernetes = true again and destroy',
    },
  ];
}
