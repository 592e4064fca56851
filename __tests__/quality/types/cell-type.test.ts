import { describe, expect, it } from 'vitest';
import { isDigit, readFourDigits, readTwoDigits } from '../../../quality/types/cell-type.ts';

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
    expect([0x2f, 0x30, 0x39, 0x3a, undefined].map(isDigit)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});
