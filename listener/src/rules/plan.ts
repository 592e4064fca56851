import { isObject } from '@file-processing/contract/json-object.ts';
import { NO_ROUTING, type RoutingSettings } from '@file-processing/contract/routing.ts';
import { toJsonb } from '../database/column-values.ts';
import { MAPPING_PARTS, type Mapping, type StoredMapping } from '../database/mappings.ts';
import type { MonitoringFile, MonitoringFileDefinition } from '../database/monitoring-files.ts';
import {
  type Defined,
  faultOf,
  missingMappings,
  missingReferences,
  type RuleFault,
  type RuleMapping,
  type RuleMonitoringFile,
  type RuleSet,
  refusedRouting,
  sha256Of,
} from './rule-set.ts';

/** The rules that a database has. */
export interface StoredRules {
  readonly mappings: readonly StoredMapping[];
  readonly monitoringFiles: readonly MonitoringFile[];
}

/**
 * What happens to a definition: `adopted` is one that was made by hand and is word for word what the rule set says,
 * `restored` one that had left it.
 */
export type RuleChangeKind = 'created' | 'changed' | 'adopted' | 'restored' | 'moved' | 'retired';

/** One thing that applying a rule set changes. */
export interface RuleChange {
  readonly kind: RuleChangeKind;
  readonly subject: 'mapping' | 'monitored file';
  /** `officer_detail 2`, or bucket and pattern. */
  readonly name: string;
  /** Null for what has none any more. */
  readonly file: string | null;
  /** What is different, a part each; empty where the kind says it all. */
  readonly details: readonly string[];
}

/** A row that no rule set made, and that is left as it is. */
export interface LeftAlone {
  readonly name: string;
  /** The file of the rule set that defines the same pattern and does not count; undefined where none does. */
  readonly winsOver?: string;
}

/** A mapping or monitored file with the file that it is from. */
export type FromFile<T> = T & { readonly ruleFile: string };

/** What applying a rule set does; nothing of it where there are faults. */
export interface RulePlan {
  readonly changes: readonly RuleChange[];
  /** By hand, in the order of the database. */
  readonly leftAlone: readonly LeftAlone[];
  readonly faults: readonly RuleFault[];
  /** Versions that the database does not have. */
  readonly newMappings: readonly FromFile<Mapping>[];
  /** Versions that it has with the same content, and that are the rule set's from now on. */
  readonly claimedMappings: readonly FromFile<Pick<Mapping, 'name' | 'version'>>[];
  readonly retiredMappings: readonly Pick<Mapping, 'name' | 'version'>[];
  /** Monitored files to be made or brought up to date. */
  readonly files: readonly FromFile<MonitoringFileDefinition>[];
  /** Ids of those that left the rule set. */
  readonly retiredFiles: readonly number[];
}

/**
 * Works out what applying a rule set to a database changes.
 *
 * @param routing what the settings allow of it
 */
export function planRules(
  stored: StoredRules,
  rules: RuleSet,
  routing: RoutingSettings = NO_ROUTING,
): RulePlan {
  const { versions, ...mappings } = planMappings(stored.mappings, rules.mappings);
  const files = planFiles(stored.monitoringFiles, rules.monitoringFiles, versions);
  return {
    ...mappings,
    ...files,
    changes: [...mappings.changes, ...files.changes],
    faults: [
      ...mappings.faults,
      ...missingMappings(rules),
      ...missingReferences(rules),
      ...refusedRouting(rules, routing),
    ],
  };
}

/** Of the content of a mapping, whatever the order of its properties. */
export function contentDigest(mapping: Pick<Mapping, keyof typeof MAPPING_PARTS>): string {
  const parts = Object.keys(MAPPING_PARTS) as (keyof typeof MAPPING_PARTS)[];
  return sha256Of(
    canonical(Object.fromEntries(parts.map((part) => [part, mapping[part] ?? null]))),
  );
}

/** JSON as the database keeps it, with the properties of each object in the order of their names. */
function canonical(value: unknown): string {
  return JSON.stringify(JSON.parse(toJsonb(value ?? null)), (_key, item: unknown) =>
    isObject(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** The version that each definition of a mapping stands for. */
type Versions = ReadonlyMap<RuleMapping, number>;

function planMappings(
  stored: readonly StoredMapping[],
  defined: RuleSet['mappings'],
): Pick<RulePlan, 'changes' | 'faults' | 'newMappings' | 'claimedMappings' | 'retiredMappings'> & {
  /** By name: the highest version that the set has, and all of them. */
  readonly versions: ReadonlyMap<string, readonly number[]>;
} {
  const byName = Map.groupBy(stored, ({ name }) => name);
  const changes: RuleChange[] = [];
  const faults: RuleFault[] = [];
  const newMappings: FromFile<Mapping>[] = [];
  const claimedMappings: FromFile<Pick<Mapping, 'name' | 'version'>>[] = [];
  const versions = new Map<RuleMapping, number>();

  for (const mapping of defined) {
    const { file, value } = mapping;
    const { name } = value;
    const present = byName.get(name) ?? [];
    const highest = Math.max(0, ...present.map(({ version }) => version));
    const digest = contentDigest(value);
    const same =
      value.version === undefined
        ? present.findLast((one) => contentDigest(one) === digest)
        : present.find(({ version }) => version === value.version);
    const version = value.version ?? same?.version ?? highest + 1;
    versions.set(value, version);
    const change = (kind: RuleChangeKind, ...details: string[]) =>
      changes.push({ kind, subject: 'mapping', name: `${name} ${version}`, file, details });
    if (same === undefined) {
      newMappings.push({ ...value, version, ruleFile: file });
      if (value.version !== undefined) change('created');
      else change('created', `the content is new, so the version is ${version}`);
    } else if (contentDigest(same) !== digest) {
      const next = Math.max(highest, ...numbersOf(defined, name)) + 1;
      const message =
        `is ${version}, which the database has with another content; a version never changes: ` +
        `make it ${next}, or leave the version out of all files of this mapping`;
      faults.push(faultOf(mapping, 'version', message));
    } else if (same.ruleFile !== file || same.retiredAt !== null) {
      claimedMappings.push({ name, version, ruleFile: file });
      if (same.ruleFile === null) change('adopted');
      else if (same.retiredAt === null) change('moved', `from ${same.ruleFile}`);
      else if (value.version !== undefined) change('restored');
      else change('restored', `the content is that of version ${version}`);
    }
  }

  const kept = new Set([...versions].map(([{ name }, version]) => `${name} ${version}`));
  const retiredMappings = stored.filter(
    ({ name, version, ruleFile, retiredAt }) =>
      ruleFile !== null && retiredAt === null && !kept.has(`${name} ${version}`),
  );
  for (const { name, version } of retiredMappings) {
    const about = { subject: 'mapping', name: `${name} ${version}`, file: null } as const;
    changes.push({ kind: 'retired', ...about, details: [] });
  }
  return {
    ...{ changes, faults, newMappings, claimedMappings, retiredMappings },
    versions: versionsByName(versions),
  };
}

function versionsByName(versions: Versions): ReadonlyMap<string, readonly number[]> {
  const byName = new Map<string, number[]>();
  for (const [{ name }, version] of versions) {
    byName.set(name, [...(byName.get(name) ?? []), version]);
  }
  return byName;
}

function numbersOf(defined: readonly Defined<RuleMapping>[], name: string): number[] {
  return defined.flatMap(({ value }) =>
    value.name === name && value.version !== undefined ? [value.version] : [],
  );
}

function planFiles(
  stored: readonly MonitoringFile[],
  defined: RuleSet['monitoringFiles'],
  versions: ReadonlyMap<string, readonly number[]>,
): Pick<RulePlan, 'changes' | 'leftAlone' | 'files' | 'retiredFiles'> {
  const changes: RuleChange[] = [];
  const files: FromFile<MonitoringFileDefinition>[] = [];
  const byPattern = new Map(stored.map((file) => [placeOf(file), file]));
  const seen = new Map<string, string>();
  const leftAlone: LeftAlone[] = [];

  for (const { file, value } of defined) {
    const name = placeOf(value);
    seen.set(name, file);
    const definition = withVersion(value, versions);
    const present = byPattern.get(name);
    const details = present === undefined ? [] : differences(present, definition);
    // What somebody made by hand and uses counts until that person says otherwise.
    if (present?.ruleFile === null && present.active && details.length > 0) continue;
    const kind = kindOf(present, details, file);
    if (kind === undefined) continue;
    files.push({ ...definition, ruleFile: file });
    changes.push({ kind, subject: 'monitored file', name, file, details });
  }

  const retired = stored.filter(
    (one) => one.ruleFile !== null && one.retiredAt === null && !seen.has(placeOf(one)),
  );
  for (const one of retired) {
    const about = { subject: 'monitored file', name: placeOf(one), file: null } as const;
    changes.push({ kind: 'retired', ...about, details: [] });
  }
  const taken = new Set(files.map(placeOf));
  for (const one of stored) {
    if (one.ruleFile !== null || one.retiredAt !== null || taken.has(placeOf(one))) continue;
    const winsOver = seen.get(placeOf(one));
    leftAlone.push({ name: placeOf(one), ...(winsOver === undefined ? {} : { winsOver }) });
  }
  return { changes, leftAlone, files, retiredFiles: retired.map(({ id }) => id) };
}

/** Undefined where nothing is to be done. */
function kindOf(
  present: MonitoringFile | undefined,
  details: readonly string[],
  file: string,
): RuleChangeKind | undefined {
  if (present === undefined) return 'created';
  if (present.retiredAt !== null) return 'restored';
  if (present.ruleFile === null) return details.length === 0 ? 'adopted' : 'changed';
  if (details.length > 0) return 'changed';
  return present.ruleFile === file ? undefined : 'moved';
}

function withVersion(
  { mappingVersion, ...value }: RuleMonitoringFile,
  versions: ReadonlyMap<string, readonly number[]>,
): MonitoringFileDefinition {
  const own = versions.get(value.mappingName) ?? [];
  return { ...value, mappingVersion: mappingVersion ?? Math.max(0, ...own) };
}

/** As people and messages name a monitored file. */
export function placeOf({
  bucket,
  keyPattern,
}: Pick<MonitoringFile, 'bucket' | 'keyPattern'>): string {
  return `${bucket}/${keyPattern}`;
}

const COMPARED = [
  'client',
  'active',
  'description',
  'contact',
  'schedule',
  'severity',
  'classification',
  'onVerdict',
] as const;

/** Of those, the ones whose values a message shows. */
const SHOWN: readonly string[] = ['client', 'active', 'severity', 'classification'];

/** What a definition says otherwise than the database, a part each; of a person only that it differs. */
export function differences(present: MonitoringFile, wanted: MonitoringFileDefinition): string[] {
  const details: string[] = [];
  const [before, after] = [present, wanted].map(
    ({ mappingName, mappingVersion }) => `${mappingName} ${mappingVersion}`,
  );
  if (before !== after) details.push(`mapping ${before} -> ${after}`);
  for (const name of COMPARED) {
    const [old, now] = [present[name] ?? null, wanted[name] ?? null];
    if (canonical(old) === canonical(now)) continue;
    details.push(SHOWN.includes(name) ? `${name} ${old ?? 'none'} -> ${now ?? 'none'}` : name);
  }
  return details;
}
