import { type KeyObject, randomUUID, sign } from 'node:crypto';
import type {
  MessageType,
  SignatureVersion,
  SignedMessage,
  UnsignedMessage,
} from '@file-processing/contract/sns-envelope.ts';

/** How a message is signed. */
export interface Signer {
  readonly privateKey: KeyObject;
  readonly certificateUrl: string;
  readonly signatureVersion: SignatureVersion;
}

/**
 * Signs a message as Amazon SNS does. It shares no code with the listener's verification, so that
 * the two check each other.
 */
export function signMessage(message: UnsignedMessage, signer: Signer): SignedMessage {
  const signed: (keyof UnsignedMessage)[] =
    message.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  let content = '';
  for (const name of signed) {
    if (message[name] !== undefined) {
      content += `${name}\n${message[name]}\n`;
    }
  }
  const hash = signer.signatureVersion === '1' ? 'sha1' : 'sha256';
  return {
    ...message,
    SignatureVersion: signer.signatureVersion,
    Signature: sign(hash, Buffer.from(content), signer.privateKey).toString('base64'),
    SigningCertURL: signer.certificateUrl,
  };
}

/**
 * The message that asks an endpoint to confirm its subscription, or tells it of the end.
 *
 * @param origin - of the SNS that sends it
 */
export function confirmationMessage(
  type: Exclude<MessageType, 'Notification'>,
  { topicArn, token }: { readonly topicArn: string; readonly token: string },
  origin: string,
): UnsignedMessage {
  const action = type === 'SubscriptionConfirmation' ? 'subscribe to' : 'unsubscribe from';
  const query = new URLSearchParams({
    Action: 'ConfirmSubscription',
    TopicArn: topicArn,
    Token: token,
  });
  return {
    Type: type,
    MessageId: randomUUID(),
    Token: token,
    TopicArn: topicArn,
    Message: `You have chosen to ${action} the topic ${topicArn}.`,
    SubscribeURL: `${origin}/?${query}`,
    Timestamp: new Date().toISOString(),
  };
}

/** The URL in each notification that ends its subscription, unless a signature is asked for. */
export function unsubscribeUrl({ arn }: { readonly arn: string }, origin: string): string {
  return `${origin}/?${new URLSearchParams({ Action: 'Unsubscribe', SubscriptionArn: arn })}`;
}
