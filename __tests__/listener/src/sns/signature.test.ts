import { createPublicKey } from 'node:crypto';
import type { SignatureVersion, UnsignedMessage } from '@file-processing/contract/sns-envelope.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeSigningKey, type SigningKey } from '../../../../listener/local/sns/signing-key.ts';
import {
  type Confirmation,
  type Notification,
  parseEnvelope,
} from '../../../../listener/src/sns/envelope.ts';
import {
  isSignatureVersion,
  signatureMatches,
  stringToSign,
} from '../../../../listener/src/sns/signature.ts';
import { confirmation, notification, signed } from '../../support/sns-messages.ts';

const plainNotification: Notification = {
  type: 'Notification',
  messageId: 'id-1',
  topicArn: 'arn:topic',
  subject: 'Über',
  message: 'two\nlines',
  timestamp: '2026-11-24T08:00:00.000Z',
  signatureVersion: '2',
  signature: 'AA==',
  signingCertUrl: 'https://certificate',
};

const plainConfirmation: Confirmation = {
  ...plainNotification,
  type: 'UnsubscribeConfirmation',
  token: 'token-1',
  subscribeUrl: 'https://subscribe',
};

describe('stringToSign', () => {
  it('lists the fields of a notification by name', () => {
    expect(stringToSign(plainNotification)).toBe(
      'Message\ntwo\nlines\nMessageId\nid-1\nSubject\nÜber\n' +
        'Timestamp\n2026-11-24T08:00:00.000Z\nTopicArn\narn:topic\nType\nNotification\n',
    );
  });

  it('leaves an absent subject out', () => {
    expect(stringToSign({ ...plainNotification, subject: undefined })).toBe(
      'Message\ntwo\nlines\nMessageId\nid-1\n' +
        'Timestamp\n2026-11-24T08:00:00.000Z\nTopicArn\narn:topic\nType\nNotification\n',
    );
  });

  it('lists token and SubscribeURL of a confirmation, and no subject', () => {
    expect(stringToSign(plainConfirmation)).toBe(
      'Message\ntwo\nlines\nMessageId\nid-1\nSubscribeURL\nhttps://subscribe\n' +
        'Timestamp\n2026-11-24T08:00:00.000Z\nToken\ntoken-1\nTopicArn\narn:topic\n' +
        'Type\nUnsubscribeConfirmation\n',
    );
  });
});

let key: SigningKey;
let otherKey: SigningKey;

beforeAll(async () => {
  [key, otherKey] = await Promise.all([makeSigningKey(), makeSigningKey()]);
});

/** Signs a message, changes it on the way, and asks. */
function matches(
  message: UnsignedMessage,
  version: SignatureVersion = '2',
  tampered: object = {},
  signer: SigningKey = key,
): boolean {
  const wire = { ...signed(message, signer, { signatureVersion: version }), ...tampered };
  const envelope = parseEnvelope(JSON.stringify(wire));
  return signatureMatches(envelope, version, createPublicKey(key.certificate));
}

const unsubscribe = () => confirmation({ Type: 'UnsubscribeConfirmation' });

describe('signatureMatches', () => {
  describe.each(['1', '2'] as const)('with version %s', (version) => {
    it('accepts a notification', () => {
      expect(matches(notification(), version)).toBe(true);
    });

    it('accepts a notification without a subject', () => {
      expect(matches(notification({ Subject: undefined }), version)).toBe(true);
    });

    it('accepts both confirmations', () => {
      expect(matches(confirmation(), version)).toBe(true);
      expect(matches(unsubscribe(), version)).toBe(true);
    });

    it('accepts all of Unicode in subject and message', () => {
      const text = 'Größe: 1 µm – 日本語 – 🧪 – e\u0301 – \u2028 – "\\\n\t';

      expect(matches(notification({ Subject: text, Message: text }), version)).toBe(true);
    });
  });

  it('accepts an empty subject that was not signed', () => {
    expect(matches(notification({ Subject: undefined }), '2', { Subject: '' })).toBe(true);
  });

  it.each([
    ['Message', 'another message'],
    ['MessageId', 'another-id'],
    ['Subject', 'another subject'],
    ['Subject', undefined],
    ['Timestamp', '2026-11-24T09:00:00.000Z'],
    ['TopicArn', 'arn:aws:sns:us-east-1:000000000000:another'],
    ['Signature', 'AAAA'],
  ])('refuses a notification whose %s was changed', (name, value) => {
    expect(matches(notification(), '2', { [name]: value })).toBe(false);
  });

  it.each(['Token', 'SubscribeURL', 'Message'])(
    'refuses a confirmation whose %s was changed',
    (name) => {
      expect(matches(confirmation(), '2', { [name]: 'https://evil.example' })).toBe(false);
    },
  );

  it('refuses a confirmation that was made of an unsubscribe', () => {
    expect(matches(unsubscribe(), '2', { Type: 'SubscriptionConfirmation' })).toBe(false);
  });

  it('refuses a subject that was put in', () => {
    expect(matches(notification({ Subject: undefined }), '2', { Subject: 'x' })).toBe(false);
  });

  it('refuses the signature of another key', () => {
    expect(matches(notification(), '2', {}, otherKey)).toBe(false);
  });

  it('judges the one of two equal keys that is used', () => {
    const wire = JSON.stringify(signed(notification({ Message: 'genuine' }), key));
    const before = parseEnvelope(wire.replace('{', '{"Message":"forged",'));
    const after = parseEnvelope(wire.replace(/}$/, ',"Message":"forged"}'));
    const publicKey = createPublicKey(key.certificate);

    expect(before.message).toBe('genuine');
    expect(signatureMatches(before, '2', publicKey)).toBe(true);
    expect(after.message).toBe('forged');
    expect(signatureMatches(after, '2', publicKey)).toBe(false);
  });

  it('refuses a SHA-1 signature under version 2', () => {
    const wire = signed(notification(), key, { signatureVersion: '1' });
    const envelope = parseEnvelope(JSON.stringify({ ...wire, SignatureVersion: '2' }));

    expect(signatureMatches(envelope, '2', createPublicKey(key.certificate))).toBe(false);
  });
});

describe('isSignatureVersion', () => {
  it.each([
    ['1', true],
    ['2', true],
    ['0', false],
    ['3', false],
    ['02', false],
    ['toString', false],
  ])('knows of %s: %s', (version, known) => {
    expect(isSignatureVersion(version)).toBe(known);
  });
});
