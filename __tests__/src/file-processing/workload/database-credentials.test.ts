import { describe, expect, it } from 'vitest';
import {
  databaseCredentials,
  hasDatabase,
} from '../../../../src/file-processing/workload/database-credentials.ts';

const NONE = { db_host: '', db_iam_auth: false, existing_secret_name: '' };
const HOST = { ...NONE, db_host: 'db.example.gov' };

describe('databaseCredentials', () => {
  it.each([
    ['our own Secret for a host', HOST, 'file-processing-secrets', 'DB_PASSWORD', true],
    [
      "others' password for a host",
      { ...HOST, existing_secret_name: 'theirs' },
      'theirs',
      'DB_PASSWORD',
      false,
    ],
    [
      "others' URL without a host",
      { ...NONE, existing_secret_name: 'theirs' },
      'theirs',
      'DATABASE_URL',
      false,
    ],
  ])('takes %s', (_, settings, secretName, key, owned) => {
    expect(databaseCredentials(settings)).toStrictEqual({ secretName, key, owned });
  });

  it.each([
    ['without a database', NONE],
    ['with IAM authentication', { ...HOST, db_iam_auth: true }],
    [
      'with IAM authentication and a Secret',
      { ...HOST, db_iam_auth: true, existing_secret_name: 'theirs' },
    ],
  ])('takes none %s', (_, settings) => {
    expect(databaseCredentials(settings)).toBeUndefined();
  });
});

describe('hasDatabase', () => {
  it.each([
    [NONE, false],
    [HOST, true],
    [{ ...NONE, existing_secret_name: 'theirs' }, true],
    [{ ...HOST, db_iam_auth: true }, true],
  ])('of %j is %s', (settings, expected) => {
    expect(hasDatabase(settings)).toBe(expected);
  });
});
