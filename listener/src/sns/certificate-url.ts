import type { TopicArn } from '@file-processing/contract/arn.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { ListenerError } from '../errors.ts';

const certificatePath = /^\/SimpleNotificationService-[0-9A-Fa-f]{1,64}\.pem$/;

/**
 * Decides whether a message's certificate may be fetched from the URL that it names. The URL is
 * not signed, so whoever may choose it freely can sign anything.
 *
 * From AWS: exactly `https://sns.<region>.<domain>/SimpleNotificationService-<hex>.pem` with the
 * region of the allow-listed topic; a pattern over hosts would admit an S3 bucket called `sns`.
 * From a trusted origin (an endpoint that the operator has set): any path, http as well.
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
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) {
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
  if (parsed.origin === `https://${host}`) {
    if (!certificatePath.test(parsed.pathname)) {
      throw notAllowed(url, 'its path has to be /SimpleNotificationService-<hex>.pem');
    }
    return;
  }
  if (!trustedOrigins.includes(parsed.origin)) {
    throw notAllowed(url, `it has to begin with https://${host}/`);
  }
}

/**
 * The origins that `AWS_ENDPOINT_URL_SNS` and `AWS_ENDPOINT_URL` add for certificates.
 * Source: AWS SDKs and tools reference guide, "Service-specific endpoints".
 *
 * @param endpointUrls - values of the variables, undefined where one is not set
 * @throws RangeError where a value is not an http or https URL
 */
export function trustedCertificateOrigins(
  endpointUrls: readonly (string | undefined)[],
): readonly string[] {
  const origins = endpointUrls
    .filter((url): url is string => url !== undefined && url !== '')
    .map((url) => {
      const parsed = URL.canParse(url) ? new URL(url) : undefined;
      if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
        throw new RangeError(`An endpoint URL begins with http:// or https://, not ${url}`);
      }
      return parsed.origin;
    });
  return [...new Set(origins)];
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
