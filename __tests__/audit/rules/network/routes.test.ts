import { ROUTE_RULES } from '../../../../audit/rules/network/routes.ts';
import { describeRules } from '../../support/describe-rules.ts';

const BY_NAT = /"nat_gateway_id"/;

describeRules(ROUTE_RULES, {
  plants: {
    'subnets-are-routed': [
      ['a subnet without a table', ({ remove }) => remove('aws_route_table_association')],
      ['a subnet with two tables', ({ copy }) => copy('aws_route_table_association')],
      ['a table without a way out', ({ remove }) => remove('aws_route', BY_NAT)],
      ['a public table without a way out', ({ remove }) => remove('aws_route', /"gateway_id"/)],
      [
        'a way out for some addresses',
        ({ set }) => set('aws_route', 'destination_cidr_block', '10.0.0.0/8', BY_NAT),
      ],
    ],
    'routes-lead-out': [
      [
        'a NAT gateway of somebody else',
        ({ set }) => set('aws_route', 'nat_gateway_id', 'nat-0a1b2c3d', BY_NAT),
      ],
      [
        'a peer',
        ({ set }) => set('aws_route', 'vpc_peering_connection_id', 'pcx-0a1b2c3d', BY_NAT),
      ],
      [
        'a transit gateway',
        ({ set }) => set('aws_route', 'transit_gateway_id', 'tgw-0a1b2c3d', BY_NAT),
      ],
      [
        'an instance',
        ({ change, drop }) => {
          drop('aws_route', 'nat_gateway_id', BY_NAT);
          change('aws_route', 'network_interface_id', () => 'eni-0a1b2c3d', /^(?!.*gateway_id)/);
        },
      ],
      ['no destination', ({ drop }) => drop('aws_route', 'destination_cidr_block')],
      ['a table of somebody else', ({ set }) => set('aws_route', 'route_table_id', 'rtb-0a1b2c3d')],
    ],
    'nat-gateways-work': [
      [
        'a NAT gateway in a private subnet',
        ({ set, address }) =>
          set('aws_nat_gateway', 'subnet_id', `\${${address('aws_subnet', /internal-elb/)}.id}`),
      ],
      ['a NAT gateway without an address', ({ drop }) => drop('aws_nat_gateway', 'allocation_id')],
      [
        'a private NAT gateway',
        ({ set }) => set('aws_nat_gateway', 'connectivity_type', 'private'),
      ],
      [
        'two NAT gateways in one zone',
        ({ set, address }) =>
          set('aws_nat_gateway', 'subnet_id', `\${${address('aws_subnet', /-1b".*role\/elb/)}.id}`),
      ],
      [
        'a zone that goes out by another',
        ({ set, address }) =>
          set('aws_route', 'nat_gateway_id', `\${${address('aws_nat_gateway', /-1b/)}.id}`, BY_NAT),
      ],
    ],
    'gateways-are-attached': [
      ['a gateway at no network', ({ drop }) => drop('aws_internet_gateway', 'vpc_id')],
      ['a table of another network', ({ set }) => set('aws_route_table', 'vpc_id', 'vpc-0a1b2c3d')],
      ['an address outside networks', ({ drop }) => drop('aws_eip', 'domain')],
      [
        'an association of another subnet',
        ({ set }) => set('aws_route_table_association', 'subnet_id', 'subnet-0a1b2c3d'),
      ],
      [
        'an association with another table',
        ({ set }) => set('aws_route_table_association', 'route_table_id', 'rtb-0a1b2c3d'),
      ],
    ],
  },
});
