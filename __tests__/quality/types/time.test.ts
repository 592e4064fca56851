import { describe, expect, it } from 'vitest';
import { readTime, showTime, timeType } from '../../../quality/types/time.ts';

function read(text: string): number {
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
  ])('reads %s', (text, value) => {
    expect(read(text)).toBe(value);
  });

  it.each([
    '24:00:00',
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
    expect(read(text)).toBeNaN();
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
