import {
  firstZones,
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
