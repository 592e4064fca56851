import { expect, test } from 'vitest';
import { parseTopicArn, topicIn } from '../../../../src/operations/topics/topic-arn.ts';

test.each(['us-gov-west-1', 'us-east-1', 'cn-north-1'])(
  'the ARN of a topic in %s is taken apart',
  (region) => {
    const topic = topicIn(region, '123456789012', 'file-processing-topic');
    expect(parseTopicArn(topic.arn, '--topic-arn')).toEqual(topic);
  },
);

test.each([
  '',
  'file-processing-topic',
  'arn:aws:sqs:us-east-1:123456789012:queue',
  'arn:aws:sns:us-east-1:123456789012:topic.fifo',
  'arn:aws:sns:us-gov-west-1:123456789012:topic',
  'arn:aws-us-gov:sns:us-east-1:123456789012:topic',
  'arn:aws:sns:nowhere-1:123456789012:topic',
  'arn:aws:sns:us-east-1:1234:topic',
  'arn:aws:sns:us-east-1:123456789012:topic:subscription',
])('%j is no ARN of a topic, and the error says what gave it', (arn) => {
  expect(() => parseTopicArn(arn, 'SNS_TOPIC_ARN')).toThrow(`SNS_TOPIC_ARN ${JSON.stringify(arn)}`);
});
