import { expect, test } from 'vitest';
import {
  DatabaseUnavailableError,
  meansUnavailable,
} from '../../../../listener/src/database/unavailable.ts';

const withCode = (code: string) => Object.assign(new Error('x'), { code });

test.each([
  'ECONNREFUSED',
  'ECONNRESET',
  '57P01',
  '57P03',
  '53300',
  '08006',
  '28P01',
  '25006',
  '40P01',
  // A right that is missing is granted sooner or later, and a message waits until then.
  '42501',
])('%s means that the database is not available', (code) => {
  expect(meansUnavailable(withCode(code))).toBe(true);
});

test.each(['42P01', '23505', '22P02', 'ERR_ASSERTION'])('%s does not', (code) => {
  expect(meansUnavailable(withCode(code))).toBe(false);
});

test('one unavailable address among those of a host name is enough', () => {
  expect(meansUnavailable(new AggregateError([withCode('ECONNREFUSED')]))).toBe(true);
});

test('the error has a stable code', () => {
  expect(new DatabaseUnavailableError('gone')).toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: 'the database is not available: gone',
  });
});
