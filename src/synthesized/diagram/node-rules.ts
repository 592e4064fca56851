/** The part that a type of resource plays; the first prefix that fits counts. */
const ROLES: readonly (readonly [prefix: string, role: string])[] = [
  ['aws_vpc', 'network'],
  ['aws_subnet', 'network'],
  ['aws_internet_gateway', 'network'],
  ['aws_nat_gateway', 'network'],
  ['aws_security_group', 'network'],
  ['aws_flow_log', 'network'],
  ['aws_eks_', 'cluster'],
  ['aws_launch_template', 'cluster'],
  ['aws_sns_', 'messaging'],
  ['aws_sqs_', 'messaging'],
  ['aws_s3_', 'storage'],
  ['aws_ecr_', 'storage'],
  ['aws_iam_', 'identity'],
  ['aws_kms_', 'encryption'],
  ['aws_cloudwatch_', 'monitoring'],
  ['kubernetes_', 'workload'],
];

/**
 * Types that are details of what they belong to. One that refers to two resources which are shown is
 * drawn as the arrow between them; one that stands between two, as a log group between a flow log and
 * a key, likewise.
 */
const DETAILS =
  /^(?:aws_eip|aws_kms_alias|aws_default_.*|aws_route|aws_route_table|aws_cloudwatch_log_group|aws_eks_access_.*|aws_iam_role_policy|aws_ecr_.*_policy|kubernetes_namespace(?:_v1)?|aws_.*_(?:association|attachment|rule|topic_policy|queue_policy|allow_policy))$/;

/** Types of which all of a stack are one box. */
const COLLECTIONS = new Set([
  'aws_cloudwatch_metric_alarm',
  'aws_eks_addon',
  'aws_iam_policy',
  'aws_kms_key',
  'aws_vpc_endpoint',
]);

/** Arguments whose reference is drawn the way that messages go, against the reference. */
const AGAINST_REFERENCE = new Set(['aws_sns_topic_subscription.topic_arn']);

/** The part that a type of resource plays, such as `network`. */
export function roleOf(type: string): string {
  return ROLES.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'other';
}

/** Whether a type is not worth a box. */
export function isDetail(type: string): boolean {
  return DETAILS.test(type);
}

/**
 * Whether what an argument refers to is drawn. A policy of IAM says whom its owner may turn to; that
 * of another resource only who may come.
 */
export function isDrawn(type: string, argument: string): boolean {
  if (argument === 'policy') return type.startsWith('aws_iam_');
  return argument !== 'depends_on' && argument !== 'lifecycle';
}

/** Whether a detail ties its first reference to its second, so that the arrow goes the other way. */
export function isAttachment(type: string): boolean {
  return type.endsWith('_attachment');
}

/** Whether the reference of an argument is drawn the other way round. */
export function isReversed(type: string, argument: string): boolean {
  return AGAINST_REFERENCE.has(`${type}.${argument}`);
}

/**
 * What boxes are shared by: all of a collection, and resources that differ in a zone's letter only,
 * such as `private_a` and `private_b`.
 */
export function boxOf(type: string, name: string): string {
  return COLLECTIONS.has(type) ? type : `${type}.${name.replace(/_[a-z]$/, '')}`;
}

/** A type for people: `aws_sns_topic` is `sns topic`. */
export function typeInWords(type: string): string {
  return type
    .replace(/^(?:aws|kubernetes)_/, '')
    .replace(/_v[12]$/, '')
    .replaceAll('_', ' ');
}
