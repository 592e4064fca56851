import { describe, expect, it } from 'vitest';
import { type Fault, FaultLog } from '../../quality/findings.ts';

const FAULT: Fault = {
  type: 'type-error',
  record: 2,
  line: 2,
  byte: 9,
  field: 1,
  label: 'a',
  value: 'x',
  message: 'm',
  classification: 'internal',
  key: null,
};

describe('FaultLog', () => {
  const at = (column: number, fault: Partial<Fault> = {}): Fault => ({
    ...FAULT,
    field: column + 1,
    ...fault,
  });
  const list = (log: FaultLog, fault: Fault): boolean => {
    const column = (fault.field ?? 0) - 1;
    const room = log.countInRow(fault.type, column);
    if (room) log.list(fault, column);
    return room;
  };

  it('lists the first twenty of each kind and column, and counts on', () => {
    const log = new FaultLog(100);
    const room = Array.from({ length: 30 }, (_, record) => list(log, at(1, { record })));
    expect(room.filter(Boolean)).toHaveLength(20);
    expect(list(log, at(2))).toBe(true);
    expect(list(log, at(1, { type: 'constraint-error' }))).toBe(true);
    expect(log.listed).toHaveLength(22);
    expect(log.total('type-error')).toBe(31);
    expect([0, 1, 2].map((column) => log.countsOf(column))).toStrictEqual([
      {},
      { 'type-error': 30, 'constraint-error': 1 },
      { 'type-error': 1 },
    ]);
  });

  it('lists faults of the structure first, and gives up those of values for them', () => {
    const log = new FaultLog(1_000);
    for (let column = 0; column < 100; column++) {
      for (let record = 0; record < 10; record++) list(log, at(column, { record }));
    }
    expect(list(log, at(3))).toBe(false);
    expect(list(log, at(0, { type: 'stray-quote', record: 99 }))).toBe(true);
    expect(log.listed).toHaveLength(1_000);
    expect(log.listed[0]).toMatchObject({ type: 'stray-quote', record: 99 });
    expect(log.listed.filter(({ field }) => field === 100)).toHaveLength(9);
  });

  it('always lists the first fault of a kind', () => {
    const log = new FaultLog(1_000);
    for (let column = 0; column < 1_000; column++) list(log, at(column));
    list(log, at(0, { type: 'unique-error' }));
    list(log, at(1, { type: 'unique-error' }));
    expect(log.listed.filter(({ type }) => type === 'unique-error')).toHaveLength(1);
  });

  it('lists no more than 1 MiB of text', () => {
    const log = new FaultLog(1_000_000);
    for (let column = 0; column < 20_000; column++) list(log, at(column));
    expect(JSON.stringify(log.listed).length).toBeLessThan(1.2 * 1024 * 1024);
    expect(log.total('type-error')).toBe(20_000);
  });

  it('keeps a sample where few faults are listed', () => {
    const log = new FaultLog(1);
    list(log, at(0));
    list(log, at(1));
    expect([log.listed.length, log.sample.length]).toStrictEqual([1, 2]);
  });

  it('tells faults in rows from those elsewhere', () => {
    const log = new FaultLog(9);
    log.count('stray-quote');
    log.countInRow('stray-quote');
    expect([log.total('stray-quote'), log.inRows('stray-quote')]).toStrictEqual([2, 1]);
  });

  it('lists totals in the order of the kinds, without those that did not occur', () => {
    const log = new FaultLog(9);
    log.count('type-error');
    log.count('stray-quote');
    expect(Object.entries(log.counts())).toStrictEqual([
      ['stray-quote', 1],
      ['type-error', 1],
    ]);
  });
});
