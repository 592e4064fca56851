import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import {
  argumentRule,
  every,
  isPublic,
  mayBe,
  mustBe,
  mustReferTo,
  neighbours,
  read,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

const TARGETS = ['gateway_id', 'nat_gateway_id'];

/** Route tables of a subnet. */
export function tablesOf(model: Model, subnet: Resource): readonly Resource[] {
  const stack = model.stackOf(subnet);
  return neighbours(model, subnet, 'aws_route_table_association')
    .filter(({ attributes }) => stack.target(attributes.subnet_id) === subnet)
    .map(({ attributes }) => stack.target(attributes.route_table_id))
    .filter((table) => table !== undefined);
}

function routesOf(model: Model, tables: readonly Resource[]): readonly Resource[] {
  return tables.flatMap((table) => {
    const stack = model.stackOf(table);
    return neighbours(model, table, 'aws_route').filter(
      ({ attributes }) => stack.target(attributes.route_table_id) === table,
    );
  });
}

/** Rules on routes and gateways. */
export const ROUTE_RULES: readonly Rule[] = [
  rule({
    id: 'subnets-are-routed',
    title:
      'Every subnet has a route table with one way out: the internet gateway, or a NAT gateway',
    reason:
      'A subnet without an association takes the main table, which has no way out: nodes there never join.',
    control: 'SC-7',
    severity: 'high',
    subjects: every('aws_subnet'),
    faults: (subnet, { model }) => {
      const tables = tablesOf(model, subnet);
      const routes = routesOf(model, tables);
      const ways = routes.filter(
        (route) => read(model, route).text('destination_cidr_block') === '0.0.0.0/0',
      );
      return [
        tables.length !== 1 && `has ${tables.length} route tables`,
        tables.length === 1 &&
          ways.length !== 1 &&
          `its route table has ${ways.length} routes to 0.0.0.0/0`,
        tables.some(
          (table) => read(model, table).target('vpc_id') !== read(model, subnet).target('vpc_id'),
        ) && 'its route table is of another VPC',
      ];
    },
  }),
  argumentRule({
    id: 'routes-lead-out',
    title:
      'Every route leads to a gateway of the stack, and a private one to a NAT gateway in a public subnet',
    reason:
      'A NAT gateway in a private subnet routes to itself; a route to anything else is a way into the network that nobody reviewed.',
    control: 'SC-7',
    severity: 'high',
    must: {
      aws_route: {
        route_table_id: mustReferTo('aws_route_table', 'a table'),
        destination_cidr_block: mustBe('0.0.0.0/0'),
      },
    },
    faults: (route, { model }) => {
      const { target } = read(model, route);
      const gateway = target('gateway_id') ?? target('nat_gateway_id');
      const known = ['aws_internet_gateway', 'aws_nat_gateway'].includes(gateway?.type ?? '');
      const others = Object.keys(route.attributes).filter(
        (name) =>
          /_id$|_arn$|^core_network/.test(name) && ![...TARGETS, 'route_table_id'].includes(name),
      );
      return [
        !known && 'leads to no gateway of the stack',
        target('gateway_id')?.type === 'aws_nat_gateway' && 'gateway_id is a NAT gateway',
        ...others.map((name) => `${name}: this way has not been reviewed`),
      ];
    },
  }),
  argumentRule({
    id: 'nat-gateways-work',
    title:
      'NAT gateways lie in public subnets, each with an address, and serve their own zone where each zone has one',
    reason: 'A zone that goes out by the NAT gateway of another goes down with it.',
    control: 'CP-8',
    severity: 'high',
    must: {
      aws_nat_gateway: {
        allocation_id: mustReferTo('aws_eip', 'an address'),
        connectivity_type: mayBe('public'),
      },
    },

    faults: (nat, { model }) => {
      const { target, stack } = read(model, nat);
      const subnet = target('subnet_id');
      const zoneOf = (one: Resource | undefined) =>
        one === undefined ? '' : read(model, one).text('availability_zone');
      const gateways = neighbours(model, nat, 'aws_nat_gateway');
      const zones = new Set(gateways.map((one) => zoneOf(read(model, one).target('subnet_id'))));
      const served = neighbours(model, nat, 'aws_subnet').filter((candidate) =>
        routesOf(model, tablesOf(model, candidate)).some(
          ({ attributes }) => stack.target(attributes.nat_gateway_id) === nat,
        ),
      );
      return [
        (subnet?.type !== 'aws_subnet' || !isPublic(model, subnet)) &&
          'subnet_id is not a public subnet of the stack',
        gateways.length > 1 && zones.size < gateways.length && 'two NAT gateways are in one zone',
        ...served
          .filter((candidate) => gateways.length > 1 && zoneOf(candidate) !== zoneOf(subnet))
          .map(({ address }) => `${address} of another zone goes out by it`),
      ];
    },
  }),
  argumentRule({
    id: 'gateways-are-attached',
    title: 'Internet gateways, route tables and addresses belong to a VPC of the stack',
    reason: 'An address outside a VPC, or a gateway at none, costs and connects nothing.',
    control: 'SC-7',
    severity: 'medium',
    must: {
      aws_internet_gateway: { vpc_id: mustReferTo('aws_vpc', 'a VPC') },
      aws_route_table: { vpc_id: mustReferTo('aws_vpc', 'a VPC') },
      aws_eip: { domain: mustBe('vpc') },
      aws_route_table_association: {
        subnet_id: mustReferTo('aws_subnet', 'a subnet'),
        route_table_id: mustReferTo('aws_route_table', 'a table'),
      },
    },
  }),
];
