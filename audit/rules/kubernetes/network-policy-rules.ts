import { isIPv4 } from 'node:net';
import { parseJson } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import type { NetworkPeer } from './api-types.ts';
import { servicesTo } from './delivery-rules.ts';
import { when } from './faults.ts';
import { isEmpty, selects } from './label-selector.ts';
import { servers, takesDeliveries } from './listeners.ts';
import {
  admitsLoadBalancer,
  DNS,
  databasePort,
  egressRules,
  HTTPS,
  hidesDatabasePort,
  INSTANCE_METADATA,
  ingressRules,
  isMetadata,
  isWide,
  opens,
  otherPort,
  policiesOf,
  reachesAddress,
  reachesAddresses,
  reachesDns,
  reachesEverywhere,
  reachesMetadata,
  restricted,
  specOf,
} from './network-policies.ts';
import { containersOf, namespaceOf, objectsOf, podsOf, portOf } from './pods.ts';

/** What no policy selects, everybody may call. */
export const podIsBehindAPolicy: Rule = rule({
  id: 'pod-is-behind-a-policy',
  title: 'Network policies restrict every pod in both directions',
  reason:
    'A pod that no policy selects, or only for one direction, may call and be called by everything in the other.',
  control: 'SC-7(5)',
  severity: 'high',
  subjects: podsOf,
  faults: (pod, audited) => {
    if (policiesOf(audited, pod).length === 0) return ['no network policy selects it'];
    const untold = policiesOf(audited, pod).filter(({ policyTypes }) => policyTypes === undefined);
    return [
      ...untold.map(() => 'a policy names no policyTypes: what it restricts depends on its rules'),
      ...(['Ingress', 'Egress'] as const)
        .filter((direction) => !restricted(audited, pod, direction))
        .map(
          (direction) => `no network policy restricts its ${direction.toLowerCase()} (policyTypes)`,
        ),
    ];
  },
});

/** Without its agent a policy is a comment. */
export const policiesAreEnforced: Rule = rule({
  id: 'network-policies-are-enforced',
  title: 'The cluster enforces network policies',
  reason:
    'The VPC CNI ignores every NetworkPolicy unless its add-on is configured with enableNetworkPolicy (Amazon EKS User Guide).',
  control: 'SC-7',
  severity: 'high',
  subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
  faults: (object, { model }) => {
    const addOns = model.ofType('aws_eks_addon').filter(({ stack }) => stack === object.stack);
    const enforced = addOns.some(({ attributes }) => {
      const values = parseJson(attributes.configuration_values) as {
        enableNetworkPolicy?: unknown;
      };
      return attributes.addon_name === 'vpc-cni' && String(values?.enableNetworkPolicy) === 'true';
    });
    return when(
      addOns.length > 0 && !enforced,
      'the vpc-cni add-on has no enableNetworkPolicy, so nothing enforces it',
    );
  },
});

/** A policy that forbids what the pod is there for stops it, quietly. */
export const policyLetsMessagesIn: Rule = rule({
  id: 'policy-lets-messages-in',
  title: 'Network policies let messages and scrapers reach the ports of a listener',
  reason:
    'A port that no policy opens drops every packet: deliveries time out, and the Service and its pods look well.',
  control: 'CP-10',
  severity: 'high',
  subjects: servers,
  faults: (listener, audited) => {
    if (!restricted(audited, listener.pod, 'Ingress')) return [];
    const rules = ingressRules(audited, listener.pod);
    const opened = (name: string, admits: (from: readonly NetworkPeer[] | undefined) => boolean) =>
      rules.some(
        ({ from, ports }) =>
          opens(ports, Number(listener.setting(name)), 'TCP', listener) && admits(from),
      );
    const door = servicesTo(audited, listener).length > 0;
    return [
      ...when(
        takesDeliveries(listener) &&
          door &&
          !opened('PORT', (from) => admitsLoadBalancer(from, audited)),
        `no policy lets the load balancer reach its port ${listener.setting('PORT')}`,
      ),
      ...when(
        !opened(
          'METRICS_PORT',
          (from) => from === undefined || from.some(({ ipBlock }) => !ipBlock),
        ),
        `no policy lets the pods of the cluster read its metrics on port ${listener.setting('METRICS_PORT')}`,
      ),
    ];
  },
});

/** What is open without need is an attacker's. */
export const policyOpensNoMore: Rule = rule({
  id: 'policy-opens-no-more',
  title: 'Network policies open the ports of the pods, each to those who need it, and nothing else',
  reason:
    'A rule without ports opens all, one without peers opens to all; metrics tell an attacker what is worth a visit; a port that nobody has was meant for another.',
  control: 'SC-7(5)',
  severity: 'high',
  subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
  faults: (object, audited) => {
    const { podSelector, ingress = [] } = specOf(object);
    const pods = podsOf(audited).filter(
      ({ namespace, labels }) => namespace === namespaceOf(object) && selects(podSelector, labels),
    );
    const listeners = servers(audited).filter(({ pod }) => pods.includes(pod));
    const doors = listeners.filter(
      (listener) => takesDeliveries(listener) && servicesTo(audited, listener).length > 0,
    );
    const needed = doors.map((listener) => Number(listener.setting('PORT')));
    return ingress.flatMap(({ from, ports = [] }) => {
      if (ports.length === 0) return ['a rule for ingress names no port, and so opens all'];
      const wide = from === undefined || from.length === 0 || from.some(isWide);
      return ports.flatMap(({ port, endPort, protocol = 'TCP' }) => {
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
          ...when(endPort !== undefined, `opens the ports ${port} to ${endPort}`),
          ...when(port === undefined, `opens every ${protocol} port`),
          ...when(
            pods.length > 0 && port !== undefined && own === undefined,
            `opens port ${port}, which none of its pods has`,
          ),
          ...when(
            own !== undefined && (own.protocol ?? 'TCP') !== protocol,
            `opens ${protocol} ${port}, which its pods serve by ${own?.protocol ?? 'TCP'}`,
          ),
          ...when(
            internet && own !== undefined && !needed.includes(number),
            `opens port ${port} to everybody, and no load balancer needs it`,
          ),
        ];
      });
    });
  },
});

/** What the listener calls must be open. */
export const policyLetsCallsOut: Rule = rule({
  id: 'policy-lets-calls-out',
  title: 'Network policies let a listener reach DNS, AWS and its database',
  reason:
    'Without DNS, port 443 or the port of the database the process finds nothing, is never ready, and no event says why.',
  control: 'CP-10',
  severity: 'high',
  subjects: servers,
  faults: (listener, audited) => {
    if (!restricted(audited, listener.pod, 'Egress')) return [];
    const rules = egressRules(audited, listener.pod);
    const open = (
      port: number,
      protocol: string,
      reaches: (to: NetworkPeer[] | undefined) => boolean,
    ) =>
      rules.some(
        ({ to, ports }) => opens(ports, port, protocol, undefined) && reaches(to && [...to]),
      );
    const host = listener.setting('DB_HOST') ?? '';
    const port = databasePort(listener);
    const dns = (['UDP', 'TCP'] as const).filter((protocol) => !open(DNS, protocol, reachesDns));
    return [
      ...dns.map((protocol) => `no policy lets it ask the cluster's DNS (${protocol} ${DNS})`),
      ...when(
        !open(HTTPS, 'TCP', reachesEverywhere),
        `no policy lets it call AWS, whose addresses change (TCP ${HTTPS} to anywhere)`,
      ),
      ...when(
        port !== undefined &&
          !open(port, 'TCP', (to) =>
            isIPv4(host) ? reachesAddress(to, host) : reachesAddresses(to),
          ),
        `no policy lets it reach its database (TCP ${port}${isIPv4(host) ? ` of ${host}` : ''})`,
      ),
    ];
  },
});

/** Each open way out is one for the data. */
export const policyLetsNoMoreOut: Rule = rule({
  id: 'policy-lets-no-more-out',
  title: 'Network policies let a listener call DNS, AWS and its database, and nothing else',
  reason:
    'A rule without ports or peers lets stolen files out by any door; DNS to anywhere is a door that nobody watches.',
  control: 'SC-7(10)',
  severity: 'medium',
  subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
  faults: (object, audited) => {
    const { podSelector, egress = [] } = specOf(object);
    const listeners = servers(audited).filter(
      ({ pod }) => pod.namespace === namespaceOf(object) && selects(podSelector, pod.labels),
    );
    if (listeners.length === 0) return [];
    const needed = new Set([
      DNS,
      HTTPS,
      ...listeners.flatMap((listener) => databasePort(listener) ?? []),
      ...(listeners.some(hidesDatabasePort) ? egress.flatMap(otherPort) : []),
    ]);
    return egress.flatMap(({ to, ports = [] }) => [
      ...when(
        to === undefined || to.length === 0,
        'a rule for egress names nobody, and so lets it call all',
      ),
      ...when(ports.length === 0, 'a rule for egress names no port, and so opens all'),
      ...ports.flatMap(({ port, endPort, protocol = 'TCP' }) => {
        const number = Number(port);
        if (isMetadata(to)) return [];
        return [
          ...when(endPort !== undefined, `lets it call the ports ${port} to ${endPort}`),
          ...when(!needed.has(number), `lets it call port ${port}, which it does not need`),
          ...when(
            number === DNS && (to ?? []).some(({ ipBlock }) => ipBlock !== undefined),
            `lets it ask other DNS servers than the cluster's (${protocol} ${DNS})`,
          ),
          ...when(
            number === DNS &&
              (to ?? []).some(
                ({ namespaceSelector, podSelector }) =>
                  isEmpty(namespaceSelector) || isEmpty(podSelector),
              ),
            `lets it ask more pods for names than those of the cluster's DNS (${protocol} ${DNS})`,
          ),
        ];
      }),
    ]);
  },
});

/** The node's credentials are for the node. */
export const policyHidesTheNode: Rule = rule({
  id: 'policy-hides-instance-metadata',
  title: "No network policy lets a pod ask for its node's credentials",
  reason:
    'Whoever gets into a pod asks the instance metadata for the rights of the node, which are those of all its pods and more.',
  control: 'AC-6',
  severity: 'high',
  subjects: (audited) => objectsOf(audited, 'NetworkPolicy'),
  faults: (object) =>
    (specOf(object).egress ?? [])
      .filter(({ to, ports }) => reachesMetadata(to) && opens(ports, 80, 'TCP', undefined))
      .map(() => `lets its pods reach the instance metadata (${INSTANCE_METADATA}, TCP 80)`),
});

/** Rules on network policies. */
export const NETWORK_POLICY_RULES: readonly Rule[] = [
  podIsBehindAPolicy,
  policiesAreEnforced,
  policyLetsMessagesIn,
  policyOpensNoMore,
  policyLetsCallsOut,
  policyLetsNoMoreOut,
  policyHidesTheNode,
];
