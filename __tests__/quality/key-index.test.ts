import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HASH_WORDS } from '../../quality/key-hash.ts';
import { KeyBudget, KeyIndex } from '../../quality/key-index.ts';

/** More than a page of entries, so that there is made room for entries and for slots. */
const MOST_KEYS = 20_000;

/** Hashes of which some are equal, and others have the same place and differ in a few bits of one word. */
const HASHES = fc
  .record({
    count: fc.integer({ min: 1, max: MOST_KEYS }),
    different: fc.integer({ min: 1, max: MOST_KEYS * 2 }),
    word: fc.integer({ min: 1, max: HASH_WORDS - 1 }),
    shift: fc.integer({ min: 0, max: 16 }),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    gap: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ count, different, word, shift, seed, gap }) => {
    const stride = HASH_WORDS + gap;
    const words = new Int32Array(count * stride);
    for (let key = 0; key < count; key++) {
      const value = (Math.imul(key + 1, seed) >>> 0) % different;
      words[key * stride] = Math.imul(value >>> 4, 2_654_435_761);
      words[key * stride + word] = value << shift;
    }
    return { count, stride, words };
  });

function textOf(words: Int32Array, at: number): string {
  return words.subarray(at, at + HASH_WORDS).join();
}

describe('KeyIndex', () => {
  it('has the first record that a map has, with any budget', () => {
    fc.assert(
      fc.property(HASHES, fc.integer({ min: 0, max: 600_000 }), (keys, bytes) => {
        const { count, stride, words } = keys;
        const index = new KeyIndex(new KeyBudget(bytes));
        const first = new Map<string, number>();
        const wrong: number[] = [];
        for (let key = 0; key < count; key++) {
          const text = textOf(words, key * stride);
          const known = first.get(text);
          const answer = index.find(words, key * stride, key + 1);
          if (answer === 0 && known === undefined) first.set(text, key + 1);
          else if (answer !== (known ?? -1)) wrong.push(key);
          if (index.get(words, key * stride) !== (first.get(text) ?? 0)) wrong.push(key);
        }
        expect(wrong).toStrictEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('remembers many keys at once as it does each by itself', () => {
    const asked = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(HASHES, fc.integer({ min: 0, max: 600_000 }), asked, (keys, bytes, counts) => {
        const { count, stride, words } = keys;
        const each = new KeyIndex(new KeyBudget(bytes));
        const expected = Array.from({ length: count }, (_, key) =>
          each.find(words, key * stride, key + 1),
        );
        const together = new KeyIndex(new KeyBudget(bytes));
        const answers: number[] = [];
        for (let turn = 0; answers.length < count; turn++) {
          const at = answers.length;
          const most = Math.min(count - at, counts[turn % counts.length] as number);
          together.approach(words, at * stride, stride, most);
          const known = together.rememberNew(words, at * stride, stride, most, at + 1);
          for (let key = 0; key < known; key++) answers.push(0);
          if (known === most) continue;
          const next = at + known;
          // Only what is not new is left to be asked for.
          answers.push(together.find(words, next * stride, next + 1) || Number.NaN);
        }
        expect(answers.findIndex((answer, key) => answer !== expected[key])).toBe(-1);
        expect(together.count).toBe(each.count);
      }),
      { numRuns: 40 },
    );
  });

  it('has a place for a key in each 26 bytes of a budget', () => {
    const bytes = 1_000_000;
    const index = new KeyIndex(new KeyBudget(bytes));
    const words = new Int32Array(HASH_WORDS);
    let keys = 0;
    do {
      words.fill(Math.imul(++keys, 2_654_435_761));
    } while (index.find(words, 0, keys) === 0);
    expect(index.count).toBeGreaterThanOrEqual(Math.floor(bytes / 26));
  });

  it('gives its memory back, and knows nothing any more, when it is cleared', () => {
    const budget = new KeyBudget(10_000);
    const index = new KeyIndex(budget);
    const words = Int32Array.of(1, 2, 3, 4);
    index.find(words, 0, 1);
    index.clear();
    expect([budget.left, index.get(words, 0), index.find(words, 0, 7)]).toStrictEqual([
      10_000, 0, 0,
    ]);
  });
});
