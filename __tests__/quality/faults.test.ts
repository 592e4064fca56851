import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECKS, FAULT_KINDS, FAULT_TYPES } from '../../quality/faults.ts';
import { FIELD_TYPES } from '../../quality/field-type.ts';
import { VERDICTS } from '../../quality/verdict.ts';

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

  it('are the kinds of the checks', () => {
    const kinds = new Set(CHECKS.flatMap((check) => check.kinds));
    expect(kinds).toStrictEqual(new Set(FAULT_TYPES));
  });

  it('and the other tables are what the JSON Schema of reports lists', () => {
    const file = new URL('../../quality/report.schema.json', import.meta.url);
    const { $defs, properties } = JSON.parse(readFileSync(file, 'utf8'));
    expect($defs.faultType.enum).toStrictEqual(FAULT_TYPES);
    expect($defs.fieldType.enum).toStrictEqual(FIELD_TYPES);
    expect(properties.verdict.enum).toStrictEqual(VERDICTS);
  });
});
