import { PATHS, SERVED_PATHS } from '@file-processing/contract/listener-interface.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { bucketsIn, type Listener, servers, takesDeliveries } from '../readers/listeners.ts';
import {
  ingressSpec,
  namespaceOf,
  objectsIn,
  objectsOf,
  portOf,
  serviceSpec,
  servicesOf,
} from '../readers/pods.ts';
import { itemsOf, neighbours } from '../readers/resources.ts';
import { type Audited, type Faults, type Rule, rule, shown } from '../rule.ts';
import { includesInternet } from './network-policies.ts';

/** Start of the annotations of a network load balancer (kubernetes/cloud-provider-aws). */
export const NLB = 'service.beta.kubernetes.io/aws-load-balancer';

/** Classes of what makes network load balancers: the AWS Load Balancer Controller, EKS Auto Mode. */
const NLB_CLASSES: readonly [string, string] = ['service.k8s.aws/nlb', 'eks.amazonaws.com/nlb'];

/** Start of the annotations of the AWS Load Balancer Controller. */
const ALB = 'alb.ingress.kubernetes.io';

type Annotations = Readonly<Record<string, string>>;

/** Ports that the endpoints of a stack name. */
function endpointPorts({ model }: Audited, stack: string): readonly number[] {
  return neighbours(model, { stack }, 'aws_sns_topic_subscription').flatMap(
    ({ attributes }) => Number(URL.parse(String(attributes.endpoint))?.port || 0) || [],
  );
}

/** Target ports of a Service. */
function targetsOf(service: Audited['objects'][number]): readonly string[] {
  const { ports = [] } = serviceSpec(service);
  return ports.map(({ port, targetPort = port }) => String(targetPort));
}

/** Annotations of an object. */
function annotationsOf(object: Audited['objects'][number]): Annotations {
  return object.manifest.metadata.annotations ?? {};
}

/** Listeners that a Service selects. */
function listenersBehind(
  object: Audited['objects'][number],
  audited: Audited,
): readonly Listener[] {
  return servers(audited).filter(({ pod }) => servicesOf(audited, pod).includes(object));
}

/** The health check asks whether pods live: readiness is the kubelet's business. */
function pathFaults(path: string | undefined): Faults {
  const served: readonly string[] = SERVED_PATHS.PORT;
  return [
    (path === undefined || !served.includes(path)) &&
      `healthcheck-path is ${shown(path)}; the listener serves ${served.join(', ')}`,
    path === PATHS.readiness &&
      `healthcheck-path ${path} takes every target out while the database is unavailable`,
  ];
}

/** What is wrong with the place of a certificate. */
function certificateFaults(arn: string, region: string, partition: string): Faults {
  if (arn.includes('${')) return [];
  const [, given, service, place] = arn.split(':');
  return [
    given !== partition && `its certificate is in partition ${given}, the stack in ${partition}`,
    service === 'acm' &&
      place !== region &&
      `its certificate is in ${place}, the stack in ${region}`,
  ];
}

/** Policies of Elastic Load Balancing that speak TLS 1.2 and 1.3 alone; FIPS in GovCloud. */
function tlsPolicyFaults(policy: string | undefined, region: string): Faults {
  const gov = partitionOf(region).name === 'aws-us-gov';
  return [
    !/^ELBSecurityPolicy-TLS13-1-[23]-/.test(policy ?? '') &&
      `its TLS policy is ${shown(policy)}, must speak TLS 1.2 and 1.3 alone (ELBSecurityPolicy-TLS13-1-2-…)`,
    gov &&
      policy !== undefined &&
      !policy.includes('FIPS') &&
      `its TLS policy ${policy} is not FIPS-validated, which GovCloud is for`,
  ];
}

/** Where a load balancer's access logs go; undefined where they are off. Attributes take precedence over single annotations. */
function accessLogsOf(annotations: Annotations): string | undefined {
  const attributes = new Map(
    [`${NLB}-attributes`, `${ALB}/load-balancer-attributes`]
      .flatMap((name) => itemsOf(annotations[name]))
      .map((pair) => pair.split('=').map((side) => side.trim()))
      .map(([key = '', value = '']) => [key, value] as const),
  );
  const enabled =
    attributes.get('access_logs.s3.enabled') ?? annotations[`${NLB}-access-log-enabled`];
  const bucket =
    attributes.get('access_logs.s3.bucket') ?? annotations[`${NLB}-access-log-s3-bucket-name`];
  return enabled === 'true' ? bucket : undefined;
}

const balancers = (audited: Audited) =>
  objectsOf(audited, 'Service').filter(({ manifest }) => manifest.spec?.type === 'LoadBalancer');

/** Rules on Services, load balancers and Ingresses. */
export const LOAD_BALANCER_RULES: readonly Rule[] = [
  rule({
    id: 'service-limits-its-ports',
    subjects: (audited) => objectsOf(audited, 'Service'),
    faults: (object, audited) => {
      const spec = serviceSpec(object);
      const twins = objectsIn(audited, namespaceOf(object), 'Service').filter(
        (other) =>
          other !== object &&
          JSON.stringify(other.manifest.spec?.selector) === JSON.stringify(spec.selector) &&
          targetsOf(other).some((target) => targetsOf(object).includes(target)),
      );
      const metrics = listenersBehind(object, audited).flatMap((listener) =>
        (spec.ports ?? []).filter(
          ({ port, targetPort = port }) =>
            Number(portOf([listener], targetPort)?.containerPort) ===
            Number(listener.setting('METRICS_PORT')),
        ),
      );
      return [
        spec.type === 'NodePort' && 'is a NodePort, which opens a port on every node',
        spec.type === 'ExternalName' && `stands for ${spec.externalName}, outside the cluster`,
        (spec.externalIPs ?? []).length > 0 &&
          `takes the addresses ${spec.externalIPs?.join(', ')}`,
        ...metrics.map(({ port }) => `opens the metrics on its port ${port}`),
        spec.publishNotReadyAddresses === true &&
          'publishNotReadyAddresses sends messages to pods that are not ready',
        ...twins.map(({ address }) => `${address} leads to the same port of the same pods`),
      ];
    },
  }),
  rule({
    id: 'load-balancer-terminates-tls',
    subjects: balancers,
    faults: (object, { model }) => {
      const annotations = annotationsOf(object);
      const { region, partition } = model.stackOf(object);
      const ports = serviceSpec(object).ports ?? [];
      const certificate = annotations[`${NLB}-ssl-cert`];
      if (certificate === undefined)
        return ['has no certificate (aws-load-balancer-ssl-cert): it listens without TLS'];
      const encrypted = itemsOf(annotations[`${NLB}-ssl-ports`] ?? '*');
      return [
        ...certificateFaults(certificate, region, partition),
        ...ports
          .filter(
            ({ port, name }) =>
              ![`${port}`, name, '*'].some((one) => encrypted.includes(String(one))),
          )
          .map(
            ({ port }) =>
              `listens on port ${port} without TLS (aws-load-balancer-ssl-ports is ${encrypted.join(', ')})`,
          ),
        ...tlsPolicyFaults(annotations[`${NLB}-ssl-negotiation-policy`], region),
      ];
    },
  }),
  rule({
    id: 'endpoint-is-reachable-for-sns',
    subjects: (audited) => [...balancers(audited), ...objectsOf(audited, 'Ingress')],
    faults: (object, audited) => {
      const annotations = annotationsOf(object);
      const spec = { ...serviceSpec(object), ...ingressSpec(object) };
      const messages =
        object.manifest.kind === 'Ingress' ||
        listenersBehind(object, audited).some((listener) => takesDeliveries(listener, audited));
      if (!messages) return [];
      const alb = spec.ingressClassName === 'alb';
      const said = object.manifest.kind === 'Service' || alb;
      const key = alb ? `${ALB}/scheme` : `${NLB}-scheme`;
      const ranges = [
        ...(spec.loadBalancerSourceRanges ?? []),
        ...itemsOf(annotations['service.beta.kubernetes.io/load-balancer-source-ranges']),
        ...itemsOf(annotations[`${ALB}/inbound-cidrs`]),
      ];
      return [
        said &&
          annotations[key] !== 'internet-facing' &&
          `${key} is ${shown(annotations[key])}, must be internet-facing`,
        annotations[`${NLB}-internal`] !== undefined &&
          annotations[`${NLB}-internal`] !== 'false' &&
          'aws-load-balancer-internal makes it internal',
        ...(object.manifest.kind === 'Service' ? (spec.ports ?? []) : [])
          .filter(
            ({ port }) =>
              ![80, 443, ...endpointPorts(audited, object.stack)].includes(Number(port)),
          )
          .map(({ port }) => `listens on port ${port}, which no endpoint names`),
        ranges.length > 0 &&
          !includesInternet(ranges) &&
          `allows ${ranges.join(', ')} only, and SNS posts from anywhere`,
      ];
    },
  }),
  rule({
    id: 'load-balancer-health-check',
    subjects: balancers,
    faults: (object) => {
      const annotations = annotationsOf(object);
      const ports = serviceSpec(object).ports ?? [];
      const path = annotations[`${NLB}-healthcheck-path`];
      const protocol = annotations[`${NLB}-healthcheck-protocol`]?.toLowerCase();
      const port = annotations[`${NLB}-healthcheck-port`] ?? 'traffic-port';
      return [
        protocol !== 'http' && `healthcheck-protocol is ${shown(protocol)}, must be http`,
        ...pathFaults(path),
        port !== 'traffic-port' &&
          !ports.some((one) => String(one.port) === port) &&
          `healthcheck-port is ${port}, which is not one of its ports`,
      ];
    },
  }),
  rule({
    id: 'load-balancer-forwards-tcp',
    subjects: balancers,
    faults: (object, audited) => {
      const annotations = annotationsOf(object);
      const {
        externalTrafficPolicy = 'Cluster',
        loadBalancerClass = NLB_CLASSES[0],
        ports = [],
      } = serviceSpec(object);
      const type = annotations[`${NLB}-type`];
      const backend = annotations[`${NLB}-backend-protocol`] ?? 'tcp';
      const logged = annotations[`${NLB}-access-log-enabled`] === 'true';
      const bucket = annotations[`${NLB}-access-log-s3-bucket-name`];
      return [
        type !== 'nlb' &&
          `its type is ${shown(type)}: a classic load balancer, or one that a controller must make; must be nlb`,
        !NLB_CLASSES.includes(loadBalancerClass) &&
          `is of class ${loadBalancerClass}, which need not know its annotations; must be ${NLB_CLASSES.join(' or ')}`,
        backend !== 'tcp' && `backend-protocol is ${backend}; the listener takes plain tcp`,
        annotations[`${NLB}-target-node-labels`] !== undefined &&
          `target-node-labels leaves out every node without ${annotations[`${NLB}-target-node-labels`]}`,
        annotations[`${NLB}-proxy-protocol`] !== undefined &&
          'proxy-protocol puts a header before each request that the listener does not know',
        annotations[`${NLB}-cross-zone-load-balancing-enabled`] !== 'true' &&
          'does not balance across zones: a zone without a node ends connections',
        externalTrafficPolicy !== 'Cluster' &&
          `externalTrafficPolicy ${externalTrafficPolicy}: a node without a pod drops connections during a rollout`,
        logged !== (bucket !== undefined) &&
          'access logs need both access-log-enabled and access-log-s3-bucket-name',
        listenersBehind(object, audited).some(({ setting }) =>
          bucketsIn(setting).some(({ name }) => name === bucket),
        ) && `access logs go to ${shown(bucket)}, in which others deliver files`,
        ...ports
          .filter(({ protocol = 'TCP' }) => protocol !== 'TCP')
          .map(({ port, protocol }) => `port ${port} is ${protocol}; SNS posts over TCP`),
      ];
    },
  }),
  rule({
    id: 'load-balancer-logs-access',
    subjects: (audited) => [
      ...balancers(audited),
      ...objectsOf(audited, 'Ingress').filter(
        (ingress) => ingressSpec(ingress).ingressClassName === 'alb',
      ),
    ],
    faults: (object, { settings }) => {
      const wanted = String(settings?.[object.stack]?.access_logs_bucket ?? '');
      const bucket = accessLogsOf(annotationsOf(object));
      return [
        wanted !== '' &&
          bucket === undefined &&
          `writes no access logs; access_logs_bucket of the settings is ${wanted}`,
        bucket !== undefined &&
          settings !== undefined &&
          bucket !== wanted &&
          `writes its access logs into ${bucket}; access_logs_bucket of the settings is ${wanted || 'empty'}`,
        bucket === undefined &&
          Object.keys(annotationsOf(object)).some((name) => name.includes('access-log-')) &&
          'has annotations on access logs, and writes none',
      ];
    },
  }),
  rule({
    id: 'load-balancer-is-tagged',
    subjects: balancers,
    faults: (object, { model }) => {
      const { defaultTags } = model.stackOf(object);
      const given = itemsOf(annotationsOf(object)[`${NLB}-additional-resource-tags`]);
      return (
        Object.entries(defaultTags)
          .map(([key, value]) => `${key}=${value}`)
          // The list has no way to write these characters.
          .filter((tag) => !/[,]|=.*=/.test(tag) && !given.includes(tag))
          .map((tag) => `additional-resource-tags lacks ${tag}`)
      );
    },
  }),
  rule({
    id: 'ingress-terminates-tls',
    subjects: (audited) => objectsOf(audited, 'Ingress'),
    faults: (object, { model }) => {
      const { rules = [], tls = [], ingressClassName } = ingressSpec(object);
      const annotations = annotationsOf(object);
      const { region } = model.stackOf(object);
      const alb = ingressClassName === 'alb';
      const covered = tls.flatMap(({ hosts }) => hosts ?? []);
      const listen = annotations[`${ALB}/listen-ports`] ?? '';
      return [
        ingressClassName === undefined &&
          'names no ingressClassName: whichever is the default takes it',
        ...rules
          .filter(({ host }) => host === undefined || host.startsWith('*'))
          .map(({ host }) => `answers to ${host === undefined ? 'every name' : host}`),
        ...rules
          .filter(({ host }) => host !== undefined && !covered.includes(host))
          .map(({ host }) => `serves ${host} without TLS`),
        ...tls
          .filter(({ secretName }) => !alb && !secretName)
          .map(({ hosts = [] }) => `names no Secret with the certificate of ${hosts.join(', ')}`),
        alb &&
          (!/"HTTPS"/.test(listen) ||
            (/"HTTP"/.test(listen) && !annotations[`${ALB}/ssl-redirect`])) &&
          `listen-ports is ${shown(listen || undefined)}, must be HTTPS alone`,
        ...(alb ? tlsPolicyFaults(annotations[`${ALB}/ssl-policy`], region) : []),
      ];
    },
  }),
  rule({
    id: 'ingress-routes-to-listener',
    subjects: (audited) => objectsOf(audited, 'Ingress'),
    faults: (object) => {
      const { rules = [], ingressClassName } = ingressSpec(object);
      const annotations = annotationsOf(object);
      const alb = ingressClassName === 'alb';
      const paths = rules.flatMap(({ http }) => http?.paths ?? []);
      const covers = paths.some(({ path = '/' }) => path === '/' || path === '/*');
      return [
        paths.length > 0 &&
          !covers &&
          `passes ${paths.map(({ path }) => path).join(', ')} on, not /`,
        ...(alb ? pathFaults(annotations[`${ALB}/healthcheck-path`]) : []),
        alb &&
          annotations[`${ALB}/target-type`] !== 'ip' &&
          `target-type is ${shown(annotations[`${ALB}/target-type`])}; with a ClusterIP Service it must be ip`,
        alb &&
          ![undefined, 'HTTP'].includes(annotations[`${ALB}/backend-protocol`]) &&
          `backend-protocol is ${annotations[`${ALB}/backend-protocol`]}; the listener speaks HTTP`,
      ];
    },
  }),
];
