import { type DeferredKey, DeferredKeys } from '../deferred-keys.ts';
import { HASH_WORDS, KeyHash } from '../key-hash.ts';
import { KeyBudget, KeyIndex } from '../key-index.ts';
import type { ScratchFile } from '../ports.ts';
import type { Scanner } from '../scanner.ts';
import type { CompiledField } from '../table-schema.ts';
import {
  addCellKey,
  type Check,
  type Column,
  type Found,
  type InspectedFile,
  keyBudgetOf,
  MOST_OF_A_COLUMN,
} from './check.ts';

type Kind = 'foreign-key' | 'key-check-incomplete';

/** Fields that have a column each. */
type Parts = readonly { readonly cell: number; readonly field: CompiledField }[];

interface ForeignKey {
  readonly source: Parts;
  readonly target: Parts;
  readonly hash: KeyHash;
  /** Keys that were referred to so far, as far as there is memory. */
  readonly known: KeyIndex;
}

/**
 * Foreign keys within one file. A row may refer to a later one: what is not known yet is written down and looked at
 * again when all rows have come, with the keys that had no place in memory.
 */
export const FOREIGN_KEY_CHECK: Check<Kind> = {
  kinds: ['foreign-key', 'key-check-incomplete'],
  begin(file) {
    let keys: readonly ForeignKey[] = [];
    let rest: OpenReferences | undefined;
    return {
      open(columns) {
        keys = foreignKeysOf(file, columns);
        if (keys.length === 0) return undefined;
        rest = new OpenReferences(file, keys);
        const open = rest;
        return (record, found) => {
          keys.forEach((key, number) => {
            judge(key, number, file, record, found, open);
          });
        };
      },
      *settle(found) {
        if (rest !== undefined) yield* rest.settle(found);
        for (const { known } of keys) known.clear();
      },
      end(found) {
        if (rest?.lost === true && found.count('key-check-incomplete')) {
          const message = 'Too many foreign keys to remember; those left open were not compared.';
          found.listFile('key-check-incomplete', message);
        }
        return true;
      },
      close: () => rest?.close(),
    };
  },
};

function foreignKeysOf(file: InspectedFile, columns: readonly Column[]): ForeignKey[] {
  const { schema, ports } = file;
  const budget = new KeyBudget(keyBudgetOf(file));
  const partsOf = (fields: readonly number[]): Parts =>
    fields.flatMap((index) => {
      const field = schema?.fields[index];
      const cell = columns.findIndex((column) => column.field === field);
      // A field without a column was reported as a missing label.
      return field === undefined || cell < 0 ? [] : [{ cell, field }];
    });
  return (schema?.foreignKeys ?? []).flatMap(({ fields, reference }) => {
    const [source, target] = [partsOf(fields), partsOf(reference)];
    if (source.length < fields.length || target.length < fields.length) return [];
    const secret = new Int32Array(HASH_WORDS);
    ports.fillRandom(secret);
    return [{ source, target, hash: new KeyHash(secret), known: new KeyIndex(budget) }];
  });
}

function judge(
  { source, target, hash, known }: ForeignKey,
  number: number,
  file: InspectedFile,
  record: Scanner,
  found: Found<Kind>,
  open: OpenReferences,
): void {
  if (isHashed(target, hash, file, record) && known.find(hash.words, 0, file.records) < 0) {
    open.add(number * 2, hash.words, target, record, found);
  }
  if (isHashed(source, hash, file, record) && known.get(hash.words, 0) === 0) {
    open.add(number * 2 + 1, hash.words, source, record, found);
  }
}

/** Hashes the row's key by its values; false where a part is null, or not of its type. */
function isHashed(
  parts: Parts,
  hash: KeyHash,
  { nulls, values }: InspectedFile,
  record: Scanner,
): boolean {
  hash.begin();
  for (const { cell, field } of parts) {
    const value = values[cell] as number;
    if (nulls[cell] === 1 || Number.isNaN(value)) return false;
    addCellKey(hash, field, value, record, cell);
  }
  hash.finish();
  return true;
}

/** References that no row had yet, and keys that had no place in memory. */
class OpenReferences {
  /** Whether there was no room for some of them. */
  lost = false;

  readonly #file: InspectedFile;
  readonly #keys: readonly ForeignKey[];
  #scratch: ScratchFile | undefined;
  #deferred: DeferredKeys | undefined;

  constructor(file: InspectedFile, keys: readonly ForeignKey[]) {
    this.#file = file;
    this.#keys = keys;
  }

  add(key: number, hash: Int32Array, parts: Parts, scanner: Scanner, found: Found<Kind>): void {
    if (this.lost) return;
    const { byteOf, ports, records } = this.#file;
    this.#deferred ??= new DeferredKeys({
      // Most files have few of them, which need no file.
      write: (bytes, position) => {
        if (ports.openScratch === undefined) this.lost = true;
        this.#scratch ??= ports.openScratch?.();
        this.#scratch?.write(bytes, position);
      },
      read: (bytes, position) => this.#scratch?.read(bytes, position),
      close: () => {},
    });
    const start = scanner.starts[parts[0]?.cell ?? 0] as number;
    this.#deferred.add(hash, {
      key,
      record: records,
      line: scanner.lineAt(start),
      byte: byteOf(scanner.offset(start)),
      row: found.row,
    });
  }

  /** Names the references that no row has, the first of each foreign key in the order of the file. */
  *settle(found: Found<Kind>): Generator<void> {
    // What was written nowhere can't be read again.
    if (this.#deferred === undefined || this.lost) return;
    const isKnown = (key: number, words: Int32Array, at: number): boolean =>
      this.#keys[key >>> 1]?.known.get(words, at) !== 0;
    const first = this.#keys.map((): DeferredKey[] => []);
    yield* this.#deferred.unmatched(isKnown, (reference) => {
      const number = reference.key >>> 1;
      found.countInEarlierRow('foreign-key', this.#keys[number]?.source[0]?.cell ?? 0, reference);
      const listed = first[number] ?? [];
      listed.push(reference);
      // They come partition by partition.
      if (listed.length > 2 * MOST_OF_A_COLUMN) listed.sort(byPlace).splice(MOST_OF_A_COLUMN);
    });
    for (const { key, record, line, byte } of first.flat().sort(byPlace)) {
      const { source, target } = this.#keys[key >>> 1] as ForeignKey;
      const cells = source.map(({ cell }) => cell);
      const message = `No row has this ${namesOf(source)} as its ${namesOf(target)}.`;
      found.listEarlierRow('foreign-key', message, { record, line, byte, cells });
    }
  }

  close(): void {
    this.#scratch?.close();
    this.#scratch = undefined;
  }
}

function namesOf(parts: Parts): string {
  return parts.map(({ field }) => field.name).join(', ');
}

function byPlace(one: DeferredKey, other: DeferredKey): number {
  return one.record - other.record || one.key - other.key;
}
