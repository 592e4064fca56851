import { expect, test } from 'vitest';
import { SeedError } from '../../../../listener/src/database/seed-error.ts';

test('the message has one line a fault, without empty parts', () => {
  const error = new SeedError('seed', [
    { file: 'mappings/a.json', path: 'name', message: 'is missing' },
    { file: '', path: '', message: 'nothing to load' },
  ]);
  expect(error.message.split('\n')).toEqual([
    "the definitions in seed can't be loaded:",
    '- mappings/a.json: name: is missing',
    '- nothing to load',
  ]);
});
