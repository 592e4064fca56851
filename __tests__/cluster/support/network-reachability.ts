import { BlockList, isIPv4 } from 'node:net';
import type { ContainerPort, KubernetesResource, Labels } from './kubernetes-resource.ts';

/** A NetworkPolicy (Kubernetes API reference, networking.k8s.io/v1). */
export interface NetworkPolicy extends KubernetesResource {
  readonly spec: {
    readonly podSelector?: LabelSelector;
    readonly policyTypes?: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly IngressRule[];
    readonly egress?: readonly EgressRule[];
  };
}

interface IngressRule {
  readonly from?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

interface EgressRule {
  readonly to?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

interface PolicyPeer {
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
  readonly namespaceSelector?: LabelSelector;
  readonly podSelector?: LabelSelector;
}

interface PolicyPort {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly LabelExpression[];
}

interface LabelExpression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** The pod whose traffic is asked about. */
export interface OwnPod {
  readonly namespace: string;
  readonly labels: Labels;
  /** What names of ports mean. */
  readonly ports: readonly ContainerPort[];
}

/** Whom it talks to: an address outside the cluster, or a pod. */
export type Peer =
  | { readonly address: string }
  | { readonly namespace: string; readonly namespaceLabels: Labels; readonly labels: Labels };

/** A connection to, or from, the pod. */
export interface Connection {
  readonly direction: 'Ingress' | 'Egress';
  readonly peer: Peer;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/**
 * Whether the policies of the pod's namespace let a connection through. kwok has no network that
 * would enforce them, so this is what the API's documentation says ("Network Policies"): a pod that
 * no policy selects for a direction is open; else one rule of one policy must match.
 */
export function admits(
  policies: readonly NetworkPolicy[],
  pod: OwnPod,
  connection: Connection,
): boolean {
  const applying = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace &&
      selects(spec.podSelector ?? {}, pod.labels) &&
      directionsOf(spec).includes(connection.direction),
  );
  if (applying.length === 0) return true;
  return applying.some(({ spec }) =>
    rulesOf(spec, connection.direction).some(
      ({ peers, ports }) =>
        (peers.length === 0 || peers.some((peer) => matchesPeer(peer, pod, connection.peer))) &&
        (ports.length === 0 || ports.some((port) => matchesPort(port, pod, connection))),
    ),
  );
}

function directionsOf({ policyTypes, egress }: NetworkPolicy['spec']): readonly string[] {
  return policyTypes ?? (egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']);
}

function rulesOf(spec: NetworkPolicy['spec'], direction: Connection['direction']) {
  return direction === 'Ingress'
    ? (spec.ingress ?? []).map(({ from = [], ports = [] }) => ({ peers: from, ports }))
    : (spec.egress ?? []).map(({ to = [], ports = [] }) => ({ peers: to, ports }));
}

function matchesPeer(
  { ipBlock, namespaceSelector, podSelector }: PolicyPeer,
  pod: OwnPod,
  peer: Peer,
): boolean {
  if ('address' in peer) {
    if (ipBlock === undefined) return false;
    const { cidr, except = [] } = ipBlock;
    return contains(cidr, peer.address) && !except.some((part) => contains(part, peer.address));
  }
  if (ipBlock !== undefined) return false;
  const namespaceMatches = namespaceSelector
    ? selects(namespaceSelector, peer.namespaceLabels)
    : peer.namespace === pod.namespace;
  return namespaceMatches && selects(podSelector ?? {}, peer.labels);
}

function matchesPort(
  { protocol = 'TCP', port, endPort }: PolicyPort,
  pod: OwnPod,
  connection: Connection,
): boolean {
  if (protocol !== connection.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') {
    return connection.port >= port && connection.port <= (endPort ?? port);
  }
  // A name is one of the pod that is connected to; nobody knows those of others here.
  if (connection.direction === 'Egress') return false;
  return pod.ports.some(
    ({ name, containerPort }) => name === port && containerPort === connection.port,
  );
}

function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels) {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((expression) => holds(expression, labels))
  );
}

function holds({ key, operator, values = [] }: LabelExpression, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

function contains(cidr: string, address: string): boolean {
  const [network = '', length] = cidr.split('/');
  const family = isIPv4(network) ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
