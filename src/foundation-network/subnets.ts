import { Route } from '@cdktf/provider-aws/lib/route/index.js';
import { RouteTable } from '@cdktf/provider-aws/lib/route-table/index.js';
import { RouteTableAssociation } from '@cdktf/provider-aws/lib/route-table-association/index.js';
import { Subnet } from '@cdktf/provider-aws/lib/subnet/index.js';
import { Construct } from 'constructs';
import type { FoundationNetworkSettings } from '../settings/foundation-network-variables.ts';
import { planSubnets, type ZoneSubnets } from '../settings/subnet-plan.ts';
import type { MainVpc } from './vpc.ts';

/** Every IPv4 address. */
export const ANYWHERE = '0.0.0.0/0';

/** What one availability zone holds. */
export interface NetworkZone {
  /** Name of the zone, such as us-gov-west-1a. */
  readonly name: string;
  /** Last letter of the name; part of the addresses of what the zone holds. */
  readonly letter: string;
  readonly publicSubnet: Subnet;
  readonly privateSubnet: Subnet;
  /** Routes of the private subnet. */
  readonly privateRouteTable: RouteTable;
}

/**
 * A public and a private subnet in each zone. The public ones share a route table; the private ones
 * have one each even behind a single NAT gateway, so that going to one per zone replaces none.
 */
export class Subnets extends Construct {
  readonly zones: readonly NetworkZone[];
  readonly publicRouteTable: RouteTable;
  /** Way of the public subnets to the internet; what is reached from there must be made after it. */
  readonly internetRoute: Route;
  readonly #settings: FoundationNetworkSettings;
  readonly #vpcId: string;
  /** Scopes of their own, so that a route table and its association can carry the subnet's name. */
  readonly #routeTables: Construct;
  readonly #associations: Construct;

  constructor(
    scope: Construct,
    id: string,
    { vpc, internetGateway }: MainVpc,
    settings: FoundationNetworkSettings,
  ) {
    super(scope, id);
    this.#settings = settings;
    this.#vpcId = vpc.id;
    this.#routeTables = new Construct(this, 'route-tables');
    this.#associations = new Construct(this, 'associations');

    this.publicRouteTable = this.#addRouteTable('public', `${settings.name_prefix}-public`);
    this.internetRoute = new Route(this, 'public_internet', {
      routeTableId: this.publicRouteTable.id,
      destinationCidrBlock: ANYWHERE,
      gatewayId: internetGateway.id,
    });
    this.zones = planSubnets(settings).map((plan) => this.#addZone(plan));
  }

  #addZone({ zone, publicCidr, privateCidr }: ZoneSubnets): NetworkZone {
    const { name_prefix } = this.#settings;
    const letter = zone.slice(-1);
    const privateRouteTable = this.#addRouteTable(
      `private_${letter}`,
      `${name_prefix}-private-${zone}`,
    );
    return {
      name: zone,
      letter,
      publicSubnet: this.#addSubnet(`public_${letter}`, this.publicRouteTable, {
        zone,
        cidr: publicCidr,
        tags: { Name: `${name_prefix}-public-${zone}`, 'kubernetes.io/role/elb': '1' },
      }),
      privateSubnet: this.#addSubnet(`private_${letter}`, privateRouteTable, {
        zone,
        cidr: privateCidr,
        tags: { Name: `${name_prefix}-private-${zone}`, 'kubernetes.io/role/internal-elb': '1' },
      }),
      privateRouteTable,
    };
  }

  #addRouteTable(id: string, name: string): RouteTable {
    return new RouteTable(this.#routeTables, id, { vpcId: this.#vpcId, tags: { Name: name } });
  }

  #addSubnet(
    id: string,
    routeTable: RouteTable,
    { zone, cidr, tags }: { zone: string; cidr: string; tags: Record<string, string> },
  ): Subnet {
    const subnet = new Subnet(this, id, {
      vpcId: this.#vpcId,
      availabilityZone: zone,
      cidrBlock: cidr,
      // Load balancers and NAT gateways bring their own addresses, and nothing else belongs there.
      mapPublicIpOnLaunch: false,
      tags,
    });
    new RouteTableAssociation(this.#associations, id, {
      subnetId: subnet.id,
      routeTableId: routeTable.id,
    });
    return subnet;
  }
}
