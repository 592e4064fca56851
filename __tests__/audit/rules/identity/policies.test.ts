import { POLICY_RULES } from '../../../../audit/rules/identity/policies.ts';
import { describeRules } from '../../support/describe-rules.ts';

const PUBLISH = /"sns:Publish","Resource/;
const SEND = /sqs:SendMessage/;

describeRules(POLICY_RULES, {
  plants: {
    'policy-well-formed': [
      [
        'a policy of the old version',
        ({ change }) =>
          change('aws_iam_policy', 'policy', (text) =>
            String(text).replace('2012-10-17', '2008-10-17'),
          ),
      ],
      [
        'a policy without a version',
        ({ change }) =>
          change('aws_sns_topic_policy', 'policy', (text) =>
            String(text).replace('"Version":"2012-10-17",', ''),
          ),
      ],
      [
        'a policy made by a function',
        ({ set }) => set('aws_sns_topic_policy', 'policy', '${jsonencode({})}'),
      ],
      [
        'two statements with one Sid',
        ({ statements }) =>
          statements(/sqs:SendMessage/, ([first, second]) =>
            Object.assign(second ?? {}, { Sid: first?.Sid }),
          ),
      ],
      [
        'a misspelt element',
        ({ statement }) =>
          statement(/sns:Publish","Resource/, (s) =>
            Object.assign(s, { Conditions: s.Condition, Condition: undefined }),
          ),
      ],
      [
        'a misspelt effect',
        ({ statement }) => statement(/s3:PutObject/, (s) => Object.assign(s, { Effect: 'allow' })),
      ],
      [
        'an IAM statement without a resource',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) => {
            delete s.Resource;
          }),
      ],
      [
        'a queue policy about another queue',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, { Resource: String(s.Resource).replace(/[^:]+$/, 'another') }),
          ),
      ],
      [
        'a topic policy about every topic',
        ({ statement }) =>
          statement(/"sns:Publish"[^[]*"Resource/, (s) => Object.assign(s, { Resource: '*' })),
      ],
      [
        'a key policy about one key, which matches none',
        ({ statement }) =>
          statement(/kms:\*/, (s) =>
            Object.assign(s, { Resource: 'arn:aws-us-gov:kms:us-gov-west-1:1:key/a' }),
          ),
      ],
      [
        'a resource policy without principals',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) => {
            delete s.Principal;
          }),
      ],
      [
        'a policy that allows nothing',
        ({ statements }) => statements(/sqs:SendMessage/, (list) => list.slice(1)),
      ],
    ],
    'actions-are-named': [
      [
        'every action of S3',
        ({ statement }) => statement(/s3:PutObject/, (s) => Object.assign(s, { Action: 's3:*' })),
      ],
      [
        'every action',
        ({ statement }) => statement(/s3:GetObject/, (s) => Object.assign(s, { Action: '*' })),
      ],
      [
        'a wildcard in an action',
        ({ statement }) =>
          statement(/s3:GetObject/, (s) => Object.assign(s, { Action: ['s3:Get*'] })),
      ],
      [
        'NotAction',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) => {
            s.NotAction = s.Action;
            delete s.Action;
          }),
      ],
      [
        'every action of KMS for SNS',
        ({ statement }) =>
          statement(/"sns.amazonaws.com"\},"Action":\["kms/, (s) =>
            Object.assign(s, { Action: 'kms:*' }),
          ),
      ],
      [
        'every action of SQS for the topic',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) => Object.assign(s, { Action: 'sqs:*' })),
      ],
      [
        'every action of STS in a trust policy',
        ({ statement }) =>
          statement(/sts:AssumeRole"/, (s) => Object.assign(s, { Action: 'sts:*' })),
      ],
      [
        'kms:* for another account beside our own',
        ({ statement }) =>
          statement(/kms:\*/, (s) =>
            Object.assign(s, { Principal: { AWS: ['arn:aws-us-gov:iam::210987654321:root'] } }),
          ),
      ],
    ],
    'resources-are-named': [
      [
        'every resource',
        ({ statement }) => statement(/s3:GetObject/, (s) => Object.assign(s, { Resource: '*' })),
      ],
      [
        'every bucket',
        ({ statement }) =>
          statement(/s3:ListBucket/, (s) =>
            Object.assign(s, { Resource: 'arn:aws-us-gov:s3:::*' }),
          ),
      ],
      [
        'the whole bucket',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, { Resource: String(s.Resource).replace(/\/.*/, '/*') }),
          ),
      ],
      [
        'buckets that begin alike',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, { Resource: String(s.Resource).replace('/', '*/') }),
          ),
      ],
      [
        'every key',
        ({ statement }) => statement(/kms:ViaService/, (s) => Object.assign(s, { Resource: '*' })),
      ],
      [
        'every key of the account',
        ({ statement }) =>
          statement(/kms:ListGrants/, (s) =>
            Object.assign(s, { Resource: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/*' }),
          ),
      ],
      [
        'every topic',
        ({ statement }) =>
          statement(/sns:ConfirmSubscription/, (s) => Object.assign(s, { Resource: '*' })),
      ],
      [
        'every log group',
        ({ statement }) =>
          statement(/logs:PutMetricFilter/, (s) => Object.assign(s, { Resource: '*' })),
      ],
      [
        'NotResource',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) => {
            s.NotResource = s.Resource;
            delete s.Resource;
          }),
      ],
    ],
    'conditions-bind': [
      [
        'objects of another account',
        ({ statement }) =>
          statement(/s3:GetObject/, (s) =>
            Object.assign(s, {
              Condition: { StringEquals: { 'aws:ResourceAccount': '210987654321' } },
            }),
          ),
      ],
      [
        'tokens that are taken over plain HTTP alone',
        ({ statement }) =>
          statement(/AssumeRoleWithWebIdentity/, (s) => {
            Object(s.Condition).Bool = { 'aws:SecureTransport': 'false' };
          }),
      ],
      [
        'objects that are read over plain HTTP alone',
        ({ statement }) =>
          statement(/s3:GetObject/, (s) =>
            Object.assign(s, { Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ),
      ],

      [
        'IfExists',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, { Condition: { ArnEqualsIfExists: Object(s.Condition).ArnEquals } }),
          ),
      ],
      [
        'ForAllValues',
        ({ statement }) =>
          statement(/s3:prefix/, (s) =>
            Object.assign(s, {
              Condition: { 'ForAllValues:StringLike': Object(s.Condition).StringLike },
            }),
          ),
      ],
      [
        'Null',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, { Condition: { Null: { 'aws:SourceArn': 'false' } } }),
          ),
      ],
      [
        'a negated operator',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, { Condition: { ArnNotEquals: Object(s.Condition).ArnEquals } }),
          ),
      ],
      [
        'a wildcard as the source',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, { Condition: { ArnLike: { 'aws:SourceArn': '*' } } }),
          ),
      ],
      [
        'every topic as the source',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, {
              Condition: {
                ArnLike: { 'aws:SourceArn': 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:*' },
              },
            }),
          ),
      ],
      [
        'a wildcard as the prefix',
        ({ statement }) =>
          statement(/s3:prefix/, (s) =>
            Object.assign(s, { Condition: { StringLike: { 's3:prefix': '*' } } }),
          ),
      ],
      [
        'a wildcard that StringEquals takes literally',
        ({ statement }) =>
          statement(/s3:prefix/, (s) =>
            Object.assign(s, { Condition: { StringEquals: Object(s.Condition).StringLike } }),
          ),
      ],
      [
        'a wildcard as the subject',
        ({ statement }) =>
          statement(/:sub"/, (s) =>
            Object.assign(s, {
              Condition: { StringLike: { 'x:sub': 'system:serviceaccount:*:*' } },
            }),
          ),
      ],
      [
        'another account as the source',
        ({ statement }) =>
          statement(/"sns:Publish"[^[]*aws:SourceAccount/, (s) =>
            Object.assign(Object(s.Condition), {
              StringEquals: { 'aws:SourceAccount': '210987654321' },
            }),
          ),
      ],
      [
        'two accounts as the source',
        ({ statement }) =>
          statement(/"sns:Publish"[^[]*aws:SourceAccount/, (s) =>
            Object.assign(Object(s.Condition).StringEquals, {
              'aws:SourceAccount': [
                Object(s.Condition).StringEquals['aws:SourceAccount'],
                '210987654321',
              ],
            }),
          ),
      ],
      [
        'a service of another region',
        ({ statement }) =>
          statement(/kms:ViaService/, (s) =>
            Object.assign(s, {
              Condition: { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } },
            }),
          ),
      ],
      [
        'an empty list of values',
        ({ statement }) =>
          statement(/s3:prefix/, (s) =>
            Object.assign(s, { Condition: { StringLike: { 's3:prefix': [] } } }),
          ),
      ],
      [
        'a key that nobody has reviewed',
        ({ statement }) =>
          statement(/sqs:SendMessage/, (s) =>
            Object.assign(s, {
              Condition: { ...Object(s.Condition), StringEquals: { 'aws:UserAgent': 'sns' } },
            }),
          ),
      ],
    ],
    'no-escalation': [
      [
        'iam:PassRole',
        ({ statements }) =>
          statements(/s3:PutObject/, (list) =>
            list.push({ Sid: 'X', Effect: 'Allow', Action: 'iam:PassRole', Resource: '*' }),
          ),
      ],
      [
        'sts:AssumeRole',
        ({ statement }) =>
          statement(/sns:ConfirmSubscription/, (s) =>
            Object.assign(s, { Action: ['sns:ConfirmSubscription', 'sts:AssumeRole'] }),
          ),
      ],
      [
        'kms:PutKeyPolicy',
        ({ statement }) =>
          statement(/kms:ListGrants/, (s) => (s.Action as string[]).push('kms:PutKeyPolicy')),
      ],
      [
        'logs:DeleteLogGroup',
        ({ statement }) =>
          statement(/logs:PutMetricFilter/, (s) =>
            (s.Action as string[]).push('logs:DeleteLogGroup'),
          ),
      ],
    ],
    'principals-are-named': [
      [
        'a topic for everybody',
        ({ statement }) => statement(PUBLISH, (s) => Object.assign(s, { Principal: '*' })),
      ],
      [
        'a topic for every account',
        ({ statement }) => statement(PUBLISH, (s) => Object.assign(s, { Principal: { AWS: '*' } })),
      ],
      [
        'a queue for another account',
        ({ statement }) =>
          statement(SEND, (s) =>
            Object.assign(s, { Principal: { AWS: 'arn:aws-us-gov:iam::210987654321:root' } }),
          ),
      ],
      [
        'a topic for a second service',
        ({ statement }) =>
          statement(PUBLISH, (s) =>
            Object.assign(s, {
              Principal: { Service: ['s3.amazonaws.com', 'lambda.amazonaws.com'] },
            }),
          ),
      ],
      [
        'a topic for everybody but one',
        ({ statement }) =>
          statement(PUBLISH, (s) => {
            s.NotPrincipal = s.Principal;
            delete s.Principal;
          }),
      ],
      [
        'subscribing beside publishing',
        ({ statement }) =>
          statement(PUBLISH, (s) => Object.assign(s, { Action: ['sns:Publish', 'sns:Subscribe'] })),
      ],
      [
        'receiving beside sending',
        ({ statement }) =>
          statement(SEND, (s) =>
            Object.assign(s, { Action: ['sqs:SendMessage', 'sqs:ReceiveMessage'] }),
          ),
      ],
      [
        'a key for another account',
        ({ statements }) =>
          statements(/kms:\*/, (list) =>
            list.push({
              Sid: 'X',
              Effect: 'Allow',
              Principal: { AWS: 'arn:aws-us-gov:iam::210987654321:root' },
              Action: 'kms:Decrypt',
              Resource: '*',
            }),
          ),
      ],
      [
        'a denial of plain HTTP turned into a right',
        ({ statement }) =>
          statement(/aws:SecureTransport/, (s) => Object.assign(s, { Effect: 'Allow' })),
      ],
    ],
    'services-are-bounded': [
      [
        'a topic for every bucket',
        ({ statement }) =>
          statement(PUBLISH, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'a topic for buckets of the account',
        ({ statement }) =>
          statement(PUBLISH, (s) => {
            delete Object(s.Condition).ArnEquals;
          }),
      ],
      [
        'a topic for a bucket of any account',
        ({ statement }) =>
          statement(PUBLISH, (s) => {
            delete Object(s.Condition).StringEquals;
          }),
      ],
      [
        'a topic for another bucket',
        ({ statement }) =>
          statement(PUBLISH, (s) =>
            Object.assign(Object(s.Condition), {
              ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:s3:::another' },
            }),
          ),
      ],
      [
        'a topic for a second bucket',
        ({ statement }) =>
          statement(PUBLISH, (s) =>
            Object.assign(Object(s.Condition).ArnEquals, {
              'aws:SourceArn': [
                Object(s.Condition).ArnEquals['aws:SourceArn'],
                'arn:aws-us-gov:s3:::another',
              ],
            }),
          ),
      ],
      [
        'a queue for every topic',
        ({ statement }) =>
          statement(SEND, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'a queue for another topic',
        ({ statement }) =>
          statement(SEND, (s) =>
            Object.assign(s, {
              Condition: {
                ArnEquals: {
                  'aws:SourceArn': 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:another',
                },
              },
            }),
          ),
      ],
      [
        'a key for every topic',
        ({ statement }) =>
          statement(/"sns.amazonaws.com"\},"Action":\["kms/, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'a key for every log group',
        ({ statement }) =>
          statement(/logs.us-gov-west-1.amazonaws.com/, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'a key for a log group that is not there',
        ({ statement }) =>
          statement(/logs.us-gov-west-1.amazonaws.com/, (s) =>
            Object.assign(s, {
              Condition: {
                ArnEquals: {
                  'kms:EncryptionContext:aws:logs:arn': [
                    'arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:another',
                  ],
                },
              },
            }),
          ),
      ],

      [
        'another bucket in the policy of the topic',
        ({ statement }) =>
          statement(/"sns:Publish","Resource/, (s) =>
            Object.assign(Object(s.Condition), {
              ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:s3:::another' },
            }),
          ),
      ],
      [
        'another bucket in the policy of the key',
        ({ statement }) =>
          statement(/"s3.amazonaws.com"\},"Action":\["kms/, (s) =>
            Object.assign(Object(s.Condition), {
              ArnEquals: { 'aws:SourceArn': 'arn:aws-us-gov:s3:::another' },
            }),
          ),
      ],
    ],
    'refuses-plain-http': [
      [
        'a denial for a name',
        ({ statement }) =>
          statement(/aws:SecureTransport/, (s) => Object.assign(s, { Principal: 'somebody' })),
      ],
      [
        'a topic without the denial',
        ({ statements }) => statements(/"sns:Publish"/, (list) => list.slice(0, 1)),
      ],
      [
        'a queue without the denial',
        ({ statements }) => statements(SEND, (list) => list.slice(0, 1)),
      ],
      [
        'a denial for plain HTTP that holds for TLS',
        ({ statement }) =>
          statement(/aws:SecureTransport/, (s) =>
            Object.assign(s, { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
          ),
      ],
      [
        'a denial where the key is there',
        ({ statement }) =>
          statement(/aws:SecureTransport/, (s) =>
            Object.assign(s, { Condition: { BoolIfExists: { 'aws:SecureTransport': 'false' } } }),
          ),
      ],
      [
        'a denial for one account',
        ({ statement }) =>
          statement(/aws:SecureTransport/, (s) =>
            Object.assign(s, { Principal: { AWS: 'arn:aws-us-gov:iam::210987654321:root' } }),
          ),
      ],
      [
        'a denial of less',
        ({ statement }) =>
          statement(/sns:Subscribe/, (s) => Object.assign(s, { Action: 'sns:Subscribe' })),
      ],
      [
        'a denial with a second condition',
        ({ statement }) =>
          statement(/aws:SecureTransport/, (s) =>
            Object.assign(Object(s.Condition), { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }),
          ),
      ],
      ['a topic policy that was lost', ({ remove }) => remove('aws_sns_topic_policy')],
    ],
    'refusals-are-bounded': [
      [
        'a denial for everybody',
        ({ statement }) =>
          statement(/aws:SecureTransport/, (s) => {
            delete s.Condition;
          }),
      ],
      [
        'a right turned into a denial',
        ({ statement }) => statement(PUBLISH, (s) => Object.assign(s, { Effect: 'Deny' })),
      ],
      [
        'a denial in an IAM policy',
        ({ statement }) =>
          statement(/s3:GetObjectVersion/, (s) => Object.assign(s, { Effect: 'Deny' })),
      ],
    ],
  },
  queue: {
    'no-escalation': [
      [
        's3:DeleteObject',
        ({ statement }) =>
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, { Action: ['s3:PutObject', 's3:DeleteObject'] }),
          ),
      ],
    ],
    'conditions-bind': [
      [
        'a key that decrypts what any bucket has',
        ({ statement }) =>
          statement(/EncryptionContext/, (s) => {
            Object(s.Condition).StringLike['kms:EncryptionContext:aws:s3:arn'] =
              'arn:aws-us-gov:s3:::*';
          }),
      ],
    ],
  },
  buckets: {
    'conditions-bind': [
      [
        'an account in the policy of the topic that no bucket names',
        ({ statement }) =>
          statement(/sns:Publish.*[29]10987654321/, (s) => {
            Object(s.Condition).StringEquals['aws:SourceAccount'] = '333333333333';
          }),
      ],
      [
        'the account of one bucket for another',
        ({ statement }) =>
          statement(/sns:Publish.*SourceArn":\[/, (s) => {
            Object(s.Condition).StringEquals['aws:SourceAccount'] = '210987654321';
          }),
      ],
    ],
    'services-are-bounded': [
      [
        'the account of the stack for the bucket of another',
        ({ statements }) =>
          statements(/sns:Publish.*[29]10987654321/, (list) => {
            const [own, other] = list.map(({ Condition }) => Object(Condition).StringEquals);
            other['aws:SourceAccount'] = own['aws:SourceAccount'];
          }),
      ],
      [
        'a bucket that nobody was told of',
        ({ statement }) =>
          statement(/sns:Publish.*SourceArn":\[/, (s) => {
            Object(s.Condition).ArnEquals['aws:SourceArn'].push('arn:aws-us-gov:s3:::new-box');
          }),
      ],
    ],
  },
});
