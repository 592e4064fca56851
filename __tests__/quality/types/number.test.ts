import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNORDERED } from '../../../quality/types/cell-type.ts';
import { numberType, readNumber } from '../../../quality/types/number.ts';

function read(text: string, options = {}): number {
  const type = numberType({ decimalChar: '.', groupChar: undefined, bareNumber: true, ...options });
  const bytes = Buffer.from(`<${text}>`);
  return type.read(bytes, 1, bytes.length - 1);
}

describe('readNumber', () => {
  it('reads every decimal exactly as JavaScript does', () => {
    const decimal = fc.stringMatching(/^-?\d{1,18}(\.\d{1,18})?$/);
    fc.assert(
      fc.property(
        fc.oneof(decimal, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
        (text) => {
          expect(readNumber(Buffer.from(text), 0, text.length)).toBe(Number(text));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it.each([
    '',
    '.',
    '-',
    '1.2.3',
    '1,5',
    '1e',
    'e5',
    '1e5.5',
    'abc',
    'Nan',
    'Infinity',
    '1_000',
    ' 1',
    '0x1',
  ])('refuses %j', (text) => {
    expect(read(text)).toBeNaN();
  });

  it('takes a bare point on either side, exponents and the special values', () => {
    expect(['5.', '.5', '-1.5E+2', 'INF', '-INF', 'NaN'].map((text) => read(text))).toEqual([
      5,
      0.5,
      -150,
      Infinity,
      -Infinity,
      UNORDERED,
    ]);
  });
});

describe('numberType', () => {
  it('reads another decimal character and groups', () => {
    const german = { decimalChar: ',', groupChar: '.' };
    expect(read('1.234.567,89', german)).toBe(1_234_567.89);
    expect(read('-0,5', german)).toBe(-0.5);
    expect(read('1,000.5', german)).toBeNaN();
    expect(read('1.5', { decimalChar: ',' })).toBeNaN();
  });

  it('drops what surrounds the number when told to', () => {
    expect(read('USD -12.50 net', { bareNumber: false })).toBe(-12.5);
    expect(read('net', { bareNumber: false })).toBeNaN();
  });
});
