import { partitionOf } from '@file-processing/contract/partition.ts';
import type { Audited } from '../rule.ts';
import type { ServiceSpec } from './api-types.ts';
import { shown, when } from './faults.ts';
import { selects } from './label-selector.ts';
import { READINESS_PATH, SERVED_PATHS } from './listener-interface.ts';
import { type Listener, servers } from './listeners.ts';
import { namespaceOf, podsIn } from './pods.ts';

/** Start of the annotations of a network load balancer (kubernetes/cloud-provider-aws). */
export const NLB = 'service.beta.kubernetes.io/aws-load-balancer';

/** Start of the annotations of the AWS Load Balancer Controller. */
export const ALB = 'alb.ingress.kubernetes.io';

type Annotations = Readonly<Record<string, string>>;

/** Ports that the endpoints of a stack name. */
export function endpointPorts({ model }: Audited, stack: string): readonly number[] {
  return model
    .ofType('aws_sns_topic_subscription')
    .filter((subscription) => subscription.stack === stack)
    .flatMap(({ attributes }) => Number(URL.parse(String(attributes.endpoint))?.port || 0) || []);
}

/** Target ports of a Service. */
export function targetsOf({ manifest }: Audited['objects'][number]): readonly string[] {
  const { ports = [] } = (manifest.spec ?? {}) as ServiceSpec;
  return ports.map(({ port, targetPort = port }) => String(targetPort));
}

/** Annotations of an object. */
export function annotationsOf(object: Audited['objects'][number]): Annotations {
  return object.manifest.metadata.annotations ?? {};
}

/** Listeners that a Service selects. */
export function listenersBehind(
  object: Audited['objects'][number],
  audited: Audited,
): readonly Listener[] {
  const { selector } = (object.manifest.spec ?? {}) as ServiceSpec;
  const pods = podsIn(audited, namespaceOf(object)).filter(
    ({ labels }) =>
      Object.keys(selector ?? {}).length > 0 && selects({ matchLabels: selector ?? {} }, labels),
  );
  return servers(audited).filter(({ pod }) => pods.includes(pod));
}

/** The health check asks whether pods live: readiness is the kubelet's business. */
export function pathFaults(path: string | undefined): readonly string[] {
  const served: readonly string[] = SERVED_PATHS.PORT;
  return [
    ...when(
      path === undefined || !served.includes(path),
      `healthcheck-path is ${shown(path)}; the listener serves ${served.join(', ')}`,
    ),
    ...when(
      path === READINESS_PATH,
      `healthcheck-path ${path} takes every target out while the database is away`,
    ),
  ];
}

/** What is wrong with the place of a certificate. */
export function certificateFaults(
  arn: string,
  region: string,
  partition: string,
): readonly string[] {
  if (arn.includes('${')) return [];
  const [, given, service, place] = arn.split(':');
  return [
    ...when(
      given !== partition,
      `its certificate is in partition ${given}, the stack in ${partition}`,
    ),
    ...when(
      service === 'acm' && place !== region,
      `its certificate is in ${place}, the stack in ${region}`,
    ),
  ];
}

/** Policies of Elastic Load Balancing that speak TLS 1.2 and 1.3 alone; FIPS in GovCloud. */
export function tlsPolicyFaults(policy: string | undefined, region: string): readonly string[] {
  const gov = partitionOf(region).name === 'aws-us-gov';
  return [
    ...when(
      !/^ELBSecurityPolicy-TLS13-1-[23]-/.test(policy ?? ''),
      `its TLS policy is ${shown(policy)}, must speak TLS 1.2 and 1.3 alone (ELBSecurityPolicy-TLS13-1-2-…)`,
    ),
    ...when(
      gov && policy !== undefined && !policy.includes('FIPS'),
      `its TLS policy ${policy} is not FIPS-validated, which GovCloud is for`,
    ),
  ];
}
