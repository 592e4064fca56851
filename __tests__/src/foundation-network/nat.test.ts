import { describe, expect, it } from 'vitest';
import { addresses, namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFoundationNetwork } from './synthesize-foundation-network.ts';

const ZONES = ['us-gov-west-1a', 'us-gov-west-1b', 'us-gov-west-1c'];

describe('A single NAT gateway', () => {
  const json = synthesizeFoundationNetwork({ availability_zones: ZONES, nat_gateways: 'single' });

  it('lies in the first public subnet', () => {
    expect(namesOf(json, 'aws_nat_gateway')).toEqual(['public_a']);
    expect(resourceAt(json, 'aws_nat_gateway.public_a')).toMatchObject({
      subnet_id: '${aws_subnet.public_a.id}',
      tags: { Name: 'etl-platform-nat-us-gov-west-1a' },
    });
  });

  it('has an elastic address of the VPC', () => {
    expect(namesOf(json, 'aws_eip')).toEqual(['nat_a']);
    expect(resourceAt(json, 'aws_eip.nat_a')).toHaveProperty('domain', 'vpc');
    expect(resourceAt(json, 'aws_nat_gateway.public_a')).toHaveProperty(
      'allocation_id',
      '${aws_eip.nat_a.id}',
    );
  });

  it.each(['a', 'b', 'c'])('takes the traffic of private subnet %s', (letter) => {
    expect(resourceAt(json, `aws_route.private_${letter}_nat`)).toStrictEqual({
      route_table_id: `\${aws_route_table.private_${letter}.id}`,
      destination_cidr_block: '0.0.0.0/0',
      nat_gateway_id: '${aws_nat_gateway.public_a.id}',
    });
  });

  it.each(['aws_eip.nat_a', 'aws_nat_gateway.public_a'])(
    'makes %s after the way to the internet and destroys it before',
    (address) => {
      expect(resourceAt(json, address)).toHaveProperty('depends_on', ['aws_route.public_internet']);
    },
  );

  it('is an output, by its address', () => {
    expect(json.output.nat_gateway_public_ips).toHaveProperty('value', [
      '${aws_nat_gateway.public_a.public_ip}',
    ]);
  });
});

describe('NAT gateways per zone', () => {
  const json = synthesizeFoundationNetwork({ availability_zones: ZONES, nat_gateways: 'per_zone' });

  it.each(['a', 'b', 'c'])('keep the traffic of zone %s in the zone', (letter) => {
    expect(resourceAt(json, `aws_nat_gateway.public_${letter}`)).toMatchObject({
      subnet_id: `\${aws_subnet.public_${letter}.id}`,
      allocation_id: `\${aws_eip.nat_${letter}.id}`,
    });
    expect(resourceAt(json, `aws_route.private_${letter}_nat`)).toMatchObject({
      route_table_id: `\${aws_route_table.private_${letter}.id}`,
      nat_gateway_id: `\${aws_nat_gateway.public_${letter}.id}`,
    });
  });

  it('are an output, by their addresses in the order of the zones', () => {
    expect(json.output.nat_gateway_public_ips).toHaveProperty('value', [
      '${aws_nat_gateway.public_a.public_ip}',
      '${aws_nat_gateway.public_b.public_ip}',
      '${aws_nat_gateway.public_c.public_ip}',
    ]);
  });

  it('only add to the addresses of a single one, so that changing over replaces nothing', () => {
    const single = synthesizeFoundationNetwork({ availability_zones: ZONES });
    expect(addresses(json)).toEqual(expect.arrayContaining([...addresses(single)]));
  });
});
