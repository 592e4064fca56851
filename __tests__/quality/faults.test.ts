import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, FAULT_TYPES, type Fault, FaultLog } from '../../quality/faults.ts';
import { FIELD_TYPES } from '../../quality/field-type.ts';
import { VERDICTS } from '../../quality/verdict.ts';

const FAULT: Fault = {
  type: 'type-error',
  record: 2,
  line: 2,
  byte: 9,
  field: 1,
  label: 'a',
  value: 'x',
  message: 'm',
};

describe('FAULT_KINDS', () => {
  it('explains each kind once, in sentences', () => {
    expect(new Set(FAULT_TYPES).size).toBe(FAULT_TYPES.length);
    for (const { meaning, remedy } of FAULT_KINDS) {
      expect([meaning, remedy]).toStrictEqual([
        expect.stringMatching(/^[A-Z].*\.$/),
        expect.stringMatching(/^[A-Z].*\.$/),
      ]);
    }
  });

  it('and the other tables are what the JSON Schema of reports lists', () => {
    const file = new URL('../../quality/report.schema.json', import.meta.url);
    const { $defs, properties } = JSON.parse(readFileSync(file, 'utf8'));
    expect($defs.faultType.enum).toStrictEqual(FAULT_TYPES);
    expect($defs.fieldType.enum).toStrictEqual(FIELD_TYPES);
    expect(properties.verdict.enum).toStrictEqual(VERDICTS);
  });
});

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
    expect([log.total('stray-quote'), log.inRows('stray-quote')]).toEqual([2, 1]);
  });

  it('lists totals in the order of the kinds, without those that did not occur', () => {
    const log = new FaultLog(9);
    log.count('type-error');
    log.count('stray-quote');
    expect(Object.entries(log.counts())).toEqual([
      ['stray-quote', 1],
      ['type-error', 1],
    ]);
  });
});
