import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arrayType,
  DEEPEST_JSON,
  jsonKey,
  LONGEST_JSON,
  objectType,
} from '../../../quality/types/json.ts';

function isValid(text: string): boolean {
  const bytes = Buffer.from(text);
  return !Number.isNaN(arrayType().read(bytes, 0, bytes.length));
}

describe('arrayType and objectType', () => {
  it('take whatever JSON.parse takes, of their kind', () => {
    fc.assert(
      fc.property(fc.json(), fc.string({ maxLength: 3 }), (text, noise) => {
        for (const candidate of [text, `${text}${noise}`, `[${text}]`]) {
          let value: unknown;
          try {
            value = JSON.parse(candidate);
          } catch {}
          expect(isValid(candidate)).toBe(Array.isArray(value));
        }
      }),
    );
  });

  it('refuse what is deeper than can be judged, however it is written', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect([isValid(nested(DEEPEST_JSON)), isValid(nested(DEEPEST_JSON + 1))]).toStrictEqual([
      true,
      false,
    ]);
    expect(isValid(`["${'['.repeat(200)}","\\"${'{'.repeat(200)}"]`)).toBe(true);
    expect(isValid('['.repeat(500_000))).toBe(false);
  });

  it('refuse what is longer than can be judged', () => {
    const text = `["${'x'.repeat(LONGEST_JSON - 4)}"]`;
    expect([isValid(text), isValid(`${text} `)]).toStrictEqual([true, false]);
  });

  it('count items and properties', () => {
    const list = Buffer.from('[1,[2,3]]');
    const map = Buffer.from('{"a":{"b":1},"c":2,"d":3}');
    expect(arrayType().length?.(list, 0, list.length)).toBe(2);
    expect(objectType().length?.(map, 0, map.length)).toBe(3);
  });
});

describe('jsonKey', () => {
  it('is the same for the same values alone', () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(value, value, (one, other) => {
        const [a, b] = [JSON.stringify(one), JSON.stringify(other, null, 2)];
        const equal = isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
        expect(jsonKey(a) === jsonKey(b)).toBe(equal);
        expect(jsonKey(b)).toBe(jsonKey(JSON.stringify(other)));
        expect(jsonKey(b)).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  it.each([
    ['{"a":1,"b":2}', '{ "b": 2, "a": 1 }', true],
    ['[1]', '[1.0]', true],
    ['[10]', '[1e1]', true],
    ['[-0]', '[0]', true],
    ['[9007199254740993]', '[9007199254740992]', false],
    ['[0.1000000000000000055]', '[0.1]', false],
    ['["1"]', '[1]', false],
    ['["é"]', '["\\u00e9"]', true],
    ['{"a":null}', '{}', false],
  ])('of %s and %s is the same: %s', (one, other, same) => {
    expect(jsonKey(one) === jsonKey(other)).toBe(same);
  });
});
