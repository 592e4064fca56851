import { expect, it } from 'vitest';
import { httpDeliveryPolicy } from '../../../src/policies/http-delivery-policy.ts';

const defaults = { minDelaySeconds: 5, maxDelaySeconds: 60, retries: 65, maxReceivesPerSecond: 0 };

it('writes the phases of the retries as SNS wants them', () => {
  expect(httpDeliveryPolicy(defaults).healthyRetryPolicy).toStrictEqual({
    minDelayTarget: 5,
    maxDelayTarget: 60,
    numRetries: 65,
    numNoDelayRetries: 0,
    numMinDelayRetries: 5,
    numMaxDelayRetries: 50,
    backoffFunction: 'linear',
  });
});

it('limits the rate only when asked to', () => {
  expect(httpDeliveryPolicy(defaults)).not.toHaveProperty('throttlePolicy');
  expect(
    httpDeliveryPolicy({ ...defaults, maxReceivesPerSecond: 10 }).throttlePolicy,
  ).toStrictEqual({
    maxReceivesPerSecond: 10,
  });
});
