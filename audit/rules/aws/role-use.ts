import { partitionOf } from '@file-processing/contract/partition.ts';
import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, OWN_ACCOUNT } from '../../policy/arn.ts';
import { neighbours } from './attributes.ts';

/** Who works with a role: a service for one resource, or pods with one ServiceAccount. */
export type RoleKind = 'cluster' | 'nodes' | 'flow-log' | 'topic' | 'workload';

/** One use of a role. */
export interface RoleUse {
  readonly kind: RoleKind;
  /** The cluster, node group, flow log, topic or ServiceAccount. */
  readonly by: Resource;
  /** Service that assumes the role; undefined for a workload. */
  readonly service?: string;
  /** What `aws:SourceArn` is when it does; undefined where the service gives none. */
  readonly source?: string;
}

const ARGUMENTS: readonly {
  readonly type: string;
  readonly argument: RegExp;
  readonly kind: RoleKind;
}[] = [
  { type: 'aws_eks_cluster', argument: /^role_arn$/, kind: 'cluster' },
  { type: 'aws_eks_node_group', argument: /^node_role_arn$/, kind: 'nodes' },
  { type: 'aws_flow_log', argument: /^iam_role_arn$/, kind: 'flow-log' },
  { type: 'aws_sns_topic', argument: /_feedback_role_arn$/, kind: 'topic' },
];

/** Types of ServiceAccounts in the Kubernetes provider. */
export const SERVICE_ACCOUNTS = ['kubernetes_service_account', 'kubernetes_service_account_v1'];

/** The annotation by which EKS gives pods a role (Amazon EKS User Guide, "IAM roles for service accounts"). */
export const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';

/** Every use of a role in its stack. */
export function usesOf(model: Model, role: Resource): readonly RoleUse[] {
  const stack = model.stackOf(role);
  const refersTo = (value: unknown) => stack.target(value) === role;
  const byServices = ARGUMENTS.flatMap(({ type, argument, kind }) =>
    neighbours(model, role, type)
      .filter(({ attributes }) =>
        Object.entries(attributes).some(([name, value]) => argument.test(name) && refersTo(value)),
      )
      .map((by) => ({ kind, by, ...callOf(model, kind, by) })),
  );
  const byPods = neighbours(model, role, ...SERVICE_ACCOUNTS)
    .filter((account) => refersTo(roleOfAccount(account)))
    .map((by) => ({ kind: 'workload' as const, by }));
  return [...byServices, ...byPods];
}

/** What a ServiceAccount is annotated with; undefined for none. */
export function roleOfAccount({ attributes }: Resource): unknown {
  const annotations = valueAt(attributes, 'metadata.annotations');
  return typeof annotations === 'object' && annotations !== null
    ? (annotations as Readonly<Record<string, unknown>>)[ROLE_ANNOTATION]
    : undefined;
}

/** The subject of a ServiceAccount's tokens. */
export function subjectOf(model: Model, account: Resource): string {
  const stack = model.stackOf(account);
  const text = (path: string) => canonical(stack, valueAt(account.attributes, path));
  return `system:serviceaccount:${text('metadata.namespace') || 'default'}:${text('metadata.name')}`;
}

function callOf(
  model: Model,
  kind: RoleKind,
  by: Resource,
): { readonly service: string; readonly source?: string } {
  const stack = model.stackOf(by);
  const { region, partition } = stack;
  const source = arnOf(stack, by) ?? '';
  if (kind === 'cluster') return { service: 'eks.amazonaws.com', source };
  if (kind === 'topic') return { service: 'sns.amazonaws.com', source };
  if (kind === 'flow-log') {
    return {
      service: 'vpc-flow-logs.amazonaws.com',
      source: `arn:${partition}:ec2:${region}:${OWN_ACCOUNT}:vpc-flow-log/*`,
    };
  }
  return { service: `ec2.${partitionOf(region).dnsSuffix}` };
}
