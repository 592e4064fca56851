import type { Resource } from '../../../src/synthesized/model/model.ts';
import {
  argumentRule,
  every,
  isPublic,
  neighbours,
  read,
  routesOf,
  tablesOf,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

const TARGETS = ['gateway_id', 'nat_gateway_id'];

/** Rules on routes and gateways. */
export const ROUTE_RULES: readonly Rule[] = [
  rule({
    id: 'subnets-are-routed',
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
        ...others.map(
          (name) => `${name}: a route may lead to an internet gateway or a NAT gateway only`,
        ),
      ];
    },
  }),
  argumentRule({
    id: 'nat-gateways-work',
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
  argumentRule({ id: 'gateways-are-attached' }),
];
