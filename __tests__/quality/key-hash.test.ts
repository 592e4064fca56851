import { describe, expect, it } from 'vitest';
import { KeyHash, permute } from '../../quality/key-hash.ts';

/** Of the published test vectors of Chaskey. */
const VECTOR_KEY = [0x833d3433, 0x009f389f, 0x2398e64f, 0x417acf39];

describe('permute', () => {
  it("is Chaskey's: the tag of the empty message is the published one", () => {
    // Its one block is a single 1 with the key's second multiple added, before and after.
    const key = Int32Array.from(VECTOR_KEY);
    const second = timesTwo(timesTwo(key));
    const state = key.map((word, i) => word ^ (second[i] as number) ^ (i === 0 ? 1 : 0));
    permute(state);
    const tag = Array.from(state, (word, i) => (word ^ (second[i] as number)) >>> 0);
    expect(tag).toStrictEqual([0x792e8fe5, 0x75ce87aa, 0x2d1450b5, 0x1191970b]);
  });
});

describe('KeyHash', () => {
  const hashOf = (secret: Int32Array, ...parts: (string | number)[]): string => {
    const hash = new KeyHash(secret);
    hash.begin();
    for (const part of parts) {
      if (typeof part === 'number') hash.addNumber(part);
      else hash.addBytes(Buffer.from(part), 0, Buffer.byteLength(part));
    }
    hash.finish();
    return hash.words.join();
  };

  it('gives other hashes under another secret', () => {
    expect(hashOf(new Int32Array(4), 'a')).not.toBe(hashOf(Int32Array.of(1, 0, 0, 0), 'a'));
  });

  it('tells texts apart that differ in blocks, padding or length', () => {
    const texts = Array.from({ length: 70 }, (_, length) =>
      ['x', '\0'].map((c) => c.repeat(length)),
    );
    const flips = Array.from({ length: 64 }, (_, i) => `${'x'.repeat(i)}y${'x'.repeat(63 - i)}`);
    const all = new Set([...texts.flat(), ...flips]);
    expect(new Set([...all].map((text) => hashOf(new Int32Array(4), text))).size).toBe(all.size);
  });

  it('tells a number from the text of its bytes, and parts from each other', () => {
    const number = Buffer.from(Float64Array.of(1.5).buffer).toString('latin1');
    const secret = Int32Array.from(VECTOR_KEY);
    const keys = [
      hashOf(secret, 1.5),
      hashOf(secret, number),
      hashOf(secret, '', '1'),
      hashOf(secret, '1', ''),
    ];
    expect(new Set(keys).size).toBe(4);
  });

  it('does not depend on where in a buffer a text stands', () => {
    const hash = new KeyHash(new Int32Array(4));
    hash.begin();
    hash.addBytes(Buffer.from('--a text of some length--'), 2, 23);
    hash.finish();
    expect(hash.words.join()).toBe(hashOf(new Int32Array(4), 'a text of some length'));
  });
});

/** Multiplication by two in GF(2^128), as Chaskey derives its other keys. */
function timesTwo(words: Int32Array): Int32Array {
  const carry = (words[3] as number) < 0 ? 0x87 : 0;
  return words
    .map((word, i) => (word << 1) | (i === 0 ? 0 : (words[i - 1] as number) >>> 31))
    .map((word, i) => (i === 0 ? word ^ carry : word));
}
