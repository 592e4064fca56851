import { VPC_RULES } from '../../../../audit/rules/aws/vpc-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const LOG = 'aws_flow_log';
const TYPE = 'aws_vpc_endpoint';
const KMS = /\.kms"/;

describePlants(VPC_RULES, {
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
    ['another network', ({ set }) => set(TYPE, 'vpc_id', 'vpc-0a1b2c3d', KMS)],
  ],
  'sns-endpoint-keeps-certificates': [
    ['the name of SNS', ({ set }) => set(TYPE, 'private_dns_enabled', true, /\.sns"/)],
    ['nothing said of the name', ({ drop }) => drop(TYPE, 'private_dns_enabled', /\.sns"/)],
  ],
});
