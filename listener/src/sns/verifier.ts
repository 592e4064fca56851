import type { TopicArn } from '@file-processing/contract/arn.ts';
import type { SignatureVersion } from '@file-processing/contract/sns-envelope.ts';
import { ListenerError } from '../errors.ts';
import { checkCertificateUrl } from './certificate-url.ts';
import type { CertificateStore, SigningCertificate } from './certificates.ts';
import type { Envelope } from './envelope.ts';
import { isSignatureVersion, signatureMatches } from './signature.ts';

/** Decides whether a message comes from one of our topics. */
export interface Verifier {
  /**
   * Checks topic, age, signature version, certificate URL and signature, the cheap ones first.
   *
   * @returns the allow-listed topic that the message belongs to
   * @throws ListenerError the first check that failed; `certificate_unavailable` alone can be
   * tried again
   */
  verify(envelope: Envelope): Promise<TopicArn>;
}

/** Settings of {@link createVerifier}. */
export interface VerifierOptions {
  /** The allow-list: SNS_TOPIC_ARNS. */
  readonly topics: readonly TopicArn[];
  readonly certificates: Omit<CertificateStore, 'answers'>;
  /** Oldest message in seconds: SNS_MAX_AGE_SECONDS. @default 86400 */
  readonly maxAgeSeconds?: number;
  /** How far a message may be ahead of our clock, in seconds. @default 300 */
  readonly maxSkewSeconds?: number;
  /** @default ['2'] */
  readonly signatureVersions?: readonly SignatureVersion[];
  /** Origins beside AWS's own that may serve certificates. @default none */
  readonly trustedOrigins?: readonly string[];
  /** Clock in milliseconds. @default Date.now */
  readonly now?: () => number;
}

/**
 * Makes the verifier. There is no setting that turns a check off.
 * Source: Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages".
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const {
    certificates,
    maxAgeSeconds = 86_400,
    maxSkewSeconds = 300,
    signatureVersions = ['2'],
    trustedOrigins = [],
    now = Date.now,
  } = options;
  const topics = new Map(options.topics.map((topic) => [topic.arn, topic]));

  const allowedTopic = ({ topicArn }: Envelope): TopicArn => {
    const topic = topics.get(topicArn);
    if (topic === undefined) {
      throw new ListenerError('topic_not_allowed', { topicArn });
    }
    return topic;
  };

  const checkAge = ({ timestamp }: Envelope): void => {
    const ageSeconds = (now() - Date.parse(timestamp)) / 1000;
    if (ageSeconds > maxAgeSeconds) {
      throw new ListenerError('message_too_old', { timestamp, maxAgeSeconds });
    }
    if (ageSeconds < -maxSkewSeconds) {
      throw new ListenerError('message_from_future', { timestamp, maxSkewSeconds });
    }
  };

  const allowedVersion = ({ signatureVersion }: Envelope): SignatureVersion => {
    if (!isSignatureVersion(signatureVersion) || !signatureVersions.includes(signatureVersion)) {
      throw new ListenerError('signature_version_not_allowed', {
        signatureVersion,
        allowed: signatureVersions.join(', '),
      });
    }
    return signatureVersion;
  };

  const isValidNow = ({ validFrom, validTo }: SigningCertificate): boolean =>
    validFrom.getTime() <= now() && now() <= validTo.getTime();

  const fits = (
    envelope: Envelope,
    version: SignatureVersion,
    certificate: SigningCertificate,
  ): boolean =>
    isValidNow(certificate) && signatureMatches(envelope, version, certificate.publicKey);

  const checkSignature = async (envelope: Envelope, version: SignatureVersion): Promise<void> => {
    const known = await certificates.get(envelope.signingCertUrl);
    if (fits(envelope, version, known)) {
      certificates.noteVerified(known);
      return;
    }
    const renewed = await certificates.refetch(envelope.signingCertUrl);
    if (renewed !== undefined && fits(envelope, version, renewed)) {
      certificates.noteVerified(renewed);
      return;
    }
    throw signatureError(envelope, renewed ?? known);
  };

  const signatureError = (envelope: Envelope, certificate: SigningCertificate): ListenerError =>
    isValidNow(certificate)
      ? new ListenerError('signature_invalid', { messageId: envelope.messageId })
      : new ListenerError('certificate_not_valid', {
          url: certificate.url,
          validFrom: certificate.validFrom.toISOString(),
          validTo: certificate.validTo.toISOString(),
        });

  return {
    async verify(envelope) {
      const topic = allowedTopic(envelope);
      checkAge(envelope);
      const version = allowedVersion(envelope);
      checkCertificateUrl(envelope.signingCertUrl, topic, trustedOrigins);
      await checkSignature(envelope, version);
      return topic;
    },
  };
}
