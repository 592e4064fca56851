import { generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

/** A key to sign messages with, and its certificate. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

/** Settings of {@link makeSigningKey}. */
export interface SigningKeyOptions {
  /** @default an hour ago */
  readonly validFrom?: Date;
  /** @default in a year */
  readonly validTo?: Date;
  /** Bits of the RSA key. @default 2048 */
  readonly bits?: number;
}

const HOUR = 3_600_000;
const COMMON_NAME = '2.5.4.3';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const ASN1_NULL = new Uint8Array([0x05, 0x00]).buffer;

/** Makes an RSA key and an X.509 certificate (RFC 5280) that it signs itself. */
export async function makeSigningKey(options: SigningKeyOptions = {}): Promise<SigningKey> {
  const {
    validFrom = new Date(Date.now() - HOUR),
    validTo = new Date(Date.now() + 365 * 24 * HOUR),
    bits = 2048,
  } = options;
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
  });

  const name = commonName('local SNS');
  const signatureAlgorithm = new AlgorithmIdentifier({
    algorithm: SHA256_WITH_RSA,
    parameters: ASN1_NULL,
  });
  const content = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: signatureAlgorithm,
    issuer: name,
    validity: new Validity({ notBefore: validFrom, notAfter: validTo }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(
      publicKey.export({ type: 'spki', format: 'der' }),
      SubjectPublicKeyInfo,
    ),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(content)), privateKey);
  const certificate = new Certificate({
    tbsCertificate: content,
    signatureAlgorithm,
    signatureValue: new Uint8Array(signature).buffer,
  });
  return { privateKey, certificate: toPem(AsnConvert.serialize(certificate)) };
}

function commonName(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  return new Name([
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })]),
  ]);
}

/** Positive: the first byte is below 128, and not zero. */
function serialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = 0x40;
  return bytes.buffer;
}

function toPem(der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
