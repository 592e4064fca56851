import type { Column, InspectedFile, RowReader } from './checks/check.ts';
import type { Classification } from './classification.ts';
import { HASH_WORDS, KeyHash } from './key-hash.ts';
import { KeyBudget, KeyIndex, LAST_RECORD } from './key-index.ts';
import type { EnginePorts, ScratchFile } from './ports.ts';
import { CELL_ESCAPED, type Scanner } from './scanner.ts';
import type { CompiledField } from './table-schema.ts';

/** Words of a cell's hash: two cells that differ have the same with a chance of 2^-64. */
const CELL_WORDS = 2;
/** Of a row there are the hash of its key, its record, and the hashes of its cells. */
const RECORD_AT = HASH_WORDS;
const CELLS_AT = HASH_WORDS + 1;

const PARTITIONS = 256;
const BLOCK_WORDS = 4_096;

/** Begins the hash of a value that is not of its type, which is compared as a text. */
const AS_TEXT = 1;

/** A column of one of the files. */
export interface ComparedColumn {
  /** Name of its field; its label, where no schema declares it. */
  readonly name: string;
  /** Null where no schema declares it. */
  readonly classification: Classification | null;
}

/** What is compared of one delivery: the rows of a file as hashes, in partitions by their keys. */
export class ComparedRows {
  /** Of the file, in its order. */
  columns: readonly ComparedColumn[] = [];
  /** Columns of the key that the file does not have. No row is taken while there are some. */
  missing: readonly string[] = [];
  /** Rows that were seen, those without a whole key included. */
  seen = 0;
  /** Rows of which a part of the key is null: they have no counterpart. */
  withoutKey = 0;

  readonly #key: readonly string[];
  readonly #ports: EnginePorts;
  readonly #hash: KeyHash;
  #partitions: RowPartitions | undefined;

  /**
   * @param key names of columns, at least one
   * @param secret of `KeyHash` (key-hash.ts), the same for both deliveries
   */
  constructor(key: readonly string[], ports: EnginePorts, secret: Int32Array) {
    this.#key = key;
    this.#ports = ports;
    this.#hash = new KeyHash(secret);
  }

  /** Takes the rows of a file; to be given to `inspectCsv`. */
  readonly read: RowReader = (file, columns) => {
    this.columns = columns.map(({ field, label, classification }) => ({
      name: field?.name ?? label,
      classification,
    }));
    const key = this.#key.map((name) => this.columns.findIndex((column) => column.name === name));
    this.missing = this.#key.filter((_, part) => key[part] === -1);
    const rows = new RowPartitions(CELLS_AT + columns.length * CELL_WORDS, this.#ports);
    this.#partitions?.close();
    this.#partitions = rows;
    return (record) => {
      this.seen++;
      if (this.missing.length > 0) return;
      if (!this.#addKey(key, columns, file, record, rows.row)) {
        this.withoutKey++;
        return;
      }
      for (let cell = 0; cell < columns.length; cell++) {
        this.#addCell(cell, columns, file, record, rows.row);
      }
      rows.add();
    };
  };

  /** Rows that have a key. */
  get partitions(): RowPartitions | undefined {
    return this.#partitions;
  }

  /** Gives back what is held outside of memory; may be called at any time. */
  close(): void {
    this.#partitions?.close();
  }

  #addKey(
    key: readonly number[],
    columns: readonly Column[],
    file: InspectedFile,
    record: Scanner,
    row: Int32Array,
  ): boolean {
    if (file.records > LAST_RECORD)
      throw new RangeError(`record ${file.records} is beyond the last`);
    const hash = this.#hash;
    hash.begin();
    for (const cell of key) {
      if (file.nulls[cell] === 1) return false;
      addValue(hash, columns[cell]?.field, file.values[cell] as number, record, cell);
    }
    hash.finish();
    row.set(hash.words);
    row[RECORD_AT] = file.records;
    return true;
  }

  #addCell(
    cell: number,
    columns: readonly Column[],
    file: InspectedFile,
    record: Scanner,
    row: Int32Array,
  ): void {
    const at = CELLS_AT + cell * CELL_WORDS;
    const field = columns[cell]?.field;
    // Without a schema blanks are not null but another text.
    if (field !== undefined && file.nulls[cell] === 1) {
      row[at] = 0;
      row[at + 1] = 0;
      return;
    }
    const hash = this.#hash;
    hash.begin();
    addValue(hash, field, file.values[cell] as number, record, cell);
    hash.finish();
    row[at] = hash.words[0] as number;
    row[at + 1] = hash.words[1] as number;
  }
}

/** Adds what only equal values share: a text without a schema, else a value of the field's type. */
function addValue(
  hash: KeyHash,
  field: CompiledField | undefined,
  value: number,
  record: Scanner,
  cell: number,
): void {
  let bytes = record.bytes;
  let start = record.starts[cell] as number;
  let end = record.ends[cell] as number;
  if (((record.flags[cell] as number) & CELL_ESCAPED) !== 0) {
    bytes = record.unescape(cell);
    start = 0;
    end = bytes.length;
  }
  if (field === undefined || field.type === 'string' || field.type === 'any') {
    hash.addBytes(bytes, start, end);
  } else if (Number.isNaN(value)) {
    hash.addNumber(AS_TEXT);
    hash.addBytes(bytes, start, end);
  } else {
    hash.addKey(field.cell.key(bytes, start, end, value));
  }
}

/** Rows in partitions by the hashes of their keys; what does not fit into a block of each goes to a scratch file. */
class RowPartitions {
  /** The row that {@link add} takes next. */
  readonly row: Int32Array<ArrayBuffer>;
  /** Rows of each partition. */
  readonly counts = new Float64Array(PARTITIONS);

  readonly #ports: EnginePorts;
  /** Words of a block, which holds whole rows. */
  readonly #blockWords: number;
  readonly #blocks: (Int32Array<ArrayBuffer> | undefined)[] = [];
  /** Words in use of each block. */
  readonly #used = new Int32Array(PARTITIONS);
  /** Numbers of the blocks that were written, by partition. */
  readonly #written: readonly number[][] = Array.from({ length: PARTITIONS }, () => []);
  #writtenBlocks = 0;
  #scratch: ScratchFile | undefined;

  /** @param width words of a row */
  constructor(width: number, ports: EnginePorts) {
    this.row = new Int32Array(width);
    this.#ports = ports;
    this.#blockWords = Math.max(1, Math.floor(BLOCK_WORDS / width)) * width;
  }

  /** @throws what the scratch file throws, as where there is no room left */
  add(): void {
    const { row } = this;
    const partition = (row[2] as number) & (PARTITIONS - 1);
    const block = this.#blocks[partition] ?? new Int32Array(this.#blockWords);
    this.#blocks[partition] = block;
    const used = this.#used[partition] as number;
    block.set(row, used);
    this.counts[partition] = (this.counts[partition] as number) + 1;
    const next = used + row.length;
    this.#used[partition] = next < this.#blockWords ? next : 0;
    if (next < this.#blockWords) return;
    this.#scratch ??= this.#openScratch();
    this.#scratch.write(new Uint8Array(block.buffer), this.#writtenBlocks * block.byteLength);
    this.#written[partition]?.push(this.#writtenBlocks++);
  }

  /** Visits the rows of a partition in the order of the file: the words of a row begin at `at`. */
  visit(partition: number, take: (words: Int32Array, at: number) => void): void {
    const width = this.row.length;
    const written = this.#written[partition] as number[];
    if (written.length > 0) {
      const block = new Int32Array(this.#blockWords);
      for (const number of written) {
        this.#scratch?.read(new Uint8Array(block.buffer), number * block.byteLength);
        for (let at = 0; at < block.length; at += width) take(block, at);
      }
    }
    const rest = this.#blocks[partition];
    const used = this.#used[partition] as number;
    if (rest !== undefined) for (let at = 0; at < used; at += width) take(rest, at);
  }

  close(): void {
    this.#scratch?.close();
    this.#scratch = undefined;
  }

  #openScratch(): ScratchFile {
    const { openScratch } = this.#ports;
    if (openScratch === undefined) throw new Error('deliveries of this size need scratch space');
    return openScratch();
  }
}

/** What became of one delivery's rows that have a key. */
export interface ComparedSide {
  /** Keys that come more than once in this delivery. */
  duplicateKeys: number;
  /** Rows whose key comes more than once in one of the two: which belongs to which is not known. */
  ambiguousRows: number;
}

/** How two deliveries differ. Rows of one key are told apart by the columns that both have. */
export interface Comparison {
  readonly before: ComparedSide;
  readonly after: ComparedSide;
  added: number;
  removed: number;
  changed: number;
  equal: number;
  /** The columns that both have, in the order of the first, with the rows in which their values differ. */
  readonly columns: readonly (ComparedColumn & { changed: number })[];
  readonly columnsAdded: readonly ComparedColumn[];
  readonly columnsRemoved: readonly ComparedColumn[];
}

/** Where a difference is: numbers of records, of a delivery that has none there null. */
export interface ComparedPlace {
  readonly kind: 'added' | 'removed' | 'changed' | 'duplicate';
  readonly before: number | null;
  readonly after: number | null;
  /** Of a duplicate, the record that had the key first. */
  readonly first?: number;
  /** Of a changed row, the indexes in {@link Comparison.columns}. */
  readonly columns?: readonly number[];
}

/** A key that is in the first delivery; in the second; in one of them more than once. */
const IN_BEFORE = 1;
const IN_AFTER = 2;
const TWICE_BEFORE = 4;
const TWICE_AFTER = 8;
const AMBIGUOUS = TWICE_BEFORE | TWICE_AFTER;

/**
 * Compares two deliveries partition by partition, and stops after each, so that other work gets its turn. Memory is
 * what the first one's rows of a partition take, about a 256th of them.
 *
 * @param found takes the places, those of a kind and partition in the order of the file; without it they cost nothing
 */
export function* compareRows(
  before: ComparedRows,
  after: ComparedRows,
  found?: (place: ComparedPlace) => void,
): Generator<void, Comparison> {
  const { pairs, ...columns } = pairedColumns(before.columns, after.columns);
  const comparison: Comparison = {
    before: { duplicateKeys: 0, ambiguousRows: 0 },
    after: { duplicateKeys: 0, ambiguousRows: 0 },
    ...{ added: 0, removed: 0, changed: 0, equal: 0 },
    ...columns,
  };
  for (let partition = 0; partition < PARTITIONS; partition++) {
    comparePartition(partition, before.partitions, after.partitions, pairs, comparison, found);
    yield;
  }
  return comparison;
}

/** The places of a pair of columns in the rows of each delivery. */
type Pairs = readonly (readonly [before: number, after: number])[];

function pairedColumns(before: readonly ComparedColumn[], after: readonly ComparedColumn[]) {
  const open = new Set(after.keys());
  const pairs: [number, number][] = [];
  const columnsRemoved: ComparedColumn[] = [];
  const byName = Map.groupBy(after.keys(), (index) => after[index]?.name);
  for (const [index, column] of before.entries()) {
    // Of columns with one name the first belongs to the first.
    const other = byName.get(column.name)?.shift();
    if (other === undefined) columnsRemoved.push(column);
    else {
      pairs.push([index, other]);
      open.delete(other);
    }
  }
  return {
    pairs,
    columns: pairs.map(([index]) => ({ ...(before[index] as ComparedColumn), changed: 0 })),
    columnsAdded: [...open].map((index) => after[index] as ComparedColumn),
    columnsRemoved,
  };
}

function comparePartition(
  partition: number,
  before: RowPartitions | undefined,
  after: RowPartitions | undefined,
  pairs: Pairs,
  comparison: Comparison,
  found: ((place: ComparedPlace) => void) | undefined,
): void {
  const countBefore = before?.counts[partition] ?? 0;
  const most = countBefore + (after?.counts[partition] ?? 0);
  if (most === 0) return;
  const index = new KeyIndex(new KeyBudget(Infinity));
  const states = new Uint8Array(most);
  /** The record that has a key first, in either delivery. */
  const firstBefore = new Uint32Array(countBefore);
  const firstAfter = new Uint32Array(most);
  const width = pairs.length * CELL_WORDS;
  const cells = new Int32Array(countBefore * width);
  /** The number of a row's key, from 0. */
  const numberOf = (words: Int32Array, at: number): number => {
    const next = index.count + 1;
    return (index.find(words, at, next) || next) - 1;
  };
  before?.visit(partition, (words, at) => {
    const key = numberOf(words, at);
    const record = (words[at + RECORD_AT] as number) >>> 0;
    const state = states[key] as number;
    if (state !== 0) {
      if ((state & TWICE_BEFORE) === 0) comparison.before.duplicateKeys++;
      states[key] = state | TWICE_BEFORE;
      const first = firstBefore[key] as number;
      found?.({ kind: 'duplicate', before: record, after: null, first });
      return;
    }
    states[key] = IN_BEFORE;
    firstBefore[key] = record;
    for (let pair = 0; pair < pairs.length; pair++) {
      const from = at + CELLS_AT + (pairs[pair]?.[0] as number) * CELL_WORDS;
      const to = key * width + pair * CELL_WORDS;
      cells[to] = words[from] as number;
      cells[to + 1] = words[from + 1] as number;
    }
  });
  after?.visit(partition, (words, at) => {
    const key = numberOf(words, at);
    const record = (words[at + RECORD_AT] as number) >>> 0;
    const state = states[key] as number;
    if ((state & IN_AFTER) !== 0) {
      if ((state & TWICE_AFTER) === 0) comparison.after.duplicateKeys++;
      states[key] = state | TWICE_AFTER;
      const first = firstAfter[key] as number;
      found?.({ kind: 'duplicate', before: null, after: record, first });
      return;
    }
    states[key] = state | IN_AFTER;
    firstAfter[key] = record;
  });
  after?.visit(partition, (words, at) => {
    const key = index.get(words, at) - 1;
    const state = states[key] as number;
    const record = (words[at + RECORD_AT] as number) >>> 0;
    if ((state & AMBIGUOUS) !== 0) {
      comparison.after.ambiguousRows++;
      return;
    }
    if ((state & IN_BEFORE) === 0) {
      comparison.added++;
      found?.({ kind: 'added', before: null, after: record });
      return;
    }
    const changed: number[] = [];
    for (let pair = 0; pair < pairs.length; pair++) {
      const one = key * width + pair * CELL_WORDS;
      const other = at + CELLS_AT + (pairs[pair]?.[1] as number) * CELL_WORDS;
      if (cells[one] === words[other] && cells[one + 1] === words[other + 1]) continue;
      changed.push(pair);
      const column = comparison.columns[pair];
      if (column !== undefined) column.changed++;
    }
    if (changed.length === 0) {
      comparison.equal++;
      return;
    }
    comparison.changed++;
    const first = firstBefore[key] as number;
    found?.({ kind: 'changed', before: first, after: record, columns: changed });
  });
  before?.visit(partition, (words, at) => {
    const state = states[index.get(words, at) - 1] as number;
    if ((state & AMBIGUOUS) !== 0) comparison.before.ambiguousRows++;
    else if ((state & IN_AFTER) === 0) {
      comparison.removed++;
      const record = (words[at + RECORD_AT] as number) >>> 0;
      found?.({ kind: 'removed', before: record, after: null });
    }
  });
  index.clear();
}
