import type { RoutingSettings } from '@file-processing/contract/routing.ts';
import { type FromFile, planRules, type RulePlan, type StoredRules } from '../rules/plan.ts';
import { type RuleSet, RuleSetError } from '../rules/rule-set.ts';
import { toJsonb } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { listMappings, MAPPING_PARTS, type Mapping } from './mappings.ts';
import { listMonitoringFiles, type MonitoringFile } from './monitoring-files.ts';
import { schemaOf, tablesOf } from './tables.ts';

/** Beside a number of the schema's name; any number, but the same in every version of this program. */
const RULES_LOCK = 412_870_933;

/** Until the end of the transaction nobody else applies rules to this schema; waits for who does. */
export async function lockRules(transaction: Transaction): Promise<void> {
  await transaction.raw('SELECT pg_advisory_xact_lock(?, hashtext(?))', [
    RULES_LOCK,
    schemaOf(transaction),
  ]);
}

/** A rule set that was applied. */
export interface AppliedRuleSet {
  /** Of its files. */
  readonly digest: string;
  /** Folder or address that it came from. */
  readonly location: string;
  readonly appliedAt: Date;
}

/** The rule set that was applied last; undefined where none ever was. */
export async function lastRuleSet(
  database: Database | Transaction,
): Promise<AppliedRuleSet | undefined> {
  return database(tablesOf(database).ruleSets)
    .orderBy('id', 'desc')
    .first<AppliedRuleSet | undefined>('digest', 'location', { appliedAt: 'applied_at' });
}

/**
 * Whether a rule set was applied last, and no monitored file was changed by hand since: such a change may give a pattern
 * to the rule set, or take it away.
 */
export async function isApplied(
  database: Database | Transaction,
  digest: string,
): Promise<boolean> {
  const { ruleSets, monitoringFiles } = tablesOf(database);
  const { rows } = await database.raw<{ rows: { applied: boolean }[] }>(
    `SELECT digest = ? AND NOT EXISTS (
       SELECT FROM ${monitoringFiles} WHERE updated_at > applied_at
     ) AS applied FROM ${ruleSets} ORDER BY id DESC LIMIT 1`,
    [digest],
  );
  return rows[0]?.applied === true;
}

/** What applying a rule set would change now. */
export async function planOf(
  database: Database,
  rules: RuleSet,
  routing?: RoutingSettings,
): Promise<RulePlan> {
  return planRules(await storedRules(database), rules, routing);
}

/**
 * Applies a rule set: all of it, or nothing. Of any number of processes that do so at the same time one works, and the
 * others find nothing left to do. Jobs go on meanwhile, each by the version with which it began.
 *
 * @param location what the record calls it
 * @param routing what the settings allow of it; a rule set that asks for more is refused @default nothing
 * @throws {RuleSetError} with everything that stands against it; then nothing was changed
 */
export async function applyRuleSet(
  database: Database,
  rules: RuleSet,
  location: string,
  routing?: RoutingSettings,
): Promise<RulePlan> {
  return database.transaction(async (transaction) => {
    await lockRules(transaction);
    const plan = planRules(await storedRules(transaction), rules, routing);
    if (plan.faults.length > 0) throw new RuleSetError(location, plan.faults);
    await storeNewMappings(transaction, plan.newMappings);
    await claimMappings(transaction, plan.claimedMappings);
    await retireMappings(transaction, plan.retiredMappings);
    await storeFiles(transaction, plan.files);
    await retireFiles(transaction, plan.retiredFiles);
    if (plan.changes.length > 0 || !(await isApplied(transaction, rules.digest))) {
      await transaction(tablesOf(transaction).ruleSets).insert({
        digest: rules.digest,
        location,
        changes: toJsonb(countsOf(plan)),
      });
    }
    return plan;
  });
}

/**
 * Takes a monitored file that was made by hand out of use. What the rule set defines for its pattern counts from when it
 * is applied next.
 *
 * @returns the entry as it was; undefined where there is no such entry in use that was made by hand
 */
export async function retireByHand(
  database: Database,
  id: number,
): Promise<MonitoringFile | undefined> {
  return database.transaction(async (transaction) => {
    await lockRules(transaction);
    const files = await listMonitoringFiles(transaction);
    const found = files.find((file) => file.id === id);
    if (found?.ruleFile !== null || found.retiredAt !== null) return undefined;
    await retireFiles(transaction, [id]);
    return found;
  });
}

async function storedRules(database: Database | Transaction): Promise<StoredRules> {
  return {
    mappings: await listMappings(database),
    monitoringFiles: await listMonitoringFiles(database),
  };
}

function countsOf({ changes, leftAlone }: RulePlan): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { leftAlone: leftAlone.length };
  for (const { kind } of changes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

async function storeNewMappings(
  transaction: Transaction,
  mappings: readonly FromFile<Mapping>[],
): Promise<void> {
  if (mappings.length === 0) return;
  const parts = Object.entries(MAPPING_PARTS) as [keyof typeof MAPPING_PARTS, string][];
  const columns = parts.map(([, column]) => column);
  const rows = mappings.map((mapping) => ({
    name: mapping.name,
    version: mapping.version,
    rule_file: mapping.ruleFile,
    ...Object.fromEntries(parts.map(([part, column]) => [column, mapping[part]])),
  }));
  await transaction.raw(
    `INSERT INTO ${tablesOf(transaction).mappings} (name, version, rule_file, ${columns.join(', ')})
     SELECT name, version, rule_file, ${columns.join(', ')} FROM jsonb_to_recordset(?::jsonb) AS given
       (name text, version integer, rule_file text, ${columns.map((column) => `${column} jsonb`).join(', ')})`,
    [toJsonb(rows)],
  );
}

type NamedVersion = Pick<Mapping, 'name' | 'version'>;

async function claimMappings(
  transaction: Transaction,
  mappings: readonly FromFile<NamedVersion>[],
): Promise<void> {
  if (mappings.length === 0) return;
  await transaction.raw(
    `UPDATE ${tablesOf(transaction).mappings} AS mapping
     SET rule_file = given."ruleFile", retired_at = NULL, updated_at = now()
     FROM jsonb_to_recordset(?::jsonb) AS given (name text, version integer, "ruleFile" text)
     WHERE mapping.name = given.name AND mapping.version = given.version`,
    [toJsonb(mappings)],
  );
}

async function retireMappings(
  transaction: Transaction,
  mappings: readonly NamedVersion[],
): Promise<void> {
  if (mappings.length === 0) return;
  const names = mappings.map(({ name, version }) => ({ name, version }));
  await transaction.raw(
    `UPDATE ${tablesOf(transaction).mappings} AS mapping SET retired_at = now(), updated_at = now()
     FROM jsonb_to_recordset(?::jsonb) AS given (name text, version integer)
     WHERE mapping.name = given.name AND mapping.version = given.version`,
    [toJsonb(names)],
  );
}

/** Columns of a monitored file that a rule set brings up to date, with their types. */
const FILE_COLUMNS = {
  client: 'text',
  mapping_name: 'text',
  mapping_version: 'integer',
  active: 'boolean',
  description: 'text',
  contact: 'jsonb',
  schedule: 'jsonb',
  severity: 'text',
  classification: 'text',
  on_verdict: 'jsonb',
  rule_file: 'text',
} as const;

async function storeFiles(transaction: Transaction, files: RulePlan['files']): Promise<void> {
  if (files.length === 0) return;
  const rows = files.map((file) => ({
    bucket: file.bucket,
    key_pattern: file.keyPattern,
    client: file.client,
    mapping_name: file.mappingName,
    mapping_version: file.mappingVersion,
    active: file.active,
    description: file.description,
    contact: file.contact,
    schedule: file.schedule,
    severity: file.severity,
    classification: file.classification,
    on_verdict: file.onVerdict,
    rule_file: file.ruleFile,
  }));
  const columns = Object.keys(FILE_COLUMNS).join(', ');
  const given = Object.entries(FILE_COLUMNS).map(([column, type]) => `${column} ${type}`);
  await transaction.raw(
    `INSERT INTO ${tablesOf(transaction).monitoringFiles} (bucket, key_pattern, ${columns})
     SELECT bucket, key_pattern, ${columns} FROM jsonb_to_recordset(?::jsonb) AS given
       (bucket text, key_pattern text, ${given.join(', ')})
     ON CONFLICT (bucket, key_pattern) DO UPDATE SET (${columns}, retired_at, updated_at)
       = (${columns.replace(/\w+/g, 'excluded.$&')}, NULL, now())`,
    [toJsonb(rows)],
  );
}

async function retireFiles(transaction: Transaction, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction(tablesOf(transaction).monitoringFiles)
    .whereIn('id', [...ids])
    .update({
      active: false,
      retired_at: transaction.fn.now(),
      updated_at: transaction.fn.now(),
    });
}
