import { HASH_WORDS } from './key-hash.ts';

/** The words of a hash, and the record that had the key first. */
const ENTRY_WORDS = HASH_WORDS + 1;
const ENTRY_BYTES = ENTRY_WORDS * 4;
/** A byte of tag and four of entry number. */
const SLOT_BYTES = 5;

/** Entries of the first page grow with the keys, so that a small file or one of many keys costs little. */
const FIRST_ENTRIES = 16;
const PAGE_ENTRIES = 8_192;
const FIRST_SLOTS = 32;

/** The highest number of a record that has a place in the index. */
export const LAST_RECORD = 2 ** 32 - 1;

/** Slots in use at which there are made more, by as much, and at which no further key is taken where there can't be. */
const LOAD = 0.75;
const HIGHEST_LOAD = 0.85;
const GROWTH = 4;
/** Entries and slots where all of a budget is used. */
const FULL_BYTES_PER_KEY = ENTRY_BYTES + SLOT_BYTES / LOAD;
/** A smaller growth is not worth its work. */
const LEAST_GROWTH = 1.02;

/**
 * Bytes that the indexes of one file may still take together. They are given out by numbers of keys alone, so that
 * what is remembered of a file is the same in every run.
 */
export class KeyBudget {
  #left: number;

  /** @param bytes from 0 */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  get left(): number {
    return this.#left;
  }

  /** Takes bytes when as many are left. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * Remembers hashes of keys, with the record that had each first, within a budget.
 *
 * The entries stand one after the other in pages. Slots found by the hash (open addressing, linear probing) hold the
 * number of an entry, and beside it one byte of its hash: a key that is new is nearly always known to be by these
 * bytes, which are so few that they are in the processor's cache where the entries are not.
 */
export class KeyIndex {
  /** Keys that are remembered. */
  count = 0;

  readonly #budget: KeyBudget;
  #pages: Int32Array[] = [];
  #room = 0;
  /** What {@link approach} has read last: a read that nobody sees may be left out. */
  approached = 0;
  /** 0 for an empty slot. */
  #tags = new Uint8Array(0);
  #entries = new Uint32Array(0);
  #slots = 0;
  /** Keys at which there must be more slots. */
  #limit = 0;
  #bytes = 0;

  constructor(budget: KeyBudget) {
    this.#budget = budget;
  }

  /**
   * Finds a key, or remembers it.
   *
   * @param hash its {@link HASH_WORDS} words, from `at` on
   * @param record from 1 to {@link LAST_RECORD}
   * @returns the record that had it first; 0 when none had and it is remembered now; -1 when none of those that are
   *   remembered had, and there is no room for it
   */
  find(hash: Int32Array, at: number, record: number): number {
    const h0 = hash[at] as number;
    const h1 = hash[at + 1] as number;
    const slot = this.#slots === 0 ? 0 : this.#slotOf(h0, h1, hash, at);
    const tags = this.#tags;
    if (slot < tags.length && tags[slot] !== 0) return this.#recordIn(slot);
    if (this.count >= this.#limit && !this.#addSlots()) return -1;
    if (this.count >= this.#room && !this.#addPage()) return -1;
    this.#put(this.#tags === tags ? slot : this.#emptySlot(h0), hash, at, record);
    return 0;
  }

  /**
   * Looks at where a key would be, so that the processor has it in its cache by the time that {@link find} is called:
   * for many keys one after the other it waits for memory once and not each time.
   */
  approach(hash: Int32Array, at: number): void {
    this.approached = this.#tags[homeOf(hash[at] as number, this.#slots)] as number;
  }

  /** The record that had a key first; 0 when it is not remembered. */
  get(hash: Int32Array, at: number): number {
    if (this.#slots === 0) return 0;
    const slot = this.#slotOf(hash[at] as number, hash[at + 1] as number, hash, at);
    return this.#tags[slot] === 0 ? 0 : this.#recordIn(slot);
  }

  /** Forgets all keys, and gives their memory back. */
  clear(): void {
    for (const page of this.#pages) free(page);
    free(this.#tags);
    free(this.#entries);
    this.#pages = [];
    this.#tags = new Uint8Array(0);
    this.#entries = new Uint32Array(0);
    this.#slots = 0;
    this.#limit = 0;
    this.#room = 0;
    this.count = 0;
    this.#budget.giveBack(this.#bytes);
    this.#bytes = 0;
  }

  /** The slot of a key, or the empty one where it would be. */
  #slotOf(h0: number, h1: number, hash: Int32Array, at: number): number {
    const tags = this.#tags;
    const tag = tagOf(h1);
    let slot = homeOf(h0, this.#slots);
    for (;;) {
      const found = tags[slot];
      if (found === 0) return slot;
      if (found === tag && this.#has(this.#entries[slot] as number, hash, at)) return slot;
      if (++slot === tags.length) slot = 0;
    }
  }

  #recordIn(slot: number): number {
    const entry = this.#entries[slot] as number;
    const page = this.#pages[Math.floor(entry / PAGE_ENTRIES)] as Int32Array;
    return (page[(entry % PAGE_ENTRIES) * ENTRY_WORDS + HASH_WORDS] as number) >>> 0;
  }

  #emptySlot(h0: number): number {
    const tags = this.#tags;
    let slot = homeOf(h0, this.#slots);
    while (tags[slot] !== 0) if (++slot === tags.length) slot = 0;
    return slot;
  }

  #has(entry: number, hash: Int32Array, at: number): boolean {
    const page = this.#pages[Math.floor(entry / PAGE_ENTRIES)] as Int32Array;
    const from = (entry % PAGE_ENTRIES) * ENTRY_WORDS;
    return (
      page[from] === hash[at] &&
      page[from + 1] === hash[at + 1] &&
      page[from + 2] === hash[at + 2] &&
      page[from + 3] === hash[at + 3]
    );
  }

  #put(slot: number, hash: Int32Array, at: number, record: number): void {
    const entry = this.count++;
    this.#tags[slot] = tagOf(hash[at + 1] as number);
    this.#entries[slot] = entry;
    const page = this.#pages[Math.floor(entry / PAGE_ENTRIES)] as Int32Array;
    const from = (entry % PAGE_ENTRIES) * ENTRY_WORDS;
    page[from] = hash[at] as number;
    page[from + 1] = hash[at + 1] as number;
    page[from + 2] = hash[at + 2] as number;
    page[from + 3] = hash[at + 3] as number;
    page[from + HASH_WORDS] = record;
  }

  #addPage(): boolean {
    const partial = this.#room % PAGE_ENTRIES;
    const first = this.#pages.length === 0 ? FIRST_ENTRIES : PAGE_ENTRIES;
    const wanted = partial === 0 ? first : Math.min(partial, PAGE_ENTRIES - partial);
    const more = Math.min(wanted, Math.floor(this.#budget.left / ENTRY_BYTES));
    if (more === 0 || !this.#take(more * ENTRY_BYTES)) return false;
    const page = new Int32Array((partial + more) * ENTRY_WORDS);
    const old = partial === 0 ? undefined : this.#pages.pop();
    if (old !== undefined) {
      page.set(old);
      free(old);
    }
    this.#pages.push(page);
    this.#room += more;
    return true;
  }

  /** Makes more slots, as many as the rest of the budget is good for at the most; false when it is good for no key more. */
  #addSlots(): boolean {
    const most = Math.ceil((this.#budget.left + this.#bytes) / FULL_BYTES_PER_KEY / LOAD);
    const wanted = Math.max(FIRST_SLOTS, Math.ceil(this.#slots * GROWTH));
    const slots = Math.min(wanted, Math.max(FIRST_SLOTS, most));
    const more = slots - this.#slots;
    if (slots < this.#slots * LEAST_GROWTH || !this.#take(more * SLOT_BYTES)) {
      this.#limit = Math.floor(this.#slots * HIGHEST_LOAD);
      return this.count < this.#limit;
    }
    free(this.#tags);
    free(this.#entries);
    this.#slots = slots;
    this.#limit = Math.floor(slots * LOAD);
    this.#tags = new Uint8Array(slots);
    this.#entries = new Uint32Array(slots);
    let entry = 0;
    for (const page of this.#pages) {
      const end = Math.min(page.length, (this.count - entry) * ENTRY_WORDS);
      for (let from = 0; from < end; from += ENTRY_WORDS) {
        const slot = this.#emptySlot(page[from] as number);
        this.#tags[slot] = tagOf(page[from + 1] as number);
        this.#entries[slot] = entry++;
      }
    }
    return true;
  }

  #take(bytes: number): boolean {
    if (!this.#budget.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }
}

function homeOf(h0: number, slots: number): number {
  return Math.floor(((h0 >>> 0) / 0x1_0000_0000) * slots);
}

function tagOf(h1: number): number {
  return h1 & 0xff || 1;
}

/** Gives memory back at once; a garbage collection may be a long way off. */
function free({ buffer }: Int32Array | Uint8Array | Uint32Array): void {
  (buffer as ArrayBuffer).transfer(0);
}
