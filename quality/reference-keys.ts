import { addCellKey, type InspectedFile, type KeyParts, type RowReader } from './checks/check.ts';
import { HASH_WORDS } from './key-hash.ts';
import { KeyBudget, KeyIndex } from './key-index.ts';
import type { EnginePorts, Reference, ReferenceKeys } from './ports.ts';
import type { Scanner } from './scanner.ts';
import { encodeText } from './text.ts';

/** The most keys that are kept of a file for others to refer to: 16 MB of hashes. */
export const MOST_REFERENCE_KEYS = 1_000_000;

/** Bytes of a hash: the first half of an HMAC-SHA-256. */
export const REFERENCE_KEY_BYTES = HASH_WORDS * 4;

/** Bytes of the secret that keys are hashed under. */
export const REFERENCE_SECRET_BYTES = 32;

/** Of what values are hashed as. Hashes of another form can't be compared. */
export const REFERENCE_FORM = 1;

/** What {@link ReferenceKeyCollector} made of one list of fields. */
export type CollectedKeys = Pick<Reference, 'fields' | 'keys'>;

/**
 * Hashes keys by HMAC-SHA-256 (RFC 2104), cut to 128 bits. Unlike `KeyHash` (key-hash.ts), which is for the memory of one
 * run, it can't be turned back where hash and secret are both known.
 */
export class ReferenceHash implements KeyParts {
  /** The hash, after {@link finish}. */
  readonly words = new Int32Array(HASH_WORDS);
  readonly #createHash: EnginePorts['createHash'];
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;
  readonly #digest = new Uint8Array(32);
  #message = new Uint8Array(64);
  #length = 0;

  constructor(secret: Uint8Array, { createHash }: Pick<EnginePorts, 'createHash'>) {
    this.#createHash = createHash;
    this.#inner = padded(secret, 0x36);
    this.#outer = padded(secret, 0x5c);
  }

  begin(): void {
    this.#length = 0;
  }

  /** A text, with its length in front. */
  addBytes(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    const at = this.#grow(size + 5);
    this.#message[at] = TEXT;
    new DataView(this.#message.buffer).setUint32(at + 1, size);
    this.#message.set(bytes.subarray(start, end), at + 5);
  }

  addKey(key: number | string): void {
    if (typeof key === 'string') {
      const bytes = encodeText(key);
      this.addBytes(bytes, 0, key.length);
      return;
    }
    const at = this.#grow(9);
    this.#message[at] = NUMBER;
    // Minus zero is zero.
    new DataView(this.#message.buffer).setFloat64(at + 1, key === 0 ? 0 : key);
  }

  finish(): void {
    const inner = this.#createHash();
    inner.update(this.#inner);
    inner.update(this.#message.subarray(0, this.#length));
    const outer = this.#createHash();
    outer.update(this.#outer);
    outer.update(readHex(inner.digest('hex'), this.#digest));
    const digest = outer.digest('hex');
    for (let word = 0; word < HASH_WORDS; word++) {
      this.words[word] = Number.parseInt(digest.slice(word * 8, word * 8 + 8), 16);
    }
  }

  #grow(more: number): number {
    const at = this.#length;
    this.#length += more;
    if (this.#length > this.#message.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#message.subarray(0, at));
      this.#message = larger;
    }
    return at;
  }
}

const TEXT = 0;
const NUMBER = 1;
/** Of SHA-256, in bytes. */
const BLOCK = 64;

function padded(secret: Uint8Array, pad: number): Uint8Array {
  return Uint8Array.from({ length: BLOCK }, (_, at) => (secret[at] ?? 0) ^ pad);
}

/** Writes what hexadecimal digits stand for, in lower case. */
function readHex(hex: string, bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (digitOf(hex, at * 2) << 4) | digitOf(hex, at * 2 + 1);
  }
  return bytes;
}

function digitOf(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** Collects the keys of a file that others refer to; to be given to `inspectCsv` as its row reader. */
export class ReferenceKeyCollector {
  readonly #lists: readonly (readonly string[])[];
  readonly #ports: EnginePorts;
  #collections: Collection[] = [];

  readonly #most: number;
  readonly #maxBytes: number;

  /**
   * @param lists names of fields
   * @param limits `maxKeyBytes` is the memory for all of them, `most` keys of each; beyond that, none is known
   */
  constructor(
    lists: readonly (readonly string[])[],
    ports: EnginePorts,
    limits: { readonly maxKeyBytes: number; readonly most?: number },
  ) {
    this.#lists = lists;
    this.#ports = ports;
    this.#most = limits.most ?? MOST_REFERENCE_KEYS;
    // They are held twice: for being found, and in a row.
    this.#maxBytes = limits.maxKeyBytes / 2;
  }

  readonly read: RowReader = (file, columns) => {
    const cellOf = (name: string) => columns.findIndex(({ field }) => field?.name === name);
    this.#collections = this.#lists.map((fields) => {
      const cells = fields.map(cellOf);
      const types = cells.map((cell) => columns[cell]?.field?.type ?? '');
      const limits = { most: this.#most, maxBytes: this.#maxBytes / this.#lists.length };
      return new Collection({ fields, cells, types, ...limits }, this.#ports);
    });
    return (record) => {
      for (const collection of this.#collections) collection.add(record, file);
    };
  };

  /** The keys of each list of fields, after the last row; none where there was no table. */
  collected(): readonly CollectedKeys[] {
    return this.#collections.map((collection) => collection.keys());
  }
}

/** Of what keys are collected. */
interface Collected {
  readonly fields: readonly string[];
  /** -1 for a field without a column. */
  readonly cells: readonly number[];
  readonly types: readonly string[];
  readonly most: number;
  readonly maxBytes: number;
}

class Collection {
  readonly #fields: readonly string[];
  readonly #cells: readonly number[];
  readonly #types: readonly string[];
  readonly #most: number;
  readonly #secret = new Int32Array(REFERENCE_SECRET_BYTES / 4);
  readonly #hash: ReferenceHash;
  readonly #known: KeyIndex;
  #words = new Int32Array(HASH_WORDS * 256);
  /** Why the keys are not known. */
  #problem: string | undefined;

  constructor({ fields, cells, types, most, maxBytes }: Collected, ports: EnginePorts) {
    this.#fields = fields;
    this.#cells = cells;
    this.#types = types;
    this.#most = most;
    this.#known = new KeyIndex(new KeyBudget(maxBytes));
    const missing = fields.filter((_, part) => cells[part] === -1);
    if (missing.length > 0) this.#problem = `it lacks ${missing.join(', ')}`;
    ports.fillRandom(this.#secret);
    this.#hash = new ReferenceHash(new Uint8Array(this.#secret.buffer), ports);
  }

  add(record: Scanner, file: InspectedFile): void {
    if (this.#problem !== undefined) return;
    if (!hashCells(this.#hash, this.#cells, file, record)) return;
    const { count } = this.#known;
    const found = this.#known.find(this.#hash.words, 0, 1);
    if (found > 0) return;
    if (found < 0 || count === this.#most) {
      this.#problem =
        found < 0
          ? 'its keys needed more memory than there was for keys'
          : `it has more than ${this.#most.toLocaleString('en-US')} different keys`;
      this.#known.clear();
      return;
    }
    const at = count * HASH_WORDS;
    if (at === this.#words.length) {
      const larger = new Int32Array(at * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words.set(this.#hash.words, at);
  }

  keys(): CollectedKeys {
    const fields = this.#fields;
    if (this.#problem !== undefined) return { fields, keys: this.#problem };
    const { count } = this.#known;
    this.#known.clear();
    return {
      fields,
      keys: {
        form: REFERENCE_FORM,
        types: this.#types.map(comparedType),
        secret: new Uint8Array(this.#secret.buffer),
        hashes: withoutOrder(this.#words.subarray(0, count * HASH_WORDS)),
      },
    };
  }
}

/** Types that are compared as the same one. */
export function comparedType(type: string): string {
  return type === 'any' ? 'string' : type;
}

/** Hashes the row's key by its values; false where a part is null, or not of its type. */
export function hashCells(
  hash: KeyParts,
  cells: readonly number[],
  { columns = [], nulls, values }: InspectedFile,
  record: Scanner,
): boolean {
  hash.begin();
  for (const cell of cells) {
    const field = columns[cell]?.field;
    const value = values[cell] as number;
    if (field === undefined || nulls[cell] === 1 || Number.isNaN(value)) return false;
    addCellKey(hash, field, value, record, cell);
  }
  hash.finish();
  return true;
}

/** The bytes of hashes, in an order by their first bits: that of the file would say which row a hash is of. */
function withoutOrder(words: Int32Array): Uint8Array {
  const hashes = new DataView(new ArrayBuffer(words.length * 4));
  const next = new Uint32Array(BUCKETS + 1);
  for (let at = 0; at < words.length; at += HASH_WORDS) {
    const bucket = ((words[at] as number) >>> 16) + 1;
    next[bucket] = (next[bucket] as number) + 1;
  }
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    next[bucket + 1] = (next[bucket + 1] as number) + (next[bucket] as number);
  }
  for (let at = 0; at < words.length; at += HASH_WORDS) {
    const bucket = (words[at] as number) >>> 16;
    const place = next[bucket] as number;
    next[bucket] = place + 1;
    for (let word = 0; word < HASH_WORDS; word++) {
      hashes.setInt32(place * REFERENCE_KEY_BYTES + word * 4, words[at + word] as number);
    }
  }
  return new Uint8Array(hashes.buffer);
}

const BUCKETS = 65_536;

/**
 * Puts hashes into an index.
 *
 * @returns undefined where the budget does not hold them
 */
export function indexOfReference(
  { hashes }: ReferenceKeys,
  budget: KeyBudget,
): KeyIndex | undefined {
  const index = new KeyIndex(budget);
  const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength);
  const words = new Int32Array(HASH_WORDS);
  for (let at = 0; at < hashes.length; at += REFERENCE_KEY_BYTES) {
    for (let word = 0; word < HASH_WORDS; word++) words[word] = view.getInt32(at + word * 4);
    if (index.find(words, 0, 1) < 0) {
      index.clear();
      return undefined;
    }
  }
  return index;
}
