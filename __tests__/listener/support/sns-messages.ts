import { parseTopicArn, type TopicArn } from '@file-processing/contract/arn.ts';
import type { SignedMessage, UnsignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { type Signer, signMessage } from '../../../listener/local/sns/message.ts';
import type { SigningKey } from '../../../listener/local/sns/signing-key.ts';

export const topicArn = 'arn:aws-us-gov:sns:us-gov-west-1:270022076279:file-processing-topic';

/** Where AWS serves the certificates of the topic's region. */
export const awsCertificateUrl =
  'https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem';

export function topicOf(arn: string): TopicArn {
  const topic = parseTopicArn(arn);
  if (topic === undefined) {
    throw new Error(`${arn} is not a topic`);
  }
  return topic;
}

/** An S3 event with one object that was created. */
export function s3Event(key = 'from_client/nm_albuquerque/Officer_Detail.csv'): string {
  return JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'us-gov-west-1',
        eventTime: '2026-11-24T08:00:00.000Z',
        eventName: 'ObjectCreated:Put',
        s3: {
          bucket: { name: 'etl-ba-research-client-etl' },
          object: { key, size: 1024, eTag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: '00A1' },
        },
      },
    ],
  });
}

/** An event of EventBridge for an object that was created. */
export function eventBridgeEvent(object: object = {}, changes: object = {}) {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '123456789012',
    time: '2026-11-24T08:00:00Z',
    region: 'us-gov-west-1',
    resources: ['arn:aws-us-gov:s3:::etl-ba-research-client-etl'],
    detail: {
      version: '0',
      bucket: { name: 'etl-ba-research-client-etl' },
      object: {
        key: 'in/Officer Detail.csv',
        size: 1024,
        etag: 'd41d8cd98f00b204e9800998ecf8427e',
        sequencer: '617f08299329d189',
        ...object,
      },
      reason: 'PutObject',
    },
    ...changes,
  };
}

/** A notification of now, not signed. */
export function notification(changes: Partial<UnsignedMessage> = {}): UnsignedMessage {
  return {
    Type: 'Notification',
    MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
    TopicArn: topicArn,
    Subject: 'Amazon S3 Notification',
    Message: s3Event(),
    Timestamp: new Date().toISOString(),
    UnsubscribeURL: 'https://sns.us-gov-west-1.amazonaws.com/?Action=Unsubscribe',
    ...changes,
  };
}

/** A request to confirm a subscription, not signed. */
export function confirmation(changes: Partial<UnsignedMessage> = {}): UnsignedMessage {
  return {
    Type: 'SubscriptionConfirmation',
    MessageId: '3d891288-136d-417f-bc05-901c108273ee',
    TopicArn: topicArn,
    Token: '233641233797a0f0',
    Message: `You have chosen to subscribe to the topic ${topicArn}.`,
    SubscribeURL: 'https://sns.us-gov-west-1.amazonaws.com/?Action=ConfirmSubscription',
    Timestamp: new Date().toISOString(),
    ...changes,
  };
}

/** Signs a message as AWS would, by version 2 with a certificate at AWS's host. */
export function signed(
  message: UnsignedMessage,
  key: SigningKey,
  changes: Partial<Signer> = {},
): SignedMessage {
  return signMessage(message, {
    privateKey: key.privateKey,
    certificateUrl: awsCertificateUrl,
    signatureVersion: '2',
    ...changes,
  });
}
