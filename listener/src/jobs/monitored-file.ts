import type { Database } from '../database/connection.ts';
import type { Definitions } from '../database/definitions.ts';
import { compareSpecificity, matchesKey } from '../database/key-pattern.ts';
import { findMapping, type Mapping } from '../database/mappings.ts';
import { findMonitoringFile } from '../database/monitoring-files.ts';

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
  return { monitoringFileId: entry.id, client: entry.client, mapping };
}

/** Looks an object up in definitions that were read from files: for a run without database. */
export function monitoredFileInDefinitions(
  definitions: Definitions,
  { bucket, key }: ObjectName,
): MonitoredFile | undefined {
  const entry = definitions.monitoringFiles
    .map(({ value }) => value)
    .filter((file) => file.active && file.bucket === bucket && matchesKey(file.keyPattern, key))
    .sort((a, b) => compareSpecificity(a.keyPattern, b.keyPattern))[0];
  const mapping = definitions.mappings.find(
    ({ value }) => value.name === entry?.mappingName && value.version === entry.mappingVersion,
  )?.value;
  if (entry === undefined || mapping === undefined) return undefined;
  return { monitoringFileId: undefined, client: entry.client, mapping };
}
