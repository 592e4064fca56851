import { expect, test } from 'vitest';
import { exitCodeOfError, exitCodeOfVerdict } from '../../../../listener/src/cli/exit-codes.ts';
import { InterruptedError } from '../../../../listener/src/cli/interruption.ts';
import { UsageError } from '../../../../listener/src/cli/usage-error.ts';
import { ConfigError } from '../../../../listener/src/config/read-variables.ts';
import { SchemaOutdatedError } from '../../../../listener/src/database/schema-version.ts';
import {
  ObjectUnavailableError,
  StoreError,
} from '../../../../listener/src/storage/object-store.ts';

const listenError = Object.assign(new Error(), { syscall: 'listen', code: 'EADDRINUSE' });
const refused = Object.assign(new Error('connect'), { syscall: 'connect', code: 'ECONNREFUSED' });

const withCode = (code: string) => Object.assign(new Error('x'), { code });

test.each([
  ['usage', new UsageError('x'), 2],
  ['configuration', new ConfigError([]), 2],
  ['an old schema', new SchemaOutdatedError('x', []), 2],
  ['a port in use', new Error('PORT 80 is in use', { cause: listenError }), 2],
  ['an object that is gone', new ObjectUnavailableError('object-gone', 'x'), 66],
  ['a store that is away', new StoreError("s3://b/k can't be read", refused), 75],
  ['a database that is away', refused, 69],
  ['a password that the database refuses', withCode('28P01'), 2],
  ['a database that is not there', withCode('3D000'), 2],
  ['a right that the database user lacks', withCode('42501'), 2],
  ['a certificate of an unknown authority', withCode('SELF_SIGNED_CERT_IN_CHAIN'), 69],
  ['SIGTERM', new InterruptedError('SIGTERM'), 143],
  ['an unforeseen error', new TypeError('x'), 70],
  ['what is no error', 'x', 70],
])('%s has its exit code', (_, error, code) => {
  expect(exitCodeOfError(error)).toBe(code);
});

test.each([
  ['passed', 0],
  ['warned', 0],
  ['failed', 1],
  ['unreadable', 1],
] as const)('the verdict %s ends with %i', (verdict, code) => {
  expect(exitCodeOfVerdict(verdict)).toBe(code);
});
