import { referencesIn } from '../model/expression.ts';
import { blocksOf, type Model, type Resource, type StackModel, valueAt } from '../model/model.ts';
import {
  type KubernetesObject,
  kubernetesObjects,
  type Manifest,
} from '../views/kubernetes-manifests.ts';

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
  ['aws_db_', 'storage'],
  ['aws_rds_', 'storage'],
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
  /^(?:terraform_data|aws_eip|aws_kms_alias|aws_default_.*|aws_route|aws_route_table|aws_cloudwatch_log_group|aws_eks_access_.*|aws_iam_role_policy|aws_ecr_.*_policy|aws_(?:db|rds)_.*_group|kubernetes_namespace(?:_v1)?|aws_.*_(?:association|attachment|rule|topic_policy|queue_policy|allow_policy))$/;

/** Types of which all of a stack are one box. */
const COLLECTIONS = new Set([
  'aws_cloudwatch_metric_alarm',
  'aws_eks_addon',
  'aws_iam_policy',
  'aws_kms_key',
  'aws_rds_cluster_instance',
  'aws_vpc_endpoint',
  'kubernetes_network_policy_v1',
]);

/** Arguments whose reference is drawn the way that messages go, against the reference. */
const AGAINST_REFERENCE = new Set(['aws_sns_topic_subscription.topic_arn']);

/** The part that a type of resource plays, such as `network`. */
export function roleOf(type: string): string {
  return ROLES.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'other';
}

/** Whether a type is not worth a box. */
function isDetail(type: string): boolean {
  return DETAILS.test(type);
}

/**
 * Whether what an argument refers to is drawn. A policy of IAM says whom its owner may turn to; that
 * of another resource only who may come.
 */
function isDrawn(type: string, argument: string): boolean {
  if (argument === 'policy') return type.startsWith('aws_iam_');
  return argument !== 'depends_on' && argument !== 'lifecycle';
}

/** Whether a detail ties its first reference to its second, so that the arrow goes the other way. */
function isAttachment(type: string): boolean {
  return type.endsWith('_attachment');
}

/** Whether the reference of an argument is drawn the other way round. */
function isReversed(type: string, argument: string): boolean {
  return AGAINST_REFERENCE.has(`${type}.${argument}`);
}

/**
 * What boxes are shared by: all of a collection, and resources that differ in a zone's letter only,
 * such as `private_a` and `private_b`.
 */
function boxOf(type: string, name: string): string {
  return COLLECTIONS.has(type) ? type : `${type}.${name.replace(/_[a-z]$/, '')}`;
}

/** A type for people: `aws_sns_topic` is `sns topic`. */
function typeInWords(type: string): string {
  return type
    .replace(/^(?:aws|kubernetes)_/, '')
    .replace(/_v[12]$/, '')
    .replaceAll('_', ' ');
}

/** Who has to do with whom: a place is `<stack>/<address>`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** The place of a resource or an object. */
export function placeOf({ stack, address }: { readonly stack: string; readonly address: string }) {
  return `${stack}/${address}`;
}

/** What the expressions of a stack's resources refer to, data sources followed into other stacks. */
function referenceEdges(stack: StackModel, model: Model): readonly Edge[] {
  return stack.resources.flatMap((resource) =>
    Object.entries(resource.attributes)
      .filter(([argument]) => isDrawn(resource.type, argument))
      .flatMap(([argument, value]) =>
        referencesIn(value)
          .flatMap(({ address }) => targetsOf(address, stack, model))
          .map((target) => {
            const [from, to] = [placeOf(resource), placeOf(target)];
            return isReversed(resource.type, argument) ? { from: to, to: from } : { from, to };
          }),
      ),
  );
}

function targetsOf(address: string, stack: StackModel, model: Model): readonly Resource[] {
  const target = stack.at(address);
  if (target === undefined) return [];
  return target.mode === 'managed' ? [target] : foundByName(target, stack, model);
}

/** Resources of other stacks that a data source finds by the tag `Name`, as `private-*`. */
function foundByName(data: Resource, { resolve }: StackModel, model: Model): readonly Resource[] {
  const names = blocksOf(data.attributes.filter)
    .filter(({ name }) => name === 'tag:Name')
    .flatMap(({ values }) =>
      Array.isArray(values) ? values.map((value) => String(resolve(value))) : [],
    );
  const type = data.type.replace(/s$/, '');
  return model.ofType(type).filter((resource) => {
    const name = String(model.stackOf(resource).resolve(valueAt(resource.attributes, 'tags.Name')));
    return resource.stack !== data.stack && names.some((pattern) => matches(pattern, name));
  });
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** What Kubernetes objects have to do with each other: by selector, and by name. */
function objectEdges(objects: readonly KubernetesObject[]): readonly Edge[] {
  return objects.flatMap((from) =>
    objects
      .filter((to) => from !== to && concerns(from.manifest, to.manifest))
      .map((to) => ({ from: placeOf(from), to: placeOf(to) })),
  );
}

function concerns(from: Manifest, to: Manifest): boolean {
  const { spec } = from;
  const podLabels = podTemplateOf(to)?.metadata?.labels;
  switch (from.kind) {
    case 'Service':
      return selects(spec.selector, podLabels);
    case 'PodDisruptionBudget':
      return selects(spec.selector?.matchLabels, podLabels);
    case 'NetworkPolicy':
      return selects(spec.podSelector?.matchLabels, podLabels);
    case 'HorizontalPodAutoscaler':
      return spec.scaleTargetRef.kind === to.kind && spec.scaleTargetRef.name === to.metadata.name;
    case 'Ingress':
      return to.kind === 'Service' && mentions(spec, to.metadata.name);
    default:
      return (
        podTemplateOf(from) !== undefined &&
        ['ConfigMap', 'Secret', 'ServiceAccount'].includes(to.kind) &&
        mentions(podTemplateOf(from).spec, to.metadata.name)
      );
  }
}

/** What an object makes its pods from; undefined for one that makes none. */
function podTemplateOf({ kind, spec }: Manifest) {
  return kind === 'CronJob' ? spec.jobTemplate.spec.template : spec?.template;
}

function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined || labels === undefined) return false;
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

function mentions(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return value === name;
  return Object.values(value).some((item) => mentions(item, name));
}

/** Resources that share a box. */
interface Box {
  readonly id: string;
  readonly stack: string;
  readonly role: string;
  readonly resources: readonly Resource[];
}

/**
 * Draws all stacks as a Mermaid flowchart: a frame for each stack, in it one for each role, boxes for
 * the resources that matter, arrows from what refers to what, dashed to keys. Details such as aliases and routes are
 * left out, resources that differ in their zone only share a box.
 */
export function mermaidOf(model: Model): string {
  const boxes = boxesOf(model);
  const boxAt = new Map(
    boxes.flatMap((box) => box.resources.map((resource) => [placeOf(resource), box.id] as const)),
  );
  const edges = [
    ...model.stacks.flatMap((stack) => referenceEdges(stack, model)),
    ...objectEdges(kubernetesObjects(model)),
  ];
  return `${['flowchart LR', ...frames(boxes), ...arrows(edges, model, boxAt)].join('\n')}\n`;
}

function boxesOf(model: Model): readonly Box[] {
  const shown = model.resources.filter(({ type }) => !isDetail(type));
  const shared = Map.groupBy(shown, ({ stack, type, name }) => `${stack}/${boxOf(type, name)}`);
  return [...shared].flatMap(([place, resources]) => {
    const [first] = resources;
    if (first === undefined) return [];
    const { stack, type } = first;
    return { id: idOf(place), stack, role: roleOf(type), resources };
  });
}

function frames(boxes: readonly Box[]): readonly string[] {
  return [...Map.groupBy(boxes, ({ stack }) => stack)].flatMap(([stack, inStack]) => [
    `  subgraph ${idOf(stack)}["${stack}"]`,
    ...[...Map.groupBy(inStack, ({ role }) => role)].flatMap(([role, inRole]) => [
      `    subgraph ${idOf(`${stack}_${role}`)}["${role}"]`,
      ...inRole.map((box) => `      ${box.id}["${labelOf(box)}"]`),
      '    end',
    ]),
    '  end',
  ]);
}

function labelOf({ resources }: Box): string {
  const [first] = resources;
  if (first === undefined) return '';
  const words = typeInWords(first.type);
  if (resources.length === 1) return `${words}<br/>${first.name}`;
  const stems = new Set(resources.map(({ name }) => name.replace(/_[a-z]$/, '')));
  return `${words} ×${resources.length}<br/>${[...stems].join('<br/>')}`;
}

/** Arrows between boxes, each once. */
function arrows(
  edges: readonly Edge[],
  model: Model,
  boxAt: ReadonlyMap<string, string>,
): readonly string[] {
  const direct = edges.flatMap(({ from, to }) => arrow(boxAt.get(from), boxAt.get(to)));
  const details = model.resources.filter(({ type }) => isDetail(type));
  const throughDetails = details.flatMap((detail) => {
    const place = placeOf(detail);
    const targets = edges.filter(({ from }) => from === place).map(({ to }) => boxAt.get(to));
    const [one, other, ...more] = [...new Set(targets)].filter((id) => id !== undefined);
    const users = edges.filter(({ to }) => to === place).map(({ from }) => boxAt.get(from));
    const via = users.flatMap((user) => targets.flatMap((target) => arrow(user, target)));
    if (more.length > 0) return via;
    return [...via, ...(isAttachment(detail.type) ? arrow(other, one) : arrow(one, other))];
  });
  return [...new Set([...direct, ...throughDetails])].sort();
}

function arrow(from: string | undefined, to: string | undefined): readonly string[] {
  return from === undefined || to === undefined || from === to
    ? []
    : [`  ${from} ${to.endsWith('_aws_kms_key') ? '-.->' : '-->'} ${to}`];
}

/** Mermaid's ids have letters, digits and underscores. */
function idOf(place: string): string {
  return place.replaceAll(/[^A-Za-z0-9]+/g, '_');
}
