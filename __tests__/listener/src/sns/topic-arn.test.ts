import { describe, expect, it } from 'vitest';
import { parseTopicArn, signingHost } from '../../../../listener/src/sns/topic-arn.ts';
import { topicOf } from '../../support/sns-messages.ts';

describe('parseTopicArn', () => {
  it('splits an ARN', () => {
    const arn = 'arn:aws-us-gov:sns:us-gov-west-1:270022076279:file-processing-topic';

    expect(parseTopicArn(arn)).toEqual({
      arn,
      partition: 'aws-us-gov',
      region: 'us-gov-west-1',
      accountId: '270022076279',
      name: 'file-processing-topic',
    });
  });

  it('takes the name of a FIFO topic', () => {
    expect(parseTopicArn('arn:aws:sns:us-east-1:000000000000:a.fifo')?.name).toBe('a.fifo');
  });

  it.each([
    '',
    'file-processing-topic',
    'arn:aws:sqs:us-east-1:000000000000:queue',
    'arn:aws-iso:sns:us-iso-east-1:000000000000:t',
    'arn:toString:sns:us-east-1:000000000000:t',
    'arn:aws:sns:s3-us-west-2:000000000000:t',
    'arn:aws:sns:us-east-1.evil.example:000000000000:t',
    'arn:aws:sns:us-east-1:0:t',
    'arn:aws:sns:us-east-1:000000000000:t:c9135db0-26c4-47ec-8998-413945fb5a96',
    'arn:aws:sns:us-east-1:000000000000:t\n',
    ' arn:aws:sns:us-east-1:000000000000:t',
  ])('knows no topic in %j', (arn) => {
    expect(parseTopicArn(arn)).toBeUndefined();
  });
});

describe('signingHost', () => {
  it.each([
    ['arn:aws:sns:us-east-1:000000000000:t', 'sns.us-east-1.amazonaws.com'],
    ['arn:aws-us-gov:sns:us-gov-west-1:000000000000:t', 'sns.us-gov-west-1.amazonaws.com'],
    ['arn:aws-cn:sns:cn-north-1:000000000000:t', 'sns.cn-north-1.amazonaws.com.cn'],
    ['arn:aws:sns:ap-southeast-4:000000000000:t', 'sns.ap-southeast-4.amazonaws.com'],
  ])('is for %s the host %s', (arn, host) => {
    expect(signingHost(topicOf(arn))).toBe(host);
  });
});
