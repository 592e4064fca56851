import { createPublicKey } from 'node:crypto';
import type { UnsignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Signer } from '../../../../listener/local/sns/message.ts';
import {
  makeSigningKey,
  type SigningKey,
  type SigningKeyOptions,
} from '../../../../listener/local/sns/signing-key.ts';
import { ListenerError } from '../../../../listener/src/errors.ts';
import type { SigningCertificate } from '../../../../listener/src/sns/certificates.ts';
import { type Envelope, parseEnvelope } from '../../../../listener/src/sns/envelope.ts';
import { createVerifier, type VerifierOptions } from '../../../../listener/src/sns/verifier.ts';
import {
  awsCertificateUrl,
  confirmation,
  notification,
  signed,
  topicArn,
  topicOf,
} from '../../support/sns-messages.ts';

const now = Date.parse('2026-11-24T08:00:00.000Z');
const year = 365 * 24 * 3_600_000;

let key: SigningKey;
let renewedKey: SigningKey;

beforeAll(async () => {
  [key, renewedKey] = await Promise.all([makeSigningKey(), makeSigningKey()]);
});

function certificateOf(
  { certificate }: SigningKey,
  { validFrom = new Date(now - year), validTo = new Date(now + year) }: SigningKeyOptions = {},
): SigningCertificate {
  return {
    url: awsCertificateUrl,
    publicKey: createPublicKey(certificate),
    sha256: 'ab'.repeat(32),
    validFrom,
    validTo,
  };
}

/** AWS's host can't be had in a test, so the store stands for it, and counts what it is asked. */
function storeOf(known: SigningCertificate, renewed?: SigningCertificate) {
  const asked: string[] = [];
  const verified: SigningCertificate[] = [];
  const store: VerifierOptions['certificates'] & {
    asked: string[];
    verified: SigningCertificate[];
  } = {
    asked,
    verified,
    noteVerified: (certificate) => verified.push(certificate),
    async get(url) {
      asked.push(`get ${url}`);
      return known;
    },
    async refetch(url) {
      asked.push(`refetch ${url}`);
      return renewed;
    },
  };
  return store;
}

function verifierWith(
  certificates: VerifierOptions['certificates'],
  options: Partial<VerifierOptions> = {},
) {
  return createVerifier({ topics: [topicOf(topicArn)], certificates, now: () => now, ...options });
}

function envelopeOf(message: UnsignedMessage, signer: Partial<Signer> = {}): Envelope {
  return parseEnvelope(JSON.stringify(signed(message, key, signer)));
}

const atNow = { Timestamp: new Date(now).toISOString() };

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ListenerError ? error.code : `no ListenerError: ${error}`;
}

describe('verify', () => {
  it.each([notification(atNow), confirmation(atNow)])(
    'returns the allow-listed topic of a genuine $Type',
    async (message) => {
      const verifier = verifierWith(storeOf(certificateOf(key)));

      expect(await verifier.verify(envelopeOf(message))).toEqual(topicOf(topicArn));
    },
  );

  it('notes the certificate that a message was verified with, the renewed one too', async () => {
    const store = storeOf(certificateOf(key));
    await verifierWith(store).verify(envelopeOf(notification(atNow)));
    const renewing = storeOf(certificateOf(renewedKey), certificateOf(key));
    await verifierWith(renewing).verify(envelopeOf(notification(atNow)));

    expect([store.verified, renewing.verified]).toEqual([
      [certificateOf(key)],
      [certificateOf(key)],
    ]);
  });

  it('accepts version 1 where the setting allows it', async () => {
    const verifier = verifierWith(storeOf(certificateOf(key)), { signatureVersions: ['1', '2'] });
    const envelope = envelopeOf(notification(atNow), { signatureVersion: '1' });

    await expect(verifier.verify(envelope)).resolves.toBeDefined();
  });

  it('accepts a certificate of a trusted origin', async () => {
    const trustedOrigins = ['http://127.0.0.1:4566'];
    const verifier = verifierWith(storeOf(certificateOf(key)), { trustedOrigins });
    const certificateUrl = 'http://127.0.0.1:4566/_aws/sns/SimpleNotificationService-6c.pem';

    await expect(
      verifier.verify(envelopeOf(notification(atNow), { certificateUrl })),
    ).resolves.toBeDefined();
  });

  it('accepts the key that a refetch brings', async () => {
    const store = storeOf(certificateOf(renewedKey), certificateOf(key));

    await expect(
      verifierWith(store).verify(envelopeOf(notification(atNow))),
    ).resolves.toBeDefined();
    expect(store.asked).toEqual([`get ${awsCertificateUrl}`, `refetch ${awsCertificateUrl}`]);
  });
});

describe('a message that is refused', () => {
  it.each([
    ['of another topic', { TopicArn: `${topicArn}-2` }, {}, 'topic_not_allowed'],
    [
      'of the same topic in another account',
      { TopicArn: topicArn.replace('270022076279', '999999999999') },
      {},
      'topic_not_allowed',
    ],
    ['a day and a second old', { Timestamp: '2026-11-23T07:59:59.000Z' }, {}, 'message_too_old'],
    ['of next week', { Timestamp: '2026-12-01T08:00:00.000Z' }, {}, 'message_from_future'],
    ['with SHA-1', {}, { signatureVersion: '1' }, 'signature_version_not_allowed'],
    [
      'with a certificate in an S3 bucket',
      {},
      { certificateUrl: 'https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-1.pem' },
      'certificate_url_not_allowed',
    ],
  ] as const)('%s costs no fetch', async (_, changes, signer, code) => {
    const store = storeOf(certificateOf(key));
    const envelope = envelopeOf(notification({ ...atNow, ...changes }), signer);

    expect(await codeOf(verifierWith(store).verify(envelope))).toBe(code);
    expect(store.asked).toEqual([]);
  });

  it('is not saved by a trusted origin: topic, age and signature count as ever', async () => {
    const trustedOrigins = ['http://127.0.0.1:4566'];
    const signer = { certificateUrl: 'http://127.0.0.1:4566/SimpleNotificationService-a.pem' };
    const verifier = verifierWith(storeOf(certificateOf(renewedKey)), { trustedOrigins });
    const verify = (changes: Partial<UnsignedMessage>) =>
      codeOf(verifier.verify(envelopeOf(notification({ ...atNow, ...changes }), signer)));

    expect(await verify({ TopicArn: `${topicArn}-2` })).toBe('topic_not_allowed');
    expect(await verify({ Timestamp: '2026-11-22T08:00:00.000Z' })).toBe('message_too_old');
    expect(await verify({})).toBe('signature_invalid');
  });

  it('is told from a genuine one by its signature, after one refetch', async () => {
    const store = storeOf(certificateOf(renewedKey), certificateOf(renewedKey));

    expect(await codeOf(verifierWith(store).verify(envelopeOf(notification(atNow))))).toBe(
      'signature_invalid',
    );
    expect(store.asked).toHaveLength(2);
    expect(store.verified).toEqual([]);
  });

  it.each([
    ['expired', { validTo: new Date(now - 1) }],
    ['not valid yet', { validFrom: new Date(now + 1) }],
  ])('has a certificate that is %s', async (_, validity) => {
    const verifier = verifierWith(storeOf(certificateOf(key, validity)));

    expect(await codeOf(verifier.verify(envelopeOf(notification(atNow))))).toBe(
      'certificate_not_valid',
    );
  });

  it('names the topic and the setting', async () => {
    const verifier = verifierWith(storeOf(certificateOf(key)));
    const envelope = envelopeOf(notification({ ...atNow, TopicArn: `${topicArn}-2` }));

    await expect(verifier.verify(envelope)).rejects.toThrow(
      `TopicArn ${topicArn}-2 is not among SNS_TOPIC_ARNS.`,
    );
  });
});

describe('the age of a message', () => {
  it.each([
    ['2026-11-23T08:00:00.000Z', 'verified'],
    ['2026-11-23T07:59:59.999Z', 'message_too_old'],
    ['2026-11-24T08:05:00.000Z', 'verified'],
    ['2026-11-24T08:05:00.001Z', 'message_from_future'],
  ])('decides on a message of %s: %s', async (Timestamp, expected) => {
    const verifier = verifierWith(storeOf(certificateOf(key)));
    const work = verifier.verify(envelopeOf(notification({ Timestamp })));

    expect(expected === 'verified' ? await work.then(() => 'verified') : await codeOf(work)).toBe(
      expected,
    );
  });

  it('is bounded by the setting', async () => {
    const verifier = verifierWith(storeOf(certificateOf(key)), { maxAgeSeconds: 60 });
    const envelope = envelopeOf(notification({ Timestamp: '2026-11-24T07:58:59.000Z' }));

    expect(await codeOf(verifier.verify(envelope))).toBe('message_too_old');
  });
});
