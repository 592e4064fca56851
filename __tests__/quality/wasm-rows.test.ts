import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { wasmModuleText } from '../../quality/assembly/build.ts';
import type { TableSchema } from '../../quality/table-schema.ts';
import { inspectBytes, places } from './inspect-bytes.ts';

const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', constraints: { required: true, minimum: 1 } },
    { name: 'name', type: 'string', constraints: { maxLength: 12 } },
    { name: 'unit', type: 'string', constraints: { pattern: '[A-Z]{2}-\\d{3}|é+' } },
  ],
};

/** A file that is large enough for WebAssembly, with a fault and a quoted cell now and then. */
function sampleFile(rows: number): string {
  const lines = Array.from({ length: rows }, (_, index) => {
    const name = index % 97 === 0 ? '"a, ""b"""' : `n${index % 89}`;
    const unit =
      index % 101 === 0 ? 'é' : index % 1009 === 7 ? 'AB-12' : `AB-${100 + (index % 800)}`;
    return `${index + 1},${name},${unit}\n`;
  });
  return `id,name,unit\n${lines.join('')}`;
}

describe('WasmRows', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('is what its source compiles to', async () => {
    const file = new URL('../../quality/wasm-module.ts', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(await wasmModuleText());
  });

  it('goes on in a large file with what JavaScript has begun', () => {
    const file = sampleFile(20_000);
    const expected = inspectBytes(file, { expectation: { schema: SCHEMA }, plainRows: false });
    expect(inspectBytes(file, { expectation: { schema: SCHEMA } })).toStrictEqual(expected);
    expect(inspectBytes(file)).toStrictEqual(inspectBytes(file, { plainRows: false }));
  });

  it('counts faults that are not listed any more', () => {
    const fields: TableSchema['fields'] = [
      { name: 'id', type: 'integer', constraints: { required: true, minimum: 10, maximum: 2_000 } },
      { name: 'paid', type: 'number', missingValues: ['', 'NA'], constraints: { required: true } },
      { name: 'on', type: 'date' },
      { name: 'done', type: 'boolean' },
      { name: 'rank', type: 'string', constraints: { enum: ['a', 'b'] } },
      { name: 'unit', type: 'string', constraints: { pattern: '[a-z]\\d', maxLength: 3 } },
      { name: 'at', type: 'time', missingValues: ['-'] },
    ];
    const cells = [
      ['5', '11', '3000', '', 'x', '1e3', '2024-01-01', '12345678901234567'],
      ['1.5', 'NA', '', 'nan', 'INF', 'true', '7'],
      ['2024-02-29', '2023-02-29', 'true', '12', '10:00:00', 'é', ''],
      ['true', 'false', 'maybe', '0', 'TRUE', ''],
      ['a', 'b', 'c', ' b', '', 'zebra', 'é', 'Aa'],
      ['a1', 'b22', 'é1', 'a', '=1', 'abcd', ''],
      ['10:00:00', '24:00', '-', '', 'noon'],
    ];
    const rows = Array.from({ length: 6_000 }, (_, row) =>
      cells.map((values, column) => values[(row * (column + 3)) % values.length]).join(','),
    );
    const file = `${fields.map(({ name }) => name).join(',')}\n${rows.join('\n')}\nTotal,,,,,,\n`;
    for (const thresholds of [{}, { warnOn: ['type-error' as const] }]) {
      const expectation = { schema: { fields }, thresholds };
      const expected = inspectBytes(file, { expectation, plainRows: false });
      expect(expected.faultCounts['type-error']).toBeGreaterThan(5_000);
      expect(inspectBytes(file, { expectation })).toStrictEqual(expected);
    }
  });

  it('finds the duplicates that are found row by row, whatever memory there is for keys', () => {
    const fields: TableSchema['fields'] = [
      { name: 'note', type: 'string' },
      { name: 'code', type: 'string', constraints: { unique: true } },
      { name: 'id', type: 'integer' },
    ];
    const code = (row: number): string => {
      // Texts of all lengths up to some blocks of the hash, of which some come twice, once in quotes.
      const number = row % 1_777 === 1_003 ? row - 1_000 : row;
      const text = `${'k'.repeat(number % 37)}${number}`;
      return row % 50 === 0 ? `"${text}"` : row % 97 === 0 ? `"${text}"""` : text;
    };
    const rows = Array.from({ length: 12_000 }, (_, row) => {
      const id = row % 2_111 === 5 ? '' : row % 1_009 === 7 ? `0${row - 900}` : `${row}`;
      return `${['"a, b"', 'x', '"some ""b"" text"', '"aaaa """" zz, zz"'][row % 4]},${row % 3_001 === 9 ? '' : code(row)},${id}`;
    });
    const file = `note,code,id\r\n${rows.join('\r\n')}\r\n`;
    const expectation = { schema: { fields, primaryKey: 'id' } };
    for (const maxKeyBytes of [undefined, 20_000, 0]) {
      const limits = maxKeyBytes === undefined ? {} : { maxKeyBytes };
      const expected = inspectBytes(file, { expectation, plainRows: false, ...limits });
      expect(expected.faultCounts['unique-error']).toBeGreaterThan(3);
      expect(expected.faultCounts['primary-key']).toBeGreaterThan(10);
      expect(inspectBytes(file, { expectation, ...limits })).toStrictEqual(expected);
    }
  });

  it('leaves a record to JavaScript that is longer than its memory has room for, and no more', () => {
    const long = `1,${'x'.repeat(300_000)},é\n`;
    const file = sampleFile(20_000) + long + sampleFile(5_000).slice('id,name,unit\n'.length);
    for (const expectation of [{ schema: SCHEMA }, {}]) {
      const expected = inspectBytes(file, { expectation, plainRows: false });
      expect(inspectBytes(file, { expectation }, [100_000])).toStrictEqual(expected);
    }
  });

  it('leaves a file to JavaScript where there is no WebAssembly', () => {
    const file = sampleFile(20_000);
    const expected = inspectBytes(file, { expectation: { schema: SCHEMA } });
    vi.stubGlobal('WebAssembly', undefined);
    expect(inspectBytes(file, { expectation: { schema: SCHEMA } })).toStrictEqual(expected);
  });

  it('leaves a file to JavaScript where the memory cannot be had', () => {
    const file = sampleFile(20_000);
    const expected = inspectBytes(file, { expectation: { schema: SCHEMA } });
    const Memory = class {
      constructor() {
        throw new RangeError('could not allocate memory');
      }
    };
    vi.stubGlobal('WebAssembly', { ...WebAssembly, Module: WebAssembly.Module, Memory });
    expect(inspectBytes(file, { expectation: { schema: SCHEMA } })).toStrictEqual(expected);
  });

  it('finds a header that is repeated in quotes', () => {
    const file = `a,bc\n${'1,2\n'.repeat(99)}"a","bc"\n1,2\n`;
    for (const plainRows of ['javascript', 'webassembly', false] as const) {
      expect(places(inspectBytes(file, { plainRows }))).toStrictEqual(['repeated-header 101:-']);
    }
  });

  it('leaves a table of very many columns to JavaScript', () => {
    const labels = Array.from({ length: 2_000 }, (_, index) => `c${index}`).join(',');
    const file = `${labels}\n${`${'1,'.repeat(1_999)}x\n`.repeat(60)}`;
    const expected = inspectBytes(file, { plainRows: false });
    expect(inspectBytes(file, { plainRows: 'webassembly' })).toStrictEqual(expected);
  });
});
