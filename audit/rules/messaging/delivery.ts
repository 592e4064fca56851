import { PATHS } from '@file-processing/contract/listener-interface.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { blocksOf, type Resource } from '../../../src/synthesized/model/model.ts';
import { canonical, isTopicOf } from '../../policy/policies.ts';
import {
  bucketsIn,
  isHttp,
  type Listener,
  listenersOf,
  servers,
  takesDeliveries,
} from '../readers/listeners.ts';
import {
  ingressesTo,
  ingressSpec,
  objectsOf,
  portOf,
  serviceSpec,
  servicesOf,
} from '../readers/pods.ts';
import { itemsOf, neighbours } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import { isOfOthers } from './queues.ts';

const NOTIFICATION = 'aws_s3_bucket_notification';
const SUBSCRIPTION = 'aws_sns_topic_subscription';

/** The Services and Ingresses that lead from outside to a listener's PORT. */
function endpointsOf(audited: Audited, listener: Listener): Audited['objects'] {
  const services = servicesTo(audited, listener);
  const balancers = services.filter(({ manifest }) =>
    ['LoadBalancer', 'NodePort'].includes(manifest.spec?.type),
  );
  return [...balancers, ...ingressesTo(audited, listener.pod.namespace, services)];
}

function loadBalancerPorts(audited: Audited, listener: Listener): readonly number[] {
  return servicesTo(audited, listener)
    .filter(({ manifest }) => manifest.spec?.type === 'LoadBalancer')
    .flatMap((service) => serviceSpec(service).ports ?? [])
    .flatMap(({ port }) => port ?? []);
}

/** Services that lead to a listener's PORT. */
export function servicesTo(audited: Audited, listener: Listener) {
  return servicesOf(audited, listener.pod).filter((service) =>
    (serviceSpec(service).ports ?? []).some(
      ({ port, targetPort = port }) =>
        Number(portOf([listener], targetPort)?.containerPort) === Number(listener.setting('PORT')),
    ),
  );
}

/** Rules that let the cluster into a group that is not of the stack: that of the database. */
function databaseRulesOf({ model }: Audited, stack: string): readonly Resource[] {
  const { target } = model.stackOf({ stack });
  return neighbours(model, { stack }, 'aws_vpc_security_group_ingress_rule').filter(
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
    subjects: listenersOf,
    faults: ({ environment, stack }, audited) => {
      const given = itemsOf(String(environment.get('SNS_TOPIC_ARNS') ?? ''));
      const model = audited.model.stackOf({ stack });
      const known = given.map((arn) => canonical(model, arn));
      const notified = [
        ...neighbours(audited.model, { stack }, NOTIFICATION).flatMap(({ attributes }) =>
          blocksOf(attributes.topic).map(({ topic_arn }) => topic_arn),
        ),
        ...neighbours(audited.model, { stack }, SUBSCRIPTION).map(
          ({ attributes }) => attributes.topic_arn,
        ),
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
    subjects: servers,
    faults: (listener, audited) => {
      const model = audited.model.stackOf(listener);
      const filled = neighbours(audited.model, listener, SUBSCRIPTION)
        .filter(({ attributes }) => attributes.protocol === 'sqs')
        .map(({ attributes }) => model.target(attributes.endpoint))
        .filter((queue) => queue !== undefined)
        .filter((queue) => !isOfOthers(audited.model, queue));
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
    subjects: (audited) =>
      servers(audited).filter((listener) => !takesDeliveries(listener, audited)),
    faults: (listener, audited) =>
      endpointsOf(audited, listener).map(({ address }) => `${address} routes to it from outside`),
  }),
  rule({
    id: 'subscription-matches-endpoint',
    subjects: ({ model }) =>
      model
        .ofType('aws_sns_topic_subscription')
        .filter(({ attributes }) => isHttp(attributes.protocol)),
    faults: ({ attributes, stack }, audited) => {
      const url = URL.parse(canonical(audited.model.stackOf({ stack }), attributes.endpoint));
      if (url === null) return [];
      const hosts = objectsOf(audited, 'Ingress')
        .filter((object) => object.stack === stack)
        .flatMap((ingress) => ingressSpec(ingress).rules ?? [])
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
