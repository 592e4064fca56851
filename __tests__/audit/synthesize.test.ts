import { describe, expect, it } from 'vitest';
import { forSecondRegion, needsSecondRegion } from '../../audit/synthesize.ts';

describe('the second region', () => {
  it('takes the place of the first, of its zones, hosts and partition', () => {
    const text =
      'us-gov-west-1a arn:aws-us-gov:s3:::b arn:aws-us-gov:sns:us-gov-west-1:1:t x.us-gov-west-1.amazonaws.com';
    expect(forSecondRegion(text, 'us-gov-west-1')).toBe(
      'us-east-1a arn:aws:s3:::b arn:aws:sns:us-east-1:1:t x.us-east-1.amazonaws.com',
    );
  });

  it('takes the place of a region in China', () => {
    const text = 'arn:aws-cn:s3:::b sns.cn-north-1.amazonaws.com.cn';
    expect(forSecondRegion(text, 'cn-north-1')).toBe('arn:aws:s3:::b sns.us-east-1.amazonaws.com');
  });

  it('is owed for every partition but its own', () => {
    expect(needsSecondRegion('us-gov-east-1')).toBe(true);
    expect(needsSecondRegion('cn-north-1')).toBe(true);
    expect(needsSecondRegion('eu-central-1')).toBe(false);
  });
});
