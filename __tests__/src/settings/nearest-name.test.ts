import { expect, it } from 'vitest';
import { nearestName } from '../../../src/settings/nearest-name.ts';

const names = ['bucket_name', 'cluster_name', 'image'];

it('suggests the name that a mistyped one is near to', () => {
  expect(nearestName('buket_name', names)).toBe('bucket_name');
  expect(nearestName('clustername', names)).toBe('cluster_name');
});

it('suggests nothing when no name is near', () => {
  expect(nearestName('zzzzzz', names)).toBeUndefined();
  expect(nearestName('x', names)).toBeUndefined();
});
