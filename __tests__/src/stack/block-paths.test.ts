import { DataAwsVpcs } from '@cdktf/provider-aws/lib/data-aws-vpcs/index.js';
import { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { Testing } from 'cdktf';
import { expect, test } from 'vitest';
import { AddressedStack } from '../../../src/stack/addressed-stack.ts';
import { blockPathsOf } from '../../../src/stack/block-paths.ts';

const stack = new AddressedStack(Testing.app(), 'stack');

test('the blocks of a resource are found, and the blocks in them', () => {
  const cluster = new EksCluster(stack, 'this', {
    name: 'c',
    roleArn: 'r',
    tags: { Name: 'c' },
    encryptionConfig: { provider: { keyArn: 'k' }, resources: ['secrets'] },
    vpcConfig: { subnetIds: ['s'] },
  });
  const paths = blockPathsOf(cluster);
  expect(paths).toEqual(
    expect.arrayContaining([
      'resource/aws_eks_cluster/this/vpc_config',
      'resource/aws_eks_cluster/this/encryption_config',
      'resource/aws_eks_cluster/this/encryption_config/provider',
    ]),
  );
  expect(paths).not.toContain('resource/aws_eks_cluster/this/tags');
});

test('the blocks of a data source are found', () => {
  const vpcs = new DataAwsVpcs(stack, 'vpcs', { filter: [{ name: 'n', values: ['v'] }] });
  expect(blockPathsOf(vpcs)).toContain('data/aws_vpcs/vpcs/filter');
});

test('the blocks of a provider are found, whose marks are spelt otherwise', () => {
  const aws = new AwsProvider(stack, 'aws', { defaultTags: [{ tags: { a: 'b' } }] });
  expect(blockPathsOf(aws)).toContain('provider/aws/default_tags');
});
