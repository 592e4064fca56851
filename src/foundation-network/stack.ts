import { TerraformOutput } from 'cdktf';
import type { Construct } from 'constructs';
import type { FoundationNetworkSettings } from '../settings/foundation-network-variables.ts';
import { AddressedStack } from '../stack/addressed-stack.ts';
import { configureAwsProvider, defaultTags } from '../stack/aws-provider.ts';
import { templateLiteral } from '../stack/template-literal.ts';
import { configureTerraform } from '../stack/terraform-settings.ts';
import { Endpoints } from './endpoints.ts';
import { FlowLogs } from './flow-logs.ts';
import { Nat } from './nat.ts';
import { Subnets } from './subnets.ts';
import { MainVpc } from './vpc.ts';

const COMPONENT = 'foundation-network';

/** What the foundation-network stack is made from. */
export interface FoundationNetworkProps {
  /** Name of the environment; part of the state's place and of every resource's tags. */
  readonly environment: string;
  /** Checked settings; the stack does not check them again. */
  readonly settings: FoundationNetworkSettings;
}

/**
 * The network that others build on: a VPC with public and private subnets over 2 to 4 zones. Other
 * stacks find it by its Name tags, `<name_prefix>-vpc` and `<name_prefix>-private-*`.
 */
export class FoundationNetworkStack extends AddressedStack {
  constructor(
    scope: Construct,
    id: string,
    { environment, settings: given }: FoundationNetworkProps,
  ) {
    super(scope, id);
    const settings = templateLiteral(given);
    configureTerraform(this, environment, settings);
    configureAwsProvider(this, {
      ...settings,
      tags: defaultTags(environment, COMPONENT, settings.tags),
    });

    const main = new MainVpc(this, 'vpc', settings);
    const subnets = new Subnets(this, 'subnets', main, settings);
    const nat = new Nat(this, 'nat', subnets, settings);
    new Endpoints(this, 'endpoints', main.vpc, subnets, settings);
    if (settings.flow_logs) new FlowLogs(this, 'flow-logs', main.vpc, settings);

    this.#output('vpc_id', 'Id of the VPC.', main.vpc.id);
    this.#output('vpc_cidr', 'Addresses of the VPC.', main.vpc.cidrBlock);
    this.#output(
      'public_subnet_ids',
      'Ids of the public subnets, in the order of availability_zones.',
      subnets.zones.map((zone) => zone.publicSubnet.id),
    );
    this.#output(
      'private_subnet_ids',
      'Ids of the private subnets, in the order of availability_zones.',
      subnets.zones.map((zone) => zone.privateSubnet.id),
    );
    this.#output(
      'nat_gateway_public_ips',
      'Addresses that the private subnets have on the internet; for the allow-lists of others.',
      nat.publicIps,
    );
    this.#output(
      'availability_zones',
      'Zones of the subnets.',
      subnets.zones.map((zone) => zone.name),
    );
  }

  #output(name: string, description: string, value: string | readonly string[]): void {
    new TerraformOutput(this, name, { description, value });
  }
}
