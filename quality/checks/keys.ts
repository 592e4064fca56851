import { CELL_ESCAPED, type Scanner } from '../scanner.ts';
import type { CompiledField } from '../table-schema.ts';
import { KeyBudget, KeyTable } from '../uniqueness.ts';
import { type Check, type Column, cellText, type Found, type InspectedFile } from './check.ts';

/** An integer of no more bytes is its order value. */
const EXACT_INTEGER_BYTES = 15;

type Kind = 'unique-error' | 'primary-key' | 'key-check-incomplete';

/** A key whose fields all have a column. */
interface Key {
  readonly fault: 'unique-error' | 'primary-key';
  readonly parts: readonly KeyPart[];
  readonly labels: string;
  readonly table: KeyTable;
}

interface KeyPart {
  readonly cell: number;
  readonly field: CompiledField;
  readonly isText: boolean;
  readonly isInteger: boolean;
}

export const KEY_CHECK: Check<Kind> = {
  kinds: ['unique-error', 'primary-key', 'key-check-incomplete'],
  begin(file) {
    let keys: readonly Key[] = [];
    return {
      open(columns) {
        keys = keysOf(file, columns);
        if (keys.length === 0) return undefined;
        return (record, found) => {
          for (const key of keys) judge(key, file, record, found);
        };
      },
      end(found) {
        for (const { table, labels } of keys) {
          if (table.complete || !found.count('key-check-incomplete')) continue;
          const message = `${labels}: too many keys to remember; later duplicates may be unseen.`;
          found.listFile('key-check-incomplete', message);
        }
        return true;
      },
    };
  },
};

function keysOf({ schema, maxKeys }: InspectedFile, columns: readonly Column[]): Key[] {
  const budget = new KeyBudget(maxKeys);
  return (schema?.keys ?? []).flatMap(({ fault, fields }) => {
    const cells = fields.map((field) =>
      columns.findIndex((column) => column.field === schema?.fields[field]),
    );
    // A field without a column was reported as a missing label.
    if (cells.includes(-1)) return [];
    const parts = cells.map((cell) => {
      const field = columns[cell]?.field as CompiledField;
      const isText = field.type === 'string' || field.type === 'any';
      return { cell, field, isText, isInteger: field.type === 'integer' };
    });
    const labels = parts.map(({ field }) => field.name).join(', ');
    return [{ fault, parts, labels, table: new KeyTable(budget) }];
  });
}

function judge(key: Key, file: InspectedFile, record: Scanner, found: Found<Kind>): void {
  const parts = hashKey(key, file, record);
  if (parts === 'invalid' || (parts === 'null' && key.fault === 'unique-error')) return;
  if (parts === 'null') {
    nullInPrimaryKey(key, file, found);
    return;
  }
  const first = key.table.firstRecord(file.records);
  if (first === 0 || !found.count(key.fault, key.parts[0]?.cell)) return;
  const message = `The same ${key.labels} came in record ${first}.`;
  const value = key.parts.map(({ cell }) => cellText(record, cell)).join(', ');
  const cells = key.parts.map(({ cell }) => cell);
  found.listCell(key.fault, cells[0] ?? 0, message, { value, cells });
}

function hashKey(
  { parts, table }: Key,
  { nulls, values }: InspectedFile,
  record: Scanner,
): 'whole' | 'null' | 'invalid' {
  let hasNull = false;
  table.begin();
  for (const { cell, field, isText, isInteger } of parts) {
    if (nulls[cell] === 1) {
      hasNull = true;
      continue;
    }
    const value = values[cell] as number;
    if (Number.isNaN(value)) return 'invalid';
    let bytes = record.bytes;
    let start = record.starts[cell] as number;
    let end = record.ends[cell] as number;
    if (((record.flags[cell] as number) & CELL_ESCAPED) !== 0) {
      bytes = record.unescape(cell);
      start = 0;
      end = bytes.length;
    }
    if (isText) table.addBytes(bytes, start, end);
    else if (isInteger && end - start <= EXACT_INTEGER_BYTES) table.addNumber(value);
    else table.addKey(field.cell.key(bytes, start, end, value));
  }
  return hasNull ? 'null' : 'whole';
}

function nullInPrimaryKey({ parts }: Key, file: InspectedFile, found: Found<Kind>): void {
  for (const { cell, field } of parts) {
    // A required field that is null was named already.
    if (file.nulls[cell] !== 1 || field.required || !found.count('primary-key', cell)) continue;
    found.listCell('primary-key', cell, 'A field of the primary key is null.');
  }
}
