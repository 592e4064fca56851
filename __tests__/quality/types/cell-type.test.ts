import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dayMilliseconds,
  isDigit,
  readFourDigits,
  readTwoDigits,
} from '../../../quality/types/cell-type.ts';

describe('readTwoDigits and readFourDigits', () => {
  it('read digits and nothing around them', () => {
    expect(readTwoDigits(Buffer.from('x07x'), 1)).toBe(7);
    expect(readFourDigits(Buffer.from('x0190x'), 1)).toBe(190);
  });

  it.each(['1/', '/1', ':1', '+1'])('refuse %j', (text) => {
    expect(readTwoDigits(Buffer.from(text), 0)).toBe(-1);
    expect(readFourDigits(Buffer.from(`${text}00`), 0)).toBe(-1);
  });
});

describe('isDigit', () => {
  it('knows the ten digits', () => {
    expect([0x2f, 0x30, 0x39, 0x3a, undefined].map(isDigit)).toStrictEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('dayMilliseconds', () => {
  it('agrees with Date on every day, and on which days there are', () => {
    const year = fc.integer({ min: 0, max: 9999 });
    fc.assert(
      fc.property(
        year,
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (y, m, d) => {
          const date = new Date(0);
          date.setUTCFullYear(y, m - 1, d);
          const exists =
            date.getUTCMonth() === m - 1 && date.getUTCDate() === d && date.getUTCFullYear() === y;
          expect(dayMilliseconds(y, m, d)).toBe(exists ? date.getTime() : Number.NaN);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it.each([
    [2024, 29],
    [2023, 28],
    [1900, 28],
    [2000, 29],
  ])('%d has %d days in February', (year, days) => {
    expect(dayMilliseconds(year, 2, days)).not.toBeNaN();
    expect(dayMilliseconds(year, 2, days + 1)).toBeNaN();
  });
});
