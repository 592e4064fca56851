import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../../listener/src/jobs/engine-ports.ts';
import type { EnginePorts } from '../../../quality/ports.ts';
import type { TableSchema } from '../../../quality/table-schema.ts';
import { inspectBytes, places } from '../inspect-bytes.ts';

const TREE: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'parent', type: 'integer' },
  ],
  foreignKeys: [{ fields: 'parent', reference: { fields: 'id' } }],
};

/** The report on rows of an id and a parent. */
function inspectTree(rows: readonly string[], options = {}, ports: EnginePorts = NODE_PORTS) {
  const text = `id,parent\n${rows.join('\n')}\n`;
  return inspectBytes(text, { expectation: { schema: TREE }, ...options }, [], ports);
}

describe('foreign keys within a file', () => {
  it('refer to rows before and after, and to the row itself', () => {
    expect(inspectTree(['1,2', '2,1', '3,3', '4,']).verdict).toBe('passed');
  });

  it('compare values, however they are written', () => {
    expect(inspectTree(['1,02', '+2,01']).verdict).toBe('passed');
  });

  it('are named with record, line and columns when no row has their value', () => {
    const report = inspectTree(['1,9', '2,1', '3,8']);
    expect(places(report)).toStrictEqual(['foreign-key 2:2', 'foreign-key 4:2']);
    expect(report.faults[1]).toMatchObject({
      line: 4,
      byte: 20,
      label: 'parent',
      message: 'No row has this parent as its id.',
    });
    expect([report.verdict, report.faultyRows]).toStrictEqual(['failed', 2]);
  });

  it('are not judged where a value is not of its type', () => {
    expect(places(inspectTree(['1,x', '2,1']))).toStrictEqual(['type-error 2:2']);
  });

  it('of several fields are compared together, and not where one is null', () => {
    const schema: TableSchema = {
      fields: ['a', 'b', 'c', 'd'].map((name) => ({ name })),
      foreignKeys: [{ fields: ['c', 'd'], reference: { resource: '', fields: ['a', 'b'] } }],
    };
    const text = 'a,b,c,d\nx,y,,y\nu,v,x,y\nw,z,x,v\nxy,t,x,\n';
    expect(places(inspectBytes(text, { expectation: { schema } }))).toStrictEqual([
      'foreign-key 4:3',
    ]);
  });

  it('have columns that may not be absent', () => {
    const schema: TableSchema = { ...TREE, fieldsMatch: 'superset' };
    const report = inspectBytes('parent\n1\n', { expectation: { schema } });
    expect(report.faultCounts).toStrictEqual({ 'missing-label': 1 });
  });

  it('only warn where that is said', () => {
    const expectation = { schema: TREE, thresholds: { warnOn: ['foreign-key' as const] } };
    expect(inspectTree(['1,2'], { expectation }).verdict).toBe('warned');
  });

  it('agree with a set of the keys, in any order, and whatever has room in memory', () => {
    const row = fc.tuple(fc.nat(40), fc.option(fc.nat(40)));
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0, 200, 1_000, 1_000_000),
        (rows, maxKeyBytes) => {
          const ids = new Set(rows.map(([id]) => id));
          const expected = rows.flatMap(([, parent], index) =>
            parent === null || ids.has(parent) ? [] : [index + 2],
          );
          const report = inspectTree(
            rows.map(([id, parent]) => `${id},${parent ?? ''}`),
            { maxKeyBytes },
          );
          expect(report.faultCounts['foreign-key'] ?? 0).toBe(expected.length);
          expect(report.faults.map(({ record }) => record)).toStrictEqual(expected.slice(0, 20));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that have no place in memory are written down and found again', () => {
    const rows = Array.from({ length: 90_000 }, (_, index) => `${index},${89_999 - index}`);
    rows[70_000] = '70000,123456789';
    const report = inspectTree(rows, { maxKeyBytes: 10_000 });
    expect(places(report)).toStrictEqual(['foreign-key 70002:2']);
  });

  it('without scratch space are found to be incomplete, which fails', () => {
    const rows = Array.from({ length: 90_000 }, (_, index) => `${index},${89_999 - index}`);
    const { openScratch: _, ...ports } = NODE_PORTS;
    const report = inspectTree(rows, { maxKeyBytes: 10_000 }, ports);
    expect(report.verdict).toBe('failed');
    expect(report.faultCounts['key-check-incomplete']).toBe(1);
  });
});
