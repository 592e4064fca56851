import type { FileProcessingSettings } from './file-processing-variables.ts';

/** A bucket that the clients drop their files into, and what in it is checked. */
export interface Bucket {
  readonly name: string;
  /** Key prefixes of the files that are checked; at least one. */
  readonly prefixes: readonly string[];
  /** Key suffix of the files that are checked; `''` for any. */
  readonly suffix: string;
  /** ARN of the KMS key that encrypts the objects; `''` for none of KMS. */
  readonly keyArn: string;
  /** Whether the stack owns the bucket's notification configuration. */
  readonly createNotifications: boolean;
  /** Twelve digits of another account that owns the bucket; `''` for the stack's own. */
  readonly account: string;
}

/** The buckets that the settings name, in their order; at least one. */
export function bucketsOf(settings: FileProcessingSettings): readonly Bucket[] {
  return [
    {
      name: settings.bucket_name,
      prefixes: settings.s3_prefixes,
      suffix: settings.s3_suffix,
      keyArn: settings.bucket_kms_key_arn,
      createNotifications: settings.create_s3_notifications,
      account: '',
    },
  ];
}
