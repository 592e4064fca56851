import type { Database } from '../database/connection.ts';
import type { HeldJudgement, Judgement } from '../database/judgements.ts';
import { compareSpecificity, matchesKey } from '../database/key-pattern.ts';
import { findMapping, type Mapping } from '../database/mappings.ts';
import {
  activeMonitoringFiles,
  listMonitoringFiles,
  type MonitoringFile,
  monitoringFileOf,
} from '../database/monitoring-files.ts';
import { fieldsReferredTo } from '../database/reference-keys.ts';
import type { RuleMapping, RuleMonitoringFile, RuleSet } from '../rules/rule-set.ts';

/** A monitored file with what it is judged by. */
export interface MonitoredFile {
  /** Undefined where definitions were read from files and not from the database. */
  readonly monitoringFileId: number | undefined;
  readonly client: string;
  readonly mapping: Mapping;
  /** Lists of fields of which foreign keys of the client's other files need the keys. @default none */
  readonly fieldsReferredTo?: readonly (readonly string[])[];
}

interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** What a process has read of the rules, by the revision at which it did. */
interface KnownRules {
  readonly revision: string | undefined;
  /** Active entries by their buckets. */
  readonly entries: Map<string, Promise<readonly MonitoringFile[]>>;
  /** Entries with their mappings by their ids, the one that was read last at the end. */
  readonly files: Map<number, Promise<MonitoredFile>>;
}

const KNOWN_RULES = new WeakMap<Database, KnownRules>();

/** So many mappings are kept; one of 1,000 fields takes some 300 kB. */
const KEPT_FILES = 100;

/**
 * Looks an object up in the database. Rules are read once for all jobs of a process until somebody changes them: of many
 * small files, reading them anew was a third of what they asked the database.
 *
 * @param revision of the rules, as {@link HeldJudgement} has it: by these the object is looked up, or by newer ones
 */
export async function monitoredFileInDatabase(
  database: Database,
  { bucket, key }: ObjectName,
  revision: HeldJudgement['ruleRevision'],
): Promise<MonitoredFile | undefined> {
  const { entries, files } = knownRules(database, revision);
  const entry = monitoringFileOf(
    await kept(entries, bucket, () => activeMonitoringFiles(database, bucket)),
    key,
  );
  if (entry === undefined) return undefined;
  const file = await kept(files, entry.id, () => readMonitoredFile(database, entry));
  for (const id of files.keys()) if (files.size > KEPT_FILES) files.delete(id);
  return file;
}

function knownRules(database: Database, revision: string | undefined): KnownRules {
  const known = KNOWN_RULES.get(database);
  if (known !== undefined && revision !== undefined && known.revision === revision) return known;
  const anew: KnownRules = { revision, entries: new Map(), files: new Map() };
  KNOWN_RULES.set(database, anew);
  return anew;
}

/** What could not be read is not kept. */
async function kept<K, V>(values: Map<K, Promise<V>>, key: K, read: () => Promise<V>): Promise<V> {
  const value = values.get(key) ?? read();
  values.set(key, value);
  try {
    return await value;
  } catch (error) {
    if (values.get(key) === value) values.delete(key);
    throw error;
  }
}

async function readMonitoredFile(
  database: Database,
  { id, client, mappingName, mappingVersion, classification }: MonitoringFile,
): Promise<MonitoredFile> {
  const [mapping, referredTo] = await Promise.all([
    findMapping(database, mappingName, mappingVersion),
    fieldsReferredTo(database, { client, mappingName }),
  ]);
  // A foreign key keeps an entry's mapping from being deleted.
  if (mapping === undefined) throw new Error(`mapping '${mappingName}' has vanished`);
  return {
    monitoringFileId: id,
    client,
    mapping: classified(mapping, classification),
    fieldsReferredTo: referredTo,
  };
}

/**
 * Looks an object up in a rule set that was read from files: for a run without database. It is recorded nowhere, so a
 * version that is derived when the set is applied is 0.
 */
export function monitoredFileInRuleSet(
  { mappings, monitoringFiles }: Pick<RuleSet, 'mappings' | 'monitoringFiles'>,
  { bucket, key }: ObjectName,
): MonitoredFile | undefined {
  const entry = monitoringFiles
    .map(({ value }) => value)
    .filter((file) => file.active && file.bucket === bucket && matchesKey(file.keyPattern, key))
    .sort((a, b) => compareSpecificity(a.keyPattern, b.keyPattern))[0];
  if (entry === undefined) return undefined;
  const mapping = mappingOf(mappings, entry);
  if (mapping === undefined) return undefined;
  const { version = 0 } = mapping;
  return {
    monitoringFileId: undefined,
    client: entry.client,
    mapping: classified({ ...mapping, version }, entry.classification),
  };
}

/** By what a judgement was made, as sensitive as its monitored file says; undefined for one by no mapping. */
export async function mappingOfJudgement(
  database: Database,
  {
    mappingName,
    mappingVersion,
    monitoringFileId,
  }: Pick<Judgement, 'mappingName' | 'mappingVersion' | 'monitoringFileId'>,
): Promise<Mapping | undefined> {
  if (mappingName === null || mappingVersion === null) return undefined;
  const mapping = await findMapping(database, mappingName, mappingVersion);
  const files = await listMonitoringFiles(database);
  const file = files.find(({ id }) => id === monitoringFileId);
  return mapping && classified(mapping, file?.classification);
}

/** A mapping whose fields are as sensitive as its monitored file says, where neither they nor the schema say it. */
function classified(mapping: Mapping, classification: string | null | undefined): Mapping {
  if (!classification || 'classification' in mapping.tableSchema) return mapping;
  return { ...mapping, tableSchema: { ...mapping.tableSchema, classification } };
}

/** The mapping that a monitored file of the same set names: where it names no version, the highest one. */
export function mappingOf(
  mappings: RuleSet['mappings'],
  { mappingName, mappingVersion }: RuleMonitoringFile,
): RuleMapping | undefined {
  return mappings
    .map(({ value }) => value)
    .filter(({ name }) => name === mappingName)
    .filter(({ version }) => mappingVersion === undefined || version === mappingVersion)
    .sort((a, b) => (b.version ?? 0) - (a.version ?? 0))[0];
}
