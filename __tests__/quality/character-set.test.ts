import { describe, expect, it } from 'vitest';
import { characterSet, propertySet } from '../../quality/character-set.ts';

const code = (character: string): number => character.codePointAt(0) ?? 0;

describe('characterSet', () => {
  it('joins ranges and properties', () => {
    const set = characterSet([[code('a'), code('c')], propertySet('d')], false);
    expect([...'abc9d'].map((character) => set.has(code(character)))).toEqual([
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
