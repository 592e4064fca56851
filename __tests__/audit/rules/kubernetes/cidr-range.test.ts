import { describe, expect, it } from 'vitest';
import {
  contains,
  isEverywhere,
  isPrivate,
} from '../../../../audit/rules/kubernetes/cidr-range.ts';

describe('contains', () => {
  it.each([
    ['0.0.0.0/0', '203.0.113.7/32', true],
    ['10.0.0.0/8', '10.20.0.0/16', true],
    ['10.20.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/24', '10.0.1.0/24', false],
    ['10.0.0.7', '10.0.0.7/32', true],
    ['::/0', '10.0.0.0/8', false],
    ['', '10.0.0.0/8', false],
  ])('%s and %s: %s', (outer, inner, expected) => {
    expect(contains(outer, inner)).toBe(expected);
  });
});

describe('isPrivate', () => {
  it('knows the networks that no packet of the internet comes from', () => {
    expect(isPrivate('172.20.0.0/16')).toBe(true);
    expect(isPrivate('172.0.0.0/8')).toBe(false);
    expect(isPrivate('0.0.0.0/0')).toBe(false);
  });
});

describe('isEverywhere', () => {
  it('takes half of everything for everything', () => {
    expect(isEverywhere('0.0.0.0/0')).toBe(true);
    expect(isEverywhere('128.0.0.0/1')).toBe(true);
    expect(isEverywhere('::/0')).toBe(true);
    expect(isEverywhere('10.0.0.0/8')).toBe(false);
  });
});
