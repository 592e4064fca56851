/** What the name of a bucket looks like, in words. */
export const BUCKET_NAME =
  'a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, starting and ending with a letter or digit';

/** Whether a text can name a bucket (Amazon S3 User Guide, "General purpose bucket naming rules"). */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name)
  );
}

/**
 * Whether an account can have a bucket of the name. AWS keeps some names for itself: those of access
 * points' aliases, which stand in for a bucket's name, and of other kinds of buckets.
 */
export function isOwnBucketName(name: string): boolean {
  return (
    isBucketName(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) &&
    !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)
  );
}

/** What the end of keys looks like that a notification and the listener are limited to, in words. */
export const KEY_SUFFIX =
  '1 to 64 characters without wildcards, slashes, ${, %{ or control characters, and without blanks at its ends';

/** Whether a text can limit keys by their end. */
export function isKeySuffix(text: string): boolean {
  return text.length <= 64 && /^[^*?/]+$/.test(text) && isPlainKeyText(text);
}

/** What a key prefix looks like that a notification, rights and the listener are limited to, in words. */
export const KEY_PREFIX =
  'a key prefix: it ends in a slash, does not begin with one, and has at most 200 characters without commas, wildcards, ${, %{ or control characters, and without blanks at its ends';

/** Whether a text can limit keys by their beginning. */
export function isKeyPrefix(text: string): boolean {
  return text.length <= 200 && /^[^/*?,][^*?,]*\/$/.test(text) && isPlainKeyText(text);
}

/**
 * Of white space a blank alone, and inside; no control characters, which neither IAM nor a ConfigMap takes, and no
 * half of a surrogate pair; no `${`, which IAM takes for a policy variable in a resource
 * (IAM User Guide, "IAM policy elements: Variables and tags"), and no `%{`, which Terraform takes for a directive.
 */
function isPlainKeyText(text: string): boolean {
  return text === text.trim() && !/[^\S ]|[\p{Cc}\p{Cs}]|[$%]\{/u.test(text);
}

/** Source: Amazon S3 user guide, "Naming Amazon S3 objects". */
export const MAX_KEY_BYTES = 1024;

/** Why no object can have a key; undefined for a key of S3. */
export function keyProblem(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (key.includes('\0')) return 'has a NUL character';
  if (!key.isWellFormed()) return 'has half of a surrogate pair';
  const { length } = new TextEncoder().encode(key);
  return length > MAX_KEY_BYTES ? `is longer than ${MAX_KEY_BYTES} bytes` : undefined;
}

/**
 * Encodes a key as S3 does in its events: like a form, "+" for a blank, but with slashes. Half of a
 * surrogate pair, which no key of S3 has, becomes the replacement character.
 */
export function encodeKey(key: string): string {
  return new URLSearchParams({ key }).toString().slice('key='.length).replaceAll('%2F', '/');
}

/**
 * A key prefix or suffix as the filter of an event notification has it: percent-encoded, "+" for a blank, slashes
 * and S3's safe characters as they are. IAM and our own settings have it as it is.
 * Source: Amazon S3 user guide, "Configuring event notifications using object key name filtering".
 */
export function encodeKeyFilter(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%2F', '/').replaceAll('%20', '+');
}

/** The prefix or suffix that a filter stands for; what cannot be decoded stands for itself. */
export function decodeKeyFilter(filter: string): string {
  return decodeKey(filter) ?? filter;
}

/** The key that was encoded so; undefined where a percent sign begins no character of UTF-8. */
export function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
