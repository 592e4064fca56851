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

/** What the cells of {@link writeTextFile} are matched by: {@link TEXT_PATTERN}, or one that needs very many states. */
export const TEXT_PATTERN = '[\\p{L}]+( [\\p{L}]+)*';
export const HARD_PATTERN = '(a|b)*a(a|b){300}';

/** Texts of one column, which is {@link KEY_FIELD}. */
export type TextKind = 'ascii' | 'beyond-ascii' | 'hard';

/** Writes a file of one column of at least so many bytes; `hard` ones are long, and match {@link HARD_PATTERN}. */
export function writeTextFile(path: string, bytes: number, kind: TextKind): void {
  const texts = {
    ascii: ['Alexandra Montoya', 'left at noon', 'Parking on the pavement'],
    'beyond-ascii': ['Ἀλεξάνδρα Μοντόγια', 'ушёл в полдень', 'стоянка на тротуаре'],
    hard: Array.from({ length: 1_000 }, (_, row) => hardText(row)),
  }[kind];
  const block = `${Array.from({ length: 3_000 }, (_, row) => texts[row % texts.length]).join('\n')}\n`;
  const file = openSync(path, 'w');
  let written = writeSync(file, `${KEY_FIELD}\n`);
  while (written < bytes) written += writeSync(file, block);
  closeSync(file);
}

/** Letters in no order, of which the 301st from the end is the one that the pattern asks for. */
function hardText(row: number): string {
  let state = row + 1;
  const letters = Array.from({ length: 400 }, (_, at) => {
    // Numerical Recipes' generator; its upper bits are the better ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return at === 99 || state < 2 ** 31 ? 'a' : 'b';
  });
  return letters.join('');
}

/** Writes a file of so many columns of integers, of at least so many bytes. */
export function writeWideFile(path: string, columns: number, bytes: number): void {
  const cells = Array.from({ length: columns }, (_, column) => column);
  const file = openSync(path, 'w');
  let written = writeSync(file, `${cells.map((column) => `c${column}`).join(',')}\n`);
  const row = `${cells.map((column) => column % 1_000).join(',')}\n`;
  while (written < bytes) written += writeSync(file, row);
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
