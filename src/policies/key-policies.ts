import type { Partition } from '@file-processing/contract/partition.ts';
import { type BucketOwner, onBehalfOf, type RuleSender } from './messaging-policies.ts';
import { oneOrMany, type PolicyStatement } from './policy-document.ts';

/** Where a key lives. */
export interface KeyScope {
  readonly partition: Partition;
  readonly region: string;
  readonly account: string;
}

/**
 * Allows the account to administer the key by IAM policies; without it nobody could (AWS KMS Developer
 * Guide, "Default key policy").
 */
export function accountAdministersKey({ partition, account }: KeyScope): PolicyStatement {
  return {
    Sid: 'AccountAdministersKey',
    Effect: 'Allow',
    Principal: { AWS: `arn:${partition.name}:iam::${account}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
}

/** Allows CloudWatch Logs to encrypt the named log groups (CloudWatch Logs User Guide, "Encrypt log data"). */
export function logsUseKey(scope: KeyScope, logGroupNames: readonly string[]): PolicyStatement {
  const { partition, region, account } = scope;
  return {
    Sid: 'LogsUseKey',
    Effect: 'Allow',
    Principal: { Service: `logs.${region}.${partition.dnsSuffix}` },
    Action: [
      'kms:Encrypt',
      'kms:Decrypt',
      'kms:ReEncrypt*',
      'kms:GenerateDataKey*',
      'kms:DescribeKey',
    ],
    Resource: '*',
    Condition: {
      ArnEquals: {
        'kms:EncryptionContext:aws:logs:arn': logGroupNames.map(
          (name) => `arn:${partition.name}:logs:${region}:${account}:log-group:${name}`,
        ),
      },
    },
  };
}

/** Allows S3 to publish events of an owner's buckets to a topic that is encrypted with the key. */
export function bucketPublishesWithKey({ account, bucketArns, sid }: BucketOwner): PolicyStatement {
  return {
    Sid: `BucketPublishesWithKey${sid}`,
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Resource: '*',
    Condition: {
      StringEquals: { 'aws:SourceAccount': account },
      ArnEquals: { 'aws:SourceArn': oneOrMany(bucketArns) },
    },
  };
}

/** Allows SNS to send one topic's messages to queues that are encrypted with the key. */
export function topicSendsWithKey(topicArn: string): PolicyStatement {
  return {
    Sid: 'TopicSendsWithKey',
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Resource: '*',
    Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
  };
}

/** Allows EventBridge to send a rule's events to queues that are encrypted with the key. */
export function ruleSendsWithKey(rule: RuleSender): PolicyStatement {
  return {
    Sid: `RuleSendsWithKey${rule.sid}`,
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Resource: '*',
    Condition: onBehalfOf(rule),
  };
}

/** Allows a cluster to encrypt its secrets with a key. */
export function encryptSecrets(keyArn: string): readonly PolicyStatement[] {
  return [
    {
      Sid: 'EncryptSecrets',
      Effect: 'Allow',
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ListGrants', 'kms:DescribeKey'],
      Resource: keyArn,
    },
  ];
}
