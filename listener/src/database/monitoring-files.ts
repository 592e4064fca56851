import type { Database, Transaction } from './connection.ts';
import { sharedStatement } from './group-commit.ts';
import { compareSpecificity, matchesKey } from './key-pattern.ts';
import { tablesOf } from './tables.ts';

/** A kind of file that a client delivers, and what is expected of it. */
export interface MonitoringFile {
  readonly id: number;
  readonly client: string;
  readonly bucket: string;
  /** See `key-pattern.ts`: `from_client/nm_albuquerque/**\/Officer_Detail.csv`. */
  readonly keyPattern: string;
  readonly mappingName: string;
  readonly mappingVersion: number;
  readonly active: boolean;
  readonly description: string;
}

/** What a definition says; the database adds the rest. */
export type MonitoringFileDefinition = Omit<MonitoringFile, 'id'>;

const COLUMNS = {
  id: 'id',
  client: 'client',
  bucket: 'bucket',
  keyPattern: 'key_pattern',
  mappingName: 'mapping_name',
  mappingVersion: 'mapping_version',
  active: 'active',
  description: 'description',
};

/** The active entry whose pattern fits the key; the most specific one when several do. */
export async function findMonitoringFile(
  database: Database,
  object: { readonly bucket: string; readonly key: string },
): Promise<MonitoringFile | undefined> {
  const entries = await activeEntriesTogether(database, object.bucket);
  return entries
    .filter(({ keyPattern }) => matchesKey(keyPattern, object.key))
    .sort((a, b) => compareSpecificity(a.keyPattern, b.keyPattern))[0];
}

/** The active entries of a bucket, read anew for each group of jobs: a changed one counts at once. */
const activeEntriesTogether = sharedStatement<string, readonly MonitoringFile[]>(
  async (database, buckets) => {
    const entries = await database(tablesOf(database).monitoringFiles)
      .select<MonitoringFile[]>(COLUMNS)
      .whereIn('bucket', [...new Set(buckets)])
      .where({ active: true });
    return buckets.map((bucket) => entries.filter((entry) => entry.bucket === bucket));
  },
);

/** The client of an entry. @param id null, for a file that is not monitored, finds undefined */
export async function clientOfMonitoringFile(
  database: Database,
  id: number | null,
): Promise<string | undefined> {
  if (id === null) return undefined;
  const [client] = await database(tablesOf(database).monitoringFiles)
    .where({ id })
    .pluck<string[]>('client');
  return client;
}

/** Keys of a bucket that an entry describes. */
export interface DescribedNames {
  readonly bucket: string;
  readonly keyPattern: string;
  /** More specific patterns of other clients: what they fit is theirs. */
  readonly others: readonly string[];
}

/** What the active entries of a client describe; empty where it has none. */
export async function namesOfClient(
  database: Database,
  client: string,
): Promise<readonly DescribedNames[]> {
  const entries = (await listMonitoringFiles(database)).filter(({ active }) => active);
  return entries
    .filter((entry) => entry.client === client)
    .map(({ bucket, keyPattern }) => ({
      bucket,
      keyPattern,
      others: entries
        .filter((other) => other.client !== client && other.bucket === bucket)
        .map((other) => other.keyPattern)
        .filter((other) => compareSpecificity(other, keyPattern) < 0),
    }));
}

/** Every entry, by bucket and pattern. */
export async function listMonitoringFiles(database: Database): Promise<MonitoringFile[]> {
  return database(tablesOf(database).monitoringFiles)
    .select<MonitoringFile[]>(COLUMNS)
    .orderBy(['bucket', 'key_pattern']);
}

/**
 * Makes an entry, or brings the one with the same bucket and pattern up to date.
 *
 * @returns whether anything changed
 */
export async function upsertMonitoringFile(
  database: Database | Transaction,
  file: MonitoringFileDefinition,
): Promise<boolean> {
  const { rowCount } = await database.raw(
    `INSERT INTO ${tablesOf(database).monitoringFiles} AS present
       (client, bucket, key_pattern, mapping_name, mapping_version, active, description)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (bucket, key_pattern) DO UPDATE SET
       client = excluded.client, mapping_name = excluded.mapping_name,
       mapping_version = excluded.mapping_version, active = excluded.active,
       description = excluded.description, updated_at = now()
     WHERE (present.client, present.mapping_name,
            present.mapping_version, present.active,
            present.description)
       IS DISTINCT FROM (excluded.client, excluded.mapping_name, excluded.mapping_version,
            excluded.active, excluded.description)`,
    [
      file.client,
      file.bucket,
      file.keyPattern,
      file.mappingName,
      file.mappingVersion,
      file.active,
      file.description,
    ],
  );
  return rowCount === 1;
}
