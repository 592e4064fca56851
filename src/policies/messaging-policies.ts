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

/** A rule of EventBridge that sends events of new objects. */
export interface RuleSender {
  /** Account of the rule, which owns the buckets. */
  readonly account: string;
  readonly ruleArn: string;
  /** Ends the Sid of the rule's statement: its account, or `''` for that of the stack. */
  readonly sid: string;
}

/** The condition that EventBridge acts for a rule. */
export function onBehalfOf({
  account,
  ruleArn,
}: RuleSender): NonNullable<PolicyStatement['Condition']> {
  return {
    StringEquals: { 'aws:SourceAccount': account },
    ArnEquals: { 'aws:SourceArn': ruleArn },
  };
}

/** The policy of a queue: one topic and some rules send to it, and everybody only over TLS. */
export function queuePolicy(
  queueArn: string,
  { topicArn, rules = [] }: { readonly topicArn?: string; readonly rules?: readonly RuleSender[] },
): readonly PolicyStatement[] {
  const topic: PolicyStatement[] =
    topicArn === undefined
      ? []
      : [
          {
            Sid: 'TopicSends',
            Effect: 'Allow',
            Principal: { Service: 'sns.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: queueArn,
            Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
          },
        ];
  return [
    ...topic,
    ...rules.map(
      (rule): PolicyStatement => ({
        Sid: `RuleSends${rule.sid}`,
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: onBehalfOf(rule),
      }),
    ),
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
