import type { Database } from './connection.ts';
import {
  type Definitions,
  type ExpectationCheck,
  readDefinitions,
  SeedError,
  type SeedFault,
} from './definitions.ts';
import { findMapping, storeMapping } from './mappings.ts';
import { upsertMonitoringFile } from './monitoring-files.ts';

/** What loading a folder changed. */
export interface SeedResult {
  readonly mappings: { readonly found: number; readonly changed: number };
  readonly monitoringFiles: { readonly found: number; readonly changed: number };
}

/**
 * Loads monitored files and mappings from a folder of JSON files, all or nothing. A second call
 * with the same files changes nothing; a definition that is no longer in the folder stays.
 *
 * @param checkExpectation what a Table Schema, dialect and thresholds have to be
 * @throws {SeedError} with every fault
 */
export async function seedDefinitions(
  database: Database,
  folder: string,
  checkExpectation: ExpectationCheck,
): Promise<SeedResult> {
  const definitions = await readDefinitions(folder, checkExpectation);
  return database.transaction(async (transaction) => {
    const faults: SeedFault[] = [];
    let changedMappings = 0;
    for (const { file, value } of definitions.mappings) {
      const change = await storeMapping(transaction, value);
      if (change === 'created' || change === 'updated') changedMappings += 1;
      if (change === 'used') {
        const message =
          `runs were judged by version ${value.version} with another content: ` +
          `make this version ${value.version + 1}`;
        faults.push({ file, path: 'version', message });
      }
    }
    faults.push(...(await missingMappings(transaction, definitions)));
    if (faults.length > 0) throw new SeedError(folder, faults);

    let changedFiles = 0;
    for (const { value } of definitions.monitoringFiles) {
      if (await upsertMonitoringFile(transaction, value)) changedFiles += 1;
    }
    return {
      mappings: { found: definitions.mappings.length, changed: changedMappings },
      monitoringFiles: { found: definitions.monitoringFiles.length, changed: changedFiles },
    };
  });
}

/** Monitored files whose mapping is neither in the folder nor in the database. */
async function missingMappings(
  database: Database,
  { monitoringFiles }: Definitions,
): Promise<SeedFault[]> {
  const faults: SeedFault[] = [];
  for (const { file, value } of monitoringFiles) {
    const { mappingName, mappingVersion } = value;
    if (await findMapping(database, mappingName, mappingVersion)) continue;
    const message = `there is no mapping '${mappingName}' version ${mappingVersion}`;
    faults.push({ file, path: 'mapping', message });
  }
  return faults;
}
