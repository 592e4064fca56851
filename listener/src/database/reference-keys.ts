import type { Reference } from '@file-processing/quality/ports.ts';
import type { CollectedKeys } from '@file-processing/quality/reference-keys.ts';
import { DELIVERED_AT } from './accepted-deliveries.ts';
import type { Database, Transaction } from './connection.ts';
import type { JudgementReference } from './judgements.ts';
import { tablesOf } from './tables.ts';

/** Names the mapping of a client, which is what foreign keys of the same client's files call a file by. */
export interface NamedFile {
  readonly client: string;
  readonly mappingName: string;
}

/** The lists of fields that foreign keys of the client's active files refer to in a file. */
export async function fieldsReferredTo(
  database: Database,
  { client, mappingName }: NamedFile,
): Promise<readonly (readonly string[])[]> {
  const { mappings, monitoringFiles } = tablesOf(database);
  const { rows } = await database.raw<{ rows: { fields: string | readonly string[] }[] }>(
    `SELECT DISTINCT foreign_key->'reference'->'fields' AS fields
     FROM ${monitoringFiles} JOIN ${mappings} ON (name, version) = (mapping_name, mapping_version)
     CROSS JOIN jsonb_array_elements(
       CASE jsonb_typeof(table_schema->'foreignKeys')
         WHEN 'array' THEN table_schema->'foreignKeys' ELSE '[]' END
     ) AS foreign_key
     WHERE active AND client = ? AND foreign_key->'reference'->>'resource' = ?`,
    [client, mappingName],
  );
  return rows.map(({ fields }) => (typeof fields === 'string' ? [fields] : fields));
}

/** Keys of a delivery that was just accepted. */
export interface KeptKeys extends JudgementReference {
  readonly monitoringFileId: number;
  readonly collected: readonly CollectedKeys[];
}

/**
 * Keeps the keys of a delivery in the place of those that were kept of its monitored file. Nothing is kept of one whose
 * judgement does not accept it or is not the one that stands, nor of one that was delivered before another accepted one.
 */
export async function keepReferenceKeys(
  transaction: Transaction,
  { runId, number, monitoringFileId, collected }: KeptKeys,
): Promise<void> {
  const { referenceKeys, runs } = tablesOf(transaction);
  for (const { fields, keys } of collected) {
    const known = typeof keys === 'string' ? undefined : keys;
    await transaction.raw(
      `INSERT INTO ${referenceKeys}
         (monitoring_file_id, fields, run_id, form, types, secret, hashes, unknown)
       SELECT accepted_file, ?::text[], id, ?::integer, ?::text[], ?::bytea, ?::bytea, ?::text
       FROM ${runs} AS run
       WHERE id = ? AND accepted_file = ? AND verdict_number = ? AND NOT EXISTS (
         SELECT FROM ${runs} AS later WHERE later.accepted_file = run.accepted_file
           AND (coalesce(later.event_time, later.last_modified, later.created_at), later.created_at, later.id)
             > (coalesce(run.event_time, run.last_modified, run.created_at), run.created_at, run.id)
       )
       ON CONFLICT (monitoring_file_id, fields) DO UPDATE SET
         (run_id, kept_at, form, types, secret, hashes, unknown) = (excluded.run_id, now(),
           excluded.form, excluded.types, excluded.secret, excluded.hashes, excluded.unknown)`,
      [
        [...fields],
        known?.form ?? null,
        known === undefined ? null : [...known.types],
        known === undefined ? null : Buffer.from(known.secret),
        known === undefined ? null : Buffer.from(known.hashes),
        typeof keys === 'string' ? keys : null,
        runId,
        monitoringFileId,
        number,
      ],
    );
  }
}

/**
 * The keys that foreign keys refer to: those of the last accepted delivery of the one active file of the client that has
 * the mapping, or why they are not known.
 */
export async function referenceKeysOf(
  database: Database,
  client: string,
  wanted: readonly Pick<Reference, 'resource' | 'fields'>[],
): Promise<readonly Reference[]> {
  const references: Reference[] = [];
  for (const { resource, fields } of wanted) {
    const keys = await keysOf(database, { client, mappingName: resource }, fields);
    references.push({ resource, fields, keys });
  }
  return references;
}

async function keysOf(
  database: Database,
  { client, mappingName }: NamedFile,
  fields: readonly string[],
): Promise<Reference['keys']> {
  const { monitoringFiles, referenceKeys, runs } = tablesOf(database);
  const { rows } = await database.raw<{ rows: KeptRow[] }>(
    `SELECT last.id AS last_run, kept.run_id, form, types, secret, hashes, unknown
     FROM ${monitoringFiles} AS file
     LEFT JOIN LATERAL (
       SELECT id FROM ${runs} WHERE accepted_file = file.id
       ORDER BY ${DELIVERED_AT} DESC, created_at DESC, id DESC LIMIT 1
     ) AS last ON true
     LEFT JOIN ${referenceKeys} AS kept
       ON monitoring_file_id = file.id AND fields = ?::text[] AND run_id = last.id
     WHERE active AND client = ? AND mapping_name = ? LIMIT 2`,
    [[...fields], client, mappingName],
  );
  const [row] = rows;
  if (row === undefined) return `no active file of the client has the mapping ${mappingName}`;
  if (rows.length > 1) return `several files of the client have the mapping ${mappingName}`;
  if (row.last_run === null) return 'no delivery of it was accepted yet';
  if (row.run_id === null) return 'the keys of its last accepted delivery are not kept';
  if (row.unknown !== null) return row.unknown;
  const { form, types, secret, hashes } = row;
  return { form, types, secret, hashes };
}

interface KeptRow {
  readonly last_run: string | null;
  readonly run_id: string | null;
  readonly form: number;
  readonly types: readonly string[];
  readonly secret: Buffer;
  readonly hashes: Buffer;
  readonly unknown: string | null;
}

/** Deletes sets of keys that are older. @returns how many */
export async function deleteOldReferenceKeys(
  transaction: Transaction,
  cutoff: Date,
  batchSize: number,
): Promise<number> {
  const { referenceKeys } = tablesOf(transaction);
  const { rowCount } = await transaction.raw<{ rowCount: number }>(
    `DELETE FROM ${referenceKeys} WHERE (monitoring_file_id, fields) IN (
       SELECT monitoring_file_id, fields FROM ${referenceKeys} WHERE kept_at < ?
       ORDER BY kept_at LIMIT ? FOR UPDATE SKIP LOCKED
     )`,
    [cutoff, batchSize],
  );
  return rowCount;
}
