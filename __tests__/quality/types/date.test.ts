import { describe, expect, it } from 'vitest';
import type { CellType } from '../../../quality/types/cell-type.ts';
import { dateType, yearMonthType, yearType } from '../../../quality/types/date.ts';

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

describe('yearType', () => {
  it('takes four digits, before the common era with a sign', () => {
    expect([shown(yearType(), '0984'), shown(yearType(), '-0044')]).toEqual([984, -44]);
    for (const text of ['984', '20240', '2o24', '-44'])
      expect(shown(yearType(), text)).toBeUndefined();
  });
});

describe('yearMonthType', () => {
  it('takes a year and a month', () => {
    expect(shown(yearMonthType(), '2024-12')).toBe('2024-12');
    for (const text of ['2024-00', '2024-13', '2024-1', '2024/01'])
      expect(shown(yearMonthType(), text)).toBeUndefined();
  });
});
