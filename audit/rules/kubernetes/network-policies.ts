import type { Audited } from '../rule.ts';
import type { NetworkPeer, NetworkPolicySpec, NetworkPort } from './api-types.ts';
import { contains, isEverywhere, isPrivate } from './cidr-range.ts';
import { isEmpty, selects } from './label-selector.ts';
import type { Listener } from './listeners.ts';
import { objectsIn, type Pod, portOf } from './pods.ts';

/** Address where a node tells its credentials (Amazon EC2 User Guide, "Instance metadata"). */
export const INSTANCE_METADATA = '169.254.169.254/32';
/** Port of AWS's APIs. */
export const HTTPS = 443;
/** Port of name servers. */
export const DNS = 53;

/** What a policy says. */
export function specOf(object: Audited['objects'][number]): NetworkPolicySpec {
  return (object.manifest.spec ?? {}) as NetworkPolicySpec;
}

/** Policies that select a pod. */
export function policiesOf(audited: Audited, pod: Pod): readonly NetworkPolicySpec[] {
  return objectsIn(audited, pod.namespace, 'NetworkPolicy')
    .map(specOf)
    .filter(({ podSelector }) => podSelector === undefined || selects(podSelector, pod.labels));
}

/** A policy without policyTypes restricts ingress, and egress where it has rules for it. */
export function restricted(audited: Audited, pod: Pod, direction: 'Ingress' | 'Egress'): boolean {
  return policiesOf(audited, pod).some(({ policyTypes, egress }) =>
    policyTypes
      ? policyTypes.includes(direction)
      : direction === 'Ingress' || (egress ?? []).length > 0,
  );
}

/** Rules for what may call a pod. */
export function ingressRules(audited: Audited, pod: Pod) {
  return policiesOf(audited, pod)
    .filter(({ policyTypes }) => policyTypes?.includes('Ingress') ?? true)
    .flatMap(({ ingress }) => ingress ?? []);
}

/** Rules for what a pod may call. */
export function egressRules(audited: Audited, pod: Pod) {
  return policiesOf(audited, pod)
    .filter(({ policyTypes }) => policyTypes?.includes('Egress') ?? true)
    .flatMap(({ egress }) => egress ?? []);
}

/** Whether ports of a rule include one. */
export function opens(
  ports: readonly NetworkPort[] | undefined,
  number: number,
  protocol: string,
  listener: Listener | undefined,
): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some(({ port, endPort, protocol: given = 'TCP' }) => {
    if (given !== protocol) return false;
    if (port === undefined) return true;
    if (endPort !== undefined) return Number(port) <= number && number <= endPort;
    const named = listener && portOf([listener], port)?.containerPort;
    return Number(port) === number || Number(named) === number;
  });
}

/** Whether a peer is more than a private network or some pods. */
export function isWide({ ipBlock, namespaceSelector, podSelector }: NetworkPeer): boolean {
  if (ipBlock) return !isPrivate(ipBlock.cidr ?? '');
  return namespaceSelector === undefined && podSelector === undefined;
}

/** Its packets come from the internet, or from the nodes: from addresses, never from pods. */
export function admitsLoadBalancer(
  from: readonly NetworkPeer[] | undefined,
  { model }: Audited,
): boolean {
  if (from === undefined || from.length === 0) return true;
  const networks = model.ofType('aws_vpc').map(({ attributes }) => String(attributes.cidr_block));
  return from.some(({ ipBlock }) => {
    const cidr = ipBlock?.cidr ?? '';
    if ((ipBlock?.except ?? []).some((hole) => networks.some((one) => contains(hole, one))))
      return false;
    return isEverywhere(cidr) || networks.some((network) => contains(cidr, network));
  });
}

/** Whether peers include the whole internet. */
export function reachesEverywhere(to: readonly NetworkPeer[] | undefined): boolean {
  const open = to?.filter(
    ({ ipBlock }) =>
      isEverywhere(ipBlock?.cidr ?? '') && !(ipBlock?.except ?? []).some(isEverywhere),
  );
  // A half of all addresses is as good as all for who must not be let out, but not for who must.
  const halves = new Set(open?.map(({ ipBlock }) => ipBlock?.cidr));
  return open === undefined || [...halves].some((cidr) => cidr?.endsWith('/0')) || halves.size > 1;
}

/** Whether peers include the internet or a private network. */
export function reachesAddresses(to: readonly NetworkPeer[] | undefined): boolean {
  return (
    to === undefined ||
    to.some(({ ipBlock }) => isEverywhere(ipBlock?.cidr ?? '') || isPrivate(ipBlock?.cidr ?? ''))
  );
}

/** Whether peers include an address. */
export function reachesAddress(to: readonly NetworkPeer[] | undefined, address: string): boolean {
  return (
    to === undefined || to.some(({ ipBlock }) => contains(ipBlock?.cidr ?? '', `${address}/32`))
  );
}

/** The pods of CoreDNS, as EKS labels them. */
export function reachesDns(to: readonly NetworkPeer[] | undefined): boolean {
  if (to === undefined) return true;
  return to.some(({ ipBlock, namespaceSelector, podSelector }) => {
    if (ipBlock) return isEverywhere(ipBlock.cidr ?? '');
    // Without it, a selector of pods means those of the policy's own namespace.
    if (namespaceSelector === undefined) return false;
    const namespace = { 'kubernetes.io/metadata.name': 'kube-system' };
    const pods = { 'k8s-app': 'kube-dns' };
    return (
      (isEmpty(namespaceSelector) || selects(namespaceSelector, namespace)) &&
      (podSelector === undefined || selects(podSelector, pods))
    );
  });
}

/** Whether the only peer is the instance metadata. */
export function isMetadata(to: readonly NetworkPeer[] | undefined): boolean {
  return to?.every(({ ipBlock }) => ipBlock?.cidr === INSTANCE_METADATA) ?? false;
}

/** Whether peers include the instance metadata. */
export function reachesMetadata(to: readonly NetworkPeer[] | undefined): boolean {
  if (to === undefined || to.length === 0) return true;
  return to.some(({ ipBlock }) => {
    const covered = contains(ipBlock?.cidr ?? '', INSTANCE_METADATA);
    return covered && !(ipBlock?.except ?? []).some((hole) => contains(hole, INSTANCE_METADATA));
  });
}

/** Port of the database; undefined where there is none, or only a Secret tells. */
export function databasePort(listener: Listener): number | undefined {
  if (listener.isSet('DATABASE_URL') || !listener.isSet('DB_HOST')) return undefined;
  const port = Number(listener.setting('DB_PORT'));
  return Number.isNaN(port) ? undefined : port;
}

/** Whether only a Secret tells the database's port. */
export function hidesDatabasePort(listener: Listener): boolean {
  return listener.isSet('DATABASE_URL');
}

/** The one port of a rule that is neither DNS nor https. */
export function otherPort({
  ports = [],
}: {
  readonly ports?: readonly NetworkPort[];
}): readonly number[] {
  const numbers = ports
    .map(({ port }) => Number(port))
    .filter((port) => port !== DNS && port !== HTTPS);
  return ports.length === 1 ? numbers : [];
}
