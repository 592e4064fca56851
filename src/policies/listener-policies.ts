import { oneOrMany, type PolicyStatement } from './policy-document.ts';

/** What the listener reads and writes in its buckets. */
export interface BucketAccess {
  /** None where something is copied to alone. */
  readonly buckets: readonly {
    readonly arn: string;
    /** Key prefixes that it reads. */
    readonly readPrefixes: readonly string[];
    /** Key that encrypts the objects; `''` for none of KMS. */
    readonly keyArn: string;
  }[];
  /** Whether it may tag what it reads. @default false */
  readonly tags?: boolean;
  /** Where it may copy to what it reads. @default nowhere */
  readonly targets?: readonly {
    readonly arn: string;
    readonly prefix: string;
    /** Key that encrypts the copies; `''` for none of KMS. */
    readonly keyArn: string;
  }[];
  /** Key prefix that it writes in each bucket; `''` for none. */
  readonly writePrefix: string;
  /** Whether it may delete what it wrote there, in all versions. */
  readonly deletesReports: boolean;
  /** Host by which S3 calls KMS. */
  readonly s3Host: string;
}

/** Allows the listener to list and read below its prefixes, and write reports. */
export function bucketAccess(access: BucketAccess): readonly PolicyStatement[] {
  const { buckets, writePrefix, deletesReports, s3Host } = access;
  const keyArns = [...new Set(buckets.map(({ keyArn }) => keyArn).filter(Boolean))];
  // Buckets with the same prefixes share a statement, since a policy has room for 6,144 characters.
  const alike = Map.groupBy(buckets, ({ readPrefixes }) => JSON.stringify(readPrefixes));
  const statements: PolicyStatement[] = [
    ...[...alike.values()].map((group, index): PolicyStatement => {
      const prefixes = group[0]?.readPrefixes ?? [];
      return {
        Sid: `ListPrefixes${index === 0 ? '' : index + 1}`,
        Effect: 'Allow',
        Action: ['s3:ListBucket', 's3:ListBucketVersions'],
        Resource: oneOrMany(group.map(({ arn }) => arn)),
        Condition: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } },
      };
    }),
    ...(buckets.length === 0
      ? []
      : [
          {
            Sid: 'ReadObjects',
            Effect: 'Allow' as const,
            Action: ['s3:GetObject', 's3:GetObjectVersion'],
            Resource: readable(buckets),
          },
        ]),
  ];
  if (writePrefix !== '' && buckets.length > 0) {
    statements.push({
      Sid: 'WriteReports',
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: oneOrMany(buckets.map(({ arn }) => `${arn}/${writePrefix}*`)),
    });
  }
  if (deletesReports && writePrefix !== '' && buckets.length > 0) {
    statements.push(
      {
        Sid: 'ListReports',
        Effect: 'Allow',
        Action: 's3:ListBucketVersions',
        Resource: oneOrMany(buckets.map(({ arn }) => arn)),
        Condition: { StringLike: { 's3:prefix': [`${writePrefix}*`] } },
      },
      {
        Sid: 'ForgetReports',
        Effect: 'Allow',
        Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        Resource: oneOrMany(buckets.map(({ arn }) => `${arn}/${writePrefix}*`)),
      },
    );
  }
  if (keyArns.length > 0) {
    statements.push({
      Sid: 'UseBucketKey',
      Effect: 'Allow',
      Action: writePrefix === '' ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: oneOrMany(keyArns),
      Condition: { StringEquals: { 'kms:ViaService': s3Host } },
    });
  }
  return [...statements, ...routing(access)];
}

function readable(buckets: BucketAccess['buckets']): readonly string[] {
  return buckets.flatMap(({ arn, readPrefixes }) =>
    readPrefixes.map((prefix) => `${arn}/${prefix}*`),
  );
}

/** Allows what rules may have done with files by their verdicts; a copy that is not right any more is tagged. */
function routing(access: BucketAccess): readonly PolicyStatement[] {
  const { buckets, tags = false, targets = [], deletesReports } = access;
  const statements: PolicyStatement[] = [];
  if (tags && buckets.length > 0) {
    statements.push({
      Sid: 'TagDeliveries',
      Effect: 'Allow',
      // Without a version where the bucket keeps none.
      Action: [
        's3:GetObjectTagging',
        's3:GetObjectVersionTagging',
        's3:PutObjectTagging',
        's3:PutObjectVersionTagging',
      ],
      Resource: readable(buckets),
    });
  }
  if (targets.length === 0) return statements;
  const places = oneOrMany(targets.map(({ arn, prefix }) => `${arn}/${prefix}*`));
  statements.push({
    Sid: 'CopyFiles',
    Effect: 'Allow',
    Action: [
      's3:PutObject',
      's3:GetObjectTagging',
      's3:PutObjectTagging',
      's3:AbortMultipartUpload',
    ],
    Resource: places,
  });
  if (deletesReports) {
    const alike = Map.groupBy(targets, ({ prefix }) => prefix);
    statements.push(
      ...[...alike].map(
        ([prefix, group], index): PolicyStatement => ({
          Sid: `ListCopies${index === 0 ? '' : index + 1}`,
          Effect: 'Allow',
          Action: 's3:ListBucketVersions',
          Resource: oneOrMany(group.map(({ arn }) => arn)),
          Condition: { StringLike: { 's3:prefix': [`${prefix}*`] } },
        }),
      ),
      {
        Sid: 'ForgetCopies',
        Effect: 'Allow',
        Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        Resource: places,
      },
    );
  }
  return [...statements, ...keysOfCopies(access)];
}

/**
 * Allows keys for copies alone, of which S3 names the object or the bucket to KMS. A copy in parts is decrypted as well
 * (Amazon S3 User Guide, "Uploading and copying objects using multipart upload in Amazon S3").
 */
function keysOfCopies({ targets = [], s3Host }: BucketAccess): readonly PolicyStatement[] {
  const byKey = Map.groupBy(
    targets.filter(({ keyArn }) => keyArn !== ''),
    ({ keyArn }) => keyArn,
  );
  return [...byKey].map(([keyArn, group], index): PolicyStatement => {
    const places = group.flatMap(({ arn, prefix }) => [arn, `${arn}/${prefix}*`]);
    return {
      Sid: `EncryptCopies${index === 0 ? '' : index + 1}`,
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: keyArn,
      Condition: {
        StringEquals: { 'kms:ViaService': s3Host },
        StringLike: { [ENCRYPTED_OBJECT]: [...new Set(places)] },
      },
    };
  });
}

/** What S3 tells KMS of an object: its ARN or, where the bucket has an S3 Bucket Key, that of the bucket. */
const ENCRYPTED_OBJECT = 'kms:EncryptionContext:aws:s3:arn';

/** Where the listener's rule set lies. */
export interface RulesAccess {
  readonly bucketArn: string;
  readonly prefix: string;
  /** Key of KMS that encrypts it; `''` for none. */
  readonly keyArn: string;
  /** Host by which S3 calls KMS. */
  readonly s3Host: string;
}

/**
 * Allows the listener to read its rule set, and no other object. The key it may use for nothing else: S3 names the object to
 * KMS or, where the bucket has an S3 Bucket Key, the bucket (S3 User Guide, "Encryption context").
 */
export function readRules(access: RulesAccess): readonly PolicyStatement[] {
  const { bucketArn, prefix, keyArn, s3Host } = access;
  const objects = `${bucketArn}/${prefix}*`;
  const read: PolicyStatement = {
    ...{ Sid: 'ReadRules', Effect: 'Allow', Action: 's3:GetObject', Resource: objects },
  };
  if (keyArn === '') return [read];
  return [
    read,
    {
      Sid: 'DecryptRules',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: keyArn,
      Condition: {
        StringEquals: { 'kms:ViaService': s3Host },
        StringLike: { [ENCRYPTED_OBJECT]: [bucketArn, objects] },
      },
    },
  ];
}

/**
 * What the owner of buckets has to allow the listener of another account: in the policies of the buckets, and of
 * their keys (IAM User Guide, "Cross account resource access in IAM").
 */
export function allowListener(
  roleArn: string,
  access: BucketAccess,
): { readonly inBucket: readonly PolicyStatement[]; readonly inKey: readonly PolicyStatement[] } {
  const named = bucketAccess(access).map(
    ({ Sid, Effect, ...statement }): PolicyStatement => ({
      ...{ Sid: `FileProcessing${Sid}`, Effect, Principal: { AWS: roleArn } },
      ...statement,
    }),
  );
  const isOfKey = ({ Action }: PolicyStatement) => [Action].flat().includes('kms:Decrypt');
  return {
    inBucket: named.filter((statement) => !isOfKey(statement)),
    // In the policy of a key the resource is that key.
    inKey: named.filter(isOfKey).map((statement) => ({ ...statement, Resource: '*' })),
  };
}

/**
 * Allows the listener to publish notices to one topic (Amazon SNS Developer Guide, "Encrypting an Amazon SNS topic").
 *
 * @param topic.keyArn - of the topic; `''` for none of KMS
 * @param topic.snsHost - host by which SNS calls KMS
 */
export function publishNotices(topic: {
  readonly topicArn: string;
  readonly keyArn: string;
  readonly snsHost: string;
}): readonly PolicyStatement[] {
  const { topicArn, keyArn, snsHost } = topic;
  const publish: PolicyStatement = {
    ...{ Sid: 'PublishNotices', Effect: 'Allow', Action: 'sns:Publish', Resource: topicArn },
  };
  if (keyArn === '') return [publish];
  return [
    publish,
    {
      Sid: 'EncryptNotices',
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: keyArn,
      Condition: { StringEquals: { 'kms:ViaService': snsHost } },
    },
  ];
}

/** Allows the listener to send e-mail as one identity, from one address (Service Authorization Reference, "Amazon SES"). */
export function sendMail(mail: {
  readonly identityArn: string;
  readonly from: string;
}): readonly PolicyStatement[] {
  return [
    {
      Sid: 'SendNotices',
      Effect: 'Allow',
      Action: 'ses:SendEmail',
      Resource: mail.identityArn,
      Condition: { StringEquals: { 'ses:FromAddress': mail.from } },
    },
  ];
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
 * Allows the listener to fetch messages from queues, which are encrypted with the key.
 *
 * @param queues.queueArns - at least one
 * @param queues.sqsHost - host by which SQS calls KMS
 */
export function fetchMessages(queues: {
  readonly queueArns: readonly string[];
  readonly keyArn: string;
  readonly sqsHost: string;
}): readonly PolicyStatement[] {
  const { queueArns, keyArn, sqsHost } = queues;
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
      Resource: oneOrMany(queueArns),
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

/**
 * Allows to read one secret, which RDS keeps and encrypts with a key (Amazon RDS User Guide, "Password
 * management with Amazon RDS and AWS Secrets Manager").
 *
 * @param secret.secretsHost - host by which Secrets Manager calls KMS
 */
export function readSecret(secret: {
  readonly secretArn: string;
  readonly keyArn: string;
  readonly secretsHost: string;
}): readonly PolicyStatement[] {
  const { secretArn, keyArn, secretsHost } = secret;
  return [
    {
      Sid: 'ReadMasterSecret',
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: secretArn,
    },
    {
      Sid: 'DecryptMasterSecret',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: keyArn,
      Condition: { StringEquals: { 'kms:ViaService': secretsHost } },
    },
  ];
}

/** Allows the listener to sign in to one database as one user (Amazon RDS User Guide, "IAM database access"). */
export function connectToDatabase(userArn: string): readonly PolicyStatement[] {
  return [
    { Sid: 'ConnectToDatabase', Effect: 'Allow', Action: 'rds-db:connect', Resource: userArn },
  ];
}
