import type { PolicyStatement } from './policy-document.ts';

/** What the listener reads and writes in the bucket. */
export interface BucketAccess {
  readonly bucketArn: string;
  /** Key prefixes that it reads. */
  readonly readPrefixes: readonly string[];
  /** Key prefix that it writes; `''` for none. */
  readonly writePrefix: string;
  /** Key that encrypts the objects; `''` for none of KMS. */
  readonly keyArn: string;
  /** Host by which S3 calls KMS. */
  readonly s3Host: string;
}

/** Allows the listener to list and read below its prefixes, and write reports. */
export function bucketAccess(access: BucketAccess): readonly PolicyStatement[] {
  const { bucketArn, readPrefixes, writePrefix, keyArn, s3Host } = access;
  const statements: PolicyStatement[] = [
    {
      Sid: 'ListPrefixes',
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: bucketArn,
      Condition: { StringLike: { 's3:prefix': readPrefixes.map((prefix) => `${prefix}*`) } },
    },
    {
      Sid: 'ReadObjects',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      Resource: readPrefixes.map((prefix) => `${bucketArn}/${prefix}*`),
    },
  ];
  if (writePrefix !== '') {
    statements.push({
      Sid: 'WriteReports',
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: `${bucketArn}/${writePrefix}*`,
    });
  }
  if (keyArn !== '') {
    statements.push({
      Sid: 'UseBucketKey',
      Effect: 'Allow',
      Action: writePrefix === '' ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: keyArn,
      Condition: { StringEquals: { 'kms:ViaService': s3Host } },
    });
  }
  return statements;
}

/** Allows the listener to confirm subscriptions to its topic. */
export function confirmSubscriptions(topicArn: string): readonly PolicyStatement[] {
  return [
    {
      Sid: 'ConfirmSubscriptions',
      Effect: 'Allow',
      Action: 'sns:ConfirmSubscription',
      Resource: topicArn,
    },
  ];
}

/**
 * Allows the listener to fetch messages from its queue, which is encrypted with the key.
 *
 * @param queue.sqsHost - host by which SQS calls KMS
 */
export function fetchMessages(queue: {
  readonly queueArn: string;
  readonly keyArn: string;
  readonly sqsHost: string;
}): readonly PolicyStatement[] {
  const { queueArn, keyArn, sqsHost } = queue;
  return [
    {
      Sid: 'FetchMessages',
      Effect: 'Allow',
      Action: [
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:GetQueueAttributes',
      ],
      Resource: queueArn,
    },
    {
      Sid: 'DecryptMessages',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: keyArn,
      Condition: { StringEquals: { 'kms:ViaService': sqsHost } },
    },
  ];
}

/** Allows the listener to sign in to one database as one user (Amazon RDS User Guide, "IAM database access"). */
export function connectToDatabase(userArn: string): readonly PolicyStatement[] {
  return [
    { Sid: 'ConnectToDatabase', Effect: 'Allow', Action: 'rds-db:connect', Resource: userArn },
  ];
}
