import { describe, expect, it } from 'vitest';
import { resourceAt } from '../../support/synthesized.ts';
import { synthesizeFoundationNetwork } from './synthesize-foundation-network.ts';

describe('MainVpc', () => {
  const json = synthesizeFoundationNetwork({ name_prefix: 'city', vpc_cidr: '10.20.0.0/16' });

  it('has the addresses of vpc_cidr', () => {
    expect(resourceAt(json, 'aws_vpc.main')).toHaveProperty('cidr_block', '10.20.0.0/16');
  });

  it('has the name that the file-processing stack looks for', () => {
    expect(resourceAt(json, 'aws_vpc.main')).toHaveProperty('tags', { Name: 'city-vpc' });
  });

  it('resolves DNS and gives host names, as private DNS of endpoints needs', () => {
    expect(resourceAt(json, 'aws_vpc.main')).toMatchObject({
      enable_dns_support: true,
      enable_dns_hostnames: true,
    });
  });

  it('is attached to an internet gateway', () => {
    expect(resourceAt(json, 'aws_internet_gateway.internet')).toStrictEqual({
      vpc_id: '${aws_vpc.main.id}',
      tags: { Name: 'city-igw' },
    });
  });

  it('locks its default security group by explicitly empty rules', () => {
    expect(resourceAt(json, 'aws_default_security_group.locked')).toMatchObject({
      vpc_id: '${aws_vpc.main.id}',
      ingress: [],
      egress: [],
    });
  });
});
