import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNORDERED } from '../../../quality/types/cell-type.ts';
import {
  integerType,
  looseNumberText,
  numberType,
  readInteger,
  readNumber,
} from '../../../quality/types/number.ts';

function readAsNumber(text: string, options = {}): number {
  const type = numberType({ decimalChar: '.', groupChar: undefined, bareNumber: true, ...options });
  const bytes = Buffer.from(`<${text}>`);
  return type.read(bytes, 1, bytes.length - 1);
}

describe('readNumber', () => {
  it('reads every decimal exactly as JavaScript does', () => {
    const decimal = fc.stringMatching(/^-?\d{1,18}(\.\d{1,18})?$/);
    const all = fc.double({ noNaN: true, noDefaultInfinity: true });
    const doubles = all.filter((value) => value !== UNORDERED);
    fc.assert(
      fc.property(fc.oneof(decimal, doubles.map(String)), (text) => {
        expect(readNumber(Buffer.from(text), 0, text.length)).toBe(Number(text));
      }),
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
    'Infinity',
    '1_000',
    ' 1',
    '0x1',
    '+INF',
    'NaNs',
  ])('refuses %j', (text) => {
    expect(readAsNumber(text)).toBeNaN();
  });

  it('reads NaN and INF in letters of any case', () => {
    expect(['nan', 'Inf', '-iNF', 'NaN'].map((text) => readAsNumber(text))).toStrictEqual([
      UNORDERED,
      Infinity,
      -Infinity,
      UNORDERED,
    ]);
  });

  it('reads a cell of any length to its end', () => {
    const zeros = '0'.repeat(398);
    expect(readAsNumber(`1e${zeros}1`)).toBe(10);
    expect(readAsNumber(`1e${zeros}junk`)).toBeNaN();
    expect(readAsNumber(`1e${zeros}`.padEnd(2_000_000, '0'))).toBe(1);
    expect(readAsNumber(`${'1'.repeat(2_000_000)}x`)).toBeNaN();
    expect(readAsNumber(`0.${zeros}5 EUR`, { bareNumber: false })).toBe(0);
    expect(readAsNumber(`0.${zeros}`.padEnd(1000, '0'), { groupChar: ',' })).toBe(0);
  });

  it('takes no number for NaN', () => {
    expect(readAsNumber('-5e-324')).toBeLessThan(0);
    expect(readAsNumber('-5e-324')).not.toBe(UNORDERED);
  });

  it('takes a bare point on either side, exponents and the special values', () => {
    expect(
      ['5.', '.5', '-1.5E+2', 'INF', '-INF', 'NaN'].map((text) => readAsNumber(text)),
    ).toStrictEqual([5, 0.5, -150, Infinity, -Infinity, UNORDERED]);
  });
});

describe('numberType', () => {
  it('reads another decimal character and groups', () => {
    const german = { decimalChar: ',', groupChar: '.' };
    expect(readAsNumber('1.234.567,89', german)).toBe(1_234_567.89);
    expect(readAsNumber('-0,5', german)).toBe(-0.5);
    expect(readAsNumber('1,000.5', german)).toBeNaN();
    expect(readAsNumber('1.5', { decimalChar: ',' })).toBeNaN();
  });

  it('drops what surrounds the number when told to', () => {
    expect(readAsNumber('USD -12.50 net', { bareNumber: false })).toBe(-12.5);
    expect(readAsNumber('net', { bareNumber: false })).toBeNaN();
    const german = { decimalChar: ',', groupChar: '.', bareNumber: false };
    expect(readAsNumber('ca. 1.000,5 €', german)).toBe(1000.5);
    expect(readAsNumber(',5 l', german)).toBe(0.5);
    expect(readAsNumber('EUR 12 000', { groupChar: ' ', bareNumber: false })).toBe(12_000);
    expect(readAsNumber('1e3 m', { bareNumber: false })).toBe(1000);
  });

  it.each(['- 12', '−12', '12-', 'No.5', '5 to 10', 'EUR ,100', 'EUR 1,00', '12,34'])(
    'does not make another number of %j by dropping text',
    (text) => {
      expect(readAsNumber(text, { groupChar: ',', bareNumber: false })).toBeNaN();
    },
  );

  it('takes the special values in any spelling of numbers', () => {
    expect(readAsNumber('NaN', { groupChar: ',' })).toBe(UNORDERED);
    expect(readAsNumber('-INF', { bareNumber: false })).toBe(-Infinity);
  });
});

function readAsInteger(text: string, options = {}): number {
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
      expect(readAsInteger(text)).toBeNaN();
    },
  );

  it('takes a sign and leading zeros', () => {
    expect([readAsInteger('+7'), readAsInteger('-007'), readAsInteger('00')]).toStrictEqual([
      7, -7, 0,
    ]);
  });
});

describe('integerType', () => {
  it('drops group characters and, when told to, what surrounds the number', () => {
    expect(readAsInteger('1,234,567', { groupChar: ',' })).toBe(1_234_567);
    expect(readAsInteger('€ 95 %', { bareNumber: false })).toBe(95);
    expect(readAsInteger('1,5', { groupChar: ',' })).toBeNaN();
    expect(readAsInteger('1,000e3', { groupChar: ',' })).toBeNaN();
    expect(readAsInteger('12.5 kg', { bareNumber: false })).toBeNaN();
  });

  it('refuses a very long cell at once', () => {
    expect(readAsInteger('x'.repeat(1_000_000), { bareNumber: false })).toBeNaN();
  });
});

describe('looseNumberText', () => {
  it.each([
    ['1,000', ',', '.', '1000'],
    ['-1,234,567.5e3', ',', '.', '-1234567.5e3'],
    ['10,00', ',', '.', ''],
    ['1,000,00', ',', '.', ''],
    ['1,00,000.5', ',', '.', ''],
    [',100', ',', '.', ''],
    ['-,100', ',', '.', ''],
    ['1,2345', ',', '.', ''],
    ['1234,567', ',', '.', ''],
    ['1,,000', ',', '.', ''],
    ['1,000.000,000', ',', '.', ''],
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
