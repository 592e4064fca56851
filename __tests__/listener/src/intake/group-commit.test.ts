import { expect, test } from 'vitest';
import { groupCommit } from '../../../../listener/src/intake/group-commit.ts';

/** Work that ends when the test says so. */
function manual() {
  const groups: { items: readonly number[]; end: (error?: Error) => void }[] = [];
  const run = (items: readonly number[]) =>
    new Promise<number[]>((resolve, reject) => {
      const end = (error?: Error) => (error ? reject(error) : resolve(items.map((n) => n * 10)));
      groups.push({ items, end });
    });
  return { groups, run };
}

test('the first call starts at once, what comes meanwhile goes together', async () => {
  const { groups, run } = manual();
  const work = groupCommit({ run, groupsAtOnce: 1, largestGroup: 10 });
  const results = [work(1), work(2), work(3)];
  expect(groups.map(({ items }) => items)).toEqual([[1]]);
  groups[0]?.end();
  expect(await results[0]).toBe(10);
  expect(groups[1]?.items).toEqual([2, 3]);
  groups[1]?.end();
  expect(await Promise.all(results)).toEqual([10, 20, 30]);
});

test('a group has a largest size', async () => {
  const { groups, run } = manual();
  const work = groupCommit({ run, groupsAtOnce: 1, largestGroup: 2 });
  const results = [1, 2, 3, 4].map(work);
  groups[0]?.end();
  await results[0];
  expect(groups[1]?.items).toEqual([2, 3]);
  groups[1]?.end();
  await results[2];
  groups[2]?.end();
  expect(await results[3]).toBe(40);
});

test('an error reaches everyone of its group and nobody else', async () => {
  const { groups, run } = manual();
  const work = groupCommit({ run, groupsAtOnce: 1, largestGroup: 10 });
  const first = work(1);
  const second = work(2);
  groups[0]?.end(new Error('away'));
  await expect(first).rejects.toThrow('away');
  groups[1]?.end();
  expect(await second).toBe(20);
});

test('one group that takes long does not hold up another', async () => {
  const { groups, run } = manual();
  const work = groupCommit({ run, groupsAtOnce: 2, largestGroup: 10 });
  const slow = work(1);
  const fast = work(2);
  groups[1]?.end();
  expect(await fast).toBe(20);
  groups[0]?.end();
  expect(await slow).toBe(10);
});
