import { differences, placeOf } from '../rules/plan.ts';
import {
  type Defined,
  type ExpectationCheck,
  faultOf,
  missingReferences,
  type RuleFault,
  type RuleSet,
  RuleSetError,
  readRuleFolder,
} from '../rules/rule-set.ts';
import type { Database, Transaction } from './connection.ts';
import { findMapping, listMappings, storeMapping } from './mappings.ts';
import { listMonitoringFiles, upsertMonitoringFile } from './monitoring-files.ts';
import { lockRules } from './rules.ts';

/** What loading a folder changed. */
export interface SeedResult {
  readonly mappings: { readonly found: number; readonly changed: number };
  readonly monitoringFiles: { readonly found: number; readonly changed: number };
}

/**
 * Loads monitored files and mappings from a folder, all or nothing, as rows that somebody makes by hand. A second call
 * with the same files changes nothing; a definition that is no longer in the folder stays. What an applied rule set
 * defines is not seed's to change.
 *
 * @param checkExpectation what a Table Schema, dialect and thresholds have to be
 * @throws {RuleSetError} with every fault
 */
export async function seedDefinitions(
  database: Database,
  folder: string,
  checkExpectation: ExpectationCheck,
): Promise<SeedResult> {
  const rules = await readRuleFolder(folder, checkExpectation);
  const { mappings, monitoringFiles } = rules;
  return database.transaction(async (transaction) => {
    await lockRules(transaction);
    const faults: RuleFault[] = [];
    let changedMappings = 0;
    for (const defined of mappings) {
      const { version, ...mapping } = defined.value;
      if (version === undefined) {
        const message = 'is missing; seed needs it, rules apply derives it from the content';
        faults.push(faultOf(defined, 'version', message));
        continue;
      }
      const change = await storeMapping(transaction, { ...mapping, version });
      if (change === 'created' || change === 'updated') changedMappings += 1;
      if (change === 'used') {
        const message =
          `runs were judged by version ${version} with another content: ` +
          `make this version ${version + 1}`;
        faults.push(faultOf(defined, 'version', message));
      }
    }
    const faultsOfFiles = await faultsAmong(transaction, monitoringFiles);
    faults.push(...faultsOfFiles, ...(await faultsOfReferences(transaction, rules)));
    if (faults.length > 0) throw new RuleSetError(folder, faults);

    let changedFiles = 0;
    for (const { value } of monitoringFiles) {
      const { mappingVersion = 1 } = value;
      if (await upsertMonitoringFile(transaction, { ...value, mappingVersion })) changedFiles += 1;
    }
    return {
      mappings: { found: mappings.length, changed: changedMappings },
      monitoringFiles: { found: monitoringFiles.length, changed: changedFiles },
    };
  });
}

/** Monitored files whose mapping is neither in the folder nor in the database, or of which a rule set says otherwise. */
async function faultsAmong(
  database: Transaction,
  monitoringFiles: RuleSet['monitoringFiles'],
): Promise<RuleFault[]> {
  const stored = await listMonitoringFiles(database);
  const faults: RuleFault[] = [];
  for (const defined of monitoringFiles) {
    const { mappingName, mappingVersion } = defined.value;
    if (mappingVersion === undefined) {
      const message = 'is missing; seed needs it, rules apply takes the one of the rule set';
      faults.push(faultOf(defined, 'mapping.version', message));
    } else if (!(await findMapping(database, mappingName, mappingVersion))) {
      const message = `there is no mapping '${mappingName}' version ${mappingVersion}`;
      faults.push(faultOf(defined, 'mapping', message));
    }
    const present = stored.find((file) => placeOf(file) === placeOf(defined.value));
    if (present === undefined || present.ruleFile === null || present.retiredAt !== null) continue;
    const definition = { ...defined.value, mappingVersion: mappingVersion ?? 0 };
    if (differences(present, definition).length === 0) continue;
    const message = `the applied rule set says otherwise of this pattern in ${present.ruleFile}: change it there`;
    faults.push(faultOf(defined, 'keyPattern', message));
  }
  return faults;
}

/**
 * Foreign keys of the folder's definitions to files that neither it nor the database has, once its mappings are stored. Of a
 * mapping the versions count that active files are judged by; of one that none is, the last.
 */
async function faultsOfReferences(
  database: Transaction,
  folder: RuleSet,
): Promise<readonly RuleFault[]> {
  const places = new Set(folder.monitoringFiles.map(({ value }) => placeOf(value)));
  const others = (await listMonitoringFiles(database))
    .filter((file) => file.retiredAt === null && !places.has(placeOf(file)))
    .map(stored);
  const monitoringFiles = [...folder.monitoringFiles, ...others];
  const active = monitoringFiles.filter(({ value }) => value.active);
  const versions = (await listMappings(database)).filter(({ retiredAt }) => retiredAt === null);
  const mappings = versions
    .filter(({ name, version }) => {
      const used = active.filter(({ value }) => value.mappingName === name);
      const last = Math.max(...versions.filter((one) => one.name === name).map((v) => v.version));
      return used.length === 0
        ? version === last
        : used.some(({ value }) => value.mappingVersion === version);
    })
    .map((mapping) => {
      const isSame = ({ value }: RuleSet['mappings'][number]) =>
        value.name === mapping.name && value.version === mapping.version;
      return folder.mappings.find(isSame) ?? stored(mapping);
    });
  return missingReferences({ mappings, monitoringFiles }).filter(({ file }) => file !== '');
}

/** A definition that is in no file. */
function stored<T>(value: T): Defined<T> {
  return { file: '', value, placeOf: () => undefined };
}
