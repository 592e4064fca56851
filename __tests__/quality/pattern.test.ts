import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearPattern } from '../../quality/pattern.ts';
import { PatternError } from '../../quality/pattern-parser.ts';

function matches(pattern: string, text: string): boolean {
  const bytes = Buffer.from(text);
  return new LinearPattern(pattern).matches(bytes, 0, bytes.length);
}

const atom = fc.constantFrom('a', 'b', 'é', '.', '[ab]', '[^a]', '\\d', '(?:)', '[a-c]');
const pattern = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    atom,
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,1}', '{1,}', '*?'))
      .map(([a, q]) => `(${a})${q}`),
    tie('node').map((a) => `^${a}`),
    tie('node').map((a) => `${a}$`),
  ),
})).node;

describe('LinearPattern', () => {
  it("accepts what JavaScript's engine accepts of the whole text", () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é', '1', '\n'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        expect(matches(source, value)).toBe(new RegExp(`^(?:${source})$`, 'u').test(value));
      }),
      { numRuns: 5000 },
    );
  });

  it('must match the whole text', () => {
    expect(matches('b', 'abc')).toBe(false);
    expect(matches('a|abc', 'abc')).toBe(true);
  });

  it.each([
    ['[A-Z]{2}-\\d{3}', 'AB-123', true],
    ['[A-Z]{2}-\\d{3}', 'AB-12', false],
    ['\\w+', 'José_1', true],
    ['\\p{Lu}\\P{Lu}*', 'Émile', true],
    ['[\\d.-]+', '1.2-3', true],
    ['\\x41\\u00e9\\.', 'Aé.', true],
    ['(?<year>\\d{4})', '2024', true],
    ['.', '😀', true],
    ['[^\\s]+', 'a b', false],
    ['[a-z-[aeiou]]', 'b', true],
    ['[a-z-[aeiou]]', 'e', false],
    ['[a-z-[aeiou]]', 'b]', false],
    ['[a-z-[aeiou]]', '-', false],
    ['[a-z-[aeiou]]+', 'bcd', true],
    ['[a-[b]]', 'a', true],
    ['[a-[b]]', '-', false],
    ['[^a-z-[0-9]]', 'Z', true],
    ['[^a-z-[0-9]]', '7', false],
    ['[\\p{L}-[\\p{Lu}]]', 'é', true],
    ['[\\p{L}-[\\p{Lu}]]', 'É', false],
    ['[a-z-[b-y-[m]]]', 'm', true],
    ['[a-z-[b-y-[m]]]', 'n', false],
    ['[a-z-]', '-', true],
    ['[-a]', '-', true],
    ['[\\[\\]]+', '[]', true],
    ['', '', true],
    ['$^', '', true],
    ['a*$^', 'a', false],
  ])('%s on %j is %s', (source, text, expected) => {
    expect(matches(source, text)).toBe(expected);
  });

  it('answers for a text that would hold a backtracking engine for years', () => {
    const text = `${'a'.repeat(50_000)}!`;
    for (const source of ['(a+)+', '(a|a)*', '(a|aa)+$', '(.*)*x', 'a*a*a*a*a*a*b']) {
      expect(matches(source, text)).toBe(false);
    }
  });

  it('answers when the pattern has more joined states than are kept', () => {
    const bits = Array.from({ length: 30_000 }, (_, i) => ((i * i) % 7 < 3 ? 'a' : 'b')).join('');
    expect(matches('(a|b)*a(a|b){14}', `${bits}a${'b'.repeat(14)}`)).toBe(true);
    expect(matches('(a|b)*a(a|b){14}', `${bits}b${'b'.repeat(14)}`)).toBe(false);
  });

  it.each([
    ['(a{500}){500}', '2000'],
    ['((((){999}){999}){999}){999}', 'repeats too much'],
  ])('refuses %s and says why', (source, reason) => {
    expect(() => new LinearPattern(source)).toThrow(PatternError);
    expect(() => new LinearPattern(source)).toThrow(reason);
  });
});
