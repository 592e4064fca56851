import { expect, it } from 'vitest';
import { httpRetryPhases, totalRetrySeconds } from '../../../src/settings/http-retries.ts';

it('retries quickly first, then ever more slowly', () => {
  expect(httpRetryPhases(65)).toStrictEqual({
    minDelayRetries: 5,
    backoffRetries: 10,
    maxDelayRetries: 50,
  });
});

it('takes nearly the hour that SNS allows with the defaults', () => {
  expect(totalRetrySeconds({ minDelaySeconds: 5, maxDelaySeconds: 60, retries: 65 })).toBe(3350);
});

it.each([0, 1, 5, 6, 15, 16, 100])('shares out exactly %i retries', (retries) => {
  const { minDelayRetries, backoffRetries, maxDelayRetries } = httpRetryPhases(retries);
  expect(minDelayRetries + backoffRetries + maxDelayRetries).toBe(retries);
});
