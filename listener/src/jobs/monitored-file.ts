import type { Database } from '../database/connection.ts';
import type { Judgement } from '../database/judgements.ts';
import { compareSpecificity, matchesKey } from '../database/key-pattern.ts';
import { findMapping, type Mapping } from '../database/mappings.ts';
import { findMonitoringFile, listMonitoringFiles } from '../database/monitoring-files.ts';
import type { RuleMapping, RuleMonitoringFile, RuleSet } from '../rules/rule-set.ts';

/** A monitored file with what it is judged by. */
export interface MonitoredFile {
  /** Undefined where definitions were read from files and not from the database. */
  readonly monitoringFileId: number | undefined;
  readonly client: string;
  readonly mapping: Mapping;
}

interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** Looks an object up in the database. */
export async function monitoredFileInDatabase(
  database: Database,
  object: ObjectName,
): Promise<MonitoredFile | undefined> {
  const entry = await findMonitoringFile(database, object);
  if (entry === undefined) return undefined;
  const mapping = await findMapping(database, entry.mappingName, entry.mappingVersion);
  // A foreign key keeps an entry's mapping from being deleted.
  if (mapping === undefined) throw new Error(`mapping '${entry.mappingName}' has vanished`);
  return {
    monitoringFileId: entry.id,
    client: entry.client,
    mapping: classified(mapping, entry.classification),
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
