import { describe, expect, it } from 'vitest';
import {
  contains,
  formatCidr,
  overlap,
  parseCidr,
  size,
  subBlock,
} from '../../../src/settings/cidr.ts';

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`${text} is not a block`);
  return parsed;
};

describe('parseCidr', () => {
  it.each(['0.0.0.0/0', '10.0.0.0/16', '10.0.10.0/24', '192.168.255.252/30', '255.255.255.255/32'])(
    'reads %s and writes it back',
    (text) => expect(formatCidr(cidr(text))).toBe(text),
  );

  it.each([
    ['has host bits', '10.0.0.1/16'],
    ['has an octet over 255', '10.0.256.0/24'],
    ['has three octets', '10.0.0/24'],
    ['has a leading zero', '010.0.0.0/8'],
    ['has no prefix', '10.0.0.0'],
    ['has a prefix over 32', '10.0.0.0/33'],
    ['has a prefix with a leading zero', '10.0.0.0/08'],
    ['is IPv6', '2001:db8::/32'],
    ['is empty', ''],
    ['has blanks', ' 10.0.0.0/16'],
  ])('refuses a text that %s', (_, text) => expect(parseCidr(text)).toBeUndefined());
});

describe('blocks', () => {
  it('counts the addresses of a block', () => expect(size(cidr('10.0.0.0/24'))).toBe(256));

  it('knows what lies inside', () => {
    expect(contains(cidr('10.0.0.0/16'), cidr('10.0.255.0/24'))).toBe(true);
    expect(contains(cidr('10.0.0.0/16'), cidr('10.1.0.0/24'))).toBe(false);
    expect(contains(cidr('10.0.0.0/24'), cidr('10.0.0.0/16'))).toBe(false);
  });

  it('knows which blocks overlap, neighbours not', () => {
    expect(overlap(cidr('10.0.0.0/23'), cidr('10.0.1.0/24'))).toBe(true);
    expect(overlap(cidr('10.0.0.0/24'), cidr('10.0.1.0/24'))).toBe(false);
  });

  it('cuts the block with a number out of a larger one', () => {
    expect(formatCidr(subBlock(cidr('10.0.0.0/16'), 24, 10))).toBe('10.0.10.0/24');
  });
});
