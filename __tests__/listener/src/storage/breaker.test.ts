import { expect, test, vi } from 'vitest';
import {
  type BreakersOptions,
  type BucketAttempt,
  createBreakers,
  type Outage,
  outageOf,
} from '../../../../listener/src/storage/breaker.ts';
import {
  ObjectUnavailableError,
  StoreError,
} from '../../../../listener/src/storage/object-store.ts';

const named = (name: string, message = '', rest: object = {}) =>
  Object.assign(new Error(message), { name, ...rest });
const refused = (name = 'AccessDenied', message = '') =>
  new StoreError("s3://bucket/key can't be read", named(name, message));

function given(options: BreakersOptions = {}) {
  let now = 0;
  const onChange = vi.fn();
  const breakers = createBreakers({ now: () => now, random: () => 0.5, onChange, ...options });
  const begin = (key: string, bucket = 'bucket') => breakers.begin({ bucket, key });
  const attempt = (key: string, error?: unknown, bucket = 'bucket') => {
    const begun = begin(key, bucket);
    if (!('end' in begun)) throw new Error('it was not begun');
    return begun.end(error);
  };
  return {
    breakers,
    onChange,
    begin,
    attempt,
    fail: (...keys: string[]) => keys.map((key) => attempt(key, refused())),
    later: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test('a bucket is out once five different keys have failed', () => {
  const { fail, breakers, onChange } = given();
  expect(fail(...'abcde')).toEqual([false, false, false, false, true]);
  expect(breakers.open()).toEqual([
    { bucket: 'bucket', outage: 'access', since: expect.any(Date) },
  ]);
  expect(onChange.mock.calls).toEqual([['bucket', 'access', true]]);
});

test('one key that fails again and again stays its own fault', () => {
  const { fail, breakers } = given();
  expect(fail(...'aaaaaaaaaa')).not.toContain(true);
  expect(breakers.anyOpen).toBe(false);
});

test('a success between begins the count anew', () => {
  const { fail, attempt, breakers } = given();
  fail(...'abcd');
  attempt('good');
  fail(...'efgh');
  expect(breakers.anyOpen).toBe(false);
});

test('an object that is gone is a success of its bucket', () => {
  const { fail, attempt, breakers } = given();
  fail(...'abcd');
  attempt('gone', new ObjectUnavailableError('object-gone', 'x'));
  fail('e');
  expect(breakers.anyOpen).toBe(false);
});

test('kinds of failure are counted apart', () => {
  const { fail, attempt, breakers } = given();
  fail(...'abcd');
  attempt('e', refused('SlowDown'));
  expect(breakers.anyOpen).toBe(false);
});

test('a fault of the file itself is neither failure nor success', () => {
  const { fail, attempt } = given();
  fail(...'abcd');
  expect(attempt('broken', new Error('bug'))).toBe(false);
  expect(fail('e')).toEqual([true]);
});

test('while a bucket is out nothing is tried, and other buckets go on', () => {
  const { fail, begin, attempt } = given();
  fail(...'abcde');
  expect(begin('f')).toEqual({ waitMs: 30_000 });
  expect(attempt('f', undefined, 'other')).toBe(false);
});

test('keys that are denied do not keep one waiting that has not been tried', () => {
  const { fail, begin, attempt, breakers } = given({ rightsDiffer: true });
  fail(...'abcde');
  expect(attempt('f', refused())).toBe(true);
  expect([begin('a'), begin('f')]).toEqual([{ waitMs: 30_000 }, { waitMs: 30_000 }]);
  attempt('good');
  expect(breakers.anyOpen).toBe(false);
});

test('keys that have not been tried are tried one at a time', () => {
  const { fail, begin } = given({ rightsDiffer: true });
  fail(...'abcde');
  expect(begin('f')).toHaveProperty('end');
  expect(begin('g')).toHaveProperty('waitMs');
});

test('what the whole bucket fails with is tried every ten seconds by any key', () => {
  const { attempt, begin, later } = given({ rightsDiffer: true });
  for (const key of 'abcde') attempt(key, refused('SlowDown'));
  expect(begin('f')).toHaveProperty('waitMs');
  later(10_000);
  expect(begin('f')).toHaveProperty('end');
});

test('after ten seconds one attempt at a time is made', () => {
  const { fail, begin, later } = given();
  fail(...'abcde');
  later(10_000);
  expect(begin('f')).toHaveProperty('end');
  expect(begin('g')).toHaveProperty('waitMs');
});

test('a try whose bytes come keeps no other one waiting, however long it takes', () => {
  const { fail, begin, attempt, breakers, later } = given();
  fail(...'abcde');
  later(10_000);
  const large = begin('large') as BucketAttempt;
  expect(begin('small')).toHaveProperty('waitMs');
  large.reached();
  attempt('small');
  expect(breakers.anyOpen).toBe(false);
});

test('a try that has made room does not make it again', () => {
  const { fail, begin, later } = given();
  fail(...'abcde');
  later(10_000);
  const large = begin('large') as BucketAttempt;
  large.reached();
  begin('other');
  large.end(new Error('aborted'));
  expect(begin('third')).toHaveProperty('waitMs');
});

test('a try that fails counts against no file, and the next one waits', () => {
  const { fail, attempt, begin, later } = given();
  fail(...'abcde');
  later(10_000);
  expect(attempt('a', refused())).toBe(true);
  expect(begin('b')).toHaveProperty('waitMs');
});

test('a try that reaches the bucket closes it', () => {
  const { fail, attempt, begin, breakers, later, onChange } = given();
  fail(...'abcde');
  later(10_000);
  attempt('a');
  expect(breakers.anyOpen).toBe(false);
  expect(onChange).toHaveBeenLastCalledWith('bucket', 'access', false);
  expect([begin('b'), begin('c')].every((begun) => 'end' in begun)).toBe(true);
});

test('a try that ends otherwise makes room for the next one', () => {
  const { fail, begin, later } = given();
  fail(...'abcde');
  later(10_000);
  (begin('a') as BucketAttempt).end(new Error('aborted'));
  expect(begin('b')).toHaveProperty('end');
});

test.each<[string, unknown, Outage | undefined]>([
  ['access denied', named('AccessDenied'), 'access'],
  ['a denied key', named('AccessDenied', 'not authorized to perform: kms:Decrypt'), 'kms'],
  ['a disabled key', named('KMS.DisabledException'), 'kms'],
  ['slow down', named('SlowDown'), 'throttling'],
  [
    'a 503 without a name',
    named('Unknown', '', { $metadata: { httpStatusCode: 503 } }),
    'throttling',
  ],
  ['a 403 without a name', named('Unknown', '', { $metadata: { httpStatusCode: 403 } }), 'access'],
  ['a refused connection', named('Error', '', { code: 'ECONNREFUSED' }), 'network'],
  ['two addresses', new AggregateError([named('Error', '', { code: 'ECONNREFUSED' })]), 'network'],
  ['missing credentials', named('CredentialsProviderError'), 'access'],
  ['an archived object', named('InvalidObjectState'), undefined],
  ['a wrong checksum', new Error('the bytes differ'), undefined],
])('%s', (_name, cause, outage) => {
  expect(outageOf(new StoreError("s3://b/k can't be read", cause))).toBe(outage);
});

test("what is not the store's is not an outage", () => {
  expect(outageOf(named('AccessDenied'))).toBeUndefined();
});
