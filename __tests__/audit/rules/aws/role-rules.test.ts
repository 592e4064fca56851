import { ROLE_RULES } from '../../../../audit/rules/aws/role-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const AWS = 'arn:aws-us-gov:iam::aws:policy';

describePlants(ROLE_RULES, {
  'aws-policies-of-role': [
    [
      'nodes that administer the account',
      ({ set }) =>
        set(
          'aws_iam_role_policy_attachment',
          'policy_arn',
          `${AWS}/AdministratorAccess`,
          /AmazonS3FullAccess/,
        ),
    ],
    [
      'a cluster role with a policy of nodes',
      ({ copy }) =>
        copy(
          'aws_iam_role_policy_attachment',
          { policy_arn: `${AWS}/AmazonEKSWorkerNodePolicy` },
          /AmazonEKSClusterPolicy/,
        ),
    ],
    [
      'a pod role with a policy of AWS',
      ({ set }) =>
        set(
          'aws_iam_role_policy_attachment',
          'policy_arn',
          `${AWS}/AmazonS3ReadOnlyAccess`,
          /policy_arn":"\$\{aws_iam_policy/,
        ),
    ],
    [
      'a cluster without its policy',
      ({ remove }) => remove('aws_iam_role_policy_attachment', /AmazonEKSClusterPolicy/),
    ],
    [
      'nodes without the policy of workers',
      ({ remove }) => remove('aws_iam_role_policy_attachment', /AmazonEKSWorkerNodePolicy/),
    ],
    [
      'nodes without the policy of the network',
      ({ remove }) => remove('aws_iam_role_policy_attachment', /AmazonEKS_CNI_Policy/),
    ],
    [
      'nodes that may push images',
      ({ set }) =>
        set(
          'aws_iam_role_policy_attachment',
          'policy_arn',
          `${AWS}/AmazonEC2ContainerRegistryPowerUser`,
          /AmazonEC2ContainerRegistryReadOnly/,
        ),
    ],
  ],
  'attachments-connect': [
    [
      'a policy of somebody else',
      ({ set }) =>
        set(
          'aws_iam_role_policy_attachment',
          'policy_arn',
          'arn:aws-us-gov:iam::210987654321:policy/x',
        ),
    ],
    [
      'a role of somebody else',
      ({ set }) => set('aws_iam_role_policy_attachment', 'role', 'somebody'),
    ],
    [
      'an inline policy on a role of somebody else',
      ({ set }) => set('aws_iam_role_policy', 'role', 'somebody'),
    ],
  ],
  'service-role-fits': [
    [
      'a topic that may not make its log',
      ({ statement }) =>
        statement(/logs:PutMetricFilter/, (s) =>
          Object.assign(s, { Action: (s.Action as string[]).slice(1) }),
        ),
    ],
    [
      'a flow log that may not write',
      ({ statement }) =>
        statement(/logs:PutLogEvents","?.*vpc|logs:DescribeLogStreams/, (s) =>
          Object.assign(s, { Action: ['logs:CreateLogStream', 'logs:DescribeLogStreams'] }),
        ),
    ],
    [
      'a flow log that writes elsewhere',
      ({ statement }) =>
        statement(/logs:DescribeLogStreams/, (s) =>
          Object.assign(s, {
            Resource: (s.Resource as string[]).map((arn) => arn.replace('flow-logs', 'another')),
          }),
        ),
    ],
    [
      'a flow log without its right',
      ({ remove }) => remove('aws_iam_role_policy', /DescribeLogGroups/),
    ],
    [
      'a topic that may not log failures',
      ({ statement }) =>
        statement(/logs:PutMetricFilter/, (s) =>
          Object.assign(s, { Resource: (s.Resource as string[]).slice(0, 2) }),
        ),
    ],
    [
      'a topic with further rights',
      ({ statement }) =>
        statement(/logs:PutMetricFilter/, (s) => (s.Action as string[]).push('logs:GetLogEvents')),
    ],
    [
      'a topic that logs elsewhere too',
      ({ statement }) =>
        statement(/logs:PutMetricFilter/, (s) =>
          (s.Resource as string[]).push(
            'arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:another:*',
          ),
        ),
    ],
    [
      'a cluster that may not decrypt',
      ({ statement }) =>
        statement(/kms:ListGrants/, (s) =>
          Object.assign(s, { Action: ['kms:Encrypt', 'kms:DescribeKey', 'kms:ListGrants'] }),
        ),
    ],
    [
      'a cluster with the right on another key',
      ({ statement, address }) =>
        statement(/kms:ListGrants/, (s) =>
          Object.assign(s, { Resource: `\${${address('aws_kms_key', /logs.us-gov/)}.arn}` }),
        ),
    ],
    [
      'a cluster without the right on its key',
      ({ remove }) => remove('aws_iam_role_policy_attachment', /aws_iam_policy/),
    ],
  ],
  'key-use-is-bounded': [
    [
      'the key of the bucket for anything',
      ({ statement }) =>
        statement(/kms:ViaService/, (s) => {
          delete s.Condition;
        }),
    ],
  ],
});
