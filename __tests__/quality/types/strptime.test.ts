import { describe, expect, it } from 'vitest';
import { anyOf, strptimeType, unknownDirectives } from '../../../quality/types/strptime.ts';

function read(pattern: string, text: string): string | undefined {
  const value = strptimeType(pattern).read(Buffer.from(text), 0, Buffer.byteLength(text));
  return Number.isNaN(value) ? undefined : new Date(value).toISOString();
}

describe('strptimeType', () => {
  it.each([
    ['%d/%m/%Y', '1/2/2024', '2024-02-01T00:00:00.000Z'],
    ['%y%m%d', '690101', '1969-01-01T00:00:00.000Z'],
    ['%y%m%d', '680101', '2068-01-01T00:00:00.000Z'],
    ['%Y-%j', '2024-366', '2024-12-31T00:00:00.000Z'],
    ['%a, %d %b %Y %H:%M:%S %z', 'Thu, 01 Feb 2024 10:00:00 +0200', '2024-02-01T08:00:00.000Z'],
    ['%B %d', 'MAY 5', '1900-05-05T00:00:00.000Z'],
    ['%I:%M %p', '12:00 am', '1900-01-01T00:00:00.000Z'],
    ['%S.%f', '5.25', '1900-01-01T00:00:05.250Z'],
    ['100%% %Y', '100% 2024', '2024-01-01T00:00:00.000Z'],
    ['%b %d %Y %I:%M%p', 'Jan  5 2024  3:04PM', '2024-01-05T15:04:00.000Z'],
    ['%d/%m/%Y', ' 5/02/2024', '2024-02-05T00:00:00.000Z'],
    ['%H:%M %p', '15:04 PM', '1900-01-01T15:04:00.000Z'],
    ['%p %I', 'pm 12', '1900-01-01T12:00:00.000Z'],
    ['%H%M', '930', '1900-01-01T09:30:00.000Z'],
    ['%d%m%Y', '4051968', '1968-05-04T00:00:00.000Z'],
    ['%d%m%Y', '1112024', '2024-01-11T00:00:00.000Z'],
  ])('%s reads %s', (pattern, text, value) => {
    expect(read(pattern, text)).toBe(value);
  });

  it.each([
    ['%d/%m/%Y', '30/02/2024'],
    ['%d/%m/%Y', '1/2/2024 '],
    ['%d/%m/%Y', '1/2/24'],
    ['%Y-%j', '2023-366'],
    ['%H:%M', '24:00'],
    ['%I %p', '13 pm'],
    ['%b', 'Foo'],
    ['%b %d', 'Jan5'],
    ['%d/%m/%Y', ' 15/02/2024'],
    ['%d%m%Y', '40519680'],
    [`${'%d'.repeat(60)}x`, '1'.repeat(90)],
    ['%Y', `2024${' '.repeat(1000)}`],
  ])('%s refuses %j', (pattern, text) => {
    expect(read(pattern, text)).toBeUndefined();
  });
});

describe('strptimeType of a date or a time alone', () => {
  const value = (pattern: string, text: string, only: 'date' | 'time') =>
    new Date(strptimeType(pattern, only).read(Buffer.from(text), 0, text.length)).toJSON();

  it('counts the day that is written, whatever the time and the zone', () => {
    expect(value('%Y-%m-%d %H:%M %z', '2024-02-01 00:30 +0200', 'date')).toBe(
      '2024-02-01T00:00:00.000Z',
    );
  });

  it('counts the time without its day, which has to exist', () => {
    expect(value('%Y-%m-%d %H:%M', '2024-02-01 00:30', 'time')).toBe('1900-01-01T00:30:00.000Z');
    expect(value('%Y-%m-%d %H:%M', '2024-02-31 00:30', 'time')).toBeNull();
  });
});

describe('anyOf', () => {
  it('refuses digits that could be divided in more than one way', () => {
    const { read: readAny } = anyOf(['%Y%m%d', '%Y-%m-%d']);
    const days = ['2024111', '202411', '20240111', '2024-1-11'].map((text) =>
      readAny(Buffer.from(text), 0, text.length),
    );
    const day = Date.UTC(2024, 0, 11);
    expect(days).toStrictEqual([Number.NaN, Number.NaN, day, day]);
  });
});

describe('unknownDirectives', () => {
  it('names what is not supported, a lone percent sign included', () => {
    expect(unknownDirectives('%Y %Q %%Q %')).toStrictEqual(['%Q', '%']);
  });
});
