import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  checkCertificateUrl,
  isLoopback,
  trustedCertificateOrigins,
} from '../../../../listener/src/sns/certificate-url.ts';
import { topicArn, topicOf } from '../../support/sns-messages.ts';

const topic = topicOf(topicArn);
const host = 'sns.us-gov-west-1.amazonaws.com';
const path = '/SimpleNotificationService-0123456789abcdefABCDEF.pem';

function check(url: string, trustedOrigins: readonly string[] = []): void {
  checkCertificateUrl(url, topic, trustedOrigins);
}

describe('checkCertificateUrl', () => {
  it.each([
    [topicArn, `https://${host}${path}`],
    ['arn:aws:sns:eu-west-1:000000000000:t', `https://sns.eu-west-1.amazonaws.com${path}`],
    ['arn:aws-cn:sns:cn-north-1:000000000000:t', `https://sns.cn-north-1.amazonaws.com.cn${path}`],
  ])('allows for %s the URL %s', (arn, url) => {
    expect(() => checkCertificateUrl(url, topicOf(arn), [])).not.toThrow();
  });

  it('allows the same host where every client calls the FIPS endpoints, and not theirs', () => {
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const american = topicOf('arn:aws:sns:us-east-1:123456789012:t');
    const plain = `https://sns.us-east-1.amazonaws.com${path}`;
    expect(() => checkCertificateUrl(plain, american, [])).not.toThrow();
    const fips = plain.replace('//sns.', '//sns-fips.');
    expect(() => checkCertificateUrl(fips, american, [])).toThrow();
  });

  it.each([
    ['nothing', ''],
    ['no URL', 'certificate.pem'],
    ['http', `http://${host}${path}`],
    ['another scheme', `file://${host}${path}`],
    ['data', 'data:text/plain,-----BEGIN CERTIFICATE-----'],
    ['an S3 bucket called sns', `https://sns.s3-us-west-2.amazonaws.com${path}`],
    ['another region', `https://sns.us-east-1.amazonaws.com${path}`],
    ['the suffix of another partition', `https://${host}.cn${path}`],
    ['a host that only begins so', `https://${host}.evil.example${path}`],
    ['a host that only ends so', `https://evil-${host}${path}`],
    ['a final dot', `https://${host}.${path}`],
    ['upper case', `https://${host.toUpperCase()}${path}`],
    ['a Unicode digit', `https://sns.us-gov-west-１.amazonaws.com${path}`],
    ['a port', `https://${host}:8443${path}`],
    ['the default port', `https://${host}:443${path}`],
    ['a user', `https://user@${host}${path}`],
    ['a host as user', `https://${host}@evil.example${path}`],
    ['a host as user and password', `https://${host}:x@evil.example${path}`],
    ['empty user information', `https://@${host}${path}`],
    ['a query', `https://${host}${path}?x=1`],
    ['an empty query', `https://${host}${path}?`],
    ['a fragment', `https://${host}${path}#x`],
    ['an empty fragment', `https://${host}${path}#`],
    ['a backslash', `https://evil.example\\@${host}${path}`],
    ['a tab in it', `https://${host}/\t${path.slice(1)}`],
    ['a space before it', ` https://${host}${path}`],
    ['a line break after it', `https://${host}${path}\n`],
    ['dots in the path', `https://${host}/x/..${path}`],
    ['encoded dots in the path', `https://${host}/%2e%2e${path}`],
    ['another path', `https://${host}/evil.pem`],
    ['a folder', `https://${host}/x${path}`],
    ['two slashes', `https://${host}/${path}`],
    ['letters that are not hexadecimal', `https://${host}/SimpleNotificationService-xyz.pem`],
    ['no hexadecimal digits', `https://${host}/SimpleNotificationService-.pem`],
    ['another ending', `https://${host}/SimpleNotificationService-ab.pem.exe`],
    ['very many digits', `https://${host}/SimpleNotificationService-${'a'.repeat(1000)}.pem`],
  ])('refuses %s', (_, url) => {
    expect(() => check(url)).toThrow(
      expect.objectContaining({ code: 'certificate_url_not_allowed', status: 403 }),
    );
  });
});

describe('a trusted origin', () => {
  const trusted = trustedCertificateOrigins('http://127.0.0.1:4566/');
  const name = 'SimpleNotificationService-6c6f63.pem';

  it.each([
    `http://127.0.0.1:4566/${name}`,
    // LocalStack
    `http://127.0.0.1:4566/_aws/sns/${name}`,
  ])('may serve %s', (url) => {
    expect(() => check(url, trusted)).not.toThrow();
  });

  it.each([
    ['an object of a bucket', 'http://127.0.0.1:4566/bucket/from_client/evil.pem'],
    ['a longer name', `http://127.0.0.1:4566/bucket/My${name}`],
    ['the name of a folder', `http://127.0.0.1:4566/${name}/evil.pem`],
    ['an encoded slash', `http://127.0.0.1:4566/bucket%2F${name}`],
    ['letters that are not hexadecimal', 'http://127.0.0.1:4566/SimpleNotificationService-xyz.pem'],
  ])('does not serve by %s', (_, url) => {
    expect(() => check(url, trusted)).toThrow('has to be .../SimpleNotificationService-<hex>.pem');
  });

  it.each([
    ['another port', `http://127.0.0.1:4567/${name}`],
    ['another scheme', `https://127.0.0.1:4566/${name}`],
    ['another name for the host', `http://localhost:4566/${name}`],
    ['user information', `http://user@127.0.0.1:4566/${name}`],
    ['a query', `http://127.0.0.1:4566/${name}?redirect=x`],
    ['another way to write the address', `http://0x7f000001:4566/${name}`],
  ])('does not admit %s', (_, url) => {
    expect(() => check(url, trusted)).toThrow(
      expect.objectContaining({ code: 'certificate_url_not_allowed' }),
    );
  });

  it("leaves AWS's own host allowed", () => {
    expect(() => check(`https://${host}${path}`, trusted)).not.toThrow();
  });

  it('is named to whoever uses another one', () => {
    expect(() => check(`http://127.0.0.1:4566/${name}`)).toThrow('AWS_ENDPOINT_URL_SNS');
  });
});

describe("AWS's own host as trusted origin", () => {
  it.each(['/evil.pem', `/folder${path}`])('frees no path there: %s', (other) => {
    const trusted = trustedCertificateOrigins(`https://${host}`);

    expect(() => check(`https://${host}${other}`, trusted)).toThrow('its path has to be /Simple');
  });
});

describe('trustedCertificateOrigins', () => {
  it('is empty where no endpoint is set', () => {
    expect(trustedCertificateOrigins(undefined)).toEqual([]);
  });

  it.each([
    ['http://localhost:4566/path?q', 'http://localhost:4566'],
    ['https://sns.test:443', 'https://sns.test'],
  ])('keeps scheme, host and port of %s', (url, origin) => {
    expect(trustedCertificateOrigins(url)).toEqual([origin]);
  });
});

it.each([
  ['http://127.0.0.1:4566', true],
  ['http://localhost', true],
  ['http://[::1]:1', true],
  ['http://localhost.example.org', false],
  ['http://127.0.0.1.example.org', false],
  ['https://10.0.0.1', false],
])('the origin %s is on loopback: %s', (origin, loopback) => {
  expect(isLoopback(origin)).toBe(loopback);
});
