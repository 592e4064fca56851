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

/** The variables for one bucket, by the attribute of `buckets` that says the same. */
export const ONE_BUCKET_VARIABLES = {
  name: 'bucket_name',
  prefixes: 's3_prefixes',
  suffix: 's3_suffix',
  kms_key_arn: 'bucket_kms_key_arn',
  create_notifications: 'create_s3_notifications',
} as const;

/** Whether the listener may delete reports and copies: without a place it writes none. */
export function forgetsReports({
  forget_reports,
  report_prefix,
  routing_targets,
}: Pick<FileProcessingSettings, 'forget_reports' | 'report_prefix' | 'routing_targets'>): boolean {
  return forget_reports && (report_prefix !== '' || routing_targets.length > 0);
}

/** The buckets that the settings name, in their order; at least one. */
export function bucketsOf(settings: FileProcessingSettings): readonly Bucket[] {
  if (settings.buckets.length > 0) {
    return settings.buckets.map((bucket) => ({
      name: bucket.name,
      prefixes: bucket.prefixes,
      suffix: bucket.suffix,
      keyArn: bucket.kms_key_arn,
      createNotifications: bucket.create_notifications,
      account: bucket.account_id === settings.account_id ? '' : bucket.account_id,
    }));
  }
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

/** A place that the listener may copy files to. */
export interface RoutingPlace {
  readonly bucket: string;
  /** Ends in a slash. */
  readonly prefix: string;
  /** ARN of the KMS key that encrypts copies; `''` for none of KMS. */
  readonly keyArn: string;
  /** Twelve digits of another account that owns the bucket; `''` for the stack's own. */
  readonly account: string;
}

/** The places that the settings name; in a bucket of deliveries with the key and the account that it has. */
export function routingPlaces(settings: FileProcessingSettings): readonly RoutingPlace[] {
  const buckets = bucketsOf(settings);
  return settings.routing_targets.map(({ bucket, prefix, kms_key_arn, account_id }) => {
    const own = buckets.find(({ name }) => name === bucket);
    const account = account_id === settings.account_id ? '' : account_id;
    return {
      ...{ bucket, prefix },
      keyArn: kms_key_arn || (own?.keyArn ?? ''),
      account: account || (own?.account ?? ''),
    };
  });
}

/** Other accounts that the stack may name: the trusted ones, and those of buckets. */
export function trustedAccounts(settings: FileProcessingSettings): readonly string[] {
  const accounts = [...bucketsOf(settings), ...routingPlaces(settings)].map(
    ({ account }) => account,
  );
  return [...new Set([...settings.trusted_accounts, ...accounts.filter(Boolean)])];
}

/** The setting that holds an attribute of one of {@link bucketsOf}, by its place there. */
export function bucketSetting(
  { buckets }: FileProcessingSettings,
  index: number,
  attribute: keyof typeof ONE_BUCKET_VARIABLES,
) {
  return buckets.length > 0
    ? (`buckets[${index}].${attribute}` as const)
    : ONE_BUCKET_VARIABLES[attribute];
}

/**
 * The pattern of an account's events of new objects (Amazon EventBridge User Guide, "Comparison operators for use in
 * event patterns"): keys as they are, since EventBridge doesn't encode them. A prefix ends in a slash and a suffix has
 * none, so that a wildcard between them means what both mean.
 *
 * @param buckets - at least one; those with the same keys share an alternative
 */
export function newObjectPattern(buckets: readonly Bucket[], account: string): object {
  const alike = Map.groupBy(buckets, ({ prefixes, suffix }) => JSON.stringify([prefixes, suffix]));
  const alternatives = [...alike.values()].map((group) => ({
    bucket: { name: group.map(({ name }) => name) },
    object: {
      key: (group[0]?.prefixes ?? []).map((prefix) =>
        group[0]?.suffix
          ? { wildcard: `${escapeWildcards(prefix)}*${escapeWildcards(group[0].suffix)}` }
          : { prefix },
      ),
    },
  }));
  return {
    source: ['aws.s3'],
    'detail-type': ['Object Created'],
    account: [account],
    detail: alternatives.length === 1 ? alternatives[0] : { $or: alternatives },
  };
}

/** Neither has a `*`, so that a backslash alone means something else there. */
function escapeWildcards(text: string): string {
  return text.replaceAll('\\', '\\\\');
}
