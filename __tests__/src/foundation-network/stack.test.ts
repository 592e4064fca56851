import { describe, expect, it } from 'vitest';
import { INTERFACE_ENDPOINT_SERVICES } from '../../../src/settings/foundation-network-variables.ts';
import { addresses, type SynthesizedStack } from '../../support/synthesized.ts';
import { synthesizeFoundationNetwork, synthesizeText } from './synthesize-foundation-network.ts';

const EVERYTHING = {
  availability_zones: ['us-gov-west-1a', 'us-gov-west-1b', 'us-gov-west-1c', 'us-gov-west-1d'],
  nat_gateways: 'per_zone',
  interface_endpoints: INTERFACE_ENDPOINT_SERVICES,
  sns_interface_endpoint: true,
} as const;

describe('FoundationNetworkStack by default', () => {
  const json = synthesizeFoundationNetwork();

  it('has stable addresses', () => {
    expect(addresses(json)).toEqual([
      'aws_cloudwatch_log_group.vpc_flow_logs',
      'aws_default_security_group.locked',
      'aws_eip.nat_a',
      'aws_flow_log.vpc',
      'aws_iam_role.flow_logs_writer',
      'aws_iam_role_policy.write_flow_logs',
      'aws_internet_gateway.internet',
      'aws_kms_alias.flow_logs_key',
      'aws_kms_key.flow_logs',
      'aws_nat_gateway.public_a',
      'aws_route.private_a_nat',
      'aws_route.private_b_nat',
      'aws_route.public_internet',
      'aws_route_table.private_a',
      'aws_route_table.private_b',
      'aws_route_table.public',
      'aws_route_table_association.private_a',
      'aws_route_table_association.private_b',
      'aws_route_table_association.public_a',
      'aws_route_table_association.public_b',
      'aws_subnet.private_a',
      'aws_subnet.private_b',
      'aws_subnet.public_a',
      'aws_subnet.public_b',
      'aws_vpc.main',
      'aws_vpc_endpoint.s3',
      'data.aws_caller_identity.current',
    ]);
  });

  it('tags everything with component, environment and tool', () => {
    expect(json.provider.aws).toEqual([
      expect.objectContaining({
        region: 'us-gov-west-1',
        default_tags: [
          {
            tags: {
              Component: 'foundation-network',
              Environment: 'etl-playground',
              ManagedBy: 'terraform',
            },
          },
        ],
      }),
    ]);
  });

  const OUTPUTS = [
    ['vpc_id', '${aws_vpc.main.id}'],
    ['vpc_cidr', '${aws_vpc.main.cidr_block}'],
    ['public_subnet_ids', ['${aws_subnet.public_a.id}', '${aws_subnet.public_b.id}']],
    ['private_subnet_ids', ['${aws_subnet.private_a.id}', '${aws_subnet.private_b.id}']],
    ['nat_gateway_public_ips', ['${aws_nat_gateway.public_a.public_ip}']],
    ['availability_zones', ['us-gov-west-1a', 'us-gov-west-1b']],
  ] as const;

  it.each(OUTPUTS)('says %s in an output with a description', (name, value) => {
    expect(json.output[name]).toStrictEqual({
      value,
      description: expect.stringMatching(/^[A-Z].*\.$/),
    });
  });

  it('has no other output', () => {
    expect(Object.keys(json.output).sort()).toEqual(OUTPUTS.map(([name]) => name).sort());
  });

  it('writes the same text again', () => {
    expect(synthesizeText()).toBe(synthesizeText());
  });
});

describe('FoundationNetworkStack of a named environment', () => {
  const json = synthesizeFoundationNetwork(
    { tags: { CostCenter: '4711' }, state_bucket: 'city-state' },
    'production',
  );

  it('carries its name and own tags into every resource', () => {
    expect(json.provider.aws[0]).toHaveProperty(
      ['default_tags', 0, 'tags'],
      expect.objectContaining({ Environment: 'production', CostCenter: '4711' }),
    );
  });

  it('keeps its state under its name', () => {
    expect(json.terraform).toHaveProperty(
      'backend.s3.key',
      'file-processing-infra/production/foundation-network.tfstate',
    );
  });
});

describe('FoundationNetworkStack with everything on', () => {
  const text = synthesizeText(EVERYTHING);

  it('names no partition but its own in GovCloud', () => {
    expect(text).not.toContain('arn:aws:');
    expect(text).toContain('arn:aws-us-gov:');
  });

  it('adds these to the default addresses and removes none', () => {
    const before = addresses(synthesizeFoundationNetwork());
    const all = addresses(JSON.parse(text) as SynthesizedStack);
    expect(all).toEqual(expect.arrayContaining([...before]));
    expect(all.filter((address) => !before.includes(address))).toEqual([
      'aws_eip.nat_b',
      'aws_eip.nat_c',
      'aws_eip.nat_d',
      'aws_nat_gateway.public_b',
      'aws_nat_gateway.public_c',
      'aws_nat_gateway.public_d',
      'aws_route.private_c_nat',
      'aws_route.private_d_nat',
      'aws_route_table.private_c',
      'aws_route_table.private_d',
      'aws_route_table_association.private_c',
      'aws_route_table_association.private_d',
      'aws_route_table_association.public_c',
      'aws_route_table_association.public_d',
      'aws_security_group.endpoints',
      'aws_subnet.private_c',
      'aws_subnet.private_d',
      'aws_subnet.public_c',
      'aws_subnet.public_d',
      'aws_vpc_endpoint.autoscaling',
      'aws_vpc_endpoint.ec2',
      'aws_vpc_endpoint.ecr_api',
      'aws_vpc_endpoint.ecr_dkr',
      'aws_vpc_endpoint.eks',
      'aws_vpc_endpoint.eks_auth',
      'aws_vpc_endpoint.elasticloadbalancing',
      'aws_vpc_endpoint.kms',
      'aws_vpc_endpoint.logs',
      'aws_vpc_endpoint.sns',
      'aws_vpc_endpoint.sqs',
      'aws_vpc_endpoint.sts',
      'aws_vpc_security_group_ingress_rule.endpoints_https',
    ]);
  });
});

describe.each([
  ['us-east-1', 'arn:aws:', /arn:aws-/],
  ['cn-north-1', 'arn:aws-cn:', /arn:aws(-us-gov)?:/],
])('FoundationNetworkStack in %s', (region, own, others) => {
  const settings = {
    aws_region: region,
    // China has no endpoint for it.
    interface_endpoints: INTERFACE_ENDPOINT_SERVICES.filter(
      (service) => service !== 'elasticloadbalancing',
    ),
    sns_interface_endpoint: true,
  };
  const text = synthesizeText(settings);

  it('names no partition but its own', () => {
    expect(text).toContain(own);
    expect(text).not.toMatch(others);
  });

  it('has the same addresses as in GovCloud', () => {
    expect(addresses(synthesizeFoundationNetwork(settings))).toStrictEqual(
      addresses(synthesizeFoundationNetwork({ ...settings, aws_region: 'us-gov-west-1' })),
    );
  });
});
