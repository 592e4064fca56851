import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Signer, signMessage } from '../../../../listener/local/sns/message.ts';
import { testKey } from '../../support/sns-listener.ts';
import { confirmation, notification } from '../../support/sns-messages.ts';

async function signer(signatureVersion: '1' | '2'): Promise<Signer> {
  const { privateKey } = await testKey();
  return { privateKey, certificateUrl: 'https://certificate', signatureVersion };
}

async function matches(content: string, signature: string, hash: string): Promise<boolean> {
  const { certificate } = await testKey();
  const bytes = Buffer.from(signature, 'base64');
  return verify(hash, Buffer.from(content), createPublicKey(certificate), bytes);
}

describe('signMessage', () => {
  it.each([
    ['1', 'sha1'],
    ['2', 'sha256'],
  ] as const)('signs a notification by version %s with %s', async (version, hash) => {
    const message = notification({ Subject: 'Größe', Message: 'm', Timestamp: 't' });
    const content =
      `Message\nm\nMessageId\n${message.MessageId}\nSubject\nGröße\nTimestamp\nt\n` +
      `TopicArn\n${message.TopicArn}\nType\nNotification\n`;

    const signed = signMessage(message, await signer(version));

    expect(signed).toMatchObject({
      SignatureVersion: version,
      SigningCertURL: 'https://certificate',
    });
    expect(await matches(content, signed.Signature, hash)).toBe(true);
  });

  it('signs token and SubscribeURL of a confirmation', async () => {
    const message = confirmation({ Message: 'm', SubscribeURL: 's', Timestamp: 't', Token: 'k' });
    const content =
      `Message\nm\nMessageId\n${message.MessageId}\nSubscribeURL\ns\nTimestamp\nt\nToken\nk\n` +
      `TopicArn\n${message.TopicArn}\nType\nSubscriptionConfirmation\n`;

    const { Signature } = signMessage(message, await signer('2'));

    expect(await matches(content, Signature, 'sha256')).toBe(true);
  });
});
