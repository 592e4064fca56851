import { expect, test } from 'vitest';
import { StoreError } from '../../../../listener/src/storage/object-store.ts';

const named = (name: string, message: string) => Object.assign(new Error(message), { name });

test.each([
  [
    'an error of AWS by its name',
    named('AccessDenied', 'Access Denied'),
    'AccessDenied: Access Denied',
  ],
  ['an error without a message of its own', named('NoSuchBucket', 'NoSuchBucket'), 'NoSuchBucket'],
  ['a socket by its message', new Error('connect ECONNREFUSED'), 'connect ECONNREFUSED'],
  ['each address of a host', new AggregateError([new Error('one'), new Error('two')]), 'one; two'],
  ['what is not an error', 'away', 'away'],
])('a store error tells %s', (_, cause, reason) => {
  expect(new StoreError("s3://b/k can't be read", cause)).toMatchObject({
    message: `s3://b/k can't be read: ${reason}`,
    cause,
  });
});
