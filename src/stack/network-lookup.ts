import { DataAwsSubnets } from '@cdktf/provider-aws/lib/data-aws-subnets/index.js';
import { DataAwsVpcs } from '@cdktf/provider-aws/lib/data-aws-vpcs/index.js';
import { Fn } from 'cdktf';
import { Construct } from 'constructs';

/** What the network is found by. */
export interface NetworkNames {
  readonly aws_region: string;
  readonly foundation_name_prefix: string;
  /** Id of its VPC; empty to find it by its name. */
  readonly vpc_id: string;
}

/** Finds the network that foundation-network made, by the names of its VPC and subnets. */
export class NetworkLookup extends Construct {
  readonly vpcId: string;
  readonly privateSubnetIds: string[];

  constructor(scope: Construct, settings: NetworkNames) {
    super(scope, 'network');
    this.vpcId = settings.vpc_id || this.#vpcByName(settings);
    const subnetName = `${settings.foundation_name_prefix}-private-*`;
    this.privateSubnetIds = new DataAwsSubnets(this, 'private', {
      filter: [
        { name: 'vpc-id', values: [this.vpcId] },
        { name: 'tag:Name', values: [subnetName] },
      ],
      lifecycle: {
        postcondition: [
          {
            condition: '${length(self.ids) >= 2}',
            errorMessage: `Fewer than two private subnets named ${subnetName} in VPC ${settings.vpc_id || vpcName(settings)}: deploy foundation-network first, or check foundation_name_prefix and vpc_id.`,
          },
        ],
      },
    }).ids;
  }

  /** `aws_vpcs` finds none without a fault, unlike `aws_vpc`, so that the message can say what to do. */
  #vpcByName(settings: NetworkNames): string {
    const name = vpcName(settings);
    const vpcs = new DataAwsVpcs(this, 'foundation', {
      filter: [{ name: 'tag:Name', values: [name] }],
      lifecycle: {
        postcondition: [
          {
            condition: '${length(self.ids) == 1}',
            errorMessage: `There must be exactly one VPC named ${name} in ${settings.aws_region}: deploy foundation-network first, or set vpc_id.`,
          },
        ],
      },
    });
    return Fn.one(vpcs.ids);
  }
}

function vpcName(settings: NetworkNames): string {
  return `${settings.foundation_name_prefix}-vpc`;
}
