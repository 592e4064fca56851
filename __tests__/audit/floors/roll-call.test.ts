import { expect, it } from 'vitest';
import { rollCall } from '../../../audit/floors/roll-call.ts';

it('is silent when exactly the synthesized resources were read', () => {
  expect(rollCall('checkov', ['a.b', 'c.d'], ['c.d', 'a.b'])).toEqual([]);
});

it('names a resource that was not read', () => {
  expect(rollCall('checkov', ['a.b', 'c.d'], ['a.b'])).toEqual([
    { address: 'c.d', message: 'checkov did not read it, though it is synthesized.' },
  ]);
});

it('names a resource that nobody knows', () => {
  expect(rollCall('checkov', ['a.b'], ['a.b', 'x.y'])).toEqual([
    { address: 'x.y', message: 'checkov read it, though it is not synthesized.' },
  ]);
});
