import { type Reference, referenceOf } from '../../../src/synthesized/model/expression.ts';
import {
  addressesIn,
  graphOf,
  type Model,
  type Resource,
  type StackModel,
} from '../../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { blocksOfStack, every, isAutoscalerRole, isGiven, read } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';

/** Addresses that Terraform itself knows. */
const BUILT_IN = /^(each|count|self|path|terraform)\./;

/** What a resource is for: somebody must refer to it. The types that count as use, or any but those. */
const USED_BY: Readonly<Record<string, { readonly by?: RegExp; readonly not?: RegExp }>> = {
  aws_iam_policy: { by: /^aws_iam_role_policy_attachment$/ },
  aws_iam_role: { not: /^aws_iam_role_policy/ },
  aws_iam_openid_connect_provider: { by: /^aws_iam_role$/ },
  aws_kms_key: { not: /^aws_kms_|^aws_iam_policy$|^aws_iam_role_policy$/ },
  aws_db_parameter_group: { by: /^aws_db_instance$/ },
  aws_db_subnet_group: { by: /^aws_db_instance$|^aws_rds_cluster$/ },
  aws_rds_cluster: { by: /^aws_rds_cluster_instance$/ },
  aws_rds_cluster_parameter_group: { by: /^aws_rds_cluster$/ },
  aws_launch_template: { by: /^aws_eks_node_group$/ },
  aws_security_group: { not: /^aws_vpc_security_group_|^aws_security_group_rule$/ },
  aws_route_table: { by: /^aws_route_table_association$/ },
  aws_subnet: { not: /^aws_route_table_association$/ },
  aws_eip: { by: /^aws_nat_gateway$/ },
  aws_nat_gateway: { by: /^aws_route$/ },
  aws_internet_gateway: { by: /^aws_route$/ },
  aws_ecr_repository: { by: /^aws_ecr_lifecycle_policy$/ },
  aws_eks_access_entry: { by: /^aws_eks_access_policy_association$/ },
  aws_cloudwatch_event_rule: { by: /^aws_cloudwatch_event_target$/ },
  aws_sns_topic: { not: /^aws_sns_topic_policy$|^aws_sqs_queue$|^aws_cloudwatch_|^aws_iam_/ },
};

/** Types whose use may lie in another stack, or in manifests that are not here: an output hands them on. */
const HANDED_ON = ['aws_subnet', 'aws_iam_role'];

function exists(stack: StackModel, address: string): boolean {
  const [kind, name = ''] = address.split('.');
  if (kind === 'var') return stack.json.variable?.[name] !== undefined;
  if (kind === 'local') return stack.json.locals?.[name] !== undefined;
  return stack.at(address) !== undefined;
}

/** What an argument or a key takes of a resource, by its name; the first that fits counts. */
const TAKEN: readonly (readonly [name: RegExp, attributes: readonly string[]])[] = [
  [/^principal_arn$/, ['arn', 'principal_arn']],
  [/^(kms_key_id|kms_key|log_destination|alarm_actions|ok_actions)$/, ['arn']],
  [/^(kms_master_key_id|target_key_id|key_id)$/, ['arn', 'id', 'key_id']],
  [/^(master_user_secret|performance_insights)_kms_key_id$/, ['arn']],
  [/(^|[_-])arns?$|Arns?$/i, ['arn']],
  [/^(Resource|Federated)$/, ['arn', 'secret_arn', 'kms_key_id']],
  [/^(cluster_name|role)$/, ['id', 'name']],
  [/^repository$/, ['id', 'name']],
  [/_url$/i, ['id', 'url', 'repository_url', 'issuer', 'endpoint']],
  [/security_group_ids?$/, ['id', 'cluster_security_group_id', 'default_security_group_id']],
  [/^allocation_id$/, ['allocation_id', 'id']],
  [/(^|_)ids?$/, ['id', 'ids']],
];

interface Taken {
  readonly name: string;
  readonly reference: Reference;
}

/** References that are all of a value, with the name of the argument or key that they are the value of. */
function takenIn(value: unknown, name: string): readonly Taken[] {
  if (typeof value === 'string') {
    const reference = referenceOf(value);
    if (reference !== undefined) return [{ name, reference }];
    const document = value.startsWith('{') ? parseJson(value) : undefined;
    return document === undefined ? [] : takenIn(document, name);
  }
  if (Array.isArray(value)) return value.flatMap((item) => takenIn(item, name));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => takenIn(below, key));
}

/** What there can be only one of in AWS, by type: arguments whose values together name it. */
const SINGLETONS: Readonly<Record<string, readonly string[]>> = {
  aws_cloudwatch_log_group: ['name'],
  aws_cloudwatch_metric_alarm: ['alarm_name'],
  aws_db_instance: ['identifier'],
  aws_db_subnet_group: ['name'],
  aws_default_security_group: ['vpc_id'],
  aws_ecr_lifecycle_policy: ['repository'],
  aws_ecr_repository: ['name'],
  aws_ecr_repository_policy: ['repository'],
  aws_eks_access_entry: ['cluster_name', 'principal_arn'],
  aws_eks_access_policy_association: ['cluster_name', 'principal_arn', 'policy_arn'],
  aws_cloudwatch_event_rule: ['name'],
  aws_cloudwatch_event_target: ['rule', 'arn'],
  aws_eks_addon: ['cluster_name', 'addon_name'],
  aws_eks_cluster: ['name'],
  aws_eks_node_group: ['cluster_name', 'node_group_name', 'node_group_name_prefix'],
  aws_eks_pod_identity_association: ['cluster_name', 'namespace', 'service_account'],
  aws_iam_openid_connect_provider: ['url'],
  aws_iam_policy: ['name'],
  aws_iam_role: ['name'],
  aws_iam_role_policy: ['role', 'name'],
  aws_iam_role_policy_attachment: ['role', 'policy_arn'],
  aws_kms_alias: ['name'],
  aws_launch_template: ['name'],
  aws_nat_gateway: ['allocation_id'],
  aws_rds_cluster: ['cluster_identifier'],
  aws_rds_cluster_instance: ['identifier'],
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

interface Owned {
  readonly stack: string;
  readonly address: string;
  readonly others: readonly Owned[];
}

/** Resources and objects of which there can be only one, each with those that name the same one. */
function owned({ model, objects }: Audited): readonly Owned[] {
  const named = [
    ...model
      .ofType(...Object.keys(SINGLETONS))
      .map((one) => ({ ...one, key: `${one.type}\n${identity(model, one)}` })),
    ...objects.map((one) => ({ ...one, key: objectIdentity(one) })),
  ];
  const byKey = Map.groupBy(named, ({ key }) => key);
  return named.map((one) => ({
    stack: one.stack,
    address: one.address,
    others: (byKey.get(one.key) ?? [])
      .filter((other) => other !== one)
      .map(({ stack, address }) => ({ stack, address, others: [] })),
  }));
}

function objectIdentity({ manifest }: KubernetesObject): string {
  const { kind, metadata } = manifest;
  return [kind, metadata.namespace ?? '', metadata.name].join('/');
}

function identity(model: Model, resource: Resource): string {
  const reader = read(model, resource);
  return (SINGLETONS[resource.type] ?? [])
    .map((argument) => {
      const text = reader.text(argument);
      return text.includes('${') ? `${resource.stack} ${text}` : text;
    })
    .join('\n');
}

/** Rules on what refers to what, and who owns what. */
export const REFERENCE_RULES: readonly Rule[] = [
  rule({
    id: 'reference-exists',
    title: 'Everything that a block refers to or waits for exists',
    reason:
      'A reference to something that was removed or renamed is found by nobody before the plan, and an order that names nothing orders nothing.',
    control: 'CM-3',
    severity: 'high',
    subjects: ({ model }) => model.stacks.flatMap(blocksOfStack),
    faults: ({ stack, value }, { model }) => {
      const missing = [...addressesIn(value)].filter(
        (address) => !BUILT_IN.test(address) && !exists(model.stackOf({ stack }), address),
      );
      return missing.map((address) => `refers to ${address}, which is not in the stack`);
    },
  }),
  rule({
    id: 'reference-has-its-attribute',
    title: 'An argument takes of a resource what it needs: its ARN, id, name or URL',
    reason:
      'The name where an ARN is due, or the id of another thing of the same resource, is a valid reference that the plan takes, and that AWS refuses half way or takes for something else.',
    control: 'CM-3',
    severity: 'high',
    subjects: ({ model }) => model.resources,
    faults: ({ stack, attributes }, { model }) => {
      const { at } = model.stackOf({ stack });
      const { depends_on: _, lifecycle: __, ...own } = attributes;
      return takenIn(own, '').flatMap(({ name, reference }) => {
        const [, fitting] = TAKEN.find(([pattern]) => pattern.test(name)) ?? [];
        const type = at(reference.address)?.type;
        const attribute = reference.attribute.split('.').at(-1) ?? '';
        return fitting === undefined || !type?.startsWith('aws_') || fitting.includes(attribute)
          ? []
          : [
              `${name} is ${attribute || 'all'} of ${reference.address}, must be ${fitting.join(' or ')}`,
            ];
      });
    },
  }),
  rule({
    id: 'resource-in-use',
    title: 'Every role, policy, key, queue, table and gateway is used by what it is for',
    reason:
      'A policy that is attached nowhere grants nothing, a key that encrypts nothing protects nothing: one lost line does that, and the rest still deploys.',
    control: 'CM-2',
    severity: 'medium',
    subjects: every(...Object.keys(USED_BY)),
    faults: ({ stack, type, address, attributes }, { model }) => {
      const { by, not } = USED_BY[type] ?? {};
      const of = model.stackOf({ stack });
      const users = graphOf(of)
        .users(address)
        .filter((user) => (by?.test(user.type) ?? true) && !not?.test(user.type));
      const hasObjects = of.resources.some((resource) => resource.type.startsWith('kubernetes_'));
      const output =
        HANDED_ON.includes(type) &&
        (!hasObjects || isAutoscalerRole({ attributes })) &&
        Object.values(of.json.output ?? {}).some((value) => addressesIn(value).has(address));
      return users.length > 0 || output ? [] : ['nothing uses it as what it is for'];
    },
  }),
  rule({
    id: 'one-owner',
    title: 'What exists once in AWS has one owner in all stacks',
    reason:
      'Two resources for one bucket notification, topic policy or add-on replace each other at every apply: each plan is clean until the other one has run.',
    control: 'CM-3',
    severity: 'high',
    subjects: owned,
    faults: ({ others }) =>
      others.map(({ stack, address }) => `${stack} ${address} owns the same one`),
  }),
  rule({
    id: 'one-owner-inline',
    title: 'A policy, rule or route is an argument or a resource of its own, never both',
    reason: 'The argument removes what the separate resource made, at every other apply.',
    control: 'CM-3',
    severity: 'high',
    subjects: ({ model }) => model.ofType(...new Set(INLINE.map(({ type }) => type))),
    faults: (resource, { model }) =>
      INLINE.filter(
        ({ type, argument }) =>
          type === resource.type &&
          // An empty list of an attribute removes what others made; no block is none.
          (argument === 'inline_policy'
            ? isGiven(resource.attributes[argument])
            : resource.attributes[argument] !== undefined),
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
  }),
];
