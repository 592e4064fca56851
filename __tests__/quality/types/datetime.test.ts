import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellType } from '../../../quality/types/cell-type.ts';
import {
  dateTimeType,
  dateType,
  readDateTime,
  readTime,
  showTime,
  timeType,
  yearMonthType,
  yearType,
} from '../../../quality/types/datetime.ts';

/** The value as a report shows it, or undefined when the text is none. */
function shown(type: CellType, text: string): unknown {
  const bytes = Buffer.from(`<${text}>`);
  const value = type.read(bytes, 1, bytes.length - 1);
  return Number.isNaN(value) ? undefined : type.show(value);
}

describe('dateType', () => {
  it.each([
    '2024-1-1',
    '2024-02-30',
    '24-01-01',
    '2024/01/01',
    '2024-01-01T',
    '+2024-01-1',
    '2024-0a-01',
    ' 2024-01-0',
  ])('refuses %j by default', (text) => {
    expect(shown(dateType('default'), text)).toBeUndefined();
  });

  it('reads ISO dates by default', () => {
    expect(shown(dateType('default'), '0001-12-31')).toBe('0001-12-31');
  });

  it.each([
    ['2024/03/01', '2024-03-01'],
    ['20240301', '2024-03-01'],
    ['1.3.2024', '2024-03-01'],
    ['03/01/2024', '2024-03-01'],
    ['31/12/2023', '2023-12-31'],
    ['1 March 2024', '2024-03-01'],
    ['Mar 1, 2024', '2024-03-01'],
    ['tomorrow', undefined],
  ])('reads %s as %s when any form will do', (text, date) => {
    expect(shown(dateType('any'), text)).toBe(date);
  });
});

/** The order value, as doubles tell neighbours apart. */
function order(type: ReturnType<typeof yearType>, text: string): number {
  const bytes = Buffer.from(text);
  return type.read(bytes, 0, bytes.length);
}

const ZONE = fc.constantFrom('', 'Z', '+14:00', '-14:00', '+05:30', '+15:00', 'z', '+1:00', ' ');
/** XML Schema 1.1 part 2, 3.3.11. */
const G_YEAR = /^-?([1-9][0-9]{3,}|0[0-9]{3})(Z|[+-](([0-9]|0[0-9]|1[0-3]):[0-5][0-9]|14:00))?$/;

describe('yearType', () => {
  it('takes four digits, before the common era with a sign', () => {
    expect([shown(yearType(), '0984'), shown(yearType(), '-0044')]).toStrictEqual([984, -44]);
    for (const text of ['984', '020240', '2o24', '-44', '1234567890'])
      expect(shown(yearType(), text)).toBeUndefined();
  });

  it('takes what XML Schema takes, up to nine digits', () => {
    const digits = fc.stringMatching(/^-?[0-9]{2,6}$/);
    fc.assert(
      fc.property(digits, ZONE, (year, zone) => {
        const strict = G_YEAR.test(`${year}${zone}`) && !/[+-]\d:/.test(zone);
        expect(!Number.isNaN(order(yearType(), `${year}${zone}`))).toBe(strict);
      }),
    );
  });

  it('orders years by the instants at which they begin', () => {
    const [east, utc, west] = ['2024+14:00', '2024Z', '2024-00:01'].map((text) =>
      order(yearType(), text),
    ) as [number, number, number];
    expect(east < utc && utc < west && west < order(yearType(), '2025+14:00')).toBe(true);
    expect(order(yearType(), '2024')).toBe(utc);
    expect(order(yearType(), '-0000')).toBe(0);
    expect(shown(yearType(), '2024-14:00')).toBe(2024);
  });
});

describe('yearMonthType', () => {
  it('takes a year and a month', () => {
    expect(shown(yearMonthType(), '2024-12')).toBe('2024-12');
    for (const text of ['2024-00', '2024-13', '2024-1', '2024/01', '2024-123', '2024-12.5'])
      expect(shown(yearMonthType(), text)).toBeUndefined();
  });

  it('takes other eras and zones, and orders them', () => {
    expect(shown(yearMonthType(), '-0044-03')).toBe('-0044-03');
    expect(shown(yearMonthType(), '12024-01Z')).toBe('12024-01');
    const values = [
      '-0044-12',
      '-0043-01',
      '2024-01+14:00',
      '2024-01Z',
      '2024-01-14:00',
      '2024-02',
    ];
    const orders = values.map((text) => order(yearMonthType(), text));
    expect(orders).toStrictEqual([...orders].sort((a, b) => a - b));
    expect(new Set(orders).size).toBe(orders.length);
  });
});

function timeOf(text: string): number {
  const bytes = Buffer.from(`<${text}>`);
  return readTime(bytes, 1, bytes.length - 1);
}

describe('readTime', () => {
  it.each([
    ['00:00:00', 0],
    ['23:59:59.250', 86_399_250],
    ['01:00:00Z', 3_600_000],
    ['01:00:00+01:00', 0],
    ['01:00:00.5-00:30', 5_400_500],
    ['24:00:00', 0],
    ['24:00:00.00-01:00', 3_600_000],
    ['10:00:00-14:00', 86_400_000],
  ])('reads %s', (text, value) => {
    expect(timeOf(text)).toBe(value);
  });

  it.each([
    '24:00:01',
    '24:01:00',
    '24:00:00.1',
    '24:00:00.0001Z',
    '24:00:0x',
    '24:00:00+15:00',
    '25:00:00',
    '10:00:00+14:01',
    '10:60:00',
    '10:00:60',
    '1:00:00',
    '10:00',
    '10:00:00.',
    '10:00:00+1',
    '10:00:00+15:00',
    '10:00:00ZZ',
    '10:00:00.5x',
    '10-00-00',
  ])('refuses %s', (text) => {
    expect(timeOf(text)).toBeNaN();
  });
});

describe('timeType', () => {
  it('shows a time read by a pattern as a time', () => {
    const type = timeType('%I:%M %p');
    expect(type.show(type.read(Buffer.from('12:30 PM'), 0, 8))).toBe('12:30:00');
  });

  it('takes the usual forms for any', () => {
    const type = timeType('any');
    expect(type.show(type.read(Buffer.from('9:05 pm'), 0, 7))).toBe('21:05:00');
  });
});

describe('showTime', () => {
  it('keeps a fraction', () => {
    expect(showTime(1500)).toBe('00:00:01.500');
  });
});

const dateTimeOf = (text: string): number => readDateTime(Buffer.from(text), 0, text.length);

describe('readDateTime', () => {
  it.each(['2024-02-29T12:34:56Z', '1969-12-31T23:59:59.999Z', '2024-02-29T12:34:56+05:30'])(
    'reads %s as Date does',
    (text) => {
      expect(dateTimeOf(text)).toBe(Date.parse(text));
    },
  );

  it('takes a date-time without a zone for UTC', () => {
    expect(dateTimeOf('2024-02-29T12:34:56')).toBe(Date.parse('2024-02-29T12:34:56Z'));
  });

  it('takes 24:00:00 for the first instant of the next day', () => {
    expect(dateTimeOf('2023-12-31T24:00:00')).toBe(Date.parse('2024-01-01T00:00:00Z'));
    expect(dateTimeOf('2023-12-31T24:00:00.0+02:00')).toBe(Date.parse('2023-12-31T22:00:00Z'));
  });

  it.each([
    '2024-02-29',
    '2024-02-29 12:34:56',
    '2023-02-29T12:34:56Z',
    '2024-02-29T25:00:00Z',
    '2024-02-29T24:00:01Z',
    '2024-02-29T12:34',
  ])('refuses %s', (text) => {
    expect(dateTimeOf(text)).toBeNaN();
  });
});

describe('dateTimeType', () => {
  it('takes the usual forms for any', () => {
    const type = dateTimeType('any');
    const shown = (text: string) => type.show(type.read(Buffer.from(text), 0, text.length));
    expect(shown('2024-02-29 12:34')).toBe('2024-02-29T12:34:00Z');
    expect(shown('02/29/2024 1:05 PM')).toBe('2024-02-29T13:05:00Z');
  });
});
