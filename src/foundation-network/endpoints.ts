import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js';
import type { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js';
import type { VpcEndpointConfig } from '@cdktf/provider-aws/lib/vpc-endpoint/index.js';
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import { Construct } from 'constructs';
import type { FoundationNetworkSettings } from '../settings/foundation-network-variables.ts';
import { LightResource } from '../stack/light-resource.ts';
import {
  fipsEndpointService,
  interfaceEndpointServiceName,
  s3GatewayServiceName,
} from './endpoint-service-names.ts';
import type { Subnets } from './subnets.ts';

const HTTPS_PORT = 443;

/** One interface endpoint that the settings ask for. */
interface InterfaceEndpoint {
  readonly service: string;
  readonly privateDns: boolean;
}

/** Private ways to AWS services: a gateway for S3, and the interface endpoints of the settings. */
export class Endpoints extends Construct {
  constructor(
    scope: Construct,
    id: string,
    vpc: Vpc,
    subnets: Subnets,
    settings: FoundationNetworkSettings,
  ) {
    super(scope, id);
    const { aws_region, name_prefix } = settings;
    // No policy of our own: nodes also pull image layers from buckets that AWS owns and may rename,
    // and which buckets the pods may read is said by their role.
    new LightResource<VpcEndpointConfig>(this, 's3', 'aws_vpc_endpoint', {
      vpcId: vpc.id,
      vpcEndpointType: 'Gateway',
      serviceName: s3GatewayServiceName(aws_region),
      routeTableIds: [
        subnets.publicRouteTable.id,
        ...subnets.zones.map((zone) => zone.privateRouteTable.id),
      ],
      tags: { Name: `${name_prefix}-s3` },
    });

    const endpoints = interfaceEndpoints(settings);
    if (endpoints.length === 0) return;
    const securityGroup = this.#addSecurityGroup(vpc, settings);
    for (const { service, privateDns } of endpoints) {
      new LightResource<VpcEndpointConfig>(
        this,
        service.replaceAll(/[.-]/g, '_'),
        'aws_vpc_endpoint',
        {
          vpcId: vpc.id,
          vpcEndpointType: 'Interface',
          serviceName: interfaceEndpointServiceName(aws_region, service),
          privateDnsEnabled: privateDns,
          subnetIds: subnets.zones.map((zone) => zone.privateSubnet.id),
          securityGroupIds: [securityGroup.id],
          tags: { Name: `${name_prefix}-${service}` },
        },
      );
    }
  }

  #addSecurityGroup(vpc: Vpc, settings: FoundationNetworkSettings): SecurityGroup {
    const { name_prefix, vpc_cidr } = settings;
    const tags = { Name: `${name_prefix}-endpoints` };
    // No egress rule: an endpoint only answers.
    const securityGroup = new SecurityGroup(this, 'endpoints', {
      vpcId: vpc.id,
      name: `${name_prefix}-endpoints`,
      description: 'Interface endpoints, reached from inside the VPC',
      tags,
    });
    new VpcSecurityGroupIngressRule(this, 'endpoints_https', {
      securityGroupId: securityGroup.id,
      description: 'HTTPS from the VPC',
      ipProtocol: 'tcp',
      fromPort: HTTPS_PORT,
      toPort: HTTPS_PORT,
      cidrIpv4: vpc_cidr,
      tags,
    });
    return securityGroup;
  }
}

/**
 * The interface endpoints of the settings. SNS has no private DNS: it would also send the host that
 * serves the signing certificates to the endpoint, which does not serve them.
 */
function interfaceEndpoints(settings: FoundationNetworkSettings): readonly InterfaceEndpoint[] {
  const { aws_region, fips_endpoints, interface_endpoints } = settings;
  const fips = interface_endpoints.flatMap(
    (service) => (fips_endpoints && fipsEndpointService(aws_region, service)) || [],
  );
  return [
    // The plain ones stay: nodes and add-ons call them.
    ...[...interface_endpoints, ...fips].map((service) => ({ service, privateDns: true })),
    ...(settings.sns_interface_endpoint ? [{ service: 'sns', privateDns: false }] : []),
  ];
}
