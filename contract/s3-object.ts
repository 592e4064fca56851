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
