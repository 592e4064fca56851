import { Eip } from '@cdktf/provider-aws/lib/eip/index.js';
import { NatGateway } from '@cdktf/provider-aws/lib/nat-gateway/index.js';
import { Route } from '@cdktf/provider-aws/lib/route/index.js';
import { Construct } from 'constructs';
import type { FoundationNetworkSettings } from '../settings/foundation-network-variables.ts';
import { ANYWHERE, type NetworkZone, type Subnets } from './subnets.ts';

/** Way of the private subnets to the internet: one NAT gateway in the first zone, or one in each. */
export class Nat extends Construct {
  readonly publicIps: readonly string[];

  constructor(scope: Construct, id: string, subnets: Subnets, settings: FoundationNetworkSettings) {
    super(scope, id);
    const publicIps: string[] = [];
    let gateway: NatGateway | undefined;
    for (const zone of subnets.zones) {
      if (gateway === undefined || settings.nat_gateways === 'per_zone') {
        gateway = this.#addGateway(zone, subnets.internetRoute, settings.name_prefix);
        publicIps.push(gateway.publicIp);
      }
      new Route(this, `private_${zone.letter}_nat`, {
        routeTableId: zone.privateRouteTable.id,
        destinationCidrBlock: ANYWHERE,
        natGatewayId: gateway.id,
      });
    }
    this.publicIps = publicIps;
  }

  #addGateway(zone: NetworkZone, internetRoute: Route, prefix: string): NatGateway {
    const tags = { Name: `${prefix}-nat-${zone.name}` };
    // Made after the internet gateway and its route, and destroyed before them: AWS detaches no
    // gateway while the VPC still has public addresses (Amazon VPC User Guide, "Delete an internet gateway").
    const dependsOn = [internetRoute];
    const address = new Eip(this, `nat_${zone.letter}`, { domain: 'vpc', tags, dependsOn });
    return new NatGateway(this, `public_${zone.letter}`, {
      allocationId: address.id,
      subnetId: zone.publicSubnet.id,
      tags,
      dependsOn,
    });
  }
}
