import { describe, expect, it } from 'vitest';
import { looseNumberText } from '../../../quality/types/loose-number.ts';

describe('looseNumberText', () => {
  it.each([
    ['1,000', ',', '.', '1000'],
    ['1,00,000.5', ',', '.', '100000.5'],
    ['1000000', ',', '.', '1000000'],
    ['1,5', ',', '.', ''],
    ['1,', ',', '.', ''],
    ['1.000,5', '.', ',', '1000.5'],
    ['1,000.5', '.', ',', ''],
    ['1.2.3', undefined, '.', ''],
    ['1 000', ' ', undefined, '1000'],
  ])('%s with groups %j and decimals %j is %j', (text, groupChar, decimalChar, plain) => {
    expect(looseNumberText(text, { groupChar, decimalChar, bareNumber: true })).toBe(plain);
  });
});
