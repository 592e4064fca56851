import { SUBNET_RULES } from '../../../../audit/rules/aws/subnet-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const OPEN = /role\/elb/;
const CLOSED = /internal-elb/;

describePlants(SUBNET_RULES, {
  'vpc-resolves-names': [
    ['no name of its own', ({ drop }) => drop('aws_vpc', 'tags')],
    ['no resolver', ({ set }) => set('aws_vpc', 'enable_dns_support', false)],
    ['no names', ({ drop }) => drop('aws_vpc', 'enable_dns_hostnames')],
    ['public addresses', ({ set }) => set('aws_vpc', 'cidr_block', '203.0.0.0/16')],
  ],
  'subnets-fit': [
    [
      'public addresses in a private subnet',
      ({ set }) => set('aws_subnet', 'map_public_ip_on_launch', true, CLOSED),
    ],
    [
      'public addresses in a public subnet',
      ({ set }) => set('aws_subnet', 'map_public_ip_on_launch', true, OPEN),
    ],
    ['nothing said of addresses', ({ drop }) => drop('aws_subnet', 'map_public_ip_on_launch')],
    ['addresses of another network', ({ set }) => set('aws_subnet', 'cidr_block', '10.99.0.0/24')],
    [
      'addresses of another subnet',
      ({ set }) => set('aws_subnet', 'cidr_block', '10.20.0.0/24', CLOSED),
    ],
    ['another network', ({ set }) => set('aws_subnet', 'vpc_id', 'vpc-0a1b2c3d')],
  ],
  'subnets-spread-zones': [
    [
      'two private subnets in one zone',
      ({ set }) => set('aws_subnet', 'availability_zone', 'us-gov-west-1b', CLOSED),
    ],
    [
      'public and private subnets in different zones',
      ({ set }) => set('aws_subnet', 'availability_zone', 'us-gov-west-1d', OPEN),
    ],
    [
      'a zone of another region',
      ({ set }) => set('aws_subnet', 'availability_zone', 'us-east-1a', OPEN),
    ],
    ['any zone', ({ drop }) => drop('aws_subnet', 'availability_zone', OPEN)],
    ['a subnet less', ({ remove }) => remove('aws_subnet', OPEN)],
  ],
  'subnets-tell-their-role': [
    [
      'a private subnet for public load balancers',
      ({ set }) => set('aws_subnet', 'tags', { Name: 'x', 'kubernetes.io/role/elb': '1' }, CLOSED),
    ],
    [
      'a public subnet for internal load balancers',
      ({ set }) =>
        set('aws_subnet', 'tags', { Name: 'x', 'kubernetes.io/role/internal-elb': '1' }, OPEN),
    ],
    ['no role', ({ set }) => set('aws_subnet', 'tags', { Name: 'x' }, OPEN)],
    [
      'both roles',
      ({ change }) =>
        change(
          'aws_subnet',
          'tags',
          (tags) => ({ ...Object(tags), 'kubernetes.io/role/elb': '1' }),
          CLOSED,
        ),
    ],
    [
      'a role that is off',
      ({ change }) =>
        change(
          'aws_subnet',
          'tags',
          (tags) => ({ ...Object(tags), 'kubernetes.io/role/elb': '0' }),
          OPEN,
        ),
    ],
    ['no name', ({ set }) => set('aws_subnet', 'tags', { 'kubernetes.io/role/elb': '1' }, OPEN)],
  ],
});
