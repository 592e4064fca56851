import { describe, expect, it } from 'vitest';
import {
  characterSet,
  PatternError,
  parsePattern,
  propertySet,
} from '../../quality/pattern-parser.ts';

describe('parsePattern', () => {
  it.each([
    ['(a', '"("'],
    ['a)', '")"'],
    ['[a', '"["'],
    ['*a', 'nothing to repeat'],
    ['a{2', '{n}'],
    ['a{3,1}', 'out of order'],
    ['[b-a]', 'out of order'],
    ['(?=a)', 'look-around'],
    ['(?!a)', 'look-around'],
    ['(a)\\1', '\\1'],
    ['\\bword', '\\b'],
    ['\\p{Nope}', 'Unicode property'],
    ['a\\', 'lone'],
    ['[[:alpha:]]', 'which is not supported; use a Unicode property such as \\p{L} (character 2)'],
    ['x[0-9[:alpha:]_]', '"[:alpha:]", which is not supported'],
    ['[a-z&&[^aeiou]]', 'has a "[" in a class; escape it: \\[ (character 7)'],
    ['[-[a]]', 'has a "[" in a class'],
    ['[a-z-[aeiou]x]', 'after a class is subtracted; a "]" is needed (character 13)'],
    ['[a-z-[aeiou]', 'a "]" is needed'],
    ['[]a]', 'has a class that is empty (character 1)'],
    ['[^]', 'has a class that is empty'],
    ['a]', 'has a "]" without a "["'],
    ['a}', 'has a "}" without a "{"'],
    ['\\ud83d\\ude00', 'half of a character'],
    ['\\i\\c*', 'has "\\i", which is not supported (character 1)'],
    [`[a${'-[a'.repeat(200)}`, 'too deep'],
    ['('.repeat(200) + ')'.repeat(200), '100 deep'],
  ])('refuses %s and says why', (source, reason) => {
    expect(() => parsePattern(source)).toThrow(PatternError);
    expect(() => parsePattern(source)).toThrow(reason);
  });
});

const code = (character: string): number => character.codePointAt(0) ?? 0;

describe('characterSet', () => {
  it('joins ranges and properties', () => {
    const set = characterSet([[code('a'), code('c')], propertySet('d')], false);
    expect([...'abc9d'].map((character) => set.has(code(character)))).toStrictEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it('turns into everything else when negated', () => {
    expect(characterSet([[code('a'), code('a')]], true).has(code('b'))).toBe(true);
    expect(characterSet([[code('a'), code('a')]], true).has(code('a'))).toBe(false);
  });
});

describe('propertySet', () => {
  it('knows digits and letters beyond ASCII', () => {
    expect(propertySet('d')(code('٣'))).toBe(true);
    expect(propertySet('w')(code('ß'))).toBe(true);
    expect(propertySet('W')(code('ß'))).toBe(false);
  });

  it('throws for a property that Unicode does not have', () => {
    expect(() => propertySet('p{Nope}')).toThrow(SyntaxError);
  });
});
