import { describe, expect, it } from 'vitest';
import { asAwsError } from '../../../src/operations/operation-error.ts';

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

describe('an error of the AWS SDK', () => {
  it.each([
    [named('CredentialsProviderError', 'none found'), 69, 'no AWS credentials: none found'],
    [named('ExpiredTokenException', 'x'), 69, 'AWS refused the credentials: ExpiredTokenException'],
    [named('AccessDenied', 'may not\nat all', { $metadata: {} }), 1, 'AWS denied it: may not'],
    [
      named('Error', 'connect 1.2.3.4', { code: 'ECONNREFUSED' }),
      69,
      "AWS can't be reached: connect",
    ],
    [named('NoSuchBucket', 'gone', { $metadata: {} }), 1, 'AWS: NoSuchBucket: gone'],
  ])('%s becomes one that says what to do', (error, code, message) => {
    const known = asAwsError(error);
    expect(known?.code).toBe(code);
    expect(known?.message).toContain(message);
  });

  it('is told from any other error', () => {
    expect(asAwsError(new Error('a bug'))).toBeUndefined();
    expect(asAwsError('text')).toBeUndefined();
  });
});
