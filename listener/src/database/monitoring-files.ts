import type { Knex } from 'knex';
import type { Schedule } from '../schedule/schedule.ts';
import { toJsonb } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { areApart, compareSpecificity, matchesKey } from './key-pattern.ts';
import { tablesOf } from './tables.ts';

/** How much it matters when a delivery is bad or missing. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/** How far the values of a file may go. */
export const CLASSIFICATIONS = ['public', 'internal', 'sensitive'] as const;

/** Who hears of a bad or missing delivery. */
export interface Contact {
  readonly name?: string;
  readonly email?: string;
}

/** What is done with a file once it has a verdict; the delivered object itself stays as it is. */
export interface OnVerdict {
  /** Tags the object version with its verdict. @default false */
  readonly tag?: boolean;
  /** Copies it to `accepted/` or `rejected/` below a place. @default it is not copied */
  readonly copy?: {
    /** @default the file's own */
    readonly bucket?: string;
    /** Ends in a slash. */
    readonly prefix: string;
  };
}

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
  /** Who hears of a bad or missing delivery; null where nobody is named. */
  readonly contact: Contact | null;
  /** When deliveries are due; null where nobody says. */
  readonly schedule: Schedule | null;
  readonly severity: (typeof SEVERITIES)[number] | null;
  readonly classification: (typeof CLASSIFICATIONS)[number] | null;
  /** What is done with a file once it has a verdict; null for nothing. */
  readonly onVerdict: OnVerdict | null;
  /** File of the applied rule set that it came from; null for one that was made by hand or by `seed`. */
  readonly ruleFile: string | null;
  /** When it left the rule set, or an operator retired it; null for one that did not. */
  readonly retiredAt: Date | null;
}

/** What a definition may leave out. */
type Particulars = 'contact' | 'schedule' | 'severity' | 'classification' | 'onVerdict';

/** What a definition says; the database adds the rest. */
export type MonitoringFileDefinition = Omit<
  MonitoringFile,
  'id' | 'ruleFile' | 'retiredAt' | Particulars
> &
  Partial<Pick<MonitoringFile, Particulars>>;

const COLUMNS = {
  id: 'id',
  client: 'client',
  bucket: 'bucket',
  keyPattern: 'key_pattern',
  mappingName: 'mapping_name',
  mappingVersion: 'mapping_version',
  active: 'active',
  description: 'description',
  contact: 'contact',
  schedule: 'schedule',
  severity: 'severity',
  classification: 'classification',
  onVerdict: 'on_verdict',
  ruleFile: 'rule_file',
  retiredAt: 'retired_at',
};

/** The active entries of a bucket. */
export async function activeMonitoringFiles(
  database: Database,
  bucket: string,
): Promise<readonly MonitoringFile[]> {
  return database(tablesOf(database).monitoringFiles)
    .select<MonitoringFile[]>(COLUMNS)
    .where({ bucket, active: true });
}

/** The one of a bucket's active entries whose pattern fits a key; the most specific one where several do. */
export function monitoringFileOf(
  entries: readonly MonitoringFile[],
  key: string,
): MonitoringFile | undefined {
  return entries
    .filter(({ keyPattern }) => matchesKey(keyPattern, key))
    .sort((a, b) => compareSpecificity(a.keyPattern, b.keyPattern))[0];
}

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

/** What the active entries of some clients describe; empty where they have none. */
export async function namesOfClients(
  database: Database,
  clients: readonly string[],
): Promise<readonly DescribedNames[]> {
  const entries = (await listMonitoringFiles(database)).filter(({ active }) => active);
  const theirs = (entry: MonitoringFile) => clients.includes(entry.client);
  return entries.filter(theirs).map(({ bucket, keyPattern }) => ({
    bucket,
    keyPattern,
    others: entries
      .filter((other) => !theirs(other) && other.bucket === bucket)
      .map((other) => other.keyPattern)
      // Each is compared with every key: of a hundred clients with a folder each, none is left.
      .filter((other) => compareSpecificity(other, keyPattern) < 0 && !areApart(other, keyPattern)),
  }));
}

/** Narrows a statement to rows of some clients. @param clients undefined for all; of none there is nothing */
export function ofClients(column: string, clients: readonly string[] | undefined) {
  return (query: Knex.QueryBuilder) => {
    if (clients !== undefined) query.whereIn(column, [...clients]);
  };
}

/** Every entry, by bucket and pattern. @param clients only theirs. @default of all */
export async function listMonitoringFiles(
  database: Database | Transaction,
  clients?: readonly string[],
): Promise<MonitoringFile[]> {
  return database(tablesOf(database).monitoringFiles)
    .select<MonitoringFile[]>(COLUMNS)
    .modify(ofClients('client', clients))
    .orderBy(['bucket', 'key_pattern']);
}

/**
 * Makes an entry, or brings the one with the same bucket and pattern up to date: as somebody who makes it by hand.
 *
 * @returns whether anything changed
 */
export async function upsertMonitoringFile(
  database: Database | Transaction,
  file: MonitoringFileDefinition,
): Promise<boolean> {
  const { rowCount } = await database.raw(
    `INSERT INTO ${tablesOf(database).monitoringFiles} AS present
       (bucket, key_pattern, client, mapping_name, mapping_version, active, description,
        contact, schedule, severity, classification, on_verdict)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?::jsonb, ?, ?, ?::jsonb)
     ON CONFLICT (bucket, key_pattern) DO UPDATE SET (${UPDATED}, retired_at, updated_at)
       = (${UPDATED.replace(/\w+/g, 'excluded.$&')}, NULL, now())
     WHERE (${UPDATED.replace(/\w+/g, 'present.$&')}, present.retired_at)
       IS DISTINCT FROM (${UPDATED.replace(/\w+/g, 'excluded.$&')}, NULL::timestamptz)`,
    [
      file.bucket,
      file.keyPattern,
      file.client,
      file.mappingName,
      file.mappingVersion,
      file.active,
      file.description,
      file.contact ? toJsonb(file.contact) : null,
      file.schedule ? toJsonb(file.schedule) : null,
      file.severity ?? null,
      file.classification ?? null,
      file.onVerdict ? toJsonb(file.onVerdict) : null,
    ],
  );
  return rowCount === 1;
}

/** Columns that a later definition of the same bucket and pattern brings up to date. */
const UPDATED =
  'client, mapping_name, mapping_version, active, description, contact, schedule, severity, classification, on_verdict';
