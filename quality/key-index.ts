import { HASH_WORDS } from './key-hash.ts';

/** The words of a hash, and the record that had the key first. */
const ENTRY_WORDS = HASH_WORDS + 1;
const ENTRY_BYTES = ENTRY_WORDS * 4;
/** The number of an entry, and in the bits that it leaves some of its hash. */
const SLOT_BYTES = 4;

/** Entries of the first page grow with the keys, so that a small file or one of many keys costs little. */
const FIRST_ENTRIES = 16;
const PAGE_ENTRIES = 8_192;
const FIRST_SLOTS = 32;

/** Keys that are approached at once. */
export const APPROACHED_KEYS = 256;

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
 * number of an entry, and in the bits that it leaves a part of its hash: a key that is new is nearly always known to be
 * by these alone, so that one place of all that memory is read and written for it.
 */
export class KeyIndex {
  /** Keys that are remembered. */
  count = 0;

  readonly #budget: KeyBudget;
  #pages: Int32Array[] = [];
  #room = 0;
  /** What {@link approach} has read: a read that nobody sees may be left out. */
  approached = 0;
  /** 0 for an empty slot; else the number of an entry and 1 in the bits of the mask, and those of its hash in the others. */
  #slots = new Int32Array(0);
  #numberMask = 0;
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
    const slots = this.#slots;
    const slot = slots.length === 0 ? 0 : this.#slotOf(hash, at);
    if (slot < slots.length && slots[slot] !== 0) return this.#recordIn(slot);
    if (this.count >= this.#limit && !this.#addSlots()) return -1;
    if (this.count >= this.#room && !this.#addPage()) return -1;
    this.#put(this.#slots === slots ? slot : this.#emptySlot(hash[at] as number), hash, at, record);
    return 0;
  }

  /**
   * Remembers keys as {@link find} does, one after the other while each is new; it is made for very many of them.
   *
   * @param hashes the words of each key begin `stride` after those of the one before
   * @param record that of the first one; each of the others has the next
   * @returns how many were new; the one after them is not, or there is no room for it
   */
  rememberNew(
    hashes: Int32Array,
    at: number,
    stride: number,
    count: number,
    record: number,
  ): number {
    let done = 0;
    while (done < count) {
      const inPage = PAGE_ENTRIES - (this.count % PAGE_ENTRIES);
      const room = Math.min(this.#room, this.#limit) - this.count;
      const most = Math.min(count - done, inPage, room);
      if (most > 0) {
        const put = this.#putNew(hashes, at + done * stride, stride, most, record + done);
        done += put;
        if (put < most) return done;
        // Else there has to be made room.
      } else if (this.find(hashes, at + done * stride, record + done) === 0) done++;
      else return done;
    }
    return done;
  }

  /**
   * Looks at where keys would be, so that the processor has it in its cache by the time that they are looked up: it
   * waits for memory once and not for each. They are to be few enough to stay there, and lie as {@link rememberNew} says.
   */
  approach(hashes: Int32Array, at: number, stride: number, count: number): void {
    const slots = this.#slots;
    const { length } = slots;
    const end = at + count * stride;
    let seen = 0;
    for (let from = at; from < end; from += stride) {
      seen |= slots[homeOf(hashes[from] as number, length)] as number;
    }
    // What is no small integer would be an object of its own.
    this.approached = seen & 1;
  }

  /** The record that had a key first; 0 when it is not remembered. */
  get(hash: Int32Array, at: number): number {
    if (this.#slots.length === 0) return 0;
    const slot = this.#slotOf(hash, at);
    return this.#slots[slot] === 0 ? 0 : this.#recordIn(slot);
  }

  /** Forgets all keys, and gives their memory back. */
  clear(): void {
    for (const page of this.#pages) free(page);
    free(this.#slots);
    this.#pages = [];
    this.#slots = new Int32Array(0);
    this.#limit = 0;
    this.#room = 0;
    this.count = 0;
    this.#budget.giveBack(this.#bytes);
    this.#bytes = 0;
  }

  /** The slot of a key, or the empty one where it would be. */
  #slotOf(hash: Int32Array, at: number): number {
    const slots = this.#slots;
    const mask = this.#numberMask;
    const h1 = hash[at + 1] as number;
    let slot = homeOf(hash[at] as number, slots.length);
    for (;;) {
      const found = slots[slot] as number;
      if (found === 0) return slot;
      if (((found ^ h1) & ~mask) === 0 && this.#has(entryOf(found, mask), hash, at)) return slot;
      if (++slot === slots.length) slot = 0;
    }
  }

  /** Remembers keys while each is new, for which there is room in the slots and in the last page. */
  #putNew(hashes: Int32Array, at: number, stride: number, count: number, record: number): number {
    const slots = this.#slots;
    const { length } = slots;
    const mask = this.#numberMask;
    const page = this.#pages.at(-1) as Int32Array;
    const first = this.count;
    let to = (first % PAGE_ENTRIES) * ENTRY_WORDS;
    let from = at;
    let number = 0;
    search: for (; number < count; number++) {
      const h0 = hashes[from] as number;
      const h1 = hashes[from + 1] as number;
      let slot = homeOf(h0, length);
      for (;;) {
        const found = slots[slot] as number;
        if (found === 0) break;
        if (((found ^ h1) & ~mask) === 0 && this.#has(entryOf(found, mask), hashes, from)) {
          break search;
        }
        if (++slot === length) slot = 0;
      }
      slots[slot] = slotWord(first + number, h1, mask);
      page[to] = h0;
      page[to + 1] = h1;
      page[to + 2] = hashes[from + 2] as number;
      page[to + 3] = hashes[from + 3] as number;
      page[to + HASH_WORDS] = record + number;
      to += ENTRY_WORDS;
      from += stride;
    }
    this.count = first + number;
    return number;
  }

  #recordIn(slot: number): number {
    const entry = entryOf(this.#slots[slot] as number, this.#numberMask);
    const page = this.#pages[Math.floor(entry / PAGE_ENTRIES)] as Int32Array;
    return (page[(entry % PAGE_ENTRIES) * ENTRY_WORDS + HASH_WORDS] as number) >>> 0;
  }

  #emptySlot(h0: number): number {
    const slots = this.#slots;
    let slot = homeOf(h0, slots.length);
    while (slots[slot] !== 0) if (++slot === slots.length) slot = 0;
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
    this.#slots[slot] = slotWord(entry, hash[at + 1] as number, this.#numberMask);
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
    const { length } = this.#slots;
    const wanted = Math.max(FIRST_SLOTS, length * GROWTH);
    const slots = Math.min(wanted, Math.max(FIRST_SLOTS, most));
    if (slots < length * LEAST_GROWTH || !this.#take((slots - length) * SLOT_BYTES)) {
      this.#limit = Math.floor(length * HIGHEST_LOAD);
      return this.count < this.#limit;
    }
    free(this.#slots);
    this.#slots = new Int32Array(slots);
    this.#limit = Math.floor(slots * LOAD);
    // An entry has a number below that of the slots.
    this.#numberMask = -1 >>> Math.clz32(Math.min(slots, 0xffff_ffff));
    this.#fillSlots();
    return true;
  }

  /** Gives each entry its slot. */
  #fillSlots(): void {
    const slots = this.#slots;
    const mask = this.#numberMask;
    let entry = 0;
    for (const page of this.#pages) {
      const end = Math.min(page.length, (this.count - entry) * ENTRY_WORDS);
      for (let block = 0; block < end; block += APPROACHED_KEYS * ENTRY_WORDS) {
        const count = Math.min(APPROACHED_KEYS, (end - block) / ENTRY_WORDS);
        this.approach(page, block, ENTRY_WORDS, count);
        for (let from = block; from < block + count * ENTRY_WORDS; from += ENTRY_WORDS) {
          const slot = this.#emptySlot(page[from] as number);
          slots[slot] = slotWord(entry++, page[from + 1] as number, mask);
        }
      }
    }
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

/** What stands in the slot of an entry. */
function slotWord(entry: number, h1: number, numberMask: number): number {
  return (h1 & ~numberMask) | (entry + 1);
}

function entryOf(slotWord: number, numberMask: number): number {
  return ((slotWord & numberMask) >>> 0) - 1;
}

/** Gives memory back at once; a garbage collection may be a long way off. */
function free({ buffer }: Int32Array): void {
  (buffer as ArrayBuffer).transfer(0);
}
