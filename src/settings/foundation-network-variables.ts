import { parseCidr } from './cidr.ts';
import { commonVariables, networkPrefix } from './common-variables.ts';
import { choice, flag, type SettingsOf, text, textList } from './variable.ts';

/** Services that an interface endpoint is offered for; `sns` has a variable of its own. */
export const INTERFACE_ENDPOINT_SERVICES = [
  'autoscaling',
  'ec2',
  'ecr.api',
  'ecr.dkr',
  'eks',
  'eks-auth',
  'elasticloadbalancing',
  'kms',
  'logs',
  'sqs',
  'sts',
] as const;

const isSubnetCidr = (value: string): boolean => {
  const cidr = parseCidr(value);
  return cidr !== undefined && cidr.prefix >= 16 && cidr.prefix <= 28;
};

const SUBNET_CIDRS = 'a list of 2 to 4 IPv4 blocks from /16 to /28, one for each zone';
const isTwoToFour = (values: readonly string[]): boolean =>
  values.length === 0 || (values.length >= 2 && values.length <= 4);

/** The variables of `foundation_network.tfvars`. */
export const foundationNetworkVariables = {
  ...commonVariables,
  name_prefix: text({
    description: 'Prefix of the names; the VPC is <name_prefix>-vpc.',
    ...networkPrefix,
  }),
  vpc_cidr: text({
    description: 'Addresses of the VPC.',
    default: '10.0.0.0/16',
    example: '10.0.0.0/16',
    allowed: 'an IPv4 block from /16 to /28 without host bits, such as 10.0.0.0/16',
    accepts: isSubnetCidr,
  }),
  availability_zones: textList({
    description:
      'Zones of the subnets. Empty takes the first zones of the region, as many as subnets are given, else two.',
    default: [],
    example: ['us-gov-west-1a', 'us-gov-west-1b'],
    allowed: 'a list of 2 to 4 zones of the region, each once',
    accepts: (zones) => isTwoToFour(zones) && new Set(zones).size === zones.length,
  }),
  public_subnet_cidrs: textList({
    description:
      'Addresses of the public subnets, one for each zone. Empty plans them from vpc_cidr.',
    default: [],
    example: ['10.0.0.0/24', '10.0.1.0/24'],
    allowed: SUBNET_CIDRS,
    accepts: isTwoToFour,
    acceptsItem: isSubnetCidr,
  }),
  private_subnet_cidrs: textList({
    description:
      'Addresses of the private subnets, one for each zone. Empty plans them from vpc_cidr.',
    default: [],
    example: ['10.0.10.0/24', '10.0.11.0/24'],
    allowed: SUBNET_CIDRS,
    accepts: isTwoToFour,
    acceptsItem: isSubnetCidr,
  }),
  nat_gateways: choice(['single', 'per_zone'], {
    description:
      'One NAT gateway for all private subnets, or one in each zone so that the loss of a zone cuts off no other.',
    default: 'single',
    example: 'per_zone',
  }),
  interface_endpoints: textList({
    description: 'Services that the private subnets reach by an interface endpoint instead of NAT.',
    default: [],
    example: ['ecr.api', 'ecr.dkr', 'sts'],
    allowed: `a list out of ${INTERFACE_ENDPOINT_SERVICES.join(', ')}, each once (for sns there is sns_interface_endpoint)`,
    accepts: (services) => new Set(services).size === services.length,
    acceptsItem: (service) => (INTERFACE_ENDPOINT_SERVICES as readonly string[]).includes(service),
  }),
  sns_interface_endpoint: flag({
    description:
      'Interface endpoint for SNS, without private DNS: with it, the host that serves the signing certificates would point at the endpoint too.',
    default: false,
    example: false,
  }),
  flow_logs: flag({
    description:
      'Flow logs of the VPC in an encrypted log group. A VPC without them is a finding of the audit.',
    default: true,
    example: true,
    unwise: (on) => (on ? undefined : 'without flow logs nobody can tell later who talked to whom'),
  }),
};

/** Checked settings of the foundation-network stack, under the names of the tfvars file. */
export type FoundationNetworkSettings = SettingsOf<typeof foundationNetworkVariables>;
