import { describe, expect, it } from 'vitest';
import {
  isEmpty,
  podCount,
  quantity,
  selectorText,
  selects,
} from '../../../../audit/rules/readers/pods.ts';

const LABELS = { app: 'listener', tier: 'back' };

describe('selects', () => {
  it.each([
    [{ matchLabels: { app: 'listener' } }, true],
    [{ matchLabels: { app: 'listener', tier: 'front' } }, false],
    [{}, true],
    [undefined, false],
    [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['back', 'front'] }] }, true],
    [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'Like', values: ['l'] }] }, false],
  ])('%j: %s', (selector, expected) => {
    expect(selects(selector, LABELS)).toBe(expected);
  });
});

describe('isEmpty', () => {
  it('is true of what names no label', () => {
    expect(isEmpty(undefined)).toBe(true);
    expect(isEmpty({ matchLabels: {} })).toBe(true);
    expect(isEmpty({ matchExpressions: [{ key: 'app', operator: 'Exists' }] })).toBe(false);
  });
});

describe('selectorText', () => {
  it('shows labels and expressions', () => {
    const matchExpressions = [{ key: 'tier', operator: 'In', values: ['a', 'b'] }];
    expect(selectorText({ matchLabels: { app: 'x' }, matchExpressions })).toBe(
      'app=x, tier In a|b',
    );
    expect(selectorText({})).toBe('an empty selector');
  });
});

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
