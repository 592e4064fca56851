import { type DeferredDuplicate, DeferredKeys } from '../deferred-keys.ts';
import { HASH_WORDS, KeyHash } from '../key-hash.ts';
import { KeyBudget, LAST_RECORD } from '../key-index.ts';
import type { ScratchFile } from '../ports.ts';
import { CELL_ESCAPED, type Scanner } from '../scanner.ts';
import type { CompiledField } from '../table-schema.ts';
import { KeyTable, UNKNOWN } from '../uniqueness.ts';
import {
  type Check,
  type Column,
  cellText,
  type Found,
  type InspectedFile,
  keyBudgetOf,
  MOST_OF_A_COLUMN,
  type RangeGatherer,
  type RowKey,
  type RowKeys,
} from './check.ts';

/** An integer of no more bytes is its order value. */
const EXACT_INTEGER_BYTES = 15;

type Kind = 'unique-error' | 'primary-key' | 'key-check-incomplete';

/** A key whose fields all have a column. */
interface Key {
  readonly fault: 'unique-error' | 'primary-key';
  readonly parts: readonly KeyPart[];
  readonly labels: string;
  readonly secret: Int32Array;
  readonly table: KeyTable;
  /** Whether that of the current row has no place in memory. */
  deferred: boolean;
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
    let rest: RestOfKeys | undefined;
    /** What the tables answered of a row's keys in {@link RangeStage.addRow}. */
    let answers: readonly number[] | undefined;
    return {
      open(columns) {
        keys = keysOf(file, columns);
        rest = new RestOfKeys(file, keys);
        const { add } = rest;
        if (keys.length === 0) return undefined;
        const judgeRow = (record: Scanner, found: Found<Kind>): void => {
          let deferred = false;
          keys.forEach((key, number) => {
            const first = answers?.[number] ?? firstRecord(key, file, record);
            if (conclude(key, first, file, record, found)) deferred = true;
          });
          answers = undefined;
          if (deferred) add(record, found);
        };
        return Object.assign(judgeRow, { keys: rowKeysOf(keys, file, add) });
      },
      ranges: {
        gather: (range) => gatherKeys(keys, range),
        addRow(gathered, row, number) {
          let isNew = true;
          const first = (gathered as RangeKeys[]).map((rows, at) => {
            const answer = firstRecordOfRow(keys[at] as Key, rows, row, number);
            if (answer !== 0 && answer !== NULL) isNew = false;
            return answer;
          });
          if (!isNew) answers = first;
          return isNew;
        },
      },
      *settle(found) {
        for (const { table } of keys) table.clear();
        if (rest !== undefined) yield* rest.settle(found);
      },
      end(found) {
        for (const labels of rest?.lost ?? []) {
          if (!found.count('key-check-incomplete')) continue;
          const message = `${labels}: too many keys to remember; later duplicates may be unseen.`;
          found.listFile('key-check-incomplete', message);
        }
        return true;
      },
      close: () => rest?.close(),
    };
  },
};

function keysOf(file: InspectedFile, columns: readonly Column[]): Key[] {
  const { schema, ports } = file;
  const budget = new KeyBudget(keyBudgetOf(file));
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
    const secret = new Int32Array(HASH_WORDS);
    ports.fillRandom(secret);
    const table = new KeyTable(budget, secret);
    return [{ fault, parts, labels, secret, table, deferred: false }];
  });
}

/** The keys, where each is the text or the integer of one column. */
function simpleKeys(keys: readonly Key[]): readonly RowKey[] | undefined {
  const simple = keys.flatMap(({ parts, secret }) => {
    const [{ cell, isInteger, isText }] = parts as readonly [KeyPart];
    return parts.length === 1 && (isInteger || isText) ? [{ cell, isInteger, secret }] : [];
  });
  return keys.length === 0 || simple.length < keys.length ? undefined : simple;
}

/** What can be done with the keys where each is the text or the integer of one column. */
function rowKeysOf(
  keys: readonly Key[],
  file: InspectedFile,
  add: (record: Scanner, found: Found<Kind>) => void,
): RowKeys<Kind> | undefined {
  const simple = simpleKeys(keys);
  if (simple === undefined) return undefined;
  return {
    keys: simple,
    find(number, hash, at, value, record) {
      if (record > LAST_RECORD) throw beyondLastRecord(record);
      const { table } = keys[number] as Key;
      return simple[number]?.isInteger === true
        ? table.firstRecordOfInteger(value, record)
        : table.firstRecordOfHash(hash, at, record);
    },
    approach(number, hash, at) {
      (keys[number] as Key).table.approach(hash, at);
    },
    conclude(answers, record, found) {
      let deferred = false;
      keys.forEach((key, index) => {
        if (conclude(key, answers[index] as number, file, record, found)) deferred = true;
      });
      if (deferred) add(record, found);
    },
  };
}

function beyondLastRecord(record: number): RangeError {
  return new RangeError(`a key in record ${record}, beyond the last`);
}

/** The keys that had no place in memory: they are written down, and compared when all have come. */
class RestOfKeys {
  /** Labels of the keys of which some could not even be written down. */
  readonly lost = new Set<string>();

  readonly #file: InspectedFile;
  readonly #keys: readonly Key[];
  #scratch: ScratchFile | undefined;
  #deferred: DeferredKeys | undefined;

  constructor(file: InspectedFile, keys: readonly Key[]) {
    this.#file = file;
    this.#keys = keys;
  }

  /** Takes the deferred keys of the current row. It must be the last thing done in a row: what the row has is noted. */
  readonly add = (scanner: Scanner, found: Found<Kind>): void => {
    const { byteOf, ports, records } = this.#file;
    for (const [number, key] of this.#keys.entries()) {
      if (!key.deferred) continue;
      key.deferred = false;
      if (ports.openScratch === undefined) {
        this.lost.add(key.labels);
        continue;
      }
      this.#scratch ??= ports.openScratch();
      this.#deferred ??= new DeferredKeys(this.#scratch);
      const start = scanner.starts[key.parts[0]?.cell ?? 0] as number;
      this.#deferred.add(key.table.hash, {
        key: number,
        record: records,
        line: scanner.lineAt(start),
        byte: byteOf(scanner.offset(start)),
        row: found.row,
      });
    }
  };

  /** Finds the duplicates, and lists the first of each key in the order of the file. */
  *settle(found: Found<Kind>): Generator<void> {
    if (this.#deferred === undefined) return;
    const first = this.#keys.map((): DeferredDuplicate[] => []);
    yield* this.#deferred.duplicates((duplicate) => {
      const { fault, parts } = this.#keys[duplicate.key] as Key;
      found.countInEarlierRow(fault, parts[0]?.cell ?? 0, duplicate);
      const listed = first[duplicate.key] as DeferredDuplicate[];
      listed.push(duplicate);
      // They come partition by partition.
      if (listed.length > 2 * MOST_OF_A_COLUMN) listed.sort(byPlace).splice(MOST_OF_A_COLUMN);
    });
    for (const { key, record, line, byte, firstRecord } of first.flat().sort(byPlace)) {
      const { fault, labels, parts } = this.#keys[key] as Key;
      const cells = parts.map(({ cell }) => cell);
      const place = { record, line, byte, cells };
      found.listEarlierRow(fault, duplicateMessage(labels, firstRecord), place);
    }
  }

  close(): void {
    this.#scratch?.close();
    this.#scratch = undefined;
  }
}

function byPlace(one: DeferredDuplicate, other: DeferredDuplicate): number {
  return one.record - other.record || one.key - other.key;
}

/** Judges a key of the current row by what its table answered; true when it is to be compared at the end of the file. */
function conclude(
  key: Key,
  first: number,
  file: InspectedFile,
  record: Scanner,
  found: Found<Kind>,
): boolean {
  if (first === 0 || first === INVALID) return false;
  if (first === UNKNOWN) {
    key.deferred = true;
    return true;
  }
  if (first === NULL) {
    if (key.fault === 'primary-key') nullInPrimaryKey(key, file, found);
    return false;
  }
  if (!found.count(key.fault, key.parts[0]?.cell)) return false;
  const value = key.parts.map(({ cell }) => cellText(record, cell)).join(', ');
  const message = duplicateMessage(key.labels, first);
  const cells = key.parts.map(({ cell }) => cell);
  found.listCell(key.fault, cells[0] ?? 0, message, { value, cells });
  return false;
}

function duplicateMessage(labels: string, firstRecord: number): string {
  return `The same ${labels} came in record ${firstRecord}.`;
}

/** Beside {@link UNKNOWN}: a part is null, or not of its type. */
const NULL = -2;
const INVALID = -3;

/** What the table answers of the current row's key, or why it was not asked. */
function firstRecord(key: Key, file: InspectedFile, record: Scanner): number {
  const { table } = key;
  const { records } = file;
  if (records > LAST_RECORD) throw beyondLastRecord(records);
  const form = readKey(key, table, file, record);
  if (form === INTEGER) return table.firstRecordOfInteger(integer, records);
  return form === HASHED ? table.firstRecord(records) : form;
}

/** How a key is asked for: by the parts that a hash was given, or as one integer, which stands in {@link integer}. */
const HASHED = 1;
const INTEGER = 2;
let integer = 0;

/** Reads the current row's key; {@link NULL} or {@link INVALID} where it has none. */
function readKey(
  { parts }: Key,
  hash: Pick<KeyHash, 'begin' | 'addBytes' | 'addKey'>,
  { nulls, values }: InspectedFile,
  record: Scanner,
): typeof HASHED | typeof INTEGER | typeof NULL | typeof INVALID {
  let hasNull = false;
  const isSingle = parts.length === 1;
  hash.begin();
  for (const { cell, field, isText, isInteger } of parts) {
    if (nulls[cell] === 1) {
      hasNull = true;
      continue;
    }
    const value = values[cell] as number;
    if (Number.isNaN(value)) return INVALID;
    let bytes = record.bytes;
    let start = record.starts[cell] as number;
    let end = record.ends[cell] as number;
    if (((record.flags[cell] as number) & CELL_ESCAPED) !== 0) {
      bytes = record.unescape(cell);
      start = 0;
      end = bytes.length;
    }
    if (isText) {
      hash.addBytes(bytes, start, end);
      continue;
    }
    const isExact = isInteger && end - start <= EXACT_INTEGER_BYTES;
    const key = isExact ? value : field.cell.key(bytes, start, end, value);
    if (isInteger && isSingle && typeof key === 'number') {
      integer = key;
      return INTEGER;
    }
    hash.addKey(key);
  }
  return hasNull ? NULL : HASHED;
}

/** One key of the rows of a range: for each row its form, 0 for none, and its hash or the integer as a double. */
interface RangeKeys {
  readonly forms: Uint8Array;
  readonly words: Int32Array;
}

const FIRST_ROWS = 1_024;

function gatherKeys(keys: readonly Key[], file: InspectedFile): RangeGatherer {
  const gathering = keys.map((key) => ({
    key,
    hash: new KeyHash(key.secret),
    forms: new Uint8Array(FIRST_ROWS),
    words: new Int32Array(FIRST_ROWS * HASH_WORDS),
  }));
  const primary = keys.filter(({ fault }) => fault === 'primary-key');
  let rows = 0;
  const makeRoom = (rowKeys: (typeof gathering)[number]): void => {
    if (rows < rowKeys.forms.length) return;
    rowKeys.forms = grown(rowKeys.forms, new Uint8Array(rows * 2));
    rowKeys.words = grown(rowKeys.words, new Int32Array(rows * 2 * HASH_WORDS));
  };
  const rowKeys = simpleKeys(keys);
  return {
    ...(rowKeys === undefined
      ? {}
      : {
          keys: {
            keys: rowKeys,
            find(number, hash, at, value) {
              const found = gathering[number] as (typeof gathering)[number];
              makeRoom(found);
              const { forms, words } = found;
              const isInteger = rowKeys[number]?.isInteger === true;
              forms[rows] = isInteger ? INTEGER : HASHED;
              const place = rows * HASH_WORDS;
              if (isInteger) setInteger(words, place, value);
              else
                for (let word = 0; word < HASH_WORDS; word++)
                  words[place + word] = hash[at + word] as number;
              if (number === gathering.length - 1) rows++;
              return 0;
            },
          },
        }),
    // One of a required field was named already.
    refuses: () =>
      primary.some(({ parts }) =>
        parts.some(({ cell, field }) => file.nulls[cell] === 1 && !field.required),
      ),
    see(record) {
      for (const rowKeys of gathering) {
        makeRoom(rowKeys);
        const { key, hash, forms, words } = rowKeys;
        const form = readKey(key, hash, file, record);
        if (form === HASHED) {
          hash.finish();
          words.set(hash.words, rows * HASH_WORDS);
        } else if (form === INTEGER) {
          setInteger(words, rows * HASH_WORDS, integer);
        }
        forms[rows] = Math.max(0, form);
      }
      rows++;
    },
    gathered: () =>
      gathering.map(
        ({ forms, words }): RangeKeys => ({
          forms: forms.slice(0, rows),
          words: words.slice(0, rows * HASH_WORDS),
        }),
      ),
  };
}

const DOUBLE = new Float64Array(1);
const DOUBLE_WORDS = new Int32Array(DOUBLE.buffer);

function setInteger(words: Int32Array, at: number, value: number): void {
  DOUBLE[0] = value;
  words[at] = DOUBLE_WORDS[0] as number;
  words[at + 1] = DOUBLE_WORDS[1] as number;
}

function grown<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** What the table answers of the key of a row of a range. */
function firstRecordOfRow(
  { table }: Key,
  { forms, words }: RangeKeys,
  row: number,
  record: number,
): number {
  if (record > LAST_RECORD) throw beyondLastRecord(record);
  const form = forms[row];
  const at = row * HASH_WORDS;
  if (form === HASHED) return table.firstRecordOfHash(words, at, record);
  if (form !== INTEGER) return NULL;
  DOUBLE_WORDS[0] = words[at] as number;
  DOUBLE_WORDS[1] = words[at + 1] as number;
  return table.firstRecordOfInteger(DOUBLE[0] as number, record);
}

function nullInPrimaryKey({ parts }: Key, file: InspectedFile, found: Found<Kind>): void {
  for (const { cell, field } of parts) {
    // A required field that is null was named already.
    if (file.nulls[cell] !== 1 || field.required || !found.count('primary-key', cell)) continue;
    found.listCell('primary-key', cell, 'A field of the primary key is null.');
  }
}
