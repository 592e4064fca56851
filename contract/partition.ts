/** An AWS partition, as far as names and endpoints depend on it. */
export interface Partition {
  /** The second part of every ARN. */
  readonly name: 'aws' | 'aws-us-gov' | 'aws-cn';
  /** The suffix of service hosts and of the service principals that follow it. */
  readonly dnsSuffix: 'amazonaws.com' | 'amazonaws.com.cn';
}

const AWS: Partition = { name: 'aws', dnsSuffix: 'amazonaws.com' };
const GOV_CLOUD: Partition = { name: 'aws-us-gov', dnsSuffix: 'amazonaws.com' };
const CHINA: Partition = { name: 'aws-cn', dnsSuffix: 'amazonaws.com.cn' };

const REGION =
  /^(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[1-9]$/;

/** Whether a region's name has the form of a region of the aws, aws-us-gov or aws-cn partition. */
export function isRegion(name: string): boolean {
  return REGION.test(name);
}

/** The partition of a region (AWS General Reference, "Amazon Resource Names", "Partitions"). */
export function partitionOf(region: string): Partition {
  if (region.startsWith('us-gov-')) return GOV_CLOUD;
  if (region.startsWith('cn-')) return CHINA;
  return AWS;
}

/**
 * Regions whose zones are not lettered a, b, c in this order for every account
 * (Amazon EC2 User Guide, "Regions and Zones").
 */
const ZONE_LETTERS: Readonly<Record<string, string>> = {
  'ap-northeast-1': 'acd',
  'ca-central-1': 'abd',
  'us-west-1': 'ac',
};

/** The first `count` zones of a region, by name; a region that has fewer gives fewer. */
export function firstZones(region: string, count: number): readonly string[] {
  const letters = ZONE_LETTERS[region] ?? 'abcd';
  return [...letters].slice(0, count).map((letter) => `${region}${letter}`);
}

/** Whether a zone's name is that of an availability zone in the region, not of a local zone. */
export function isZoneOf(region: string, zone: string): boolean {
  return zone.startsWith(region) && /^[a-z]$/.test(zone.slice(region.length));
}

/** Whether AWS has FIPS endpoints in a region: in the United States and Canada ("FIPS endpoints by service"). */
export function hasFipsEndpoints(region: string): boolean {
  return /^(us|ca)-/.test(region);
}

/** Services whose hosts are the FIPS endpoints themselves in GovCloud. */
const FIPS_IN_GOV_CLOUD = ['sns', 'sqs', 'sts'];

/**
 * Host of a service's FIPS endpoint, by the rules of the AWS SDKs (their `endpoint-rule-set`).
 *
 * @param service - `s3`, `sns`, `sqs`, `sts`, `kms`
 */
export function fipsHost(service: string, region: string): string {
  const { name, dnsSuffix } = partitionOf(region);
  const plain = name === 'aws-us-gov' && FIPS_IN_GOV_CLOUD.includes(service);
  return `${service}${plain ? '' : '-fips'}.${region}.${dnsSuffix}`;
}
