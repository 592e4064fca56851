import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { DATABASE_SECRET } from './names.ts';

type DatabaseSettings = Pick<
  FileProcessingSettings,
  'db_host' | 'db_iam_auth' | 'existing_secret_name'
>;

/** The Secret with the listener's credentials for the database, and the key it is read from. */
export interface DatabaseCredentials {
  readonly secretName: string;
  readonly key: 'DB_PASSWORD' | 'DATABASE_URL';
  /** Whether the stack makes the Secret; else others do. */
  readonly owned: boolean;
}

/**
 * Where the listener's credentials come from. A Secret of others holds `DB_PASSWORD` when `db_host`
 * says where the database is, else the whole `DATABASE_URL`. IAM authentication needs no Secret, nor
 * does a listener without a database.
 */
export function databaseCredentials(settings: DatabaseSettings): DatabaseCredentials | undefined {
  if (settings.db_iam_auth) return undefined;
  const key = settings.db_host === '' ? 'DATABASE_URL' : 'DB_PASSWORD';
  if (settings.existing_secret_name !== '') {
    return { secretName: settings.existing_secret_name, key, owned: false };
  }
  return settings.db_host === '' ? undefined : { secretName: DATABASE_SECRET, key, owned: true };
}

/** Whether the listener is told of a database at all. */
export function hasDatabase(settings: DatabaseSettings): boolean {
  return settings.db_host !== '' || settings.existing_secret_name !== '';
}
