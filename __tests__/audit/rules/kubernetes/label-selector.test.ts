import { describe, expect, it } from 'vitest';
import {
  isEmpty,
  selectorText,
  selects,
} from '../../../../audit/rules/kubernetes/label-selector.ts';

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
