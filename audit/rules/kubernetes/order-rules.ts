import { graphOf } from '../../../src/synthesized/model/graph.ts';
import { type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-object.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import { servicesTo } from './delivery-rules.ts';
import { when } from './faults.ts';
import { isEmpty, selects } from './label-selector.ts';
import { servers } from './listeners.ts';
import { namespaceOf, objectsIn, objectsOf, type Pod, podsOf } from './pods.ts';
import { dataReferences } from './references.ts';

/** Terraform destroys in the opposite order. */
export const objectWaitsForTheCluster: Rule = rule({
  id: 'object-waits-for-the-cluster',
  title:
    'Every object is made after nodes, add-ons and access are there, and destroyed before they go',
  reason:
    'Terraform destroys in the opposite order: objects that wait for nothing outlive the nodes or the access, their deletion hangs, and a load balancer is left behind that holds the network.',
  control: 'CM-3',
  severity: 'high',
  subjects: ({ objects }) => objects,
  faults: (object, { model }) => {
    const graph = graphOf(model.stackOf(object));
    const needed = clusterParts(model.resources.filter(({ stack }) => stack === object.stack));
    return needed
      .filter(({ address }) => !graph.waitsFor(object.address, address))
      .map(({ address }) => `does not wait for ${address}`);
  },
});

/** What a pod needs must be there when it starts. */
export const podWaitsForWhatItUses: Rule = rule({
  id: 'pod-waits-for-what-it-uses',
  title: 'Pods are made after the namespace, account, data and policies that they need',
  reason:
    'Terraform makes unrelated resources at the same time: a pod before its ConfigMap waits in an error, one before its policy runs unguarded; an object before its namespace is refused.',
  control: 'CM-3',
  severity: 'medium',
  subjects: ({ objects }) => objects,
  faults: (object, audited) => {
    const graph = graphOf(audited.model.stackOf(object));
    return neededBy(object, audited)
      .filter(({ stack, address }) => stack === object.stack && address !== object.address)
      .filter(({ address }) => !graph.waitsFor(object.address, address))
      .map(({ address }) => `does not wait for ${address}`);
  },
});

/** SNS asks once whether the endpoint is there. */
export const subscriptionWaitsForTheListener: Rule = rule({
  id: 'subscription-waits-for-the-listener',
  title: 'An HTTP subscription is made after the listener and the way to it',
  reason:
    'SNS asks for a confirmation at once, and a subscription that nobody confirms stays pending and can not be destroyed.',
  control: 'CM-3',
  severity: 'high',
  subjects: ({ model }) =>
    model
      .ofType('aws_sns_topic_subscription')
      .filter(({ attributes }) => /^https?$/.test(String(attributes.protocol))),
  faults: ({ stack, address }, audited) => {
    const graph = graphOf(audited.model.stackOf({ stack }));
    const listeners = servers(audited).filter((listener) => listener.stack === stack);
    const needed = [
      ...listeners.map(({ pod }) => pod.address),
      ...listeners.flatMap((listener) => servicesTo(audited, listener).map((one) => one.address)),
      ...objectsOf(audited, 'Ingress')
        .filter((object) => object.stack === stack)
        .map((object) => object.address),
    ];
    return [...new Set(needed)]
      .filter((one) => !graph.waitsFor(address, one))
      .map((one) => `does not wait for ${one}`);
  },
});

/** An address that is not there yet is none. */
export const loadBalancerIsWaitedFor: Rule = rule({
  id: 'load-balancer-is-waited-for',
  title: 'Terraform waits for the address of a load balancer, and long enough',
  reason:
    'The address is an output, and what the subscription needs: without waiting it is empty, and the load balancer may be none.',
  control: 'CM-3',
  severity: 'low',
  subjects: (audited) =>
    objectsOf(audited, 'Service').filter(({ manifest }) => manifest.spec?.type === 'LoadBalancer'),
  faults: (object, { model }) => {
    const resource = model.stackOf(object).at(object.address);
    const timeout = String(valueAt(resource?.attributes, 'timeouts.create') ?? '10m');
    const minutes = /^(\d+)m$/.exec(timeout)?.[1];
    return [
      ...when(
        resource?.attributes.wait_for_load_balancer === false,
        'wait_for_load_balancer is false',
      ),
      ...when(
        /^\d+s$/.test(timeout) || (minutes !== undefined && Number(minutes) < 5),
        `Terraform gives up after ${timeout}; a load balancer takes minutes`,
      ),
    ];
  },
});

/** Nodes, add-ons, and what lets Terraform in. */
function clusterParts(resources: readonly Resource[]): readonly Resource[] {
  const clusters = resources.filter(({ type }) => type === 'aws_eks_cluster');
  const isApiRule = ({ type, attributes }: Resource) =>
    type === 'aws_vpc_security_group_ingress_rule' &&
    Number(attributes.to_port) === 443 &&
    clusters.some(({ address }) => String(attributes.security_group_id).includes(`${address}.`));
  return resources.filter(
    (resource) =>
      [
        'aws_eks_node_group',
        'aws_eks_addon',
        'aws_eks_access_entry',
        'aws_eks_access_policy_association',
      ].includes(resource.type) || isApiRule(resource),
  );
}

function neededBy(object: KubernetesObject, audited: Audited): readonly KubernetesObject[] {
  const namespaces = objectsOf(audited, 'Namespace').filter(
    ({ manifest }) => manifest.metadata.name === namespaceOf(object),
  );
  const pod = podsOf(audited).find(
    ({ stack, address }) => stack === object.stack && address === object.address,
  );
  const scaled =
    object.manifest.kind === 'HorizontalPodAutoscaler'
      ? objectsIn(
          audited,
          namespaceOf(object),
          object.manifest.spec?.scaleTargetRef?.kind ?? '',
        ).filter(
          ({ manifest }) => manifest.metadata.name === object.manifest.spec?.scaleTargetRef?.name,
        )
      : [];
  return [...namespaces, ...scaled, ...(pod ? neededByPod(pod, audited) : [])];
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

/** Rules on the order in which things come and go. */
export const ORDER_RULES: readonly Rule[] = [
  objectWaitsForTheCluster,
  podWaitsForWhatItUses,
  subscriptionWaitsForTheListener,
  loadBalancerIsWaitedFor,
];
