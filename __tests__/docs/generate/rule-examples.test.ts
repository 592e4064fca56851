import { FAULT_TYPES, type FaultType } from '@file-processing/quality/faults.ts';
import { FIELD_KINDS, TYPE_PROPERTIES } from '@file-processing/quality/field-type.ts';
import type { TableField } from '@file-processing/quality/table-schema.ts';
import { THRESHOLDS } from '@file-processing/quality/thresholds.ts';
import { describe, expect, test } from 'vitest';
import {
  type CellExample,
  CONSTRAINT_EXAMPLES,
  DIALECT_EXAMPLES,
  FAULT_EXAMPLES,
  type FileExample,
  SCHEMA_EXAMPLES,
  THRESHOLD_EXAMPLES,
  TYPE_EXAMPLES,
} from '../../../docs/generate/rule-examples.ts';
import { NODE_PORTS } from '../../../listener/src/jobs/engine-ports.ts';
import { inspectBytes } from '../../quality/inspect-bytes.ts';

const { openScratch: _none, ...WITHOUT_SCRATCH } = NODE_PORTS;

/** The report on a column of these cells. */
function inspectColumn({ field }: CellExample, cells: readonly string[]) {
  const rows = cells.map((cell) => `1,"${cell.replaceAll('"', '""')}"`);
  const fields: TableField[] = [{ name: 'a' }, { name: 'b', ...field }];
  return inspectBytes(`a,b\n${rows.join('\n')}\n`, { expectation: { schema: { fields } } });
}

function inspectFile(
  { rule, bytes, limits, history, deliveredAt, ...texts }: Omit<FileExample, 'fault'>,
  which: 'good' | 'bad',
) {
  const file = Buffer.from(texts[which], bytes ? 'latin1' : 'utf8');
  const options = {
    ...{ expectation: rule, ...limits },
    ...(history === undefined ? {} : { history }),
    ...(deliveredAt === undefined ? {} : { deliveredAt: deliveredAt[which === 'good' ? 0 : 1] }),
  };
  return inspectBytes(file, options, [], WITHOUT_SCRATCH);
}

/** Each kind of fault in the report, once. */
function kinds(report: ReturnType<typeof inspectBytes>): FaultType[] {
  return Object.entries(report.faultCounts).flatMap(([type, count]) =>
    count > 0 ? [type as FaultType] : [],
  );
}

describe('an example of cells', () => {
  test.each(TYPE_EXAMPLES)('is true of the type: $field', (example) => {
    expect(inspectColumn(example, example.good).verdict).toBe('passed');
    expect(kinds(inspectColumn(example, example.bad))).toEqual(['type-error']);
  });

  test.each(Object.entries(CONSTRAINT_EXAMPLES))(
    'is true of the constraint %s',
    (name, example) => {
      const fault = name === 'unique' ? 'unique-error' : 'constraint-error';
      expect(inspectColumn(example, example.good).verdict).toBe('passed');
      const report = inspectColumn(example, example.bad);
      expect([kinds(report), report.verdict]).toEqual([[fault], 'failed']);
      if (fault === 'constraint-error') expect(report.faults[0]?.message).toMatch(name);
    },
  );
});

describe('an example of files', () => {
  test.each(Object.entries({ ...SCHEMA_EXAMPLES, ...DIALECT_EXAMPLES, ...THRESHOLD_EXAMPLES }))(
    'is true of %s',
    (_name, example) => {
      expect(inspectFile(example, 'good').verdict).toBe(example.verdict ?? 'passed');
      const report = inspectFile(example, 'bad');
      expect([kinds(report), report.verdict]).toEqual([
        expect.arrayContaining([example.fault]),
        'failed',
      ]);
    },
  );

  test.each(Object.entries(FAULT_EXAMPLES))('has the fault %s and no other', (fault, example) => {
    expect(kinds(inspectFile(example, 'good'))).toEqual([]);
    expect(kinds(inspectFile(example, 'bad'))).toEqual([fault]);
  });
});

describe('there is an example', () => {
  test('of each type, format and property of a type', () => {
    const seen = TYPE_EXAMPLES.map(({ field }) => field);
    for (const { type, formats } of FIELD_KINDS) {
      // Any text is a string, and is any.
      if (type === 'any') continue;
      const own = seen.filter((field) => field.type === type);
      const isPattern = (format = '') => format.includes('%');
      for (const format of formats) {
        if (type === 'string' && format === 'default') continue;
        const shown = own.some((field) =>
          format.includes(' ') ? isPattern(field.format) : (field.format ?? 'default') === format,
        );
        expect(shown, `${type} ${format}`).toBe(true);
      }
    }
    expect(seen.flatMap(Object.keys)).toEqual(
      expect.arrayContaining(TYPE_PROPERTIES.map(({ name }) => name)),
    );
  });

  test('of each threshold and kind of fault', () => {
    expect(Object.keys(THRESHOLD_EXAMPLES)).toEqual(THRESHOLDS.map(({ name }) => name));
    expect(Object.keys(FAULT_EXAMPLES)).toEqual(FAULT_TYPES);
  });
});
