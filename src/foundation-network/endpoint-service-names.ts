import { fipsHost, partitionOf } from '@file-processing/contract/partition.ts';

/**
 * Services whose interface endpoints have names that start with `cn.` in China, out of those that the
 * settings offer. AWS keeps the list only behind the API (AWS PrivateLink Guide, "AWS services that
 * integrate with AWS PrivateLink", `aws ec2 describe-vpc-endpoint-services`); it agrees with the one
 * in aws-cdk (`aws-ec2/lib/vpc-endpoint.ts`). `eks-auth`, `kms`, `logs` and `sns` are named as elsewhere.
 * China has none for `elasticloadbalancing` (Getting Started with Amazon Web Services in China,
 * "Elastic Load Balancing").
 */
const NAMED_CN_IN_CHINA: ReadonlySet<string> = new Set([
  'autoscaling',
  'ec2',
  'ecr.api',
  'ecr.dkr',
  'eks',
  'sqs',
  'sts',
]);

/** Name of the endpoint service of an AWS service, for an interface endpoint. */
export function interfaceEndpointServiceName(region: string, service: string): string {
  const inChina = partitionOf(region).name === 'aws-cn';
  const prefix = inChina && NAMED_CN_IN_CHINA.has(service) ? 'cn.' : '';
  return `${prefix}com.amazonaws.${region}.${service}`;
}

/**
 * Name of the endpoint service of S3, for a gateway endpoint; the same form in every partition
 * (AWS PrivateLink Guide, "Gateway endpoints for Amazon S3").
 */
export function s3GatewayServiceName(region: string): string {
  return `com.amazonaws.${region}.s3`;
}

/**
 * Services that have a second endpoint service for their FIPS endpoint (AWS PrivateLink Guide, "AWS services that
 * integrate with AWS PrivateLink"), out of those that the settings offer.
 */
const WITH_FIPS_SERVICE: readonly string[] = ['kms', 'sqs', 'sts'];

/**
 * The endpoint service by which the FIPS endpoint of a service is reached, where the plain one does not cover it:
 * in GovCloud `sqs` and `sts` have one host for both.
 */
export function fipsEndpointService(region: string, service: string): string | undefined {
  if (!WITH_FIPS_SERVICE.includes(service)) return undefined;
  return fipsHost(service, region).startsWith(`${service}-fips.`) ? `${service}-fips` : undefined;
}
