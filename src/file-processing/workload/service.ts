import type { ServiceV1Config } from '@cdktf/provider-kubernetes/lib/service-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import { loadBalancerAnnotations } from './load-balancer-annotations.ts';
import { HTTP_PORT, LABELS, POD_SELECTOR, SERVICE } from './names.ts';

const FIXED_AT_CREATION = ['metadata[0].name', 'spec[0].load_balancer_class'];

/**
 * The load balancer that SNS posts to: port 443 with a certificate, else 80.
 *
 * It is public on purpose and takes connections from anywhere: SNS publishes no source ranges. The
 * guard is the signature, which the listener checks on every message.
 */
export function createLoadBalancerService(
  scope: Construct,
  settings: FileProcessingSettings,
  tags: Readonly<Record<string, string>>,
  dependsOn: ITerraformDependable[],
): LightResource<ServiceV1Config> {
  const tls = settings.tls_certificate_arn !== '';
  return new LightResource<ServiceV1Config>(scope, 'sns_listener', 'kubernetes_service_v1', {
    metadata: {
      name: SERVICE,
      namespace: settings.namespace,
      labels: LABELS,
      annotations: loadBalancerAnnotations(settings, tags),
    },
    waitForLoadBalancer: true,
    timeouts: { create: '15m' },
    spec: {
      type: 'LoadBalancer',
      ...(settings.load_balancer_class !== '' && {
        loadBalancerClass: settings.load_balancer_class,
      }),
      // Any node passes a connection on: during a rollout no node is left out because it has no pod.
      externalTrafficPolicy: 'Cluster',
      selector: POD_SELECTOR,
      port: [tls ? servicePort('https', 443) : servicePort('http', 80)],
    },
    lifecycle: {
      // Neither can change in a Service that exists. The webhook of the AWS Load Balancer Controller sets the
      // class of a new one, which would replace it at the next plan, and a handover leaves it another name.
      ignoreChanges: FIXED_AT_CREATION,
    },
    dependsOn,
  });
}

/** What the Ingress passes requests on to. */
export function createClusterService(
  scope: Construct,
  settings: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
): LightResource<ServiceV1Config> {
  return new LightResource<ServiceV1Config>(scope, 'sns_listener', 'kubernetes_service_v1', {
    metadata: { name: SERVICE, namespace: settings.namespace, labels: LABELS },
    waitForLoadBalancer: false,
    spec: { type: 'ClusterIP', selector: POD_SELECTOR, port: [servicePort('http', 80)] },
    dependsOn,
  });
}

function servicePort(name: string, port: number) {
  return { name, port, targetPort: HTTP_PORT.name, protocol: 'TCP' };
}
