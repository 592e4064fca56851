import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyBudget } from '../../quality/key-index.ts';
import { KeyTable, UNKNOWN } from '../../quality/uniqueness.ts';

function table(budget = new KeyBudget(2 ** 27)): KeyTable {
  return new KeyTable(budget, crypto.getRandomValues(new Int32Array(4)));
}

function remember(keys: KeyTable, key: string | number, record: number): number {
  keys.begin();
  if (typeof key === 'number') keys.addNumber(key);
  else keys.addBytes(Buffer.from(key), 0, Buffer.byteLength(key));
  return keys.firstRecord(record);
}

describe('KeyTable', () => {
  it('tells 300,000 different keys apart and finds each again with its first record', () => {
    const keys = table();
    const wrong: number[] = [];
    for (let i = 1; i <= 300_000; i++) if (remember(keys, `key-${i}`, i) !== 0) wrong.push(i);
    for (let i = 1; i <= 300_000; i++) if (remember(keys, `key-${i}`, 1) !== i) wrong.push(i);
    expect(wrong).toStrictEqual([]);
  });

  it('tells neighbouring numbers and powers of two apart', () => {
    const keys = table();
    const numbers = [
      ...Array.from({ length: 100_000 }, (_, i) => i),
      ...Array.from({ length: 900 }, (_, i) => 2 ** (i + 20)),
    ];
    expect(numbers.filter((key, i) => remember(keys, key, i + 1) !== 0)).toStrictEqual([]);
  });

  it('takes minus zero for zero', () => {
    const keys = table();
    remember(keys, 0, 5);
    expect(remember(keys, -0, 6)).toBe(5);
    const integers = table();
    integers.firstRecordOfInteger(-0, 5);
    expect(integers.firstRecordOfInteger(0, 6)).toBe(5);
  });

  it('tells composite keys apart by where their parts end', () => {
    const keys = table();
    const add = (first: string, second: string, record: number): number => {
      keys.begin();
      keys.addBytes(Buffer.from(first), 0, first.length);
      keys.addBytes(Buffer.from(second), 0, second.length);
      return keys.firstRecord(record);
    };
    expect([add('ab', 'c', 1), add('a', 'bc', 2), add('ab', 'c', 3)]).toStrictEqual([0, 0, 1]);
  });

  it('still knows old keys, and says which it does not know, once the budget is spent', () => {
    const budget = new KeyBudget(2_000);
    const one = table(budget);
    const other = table(budget);
    const answers = Array.from({ length: 100 }, (_, i) => remember(one, `${i}`, i + 1));
    const known = answers.indexOf(UNKNOWN);
    expect(known).toBeGreaterThan(30);
    expect(answers).toStrictEqual([...Array(known).fill(0), ...Array(100 - known).fill(UNKNOWN)]);
    expect(remember(one, `${known - 1}`, 500)).toBe(known);
    expect(remember(one, `${known}`, 500)).toBe(UNKNOWN);
    expect(remember(other, '0', 500)).toBe(UNKNOWN);
    one.clear();
    expect(remember(other, '0', 500)).toBe(0);
  });

  it('knows as many keys in every run, whatever its secret', () => {
    const known = (): number => {
      const keys = table(new KeyBudget(100_000));
      let count = 0;
      while (remember(keys, `${count}`, count + 1) === 0) count++;
      return count;
    };
    const first = known();
    expect([known(), known(), known()]).toStrictEqual([first, first, first]);
    expect(first).toBeGreaterThan(100_000 / 33);
  });
});

describe('integers of a KeyTable', () => {
  it('take no memory to speak of while they count up', () => {
    const keys = table(new KeyBudget(100));
    const answers = new Set<number>();
    for (let i = 0; i < 100_000; i++) answers.add(keys.firstRecordOfInteger(i - 50_000, i + 2));
    expect([...answers]).toStrictEqual([0]);
    expect(keys.firstRecordOfInteger(-50_000, 200_000)).toBe(2);
    expect(keys.firstRecordOfInteger(49_999, 200_001)).toBe(100_001);
  });

  it('beyond what a number holds exactly are told apart by their value', () => {
    const keys = table();
    const integers = [2 ** 52, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1e300];
    expect(integers.map((value, i) => keys.firstRecordOfInteger(value, i + 1))).toStrictEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(keys.firstRecordOfInteger(2 ** 53, 9)).toBe(2);
  });

  it('have the first record that a map has, in any order and with any budget', () => {
    const runs = fc.tuple(fc.integer({ min: -30, max: 3_000 }), fc.integer({ min: 1, max: 40 }));
    const rows = fc
      .array(runs, { maxLength: 200, size: 'max' })
      .map((all) =>
        all.flatMap(([start, count]) => Array.from({ length: count }, (_, i) => start + i)),
      );
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 40_000 }), (values, bytes) => {
        const keys = table(new KeyBudget(bytes));
        const first = new Map<number, number>();
        for (const [index, value] of values.entries()) {
          const answer = keys.firstRecordOfInteger(value, index + 2);
          if (answer === UNKNOWN) expect(first.has(value)).toBe(false);
          else expect(answer).toBe(first.get(value) ?? 0);
          if (answer === 0) first.set(value, index + 2);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are found after runs were given up for hashes', () => {
    const keys = table();
    const answers = new Set<number>();
    // Every second one, and so none goes on with another.
    for (let i = 1; i <= 5_000; i++) answers.add(keys.firstRecordOfInteger(i * 2, i));
    for (let i = 1; i <= 5_000; i++) answers.add(keys.firstRecordOfInteger(i * 2, 9_000) - i);
    expect([...answers]).toStrictEqual([0]);
  });
});
