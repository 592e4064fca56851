import { topicIn } from '@file-processing/contract/arn.ts';
import { expect, test } from 'vitest';
import {
  checkQueueArn,
  deadLetterQueueOf,
  redriveTarget,
} from '../../../../src/operations/topics/dead-letter-queue.ts';

test("the stack's dead-letter queue is named after its topic, in its partition", () => {
  const arn = deadLetterQueueOf(topicIn('us-gov-west-1', '123456789012', 'topic'));
  expect(arn).toBe('arn:aws-us-gov:sqs:us-gov-west-1:123456789012:topic-dead-letter');
  expect(checkQueueArn(arn)).toBe(arn);
});

test.each([
  ['{"deadLetterTargetArn":"queue"}', 'queue'],
  ['{ "deadLetterTargetArn" : "queue" }', 'queue'],
  ['{}', undefined],
  ['', undefined],
  [undefined, undefined],
])('the redrive policy %j names %j', (policy, target) => {
  expect(redriveTarget(policy)).toBe(target);
});

test.each(['', 'queue', 'arn:aws:sns:us-east-1:123456789012:x', 'arn:aws:sqs:us-east-1:1:x'])(
  '%j is not the ARN of a queue',
  (arn) => {
    expect(() => checkQueueArn(arn)).toThrow('is not the ARN of an SQS standard queue');
  },
);
