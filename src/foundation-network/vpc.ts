import type { DefaultSecurityGroupConfig } from '@cdktf/provider-aws/lib/default-security-group/index.js';
import { InternetGateway } from '@cdktf/provider-aws/lib/internet-gateway/index.js';
import { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js';
import { Construct } from 'constructs';
import type { FoundationNetworkSettings } from '../settings/foundation-network-variables.ts';
import { LightResource } from '../stack/light-resource.ts';

/** The VPC, its way to the internet, and its default security group without any rule. */
export class MainVpc extends Construct {
  readonly vpc: Vpc;
  readonly internetGateway: InternetGateway;

  constructor(scope: Construct, id: string, settings: FoundationNetworkSettings) {
    super(scope, id);
    const { name_prefix, vpc_cidr } = settings;
    this.vpc = new Vpc(this, 'main', {
      cidrBlock: vpc_cidr,
      // Private DNS of interface endpoints and the private endpoint of EKS need both.
      enableDnsSupport: true,
      enableDnsHostnames: true,
      // The file-processing stack finds the VPC by this name.
      tags: { Name: `${name_prefix}-vpc` },
    });
    this.internetGateway = new InternetGateway(this, 'internet', {
      vpcId: this.vpc.id,
      tags: { Name: `${name_prefix}-igw` },
    });
    const defaultSecurityGroup = new LightResource<DefaultSecurityGroupConfig>(
      this,
      'locked',
      'aws_default_security_group',
      {
        vpcId: this.vpc.id,
        tags: { Name: `${name_prefix}-default-locked` },
      },
    );
    // Empty lists remove rules that somebody adds later; left out, they would stay unnoticed.
    defaultSecurityGroup.addOverride('ingress', []);
    defaultSecurityGroup.addOverride('egress', []);
  }
}
