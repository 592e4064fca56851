import { REFERENCE_RULES } from '../../../../../src/audit/rules/aws/reference-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

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

describePlants(REFERENCE_RULES, {
  'reference-exists': [
    ['a topic that was taken away', ({ remove }) => remove('aws_sns_topic')],
    [
      'an order after nothing',
      ({ set }) => set('aws_nat_gateway', 'depends_on', ['aws_route.gone']),
    ],
    [
      'a variable that was taken away',
      ({ stackWith }) => Object.assign(stackWith('aws_sns_topic'), { variable: {} }),
    ],
    [
      'a local that was taken away',
      ({ stackWith }) => Object.assign(stackWith('aws_sns_topic'), { locals: {} }),
    ],
    [
      'a lookup that was taken away',
      ({ stackWith }) => Object.assign(stackWith('aws_sns_topic'), { data: {} }),
    ],
    ['a slip in a name', ({ set }) => set('aws_subnet', 'vpc_id', '${aws_vpc.mein.id}')],
  ],
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
});
