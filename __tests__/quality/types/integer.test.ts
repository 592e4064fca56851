import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerType, readInteger } from '../../../quality/types/integer.ts';

function read(text: string, options = {}): number {
  const type = integerType({ groupChar: undefined, bareNumber: true, ...options });
  const bytes = Buffer.from(`<${text}>`);
  return type.read(bytes, 1, bytes.length - 1);
}

describe('readInteger', () => {
  it('reads every integer as JavaScript does', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (value) => {
        const text = String(value);
        expect(readInteger(Buffer.from(text), 0, text.length)).toBe(Number(text));
      }),
    );
  });

  it.each(['', '+', '-', '1.0', '1 ', ' 1', '1e3', '--1', '0x10', '١', '1,000'])(
    'refuses %j',
    (text) => {
      expect(read(text)).toBeNaN();
    },
  );

  it('takes a sign and leading zeros', () => {
    expect([read('+7'), read('-007'), read('00')]).toEqual([7, -7, 0]);
  });
});

describe('integerType', () => {
  it('drops group characters and, when told to, what surrounds the number', () => {
    expect(read('1,234,567', { groupChar: ',' })).toBe(1_234_567);
    expect(read('€ 95 %', { bareNumber: false })).toBe(95);
    expect(read('1,5', { groupChar: ',' })).toBeNaN();
  });

  it('refuses a very long cell at once', () => {
    expect(read('x'.repeat(1_000_000), { bareNumber: false })).toBeNaN();
  });
});
