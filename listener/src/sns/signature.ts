import { type KeyObject, verify } from 'node:crypto';
import type { SignatureVersion } from '@file-processing/contract/sns-envelope.ts';
import type { Envelope } from './envelope.ts';

/**
 * The text that an SNS signature covers: names and values, each on a line, sorted by name.
 * Source: Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages".
 */
export function stringToSign(envelope: Envelope): string {
  const fields =
    envelope.type === 'Notification'
      ? [
          ['Message', envelope.message],
          ['MessageId', envelope.messageId],
          ['Subject', envelope.subject],
          ['Timestamp', envelope.timestamp],
          ['TopicArn', envelope.topicArn],
          ['Type', envelope.type],
        ]
      : [
          ['Message', envelope.message],
          ['MessageId', envelope.messageId],
          ['SubscribeURL', envelope.subscribeUrl],
          ['Timestamp', envelope.timestamp],
          ['Token', envelope.token],
          ['TopicArn', envelope.topicArn],
          ['Type', envelope.type],
        ];
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
}

const algorithms: Readonly<Record<SignatureVersion, string>> = {
  '1': 'RSA-SHA1',
  '2': 'RSA-SHA256',
};

/** Whether a message's SignatureVersion is one that exists. */
export function isSignatureVersion(version: string): version is SignatureVersion {
  return Object.hasOwn(algorithms, version);
}

/**
 * Whether a message's signature fits its content. Whether its version is allowed is decided before.
 *
 * @param envelope - the message
 * @param version - its signature version
 * @param publicKey - RSA key of the certificate
 */
export function signatureMatches(
  envelope: Envelope,
  version: SignatureVersion,
  publicKey: KeyObject,
): boolean {
  const content = Buffer.from(stringToSign(envelope));
  const signature = Buffer.from(envelope.signature, 'base64');
  // The form with a callback costs 18 to 60 microseconds of CPU where this one costs 17 (RSA with 2,048 bits), since each
  // goes to the thread pool and back, where it also waits behind names that are looked up and files that are read.
  return verify(algorithms[version], content, publicKey, signature);
}
