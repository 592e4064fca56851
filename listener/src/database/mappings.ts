import { toJsonb } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { tablesOf } from './tables.ts';

/** One version of what a file should look like. */
export interface Mapping {
  readonly name: string;
  readonly version: number;
  /** A Frictionless Table Schema; opaque here, the quality engine knows it. */
  readonly tableSchema: Readonly<Record<string, unknown>>;
  /** A Frictionless Table Dialect; empty means RFC 4180 with a header. */
  readonly dialect: Readonly<Record<string, unknown>>;
  /** From which counts on a delivery is warned of or fails. */
  readonly thresholds: Readonly<Record<string, unknown>>;
  /** What is demanded of a delivery as a whole; null or absent where nothing is. */
  readonly rules?: readonly unknown[] | null;
}

/** What storing a mapping did. `used`: runs were judged by another content of this version. */
export type MappingChange = 'created' | 'updated' | 'unchanged' | 'used';

/** What a mapping says of a file, and the column that holds each part of it. */
export const MAPPING_PARTS = {
  tableSchema: 'table_schema',
  dialect: 'dialect',
  thresholds: 'thresholds',
  rules: 'rules',
} as const;

const COLUMNS = { name: 'name', version: 'version', ...MAPPING_PARTS };

/** A mapping as the database has it. */
export interface StoredMapping extends Mapping {
  /** File of the applied rule set that it came from; null for one that was made by hand or by `seed`. */
  readonly ruleFile: string | null;
  /** When it left the rule set; null for one that is in it, or was made by hand. */
  readonly retiredAt: Date | null;
}

/** Every version of every mapping. */
export async function listMappings(database: Database | Transaction): Promise<StoredMapping[]> {
  return database(tablesOf(database).mappings)
    .select<StoredMapping[]>({ ...COLUMNS, ruleFile: 'rule_file', retiredAt: 'retired_at' })
    .orderBy(['name', 'version']);
}

/** The versions by which active monitored files are judged. */
export async function mappingsInUse(database: Database): Promise<Mapping[]> {
  const { mappings, monitoringFiles } = tablesOf(database);
  return database(mappings)
    .select<Mapping[]>(COLUMNS)
    .whereIn(
      ['name', 'version'],
      database(monitoringFiles).where({ active: true }).select('mapping_name', 'mapping_version'),
    )
    .orderBy(['name', 'version']);
}

/** One version of a mapping. */
export async function findMapping(
  database: Database,
  name: string,
  version: number,
): Promise<Mapping | undefined> {
  const found = await database(tablesOf(database).mappings)
    .where({ name, version })
    .first<Mapping | undefined>(COLUMNS);
  if (found === undefined || found.rules) return found;
  const { rules: _none, ...mapping } = found;
  return mapping;
}

/** The versions of a mapping that there are, in their order. */
export async function mappingVersions(database: Database, name: string): Promise<number[]> {
  return database(tablesOf(database).mappings).where({ name }).orderBy('version').pluck('version');
}

/**
 * Stores a version. Its content may change as long as no run was judged by it; after that the
 * verdicts would lie about what they were measured against, and the version must be raised.
 */
export async function storeMapping(
  database: Database | Transaction,
  mapping: Mapping,
): Promise<MappingChange> {
  const { mappings, judgements } = tablesOf(database);
  const { tableSchema, dialect, thresholds, rules } = mapping;
  const content = [
    ...[tableSchema, dialect, thresholds].map(toJsonb),
    rules == null ? null : toJsonb(rules),
  ];
  const key = [mapping.name, mapping.version];
  const inserted = await database.raw(
    `INSERT INTO ${mappings} (name, version, table_schema, dialect, thresholds, rules)
     VALUES (?, ?, ?::jsonb, ?::jsonb, ?::jsonb, ?::jsonb)
     ON CONFLICT (name, version) DO NOTHING`,
    [...key, ...content],
  );
  if (inserted.rowCount === 1) return 'created';

  const same = await database.raw(
    `SELECT FROM ${mappings}
     WHERE name = ? AND version = ? AND (table_schema, dialect, thresholds, rules)
       IS NOT DISTINCT FROM (?::jsonb, ?::jsonb, ?::jsonb, ?::jsonb)`,
    [...key, ...content],
  );
  if (same.rowCount === 1) return 'unchanged';

  const updated = await database.raw(
    `UPDATE ${mappings} AS mapping
     SET table_schema = ?::jsonb, dialect = ?::jsonb, thresholds = ?::jsonb,
       rules = ?::jsonb, updated_at = now()
     WHERE name = ? AND version = ? AND NOT EXISTS (
       SELECT FROM ${judgements} WHERE mapping_name = mapping.name AND mapping_version = mapping.version
     )`,
    [...content, ...key],
  );
  return updated.rowCount === 1 ? 'updated' : 'used';
}
