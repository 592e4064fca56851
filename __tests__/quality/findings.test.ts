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
};

describe('FaultLog', () => {
  it('counts on after its list is full', () => {
    const log = new FaultLog(1);
    expect(log.countInRow('type-error')).toBe(true);
    log.list(FAULT);
    log.list(FAULT);
    expect(log.countInRow('type-error', 4)).toBe(false);
    expect(log.listed).toHaveLength(1);
    expect(log.total('type-error')).toBe(5);
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
