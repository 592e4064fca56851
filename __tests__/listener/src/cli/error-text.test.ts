import { expect, test } from 'vitest';
import { errorText } from '../../../../listener/src/cli/error-text.ts';
import { UsageError } from '../../../../listener/src/cli/usage-error.ts';
import { StoreError } from '../../../../listener/src/storage/object-store.ts';

const refused = (message: string) => Object.assign(new Error(message), { code: 'ECONNREFUSED' });

test('a fault of usage is told by its message alone', () => {
  expect(errorText(new UsageError('there is no file'))).toBe('there is no file\n');
});

test('a database with two addresses tells why neither answers', () => {
  const error = new AggregateError([refused('refused ::1'), refused('refused 127.0.0.1')]);
  expect(errorText(error)).toBe('the database is not available: refused ::1; refused 127.0.0.1\n');
});

test('a user who lacks a right is told which, without the statement and what it held', () => {
  const message = 'insert into "runs"\n values (\'a - b\') - permission denied for table runs';
  const error = Object.assign(new Error(message), { code: '42501' });
  expect(errorText(error)).toMatch(
    /^the database refuses this user: permission denied for table runs; grant .*DB_USER.*\n$/,
  );
});

test('a store that is away is not called the database', () => {
  const error = new StoreError("s3://b/k can't be read", refused('connect ECONNREFUSED'));
  expect(errorText(error)).toBe("s3://b/k can't be read: connect ECONNREFUSED\n");
});

test('an unforeseen error comes with its stack', () => {
  expect(errorText(new TypeError('x is undefined'))).toMatch(
    /^unexpected error: TypeError: .*\n.*at /,
  );
});
