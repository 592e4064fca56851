import { expect, it } from 'vitest';
import {
  httpDeliveryPolicy,
  totalRetrySeconds,
} from '../../../src/policies/http-delivery-policy.ts';

const defaults = { minDelaySeconds: 5, maxDelaySeconds: 60, retries: 65, maxReceivesPerSecond: 0 };

it('retries quickly first, then ever more slowly, for nearly the hour that SNS allows', () => {
  const policy = httpDeliveryPolicy(defaults);
  expect(policy.healthyRetryPolicy).toEqual({
    minDelayTarget: 5,
    maxDelayTarget: 60,
    numRetries: 65,
    numNoDelayRetries: 0,
    numMinDelayRetries: 5,
    numMaxDelayRetries: 50,
    backoffFunction: 'linear',
  });
  expect(totalRetrySeconds(policy)).toBe(3350);
});

it.each([0, 1, 5, 6, 15, 16, 100])(
  'never counts more retries in its phases than %i in all',
  (retries) => {
    const { healthyRetryPolicy: policy } = httpDeliveryPolicy({ ...defaults, retries });
    expect(policy.numMinDelayRetries + policy.numMaxDelayRetries).toBeLessThanOrEqual(retries);
  },
);

it('limits the rate only when asked to', () => {
  expect(httpDeliveryPolicy(defaults)).not.toHaveProperty('throttlePolicy');
  expect(httpDeliveryPolicy({ ...defaults, maxReceivesPerSecond: 10 }).throttlePolicy).toEqual({
    maxReceivesPerSecond: 10,
  });
});
