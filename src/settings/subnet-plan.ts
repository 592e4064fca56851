import { firstZones } from '@file-processing/contract/partition.ts';
import { type Cidr, formatCidr, parseCidr, subBlock } from './cidr.ts';
import type { FoundationNetworkSettings } from './foundation-network-variables.ts';

/** One zone's subnets. */
export interface ZoneSubnets {
  /** Name of the availability zone. */
  readonly zone: string;
  readonly publicCidr: string;
  readonly privateCidr: string;
}

/** Number of the first private block among the blocks of a VPC; the public ones start at 0. */
const FIRST_PRIVATE_BLOCK = 10;
/** A VPC is cut into up to 256 blocks, but none smaller than AWS allows. */
const BLOCK_BITS = 8;
const LONGEST_PREFIX = 28;

/** How many zones the settings ask for. */
export function zoneCount(settings: FoundationNetworkSettings): number {
  const { availability_zones, public_subnet_cidrs, private_subnet_cidrs } = settings;
  return (
    availability_zones.length || public_subnet_cidrs.length || private_subnet_cidrs.length || 2
  );
}

/**
 * The zones and the addresses of their subnets. CIDRs that the settings leave out are planned from
 * `vpc_cidr`: blocks of a 256th of it, public ones from the first on, private ones from the eleventh
 * on; in 10.0.0.0/16 that gives 10.0.0.0/24, 10.0.1.0/24 and 10.0.10.0/24, 10.0.11.0/24.
 */
export function planSubnets(settings: FoundationNetworkSettings): readonly ZoneSubnets[] {
  const count = zoneCount(settings);
  const zones = settings.availability_zones.length
    ? settings.availability_zones
    : firstZones(settings.aws_region, count);
  const publicCidrs = cidrs(settings.public_subnet_cidrs, settings.vpc_cidr, 0, count);
  const privateCidrs = cidrs(
    settings.private_subnet_cidrs,
    settings.vpc_cidr,
    FIRST_PRIVATE_BLOCK,
    count,
  );
  return zones.map((zone, index) => ({
    zone,
    publicCidr: publicCidrs[index] ?? '',
    privateCidr: privateCidrs[index] ?? '',
  }));
}

/** Whether a VPC is large enough for its subnets to be planned. */
export function canPlanSubnets(vpc: Cidr, count: number): boolean {
  return 2 ** (blockPrefix(vpc) - vpc.prefix) >= FIRST_PRIVATE_BLOCK + count;
}

function cidrs(
  given: readonly string[],
  vpcCidr: string,
  firstBlock: number,
  count: number,
): readonly string[] {
  const vpc = parseCidr(vpcCidr);
  if (given.length > 0 || vpc === undefined) return given;
  return Array.from({ length: count }, (_, index) =>
    formatCidr(subBlock(vpc, blockPrefix(vpc), firstBlock + index)),
  );
}

function blockPrefix(vpc: Cidr): number {
  return Math.min(vpc.prefix + BLOCK_BITS, LONGEST_PREFIX);
}
