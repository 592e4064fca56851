import { REFERENCE_RULES } from '../../../../audit/rules/terraform/references.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { CONFIG_MAP, DEPLOYMENT, NAMESPACE } from '../../support/kubernetes-paths.ts';
import { addTwin } from '../../support/kubernetes-plants.ts';
import { member } from '../../support/planter.ts';

const RELATIONS = [
  ['an IAM policy that is attached nowhere', 'aws_iam_role_policy_attachment', /aws_iam_policy/],
  ['a template that no node group starts', 'aws_eks_node_group', /./],
  ['a route table that no subnet has', 'aws_route_table_association', /./],
  ['a NAT gateway that no route leads to', 'aws_route', /nat_gateway/],
  ['an internet gateway that no route leads to', 'aws_route', /gateway_id":"\$\{aws_internet/],
  ['an address that no NAT gateway has', 'aws_nat_gateway', /./],
  ['a repository without a lifecycle policy', 'aws_ecr_lifecycle_policy', /./],
  ['an access entry without a policy', 'aws_eks_access_policy_association', /./],
  ['a role that no flow log takes', 'aws_flow_log', /./],
] as const;

/** What is due, and another attribute of the same resource. */
const ATTRIBUTES = [
  ['the name of a role for its ARN', 'aws_eks_cluster', 'role_arn', '.arn}', '.name}'],
  ['the ARN of a role for its name', 'aws_iam_role_policy_attachment', 'role', '.name}', '.arn}'],
  ['the ARN of a cluster for its name', 'aws_eks_addon', 'cluster_name', '.name}', '.arn}'],
  ['the id of a key for its ARN', 'aws_cloudwatch_log_group', 'kms_key_id', '.arn}', '.key_id}'],
  ['an address for its id', 'aws_nat_gateway', 'allocation_id', '.id}', '.public_ip}'],
  ['the ARN of a subnet for its id', 'aws_nat_gateway', 'subnet_id', '.id}', '.arn}'],
  ['the URL of a queue', 'aws_sns_topic_subscription', 'redrive_policy', '.arn}', '.url}'],
  ['a topic in a notification', 'aws_s3_bucket_notification', 'topic', '.arn}', '.name}'],
  ['a role of pods', 'kubernetes_service_account_v1', 'metadata', '.arn}', '.name}'],
  ['a slip', 'aws_eks_access_entry', 'cluster_name', '.name}', '.nmae}'],
] as const;

const TYPES = [
  ...['aws_s3_bucket_notification', 'aws_sns_topic', 'aws_sqs_queue', 'aws_cloudwatch_log_group'],
  ...['aws_eks_addon', 'aws_eks_access_entry', 'aws_iam_role', 'aws_iam_policy', 'aws_kms_alias'],
  ...['aws_ecr_repository', 'aws_ecr_lifecycle_policy', 'aws_default_security_group', 'aws_route'],
  ...['aws_iam_role_policy_attachment', 'aws_cloudwatch_metric_alarm', 'aws_vpc_endpoint'],
  ...['aws_launch_template', 'aws_nat_gateway', 'aws_eks_node_group', 'aws_sns_topic_subscription'],
];

describeRules(REFERENCE_RULES, {
  plants: {
    'reference-exists': [
      ['a topic that was removed', ({ remove }) => remove('aws_sns_topic')],
      [
        'an order after nothing',
        ({ set }) => set('aws_nat_gateway', 'depends_on', ['aws_route.gone']),
      ],
      [
        'a variable that was removed',
        ({ stackWith }) => Object.assign(stackWith('aws_sns_topic'), { variable: {} }),
      ],
      [
        'a local that was removed',
        ({ stackWith }) => Object.assign(stackWith('aws_sns_topic'), { locals: {} }),
      ],
      [
        'a lookup that was removed',
        ({ stackWith }) => Object.assign(stackWith('aws_sns_topic'), { data: {} }),
      ],
      ['a slip in a name', ({ set }) => set('aws_subnet', 'vpc_id', '${aws_vpc.mein.id}')],
    ],
    'reference-has-its-attribute': ATTRIBUTES.map(
      ([name, type, path, from, to]): Plant => [
        name,
        ({ change }) =>
          change(
            type,
            path,
            (value) => JSON.parse(JSON.stringify(value).replace(from, to)),
            new RegExp(`\\${from}`),
          ),
      ],
    ),
    'resource-in-use': [
      ...RELATIONS.map(
        ([name, type, where]) =>
          [
            name,
            ({ remove }: { remove: (type: string, where: RegExp) => void }) => remove(type, where),
          ] as const,
      ),
      [
        'a key that encrypts nothing',
        ({ drop }) => drop('aws_ecr_repository', 'encryption_configuration'),
      ],
      [
        'a role that nobody assumes',
        ({ set }) => set('kubernetes_service_account_v1', 'metadata.annotations', {}),
      ],
      [
        'a group that no endpoint has',
        ({ stackWith }) => {
          for (const endpoint of Object.values(
            Object(Object(stackWith('aws_vpc').resource).aws_vpc_endpoint),
          ))
            delete Object(endpoint).security_group_ids;
        },
      ],
      [
        'a provider of tokens that no role trusts',
        ({ statement }) =>
          statement(/WithWebIdentity/, (s) =>
            Object.assign(s, {
              Principal: { Federated: 'arn:aws-us-gov:iam::123456789012:oidc-provider/x' },
            }),
          ),
      ],
      [
        'a topic that nothing publishes to or is subscribed to',
        ({ remove, stackWith }) => {
          remove('aws_s3_bucket_notification');
          remove('aws_sns_topic_subscription');
          for (const map of Object.values(
            Object(Object(stackWith('aws_sns_topic').resource).kubernetes_config_map_v1),
          ))
            delete Object(map).data.SNS_TOPIC_ARNS;
        },
      ],
    ],
    'one-owner': [
      ...TYPES.map((type): Plant => [`a second ${type}`, ({ copy }) => copy(type)]),
      [
        'one bucket notification in two stacks',
        ({ stackWith }) => {
          const notification = member(
            member(stackWith('aws_sns_topic'), 'resource'),
            'aws_s3_bucket_notification',
          );
          Object.assign(member(stackWith('aws_vpc'), 'resource'), {
            aws_s3_bucket_notification: notification,
          });
        },
      ],
    ],
    'one-owner-inline': [
      [
        'a topic policy as argument and resource',
        ({ set }) => set('aws_sns_topic', 'policy', '{"Version":"2012-10-17","Statement":[]}'),
      ],
      [
        'a queue policy as argument and resource',
        ({ add, address }) =>
          add(
            'aws_sqs_queue_policy',
            { queue_url: `\${${address('aws_sqs_queue')}.url}`, policy: '{}' },
            'aws_sqs_queue',
          ),
      ],
      [
        'a key policy as argument and resource',
        ({ add, address }) =>
          add(
            'aws_kms_key_policy',
            { key_id: `\${${address('aws_kms_key')}.id}`, policy: '{}' },
            'aws_vpc',
          ),
      ],
      [
        'routes inside a table',
        ({ set }) => set('aws_route_table', 'route', [{ cidr_block: '0.0.0.0/0' }]),
      ],
      [
        'rules inside a group',
        ({ set }) => set('aws_security_group', 'ingress', [{ cidr_blocks: ['0.0.0.0/0'] }]),
      ],
    ],
  },
  objects: {
    'one-owner': [
      ['two owners of a Deployment', addTwin(DEPLOYMENT)],
      ['two owners of a ConfigMap', addTwin(CONFIG_MAP)],
      ['two owners of a namespace', addTwin(NAMESPACE)],
    ],
  },
});
