import { describe, expect, it } from 'vitest';
import { asAwsError, asFileError } from '../../../src/operations/operation-error.ts';

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

describe('an error of the file system', () => {
  it('names the path that this user may not write', () => {
    const denied = named('Error', 'EACCES: permission denied, mkdtemp', {
      code: 'EACCES',
      path: '/srv/clone/.new-environment-XXXXXX',
      syscall: 'mkdtemp',
    });
    const known = asFileError(denied);
    expect(known?.message).toBe("/srv/clone/.new-environment-XXXXXX can't be used (EACCES)");
    expect(known?.code).toBe(1);
  });

  it('says that the disk is full, whatever was written', () => {
    const full = named('Error', 'ENOSPC: no space left on device, write', { code: 'ENOSPC' });
    expect(asFileError(full)?.message).toBe('the disk is full (ENOSPC)');
  });

  it.each([
    named('Error', 'gone', { code: 'ENOENT', path: '/srv' }),
    named('Error', 'no path', { code: 'EACCES' }),
    new Error('a bug'),
    'text',
  ])('is told from any other error: %s', (error) => {
    expect(asFileError(error)).toBeUndefined();
  });
});
