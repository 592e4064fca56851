import { isIPv4 } from 'node:net';
import type { VariableName } from '@file-processing/contract/listener-variables.ts';
import { associationOf } from '../identity/service-accounts.ts';
import { servicesTo } from '../messaging/delivery.ts';
import type { NetworkPeer, NetworkPolicySpec, NetworkPort } from '../readers/kubernetes-api.ts';
import {
  consoles,
  type Listener,
  listenersOf,
  servers,
  takesDeliveries,
} from '../readers/listeners.ts';
import {
  containersOf,
  ingressesTo,
  isEmpty,
  namespaceOf,
  objectsIn,
  objectsOf,
  type Pod,
  podsOf,
  podsSelected,
  portOf,
  selectorText,
  selects,
  serviceSpec,
  servicesOf,
} from '../readers/pods.ts';
import { itemsOf } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import addresses from './addresses.json' with { type: 'json' };

interface Range {
  readonly first: number;
  readonly last: number;
}

/** All of IPv4, and of IPv6. */
const EVERYWHERE = ['0.0.0.0/0', '::/0'];

/** Networks that no packet of the internet comes from (RFC 1918, RFC 6598). */
const PRIVATE: readonly string[] = addresses.private;

/** Whether a block is the whole internet, or half of it and more. */
export function isEverywhere(cidr: string): boolean {
  return EVERYWHERE.includes(cidr) || /\/[01]$/.test(cidr);
}

/** Whether a block lies in private networks alone. */
export function isPrivate(cidr: string): boolean {
  return PRIVATE.some((network) => contains(network, cidr));
}

/** Whether a block of IPv4 contains another; false where one of them is not a block. */
export function contains(outer: string, inner: string): boolean {
  const [one, other] = [rangeOf(outer), rangeOf(inner)];
  return (
    one !== undefined && other !== undefined && one.first <= other.first && other.last <= one.last
  );
}

function rangeOf(cidr: string): Range | undefined {
  const [address = '', length = '32'] = cidr.split('/');
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length)) return undefined;
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1 };
}

/** Address where a node tells its credentials (Amazon EC2 User Guide, "Instance metadata"). */
const INSTANCE_METADATA = '169.254.169.254';
/** Address of the agent that gives out the credentials of EKS Pod Identity, on port 80. */
const POD_IDENTITY_AGENT = '169.254.170.23';
/** Port of AWS's APIs. */
const HTTPS = 443;
/** Port of name servers. */
export const DNS = 53;

/** What a policy says. */
function specOf(object: Audited['objects'][number]): NetworkPolicySpec {
  return (object.manifest.spec ?? {}) as NetworkPolicySpec;
}

/** Policies that select a pod. */
export function policiesOf(audited: Audited, pod: Pod): readonly NetworkPolicySpec[] {
  return objectsIn(audited, pod.namespace, 'NetworkPolicy')
    .map(specOf)
    .filter(({ podSelector }) => podSelector === undefined || selects(podSelector, pod.labels));
}

/** A policy without policyTypes restricts ingress, and egress where it has rules for it. */
function restricted(audited: Audited, pod: Pod, direction: 'Ingress' | 'Egress'): boolean {
  return policiesOf(audited, pod).some(({ policyTypes, egress }) =>
    policyTypes
      ? policyTypes.includes(direction)
      : direction === 'Ingress' || (egress ?? []).length > 0,
  );
}

/** Rules of the policies that select a pod: who may call it, or whom it may call. */
function rulesFor(audited: Audited, pod: Pod, direction: 'Ingress' | 'Egress') {
  return policiesOf(audited, pod)
    .filter(({ policyTypes }) => policyTypes?.includes(direction) ?? true)
    .flatMap(({ ingress = [], egress = [] }) =>
      direction === 'Ingress'
        ? ingress.map(({ from, ports }) => ({ peers: from, ports }))
        : egress.map(({ to, ports }) => ({ peers: to, ports })),
    );
}

/** The peers of several rules together, since policies add up; undefined where one of them names none, which means all. */
function together(
  rules: readonly (readonly NetworkPeer[] | undefined)[],
): readonly NetworkPeer[] | undefined {
  const all = rules.some((peers) => peers === undefined || peers.length === 0);
  return all ? undefined : rules.flatMap((peers) => peers ?? []);
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

/** Blocks that the internet has no addresses in (IANA, IPv4 Special-Purpose Address Registry). */
const NOT_PUBLIC = [...PRIVATE, ...addresses.notPublic];

const rangesOf = (cidrs: readonly string[]) =>
  cidrs.map(rangeOf).filter((range) => range !== undefined);

/** Addresses without some others. */
function minus(ranges: readonly Range[], holes: readonly Range[]): readonly Range[] {
  return holes.reduce<readonly Range[]>(
    (left, hole) =>
      left.flatMap(({ first, last }) =>
        [
          { first, last: Math.min(last, hole.first - 1) },
          { first: Math.max(first, hole.last + 1), last },
        ].filter((part) => part.first <= part.last),
      ),
    ranges,
  );
}

const INTERNET = minus(rangesOf(['0.0.0.0/0']), rangesOf(NOT_PUBLIC));

/** Whether blocks together include every address of the internet. */
export function includesInternet(cidrs: readonly string[]): boolean {
  return minus(INTERNET, rangesOf(cidrs)).length === 0;
}

/** IPv4 addresses of the blocks of some peers, without what each excepts. */
function addressesOf(peers: readonly NetworkPeer[]): readonly Range[] {
  return peers.flatMap(({ ipBlock }) =>
    minus(rangesOf([ipBlock?.cidr ?? '']), rangesOf(ipBlock?.except ?? [])),
  );
}

/** Addresses that peers have to include, and don't; none for those who include all. */
function missed(needed: readonly Range[], peers: readonly NetworkPeer[] | undefined) {
  return peers === undefined ? [] : minus(needed, addressesOf(peers));
}

/** The networks of the stacks; none where others made them. */
function networksOf({ model }: Audited): readonly Range[] {
  return rangesOf(model.ofType('aws_vpc').map(({ attributes }) => String(attributes.cidr_block)));
}

/** How the first of some addresses look in a sentence. */
function rangeText([range]: readonly Range[]): string {
  const address = (number: number) =>
    [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
  return range === undefined ? '' : `${address(range.first)} to ${address(range.last)}`;
}

/** Whether a peer is more than a private network or some pods. */
function isWide(peer: NetworkPeer): boolean {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  if (ipBlock === undefined) return namespaceSelector === undefined && podSelector === undefined;
  const left = minus(addressesOf([peer]), rangesOf(PRIVATE));
  return left.length > 0 || rangeOf(ipBlock.cidr ?? '') === undefined;
}

/**
 * Addresses of a load balancer or of those who call it that peers leave out. Its packets come from the internet or from
 * its own addresses in the VPC, never from pods, and its health checks from the latter alone. Who lets some of the
 * internet in, has to let all of it in: SNS publishes no addresses.
 */
function missedCallers(from: readonly NetworkPeer[], audited: Audited): readonly Range[] {
  const networks = networksOf(audited);
  const isOpen = minus(addressesOf(from), rangesOf(NOT_PUBLIC)).length > 0;
  return missed([...networks, ...(isOpen || networks.length === 0 ? INTERNET : [])], from);
}

/** Addresses of AWS that peers leave out: any of the internet, and those of interface endpoints. */
function missedOfAws(to: readonly NetworkPeer[] | undefined, audited: Audited): readonly Range[] {
  const hasEndpoints = audited.model
    .ofType('aws_vpc_endpoint')
    .some(({ attributes }) => attributes.vpc_endpoint_type === 'Interface');
  return missed([...(hasEndpoints ? networksOf(audited) : []), ...INTERNET], to);
}

/**
 * Addresses that a host which is known by name may have, and that peers leave out: those of the stacks' networks, unless a
 * block of a private network is let through as a whole.
 */
function missedOfHost(to: readonly NetworkPeer[] | undefined, audited: Audited): readonly Range[] {
  if (to?.some(({ ipBlock }) => isPrivate(ipBlock?.cidr ?? '') && !ipBlock?.except?.length)) {
    return [];
  }
  const networks = networksOf(audited);
  const isOpen = minus(addressesOf(to ?? []), rangesOf(NOT_PUBLIC)).length > 0;
  return missed(
    [...(networks.length > 0 ? networks : rangesOf(PRIVATE)), ...(isOpen ? INTERNET : [])],
    to,
  );
}

/** As of any host, but a block that is named for a proxy is where it is. */
function missedOfProxy(to: readonly NetworkPeer[] | undefined, audited: Audited): readonly Range[] {
  return to?.some(({ ipBlock }) => !ipBlock?.except?.length) ? [] : missedOfHost(to, audited);
}

/** Whether peers include an address. */
function reachesAddress(to: readonly NetworkPeer[] | undefined, address: string): boolean {
  return missed(rangesOf([`${address}/32`]), to).length === 0;
}

/** The pods of CoreDNS, as EKS labels them. */
function reachesDns(to: readonly NetworkPeer[] | undefined): boolean {
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

/** Whether the only peer is one address. */
function isOnly(to: readonly NetworkPeer[] | undefined, address: string): boolean {
  return to?.every(({ ipBlock }) => ipBlock?.cidr === `${address}/32`) ?? false;
}

/** Exceptions that the API refuses, since they don't lie in their block. */
function strayFaults(peers: readonly NetworkPeer[] = []): readonly string[] {
  return peers.flatMap(({ ipBlock }) =>
    (ipBlock?.except ?? [])
      .filter((hole) => isIPv4(hole.split('/')[0] ?? '') && !contains(ipBlock?.cidr ?? '', hole))
      .map((hole) => `except ${hole} does not lie in ${ipBlock?.cidr}: the API refuses it`),
  );
}

/** How the peers of a rule look in a sentence. */
function peersText(peers: readonly NetworkPeer[] = []): string {
  const texts = peers.map(({ ipBlock, namespaceSelector, podSelector }) => {
    if (ipBlock === undefined) {
      return [namespaceSelector, podSelector].map(selectorText).join(' with ');
    }
    const { cidr, except = [] } = ipBlock;
    return [cidr, ...(except.length > 0 ? [`except ${except.join(', ')}`] : [])].join(' ');
  });
  return texts.join(', ') || 'everybody';
}

/** How the ports of a rule look in a sentence. */
function portsText(ports: readonly NetworkPort[] = []): string {
  const texts = ports.map(({ port, endPort, protocol = 'TCP' }) =>
    [protocol, [port ?? 'all ports', endPort].filter(Boolean).join(' to ')].join(' '),
  );
  return texts.join(', ') || 'all ports';
}

/** Port of the database; undefined where there is none, or only a Secret tells. */
function databasePort(listener: Listener): number | undefined {
  if (listener.isSet('DATABASE_URL') || !listener.isSet('DB_HOST')) return undefined;
  const port = Number(listener.setting('DB_PORT'));
  return Number.isNaN(port) ? undefined : port;
}

/** Host and port of a URL; undefined for what is none. */
function placeOf(text: unknown): { readonly host: string; readonly port: number } | undefined {
  const url = URL.parse(String(text ?? ''));
  const usual = url?.protocol === 'http:' ? 80 : HTTPS;
  return url === null ? undefined : { host: url.hostname, port: Number(url.port || usual) };
}

/** Port of the proxy, where there is one. */
function proxyPort({ environment }: Listener): number | undefined {
  return placeOf(environment.get('HTTPS_PROXY'))?.port;
}

/** Port of the collector that traces go to; the name of one inside of the cluster is that of a Service. */
function collectorPort({ setting }: Listener): number | undefined {
  return placeOf(
    setting('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? setting('OTEL_EXPORTER_OTLP_ENDPOINT'),
  )?.port;
}

/** Where notices go that is not on the port of https: the SMTP server, and webhooks. */
function noticeTargets({ setting }: Listener) {
  const urls = itemsOf(setting('NOTICE_WEBHOOK_URLS')).flatMap((url) => placeOf(url) ?? []);
  const smtp = {
    host: setting('NOTICE_SMTP_HOST') ?? '',
    port: Number(setting('NOTICE_SMTP_PORT')),
  };
  return [...(setting('NOTICE_EMAIL') === 'smtp' ? [smtp] : []), ...urls];
}

/** Whether a listener runs for ever: what runs to its end sends no notice. */
function servesNotices({ address }: Listener, audited: Audited): boolean {
  return servers(audited).some((server) => server.address === address);
}

/** The one port of a rule that is neither DNS nor https. */
function otherPort({ ports = [] }: { readonly ports?: readonly NetworkPort[] }): readonly number[] {
  const numbers = ports
    .map(({ port }) => Number(port))
    .filter((port) => port !== DNS && port !== HTTPS);
  return ports.length === 1 ? numbers : [];
}

/** Rules on network policies. */
export const NETWORK_POLICY_RULES: readonly Rule[] = [
  rule({
    id: 'pod-has-network-policies',
    subjects: podsOf,
    faults: (pod, audited) => {
      if (policiesOf(audited, pod).length === 0) return ['no network policy selects it'];
      const untold = policiesOf(audited, pod).filter(
        ({ policyTypes }) => policyTypes === undefined,
      );
      return [
        ...untold.map(
          () => 'a policy names no policyTypes: what it restricts depends on its rules',
        ),
        ...(['Ingress', 'Egress'] as const)
          .filter((direction) => !restricted(audited, pod, direction))
          .map(
            (direction) =>
              `no network policy restricts its ${direction.toLowerCase()} (policyTypes)`,
          ),
      ];
    },
  }),
  rule({
    id: 'network-policy-allows-messages',
    subjects: servers,
    faults: (listener, audited) => {
      if (!restricted(audited, listener.pod, 'Ingress')) return [];
      const rules = rulesFor(audited, listener.pod, 'Ingress');
      const callersOf = (name: VariableName) =>
        together(
          rules
            .filter(({ ports }) => opens(ports, Number(listener.setting(name)), 'TCP', listener))
            .map(({ peers }) => peers),
        );
      const hasService = servicesTo(audited, listener).length > 0;
      const callers = callersOf('PORT');
      const left = callers === undefined ? [] : missedCallers(callers, audited);
      return [
        takesDeliveries(listener, audited) &&
          hasService &&
          left.length > 0 &&
          `no policy allows the load balancer to reach its port ${listener.setting('PORT')} from ${rangeText(left)}`,
        callersOf('METRICS_PORT')?.every(({ ipBlock }) => ipBlock) === true &&
          `no policy allows the pods of the cluster to read its metrics on port ${listener.setting('METRICS_PORT')}`,
      ];
    },
  }),
  rule({
    id: 'console-stays-in-the-cluster',
    subjects: consoles,
    faults: ({ pod }, audited) => {
      const services = servicesOf(audited, pod);
      const routes = ingressesTo(audited, pod.namespace, services);
      return [
        ...services.flatMap((service) => {
          const { type = 'ClusterIP', externalIPs = [] } = serviceSpec(service);
          const place = `Service ${service.manifest.metadata.name}`;
          return [
            type !== 'ClusterIP' && `${place} is a ${type}`,
            externalIPs.length > 0 && `${place} has addresses outside of the cluster`,
          ];
        }),
        ...routes.map(({ manifest }) => `Ingress ${manifest.metadata.name} leads to it`),
        !restricted(audited, pod, 'Ingress') && 'no network policy says who may call it',
        rulesFor(audited, pod, 'Ingress').some(
          ({ peers = [] }) =>
            peers.length === 0 ||
            peers.some(
              (peer) =>
                isWide(peer) ||
                (isEmpty(peer.namespaceSelector) && isEmpty(peer.podSelector) && !peer.ipBlock),
            ),
        ) && 'a network policy lets everybody call it',
      ];
    },
  }),
  rule({
    id: 'network-policy-limits-ingress',
    subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
    faults: (object, audited) => {
      const { podSelector, ingress = [] } = specOf(object);
      const pods = podsSelected(audited, namespaceOf(object), podSelector);
      const listeners = servers(audited).filter(({ pod }) => pods.includes(pod));
      const endpoints = listeners.filter(
        (listener) =>
          takesDeliveries(listener, audited) && servicesTo(audited, listener).length > 0,
      );
      const needed = endpoints.map((listener) => Number(listener.setting('PORT')));
      return ingress.flatMap(({ from, ports = [] }) => {
        if (ports.length === 0) return ['a rule for ingress names no port, and so opens all'];
        const wide = from === undefined || from.length === 0 || from.some(isWide);
        return [
          ...strayFaults(from),
          ...ports.flatMap(({ port, endPort, protocol = 'TCP' }) => {
            const own = pods
              .map((pod) =>
                portOf(
                  containersOf(pod).filter(({ init }) => !init),
                  port,
                ),
              )
              .find((one) => one !== undefined);
            const number = Number(own?.containerPort);
            const internet = wide && pods.length > 0 && listeners.length > 0;
            return [
              endPort !== undefined && `opens the ports ${port} to ${endPort}`,
              port === undefined && `opens every ${protocol} port`,
              pods.length > 0 &&
                port !== undefined &&
                own === undefined &&
                `opens port ${port}, which none of its pods has`,
              own !== undefined &&
                (own.protocol ?? 'TCP') !== protocol &&
                `opens ${protocol} ${port}, which its pods serve by ${own?.protocol ?? 'TCP'}`,
              internet &&
                own !== undefined &&
                !needed.includes(number) &&
                `opens port ${port} to everybody, and no load balancer needs it`,
            ];
          }),
        ];
      });
    },
  }),
  rule({
    id: 'network-policy-allows-calls',
    subjects: (audited) => listenersOf(audited).filter(({ init }) => !init),
    faults: (listener, audited) => {
      if (!restricted(audited, listener.pod, 'Egress')) return [];
      const rules = rulesFor(audited, listener.pod, 'Egress');
      const called = (port: number, protocol: string) =>
        together(
          rules
            .filter(({ ports }) => opens(ports, port, protocol, undefined))
            .map(({ peers }) => peers),
        );
      const missedHost = (target: string, number: number) =>
        isIPv4(target)
          ? missed(rangesOf([`${target}/32`]), called(number, 'TCP'))
          : missedOfHost(called(number, 'TCP'), audited);
      const host = listener.setting('DB_HOST') ?? '';
      const port = databasePort(listener);
      const aws = missedOfAws(called(HTTPS, 'TCP'), audited);
      const proxy = proxyPort(listener);
      const collector = collectorPort(listener);
      const dns = (['UDP', 'TCP'] as const).filter(
        (protocol) => !reachesDns(called(DNS, protocol)),
      );
      return [
        ...dns.map(
          (protocol) => `no policy allows it to ask the cluster's DNS (${protocol} ${DNS})`,
        ),
        aws.length > 0 &&
          `no policy allows it to call ${rangeText(aws)}: the addresses of AWS change (TCP ${HTTPS} to anywhere)`,
        associationOf(audited, listener.pod) !== undefined &&
          !reachesAddress(called(80, 'TCP'), POD_IDENTITY_AGENT) &&
          `no policy allows it to ask the agent of EKS Pod Identity for its credentials (TCP 80 of ${POD_IDENTITY_AGENT})`,
        proxy !== undefined &&
          missedOfProxy(called(proxy, 'TCP'), audited).length > 0 &&
          `no policy allows it to reach its proxy at ${rangeText(missedOfProxy(called(proxy, 'TCP'), audited))} (TCP ${proxy})`,
        port !== undefined &&
          missedHost(host, port).length > 0 &&
          `no policy allows it to reach its database at ${rangeText(missedHost(host, port))} (TCP ${port})`,
        collector !== undefined &&
          servesNotices(listener, audited) &&
          called(collector, 'TCP')?.length === 0 &&
          `no policy allows it to send traces to its collector (TCP ${collector})`,
        ...(servesNotices(listener, audited) ? noticeTargets(listener) : []).map(
          (target) =>
            missedHost(target.host, target.port).length > 0 &&
            `no policy allows it to send notices to ${target.host} (TCP ${target.port})`,
        ),
      ];
    },
  }),
  rule({
    id: 'network-policy-limits-egress',
    subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
    faults: (object, audited) => {
      const { podSelector, egress = [] } = specOf(object);
      const listeners = listenersOf(audited).filter(
        ({ pod }) => pod.namespace === namespaceOf(object) && selects(podSelector, pod.labels),
      );
      if (listeners.length === 0) return [];
      const needed = new Set([
        DNS,
        HTTPS,
        ...listeners.flatMap((listener) => databasePort(listener) ?? []),
        ...listeners.flatMap((listener) => proxyPort(listener) ?? []),
        ...listeners.flatMap(noticeTargets).map(({ port }) => port),
        ...listeners.flatMap((listener) => collectorPort(listener) ?? []),
        ...listeners.flatMap(
          (listener) => placeOf(listener.environment.get('CONSOLE_OIDC_ISSUER'))?.port ?? [],
        ),
        ...(listeners.some(({ isSet }) => isSet('DATABASE_URL')) ? egress.flatMap(otherPort) : []),
      ]);
      return egress.flatMap(({ to, ports = [] }) => [
        (to === undefined || to.length === 0) &&
          'a rule for egress names no peer, and so allows it to call all',
        ports.length === 0 && 'a rule for egress names no port, and so opens all',
        ...strayFaults(to),
        ...ports.flatMap(({ port, endPort, protocol = 'TCP' }) => {
          const number = Number(port);
          if (isOnly(to, INSTANCE_METADATA)) return [];
          if (isOnly(to, POD_IDENTITY_AGENT) && number === 80) return [];
          return [
            endPort !== undefined && `allows it to call the ports ${port} to ${endPort}`,
            !needed.has(number) && `allows it to call port ${port}, which it does not need`,
            protocol !== 'TCP' &&
              number !== DNS &&
              `allows it to call port ${port} by ${protocol}, which it does not speak`,
            number === DNS &&
              (to ?? []).some(({ ipBlock }) => ipBlock !== undefined) &&
              `allows it to ask other DNS servers than the cluster's (${protocol} ${DNS})`,
            number === DNS &&
              (to ?? []).some(
                ({ namespaceSelector, podSelector }) =>
                  isEmpty(namespaceSelector) || isEmpty(podSelector),
              ) &&
              `allows it to ask more pods for names than those of the cluster's DNS (${protocol} ${DNS})`,
          ];
        }),
      ]);
    },
  }),
  rule({
    id: 'network-policy-blocks-instance-metadata',
    subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
    faults: (object) =>
      (specOf(object).egress ?? [])
        .filter(({ to, ports }) => {
          const peers = to?.length === 0 ? undefined : to;
          return reachesAddress(peers, INSTANCE_METADATA) && opens(ports, 80, 'TCP', undefined);
        })
        .map(
          ({ to, ports }) =>
            `allows its pods to reach the instance metadata (${INSTANCE_METADATA}/32, TCP 80) by a rule for ${peersText(to)} on ${portsText(ports)}`,
        ),
  }),
];
