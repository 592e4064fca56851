import type { IngressV1Config } from '@cdktf/provider-kubernetes/lib/ingress-v1/index.js';
import { PATHS } from '@file-processing/contract/listener-interface.ts';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import { tlsPolicy } from './load-balancer-annotations.ts';
import { LABELS, SERVICE } from './names.ts';

/** Class of the AWS Load Balancer Controller. */
const ALB = 'alb';

/** Secret with the certificate, for controllers that read one. */
const TLS_SECRET = `${SERVICE}-tls`;

/**
 * The Ingress that takes the load balancer's place. It serves https, unless `sns_endpoint_url` says
 * http. The certificate is the controller's business: `alb` finds one in ACM by the host, others read
 * the Secret `sns-listener-tls`.
 */
export function createIngress(
  scope: Construct,
  settings: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
): LightResource<IngressV1Config> {
  const host = ingressHost(settings);
  return new LightResource<IngressV1Config>(scope, 'sns_listener', 'kubernetes_ingress_v1', {
    metadata: {
      name: SERVICE,
      namespace: settings.namespace,
      labels: LABELS,
      ...(settings.ingress_class_name === ALB && { annotations: albAnnotations(settings) }),
    },
    // Only the subscription needs the address. Before there is a URL for it, the controller may be
    // missing yet, and waiting would fail the first deploy.
    waitForLoadBalancer: settings.sns_endpoint_url !== '',
    spec: {
      ingressClassName: settings.ingress_class_name,
      rule: [
        {
          host,
          http: {
            path: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: SERVICE, port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
      ...(usesTls(settings) && {
        tls: [
          { hosts: [host], ...(settings.ingress_class_name !== ALB && { secretName: TLS_SECRET }) },
        ],
      }),
    },
    dependsOn,
  });
}

function ingressHost({ ingress_host, sns_endpoint_url }: FileProcessingSettings): string {
  return ingress_host === '' ? new URL(sns_endpoint_url).hostname : ingress_host;
}

function usesTls({ sns_endpoint_url }: FileProcessingSettings): boolean {
  return !/^http:/i.test(sns_endpoint_url);
}

/** Annotations of the AWS Load Balancer Controller ("Ingress annotations" in its documentation). */
function albAnnotations(settings: FileProcessingSettings): Record<string, string> {
  const prefix = 'alb.ingress.kubernetes.io';
  const tls = usesTls(settings);
  return {
    [`${prefix}/scheme`]: 'internet-facing',
    [`${prefix}/target-type`]: 'ip',
    [`${prefix}/healthcheck-path`]: PATHS.liveness,
    [`${prefix}/listen-ports`]: JSON.stringify([tls ? { HTTPS: 443 } : { HTTP: 80 }]),
    ...(tls && { [`${prefix}/ssl-policy`]: tlsPolicy(settings.aws_region) }),
  };
}
