import { describe, expect, it } from 'vitest';
import {
  bucketArn,
  bucketOwners,
  contextOf,
  managedPolicyArn,
  regionalArn,
} from '../../../src/file-processing/context.ts';
import { fileProcessingSettings } from '../../support/settings.ts';

const REGIONS = [
  ['us-gov-west-1', 'aws-us-gov'],
  ['us-east-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
] as const;

describe.each(REGIONS)('The context of %s', (region, partition) => {
  const tags = { Component: 'file-processing' };
  const context = contextOf(fileProcessingSettings({ aws_region: region }), '123456789012', tags);

  it('knows account, region and tags', () => {
    expect(context).toMatchObject({ account: '123456789012', region, tags });
  });

  it('names things of the region in its partition', () => {
    expect(regionalArn(context, 'sqs', 'letters')).toBe(
      `arn:${partition}:sqs:${region}:123456789012:letters`,
    );
  });

  it("names AWS's policies in its partition", () => {
    expect(managedPolicyArn(context, 'AmazonEKSClusterPolicy')).toBe(
      `arn:${partition}:iam::aws:policy/AmazonEKSClusterPolicy`,
    );
  });

  it('names a bucket in its partition', () => {
    expect(bucketArn(context, 'drop-box')).toBe(`arn:${partition}:s3:::drop-box`);
  });

  it('owns the bucket that publishes', () => {
    expect(bucketOwners(context)).toEqual([
      { account: '123456789012', bucketArns: [`arn:${partition}:s3:::drop-box`], sid: '' },
    ]);
  });
});
