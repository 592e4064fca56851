import { expect, test } from 'vitest';
import { problemsOf, subscriptionRow } from '../../../../src/operations/topics/probe.ts';
import type { Subscription } from '../../../../src/operations/topics/subscriptions.ts';

const subscription = (parts: Partial<Subscription> = {}): Subscription => ({
  arn: 'arn:aws:sns:us-east-1:123456789012:topic:1',
  protocol: 'https',
  endpoint: 'https://files.example.gov/',
  state: 'confirmed',
  attributes: {},
  ...parts,
});
const queue = { arn: 'queue', messages: 0, inFlight: 0, delayed: 0, problem: undefined };

test('a confirmed subscription and an empty queue are not a problem', () => {
  expect(problemsOf([subscription()], [queue])).toEqual([]);
});

test.each([
  ['nobody is subscribed', [], []],
  ['nobody is subscribed', [subscription({ state: 'deleted' })], []],
  ['has not confirmed', [subscription({ state: 'pending' })], []],
  ['gets raw messages', [subscription({ attributes: { RawMessageDelivery: 'true' } })], []],
  ['queue holds 3 messages', [subscription()], [{ ...queue, messages: 3 }]],
  [
    'queue could not be read: AccessDenied',
    [subscription()],
    [{ ...queue, messages: undefined, delayed: undefined, problem: 'AccessDenied' }],
  ],
] as const)('a problem: %s', (problem, subscriptions, queues) => {
  expect(problemsOf(subscriptions, queues)).toEqual([expect.stringContaining(problem)]);
});

test('raw delivery to a queue is not a problem', () => {
  const attributes = { RawMessageDelivery: 'true' };
  expect(problemsOf([subscription({ protocol: 'sqs', attributes })], [])).toEqual([]);
});

test('a row tells retries and dead-letter queue', () => {
  const attributes = {
    EffectiveDeliveryPolicy:
      '{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":60,"numRetries":65}}',
    RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:lost"}',
  };
  expect(subscriptionRow(subscription({ attributes }))).toEqual([
    ...['confirmed', 'https', 'https://files.example.gov/', '65, 5 to 60 s apart', 'lost', 'none'],
  ]);
});
