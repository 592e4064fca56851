import type { TopicArn } from '@file-processing/contract/arn.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { ListenerError } from '../errors.ts';

/** AWS serves certificates at its root, an emulator may in a folder: LocalStack in `/_aws/sns/`. */
const CERTIFICATE_NAME = /\/SimpleNotificationService-[0-9A-Fa-f]{1,64}\.pem$/;

/**
 * Decides whether a message's certificate may be fetched from the URL that it names. The URL is
 * not signed, so whoever may choose it freely can sign anything.
 *
 * From AWS: exactly `https://sns.<region>.<domain>/SimpleNotificationService-<hex>.pem` with the
 * region of the allow-listed topic; a pattern over hosts would admit an S3 bucket called `sns`.
 * From a trusted origin (an endpoint that the operator has set): the same file name, in any folder, and
 * by http as well. An emulator of all of AWS serves the clients' objects at the same origin.
 *
 * @param url - SigningCertURL of the message
 * @param topic - the allow-listed topic
 * @param trustedOrigins - origins (scheme, host, port) as `URL.origin` writes them
 * @throws ListenerError `certificate_url_not_allowed`
 */
export function checkCertificateUrl(
  url: string,
  topic: TopicArn,
  trustedOrigins: readonly string[],
): void {
  const parsed = URL.parse(url);
  if (parsed === null) {
    throw notAllowed(url, 'it is not a URL');
  }
  // Not what the parser made of it but what was written: no tabs, backslashes, dots or case tricks.
  if (parsed.href !== url) {
    throw notAllowed(url, 'it is not in its normal form');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw notAllowed(url, 'it has user information');
  }
  if (url.includes('?') || url.includes('#')) {
    throw notAllowed(url, 'it has a query or a fragment');
  }
  const host = signingHost(topic);
  const isAws = parsed.origin === `https://${host}`;
  if (!isAws && !trustedOrigins.includes(parsed.origin)) {
    throw notAllowed(url, `it has to begin with https://${host}/ (or with AWS_ENDPOINT_URL_SNS)`);
  }
  const name = CERTIFICATE_NAME.exec(parsed.pathname);
  if (name === null || (isAws && name.index > 0)) {
    const folder = isAws ? '/' : '.../';
    throw notAllowed(url, `its path has to be ${folder}SimpleNotificationService-<hex>.pem`);
  }
}

/**
 * The origin that `AWS_ENDPOINT_URL_SNS` adds for certificates. `AWS_ENDPOINT_URL` adds none: who sets it
 * for S3 or SQS does not mean that whatever lies there may sign messages.
 *
 * @param snsEndpoint - value of the variable, undefined where it is not set
 */
export function trustedCertificateOrigins(snsEndpoint: string | undefined): readonly string[] {
  return snsEndpoint === undefined ? [] : [new URL(snsEndpoint).origin];
}

/** Whether only this machine can answer at an origin. */
export function isLoopback(origin: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname);
}

/** The one host that serves the signing certificates for a topic's region. */
function signingHost({ region }: TopicArn): string {
  return `sns.${region}.${partitionOf(region).dnsSuffix}`;
}

function notAllowed(url: string, reason: string): ListenerError {
  return new ListenerError('certificate_url_not_allowed', { url, reason });
}
