import { DataAwsSubnets } from '@cdktf/provider-aws/lib/data-aws-subnets/index.js';
import { DataAwsVpcs } from '@cdktf/provider-aws/lib/data-aws-vpcs/index.js';
import { Fn } from 'cdktf';
import { Construct } from 'constructs';
import {
  type ExistingNetwork,
  privateSubnetFilters,
  privateSubnetsWanted,
  vpcName,
} from '../settings/existing-network.ts';

/** What the network is found by. */
export interface NetworkNames extends ExistingNetwork {
  readonly aws_region: string;
}

/** Finds the network that foundation-network made, by the names of its VPC and subnets, or one of others. */
export class NetworkLookup extends Construct {
  readonly vpcId: string;
  readonly privateSubnetIds: string[];

  constructor(scope: Construct, settings: NetworkNames) {
    super(scope, 'network');
    this.vpcId = settings.vpc_id || this.#vpcByName(settings);
    const { count, exactly, problem, next } = privateSubnetsWanted(settings);
    this.privateSubnetIds = new DataAwsSubnets(this, 'private', {
      filter: [{ name: 'vpc-id', values: [this.vpcId] }, ...privateSubnetFilters(settings)],
      lifecycle: {
        postcondition: [
          {
            condition: `\${length(self.ids) ${exactly ? '==' : '>='} ${count}}`,
            errorMessage: `${problem}: ${next}.`,
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
