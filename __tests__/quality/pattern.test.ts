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

  it("accepts what JavaScript's engine accepts of any characters, one pattern over many texts", () => {
    const parts = [
      '\\w',
      '\\p{Lu}',
      '[é-ü]',
      '[^\\s😀]',
      '[あ-ん漢]',
      '\\P{L}',
      '.',
      'é',
      '😀',
      '\\d',
    ];
    const places = fc.constantFrom(...parts, '(é|漢)', '(a|\\p{Ll})', '((?:\\w|😀)?)');
    const repeated = fc
      .tuple(places, fc.constantFrom('', '*', '+', '?', '{2,3}'))
      .map(([place, times]) => place + times);
    const source = fc.array(repeated, { minLength: 1, maxLength: 5 }).map((all) => all.join(''));
    const units = [
      'a',
      'Z',
      '1',
      ' ',
      'é',
      'É',
      'ß',
      'あ',
      '漢',
      '字',
      '٣',
      '😀',
      '𝒳',
      '\u{10ffff}',
    ];
    const texts = fc.array(fc.string({ unit: fc.constantFrom(...units), maxLength: 6 }), {
      minLength: 20,
      maxLength: 20,
    });
    // \w and \d are Unicode's here, as in XML Schema.
    const javaScript = (text: string) =>
      text.replaceAll('\\w', '[\\p{L}\\p{M}\\p{N}_]').replaceAll('\\d', '\\p{Nd}');
    fc.assert(
      fc.property(source, texts, (source, values) => {
        const ours = new LinearPattern(source);
        const oracle = new RegExp(`^(?:${javaScript(source)})$`, 'u');
        const found = values.map((value) => {
          const bytes = Buffer.from(value);
          return ours.matches(bytes, 0, bytes.length);
        });
        expect(found).toEqual(values.map((value) => oracle.test(value)));
      }),
      { numRuns: 200 },
    );
  });

  it('tells every character of Unicode from those beside the ends of a range', () => {
    const ours = new LinearPattern('[\\u07fa-\\u0805\\ufffc-\u{10010}]');
    for (let code = 0x80; code < 0x110000; code += code < 0x11000 ? 1 : 509) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const bytes = Buffer.from(String.fromCodePoint(code));
      const inside = (code >= 0x7fa && code <= 0x805) || (code >= 0xfffc && code <= 0x10010);
      if (ours.matches(bytes, 0, bytes.length) !== inside)
        expect(code).toBe('a character of the set');
    }
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

  it('answers as before when a text has had more joined states than are kept, time after time', () => {
    const ours = new LinearPattern('(a|b)*a(a|b|é){300}');
    let seed = 1;
    for (let round = 0; round < 60; round++) {
      const letters = Array.from({ length: 3_000 }, () => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        return (seed >>> 16) % 2 === 0 ? 'a' : 'b';
      });
      // A character that was not met before, too.
      const text = `${letters.join('')}${round % 20 === 19 ? String.fromCodePoint(0x3b1 + round) : ''}`;
      const bytes = Buffer.from(text);
      expect(ours.matches(bytes, 0, bytes.length)).toBe(/^[ab]*a[ab]{300}$/.test(text));
    }
  });

  it.each([
    ['[ab\u00e9]*', true],
    ['(a|b)*a(a|b|\u00e9){300}', false],
    ['[\\s\\S]*b', false],
    ['a*', false],
  ])(
    'matches a long text by %s in steps as at once, whatever it matches in between',
    (source, isSimple) => {
      const text = fc
        .array(fc.constantFrom('a', 'b', 'ab', '\u00e9', '\u{1F600}'), {
          minLength: 20,
          maxLength: 60,
        })
        .map((parts) => Buffer.from(parts.map((part) => part.repeat(2_000)).join('')));
      fc.assert(
        fc.property(text, text, (long, other) => {
          const ours = new LinearPattern(source);
          let steps = 0;
          for (const _step of ours.matching(long, 0, long.length)) {
            ours.matches(other, steps * 4, other.length);
            steps++;
          }
          const expected = new LinearPattern(source).matches(long, 0, long.length);
          expect(ours.matches(long, 0, long.length)).toBe(expected);
          if (isSimple && expected) expect(steps).toBeGreaterThan(long.length / 65_537);
        }),
        { numRuns: 20 },
      );
    },
  );

  it('knows no answer of a text by what had lain in its place', () => {
    const ours = new LinearPattern('a*');
    const bytes = Buffer.alloc(100_000, 'a');
    for (const _step of ours.matching(bytes, 0, bytes.length));
    ours.forgetAnswer();
    bytes.fill('b');
    expect(ours.matches(bytes, 0, bytes.length)).toBe(false);
  });

  it('takes a list of words as long as a pattern can be, and a pattern whose many ways join', () => {
    const words = Array.from({ length: 180 }, (_, i) => `w${(i * 7919).toString(36)}`);
    expect(matches(words.join('|'), words[77] as string)).toBe(true);
    expect(matches(words.join('|'), `${words[77]}x`)).toBe(false);
    expect(matches('(\\w*\\s*){1,100}', 'several words of a sentence')).toBe(true);
    expect(matches('(\\w*\\s*){1,100}', 'several words, and a comma')).toBe(false);
  });

  it.each([
    ['(a{500}){500}', '2000'],
    ['([ab]{2}|cd)*a(ab|ba|aa|bb){80}', 'in too many ways'],
    ['((((){999}){999}){999}){999}', 'repeats too much'],
  ])('refuses %s and says why', (source, reason) => {
    expect(() => new LinearPattern(source)).toThrow(PatternError);
    expect(() => new LinearPattern(source)).toThrow(reason);
  });
});
