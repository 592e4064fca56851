import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationType } from '../../../quality/types/duration.ts';

const TYPE = durationType();

function key(text: string): number | string {
  const bytes = Buffer.from(text);
  const value = TYPE.read(bytes, 0, bytes.length);
  expect(value, text).not.toBeNaN();
  return TYPE.key(bytes, 0, bytes.length, value);
}

function compare(one: string, other: string): number {
  return Math.sign(TYPE.compareKeys?.(key(one), key(other)) ?? 7);
}

describe('durationType', () => {
  it.each([
    ['P1Y', 'P12M'],
    ['P1D', 'PT24H'],
    ['PT1H', 'PT3600S'],
    ['P0D', '-PT0S'],
    ['PT1.50S', 'PT1.5S'],
    ['P01Y', 'P1Y'],
    ['-P1YT60S', '-P12MT1M'],
  ])('takes %s and %s for the same', (one, other) => {
    expect([key(one), compare(one, other)]).toStrictEqual([key(other), 0]);
  });

  it.each([
    ['P1M', 'P27D', 1],
    ['P1M', 'P32D', -1],
    ['P1Y', 'P366DT1S', -1],
    ['P5M', 'P149D', 1],
    ['P5M', 'P154D', -1],
    ['-P1M', 'P0D', -1],
    ['PT0.30S', 'PT0.4S', -1],
    ['-PT0.30S', '-PT0.4S', 1],
    [`PT1.${'0'.repeat(60)}1S`, 'PT1S', 1],
    ['P999999999Y', 'P999999998Y', 1],
  ])('orders %s and %s by %d', (one, other, order) => {
    expect([compare(one, other), compare(other, one)]).toStrictEqual([order, -order]);
  });

  it.each([
    ['P1M', 'P30D'],
    ['P1Y', 'P365D'],
    ['-P1M', '-P28D'],
    ['P5M', 'P150D'],
  ])('leaves %s and %s unordered, as XML Schema does', (one, other) => {
    expect([compare(one, other), compare(other, one)]).toStrictEqual([Number.NaN, Number.NaN]);
  });

  it('orders months and days as calendars do, from each month of reference', () => {
    const REFERENCES = ['1696-09-01', '1697-02-01', '1903-03-01', '1903-07-01'];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 1300 }),
        (months, days) => {
          const orders = REFERENCES.map((reference) => {
            const byMonths = new Date(reference);
            byMonths.setUTCMonth(byMonths.getUTCMonth() + months);
            const byDays = new Date(reference);
            byDays.setUTCDate(byDays.getUTCDate() + days);
            return Math.sign(byMonths.getTime() - byDays.getTime());
          });
          const same = new Set(orders).size === 1;
          expect(compare(`P${months}M`, `P${days}D`)).toBe(same ? orders[0] : Number.NaN);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each(['', 'P', 'P1S', 'P1H', 'PT1Y', 'P1M1Y', 'P 1Y', 'P1Y ', `P${'9'.repeat(10)}Y`, '--P1Y'])(
    'refuses %j',
    (text) => {
      expect(TYPE.read(Buffer.from(text), 0, text.length)).toBeNaN();
    },
  );
});
