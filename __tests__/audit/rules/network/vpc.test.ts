import { VPC_RULES } from '../../../../audit/rules/network/vpc.ts';
import { describeRules } from '../../support/describe-rules.ts';

const OPEN = /role\/elb/;
const CLOSED = /internal-elb/;

const LOG = 'aws_flow_log';
const TYPE = 'aws_vpc_endpoint';
const KMS = /\.kms"/;

describeRules(VPC_RULES, {
  plants: {
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
      [
        'addresses of another network',
        ({ set }) => set('aws_subnet', 'cidr_block', '10.99.0.0/24'),
      ],
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
    'subnets-have-role-tags': [
      [
        'a private subnet for public load balancers',
        ({ set }) =>
          set('aws_subnet', 'tags', { Name: 'x', 'kubernetes.io/role/elb': '1' }, CLOSED),
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
    'vpc-has-flow-log': [
      ['no flow log', ({ remove }) => remove(LOG)],
      ['the flow log of another network', ({ set }) => set(LOG, 'vpc_id', 'vpc-0a1b2c3d')],
    ],
    'flow-log-is-complete': [
      ['only what was refused', ({ set }) => set(LOG, 'traffic_type', 'REJECT')],
      ['only what was let through', ({ set }) => set(LOG, 'traffic_type', 'ACCEPT')],
      ['every ten minutes', ({ set }) => set(LOG, 'max_aggregation_interval', 600)],
      ['the default of ten minutes', ({ drop }) => drop(LOG, 'max_aggregation_interval')],
      ['into a bucket', ({ set }) => set(LOG, 'log_destination_type', 's3')],
      [
        'into a log group of somebody else',
        ({ set }) =>
          set(LOG, 'log_destination', 'arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:x'),
      ],
      [
        'with a role of somebody else',
        ({ set }) => set(LOG, 'iam_role_arn', 'arn:aws-us-gov:iam::123456789012:role/x'),
      ],
    ],
    'vpc-has-s3-endpoint': [
      ['no endpoint for S3', ({ remove }) => remove(TYPE, /Gateway/)],
      [
        'a private table less',
        ({ change }) =>
          change(TYPE, 'route_table_ids', (list) => (list as string[]).slice(0, -1), /Gateway/),
      ],
      ['no table', ({ drop }) => drop(TYPE, 'route_table_ids', /Gateway/)],
      [
        'another service',
        ({ set }) => set(TYPE, 'service_name', 'com.amazonaws.us-gov-west-1.dynamodb', /Gateway/),
      ],
    ],
    'endpoints-reach-all': [
      [
        'a zone less',
        ({ change }) => change(TYPE, 'subnet_ids', (list) => (list as string[]).slice(1), KMS),
      ],
      ['no name', ({ set }) => set(TYPE, 'private_dns_enabled', false, KMS)],
      ['the default group', ({ drop }) => drop(TYPE, 'security_group_ids', KMS)],
      [
        'a public subnet',
        ({ change, address }) =>
          change(
            TYPE,
            'subnet_ids',
            (list) => [...(list as string[]), `\${${address('aws_subnet', /role\/elb/)}.id}`],
            KMS,
          ),
      ],
      [
        'a service of another region',
        ({ set }) => set(TYPE, 'service_name', 'com.amazonaws.us-east-1.kms', KMS),
      ],
      ['another type', ({ set }) => set(TYPE, 'vpc_endpoint_type', 'GatewayLoadBalancer', KMS)],
      ['a policy of its own', ({ set }) => set(TYPE, 'policy', '{}', KMS)],
      [
        'a FIPS host without a way',
        ({ remove }) => {
          remove(TYPE, /kms-fips"/);
          // One in each zone.
          for (let zones = 3; zones > 0; zones--) remove('aws_nat_gateway');
        },
      ],
      ['another network', ({ set }) => set(TYPE, 'vpc_id', 'vpc-0a1b2c3d', KMS)],
    ],
    'sns-endpoint-keeps-certificates': [
      ['the name of SNS', ({ set }) => set(TYPE, 'private_dns_enabled', true, /\.sns"/)],
      ['nothing said of the name', ({ drop }) => drop(TYPE, 'private_dns_enabled', /\.sns"/)],
    ],
  },
});
