import { partitionOf } from '@file-processing/contract/partition.ts';

const TRUST_STORES = {
  aws: 'https://truststore.pki.rds.amazonaws.com',
  'aws-us-gov': 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com',
  'aws-cn': 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn',
} as const;

/**
 * Where AWS publishes the authorities of a region's databases (Amazon RDS User Guide, "Using SSL/TLS
 * to encrypt a connection to a DB instance or cluster").
 */
export function rdsCaBundleUrl(region: string): string {
  return `${TRUST_STORES[partitionOf(region).name]}/${region}/${region}-bundle.pem`;
}
