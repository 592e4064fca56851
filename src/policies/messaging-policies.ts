import { oneOrMany, type PolicyStatement } from './policy-document.ts';

/** An account, and those of its buckets that publish: a bucket's name alone can pass to somebody else. */
export interface BucketOwner {
  readonly account: string;
  /** At least one. */
  readonly bucketArns: readonly string[];
  /** Ends the Sid of the owner's statement: its account, or `''` for that of the stack. */
  readonly sid: string;
}

/** The policy of the topic: buckets of the owners publish, and only over TLS. */
export function topicPolicy(
  topicArn: string,
  owners: readonly BucketOwner[],
): readonly PolicyStatement[] {
  return [
    ...owners.map(
      ({ account, bucketArns, sid }): PolicyStatement => ({
        Sid: `BucketPublishes${sid}`,
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: topicArn,
        Condition: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnEquals: { 'aws:SourceArn': oneOrMany(bucketArns) },
        },
      }),
    ),
    {
      Sid: 'RefusePlainHttp',
      Effect: 'Deny',
      Principal: '*',
      Action: ['sns:Publish', 'sns:Subscribe'],
      Resource: topicArn,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ];
}

/** What the role of SNS may do to log how deliveries ended (Amazon SNS Developer Guide, "Message delivery status"). */
export function logDeliveries(logGroupArns: readonly string[]): readonly PolicyStatement[] {
  return [
    {
      Sid: 'LogDeliveries',
      Effect: 'Allow',
      Action: [
        'logs:CreateLogGroup',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        'logs:PutMetricFilter',
        'logs:PutRetentionPolicy',
      ],
      Resource: logGroupArns.flatMap((arn) => [arn, `${arn}:*`]),
    },
  ];
}

/** The policy of a queue: one topic sends to it, and everybody only over TLS. */
export function queuePolicy(queueArn: string, topicArn: string): readonly PolicyStatement[] {
  return [
    {
      Sid: 'TopicSends',
      Effect: 'Allow',
      Principal: { Service: 'sns.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queueArn,
      Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
    },
    {
      Sid: 'RefusePlainHttp',
      Effect: 'Deny',
      Principal: '*',
      Action: 'sqs:*',
      Resource: queueArn,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ];
}
