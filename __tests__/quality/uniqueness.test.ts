import { describe, expect, it } from 'vitest';
import { KeyBudget, KeyTable } from '../../quality/uniqueness.ts';

function remember(table: KeyTable, key: string | number, record: number): number {
  table.begin();
  if (typeof key === 'number') table.addNumber(key);
  else table.addBytes(Buffer.from(key), 0, Buffer.byteLength(key));
  return table.firstRecord(record);
}

describe('KeyTable', () => {
  it('tells 300,000 different keys apart and finds each again with its first record', () => {
    const table = new KeyTable(new KeyBudget(1_000_000));
    const wrong: number[] = [];
    for (let i = 1; i <= 300_000; i++) if (remember(table, `key-${i}`, i) !== 0) wrong.push(i);
    for (let i = 1; i <= 300_000; i++) if (remember(table, `key-${i}`, 1) !== i) wrong.push(i);
    expect(wrong).toStrictEqual([]);
    expect(table.complete).toBe(true);
  });

  it('tells neighbouring numbers and powers of two apart', () => {
    const table = new KeyTable(new KeyBudget(1_000_000));
    const keys = [
      ...Array.from({ length: 100_000 }, (_, i) => i),
      ...Array.from({ length: 900 }, (_, i) => 2 ** (i + 20)),
    ];
    expect(keys.filter((key, i) => remember(table, key, i + 1) !== 0)).toStrictEqual([]);
  });

  it('takes minus zero for zero', () => {
    const table = new KeyTable(new KeyBudget(10));
    remember(table, 0, 5);
    expect(remember(table, -0, 6)).toBe(5);
  });

  it('tells composite keys apart by where their parts end', () => {
    const table = new KeyTable(new KeyBudget(10));
    const add = (first: string, second: string, record: number): number => {
      table.begin();
      table.addBytes(Buffer.from(first), 0, first.length);
      table.addBytes(Buffer.from(second), 0, second.length);
      return table.firstRecord(record);
    };
    expect([add('ab', 'c', 1), add('a', 'bc', 2), add('ab', 'c', 3)]).toStrictEqual([0, 0, 1]);
  });

  it('still knows old keys, and says it is incomplete, once the budget is spent', () => {
    const budget = new KeyBudget(2);
    const one = new KeyTable(budget);
    const other = new KeyTable(budget);
    remember(one, 'a', 1);
    remember(other, 'a', 1);
    expect(one.complete).toBe(true);
    expect(remember(one, 'b', 2)).toBe(0);
    expect(one.complete).toBe(false);
    expect(other.complete).toBe(true);
    expect(remember(one, 'a', 3)).toBe(1);
    expect(remember(one, 'b', 4)).toBe(0);
  });
});
