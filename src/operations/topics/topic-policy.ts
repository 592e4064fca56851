import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@file-processing/contract/json-object.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** A statement of a topic's policy; those of others are handed on as they are. */
export type Statement = Readonly<Record<string, unknown>>;

/** Which bucket of which account may publish. */
export interface Publisher {
  readonly topicArn: string;
  readonly partition: string;
  readonly bucket: string;
  /** Account that owns the bucket: a bucket's name alone can pass to somebody else. */
  readonly account: string;
  /** @default made from the bucket's name */
  readonly sid?: string;
}

/** A topic's policy with one statement merged in. */
export interface MergedPolicy {
  /** The document to set. */
  readonly policy: string;
  readonly statement: Statement;
  /** The statement that had the Sid and is replaced. */
  readonly replaced: Statement | undefined;
  /** The policy says it already, perhaps under another Sid. */
  readonly unchanged: boolean;
}

/**
 * Allows S3 to publish for one bucket (Amazon S3 User Guide, "Granting permissions to publish event
 * notification messages to a destination").
 */
export function bucketPublishes({
  topicArn,
  partition,
  bucket,
  account,
  sid,
}: Publisher): Statement {
  return {
    // A bucket's name has no underscore, so two buckets never get one Sid.
    Sid: sid ?? `BucketPublishes-${bucket.replaceAll('.', '_')}`,
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'sns:Publish',
    Resource: topicArn,
    Condition: {
      StringEquals: { 'aws:SourceAccount': account },
      ArnEquals: { 'aws:SourceArn': `arn:${partition}:s3:::${bucket}` },
    },
  };
}

/**
 * What the owner of a topic in another account has to allow beside {@link bucketPublishes}: that an account subscribes
 * to it, and looks at it (Amazon SNS Developer Guide, "Example cases for Amazon SNS access control").
 */
export function accountSubscribes({
  topicArn,
  partition,
  account,
}: Pick<Publisher, 'topicArn' | 'partition' | 'account'>): Statement {
  return {
    Sid: `AccountSubscribes-${account}`,
    Effect: 'Allow',
    Principal: { AWS: `arn:${partition}:iam::${account}:root` },
    Action: ['sns:GetTopicAttributes', 'sns:ListSubscriptionsByTopic', 'sns:Subscribe'],
    Resource: topicArn,
  };
}

/**
 * Merges a statement into a policy by its Sid; every other statement stays as it is.
 *
 * @param policy - the topic's attribute `Policy`; undefined or empty when it has none
 * @throws OperationError when the policy can't be read, since it would then be lost
 */
export function mergeStatement(policy: string | undefined, statement: Statement): MergedPolicy {
  const document = policy ? parsed(policy) : { Version: '2012-10-17' };
  const given = document.Statement ?? [];
  const statements: readonly Statement[] = Array.isArray(given) ? given : [given];
  const says = (one: Statement) =>
    isDeepStrictEqual({ ...one, Sid: undefined }, { ...statement, Sid: undefined });
  const replaced = statements.find(({ Sid }) => Sid === statement.Sid);
  if (statements.some(says)) {
    return { policy: policy ?? '', statement, replaced: undefined, unchanged: true };
  }
  const merged = replaced
    ? statements.map((one) => (one === replaced ? statement : one))
    : [...statements, statement];
  return {
    policy: JSON.stringify({ ...document, Statement: merged }),
    statement,
    replaced,
    unchanged: false,
  };
}

function parsed(policy: string): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(policy);
    if (isObject(document)) {
      return { ...document };
    }
  } catch {
    // Told below.
  }
  throw new OperationError(
    "the topic's policy is not a JSON object, so nothing can be merged into it",
    {
      code: EXIT.refused,
      next: 'look at it with aws sns get-topic-attributes',
    },
  );
}
