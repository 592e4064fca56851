import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeSigningKey } from '../../../../listener/local/sns/signing-key.ts';

describe('makeSigningKey', () => {
  it('makes a certificate for its own key', async () => {
    const { privateKey, certificate } = await makeSigningKey();
    const x509 = new X509Certificate(certificate);

    expect(x509.checkPrivateKey(privateKey)).toBe(true);
    expect(x509.verify(createPublicKey(certificate))).toBe(true);
    expect(x509.subject).toBe('CN=local SNS');
    expect(x509.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('begins with the PEM header', async () => {
    expect((await makeSigningKey()).certificate).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
  });

  it('is valid in the given time', async () => {
    const validFrom = new Date('2026-01-02T03:04:05Z');
    const validTo = new Date('2055-06-07T08:09:10Z');
    const { certificate } = await makeSigningKey({ validFrom, validTo });

    expect(new X509Certificate(certificate).validFromDate).toEqual(validFrom);
    expect(new X509Certificate(certificate).validToDate).toEqual(validTo);
  });
});
