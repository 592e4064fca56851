import { isRoleArn } from '@file-processing/contract/arn.ts';
import { parseCidr } from '../../../src/settings/cidr.ts';
import {
  KNOWN_KUBERNETES_VERSIONS,
  supportNotice,
} from '../../../src/settings/kubernetes-versions.ts';
import {
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { matchesPattern, parseJson } from '../../policy/policy-document.ts';
import {
  argumentRule,
  every,
  isPublic,
  listOf,
  neighbours,
  read,
  referring,
} from '../readers/resources.ts';
import { type Faults, type Rule, rule } from '../rule.ts';
import known from './known.json' with { type: 'json' };

/** What it logs, and arguments that EKS reads at creation only: a change makes a new cluster. */
const { logTypes: LOG_TYPES, atCreation: AT_CREATION } = known.cluster;

/** The version that the settings name; the cluster's own may be newer where EKS upgrades by itself. */
function versionOf(model: Model, cluster: Resource): string {
  return read(model, cluster)
    .text('version')
    .replace(/^1\.\$\{max\((\d+), .*$/, '1.$1');
}

/** Sentences on clusters that are not findings: whose standard support ends soon, and what others answer for. */
export function clusterNotes(model: Model, now: Date): readonly string[] {
  const others = model.stacks
    .flatMap(({ data }) => data)
    // A lookup beside a cluster of the stack is of that one.
    .filter((one) => one.type === 'aws_eks_cluster')
    .filter((one) => neighbours(model, one, 'aws_eks_cluster').length === 0);
  const notJudged = others.map(
    (one) =>
      `The cluster ${read(model, one).text('name')} belongs to others: its API, access, encryption, logs, version, nodes and add-ons were not judged, nor that it enforces NetworkPolicies; manage doctor looks at some of it.`,
  );
  const hasSubnets = model.ofType('aws_subnet').length > 0;
  const notCounted =
    hasSubnets || model.ofType('aws_eks_node_group').length === 0
      ? []
      : [
          'The subnets of the nodes belong to others: whether they have addresses for nodes and pods was not judged.',
        ];
  return [...notJudged, ...notCounted, ...supportNotes(model, now)];
}

function supportNotes(model: Model, now: Date): readonly string[] {
  return model.ofType('aws_eks_cluster').flatMap((cluster) => {
    const version = versionOf(model, cluster);
    const notice = supportNotice(version, now);
    return notice?.over === false
      ? [`Kubernetes ${version} of ${cluster.address} ${notice.message}.`]
      : [];
  });
}

function list(model: Model, cluster: Resource): readonly string[] {
  return read(model, cluster).list('vpc_config.public_access_cidrs').map(String);
}

/** Subnets are all that a lookup of private ones finds, or private ones of the stack in two zones. */
export function subnetFaults(model: Model, stack: StackModel, value: unknown): Faults {
  if (typeof value === 'string') {
    const lookup = stack.target(value);
    return lookup?.type === 'aws_subnets' && /\.ids\}$/.test(value)
      ? lookupFaults(model, stack, lookup)
      : [`subnet_ids is ${value}, not all ids of a lookup`];
  }
  const subnets = listOf(value).map((item) => stack.target(item));
  const zones = new Set(subnets.map((subnet) => subnet?.attributes.availability_zone));
  return [
    (subnets.length < 2 || zones.size < 2) && 'subnet_ids must be in at least two zones',
    subnets.some((subnet) => subnet?.type !== 'aws_subnet') &&
      'subnet_ids has what is not a subnet of the stack',
  ];
}

/** A filter of a lookup. */
interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

/** What a lookup by tags or ids would find in the other stacks, against their private subnets. */
function lookupFaults(model: Model, stack: StackModel, lookup: Resource): readonly string[] {
  const filters = listOf(stack.resolve(lookup.attributes.filter))
    .map(
      (filter): Filter => ({
        name: String(valueAt(filter, 'name')),
        values: listOf(valueAt(filter, 'values')).map(String),
      }),
    )
    .filter(({ name }) => name === 'subnet-id' || name.startsWith('tag:'));
  if (filters.length === 0) return ['the lookup of its subnets has no filter on tags or ids'];
  const [found, left] = [true, false].map((isWanted) =>
    model.ofType('aws_subnet').filter((subnet) => isFound(subnet, filters) === isWanted),
  );
  const isClosed = (subnet: Resource) => !isPublic(model, subnet);
  return [
    // Private subnets beside those that are found: their zone would be left out silently.
    ...(found?.some(isClosed) ? (left ?? []).filter(isClosed) : []).map(
      ({ address }) => `the lookup does not find ${address}`,
    ),
    ...(found ?? [])
      .filter((subnet) => !isClosed(subnet))
      .map(({ address }) => `the lookup finds ${address}, a public subnet`),
  ];
}

/** Ids are those of subnets that no stack makes. */
function isFound({ attributes }: Resource, filters: readonly Filter[]): boolean {
  return filters.every(
    ({ name, values }) =>
      name !== 'subnet-id' &&
      values.some((value) =>
        matchesPattern(value, String(Object(attributes.tags)[name.slice(4)] ?? '')),
      ),
  );
}

/** Accounts whose roles the entries of a stack name: one, or somebody else administers too. */
function accountsOf(model: Model, entry: Resource): ReadonlySet<string> {
  return new Set(
    neighbours(model, entry, 'aws_eks_access_entry').flatMap(
      (other) => /:iam::([^:]+):/.exec(read(model, other).text('principal_arn'))?.[1] ?? [],
    ),
  );
}

const { needed: NEEDED, known: KNOWN } = known.addOns;

/** Settings of how many, how large and where the pods of any add-on are. */
const ANY_ADD_ON = new RegExp(known.addOns.settingsOfAny);

/** Settings of add-ons that were thought about, and whether a value of each is a good one. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  'vpc-cni': { enableNetworkPolicy: (value) => String(value) === 'true' },
  coredns: { replicaCount: (value) => Number(value) >= 2 },
  'metrics-server': { replicas: (value) => Number(value) >= 1 },
};

/** What is wrong with the settings of an add-on; a good value of an unknown one is not known either. */
function settingsFaults(name: string, values: string): Faults {
  if (values === '') return [];
  const settings = parseJson(values);
  if (typeof settings !== 'object' || settings === null) {
    return ['configuration_values is not a JSON object'];
  }
  return Object.entries(settings).map(
    ([key, value]) =>
      !(SETTINGS[name]?.[key]?.(value) ?? ANY_ADD_ON.test(key)) &&
      `configuration_values has ${key} ${JSON.stringify(value)}, which changes what it does`,
  );
}

/** Rules on clusters, access to them, and their add-ons. */
export const CLUSTER_RULES: readonly Rule[] = [
  rule({
    id: 'cluster-api-private',
    subjects: every('aws_eks_cluster'),
    faults: (cluster, { model }) => {
      const { isTrue, isFalse } = read(model, cluster);
      const isPublic = !isFalse('vpc_config.endpoint_public_access');
      const cidrs = list(model, cluster);
      return [
        !isTrue('vpc_config.endpoint_private_access') && 'endpoint_private_access must be true',
        isPublic &&
          `endpoint_public_access must be false; it is open to ${cidrs.join(', ') || 'everybody'}`,
        isPublic && cidrs.length === 0 && 'public_access_cidrs is missing: everybody',
        ...cidrs
          .filter((text) => isPublic && (parseCidr(text)?.prefix ?? 0) < 16)
          .map((text) => `public_access_cidrs has ${text}: at most a /16 can be meant`),
      ];
    },
  }),
  rule({
    id: 'cluster-is-logged',
    subjects: every('aws_eks_cluster'),
    faults: (cluster, { model }) => {
      const { list: values, text } = read(model, cluster);
      const types = values('enabled_cluster_log_types').map(String);
      const name = `/aws/eks/${text('name')}/cluster`;
      const groups = neighbours(model, cluster, 'aws_cloudwatch_log_group');
      return [
        ...LOG_TYPES.filter((type) => !types.includes(type)).map((type) => `does not log ${type}`),
        !groups.some((group) => read(model, group).text('name') === name) &&
          `log group ${name} is missing`,
      ];
    },
  }),
  argumentRule({
    id: 'cluster-secrets-encrypted',
    faults: (cluster, { model }) => {
      const path = 'encryption_config.resources';
      const resources = read(model, cluster).list(path).map(String);
      return [
        resources.join() !== 'secrets' &&
          `${path} is for ${resources.join(', ') || 'nothing'}, not secrets`,
      ];
    },
  }),
  rule({
    id: 'cluster-is-not-replaced',
    subjects: every('aws_eks_cluster'),
    faults: ({ attributes }) => {
      const ignored = listOf(valueAt(attributes, 'lifecycle.ignore_changes')).map(String);
      return AT_CREATION.filter((path) => !ignored.includes(path)).map(
        (path) => `lifecycle.ignore_changes must have ${path}`,
      );
    },
  }),
  rule({
    id: 'cluster-api-reachable',
    subjects: ({ model }) =>
      model
        .ofType('aws_eks_cluster')
        .filter(({ stack }) =>
          model.resources.some(
            (other) => other.stack === stack && other.type.startsWith('kubernetes_'),
          ),
        ),
    faults: (cluster, { model }) => {
      const opened =
        referring(model, cluster, 'aws_vpc_security_group_ingress_rule', 'security_group_id')
          .length > 0;
      return opened || !read(model, cluster).isFalse('vpc_config.endpoint_public_access')
        ? []
        : [
            'its API is private, and no rule allows anybody but the nodes: set cluster_endpoint_private_access_cidrs',
          ];
    },
  }),
  rule({
    id: 'cluster-is-placed',
    subjects: every('aws_eks_cluster', 'aws_eks_node_group'),
    faults: (resource, { model }) => {
      const { text, stack } = read(model, resource);
      const isCluster = resource.type === 'aws_eks_cluster';
      const version = text('version');
      const subnets = valueAt(
        resource.attributes,
        isCluster ? 'vpc_config.subnet_ids' : 'subnet_ids',
      );
      const cluster = isCluster ? resource : stack.target(resource.attributes.cluster_name);
      return [
        !isCluster &&
          version !== '' &&
          version !== read(model, cluster ?? resource).text('version') &&
          `version ${version} is not that of its cluster`,
        !isCluster &&
          cluster?.type !== 'aws_eks_cluster' &&
          'cluster_name is not a cluster of the stack',
        isCluster &&
          !read(model, resource).isFalse('bootstrap_self_managed_addons') &&
          'bootstrap_self_managed_addons must be false: the add-ons belong to the stack',
        ...subnetFaults(model, stack, subnets),
      ];
    },
  }),
  rule({
    id: 'cluster-version-supported',
    subjects: every('aws_eks_cluster'),
    faults: (cluster, { model, now }) => {
      const version = versionOf(model, cluster);
      const notice = supportNotice(version, now);
      return [
        !KNOWN_KUBERNETES_VERSIONS.includes(version) &&
          `version is ${version || 'missing'}, known are ${KNOWN_KUBERNETES_VERSIONS.join(', ')}`,
        notice?.over === true && `version ${version} ${notice.message}`,
      ];
    },
  }),
  rule({
    id: 'cluster-has-named-admins',
    subjects: every('aws_eks_cluster'),
    faults: (cluster, { model }) => {
      const { text, isTrue, isFalse } = read(model, cluster);
      const admins = referring(model, cluster, 'aws_eks_access_policy_association', 'cluster_name');
      const creator = 'access_config.bootstrap_cluster_creator_admin_permissions';
      return [
        text('access_config.authentication_mode') !== 'API' &&
          `authentication_mode is ${text('access_config.authentication_mode') || 'missing'}, must be API`,
        admins.length > 0 &&
          !isFalse(creator) &&
          'its creator administers it too, without an access entry',
        admins.length === 0 &&
          !isTrue(creator) &&
          'nobody administers it: no access entry, and not its creator',
      ];
    },
  }),
  argumentRule({
    id: 'access-entries-are-roles',
    faults: (entry, { model }) => {
      const { at, text, target, stack, list: values } = read(model, entry);
      const isEntry = entry.type === 'aws_eks_access_entry';
      return [
        !isRoleArn(String(at('principal_arn'))) &&
          target('principal_arn')?.type !== 'aws_iam_role' &&
          `principal_arn is ${text('principal_arn')}, not a role`,
        isEntry &&
          accountsOf(model, entry).size > 1 &&
          `entries name roles of the accounts ${[...accountsOf(model, entry)].join(', ')}`,
        values('kubernetes_groups').length > 0 &&
          'kubernetes_groups gives rights that AWS does not show',
        !isEntry &&
          !text('policy_arn').startsWith(
            `arn:${stack.partition}:eks::aws:cluster-access-policy/`,
          ) &&
          `policy_arn is ${text('policy_arn')}, not an access policy of EKS`,
        !isEntry &&
          !['cluster', 'namespace'].includes(text('access_scope.type')) &&
          `access_scope is ${text('access_scope.type') || 'missing'}`,
        !isEntry &&
          text('access_scope.type') === 'namespace' &&
          values('access_scope.namespaces').length === 0 &&
          'access_scope names no namespace',
        !isEntry &&
          text('access_scope.type') === 'cluster' &&
          !/\/AmazonEKS(ClusterAdmin|AdminView|View)Policy$/.test(text('policy_arn')) &&
          `${text('policy_arn')} in the whole cluster`,
        !isEntry &&
          target('principal_arn')?.type === undefined &&
          'principal_arn is not an access entry of the stack',
      ];
    },
  }),
  rule({
    id: 'cluster-has-add-ons',
    subjects: every('aws_eks_cluster'),
    faults: (cluster, { model }) => {
      const has = referring(model, cluster, 'aws_eks_addon', 'cluster_name').map((addOn) =>
        read(model, addOn).text('addon_name'),
      );
      const autoscalers = model
        .stackOf(cluster)
        .resources.filter(({ type }) => type.startsWith('kubernetes_horizontal_pod_autoscaler'));
      return [
        ...NEEDED.filter((name) => !has.includes(name)).map((name) => `lacks the add-on ${name}`),
        autoscalers.length > 0 &&
          !has.includes('metrics-server') &&
          'lacks the add-on metrics-server, by which its autoscaler measures',
        neighbours(model, cluster, 'aws_eks_pod_identity_association').length > 0 &&
          !has.includes('eks-pod-identity-agent') &&
          'lacks the add-on eks-pod-identity-agent, which gives pods their roles',
      ];
    },
  }),
  argumentRule({
    id: 'add-ons-are-managed',
    faults: (addOn, { model }) => {
      const { text, target } = read(model, addOn);
      const name = text('addon_name');
      const lookup = target('addon_version');
      const wanted = lookup && read(model, lookup).text('kubernetes_version');
      const cluster = target('cluster_name');
      return [
        lookup?.type === 'aws_eks_addon_version' &&
          cluster?.type === 'aws_eks_cluster' &&
          wanted !== read(model, cluster).text('version') &&
          `addon_version is that for Kubernetes ${wanted || 'of no version'}, not that of its cluster`,
        !KNOWN.includes(name) && `addon_name is ${name}: AWS does not make it`,
        ...settingsFaults(name, text('configuration_values')),
      ];
    },
  }),
  rule({
    id: 'network-policies-enforced',
    subjects: every('aws_eks_cluster'),
    faults: (cluster, { model }) => {
      const enforced = neighbours(model, cluster, 'aws_eks_addon').some(
        ({ attributes }) =>
          attributes.addon_name === 'vpc-cni' &&
          String(valueAt(parseJson(attributes.configuration_values), 'enableNetworkPolicy')) ===
            'true',
      );
      return enforced
        ? []
        : ['configuration_values of the add-on vpc-cni must have enableNetworkPolicy "true"'];
    },
  }),
];
