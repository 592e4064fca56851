import { expect, it } from 'vitest';
import { checkFoundationNetwork } from '../../../src/settings/check-foundation-network.ts';
import type { FoundationNetworkSettings } from '../../../src/settings/foundation-network-variables.ts';
import { foundationNetworkSettings } from '../../support/settings.ts';

it.each<[string, Partial<FoundationNetworkSettings>, string, string]>([
  [
    'a zone of another region',
    { availability_zones: ['us-gov-west-1a', 'us-east-1b'] },
    'availability_zones',
    'us-east-1b is not a zone of aws_region us-gov-west-1, such as us-gov-west-1a',
  ],
  [
    'fewer blocks than zones',
    {
      availability_zones: ['us-gov-west-1a', 'us-gov-west-1b', 'us-gov-west-1c'],
      public_subnet_cidrs: ['10.0.0.0/24', '10.0.1.0/24'],
    },
    'public_subnet_cidrs',
    'has 2 blocks for 3 zones; must have one for each zone',
  ],
  [
    'more zones than are known of the region',
    { aws_region: 'us-west-1', public_subnet_cidrs: ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'] },
    'availability_zones',
    'must be given: us-west-1 has only 2 zones that are known here, and 3 are wanted',
  ],
  [
    'a block outside the VPC',
    { private_subnet_cidrs: ['10.0.10.0/24', '10.1.11.0/24'] },
    'private_subnet_cidrs',
    '10.1.11.0/24 is not inside vpc_cidr 10.0.0.0/16',
  ],
  [
    'blocks that overlap',
    { public_subnet_cidrs: ['10.0.0.0/20', '10.0.16.0/20'] },
    'public_subnet_cidrs',
    '10.0.0.0/20 overlaps 10.0.10.0/24 (private_subnet_cidrs)',
  ],
  [
    'a VPC too small to plan in',
    { vpc_cidr: '10.0.0.0/26' },
    'vpc_cidr',
    '10.0.0.0/26 is too small to plan subnets in; must be /24 or larger, or give public_subnet_cidrs and private_subnet_cidrs',
  ],
  [
    'an endpoint that China does not have',
    { aws_region: 'cn-north-1', interface_endpoints: ['sts', 'elasticloadbalancing'] },
    'interface_endpoints',
    'elasticloadbalancing has no endpoint in cn-north-1; leave it out',
  ],
])('refuses %s', (_, overrides, variable, message) => {
  const settings = { ...foundationNetworkSettings(), ...overrides };
  expect(checkFoundationNetwork(settings)).toContainEqual({ variable, message });
});

it('accepts a small VPC whose blocks are given', () => {
  const settings = foundationNetworkSettings({
    vpc_cidr: '10.0.0.0/26',
    public_subnet_cidrs: ['10.0.0.0/28', '10.0.0.16/28'],
    private_subnet_cidrs: ['10.0.0.32/28', '10.0.0.48/28'],
  });
  expect(checkFoundationNetwork(settings)).toEqual([]);
});
