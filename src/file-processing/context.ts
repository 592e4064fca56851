import type { Partition } from '@file-processing/contract/partition.ts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import type { BucketAccess } from '../policies/listener-policies.ts';
import type { BucketOwner } from '../policies/messaging-policies.ts';
import { type Bucket, bucketsOf, forgetsReports, type RoutingPlace } from '../settings/buckets.ts';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';

/** What every part of the stack needs to name things. */
export interface Context {
  readonly settings: FileProcessingSettings;
  readonly partition: Partition;
  readonly region: string;
  /** Account id, known at plan. */
  readonly account: string;
  /** Default tags, for what is launched by AWS and does not get the provider's. */
  readonly tags: Readonly<Record<string, string>>;
  /** Beginning of the name of each key. */
  readonly keyPrefix: string;
}

/** Puts a context together. */
export function contextOf(
  settings: FileProcessingSettings,
  account: string,
  tags: Readonly<Record<string, string>>,
): Context {
  const region = settings.aws_region;
  const partition = partitionOf(region);
  return { settings, partition, region, account, tags, keyPrefix: settings.cluster_name };
}

/** ARN of something in the stack's region and account. */
export function regionalArn(
  { partition, region, account }: Context,
  service: string,
  resource: string,
): string {
  return `arn:${partition.name}:${service}:${region}:${account}:${resource}`;
}

/** ARN of a policy that AWS manages. */
export function managedPolicyArn({ partition }: Context, name: string): string {
  return `arn:${partition.name}:iam::aws:policy/${name}`;
}

/** ARN of a bucket. */
export function bucketArn({ partition }: Context, name: string): string {
  return `arn:${partition.name}:s3:::${name}`;
}

/** What the listener reads and writes in buckets. @param places that it copies to */
export function accessOf(
  context: Context,
  buckets: readonly Bucket[],
  places: readonly RoutingPlace[],
): BucketAccess {
  const { settings, region, partition } = context;
  return {
    buckets: buckets.map(({ name, prefixes, keyArn }) => ({
      arn: bucketArn(context, name),
      readPrefixes: prefixes,
      keyArn,
    })),
    tags: settings.routing_tags,
    targets: places.map(({ bucket, prefix, keyArn }) => ({
      arn: bucketArn(context, bucket),
      prefix,
      keyArn,
    })),
    writePrefix: settings.report_prefix,
    deletesReports: forgetsReports(settings),
    s3Host: `s3.${region}.${partition.dnsSuffix}`,
  };
}

/** The buckets that publish to the topic, by the account that owns them. */
export function bucketOwners(context: Context): readonly BucketOwner[] {
  const byAccount = Map.groupBy(bucketsOf(context.settings), ({ account }) => account);
  return [...byAccount].map(([account, buckets]) => ({
    account: account || context.account,
    bucketArns: buckets.map(({ name }) => bucketArn(context, name)),
    sid: account,
  }));
}
