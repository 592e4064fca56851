import { graphOf } from '../../../src/synthesized/model/graph.ts';
import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { statementsOf } from '../../policy/policies.ts';
import { type Rule, rule } from '../rule.ts';
import { neighbours, read } from './attributes.ts';
import { usesOf } from './role-use.ts';

/** Something that must be there first, and go last. */
interface Prior {
  readonly resource: Resource;
  readonly why: string;
}

/** What each type of resource needs to be there before it. */
const PRIORS: Readonly<Record<string, (model: Model, resource: Resource) => readonly Prior[]>> = {
  aws_eks_cluster: (model, cluster) => [
    ...rightsOf(
      model,
      cluster,
      'role_arn',
      'without it the cluster cannot be made, nor give its interfaces back',
    ),
    ...neighbours(model, cluster, 'aws_cloudwatch_log_group')
      .filter(
        (group) =>
          read(model, group).text('name') ===
          `/aws/eks/${read(model, cluster).text('name')}/cluster`,
      )
      .map((resource) => ({
        resource,
        why: 'or EKS makes the log group itself, and again when it is destroyed',
      })),
  ],
  aws_eks_node_group: (model, group) => [
    ...rightsOf(
      model,
      group,
      'node_role_arn',
      'without it nodes neither join nor can be drained',
    ).filter(({ resource }) => isNodePolicy(model, resource)),
    ...addOnsOf(model, group, ['vpc-cni', 'kube-proxy', 'eks-pod-identity-agent']).map(
      (resource) => ({
        resource,
        why: 'without it nodes never turn ready',
      }),
    ),
  ],
  aws_eks_addon: (model, addOn) =>
    ['coredns', 'metrics-server'].includes(read(model, addOn).text('addon_name'))
      ? neighbours(model, addOn, 'aws_eks_node_group').map((resource) => ({
          resource,
          why: 'its pods need a node, or it stays degraded',
        }))
      : [],
  aws_flow_log: (model, log) =>
    rightsOf(model, log, 'iam_role_arn', 'without it the first minutes are not logged'),
  aws_nat_gateway: internetRoutes,
  aws_eip: internetRoutes,
  aws_s3_bucket_notification: (model, notification) =>
    neighbours(model, notification, 'aws_sns_topic_policy')
      .filter((policy) =>
        graphOf(model.stackOf(policy))
          .users(read(model, policy).target('arn')?.address ?? '')
          .includes(notification),
      )
      .map((resource) => ({ resource, why: 'S3 tries to publish when the notification is made' })),
  aws_sns_topic_subscription: (model, subscription) =>
    String(subscription.attributes.protocol).startsWith('http')
      ? confirmers(model, subscription)
      : [],
};

/** Order of creation, and in reverse of destruction. */
export const madeInOrder: Rule = rule({
  id: 'made-in-order',
  title: 'What needs a right, a route or a receiver is made after it and destroyed before it',
  reason:
    'Without depends_on Terraform makes both at once: the first apply fails at random, and a destroy hangs on what can no longer be given back.',
  control: 'CM-3',
  severity: 'medium',
  subjects: ({ model }) => model.ofType(...Object.keys(PRIORS)),
  faults: (resource, { model }) => {
    const graph = graphOf(model.stackOf(resource));
    return (PRIORS[resource.type]?.(model, resource) ?? [])
      .filter((prior) => !graph.waitsFor(resource.address, prior.resource.address))
      .map(({ resource: { address }, why }) => `does not wait for ${address}: ${why}`);
  },
});

/** Attachments and inline policies of the role that an argument refers to. */
function rightsOf(
  model: Model,
  resource: Resource,
  argument: string,
  why: string,
): readonly Prior[] {
  const role = read(model, resource).target(argument);
  if (role === undefined) return [];
  return neighbours(model, resource, 'aws_iam_role_policy', 'aws_iam_role_policy_attachment')
    .filter((right) => read(model, right).target('role') === role)
    .map((right) => ({ resource: right, why }));
}

function isNodePolicy(model: Model, attachment: Resource): boolean {
  return /\/AmazonE(KS|C2Container)\w+$/.test(read(model, attachment).text('policy_arn'));
}

function addOnsOf(
  model: Model,
  place: { readonly stack: string },
  names: readonly string[],
): readonly Resource[] {
  return neighbours(model, place, 'aws_eks_addon').filter((addOn) =>
    names.includes(read(model, addOn).text('addon_name')),
  );
}

function internetRoutes(model: Model, resource: Resource): readonly Prior[] {
  return neighbours(model, resource, 'aws_route')
    .filter((route) => read(model, route).target('gateway_id')?.type === 'aws_internet_gateway')
    .map((route) => ({
      resource: route,
      why: 'without a way out it does not work, and the gateway cannot be detached while it has an address',
    }));
}

/** What must run so that an endpoint can confirm its subscription. */
function confirmers(model: Model, subscription: Resource): readonly Prior[] {
  const policies = neighbours(model, subscription, 'aws_sns_topic_policy').map((resource) => ({
    resource,
    why: 'messages may come before it refuses what is not encrypted',
  }));
  const rights = statementsOf(model, 'identity')
    .filter(
      ({ stack, statement }) =>
        stack === subscription.stack && statement.actions.includes('sns:ConfirmSubscription'),
    )
    .flatMap(({ holder }) =>
      neighbours(model, subscription, 'aws_iam_role_policy_attachment').filter(
        (attachment) => read(model, attachment).target('policy_arn') === holder,
      ),
    )
    .filter((attachment) => {
      const role = read(model, attachment).target('role');
      return role !== undefined && usesOf(model, role).some(({ kind }) => kind === 'workload');
    })
    .map((resource) => ({ resource, why: 'the endpoint confirms by this right' }));
  return [...policies, ...rights];
}

/** Rules on the order of creation and destruction. */
export const ORDER_RULES: readonly Rule[] = [madeInOrder];
