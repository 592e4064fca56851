import { expect, test } from 'vitest';
import { groupCommit } from '../../../../listener/src/database/group-commit.ts';
import { eventually } from '../../../support/eventually.ts';

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

test('calls of one turn go together where the group gathers', async () => {
  const { groups, run } = manual();
  const work = groupCommit({ run, groupsAtOnce: 1, largestGroup: 10, gathers: true });
  const results = [work(1), work(2)];
  expect(groups).toEqual([]);
  await eventually(() => expect(groups.map(({ items }) => items)).toEqual([[1, 2]]));
  groups[0]?.end();
  expect(await Promise.all(results)).toEqual([10, 20]);
});

test('a group has one item of a key', async () => {
  const { groups, run } = manual();
  const keyOf = (item: number) => `${item % 10}`;
  const work = groupCommit({ run, groupsAtOnce: 1, largestGroup: 10, gathers: true, keyOf });
  const results = [1, 11, 2, 21].map(work);
  for (const index of [0, 1, 2]) {
    await eventually(() => expect(groups).toHaveLength(index + 1));
    groups[index]?.end();
  }
  expect(groups.map(({ items }) => items)).toEqual([[1, 2], [11], [21]]);
  expect(await Promise.all(results)).toEqual([10, 110, 20, 210]);
});

test('an item that is refused fails alone where each is tried alone', async () => {
  const refuse = new Error('refused');
  const run = async (items: readonly number[]) => {
    if (items.includes(2)) throw refuse;
    return items.map((item) => item * 10);
  };
  const options = { run, groupsAtOnce: 1, largestGroup: 10, gathers: true };
  const work = groupCommit({ ...options, triesAlone: (error) => error === refuse });
  expect(await Promise.allSettled([1, 2, 3].map(work))).toEqual([
    { status: 'fulfilled', value: 10 },
    { status: 'rejected', reason: refuse },
    { status: 'fulfilled', value: 30 },
  ]);
  const together = groupCommit({ ...options, triesAlone: () => false });
  const settled = await Promise.allSettled([1, 2, 3].map(together));
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

test('a further group waits as long as there is patience with the first', async () => {
  const { groups, run } = manual();
  const options = { run, groupsAtOnce: 2, largestGroup: 10 };
  const patient = groupCommit({ ...options, patienceMs: 60_000 });
  const results = [patient(1), patient(2), patient(3)];
  await new Promise(setImmediate);
  expect(groups.map(({ items }) => items)).toEqual([[1]]);
  groups[0]?.end();
  await results[0];
  expect(groups[1]?.items).toEqual([2, 3]);
  groups[1]?.end();
  expect(await Promise.all(results)).toEqual([10, 20, 30]);
});

test('a group that takes longer than that holds up no other', async () => {
  const { groups, run } = manual();
  const work = groupCommit({ run, groupsAtOnce: 2, largestGroup: 10, patienceMs: 1 });
  const slow = work(1);
  const fast = work(2);
  await eventually(() => expect(groups).toHaveLength(2));
  groups[1]?.end();
  expect(await fast).toBe(20);
  groups[0]?.end();
  expect(await slow).toBe(10);
});
