import { describe, expect, it } from 'vitest';
import { podCount, quantity } from '../../../../audit/rules/kubernetes/quantity.ts';

describe('quantity', () => {
  it.each([
    ['250m', 0.25],
    ['1', 1],
    ['0.5', 0.5],
    ['512Mi', 2 ** 29],
    ['1G', 1e9],
    ['128974848000m', 128974848],
    [2, 2],
  ])('reads %s', (text, value) => {
    expect(quantity(text)).toBeCloseTo(value);
  });

  it.each(['512MB', 'much', '', '-1', '${var.memory}', undefined])('refuses %s', (text) => {
    expect(quantity(text)).toBeUndefined();
  });
});

describe('podCount', () => {
  it('takes numbers as they are', () => {
    expect(podCount('1', 4, 'up')).toBe(1);
    expect(podCount(3, 4, 'down')).toBe(3);
  });

  it('takes percentages of all, rounded as asked', () => {
    expect(podCount('25%', 6, 'up')).toBe(2);
    expect(podCount('25%', 6, 'down')).toBe(1);
  });

  it('refuses anything else', () => {
    expect(podCount('one', 4, 'up')).toBeUndefined();
    expect(podCount(undefined, 4, 'up')).toBeUndefined();
  });
});
