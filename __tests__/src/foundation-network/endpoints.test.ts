import { describe, expect, it } from 'vitest';
import { INTERFACE_ENDPOINT_SERVICES } from '../../../src/settings/foundation-network-variables.ts';
import { namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFoundationNetwork } from './synthesize-foundation-network.ts';

describe('Endpoints by default', () => {
  const json = synthesizeFoundationNetwork();

  it('are the S3 gateway alone', () => {
    expect(namesOf(json, 'aws_vpc_endpoint')).toEqual(['s3']);
  });

  it('lead every route table to S3 without NAT', () => {
    expect(resourceAt(json, 'aws_vpc_endpoint.s3')).toStrictEqual({
      vpc_id: '${aws_vpc.main.id}',
      vpc_endpoint_type: 'Gateway',
      service_name: 'com.amazonaws.us-gov-west-1.s3',
      route_table_ids: [
        '${aws_route_table.public.id}',
        '${aws_route_table.private_a.id}',
        '${aws_route_table.private_b.id}',
      ],
      tags: { Name: 'etl-platform-s3' },
    });
  });

  it('need no security group', () => {
    expect(namesOf(json, 'aws_security_group')).toEqual([]);
    expect(namesOf(json, 'aws_vpc_security_group_ingress_rule')).toEqual([]);
  });
});

describe('All interface endpoints', () => {
  const json = synthesizeFoundationNetwork({
    vpc_cidr: '10.20.0.0/16',
    interface_endpoints: INTERFACE_ENDPOINT_SERVICES,
    sns_interface_endpoint: true,
  });

  it.each(INTERFACE_ENDPOINT_SERVICES)('answer for %s under its usual host name', (service) => {
    expect(resourceAt(json, `aws_vpc_endpoint.${service.replace(/[.-]/, '_')}`)).toStrictEqual({
      vpc_id: '${aws_vpc.main.id}',
      vpc_endpoint_type: 'Interface',
      service_name: `com.amazonaws.us-gov-west-1.${service}`,
      private_dns_enabled: true,
      subnet_ids: ['${aws_subnet.private_a.id}', '${aws_subnet.private_b.id}'],
      security_group_ids: ['${aws_security_group.endpoints.id}'],
      tags: { Name: `etl-platform-${service}` },
    });
  });

  it('leave the host names of SNS alone', () => {
    expect(resourceAt(json, 'aws_vpc_endpoint.sns')).toMatchObject({
      service_name: 'com.amazonaws.us-gov-west-1.sns',
      private_dns_enabled: false,
    });
  });

  it('share one security group, which opens nothing outwards', () => {
    expect(namesOf(json, 'aws_security_group')).toEqual(['endpoints']);
    const securityGroup = resourceAt(json, 'aws_security_group.endpoints');
    expect(securityGroup).toHaveProperty('vpc_id', '${aws_vpc.main.id}');
    expect(securityGroup).not.toHaveProperty('egress');
    expect(namesOf(json, 'aws_vpc_security_group_egress_rule')).toEqual([]);
  });

  it('let in HTTPS from the VPC and nothing else', () => {
    expect(namesOf(json, 'aws_vpc_security_group_ingress_rule')).toEqual(['endpoints_https']);
    expect(resourceAt(json, 'aws_vpc_security_group_ingress_rule.endpoints_https')).toMatchObject({
      security_group_id: '${aws_security_group.endpoints.id}',
      cidr_ipv4: '10.20.0.0/16',
      ip_protocol: 'tcp',
      from_port: 443,
      to_port: 443,
    });
  });
});

describe('The SNS endpoint alone', () => {
  const json = synthesizeFoundationNetwork({ sns_interface_endpoint: true });

  it('comes with the security group too', () => {
    expect(namesOf(json, 'aws_vpc_endpoint')).toEqual(['s3', 'sns']);
    expect(namesOf(json, 'aws_security_group')).toEqual(['endpoints']);
  });
});

describe('Endpoints in China', () => {
  const json = synthesizeFoundationNetwork({
    aws_region: 'cn-north-1',
    interface_endpoints: ['ecr.api', 'logs'],
  });

  it.each([
    ['s3', 'com.amazonaws.cn-north-1.s3'],
    ['ecr_api', 'cn.com.amazonaws.cn-north-1.ecr.api'],
    ['logs', 'com.amazonaws.cn-north-1.logs'],
  ])('call the service of %s %s', (name, serviceName) => {
    expect(resourceAt(json, `aws_vpc_endpoint.${name}`)).toHaveProperty(
      'service_name',
      serviceName,
    );
  });
});

describe('Interface endpoints with FIPS endpoints', () => {
  const endpointsIn = (aws_region: string) =>
    namesOf(
      synthesizeFoundationNetwork({
        aws_region,
        fips_endpoints: true,
        interface_endpoints: ['ecr.api', 'kms', 'sqs', 'sts'],
      }),
      'aws_vpc_endpoint',
    );

  it('have a second one for each service whose FIPS host the first does not cover', () => {
    const plain = ['ecr_api', 'kms', 'sqs', 'sts'];
    expect(endpointsIn('us-east-1').toSorted()).toEqual(
      ['s3', ...plain, 'kms_fips', 'sqs_fips', 'sts_fips'].toSorted(),
    );
    expect(endpointsIn('us-gov-west-1').toSorted()).toEqual(
      ['s3', ...plain, 'kms_fips'].toSorted(),
    );
  });

  it('leave the plain ones as they are', () => {
    const json = synthesizeFoundationNetwork({
      fips_endpoints: true,
      interface_endpoints: ['kms'],
    });
    expect(resourceAt(json, 'aws_vpc_endpoint.kms')).toMatchObject({
      service_name: 'com.amazonaws.us-gov-west-1.kms',
    });
    expect(resourceAt(json, 'aws_vpc_endpoint.kms_fips')).toMatchObject({
      service_name: 'com.amazonaws.us-gov-west-1.kms-fips',
      private_dns_enabled: true,
    });
  });
});
