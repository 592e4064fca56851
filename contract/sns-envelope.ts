/** The kinds of message that Amazon SNS posts to an HTTP endpoint. */
export const MESSAGE_TYPES = [
  'Notification',
  'SubscriptionConfirmation',
  'UnsubscribeConfirmation',
] as const;

/** One of {@link MESSAGE_TYPES}. */
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Versions of the signature that SNS knows: 1 is SHA-1, 2 is SHA-256, both RSA PKCS #1 v1.5. */
export const SIGNATURE_VERSIONS = ['1', '2'] as const;

/** One of {@link SIGNATURE_VERSIONS}. */
export type SignatureVersion = (typeof SIGNATURE_VERSIONS)[number];

/**
 * A message as it is posted, without its signature; names are those of SNS.
 * Source: Amazon SNS developer guide, "Parsing Amazon SNS message formats".
 */
export interface UnsignedMessage {
  readonly Type: MessageType;
  /** Unique per message; a retry keeps it. */
  readonly MessageId: string;
  /** ARN of the topic that the message was published to. */
  readonly TopicArn: string;
  /** What was published, or for a confirmation a sentence for a human reader. */
  readonly Message: string;
  /** Time of publication, ISO 8601 in UTC. */
  readonly Timestamp: string;
  readonly Subject?: string;
  /** Of a confirmation. Secret: whoever holds it can confirm the subscription. */
  readonly Token?: string;
  /** Of a confirmation; holds the token as well. */
  readonly SubscribeURL?: string;
  readonly UnsubscribeURL?: string;
}

/** A message as it is posted. */
export interface SignedMessage extends UnsignedMessage {
  readonly SignatureVersion: SignatureVersion;
  /** Base64. */
  readonly Signature: string;
  /** Where the message claims that its certificate is. Not covered by the signature. */
  readonly SigningCertURL: string;
}

/** Headers that SNS sends with a message over HTTP. */
export const SNS_HEADERS = {
  type: 'x-amz-sns-message-type',
  messageId: 'x-amz-sns-message-id',
  topicArn: 'x-amz-sns-topic-arn',
  subscriptionArn: 'x-amz-sns-subscription-arn',
  /** `true` where the body is the bare message, without envelope and signature. */
  rawDelivery: 'x-amz-sns-rawdelivery',
} as const;
