import { referenceOf } from '../../../src/synthesized/model/expression.ts';
import {
  graphOf,
  type Model,
  type Resource,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { isCustomObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { statementsOf } from '../../policy/policies.ts';
import { usesOf } from '../identity/roles.ts';
import { servicesTo } from '../messaging/delivery.ts';
import { servers } from '../readers/listeners.ts';
import {
  dataReferences,
  isEmpty,
  namespaceOf,
  objectNamed,
  objectsIn,
  objectsOf,
  type Pod,
  podsOf,
  selects,
} from '../readers/pods.ts';
import { neighbours, read } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';

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
    ).filter(({ resource }) =>
      /\/AmazonE(KS|C2Container)\w+$/.test(read(model, resource).text('policy_arn')),
    ),
    ...addOnsOf(model, group, ['vpc-cni', 'kube-proxy', 'eks-pod-identity-agent']).map(
      (resource) => ({
        resource,
        why: 'without it nodes never turn ready',
      }),
    ),
  ],
  aws_eks_addon: (model, addOn) => {
    if (!['coredns', 'metrics-server'].includes(read(model, addOn).text('addon_name'))) return [];
    const graph = graphOf(model.stackOf(addOn));
    const groups = neighbours(model, addOn, 'aws_eks_node_group');
    return groups.some(({ address }) => graph.waitsFor(addOn.address, address))
      ? []
      : groups.map((resource) => ({ resource, why: 'its pods need a node, or it stays degraded' }));
  },
  aws_flow_log: (model, log) =>
    rightsOf(model, log, 'iam_role_arn', 'without it the first minutes are not logged'),
  aws_nat_gateway: internetRoutes,
  aws_eip: internetRoutes,
  aws_s3_bucket_notification: (model, notification) => [
    ...(notification.attributes.eventbridge === true
      ? neighbours(model, notification, 'aws_cloudwatch_event_target')
      : []
    ).map((resource) => ({ resource, why: 'an event that no rule sends on is lost' })),
    ...neighbours(model, notification, 'aws_sns_topic_policy')
      .filter((policy) =>
        graphOf(model.stackOf(policy))
          .users(read(model, policy).target('arn')?.address ?? '')
          .includes(notification),
      )
      .map((resource) => ({ resource, why: 'S3 tries to publish when the notification is made' })),
  ],
  aws_sns_topic_subscription: (model, subscription) =>
    String(subscription.attributes.protocol).startsWith('http')
      ? confirmers(model, subscription)
      : [],
};

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

/** Add-ons that objects of the stack need. */
const ADD_ONS = ['coredns', 'kube-proxy', 'vpc-cni', 'metrics-server', 'eks-pod-identity-agent'];

/** Whether an access policy lets somebody look and nothing else: Terraform does not work by it. */
function isView({ policy_arn }: Resource['attributes']): boolean {
  return /\/AmazonEKS(Admin)?ViewPolicy$/.test(String(policy_arn));
}

/** The principal of an access entry that another resource names, by itself or by a reference. */
function entryOf(principal: unknown, resources: readonly Resource[]): unknown {
  const entry = resources.find(
    ({ type, address }) =>
      type === 'aws_eks_access_entry' && referenceOf(principal)?.address === address,
  );
  return entry === undefined ? principal : entry.attributes.principal_arn;
}

/** Nodes, add-ons, and what gives Terraform access. */
function clusterParts(resources: readonly Resource[]): readonly Resource[] {
  const named = (isWanted: (attributes: Resource['attributes']) => boolean) =>
    resources
      .filter(({ type, attributes }) => type.endsWith('policy_association') && isWanted(attributes))
      .map(({ attributes }) => entryOf(attributes.principal_arn, resources));
  const workers = named((attributes) => !isView(attributes));
  const viewers = named(isView).filter((principal) => !workers.includes(principal));
  const clusters = resources.filter(({ type }) => type === 'aws_eks_cluster');
  const isApiRule = ({ type, attributes }: Resource) =>
    type === 'aws_vpc_security_group_ingress_rule' &&
    Number(attributes.to_port) === 443 &&
    clusters.some(({ address }) => String(attributes.security_group_id).includes(`${address}.`));
  const isMeans = ({ type, attributes }: Resource) => {
    if (type === 'aws_eks_addon') return ADD_ONS.includes(String(attributes.addon_name));
    if (type === 'aws_eks_access_entry') return !viewers.includes(attributes.principal_arn);
    if (type === 'aws_eks_access_policy_association') return !isView(attributes);
    return ['aws_eks_node_group', 'aws_eks_pod_identity_association'].includes(type);
  };
  return resources.filter((resource) => isMeans(resource) || isApiRule(resource));
}

function neededBy(object: KubernetesObject, audited: Audited): readonly KubernetesObject[] {
  const namespaces = objectsOf(audited, 'Namespace').filter(
    ({ manifest }) => manifest.metadata.name === namespaceOf(object),
  );
  const pod = podsOf(audited).find(
    ({ stack, address }) => stack === object.stack && address === object.address,
  );
  const { kind = '', name } = object.manifest.spec?.scaleTargetRef ?? {};
  const isScaler = object.manifest.kind === 'HorizontalPodAutoscaler';
  const scaled = isScaler && objectNamed(audited, namespaceOf(object), kind, name);
  return [...namespaces, ...(scaled ? [scaled] : []), ...(pod ? neededByPod(pod, audited) : [])];
}

function neededByPod(pod: Pod, audited: Audited): readonly KubernetesObject[] {
  const data = dataReferences(pod);
  return objectsIn(
    audited,
    pod.namespace,
    'ServiceAccount',
    'ConfigMap',
    'Secret',
    'NetworkPolicy',
  ).filter(({ manifest }) => {
    const { kind, metadata, spec } = manifest;
    if (kind === 'ServiceAccount') return metadata.name === pod.spec.serviceAccountName;
    if (kind === 'NetworkPolicy') {
      return !isEmpty(spec?.podSelector) && selects(spec?.podSelector, pod.labels);
    }
    return data.some((use) => use.kind === kind && use.name === metadata.name);
  });
}

/** What an address of a stack does not wait for, of what it needs. */
function unawaited(model: Model, stack: string, address: string, needed: readonly string[]) {
  const graph = graphOf(model.stackOf({ stack }));
  return [...new Set(needed)]
    .filter((other) => !graph.waitsFor(address, other))
    .map((other) => `does not wait for ${other}`);
}

/** Rules on the order of creation and destruction. */
export const ORDER_RULES: readonly Rule[] = [
  rule({
    id: 'made-in-order',
    subjects: ({ model }) => model.ofType(...Object.keys(PRIORS)),
    faults: (resource, { model }) => {
      const graph = graphOf(model.stackOf(resource));
      return (PRIORS[resource.type]?.(model, resource) ?? [])
        .filter((prior) => !graph.waitsFor(resource.address, prior.resource.address))
        .map(({ resource: { address }, why }) => `does not wait for ${address}: ${why}`);
    },
  }),
  rule({
    id: 'object-waits-for-the-cluster',
    // The last phase of apply puts the others in place, and destroy begins with them.
    subjects: ({ objects }) => objects.filter((object) => !isCustomObject(object)),
    faults: ({ stack, address }, { model }) => {
      const needed = clusterParts(model.stackOf({ stack }).resources);
      return unawaited(
        model,
        stack,
        address,
        needed.map((one) => one.address),
      );
    },
  }),
  rule({
    id: 'pod-waits-for-what-it-uses',
    subjects: ({ objects }) => objects.filter((object) => !isCustomObject(object)),
    faults: (object, audited) => {
      const needed = neededBy(object, audited)
        .filter(({ stack, address }) => stack === object.stack && address !== object.address)
        .map(({ address }) => address);
      return unawaited(audited.model, object.stack, object.address, needed);
    },
  }),
  rule({
    id: 'subscription-waits-for-the-listener',
    subjects: ({ model }) =>
      model
        .ofType('aws_sns_topic_subscription')
        .filter(({ attributes }) => /^https?$/.test(String(attributes.protocol))),
    faults: ({ stack, address }, audited) => {
      const listeners = servers(audited).filter((listener) => listener.stack === stack);
      const needed = [
        ...listeners.map(({ pod }) => pod.address),
        ...listeners.flatMap((listener) => servicesTo(audited, listener).map((one) => one.address)),
        ...objectsOf(audited, 'Ingress')
          .filter((object) => object.stack === stack)
          .map((object) => object.address),
      ];
      return unawaited(audited.model, stack, address, needed);
    },
  }),
  rule({
    id: 'load-balancer-is-waited-for',
    subjects: (audited) =>
      objectsOf(audited, 'Service').filter(
        ({ manifest }) => manifest.spec?.type === 'LoadBalancer',
      ),
    faults: (object, { model }) => {
      const resource = model.stackOf(object).at(object.address);
      const timeout = String(valueAt(resource?.attributes, 'timeouts.create') ?? '10m');
      const minutes = /^(\d+)m$/.exec(timeout)?.[1];
      return [
        resource?.attributes.wait_for_load_balancer === false && 'wait_for_load_balancer is false',
        (/^\d+s$/.test(timeout) || (minutes !== undefined && Number(minutes) < 5)) &&
          `Terraform gives up after ${timeout}; a load balancer takes minutes`,
      ];
    },
  }),
];
