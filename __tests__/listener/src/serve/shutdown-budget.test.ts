import { expect, test } from 'vitest';
import { shutdownBudget } from '../../../../listener/src/serve/shutdown-budget.ts';

test.each([1, 25, 600])('jobs and requests fit before the exit within %i seconds', (seconds) => {
  const { jobs, requests, exit } = shutdownBudget(seconds);
  expect(jobs + requests).toBeLessThan(exit);
  expect(exit).toBeLessThan(seconds * 1000);
});
