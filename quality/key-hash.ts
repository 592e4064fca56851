import { encodeText } from './text.ts';

/** Words of a hash: 128 bits. */
export const HASH_WORDS = 4;

/** Stands where the length of a text would: what follows are the two words of a number. */
const NUMBER = -1;

/**
 * Hashes keys to 128 bits under a secret, as Chaskey does (N. Mouha et al., "Chaskey: An Efficient MAC Algorithm for
 * 32-bit Microcontrollers", 2014, public domain; ISO/IEC 29192-6), whose operations are those that JavaScript has on
 * 32 bits: each 16 bytes are added to the state, which is then permuted by eight rounds.
 *
 * A key of up to 16 bytes, lengths included, is one block, and a permutation gives no two of them the same hash. Two
 * longer keys have the same with a chance of about 2^-128, which nobody can raise who does not know the secret.
 *
 * Keys are told apart by their parts: values of one key always come in the same number of parts.
 */
export class KeyHash {
  /** The hash, after {@link finish}. */
  readonly words = new Int32Array(HASH_WORDS);
  readonly #secret: Int32Array;
  /** The next word of the block. */
  #at = 0;

  /** @param secret 128 bits, random and never shown: who knows them can make two keys of one hash */
  constructor(secret: Int32Array) {
    this.#secret = secret;
  }

  /** Takes a hash that was made elsewhere for its own. */
  set(hash: Int32Array, at: number): void {
    for (let word = 0; word < HASH_WORDS; word++) this.words[word] = hash[at + word] as number;
  }

  /** Begins a key; its parts follow by {@link addBytes}, {@link addNumber} and {@link addKey}. */
  begin(): void {
    const { words } = this;
    const secret = this.#secret;
    words[0] = secret[0] as number;
    words[1] = secret[1] as number;
    words[2] = secret[2] as number;
    words[3] = secret[3] as number;
    this.#at = 0;
  }

  addBytes(bytes: Uint8Array, start: number, end: number): void {
    this.#add(end - start);
    const whole = end - 3;
    let i = start;
    for (; i < whole; i += 4) {
      this.#add(
        (bytes[i] as number) |
          ((bytes[i + 1] as number) << 8) |
          ((bytes[i + 2] as number) << 16) |
          ((bytes[i + 3] as number) << 24),
      );
    }
    if (i === end) return;
    let last = 0;
    for (let shift = 0; i < end; i++, shift += 8) last |= (bytes[i] as number) << shift;
    this.#add(last);
  }

  addNumber(value: number): void {
    // Minus zero is zero.
    DOUBLE[0] = value === 0 ? 0 : value;
    this.#add(NUMBER);
    this.#add(DOUBLE_WORDS[0] as number);
    this.#add(DOUBLE_WORDS[1] as number);
  }

  /** Adds what tells a value from all others of its type: a number, or a text of ASCII characters. */
  addKey(key: number | string): void {
    if (typeof key === 'number') this.addNumber(key);
    else this.addBytes(encodeText(key), 0, key.length);
  }

  /** Ends the key: {@link words} are its hash. */
  finish(): void {
    if (this.#at > 0) this.#permute();
  }

  #add(word: number): void {
    const { words } = this;
    const at = this.#at;
    words[at] = (words[at] as number) ^ word;
    this.#at = at + 1;
    if (at === HASH_WORDS - 1) this.#permute();
  }

  #permute(): void {
    permute(this.words);
    this.#at = 0;
  }
}

const DOUBLE = new Float64Array(1);
const DOUBLE_WORDS = new Int32Array(DOUBLE.buffer);
const ROUNDS = 8;

/** Chaskey's permutation. */
export function permute(words: Int32Array): void {
  let v0 = words[0] as number;
  let v1 = words[1] as number;
  let v2 = words[2] as number;
  let v3 = words[3] as number;
  for (let round = 0; round < ROUNDS; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 13) | (v3 >>> 19)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 7) | (v1 >>> 25)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  words[0] = v0;
  words[1] = v1;
  words[2] = v2;
  words[3] = v3;
}
