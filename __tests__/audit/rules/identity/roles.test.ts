import { ROLE_RULES } from '../../../../audit/rules/identity/roles.ts';
import { describeRules, type Plant } from '../../support/describe-rules.ts';
import { member, type Statement } from '../../support/planter.ts';
import type { Json } from '../../support/renamed-stack.ts';

const AWS = 'arn:aws-us-gov:iam::aws:policy';
const OWN = 'arn:aws-us-gov:iam::123456789012:policy';

const FEDERATED = /sts:AssumeRoleWithWebIdentity/;

/** Replaces the value of the condition on `aud` or `sub`. */
const claim = (name: string, value?: unknown) => (statement: Statement) => {
  const equals = Object(statement.Condition).StringEquals as Record<string, unknown>;
  const key = Object.keys(equals).find((candidate) => candidate.endsWith(`:${name}`)) ?? '';
  if (value === undefined) delete equals[key];
  else equals[key] = value;
};

const everyRole =
  (boundary: string | undefined): Plant[1] =>
  ({ stackWith }) => {
    const roles = member(member(stackWith('aws_eks_cluster'), 'resource'), 'aws_iam_role');
    for (const role of Object.values(roles)) {
      if (boundary === undefined) delete (role as Json).permissions_boundary;
      else (role as Json).permissions_boundary = boundary;
    }
  };

describeRules(ROLE_RULES, {
  configured: {
    complete: {
      'roles-have-one-boundary': [
        ['another boundary on every role', everyRole(`${OWN}/other`)],
        ['a boundary that allows everything', everyRole(`${AWS}/AdministratorAccess`)],
        ['no boundary on any role', everyRole(undefined)],
        [
          'no boundary in another stack',
          ({ drop }) => drop('aws_iam_role', 'permissions_boundary', /monitoring/),
        ],
      ],
    },
    'etl-playground': {
      'roles-have-one-boundary': [['a boundary of nobody', everyRole(`${OWN}/etl-boundary`)]],
    },
  },
  harmless: {
    complete: [['the boundary of the settings once more', everyRole(`${OWN}/etl-boundary`)]],
  },
  plants: {
    'roles-have-one-boundary': [
      [
        'a role without the boundary of the others',
        ({ drop }) => drop('aws_iam_role', 'permissions_boundary', /ec2\.amazonaws/),
      ],
      [
        'a role with another boundary',
        ({ set }) =>
          set(
            'aws_iam_role',
            'permissions_boundary',
            `${AWS}/AdministratorAccess`,
            /sns\.amazonaws/,
          ),
      ],
    ],
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
    'service-role-allows-its-work': [
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
          statement(/logs:PutMetricFilter/, (s) =>
            (s.Action as string[]).push('logs:GetLogEvents'),
          ),
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
    'trust-names-its-service': [
      [
        'a cluster role for everybody',
        ({ statement }) =>
          statement(/"eks.amazonaws.com"/, (s) => Object.assign(s, { Principal: { AWS: '*' } })),
      ],
      [
        'a cluster role for two services',
        ({ statement }) =>
          statement(/"eks.amazonaws.com"/, (s) =>
            Object.assign(s, {
              Principal: { Service: ['eks.amazonaws.com', 'ec2.amazonaws.com'] },
            }),
          ),
      ],
      [
        'a cluster role without a condition',
        ({ statement }) =>
          statement(/"eks.amazonaws.com"/, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'a cluster role without the account',
        ({ statement }) =>
          statement(/"eks.amazonaws.com"/, (s) => {
            delete Object(s.Condition).StringEquals;
          }),
      ],
      [
        'a cluster role for every cluster',
        ({ statement }) =>
          statement(/"eks.amazonaws.com"/, (s) =>
            Object.assign(Object(s.Condition), {
              ArnLike: {
                'aws:SourceArn': 'arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/*',
              },
            }),
          ),
      ],
      [
        'a feedback role for another topic',
        ({ statement }) =>
          statement(/"sns.amazonaws.com"\},"Action":"sts/, (s) =>
            Object.assign(Object(s.Condition), {
              ArnLike: { 'aws:SourceArn': 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:another' },
            }),
          ),
      ],
      [
        'a flow log role without a source',
        ({ statement }) =>
          statement(/vpc-flow-logs/, (s) => {
            delete Object(s.Condition).ArnLike;
          }),
      ],
      [
        'nodes of another account',
        ({ statement }) =>
          statement(/"ec2.amazonaws.com"/, (s) =>
            Object.assign(s, { Principal: { AWS: 'arn:aws-us-gov:iam::210987654321:root' } }),
          ),
      ],
      [
        'a second statement of trust',
        ({ statements }) =>
          statements(/"ec2.amazonaws.com"/, (list) =>
            list.push({
              Sid: 'X',
              Effect: 'Allow',
              Principal: { Service: 'lambda.amazonaws.com' },
              Action: 'sts:AssumeRole',
            }),
          ),
      ],
      [
        'a role that the wrong resource uses',
        ({ set, address }) =>
          set(
            'aws_eks_node_group',
            'node_role_arn',
            `\${${address('aws_iam_role', /"eks.amazonaws.com|\\"eks.amazonaws.com/)}.arn}`,
          ),
      ],
    ],
    'trust-names-service-account': [
      [
        'the issuer with its scheme',
        ({ stackWith, address }) =>
          Object.assign(stackWith('aws_eks_cluster'), {
            locals: Object.fromEntries(
              Object.keys(Object(stackWith('aws_eks_cluster').locals)).map((name) => [
                name,
                `\${${address('aws_eks_cluster')}.identity[0].oidc[0].issuer}`,
              ]),
            ),
          }),
      ],

      ['a role without sub', ({ statement }) => statement(FEDERATED, claim('sub'))],
      ['a role without aud', ({ statement }) => statement(FEDERATED, claim('aud'))],
      [
        'a role without a condition',
        ({ statement }) =>
          statement(FEDERATED, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'another audience',
        ({ statement }) => statement(FEDERATED, claim('aud', 'kubernetes.default.svc')),
      ],
      [
        'two audiences',
        ({ statement }) =>
          statement(FEDERATED, claim('aud', ['sts.amazonaws.com', 'kubernetes.default.svc'])),
      ],
      [
        'another ServiceAccount',
        ({ statement }) =>
          statement(FEDERATED, claim('sub', 'system:serviceaccount:default:default')),
      ],
      [
        'a second ServiceAccount',
        ({ statement }) =>
          statement(FEDERATED, (s) => {
            const equals = Object(s.Condition).StringEquals;
            const key = Object.keys(equals).find((k) => k.endsWith(':sub')) ?? '';
            equals[key] = [equals[key], 'system:serviceaccount:default:default'];
          }),
      ],
      [
        'every ServiceAccount of the namespace',
        ({ statement }) =>
          statement(FEDERATED, (s) => {
            const equals = Object(s.Condition).StringEquals;
            const key = Object.keys(equals).find((k) => k.endsWith(':sub')) ?? '';
            equals[key] = String(equals[key]).replace(/[^:]+$/, '*');
          }),
      ],
      [
        'an operator with wildcards',
        ({ statement }) =>
          statement(FEDERATED, (s) =>
            Object.assign(s, { Condition: { StringLike: Object(s.Condition).StringEquals } }),
          ),
      ],
      [
        'another issuer',
        ({ statement }) =>
          statement(FEDERATED, (s) =>
            Object.assign(s, {
              Condition: {
                StringEquals: {
                  'accounts.google.com:aud': 'sts.amazonaws.com',
                  'accounts.google.com:sub': Object.values(Object(s.Condition).StringEquals)[1],
                },
              },
            }),
          ),
      ],
      [
        'another provider',
        ({ statement }) =>
          statement(FEDERATED, (s) =>
            Object.assign(s, { Principal: { Federated: 'accounts.google.com' } }),
          ),
      ],
      [
        'a second principal',
        ({ statement }) =>
          statement(FEDERATED, (s) =>
            Object.assign(s, {
              Principal: { ...Object(s.Principal), AWS: 'arn:aws-us-gov:iam::210987654321:root' },
            }),
          ),
      ],
      [
        'a second action',
        ({ statement }) =>
          statement(FEDERATED, (s) =>
            Object.assign(s, { Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] }),
          ),
      ],
      [
        'a ServiceAccount in another namespace',
        ({ set }) => set('kubernetes_service_account_v1', 'metadata.namespace', 'another'),
      ],
      [
        'a ServiceAccount of another name',
        ({ set }) => set('kubernetes_service_account_v1', 'metadata.name', 'another'),
      ],
      [
        'a ServiceAccount without its annotation',
        ({ drop }) => drop('kubernetes_service_account_v1', 'metadata.annotations'),
      ],
    ],
    'oidc-provider-of-cluster': [
      [
        'a thumbprint that is not one',
        ({ set }) => set('aws_iam_openid_connect_provider', 'thumbprint_list', ['x']),
      ],
      [
        'another issuer',
        ({ set }) =>
          set(
            'aws_iam_openid_connect_provider',
            'url',
            'https://token.actions.githubusercontent.com',
          ),
      ],
      [
        'a second audience',
        ({ set }) =>
          set('aws_iam_openid_connect_provider', 'client_id_list', [
            'sts.amazonaws.com',
            'another',
          ]),
      ],
      [
        'another audience',
        ({ set }) => set('aws_iam_openid_connect_provider', 'client_id_list', ['another']),
      ],
    ],
  },
});
