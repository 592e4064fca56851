/**
 * What a notice can tell of: a delivery was judged (`passed`, `warned`, `failed`), is good after one of the same name that
 * was not (`recovered`), has another verdict than it had (`corrected`), or did not come in time (`late`, `missing`).
 */
export const NOTICE_STATES = [
  'passed',
  'warned',
  'failed',
  'recovered',
  'corrected',
  'late',
  'missing',
] as const;

/** One of {@link NOTICE_STATES}. */
export type NoticeState = (typeof NOTICE_STATES)[number];

/** What people are told of where nothing else is asked for: what somebody has to act on, and its end. */
export const DEFAULT_NOTICE_STATES: readonly NoticeState[] = [
  'failed',
  'recovered',
  'corrected',
  'late',
  'missing',
];

/** What {@link isMailAddress} accepts, in words. */
export const MAIL_ADDRESS = 'an e-mail address such as ana@example.org, without a name';

/**
 * Whether a text is one plain e-mail address (WHATWG HTML, "Valid e-mail address", with a dot in the domain, and no more
 * than 254 characters): nothing in it ends a header line, begins another address or is a comment.
 */
export function isMailAddress(text: string): boolean {
  return (
    text.length <= 254 &&
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(
      text,
    )
  );
}

/** Whether an address belongs to an identity of Amazon SES: itself, its domain, or one above it (Amazon SES Developer Guide, "Verified identities"). */
export function isOfIdentity(address: string, identity: string): boolean {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  const owner = identity.toLowerCase();
  return owner === address.toLowerCase() || owner === domain || domain.endsWith(`.${owner}`);
}

/** Whether a host is this machine: what is sent to it can't be read on the way. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}

/** What {@link readWebhookUrl} accepts, in words. */
export const WEBHOOK_URL =
  'an https address without user name, query or fragment; http only on this machine';

/** An address that notices may be posted to; undefined for another text. */
export function readWebhookUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.username || url.password || url.search || url.hash) return undefined;
  if (url.protocol === 'https:') return url.href;
  return url.protocol === 'http:' && isLoopbackHost(url.hostname) ? url.href : undefined;
}

/** What {@link readWebhookSecrets} accepts, in words. */
export const WEBHOOK_SECRETS =
  'one secret, or the new and the old one with a blank between them, each whsec_ and 24 to 64 bytes in base64';

/** The keys by which notices are signed (Standard Webhooks, "Signature scheme"): all of them sign, so that a receiver may know any. */
export function readWebhookSecrets(text: string): readonly string[] | undefined {
  const secrets = text.trim().split(/\s+/);
  const areSecrets = secrets.every((secret) => {
    if (!/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(secret)) {
      return false;
    }
    const bytes = Math.floor((secret.length - 'whsec_'.length) * 0.75) - padding(secret);
    return bytes >= 24 && bytes <= 64;
  });
  return areSecrets && secrets.length <= 3 ? secrets : undefined;
}

function padding(text: string): number {
  return /=*$/.exec(text)?.[0].length ?? 0;
}
