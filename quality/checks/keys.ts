import { type DeferredDuplicate, DeferredKeys } from '../deferred-keys.ts';
import { HASH_WORDS, KeyHash } from '../key-hash.ts';
import { APPROACHED_KEYS, KeyBudget, LAST_RECORD } from '../key-index.ts';
import type { ScratchFile } from '../ports.ts';
import { CELL_ESCAPED, type Scanner } from '../scanner.ts';
import type { CompiledField } from '../table-schema.ts';
import { KeyTable, LAST_INTEGER, UNKNOWN } from '../uniqueness.ts';
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
    /** What the tables answered of a row's keys in {@link RangeStage.addRows}. */
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
        // Few of the others have a place in memory then: each row would be read again by itself.
        mayAdd: () => rest?.isUsed !== true,
        addRows(gathered, from, to, record) {
          const reading = (gathered as RangeKeys[]).map((range, key) => {
            return new RangeKeyReader(range, (keys[key] as Key).table);
          });
          if (record + to - from > LAST_RECORD) throw beyondLastRecord(record + to - from);
          const first = reading.map(() => 0);
          let approached = from;
          const only = reading.length === 1 ? reading[0] : undefined;
          let row = from;
          while (row < to) {
            row += countUp(reading, row, to, record + row - from);
            if (row === to) break;
            if (row >= approached) {
              approached = Math.min(to, row + APPROACHED_KEYS);
              for (const keys of reading) keys.approach(row, approached);
            }
            row += only?.rememberNew(row, approached, record + row - from) ?? 0;
            if (row === approached) continue;
            let isNew = true;
            for (let key = 0; key < reading.length; key++) {
              const answer = (reading[key] as RangeKeyReader).firstRecord(row, record + row - from);
              first[key] = answer;
              if (answer !== 0 && answer !== NULL) isNew = false;
            }
            if (!isNew) {
              answers = first;
              return row;
            }
            row++;
          }
          return to;
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
    approach(number, hashes, at, stride, rows) {
      (keys[number] as Key).table.approach(hashes, at, stride, rows);
    },
    rememberNew(hashes, at, stride, rows, record) {
      if (record + rows > LAST_RECORD) throw beyondLastRecord(record + rows);
      return (keys[0] as Key).table.rememberNew(hashes, at, stride, rows, record);
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
  /** Whether there was a key without a place in memory. */
  isUsed = false;

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
    this.isUsed = true;
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
  let isInvalid = false;
  const isSingle = parts.length === 1;
  hash.begin();
  for (const { cell, field, isText, isInteger } of parts) {
    if (nulls[cell] === 1) {
      hasNull = true;
      continue;
    }
    const value = values[cell] as number;
    if (Number.isNaN(value)) {
      isInvalid = true;
      continue;
    }
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
  if (hasNull) return NULL;
  return isInvalid ? INVALID : HASHED;
}

/** One key of the rows of a range, as runs of rows. */
interface RangeKeys {
  /** The first row of each run. */
  readonly rows: Int32Array;
  /** {@link INTEGER}: each row has one more than the row before; {@link HASHED}; or 0, for none. */
  readonly forms: Uint8Array;
  /** The integer of the first row, or the number of its hash. */
  readonly values: Float64Array;
  readonly hashes: Int32Array;
}

const FIRST_RUNS = 16;
const FIRST_HASHES = 1_024;

/** Gathers {@link RangeKeys}. */
class RangeKeyWriter {
  #rows = new Int32Array(FIRST_RUNS);
  #forms = new Uint8Array(FIRST_RUNS);
  #values = new Float64Array(FIRST_RUNS);
  #runs = 0;
  #hashes = new Int32Array(0);
  #hashed = 0;
  /** Whether hashes go on, and the integer that would. */
  #isHashed = false;
  #next = Number.NaN;

  addInteger(row: number, value: number): void {
    if (value !== this.#next) this.#begin(row, INTEGER, value);
    // Beyond, one more may be the same.
    this.#next = value < LAST_INTEGER ? value + 1 : Number.NaN;
  }

  addHash(row: number, hash: Int32Array, at: number): void {
    if (!this.#isHashed) this.#begin(row, HASHED, this.#hashed);
    this.#isHashed = true;
    const to = this.#hashed++ * HASH_WORDS;
    if (to === this.#hashes.length) {
      this.#hashes = grown(this.#hashes, new Int32Array(Math.max(FIRST_HASHES, to * 2)));
    }
    const hashes = this.#hashes;
    for (let word = 0; word < HASH_WORDS; word++) hashes[to + word] = hash[at + word] as number;
  }

  addNone(row: number): void {
    this.#begin(row, 0, 0);
  }

  end(): RangeKeys {
    return {
      rows: this.#rows.slice(0, this.#runs),
      forms: this.#forms.slice(0, this.#runs),
      values: this.#values.slice(0, this.#runs),
      hashes: this.#hashes.slice(0, this.#hashed * HASH_WORDS),
    };
  }

  #begin(row: number, form: number, value: number): void {
    const run = this.#runs++;
    if (run === this.#rows.length) {
      this.#rows = grown(this.#rows, new Int32Array(run * 2));
      this.#forms = grown(this.#forms, new Uint8Array(run * 2));
      this.#values = grown(this.#values, new Float64Array(run * 2));
    }
    this.#rows[run] = row;
    this.#forms[run] = form;
    this.#values[run] = value;
    this.#isHashed = false;
    this.#next = Number.NaN;
  }
}

function grown<T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Looks {@link RangeKeys} up, from any row on. */
class RangeKeyReader {
  readonly #keys: RangeKeys;
  readonly #table: KeyTable;
  #run = 0;

  constructor(keys: RangeKeys, table: KeyTable) {
    this.#keys = keys;
    this.#table = table;
  }

  /** What the table answers of the key of a row. */
  firstRecord(row: number, record: number): number {
    this.#goTo(row);
    const { forms, hashes } = this.#keys;
    const form = forms[this.#run];
    if (form === 0) return NULL;
    const value = this.#valueOf(row);
    if (form === INTEGER) return this.#table.firstRecordOfInteger(value, record);
    return this.#table.firstRecordOfHash(hashes, value * HASH_WORDS, record);
  }

  /** How many rows from this one on have integers that count up, and are known to be new. */
  roomFor(row: number, record: number): number {
    this.#goTo(row);
    const { forms, rows } = this.#keys;
    if (forms[this.#run] !== INTEGER) return 0;
    const room = this.#table.roomFor(this.#valueOf(row), record);
    return Math.min(room, (rows[this.#run + 1] ?? Infinity) - row);
  }

  extendBy(rows: number): void {
    this.#table.extendBy(rows);
  }

  /** Has the processor read where the keys of these rows would be, before they are looked up. */
  approach(from: number, to: number): void {
    this.#goTo(from);
    const { forms, hashes, rows } = this.#keys;
    if (forms[this.#run] !== HASHED) return;
    const end = Math.min(to, rows[this.#run + 1] ?? to);
    this.#table.approach(hashes, this.#valueOf(from) * HASH_WORDS, HASH_WORDS, end - from);
  }

  /** Remembers the keys of rows while they are hashes that are new; gives the number of these rows. */
  rememberNew(from: number, to: number, record: number): number {
    this.#goTo(from);
    const { forms, hashes, rows } = this.#keys;
    if (forms[this.#run] !== HASHED) return 0;
    const end = Math.min(to, rows[this.#run + 1] ?? to);
    const first = this.#valueOf(from) * HASH_WORDS;
    return this.#table.rememberNew(hashes, first, HASH_WORDS, end - from, record);
  }

  #valueOf(row: number): number {
    const { rows, values } = this.#keys;
    return (values[this.#run] as number) + row - (rows[this.#run] as number);
  }

  #goTo(row: number): void {
    const { rows } = this.#keys;
    while (row >= (rows[this.#run + 1] ?? Infinity)) this.#run++;
  }
}

/** Remembers the integers of rows in which all keys count up; gives the number of these rows. */
function countUp(
  reading: readonly RangeKeyReader[],
  row: number,
  to: number,
  record: number,
): number {
  let rows = to - row;
  for (const keys of reading) {
    rows = Math.min(rows, keys.roomFor(row, record));
    if (rows === 0) return 0;
  }
  for (const keys of reading) keys.extendBy(rows);
  return rows;
}

function gatherKeys(keys: readonly Key[], file: InspectedFile): RangeGatherer {
  const gathering = keys.map((key) => ({
    key,
    hash: new KeyHash(key.secret),
    range: new RangeKeyWriter(),
  }));
  const primary = keys.filter(({ fault }) => fault === 'primary-key');
  const simple = simpleKeys(keys);
  let rows = 0;
  return {
    ...(simple === undefined
      ? {}
      : {
          keys: {
            keys: simple,
            see(batch) {
              const { words, values, stride, hashes } = batch;
              gathering.forEach(({ range }, key) => {
                let at = hashes[key] as number;
                const isInteger = simple[key]?.isInteger === true;
                for (let row = rows; row < rows + batch.rows; row++, at += stride) {
                  if (isInteger) range.addInteger(row, values[at / 2] as number);
                  else range.addHash(row, words, at);
                }
              });
              rows += batch.rows;
            },
          },
        }),
    // One of a required field was named already.
    refuses: () =>
      primary.some(({ parts }) =>
        parts.some(({ cell, field }) => file.nulls[cell] === 1 && !field.required),
      ),
    see(record) {
      for (const { key, hash, range } of gathering) {
        const form = readKey(key, hash, file, record);
        if (form === INTEGER) range.addInteger(rows, integer);
        else if (form === HASHED) {
          hash.finish();
          range.addHash(rows, hash.words, 0);
        } else range.addNone(rows);
      }
      rows++;
    },
    gathered: () => gathering.map(({ range }) => range.end()),
  };
}

function nullInPrimaryKey({ parts }: Key, file: InspectedFile, found: Found<Kind>): void {
  for (const { cell, field } of parts) {
    // A required field that is null was named already.
    if (file.nulls[cell] !== 1 || field.required || !found.count('primary-key', cell)) continue;
    found.listCell('primary-key', cell, 'A field of the primary key is null.');
  }
}
