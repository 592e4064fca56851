import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFoundationNetwork } from './synthesize-foundation-network.ts';

describe('Subnets by default', () => {
  const json = synthesizeFoundationNetwork();

  it('lie in two zones, each with a public and a private one', () => {
    expect(namesOf(json, 'aws_subnet')).toEqual(['private_a', 'private_b', 'public_a', 'public_b']);
  });

  it.each([
    ['public_a', 'us-gov-west-1a', '10.0.0.0/24'],
    ['public_b', 'us-gov-west-1b', '10.0.1.0/24'],
    ['private_a', 'us-gov-west-1a', '10.0.10.0/24'],
    ['private_b', 'us-gov-west-1b', '10.0.11.0/24'],
  ])('places %s in zone %s with the addresses %s', (name, zone, cidr) => {
    expect(resourceAt(json, `aws_subnet.${name}`)).toMatchObject({
      availability_zone: zone,
      cidr_block: cidr,
      vpc_id: '${aws_vpc.main.id}',
    });
  });

  it('marks public subnets for load balancers on the internet', () => {
    expect(resourceAt(json, 'aws_subnet.public_b')).toHaveProperty('tags', {
      Name: 'etl-platform-public-us-gov-west-1b',
      'kubernetes.io/role/elb': '1',
    });
  });

  it('marks private subnets for internal load balancers', () => {
    expect(resourceAt(json, 'aws_subnet.private_b')).toHaveProperty('tags', {
      Name: 'etl-platform-private-us-gov-west-1b',
      'kubernetes.io/role/internal-elb': '1',
    });
  });

  it.each(namesOf(json, 'aws_subnet'))('gives no public address by itself in %s', (name) => {
    expect(resourceAt(json, `aws_subnet.${name}`)).toHaveProperty('map_public_ip_on_launch', false);
  });

  it('leads the public subnets to the internet gateway', () => {
    expect(resourceAt(json, 'aws_route.public_internet')).toStrictEqual({
      route_table_id: '${aws_route_table.public.id}',
      destination_cidr_block: '0.0.0.0/0',
      gateway_id: '${aws_internet_gateway.internet.id}',
    });
  });

  it.each([
    ['public_a', 'public'],
    ['public_b', 'public'],
    ['private_a', 'private_a'],
    ['private_b', 'private_b'],
  ])('gives subnet %s the route table %s', (subnet, routeTable) => {
    expect(resourceAt(json, `aws_route_table_association.${subnet}`)).toStrictEqual({
      subnet_id: `\${aws_subnet.${subnet}.id}`,
      route_table_id: `\${aws_route_table.${routeTable}.id}`,
    });
  });

  it.each([
    ['public', 'etl-platform-public'],
    ['private_a', 'etl-platform-private-us-gov-west-1a'],
  ])('puts route table %s into the VPC under the name %s', (routeTable, name) => {
    expect(resourceAt(json, `aws_route_table.${routeTable}`)).toStrictEqual({
      vpc_id: '${aws_vpc.main.id}',
      tags: { Name: name },
    });
  });
});

describe('Subnets of given zones and addresses', () => {
  const json = synthesizeFoundationNetwork({
    aws_region: 'us-east-1',
    availability_zones: ['us-east-1b', 'us-east-1c', 'us-east-1d', 'us-east-1f'],
    public_subnet_cidrs: ['10.0.100.0/26', '10.0.100.64/26', '10.0.100.128/26', '10.0.100.192/26'],
    private_subnet_cidrs: ['10.0.32.0/19', '10.0.64.0/19', '10.0.128.0/19', '10.0.160.0/19'],
  });

  it('carry the letters of the zones', () => {
    expect(namesOf(json, 'aws_subnet')).toEqual([
      'private_b',
      'private_c',
      'private_d',
      'private_f',
      'public_b',
      'public_c',
      'public_d',
      'public_f',
    ]);
  });

  it.each([
    ['public_f', 'us-east-1f', '10.0.100.192/26'],
    ['private_d', 'us-east-1d', '10.0.128.0/19'],
  ])('place %s in zone %s with the addresses %s', (name, zone, cidr) => {
    expect(resourceAt(json, `aws_subnet.${name}`)).toMatchObject({
      availability_zone: zone,
      cidr_block: cidr,
    });
  });

  it('have one private route table for each zone', () => {
    expect(namesOf(json, 'aws_route_table')).toEqual([
      'private_b',
      'private_c',
      'private_d',
      'private_f',
      'public',
    ]);
  });
});
