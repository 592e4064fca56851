import { expect, it } from 'vitest';
import { recordFloors } from '../../../audit/floors/record-floors.ts';

const FLOORS = { complete: { east: { resources: 10, rules: 50 } } };

it('records an environment that is new', () => {
  const counted = [{ environment: 'other', counts: { east: { resources: 1 } } }];
  expect(recordFloors(FLOORS, counted, false)).toEqual({
    ...FLOORS,
    other: { east: { resources: 1 } },
  });
});

it('raises a floor', () => {
  const counted = [{ environment: 'complete', counts: { east: { resources: 11, rules: 60 } } }];
  expect(recordFloors(FLOORS, counted, false)).toEqual({
    complete: { east: { resources: 11, rules: 60 } },
  });
});

it('refuses to lower a floor, and names it', () => {
  const counted = [{ environment: 'complete', counts: { east: { resources: 9, rules: 60 } } }];
  expect(() => recordFloors(FLOORS, counted, false)).toThrow(
    'complete, east: Only 9 resources are synthesized, recorded are 10.',
  );
});

it('lowers a floor when told to', () => {
  const counted = [{ environment: 'complete', counts: { east: { resources: 9, rules: 40 } } }];
  expect(recordFloors(FLOORS, counted, true)).toEqual({
    complete: { east: { resources: 9, rules: 40 } },
  });
});
