import { isBucketName, isOwnBucketName } from '@file-processing/contract/s3-object.ts';
import { expect, test } from 'vitest';

test.each(['etl', 'etl-ba-research-client-etl', 'a.b', `a${'b'.repeat(62)}`])(
  '%s names a bucket',
  (name) => {
    expect([isBucketName(name), isOwnBucketName(name)]).toStrictEqual([true, true]);
  },
);

test.each(['', 'ab', 'Upper', 'a_b', '-ab', 'ab-', 'a..b', '192.168.5.4', 'a'.repeat(64), 'ab\n'])(
  '%j names no bucket',
  (name) => {
    expect([isBucketName(name), isOwnBucketName(name)]).toStrictEqual([false, false]);
  },
);

test.each(['alias-abcdefg-s3alias', 'xn--bucket', 'table--table-s3'])(
  '%s stands for a bucket that nobody can make under that name',
  (name) => {
    expect([isBucketName(name), isOwnBucketName(name)]).toStrictEqual([true, false]);
  },
);
