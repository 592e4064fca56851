import { describe, expect, it } from 'vitest';
import { dateTimeType, readDateTime } from '../../../quality/types/datetime.ts';

const read = (text: string): number => readDateTime(Buffer.from(text), 0, text.length);

describe('readDateTime', () => {
  it.each(['2024-02-29T12:34:56Z', '1969-12-31T23:59:59.999Z', '2024-02-29T12:34:56+05:30'])(
    'reads %s as Date does',
    (text) => {
      expect(read(text)).toBe(Date.parse(text));
    },
  );

  it('takes a date-time without a zone for UTC', () => {
    expect(read('2024-02-29T12:34:56')).toBe(Date.parse('2024-02-29T12:34:56Z'));
  });

  it.each([
    '2024-02-29',
    '2024-02-29 12:34:56',
    '2023-02-29T12:34:56Z',
    '2024-02-29T25:00:00Z',
    '2024-02-29T12:34',
  ])('refuses %s', (text) => {
    expect(read(text)).toBeNaN();
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
