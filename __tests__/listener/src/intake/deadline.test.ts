import { expect, test } from 'vitest';
import { withinDeadline } from '../../../../listener/src/intake/deadline.ts';

test('work that never ends means that the database is not available', async () => {
  const never = () => new Promise<void>(() => undefined);
  await expect(withinDeadline(1, never)).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringContaining('no answer within 1 ms'),
  });
});

test('an error of the connection is named and kept as the cause', async () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  await expect(withinDeadline(1000, () => Promise.reject(cause))).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    cause,
  });
});

test('any other error stays itself', async () => {
  const bug = new TypeError('bug');
  await expect(withinDeadline(1000, () => Promise.reject(bug))).rejects.toBe(bug);
});

test('work that ends in time gives its result', async () => {
  expect(await withinDeadline(1000, async () => 1)).toBe(1);
});
