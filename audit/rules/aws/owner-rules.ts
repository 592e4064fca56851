import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { read } from './attributes.ts';

/** What there can be only one of in AWS, by type: arguments whose values together name it. */
const SINGLETONS: Readonly<Record<string, readonly string[]>> = {
  aws_cloudwatch_log_group: ['name'],
  aws_cloudwatch_metric_alarm: ['alarm_name'],
  aws_default_security_group: ['vpc_id'],
  aws_ecr_lifecycle_policy: ['repository'],
  aws_ecr_repository: ['name'],
  aws_ecr_repository_policy: ['repository'],
  aws_eks_access_entry: ['cluster_name', 'principal_arn'],
  aws_eks_access_policy_association: ['cluster_name', 'principal_arn', 'policy_arn'],
  aws_eks_addon: ['cluster_name', 'addon_name'],
  aws_eks_cluster: ['name'],
  aws_eks_node_group: ['cluster_name', 'node_group_name'],
  aws_iam_openid_connect_provider: ['url'],
  aws_iam_policy: ['name'],
  aws_iam_role: ['name'],
  aws_iam_role_policy: ['role', 'name'],
  aws_iam_role_policy_attachment: ['role', 'policy_arn'],
  aws_kms_alias: ['name'],
  aws_launch_template: ['name'],
  aws_nat_gateway: ['allocation_id'],
  aws_route: ['route_table_id', 'destination_cidr_block', 'destination_ipv6_cidr_block'],
  aws_route_table_association: ['subnet_id'],
  aws_s3_bucket_notification: ['bucket'],
  aws_security_group: ['vpc_id', 'name'],
  aws_sns_topic: ['name'],
  aws_sns_topic_subscription: ['topic_arn', 'protocol', 'endpoint'],
  aws_sqs_queue: ['name'],
  aws_vpc_endpoint: ['vpc_id', 'service_name'],
  aws_vpc_security_group_ingress_rule: [
    ...['security_group_id', 'ip_protocol', 'from_port', 'to_port'],
    ...['cidr_ipv4', 'cidr_ipv6', 'referenced_security_group_id', 'prefix_list_id'],
  ],
};

/** Two resources, in one stack or in two, that overwrite each other at every apply. */
export const oneOwner: Rule = rule({
  id: 'one-owner',
  title: 'What exists once in AWS has one owner in all stacks',
  reason:
    'Two resources for one bucket notification, topic policy or add-on replace each other at every apply: each plan is clean until the other one has run.',
  control: 'CM-3',
  severity: 'high',
  subjects: ({ model }) => model.ofType(...Object.keys(SINGLETONS)),
  faults: (resource, { model }) => {
    const key = identity(model, resource);
    return model
      .ofType(resource.type)
      .filter((other) => other !== resource && identity(model, other) === key)
      .map((other) => `${other.stack} ${other.address} owns the same one`);
  },
});

/** Arguments that own the same thing as a resource of another type does. */
const INLINE: readonly {
  readonly type: string;
  readonly argument: string;
  readonly others: readonly string[];
}[] = [
  { type: 'aws_sns_topic', argument: 'policy', others: ['aws_sns_topic_policy'] },
  { type: 'aws_sqs_queue', argument: 'policy', others: ['aws_sqs_queue_policy'] },
  { type: 'aws_sqs_queue', argument: 'redrive_policy', others: ['aws_sqs_queue_redrive_policy'] },
  {
    type: 'aws_sqs_queue',
    argument: 'redrive_allow_policy',
    others: ['aws_sqs_queue_redrive_allow_policy'],
  },
  { type: 'aws_kms_key', argument: 'policy', others: ['aws_kms_key_policy'] },
  { type: 'aws_iam_role', argument: 'inline_policy', others: ['aws_iam_role_policy'] },
  {
    type: 'aws_iam_role',
    argument: 'managed_policy_arns',
    others: ['aws_iam_role_policy_attachment'],
  },
  { type: 'aws_route_table', argument: 'route', others: ['aws_route'] },
  ...['ingress', 'egress'].map((argument) => ({
    type: 'aws_security_group',
    argument,
    others: [
      'aws_security_group_rule',
      'aws_vpc_security_group_ingress_rule',
      'aws_vpc_security_group_egress_rule',
    ],
  })),
];

/** An argument and a resource of its own for the same thing. */
export const oneOwnerInline: Rule = rule({
  id: 'one-owner-inline',
  title: 'A policy, rule or route is an argument or a resource of its own, never both',
  reason: 'The argument removes what the separate resource made, at every other apply.',
  control: 'CM-3',
  severity: 'high',
  subjects: ({ model }) => model.ofType(...new Set(INLINE.map(({ type }) => type))),
  faults: (resource, { model }) =>
    INLINE.filter(
      ({ type, argument }) => type === resource.type && resource.attributes[argument] !== undefined,
    ).flatMap(({ argument, others }) =>
      model
        .ofType(...others)
        .filter((other) => other.stack === resource.stack)
        .filter((other) =>
          ['arn', 'queue_url', 'key_id', 'role', 'route_table_id', 'security_group_id'].some(
            (name) => read(model, other).target(name) === resource,
          ),
        )
        .map((other) => `its ${argument} and ${other.address} own the same thing`),
    ),
});

function identity(model: Model, resource: Resource): string {
  const reader = read(model, resource);
  return (SINGLETONS[resource.type] ?? [])
    .map((argument) => {
      const text = reader.text(argument);
      return text.includes('${') ? `${resource.stack} ${text}` : text;
    })
    .join('\n');
}

/** Rules on who owns what. */
export const OWNER_RULES: readonly Rule[] = [oneOwner, oneOwnerInline];
