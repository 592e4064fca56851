import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { createInspection, type InspectOptions } from '../../quality/inspect.ts';
import type { TableField, TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes, places } from './inspect-bytes.ts';
import { PLANTINGS, SCHEMA, table, write } from './planted-fault.ts';

const TWO: TableSchema = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ],
};

const FIRST = { name: 'c0', type: 'integer' } as const;

describe('Inspection of a table that cannot be read', () => {
  const schema: TableSchema = { ...TWO, primaryKey: 'id' };
  const expectation = { schema, thresholds: { completeness: { name: 1 }, maxRows: 1 } };

  it('names the structure of most of its rows alone', () => {
    const text = 'id,name\n1,a\nx,\n1,a\n1\n2\n3,b,\n4,"c\n';
    const report = inspectBytes(text, { expectation });
    expect(report.structureOnly).toBe(true);
    expect(report.faultCounts).toStrictEqual({
      'unclosed-quote': 1,
      'missing-cell': 2,
      'extra-cell': 1,
    });
    expect(report.verdict).toBe('failed');
    expect(report.reasons).toStrictEqual([
      'The table cannot be read: 4 of 7 rows have a broken structure; maxBrokenRows is 0.5.',
      '4 faults in 4 of 7 rows.',
    ]);
    expect([report.faultyRows, report.faultCount, report.faults.length]).toStrictEqual([4, 4, 4]);
  });

  it('judges all where as many rows are sound, blank ones counted as such', () => {
    const text = 'id,name\n1,a\n\n\n\nx,b\n2\n';
    const report = inspectBytes(text, { expectation: { schema } });
    expect(report.structureOnly).toBeUndefined();
    expect(report.faultCounts).toStrictEqual({
      'blank-row': 3,
      'missing-cell': 1,
      'type-error': 1,
    });
  });

  it('judges all where such faults only warn, or are tolerated', () => {
    for (const thresholds of [{ warnOn: ['missing-cell' as const] }, { maxFaultyRows: 0.9 }]) {
      const report = inspectBytes('id,name\nx,a\n1\n2\n', { expectation: { schema, thresholds } });
      expect(report.structureOnly).toBeUndefined();
      expect(report.faultCounts['type-error']).toBe(1);
    }
  });

  it.each(['exact', 'subset', 'partial'] as const)(
    'names the header alone where none of its labels is known (%s)',
    (fieldsMatch) => {
      const report = inspectBytes('code,amount\nx,\ny,z\n', {
        expectation: { ...expectation, schema: { ...schema, fieldsMatch } },
      });
      expect([report.structureOnly, report.verdict]).toStrictEqual([true, 'failed']);
      expect(report.faults.every(({ record }) => record === 1)).toBe(true);
      expect(report.reasons[0]).toMatch('no label of the header is that of a field');
    },
  );

  it('judges all where one label is known or nearly so, or the header is accepted as it is', () => {
    const types = (text: string, thresholds = {}) =>
      inspectBytes(text, { expectation: { schema, thresholds } }).faultCounts['type-error'];
    expect(types('id,amount\nx,\n')).toBe(1);
    expect(types('code,nam\nx,\n')).toBe(1);
    expect(types('code,amount\nx,\n', { warnOn: ['incorrect-label'] })).toBe(1);
  });
});

describe('Rows of listed faults', () => {
  const rowsOf = (text: string, schema: TableSchema = TWO) =>
    inspectBytes(text, { expectation: { schema } }).listedRows;

  it('are kept with all their cells, each row once', () => {
    expect(rowsOf('id,name\n1,Ann\nx,"B ""en"""\n3,Cy\n')).toStrictEqual([
      { record: 3, field: 1, cells: ['x', 'B "en"'] },
    ]);
    const both: TableSchema = { fields: TWO.fields.map(({ name }) => ({ name, type: 'integer' })) };
    expect(rowsOf('id,name\nx,y\n', both)).toHaveLength(1);
  });

  it('are not kept of a file without faults, nor for those of its header', () => {
    expect(rowsOf('id,name\n1,Ann\n')).toBeUndefined();
    expect(rowsOf('id,nom\n1,Ann\n')).toBeUndefined();
  });

  it('are those cells of a wide row that are around the bad one, long ones cut', () => {
    const fields = Array.from({ length: 100 }, (_, column) => ({
      ...{ name: `c${column}`, type: column === 70 ? 'integer' : 'string' },
    })) as unknown as TableSchema['fields'];
    const cells = fields.map(({ name }) => `${name}-`.padEnd(100, '.'));
    const [row] = rowsOf(`${fields.map(({ name }) => name)}\n${cells}\n`, { fields }) ?? [];
    expect([row?.field, row?.cells.length]).toStrictEqual([51, 40]);
    expect(row?.cells[20]).toBe(`${'c70-'.padEnd(64, '.')}…`);
  });

  it('tell that cells may be of any column where the structure is broken', () => {
    const fields = TWO.fields.map((field) => ({ ...field, classification: 'internal' as const }));
    expect(rowsOf('id,name\n1,a\n2,b\n3\n', { fields })).toStrictEqual([
      { record: 4, field: 1, cells: ['3'], classification: 'internal' },
    ]);
  });

  it('leave room for the first of each column, and take no more than a report may', () => {
    const fields = Array.from({ length: 40 }, (_, column) => ({
      ...{ name: `c${column}`, type: 'integer' as const },
    }));
    const row = fields.map(() => 'x'.repeat(50)).join();
    const file = `${fields.map(({ name }) => name)}\n${`${row}\n`.repeat(100)}`;
    const rows = rowsOf(file, { fields }) ?? [];
    expect(rows.slice(0, 3).map(({ record }) => record)).toStrictEqual([2, 3, 4]);
    expect(JSON.stringify(rows).length).toBeLessThan(128 * 1024);
  });
});

describe('Inspection of files with one planted fault', () => {
  it('passes every file before the fault is planted', () => {
    fc.assert(
      fc.property(table, (valid) => {
        const report = inspectBytes(write(valid), { expectation: { schema: SCHEMA } });
        expect(report.faults).toStrictEqual([]);
        expect(report.verdict).toBe('passed');
        expect(report.rows).toBe(valid.rows.length - 1);
      }),
      { numRuns: 200 },
    );
  });

  it.each(Object.entries(PLANTINGS))(
    'names %s, its record and its column, and nothing else',
    (_, plant) => {
      fc.assert(
        fc.property(table, fc.nat(), fc.integer({ min: 1, max: 99 }), (valid, at, size) => {
          const { file, type, record, field: column, warnings = [] } = plant(valid, at);
          const report = inspectBytes(file, { expectation: { schema: SCHEMA } }, [size]);
          const kinds = [...warnings, type];
          expect(places(report)).toStrictEqual(
            kinds.map((kind) => `${kind} ${record}:${column ?? '-'}`),
          );
          expect(report.faultCounts).toStrictEqual(
            Object.fromEntries(kinds.map((kind) => [kind, 1])),
          );
          expect(report.verdict).toBe('failed');
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('Inspection of a record with a broken quote and a cell of several lines', () => {
  const line = fc.stringMatching(/^[a-z]{1,3} ?[a-z](, [a-z]{1,4}| ""[a-z]{1,4}"")?$/);
  const lines = fc.array(line, { minLength: 2, maxLength: 4 }).map((all) => `"${all.join('\n')}"`);
  const plain = fc.stringMatching(/^[a-z]{0,4}$/);
  const cells = fc.array(fc.oneof(plain, lines, fc.constant('"q, ""r"""')), {
    minLength: 3,
    maxLength: 6,
  });
  const broken = fc.constantFrom('O"Neil', '6"', '"say "hi" now"', '"ab"c', '"open');
  const planted = fc.record({ cells, broken, several: lines, before: fc.nat(2), after: fc.nat(3) });

  it('names that record once, and judges the ones before and after it', () => {
    fc.assert(
      fc.property(planted, fc.integer({ min: 1, max: 60 }), (plant, size) => {
        const width = plant.cells.length + 3;
        const labels = Array.from({ length: width }, (_, column) => `c${column}`);
        const row = ['1', plant.broken, ...plant.cells, plant.several];
        const wrong = `x${',y'.repeat(width - 1)}`;
        const fine = `1${',"two\nlines"'.repeat(width - 1)}`;
        const rows = [
          ...Array(plant.before).fill(fine),
          row.join(','),
          wrong,
          ...Array(plant.after).fill(fine),
        ];
        const fields = labels.map((name, column) => (column === 0 ? FIRST : { name }));
        const file = `${[labels.join(','), ...rows].join('\n')}\n`;
        const report = inspectBytes(file, { expectation: { schema: { fields } } }, [size]);
        const record = plant.before + 2;
        const type = plant.broken === '"open' ? 'unclosed-quote' : 'stray-quote';
        expect(places(report)).toStrictEqual([`${type} ${record}:2`, `type-error ${record + 1}:1`]);
        expect(report.rows).toBe(plant.before + plant.after + 2);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('Inspection', () => {
  it('gives the same report however the file is cut', () => {
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .string({ unit: fc.constantFrom('"', ',', '\n', '\r', '1', 'a', 'é', '\0'), maxLength: 80 })
        .map((text) => Buffer.from(text)),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(file, sizes, (bytes, chunks) => {
        const options = { expectation: { schema: TWO }, maxRecordBytes: 40 };
        expect(inspectBytes(bytes, options, chunks)).toStrictEqual(inspectBytes(bytes, options));
      }),
      { numRuns: 1500 },
    );
  });

  it.each([70_000, 1_000_000])('knows how a large file ends, in chunks of %d', (size) => {
    const file = `id,name\n${'1,a\n'.repeat(20_000)}\n(20000 rows affected)\n`;
    const { diagnoses } = inspectBytes(file, {}, [size]);
    expect(diagnoses.map(({ kind }) => kind)).toStrictEqual(['row-count']);
  });

  it('gives a fault its physical line, byte offset, label and value', () => {
    const report = inspectBytes('id,name\n1,"two\nlines"\nx,é\n', { expectation: { schema: TWO } });
    expect(report.faults).toStrictEqual([
      {
        type: 'type-error',
        record: 3,
        line: 4,
        byte: 22,
        field: 1,
        label: 'id',
        value: 'x',
        message: 'The value is not of type integer.',
        classification: 'internal',
        key: null,
      },
    ]);
  });

  it('counts a byte order mark in offsets and not in the first label', () => {
    const report = inspectBytes('\ufeffid,name\nx,a\n', { expectation: { schema: TWO } });
    expect(report).toMatchObject({
      byteOrderMark: true,
      faults: [{ byte: 11, type: 'type-error' }],
    });
  });

  it('judges structure alone without a schema', () => {
    const report = inspectBytes('a,b\n1,x\n2\n');
    expect(report.schemaApplied).toBe(false);
    expect(places(report)).toStrictEqual(['missing-cell 3:2']);
  });

  it('lists the first faults and counts all of them', () => {
    const file = `id,name\n${'x,a\n'.repeat(50)}`;
    const report = inspectBytes(file, { expectation: { schema: TWO }, maxFaults: 3 });
    expect(report.faults).toHaveLength(3);
    expect(report).toMatchObject({
      faultCount: 50,
      faultyRows: 50,
      faultCounts: { 'type-error': 50 },
    });
  });

  it('cuts a long value at 256 characters and shows NUL as a symbol', () => {
    const long = inspectBytes(`id,name\n${'é'.repeat(300)},a\n`, { expectation: { schema: TWO } });
    expect(long.faults[0]?.value).toBe(`${'é'.repeat(256)}…`);
    expect(inspectBytes('a,b\n1,x\0y\n2,3\n').faults[0]?.value).toBe('x\u2400y');
  });

  it('reads a file without a header by position', () => {
    const dialect = { header: false };
    const report = inspectBytes('1,a\nx,b\n', { expectation: { schema: TWO, dialect } });
    expect(places(report)).toStrictEqual(['type-error 2:1']);
    expect(inspectBytes('1,a\n2,b\n', { expectation: { dialect } }).columns[1]?.label).toBe(
      'field2',
    );
  });

  it('passes over records before the header row', () => {
    const expectation = { schema: TWO, dialect: { headerRows: [3] } };
    const report = inspectBytes('Report\n\nid,name\n1,a\n', { expectation });
    expect(report).toMatchObject({ verdict: 'passed', rows: 1 });
  });

  it('takes missing values and the null sequence for null', () => {
    const expectation = {
      schema: { ...TWO, missingValues: ['', 'NA', '-'] },
      dialect: { nullSequence: '\\N' },
    };
    const report = inspectBytes('id,name\nNA,-\n,\\N\n1,\n', { expectation });
    expect(report.columns.map(({ nulls }) => nulls)).toStrictEqual([2, 3]);
    expect(report.verdict).toBe('passed');
  });

  it('fails for a larger share of faulty rows than is tolerated', () => {
    const file = 'id,name\nx,a\n1,b\n2\n3,d\n';
    const judged = (maxFaultyRows: number) =>
      inspectBytes(file, { expectation: { schema: TWO, thresholds: { maxFaultyRows } } });
    expect(judged(0.5)).toMatchObject({ verdict: 'warned', faultyRows: 2 });
    expect(judged(0.49).verdict).toBe('failed');
  });

  it('does not count rows that only warn against the share that is tolerated', () => {
    const thresholds = { maxFaultyRows: 0, warnOn: ['extra-cell' as const] };
    const report = inspectBytes('id,name\n1,a\n2,b,c\n', {
      expectation: { schema: TWO, thresholds },
    });
    expect(report).toMatchObject({ verdict: 'warned', faultyRows: 1 });
    const worse = inspectBytes('id,name\n1,a\n2,b,c\nx,b\n', {
      expectation: { schema: TWO, thresholds: { ...thresholds, maxFaultyRows: 0.34 } },
    });
    expect(worse).toMatchObject({ verdict: 'warned', faultyRows: 2 });
  });

  it('maps columns by name when their order may differ', () => {
    const schema: TableSchema = { ...TWO, fieldsMatch: 'equal' };
    const report = inspectBytes('name,id\na,1\nb,x\n', { expectation: { schema } });
    expect(places(report)).toStrictEqual(['type-error 3:2']);
  });

  it('gives a fault the key of its row: the primary key, or the first unique field', () => {
    const file = 'id,name\n1,a\nx,b\n2,b,c\n2,"d\n';
    const keyed = (key: Partial<TableSchema>) =>
      inspectBytes(file, { expectation: { schema: { ...TWO, ...key } } }).faults.map(
        (fault) => fault.key,
      );
    expect(keyed({ primaryKey: ['id', 'name'] })).toStrictEqual(['2, b', null, 'x, b']);
    expect(keyed({ uniqueKeys: [['id']] })).toStrictEqual(['2', '2', 'x']);
    expect(keyed({})).toStrictEqual([null, null, null]);
  });

  it('lists a broken quote behind 200 bad dates first, and counts all of each column', () => {
    const schema: TableSchema = { fields: [{ name: 'day', type: 'date' }, { name: 'text' }] };
    const file = `day,text\n${'soon,a\n'.repeat(200)}2024-01-01,a"b\n`;
    const report = inspectBytes(file, { expectation: { schema } });
    expect(places(report).slice(0, 2)).toStrictEqual(['stray-quote 202:2', 'type-error 2:1']);
    expect(report.faults).toHaveLength(21);
    expect(report.columns.map(({ faultCounts }) => faultCounts)).toStrictEqual([
      { 'type-error': 200 },
      { 'stray-quote': 1 },
    ]);
  });

  it('profiles every column: nulls, types, smallest and largest', () => {
    const report = inspectBytes('n,d,t\n3,2024-01-02,b\n-1.5,1999-12-31,\n12,2000-01-01,é\n');
    expect(report.columns.map(({ distribution: _, ...column }) => column)).toStrictEqual([
      {
        field: 1,
        label: 'n',
        name: null,
        classification: null,
        type: 'number',
        declared: false,
        rows: 3,
        nulls: 0,
        types: { integer: 2, number: 1 },
        min: -1.5,
        max: 12,
        faultCounts: {},
      },
      {
        field: 2,
        label: 'd',
        name: null,
        classification: null,
        type: 'date',
        declared: false,
        rows: 3,
        nulls: 0,
        types: { date: 3 },
        min: '1999-12-31',
        max: '2024-01-02',
        faultCounts: {},
      },
      {
        field: 3,
        label: 't',
        name: null,
        classification: null,
        type: 'string',
        declared: false,
        rows: 3,
        nulls: 1,
        types: { string: 2 },
        min: 'b',
        max: 'é',
        faultCounts: {},
      },
    ]);
  });

  it('hashes and measures the bytes as they came', () => {
    const report = inspectBytes('a\n1\n', {}, [1]);
    expect(report).toMatchObject({
      bytes: 4,
      sha256: '309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc',
      lineEnds: { lf: 2, crlf: 0, cr: 0 },
    });
  });

  it('counts line ends by kind', () => {
    expect(inspectBytes('a\r\n1\r2\n3', {}, [1]).lineEnds).toStrictEqual({ lf: 1, crlf: 1, cr: 1 });
  });
});

describe('Inspection in steps', () => {
  const KIB = 1024;
  const LONG = 'x'.repeat(70 * KIB);

  /** Rows that were judged by the end of each step, and the report. */
  function inSteps(file: string, options: InspectOptions = {}) {
    const inspection = createInspection(NODE_PORTS, { clock: () => 0, ...options });
    const bytes = Buffer.from(file);
    const rows: number[] = [];
    const note = () => rows.push(inspection.rows);
    inspection.deliver(bytes);
    for (const _step of inspection.reading(bytes)) note();
    note();
    for (const _step of inspection.settle()) note();
    note();
    return { report: inspection.end(), rows };
  }

  const mostAtOnce = (rows: readonly number[]) =>
    Math.max(...rows.map((count, step) => count - (rows[step - 1] ?? 0)));

  it.each([
    ['ends with the file', ''],
    ['breaks inside the file', 'x"x\n'],
  ])('judges at most 64 KiB at once of the lines behind an unclosed quote that %s', (_, rest) => {
    const line = '1234567,abcdefg\n';
    const file = `id,name\n1,"a\n${line.repeat(64 * KIB)}${rest}`;
    const { report, rows } = inSteps(file, { expectation: { schema: TWO } });
    expect(report.faultCounts['unclosed-quote']).toBe(1);
    expect(report.rows).toBeGreaterThan(64 * KIB);
    expect(mostAtOnce(rows)).toBeLessThanOrEqual((64 * KIB) / line.length + 2);
  });

  it.each([
    ['by the pattern of a field', '', false],
    ['that is quoted', '"', false],
    ['by the pattern of a rule', '', true],
  ])('matches at most 64 KiB at once of a long cell %s', (_, quote, byRule) => {
    const constraints = { pattern: '(a|b)*a(a|b){300}' };
    const [id, name] = TWO.fields as [TableField, TableField];
    const rule = {
      rule: 'ColumnValues',
      column: 'name',
      constraints,
      fail: { minShare: 1 },
    } as const;
    const expectation = byRule
      ? { schema: TWO, rules: [rule] }
      : { schema: { fields: [id, { ...name, constraints }] } };
    const cell = `${quote}${'ab'.repeat(512 * KIB)}a${quote}`;
    const { report, rows } = inSteps(`id,name\n1,${cell}\n2,${cell}\n`, { expectation });
    expect(report.verdict).toBe('passed');
    // Both cells have 16 times as much.
    expect(rows.length).toBeGreaterThanOrEqual(32);
  });

  it.each([
    'id,name\n1,L\n2,b\n',
    'L\n1\n2\n',
    'id,name\nx,L\n2,b\n',
    'id,name\n1,a\n2,L\r\n3,c\n',
    'id,name\n1,"L""y"\nx,b\n',
    'id,name\n1,"L\nL"\nx,b\n',
    'id,name\n1,L"y\nx,b\n',
    'id,name\n1,"L"y\nx,b\n',
    'id,name\n1,"L\nx,b\n2,c"c\ny,d\n',
    'id,name\n1,"L\nx,b\n',
    'id,name\n1,L,\nx\n2,"L',
    'id,name\n1,L\ufeff\n2,\ufffd\n',
    'id,name\n1,L\0\nx,b',
    'name\n\n"L"\n"L"\n\n',
    '"id,name"\n"1,L"\n"x,b"\n',
  ])('finds in %j the same, however long a cell is', (text) => {
    const expectation = { schema: { ...TWO, primaryKey: 'name' } };
    const [short, long] = ['xxxxx', LONG].map((cell) => {
      const { report } = inSteps(text.replaceAll('L', cell), { expectation });
      const { faults, diagnoses, lineEnds, rows, skipped, verdict } = report;
      const found = faults.map(({ type, record, line, field }) => [type, record, line, field]);
      const kinds = diagnoses.map(({ kind, faults: count }) => [kind, count]);
      return { found, kinds, lineEnds, rows, skipped, verdict };
    });
    expect(long).toStrictEqual(short);
  });
});
