import { closeSync, openSync, writeSync } from 'node:fs';
import type { TableSchema } from '@file-processing/quality/table-schema.ts';

/** What the sample's rows are judged by: every common type, some constraints, and a primary key. */
export const SAMPLE_SCHEMA: TableSchema = {
  fields: [
    { name: 'badge', type: 'integer', constraints: { required: true, minimum: 1 } },
    { name: 'last_name', type: 'string', constraints: { required: true, maxLength: 40 } },
    { name: 'first_name', type: 'string' },
    { name: 'rank', type: 'string', constraints: { enum: ['officer', 'sergeant', 'captain'] } },
    { name: 'hired', type: 'date', constraints: { minimum: '1960-01-01' } },
    { name: 'salary', type: 'number', constraints: { minimum: 0 } },
    { name: 'active', type: 'boolean' },
    { name: 'unit', type: 'string', constraints: { pattern: '[A-Z]{2}-\\d{3}' } },
    { name: 'updated', type: 'datetime' },
    { name: 'remarks', type: 'string' },
  ],
  primaryKey: 'badge',
};

const RANKS = ['officer', 'sergeant', 'captain'];
const FIRST = ['Ana', 'Luis', 'Chloë', 'John', 'Mary-Ann', 'Wei'];
const LAST = ['Montoya', 'Smith', 'Begay', 'Nguyen', "O'Neil", 'Van der Berg'];

/** Writes a valid file of at least so many bytes; every tenth row has quotes, commas or a line end in a cell. */
export function writeSampleFile(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  let written = writeSync(file, `${SAMPLE_SCHEMA.fields.map(({ name }) => name).join(',')}\r\n`);
  for (let from = 1; written < bytes; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, i) => sampleRow(from + i));
    written += writeSync(file, rows.join(''));
  }
  closeSync(file);
}

/** Column of {@link writeKeyFile}. */
export const KEY_FIELD = 'key';

/** Writes a file of one column of different keys: texts of ten characters in no order, or integers that count up. */
export function writeKeyFile(path: string, count: number, kind: 'text' | 'integer'): void {
  const file = openSync(path, 'w');
  writeSync(file, `${KEY_FIELD}\n`);
  for (let from = 1; from <= count; from += 10_000) {
    const length = Math.min(10_000, count - from + 1);
    const keys = Array.from({ length }, (_, i) => (kind === 'text' ? textKey(from + i) : from + i));
    writeSync(file, `${keys.join('\n')}\n`);
  }
  closeSync(file);
}

/** Multiplied by an odd number (Knuth's), those below 2^32 stay different. */
function textKey(n: number): string {
  return `K-${(Math.imul(n, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}`;
}

function sampleRow(n: number): string {
  const month = String(1 + (n % 12)).padStart(2, '0');
  const day = String(1 + (n % 28)).padStart(2, '0');
  const remark =
    n % 10 === 0 ? `"said ""no"", left\r\nat ${n % 24} h"` : n % 3 === 0 ? '' : `note ${n % 9973}`;
  const cells = [
    n,
    LAST[n % 6],
    FIRST[(n * 7) % 6],
    RANKS[n % 3],
    `${1970 + (n % 50)}-${month}-${day}`,
    ((n % 90_000) + 30_000.25).toFixed(2),
    n % 4 === 0 ? 'false' : 'true',
    `AB-${String(n % 1000).padStart(3, '0')}`,
    `2026-${month}-${day}T08:${String(n % 60).padStart(2, '0')}:00Z`,
    remark,
  ];
  return `${cells.join(',')}\r\n`;
}
