import { PRINCIPAL_RULES } from '../../../../audit/rules/aws/principal-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const PUBLISH = /"sns:Publish","Resource/;
const SEND = /sqs:SendMessage/;

describePlants(PRINCIPAL_RULES, {
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
      ({ statement }) => statement(/s3:PutObject/, (s) => Object.assign(s, { Effect: 'Deny' })),
    ],
  ],
});
