import {
  CreateBucketCommand,
  type Event,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { vi } from 'vitest';
import type { LocalStack } from './localstack.ts';

/** Milliseconds for what takes a moment: a delivery, a job. */
export const DEADLINE = 100_000;

/** Makes a topic. @param signatureVersion of its messages @default '2' */
export async function createTopic(
  { sns }: LocalStack,
  name: string,
  signatureVersion: '1' | '2' = '2',
): Promise<string> {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
  if (TopicArn === undefined) throw new Error(`the topic ${name} has no ARN`);
  await signWith({ sns }, TopicArn, signatureVersion);
  return TopicArn;
}

/** Signs a topic's messages with another version from now on. */
export async function signWith(
  { sns }: Pick<LocalStack, 'sns'>,
  topicArn: string,
  signatureVersion: '1' | '2',
): Promise<void> {
  await sns.send(
    new SetTopicAttributesCommand({
      TopicArn: topicArn,
      AttributeName: 'SignatureVersion',
      AttributeValue: signatureVersion,
    }),
  );
}

/** Asks for a subscription over HTTP. @returns its ARN; it is pending until it is confirmed */
export async function requestSubscription(
  { sns }: LocalStack,
  topicArn: string,
  listenerUrl: string | undefined,
): Promise<string> {
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: 'http',
      Endpoint: listenerUrl,
      ReturnSubscriptionArn: true,
    }),
  );
  if (SubscriptionArn === undefined) throw new Error(`no subscription of ${topicArn}`);
  return SubscriptionArn;
}

/** What SNS knows of a subscription. */
export async function subscriptionAttributes(
  { sns }: LocalStack,
  subscriptionArn: string,
): Promise<Record<string, string>> {
  const command = new GetSubscriptionAttributesCommand({ SubscriptionArn: subscriptionArn });
  return (await sns.send(command)).Attributes ?? {};
}

/** Asks for a subscription and waits until the listener has confirmed it. */
export async function subscribe(
  localStack: LocalStack,
  topicArn: string,
  listenerUrl: string | undefined,
): Promise<string> {
  const subscriptionArn = await requestSubscription(localStack, topicArn, listenerUrl);
  await vi.waitUntil(
    async () => {
      const attributes = await subscriptionAttributes(localStack, subscriptionArn);
      return attributes.PendingConfirmation === 'false';
    },
    { timeout: DEADLINE },
  );
  return subscriptionArn;
}

/** Options of {@link createBucket}. */
export interface BucketOptions {
  /** @default only that objects were created, as the stacks say */
  readonly events?: readonly Event[];
  /** @default false */
  readonly versioned?: boolean;
}

/** Makes a bucket that sends events of what happens in it; S3 sends a test event at once. */
export async function createBucket(
  { s3 }: LocalStack,
  bucket: string,
  topicArn: string,
  { events = ['s3:ObjectCreated:*'], versioned = false }: BucketOptions = {},
): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  if (versioned) {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  }
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: {
        TopicConfigurations: [{ TopicArn: topicArn, Events: [...events] }],
      },
    }),
  );
}

/** Puts a file into a bucket. @returns its version where the bucket keeps them */
export async function putFile(
  { s3 }: LocalStack,
  bucket: string,
  key: string,
  text: string,
): Promise<string | undefined> {
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: text });
  return (await s3.send(command)).VersionId;
}
