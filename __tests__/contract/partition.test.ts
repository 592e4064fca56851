import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import {
  fipsHost,
  firstZones,
  hasFipsEndpoints,
  isRegion,
  isZoneOf,
  partitionOf,
} from '@file-processing/contract/partition.ts';
import { describe, expect, it } from 'vitest';

describe('partitionOf', () => {
  it.each([
    ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com'],
    ['us-gov-east-1', 'aws-us-gov', 'amazonaws.com'],
    ['us-east-1', 'aws', 'amazonaws.com'],
    ['cn-north-1', 'aws-cn', 'amazonaws.com.cn'],
  ])('puts %s into %s with hosts under %s', (region, name, dnsSuffix) => {
    expect(partitionOf(region)).toStrictEqual({ name, dnsSuffix });
  });
});

describe('isRegion', () => {
  it.each(['us-gov-west-1', 'us-east-1', 'cn-northwest-1', 'ap-southeast-5', 'mx-central-1'])(
    'accepts %s',
    (region) => expect(isRegion(region)).toBe(true),
  );

  it.each(['', 'us-gov-west', 'us-gov-west-1a', 'us-iso-east-1', 'US-EAST-1', 'eusc-de-east-1'])(
    'refuses "%s"',
    (region) => expect(isRegion(region)).toBe(false),
  );
});

describe('zones', () => {
  it('letters them from a on', () => {
    expect(firstZones('us-gov-west-1', 3)).toEqual([
      'us-gov-west-1a',
      'us-gov-west-1b',
      'us-gov-west-1c',
    ]);
  });

  it('leaves out a letter that the region does not have', () => {
    expect(firstZones('ap-northeast-1', 2)).toEqual(['ap-northeast-1a', 'ap-northeast-1c']);
  });

  it('gives fewer where a region has fewer', () => {
    expect(firstZones('us-west-1', 3)).toEqual(['us-west-1a', 'us-west-1c']);
  });

  it('knows a zone of the region from one of another region, and from a local zone', () => {
    expect(isZoneOf('us-west-2', 'us-west-2a')).toBe(true);
    expect(isZoneOf('us-west-2', 'us-east-1a')).toBe(false);
    expect(isZoneOf('us-west-2', 'us-west-2-lax-1a')).toBe(false);
    expect(isZoneOf('us-west-2', 'us-west-2')).toBe(false);
  });
});

describe('FIPS endpoints', () => {
  /** The host that the AWS SDK sends a service's call to, by its own rules. */
  async function hostByTheSdk(service: string, region: string): Promise<string> {
    let host = '';
    const configuration = {
      region,
      useFipsEndpoint: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      requestHandler: {
        handle: (request: { hostname: string }) => {
          host = request.hostname;
          throw new Error('not sent');
        },
      },
    };
    const calls: Record<string, () => Promise<unknown>> = {
      s3: () => new S3Client(configuration).send(new HeadBucketCommand({ Bucket: 'drop-box' })),
      sns: () => new SNSClient(configuration).send(new ListTopicsCommand({})),
      sqs: () => new SQSClient(configuration).send(new ListQueuesCommand({})),
      sts: () => new STSClient(configuration).send(new GetCallerIdentityCommand({})),
    };
    await expect(calls[service]?.()).rejects.toThrow('not sent');
    return host.replace(/^drop-box\./, '');
  }

  it.each(
    ['us-gov-west-1', 'us-gov-east-1', 'us-east-1', 'us-west-2', 'ca-central-1'].flatMap((region) =>
      ['s3', 'sns', 'sqs', 'sts'].map((service) => [service, region] as const),
    ),
  )('of %s in %s have the host that the AWS SDK calls', async (service, region) => {
    expect(fipsHost(service, region)).toBe(await hostByTheSdk(service, region));
  });

  it('are in the United States, GovCloud and Canada alone', () => {
    expect(['us-gov-west-1', 'us-east-2', 'ca-west-1'].every(hasFipsEndpoints)).toBe(true);
    expect(['eu-central-1', 'cn-north-1', 'ap-east-1', 'sa-east-1'].some(hasFipsEndpoints)).toBe(
      false,
    );
  });
});
