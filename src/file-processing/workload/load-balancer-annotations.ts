import { PATHS } from '@file-processing/contract/listener-interface.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';

const PREFIX = 'service.beta.kubernetes.io/aws-load-balancer';

/**
 * Annotations by which the cloud provider of EKS's control plane makes a network load balancer
 * (kubernetes/cloud-provider-aws, "Service Controller"). It fronts the nodes, and ends TLS when there
 * is a certificate.
 *
 * @param tags - tags of the load balancer, which Terraform's default tags don't reach
 */
export function loadBalancerAnnotations(
  settings: FileProcessingSettings,
  tags: Readonly<Record<string, string>>,
): Record<string, string> {
  const tagList = formatTags(tags);
  return {
    [`${PREFIX}-type`]: 'nlb',
    // What that provider does unasked; the AWS Load Balancer Controller has to be told.
    [`${PREFIX}-scheme`]: 'internet-facing',
    [`${PREFIX}-cross-zone-load-balancing-enabled`]: 'true',
    [`${PREFIX}-backend-protocol`]: 'tcp',
    [`${PREFIX}-healthcheck-protocol`]: 'http',
    [`${PREFIX}-healthcheck-port`]: 'traffic-port',
    [`${PREFIX}-healthcheck-path`]: PATHS.liveness,
    ...(tagList !== '' && { [`${PREFIX}-additional-resource-tags`]: tagList }),
    ...(settings.tls_certificate_arn !== '' && {
      [`${PREFIX}-ssl-cert`]: settings.tls_certificate_arn,
      [`${PREFIX}-ssl-ports`]: '443',
      [`${PREFIX}-ssl-negotiation-policy`]: tlsPolicy(settings.aws_region),
    }),
    ...(settings.access_logs_bucket !== '' && {
      [`${PREFIX}-access-log-enabled`]: 'true',
      [`${PREFIX}-access-log-s3-bucket-name`]: settings.access_logs_bucket,
    }),
  };
}

/**
 * TLS 1.2 and 1.3 only; in GovCloud with FIPS-validated cryptography (Elastic Load Balancing, User
 * Guide for Network Load Balancers, "Security policies").
 */
export function tlsPolicy(region: string): string {
  return partitionOf(region).name === 'aws-us-gov'
    ? 'ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04'
    : 'ELBSecurityPolicy-TLS13-1-2-2021-06';
}

/** The list has no way to write a comma or an equals sign, so a tag that holds one is left out. */
function formatTags(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .filter((tag) => !/[,=]/.test(tag.join('')))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
