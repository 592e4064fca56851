import { PATHS } from '@file-processing/contract/listener-interface.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { blocksOf, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { canonical, isTopicOf } from '../../policy/policies.ts';
import type { BackendService, IngressSpec, ServiceSpec } from '../readers/kubernetes-api.ts';
import {
  bucketsIn,
  isHttp,
  type Listener,
  listenersOf,
  servers,
  takesDeliveries,
} from '../readers/listeners.ts';
import { namespaceOf, objectsIn, objectsOf, portOf, selects } from '../readers/pods.ts';
import { type Audited, type Rule, rule } from '../rule.ts';

/** The Services and Ingresses that lead from outside to a listener's PORT. */
function endpointsOf(audited: Audited, listener: Listener): Audited['objects'] {
  const services = servicesTo(audited, listener);
  const names = services.map(({ manifest }) => manifest.metadata.name);
  const balancers = services.filter(({ manifest }) =>
    ['LoadBalancer', 'NodePort'].includes(manifest.spec?.type),
  );
  const ingresses = objectsIn(audited, listener.pod.namespace, 'Ingress').filter(({ manifest }) => {
    const { defaultBackend, rules = [] } = (manifest.spec ?? {}) as IngressSpec;
    const backends: readonly (BackendService | undefined)[] = [
      defaultBackend?.service,
      ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend?.service)),
    ];
    return backends.some((backend) => names.includes(backend?.name ?? ''));
  });
  return [...balancers, ...ingresses];
}

function loadBalancerPorts(audited: Audited, listener: Listener): readonly number[] {
  return servicesTo(audited, listener)
    .filter(({ manifest }) => manifest.spec?.type === 'LoadBalancer')
    .flatMap(({ manifest }) => ((manifest.spec ?? {}) as ServiceSpec).ports ?? [])
    .flatMap(({ port }) => port ?? []);
}

/** Services that lead to a listener's PORT. */
export function servicesTo(audited: Audited, listener: Listener) {
  return objectsIn(audited, listener.pod.namespace, 'Service').filter((object) => {
    const { selector, ports = [] } = (object.manifest.spec ?? {}) as ServiceSpec;
    return (
      namespaceOf(object) === listener.pod.namespace &&
      Object.keys(selector ?? {}).length > 0 &&
      selects({ matchLabels: selector ?? {} }, listener.pod.labels) &&
      ports.some(
        ({ port, targetPort = port }) =>
          Number(portOf([listener], targetPort)?.containerPort) ===
          Number(listener.setting('PORT')),
      )
    );
  });
}

function notificationsOf({ model }: Audited, stack: string): readonly Resource[] {
  return model.ofType('aws_s3_bucket_notification').filter((resource) => resource.stack === stack);
}

function subscriptionsOf({ model }: Audited, stack: string): readonly Resource[] {
  return model
    .ofType('aws_sns_topic_subscription')
    .filter((resource) => resource.stack === stack && valueAt(resource.attributes, 'protocol'));
}

/** Rules that let the cluster into a group that is not of the stack: that of the database. */
function databaseRulesOf({ model }: Audited, stack: string): readonly Resource[] {
  const { target } = model.stackOf({ stack });
  return model
    .ofType('aws_vpc_security_group_ingress_rule')
    .filter((ingress) => ingress.stack === stack)
    .filter(
      ({ attributes }) =>
        target(attributes.referenced_security_group_id)?.type === 'aws_eks_cluster' &&
        target(attributes.security_group_id) === undefined,
    );
}

/** Idle time-out of Application Load Balancers and of ingress-nginx, in seconds. */
const PROXY_IDLE_SECONDS = 60;
/** Enough for a client that has several requests to send. */
const LONGEST_IDLE_SECONDS = 15;

/** Rules on how messages and files reach the listener. */
export const DELIVERY_RULES: readonly Rule[] = [
  rule({
    id: 'listener-trusts-its-topic',
    title: "The listener's topics are those that the bucket of the stack notifies",
    reason:
      'Messages of a topic that is not in the list are refused; a topic that others may publish to is trusted.',
    control: 'SC-23',
    severity: 'high',
    subjects: listenersOf,
    faults: ({ environment, stack }, audited) => {
      const given = String(environment.get('SNS_TOPIC_ARNS') ?? '')
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean);
      const model = audited.model.stackOf({ stack });
      const known = given.map((arn) => canonical(model, arn));
      const notified = [
        ...notificationsOf(audited, stack).flatMap(({ attributes }) =>
          blocksOf(attributes.topic).map(({ topic_arn }) => topic_arn),
        ),
        ...subscriptionsOf(audited, stack).map(({ attributes }) => attributes.topic_arn),
      ].filter((topic) => isTopicOf(model, topic));
      return [
        ...given
          .filter((arn) => !isTopicOf(model, arn))
          .map((arn) => `SNS_TOPIC_ARNS names ${arn}, which is not a topic of this stack`),
        ...notified
          .filter((topic) => given.length > 0 && !known.includes(canonical(model, topic)))
          .map((topic) => `SNS_TOPIC_ARNS lacks ${String(topic)}, which delivers to it`),
      ];
    },
  }),
  rule({
    id: 'listener-settings-match-stack',
    title: 'Region, database and reports of the listener are those of the stack',
    reason:
      'A region or port that is another one is looked for in vain; reports below a prefix of deliveries are checked like deliveries, and make reports, for ever.',
    control: 'CM-6',
    severity: 'high',
    subjects: listenersOf,
    faults: ({ setting, stack }, audited) => {
      const model = audited.model.stackOf({ stack });
      const region = setting('AWS_REGION');
      const reports = setting('REPORT_PREFIX') ?? '';
      const database = setting('DB_HOST') ?? '';
      const prefixes = new Set(bucketsIn(setting).flatMap((bucket) => bucket.prefixes));
      return [
        region !== undefined &&
          region !== model.region &&
          `AWS_REGION is ${region}, the stack is in ${model.region}`,
        /\.rds\.amazonaws\.com/.test(database) &&
          !database.endsWith(`.${model.region}.rds.${partitionOf(model.region).dnsSuffix}`) &&
          `DB_HOST is ${database}, not a database of ${model.region}`,
        ...databaseRulesOf(audited, stack)
          .filter(({ attributes }) => String(attributes.from_port) !== setting('DB_PORT'))
          .map(
            ({ address, attributes }) =>
              `DB_PORT is ${setting('DB_PORT')}, ${address} opens ${String(attributes.from_port)}`,
          ),
        ...[...prefixes]
          .filter((prefix) => reports.startsWith(prefix) || prefix.startsWith(reports))
          .map((prefix) => `REPORT_PREFIX ${reports} and the prefix ${prefix} lie in each other`),
      ];
    },
  }),
  rule({
    id: 'listener-fetches-from-its-queue',
    title: 'The listener fetches from the queue that its topic delivers to',
    reason:
      'Without the URL, or with that of the dead-letter queue, messages pile up in the queue until they expire.',
    control: 'CM-6',
    severity: 'high',
    subjects: servers,
    faults: (listener, audited) => {
      const model = audited.model.stackOf(listener);
      const filled = subscriptionsOf(audited, listener.stack)
        .filter(({ attributes }) => attributes.protocol === 'sqs')
        .map(({ attributes }) => model.target(attributes.endpoint))
        .filter((queue) => queue !== undefined);
      const url = listener.setting('SQS_QUEUE_URL');
      const queue = model.target(url);
      if (url === undefined) {
        return filled.map(
          ({ address }) => `SQS_QUEUE_URL is not set, but the topic fills ${address}`,
        );
      }
      return [
        queue?.type !== 'aws_sqs_queue' && `SQS_QUEUE_URL ${url} is not a queue of this stack`,
        queue !== undefined &&
          !filled.includes(queue) &&
          `no topic delivers to ${queue?.address}, which it fetches from`,
      ];
    },
  }),
  rule({
    id: 'deliveries-reach-the-listener',
    title: 'A listener that takes messages over HTTP is behind a load balancer or an Ingress',
    reason:
      'SNS posts from the internet: with no Service of that kind in front, or an internal one, every delivery times out and ends as a dead letter.',
    control: 'CP-10',
    severity: 'high',
    subjects: (audited) =>
      servers(audited).filter((listener) => takesDeliveries(listener, audited)),
    faults: (listener, audited) => {
      const endpoints = endpointsOf(audited, listener);
      return [
        endpoints.length === 0 &&
          'neither a LoadBalancer Service nor an Ingress routes to its PORT',
      ];
    },
  }),
  rule({
    id: 'connections-fit-the-endpoint',
    title: 'A listener keeps idle connections for longer than a proxy in front, and only then',
    reason:
      'A proxy sends requests into connections that the listener is closing, unless it closes them first; clients that connect themselves keep others out by idle ones. Behind a proxy, or nodes that pass connections on, a limit per address keeps SNS out.',
    control: 'SC-5',
    severity: 'medium',
    subjects: (audited) =>
      servers(audited).filter((listener) => takesDeliveries(listener, audited)),
    faults: (listener, audited) => {
      const endpoints = endpointsOf(audited, listener);
      const proxies = endpoints.filter(({ manifest }) => manifest.kind === 'Ingress');
      const seconds = Number(listener.setting('KEEP_ALIVE_SECONDS'));
      const perAddress = Number(listener.setting('MAX_CONNECTIONS_PER_ADDRESS'));
      const knowsClients =
        proxies.length === 0 &&
        endpoints.every(({ manifest }) => manifest.spec?.externalTrafficPolicy === 'Local');
      return [
        ...proxies
          .filter(() => seconds <= PROXY_IDLE_SECONDS)
          .map(
            ({ address }) =>
              `KEEP_ALIVE_SECONDS is ${seconds}; behind ${address} it must be above ${PROXY_IDLE_SECONDS}`,
          ),
        endpoints.length > 0 &&
          proxies.length === 0 &&
          seconds > LONGEST_IDLE_SECONDS &&
          `KEEP_ALIVE_SECONDS is ${seconds}; where clients connect themselves it is at most ${LONGEST_IDLE_SECONDS}`,
        perAddress > 0 &&
          !knowsClients &&
          `MAX_CONNECTIONS_PER_ADDRESS is ${perAddress}, but many clients have the address of a node or a proxy`,
      ];
    },
  }),
  rule({
    id: 'queue-needs-no-endpoint',
    title:
      'A listener that fetches from a queue has no way in from outside, unless SNS posts to it as well',
    reason: 'A Service that nobody needs is an endpoint that nobody watches.',
    control: 'SC-7(5)',
    severity: 'high',
    subjects: (audited) =>
      servers(audited).filter((listener) => !takesDeliveries(listener, audited)),
    faults: (listener, audited) =>
      endpointsOf(audited, listener).map(({ address }) => `${address} routes to it from outside`),
  }),
  rule({
    id: 'subscription-matches-endpoint',
    title: 'An HTTP subscription names the path, the host and the port that are served',
    reason:
      'The listener takes messages at one path only; an endpoint with another path, host or port is never confirmed, or loses each message to a 404.',
    control: 'CM-6',
    severity: 'high',
    subjects: ({ model }) =>
      model
        .ofType('aws_sns_topic_subscription')
        .filter(({ attributes }) => isHttp(attributes.protocol)),
    faults: ({ attributes, stack }, audited) => {
      const url = URL.parse(canonical(audited.model.stackOf({ stack }), attributes.endpoint));
      if (url === null) return [];
      const hosts = objectsOf(audited, 'Ingress')
        .filter((object) => object.stack === stack)
        .flatMap(({ manifest }) => ((manifest.spec ?? {}) as IngressSpec).rules ?? [])
        .flatMap(({ host }) => host ?? []);
      const listeners = servers(audited).filter((listener) => listener.stack === stack);
      const ports = listeners.flatMap((listener) => loadBalancerPorts(audited, listener));
      const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
      return [
        url.pathname !== PATHS.delivery &&
          `its path is ${url.pathname}; the listener takes messages at ${PATHS.delivery} only`,
        hosts.length > 0 &&
          !hosts.includes(url.hostname) &&
          `its host is ${url.hostname}; the Ingress serves ${hosts.join(', ')}`,
        ports.length > 0 &&
          !ports.includes(port) &&
          `its port is ${port}; the load balancer listens on ${ports.join(', ')}`,
        audited.objects.some((object) => object.stack === stack) &&
          listeners.length === 0 &&
          'there is no listener to confirm it',
      ];
    },
  }),
];
