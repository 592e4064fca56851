import { describe, expect, it } from 'vitest';
import {
  synthesizeFileProcessing,
  synthesizeText,
} from '../../support/synthesized-file-processing.ts';

describe('The network', () => {
  const text = synthesizeText({ foundation_name_prefix: 'city' });

  it('is the one VPC of the name, or an error that says what to do', () => {
    expect(text).toHaveDataSourceAt('data.aws_vpcs.foundation', {
      filter: [{ name: 'tag:Name', values: ['city-vpc'] }],
      lifecycle: {
        postcondition: [
          {
            condition: '${length(self.ids) == 1}',
            error_message:
              'There must be exactly one VPC named city-vpc in us-gov-west-1: deploy foundation-network first, or set vpc_id.',
          },
        ],
      },
    });
  });

  it('has at least two private subnets of the name, as EKS needs, or an error that says so', () => {
    expect(text).toHaveDataSourceAt('data.aws_subnets.private', {
      filter: [
        { name: 'vpc-id', values: ['${one(data.aws_vpcs.foundation.ids)}'] },
        { name: 'tag:Name', values: ['city-private-*'] },
      ],
      lifecycle: {
        postcondition: [
          {
            condition: '${length(self.ids) >= 2}',
            error_message:
              'Fewer than two private subnets named city-private-* in VPC city-vpc: deploy foundation-network first, or check foundation_name_prefix and vpc_id.',
          },
        ],
      },
    });
  });

  it('takes cluster and nodes into the private subnets', () => {
    expect(text).toHaveResourceAt('aws_eks_cluster.this', {
      vpc_config: expect.objectContaining({ subnet_ids: '${data.aws_subnets.private.ids}' }),
    });
    expect(text).toHaveResourceAt('aws_eks_node_group.this', {
      subnet_ids: '${data.aws_subnets.private.ids}',
    });
  });
});

describe('The network of a given VPC', () => {
  const text = synthesizeText({ vpc_id: 'vpc-0a1b2c3d4e5f67890' });

  it('is not looked up by name', () => {
    expect(text).not.toHaveDataSourceAt('data.aws_vpcs.foundation');
    expect(synthesizeFileProcessing({ vpc_id: 'vpc-0a1b2c3d' }).data).not.toHaveProperty(
      'aws_vpcs',
    );
  });

  it('has its subnets found by name in that VPC', () => {
    expect(text).toHaveDataSourceAt('data.aws_subnets.private', {
      filter: [
        { name: 'vpc-id', values: ['vpc-0a1b2c3d4e5f67890'] },
        { name: 'tag:Name', values: ['etl-platform-private-*'] },
      ],
      lifecycle: {
        postcondition: [
          expect.objectContaining({
            error_message: expect.stringContaining('in VPC vpc-0a1b2c3d4e5f67890: '),
          }),
        ],
      },
    });
  });
});

describe('The network of others', () => {
  it('has its subnets found by tags of their own', () => {
    expect(synthesizeText({ private_subnet_tags: { tier: 'private' } })).toHaveDataSourceAt(
      'data.aws_subnets.private',
      {
        filter: [
          { name: 'vpc-id', values: ['${one(data.aws_vpcs.foundation.ids)}'] },
          { name: 'tag:tier', values: ['private'] },
        ],
        lifecycle: {
          postcondition: [
            {
              condition: '${length(self.ids) >= 2}',
              error_message:
                'Fewer than two subnets with the tags tier = private in VPC etl-platform-vpc: tag the subnets, or check private_subnet_tags and vpc_id.',
            },
          ],
        },
      },
    );
  });

  it('has its subnets by their ids, all of them in the VPC', () => {
    const ids = ['subnet-0a1b2c3d', 'subnet-0b1c2d3e'];
    expect(synthesizeText({ vpc_id: 'vpc-0a1b2c3d', private_subnet_ids: ids })).toHaveDataSourceAt(
      'data.aws_subnets.private',
      {
        filter: [
          { name: 'vpc-id', values: ['vpc-0a1b2c3d'] },
          { name: 'subnet-id', values: ids },
        ],
        lifecycle: {
          postcondition: [
            {
              condition: '${length(self.ids) == 2}',
              error_message:
                'Not all 2 of private_subnet_ids are in VPC vpc-0a1b2c3d: correct private_subnet_ids or vpc_id.',
            },
          ],
        },
      },
    );
  });
});
