import { describe, expect, it } from 'vitest';
import { aboveFloor, belowFloor, withCounts } from '../../../audit/floors/floors.ts';

describe('a floor', () => {
  it('is kept by the same counts, and by higher ones', () => {
    expect(belowFloor({ resources: 3, rules: 5 }, { resources: 3, rules: 6 })).toEqual([]);
  });

  it('names every count that fell', () => {
    expect(
      belowFloor(
        { resources: 3, rules: 5, kubernetes: 9 },
        { resources: 2, rules: 4, kubernetes: 9 },
      ),
    ).toEqual([
      'Only 2 resources are synthesized, recorded are 3.',
      'Only 4 checks of our own rules passed, recorded are 5.',
    ]);
  });

  it('does not judge what was not counted', () => {
    expect(belowFloor({ resources: 3, terraform_plan: 9 }, { resources: 3 })).toEqual([]);
  });

  it('is too low once a count rose', () => {
    expect(aboveFloor({ resources: 3 }, { resources: 3 })).toBe(false);
    expect(aboveFloor({ resources: 3 }, { resources: 3, rules: 1 })).toBe(true);
  });
});

describe('recorded counts', () => {
  it('replace what was counted and keep the rest', () => {
    const floors = {
      a: { east: { resources: 1, kubernetes: 7 }, west: { resources: 2 } },
      b: { east: { resources: 3 } },
    };
    expect(withCounts(floors, 'a', { east: { resources: 4 } })).toEqual({
      a: { east: { resources: 4, kubernetes: 7 }, west: { resources: 2 } },
      b: { east: { resources: 3 } },
    });
  });
});
