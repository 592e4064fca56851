import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@file-processing/contract/json-object.ts';
import { isMailAddress, MAIL_ADDRESS } from '@file-processing/contract/notices.ts';
import { areNear, type RoutingSettings, targetOf } from '@file-processing/contract/routing.ts';
import {
  isRuleFile,
  MAX_RULE_FILE_BYTES,
  MAX_RULE_FILES,
  pathOfConfigMapKey,
  RULE_FOLDERS,
} from '@file-processing/contract/rule-set.ts';
import {
  BUCKET_NAME,
  isBucketName,
  isKeyPrefix,
  KEY_PREFIX,
} from '@file-processing/contract/s3-object.ts';
import { unknownText } from '@file-processing/quality/descriptor-error.ts';
import { isKeyPattern } from '../database/key-pattern.ts';
import type { Mapping } from '../database/mappings.ts';
import {
  CLASSIFICATIONS,
  type Contact,
  type MonitoringFileDefinition,
  type OnVerdict,
  SEVERITIES,
} from '../database/monitoring-files.ts';
import {
  type HolidayCalendar,
  readCalendar,
  readSchedule,
  type Schedule,
} from '../schedule/schedule.ts';
import { type Place, parseRuleFile } from './rule-file.ts';

/** The rule set that comes with the repository. */
export const SEED_FOLDER = fileURLToPath(new URL('../../seed/', import.meta.url));

/** One thing that is wrong with a rule set. */
export interface RuleFault {
  /** Path below the folder; empty for the set as a whole. */
  readonly file: string;
  /** Where in the file's value, as `tableSchema.fields[2].type`; empty for the file as a whole. */
  readonly path: string;
  /** What was found and what is allowed. */
  readonly message: string;
  /** Where in the file's text. */
  readonly place?: Place;
}

/** A rule set that can't be used, with everything that is wrong with it. */
export class RuleSetError extends Error {
  override readonly name = 'RuleSetError';
  readonly code = 'RULES_INVALID';
  readonly faults: readonly RuleFault[];

  /**
   * @param source the folder or the address that it was read from
   * @param what it is @default a rule set
   */
  constructor(source: string, faults: readonly RuleFault[], what = 'the rule set in') {
    super(
      `${what} ${source} can't be used:\n${faults.map((fault) => `- ${faultLine(fault)}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** Such as `mappings/a.yaml:3:5: tableSchema.fields[0].type: is "strin"; ...`, as editors take it. */
export function faultLine({ file, path, message, place }: RuleFault): string {
  const where = place === undefined ? file : `${file}:${place.line}:${place.column}`;
  return [where, path, message].filter((part) => part !== '').join(': ');
}

/** A definition and the file that it came from. */
export interface Defined<T> {
  readonly file: string;
  readonly value: T;
  /** Where a path into the file is. */
  readonly placeOf: (path: string) => Place | undefined;
}

/** A mapping as its author writes it. */
export type RuleMapping = Omit<Mapping, 'version'> & {
  /** Undefined: it is derived from the content when the set is applied. */
  readonly version: number | undefined;
};

/** A monitored file as its author writes it. */
export type RuleMonitoringFile = Omit<MonitoringFileDefinition, 'mappingVersion'> & {
  /** Undefined: the one that the rule set has. */
  readonly mappingVersion: number | undefined;
};

/** Everything that a rule set defines. */
export interface RuleSet {
  readonly mappings: readonly Defined<RuleMapping>[];
  readonly monitoringFiles: readonly Defined<RuleMonitoringFile>[];
  /** Of all its files; see {@link digestOfFiles}. */
  readonly digest: string;
}

/** The texts of a rule set's files by their paths below its folder. */
export type RuleFiles = ReadonlyMap<string, string>;

/**
 * Checks what the database keeps as opaque JSON. The quality engine owns the meaning; its
 * `expectationProblems` fits.
 */
export type ExpectationCheck = (expectation: {
  readonly schema: unknown;
  readonly dialect: unknown;
  readonly thresholds: unknown;
  readonly rules?: unknown;
}) => readonly { readonly path: string; readonly message: string }[];

const { mappings: MAPPINGS, monitoringFiles: MONITORING_FILES, holidays: HOLIDAYS } = RULE_FOLDERS;

/** Where the files of a rule set are, in words. */
const LAYOUT = `${MAPPINGS}/, ${MONITORING_FILES}/ and ${HOLIDAYS}/, in any folders below, each file named .yaml, .yml or .json`;

/**
 * Reads a rule set from a folder; see {@link readRuleSet}.
 *
 * @throws {RuleSetError} with the faults of all files
 */
export async function readRuleFolder(folder: string, check: ExpectationCheck): Promise<RuleSet> {
  return readRuleSet(folder, await ruleFilesIn(folder), check);
}

/**
 * The rule files below a folder, or of a ConfigMap that is mounted there. Names that begin with a dot are passed over.
 *
 * @throws {RuleSetError} for a file that is too large or may not be read, too many of them, or what is no folder
 */
export async function ruleFilesIn(folder: string): Promise<RuleFiles> {
  for (let triesLeft = READS_OF_A_MOUNT; ; triesLeft -= 1) {
    const content = await mountedContent(folder).catch((error: unknown) => {
      throw faultOfFolder(folder, error);
    });
    try {
      return await filesBelow(content ?? folder, folder, content !== undefined);
    } catch (error) {
      // Kubernetes has put the next content in its place, and taken this one away.
      if (content === undefined || triesLeft === 1 || !isMissing(error)) {
        throw faultOfFolder(folder, error);
      }
    }
  }
}

/** The content of a mounted ConfigMap is replaced once a minute at most. */
const READS_OF_A_MOUNT = 3;

/**
 * The folder that holds all of a mounted ConfigMap as it is now: the links beside it lead there one by one, and a change may
 * come between any two of them. @returns undefined for a folder that is no such mount
 */
async function mountedContent(folder: string): Promise<string | undefined> {
  return await realpath(join(folder, '..data')).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

/** What no other try would read. */
function faultOfFolder(folder: string, error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  const fault = (message: string) => new RuleSetError(folder, [{ file: '', path: '', message }]);
  if (code === 'ENOTDIR') return fault('it is a file; a folder is needed');
  return code === 'EACCES' ? fault(`this process may not read ${path}`) : error;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** @param source what messages call it */
async function filesBelow(folder: string, source: string, isMounted: boolean): Promise<RuleFiles> {
  const files = new Map<string, string>();
  const faults: RuleFault[] = [];
  const read = async (path: string, name: string, size: number): Promise<void> => {
    if (size > MAX_RULE_FILE_BYTES) faults.push(tooLarge(path, size));
    else if (files.size === MAX_RULE_FILES) throw new RuleSetError(source, [TOO_MANY]);
    else files.set(path, await readFile(join(folder, name), 'utf8'));
  };
  const visit = async (path: string): Promise<void> => {
    const names = await readdir(join(folder, path)).catch((error: unknown) => {
      // A folder that is not there holds nothing.
      if (isMissing(error) && !isMounted) return [];
      throw error;
    });
    for (const name of names.filter((one) => !one.startsWith('.')).sort()) {
      const inside = path === '' ? name : `${path}/${name}`;
      const isKind = path !== '' || Object.values<string>(RULE_FOLDERS).includes(name);
      const key = isMounted && path === '' ? pathOfConfigMapKey(name) : undefined;
      if (!isKind && key === undefined) continue;
      // Not by the entry's own kind: it may be a link.
      const stats = await stat(join(folder, inside));
      if (stats.isDirectory()) await visit(inside);
      else if (key !== undefined || isRuleFile(inside)) {
        await read(key ?? inside, inside, stats.size);
      }
    }
  };
  await visit('');
  if (faults.length > 0) throw new RuleSetError(source, faults);
  return files;
}

/** The fault of a file that is too large. */
export function tooLarge(file: string, bytes: number): RuleFault {
  const message = `has ${bytes} bytes; at most ${MAX_RULE_FILE_BYTES} are allowed`;
  return { file, path: '', message };
}

const TOO_MANY: RuleFault = {
  file: '',
  path: '',
  message: `more than ${MAX_RULE_FILES} files are in it; put only ${LAYOUT}`,
};

/** SHA-256 in hexadecimal of a text as UTF-8. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The digest of a rule set: SHA-256 of the lines that `sha256sum` prints of its files, in the order of their paths.
 *
 * @param digests of the files, by their paths
 */
export function digestOfFiles(digests: ReadonlyMap<string, string>): string {
  const paths = [...digests.keys()].sort();
  return sha256Of(paths.map((path) => `${digests.get(path)}  ${path}\n`).join(''));
}

/**
 * Reads a rule set: `mappings/**`, `monitoring_files/**` and `holidays/**`, one definition a file, YAML or JSON.
 *
 * @param source what messages call it: a folder or an address
 * @param check what a Table Schema, dialect and thresholds have to be
 * @throws {RuleSetError} with the faults of all files
 */
export function readRuleSet(source: string, files: RuleFiles, check: ExpectationCheck): RuleSet {
  const faults: RuleFault[] = [];
  const mappings = readKind(files, MAPPINGS, faults, (value, fault) =>
    readMapping(value, check, fault),
  );
  const holidays = readKind(files, HOLIDAYS, faults, readCalendar);
  const calendars = new Map(holidays.map(({ value }) => [value.name, value]));
  const monitoringFiles = readKind(files, MONITORING_FILES, faults, (value, fault) =>
    readMonitoringFile(value, calendars, fault),
  );
  faults.push(
    ...repeated(mappings, ({ name, version }) =>
      version === undefined ? `mapping '${name}'` : `mapping '${name}' version ${version}`,
    ),
    ...repeated(
      monitoringFiles,
      ({ bucket, keyPattern }) => `pattern '${keyPattern}' in bucket '${bucket}'`,
    ),
    ...repeated(holidays, ({ name }) => `calendar '${name}'`),
    ...mixedVersions(mappings),
    ...mixedSets(monitoringFiles),
  );
  if (mappings.length + monitoringFiles.length + faults.length === 0) {
    const message = `nothing to load; definitions are expected in ${LAYOUT}`;
    faults.push({ file: '', path: '', message });
  }
  if (faults.length > 0) throw new RuleSetError(source, faults);
  const digests = new Map([...files].map(([path, text]) => [path, sha256Of(text)]));
  return { mappings, monitoringFiles, digest: digestOfFiles(digests) };
}

/**
 * Monitored files whose mapping is not in the same rule set. `rules` refuses them, `seed` looks into the database
 * as well.
 */
export function missingMappings({ mappings, monitoringFiles }: RuleSet): readonly RuleFault[] {
  return monitoringFiles.flatMap((defined): RuleFault[] => {
    const { mappingName: name, mappingVersion: version } = defined.value;
    const versions = mappings.filter(({ value }) => value.name === name).map(({ value }) => value);
    if (versions.some((mapping) => version === undefined || mapping.version === version)) return [];
    const known = [...new Set(mappings.map(({ value }) => value.name))].sort().join(', ') || 'none';
    const message =
      versions.length === 0
        ? `there is no mapping '${name}' in the rule set; there are: ${known}`
        : versions.some((mapping) => mapping.version === undefined)
          ? `names version ${version}, but the mapping '${name}' has no version in the rule set: leave it out here too`
          : `there is no mapping '${name}' version ${version} in the rule set; versions: ${versions.map((mapping) => mapping.version).join(', ')}`;
    return [faultOf(defined, 'mapping', message)];
  });
}

/** A foreign key of another file, as a schema that was checked has it. */
interface OtherFileKey {
  readonly fields: string | readonly string[];
  readonly reference: { readonly fields: string | readonly string[]; readonly resource: string };
}

/**
 * Foreign keys of files that the same rule set does not have, or not just once for a client, or that have no such fields.
 * `rules` refuses them, and `seed` those that the database does not have either.
 */
export function missingReferences({
  mappings,
  monitoringFiles,
}: Pick<RuleSet, 'mappings' | 'monitoringFiles'>): readonly RuleFault[] {
  const active = monitoringFiles.filter(({ value }) => value.active);
  return mappings.flatMap((mapping): RuleFault[] => {
    const { foreignKeys = [] } = mapping.value.tableSchema as { foreignKeys?: OtherFileKey[] };
    const users = active.filter(({ value }) => value.mappingName === mapping.value.name);
    return foreignKeys.flatMap((key, index): RuleFault[] => {
      const { resource = '', fields } = key.reference;
      if (resource === '') return [];
      const place = `tableSchema.foreignKeys[${index}].reference`;
      const targets = mappings.filter(({ value }) => value.name === resource);
      if (targets.length === 0) {
        const known = [...new Set(mappings.map(({ value }) => value.name))].sort().join(', ');
        const message = `is '${resource}', and there is no mapping of that name; there are: ${known}`;
        return [faultOf(mapping, `${place}.resource`, message)];
      }
      const problem = targets
        .map(({ value }) => otherFieldsProblem(mapping.value, key, value))
        .find((one) => one !== undefined);
      if (problem !== undefined) return [faultOf(mapping, `${place}.fields`, problem)];
      return users.flatMap((user): RuleFault[] => {
        const { client } = user.value;
        const files = active.filter(
          ({ value }) => value.client === client && value.mappingName === resource,
        );
        if (files.length === 1) return [];
        const found =
          files.length === 0
            ? 'no active file of the same client has'
            : `${files.length} active files of the same client have`;
        const message = `has foreign keys of '${resource}' (${listOf(fields).join(', ')}), and ${found} that mapping; one is needed`;
        return [faultOf(user, 'mapping', message)];
      });
    });
  });
}

function listOf(fields: string | readonly string[]): readonly string[] {
  return typeof fields === 'string' ? [fields] : fields;
}

/** Why fields of another mapping can't be compared with those of a foreign key. */
function otherFieldsProblem(
  own: RuleMapping,
  { fields, reference }: OtherFileKey,
  other: RuleMapping,
): string | undefined {
  const typesOf = ({ tableSchema }: RuleMapping) => {
    const schema = tableSchema as unknown as { fields: { name: string; type?: string }[] };
    return new Map(schema.fields.map(({ name, type = 'any' }) => [name, type]));
  };
  const [ownTypes, otherTypes] = [typesOf(own), typesOf(other)];
  const compared = (type: string | undefined) => (type === 'any' ? 'string' : type);
  for (const [part, name] of listOf(reference.fields).entries()) {
    const type = otherTypes.get(name);
    if (type === undefined) {
      return `names '${name}', which is not a field of the mapping '${other.name}'; fields: ${[...otherTypes.keys()].join(', ')}`;
    }
    const field = listOf(fields)[part] ?? '';
    const ownType = ownTypes.get(field);
    if (compared(type) !== compared(ownType)) {
      return `names '${name}' of type ${type}, and '${field}' is of type ${ownType}; one type is needed`;
    }
  }
  return undefined;
}

/** What monitored files ask for that the settings of the stack don't allow. */
export function refusedRouting(
  { monitoringFiles }: Pick<RuleSet, 'monitoringFiles'>,
  allowed: RoutingSettings,
): readonly RuleFault[] {
  return monitoringFiles.flatMap((defined): RuleFault[] => {
    const { bucket: own, onVerdict } = defined.value;
    const { tag, copy } = onVerdict ?? {};
    const faults: RuleFault[] = [];
    if (tag && !allowed.tags) {
      const message =
        'is true; tags are not allowed here (ROUTING_TAGS, routing_tags of the stack)';
      faults.push(faultOf(defined, 'onVerdict.tag', message));
    }
    if (copy && targetOf(allowed, { bucket: own, ...copy }) === undefined) {
      const places = allowed.targets.map(({ bucket, prefix }) => `${bucket}/${prefix}`).join(', ');
      const message = `is ${copy.bucket ?? own}/${copy.prefix}; allowed (ROUTING_TARGETS, routing_targets of the stack): ${places || 'no place'}`;
      faults.push(faultOf(defined, 'onVerdict.copy', message));
    }
    return faults;
  });
}

/** A fault of a definition, with its place. */
export function faultOf(
  { file, placeOf }: Omit<Defined<unknown>, 'value'>,
  path: string,
  message: string,
): RuleFault {
  const place = placeOf(path);
  return { file, path, message, ...(place === undefined ? {} : { place }) };
}

type ReportFault = (path: string, message: string) => void;

function readKind<T>(
  files: RuleFiles,
  kind: string,
  faults: RuleFault[],
  read: (value: Readonly<Record<string, unknown>>, fault: ReportFault) => T | undefined,
): Defined<T>[] {
  const defined: Defined<T>[] = [];
  const paths = [...files.keys()].filter((path) => path.startsWith(`${kind}/`)).sort();
  for (const file of paths) {
    const parsed = parseRuleFile(file, files.get(file) ?? '');
    if (!('value' in parsed)) {
      faults.push(...parsed.map((fault) => ({ file, path: '', ...fault })));
      continue;
    }
    const { placeOf } = parsed;
    const fault: ReportFault = (path, message) =>
      faults.push(faultOf({ file, placeOf }, path, message));
    const value = read(parsed.value, fault);
    if (value !== undefined) defined.push({ file, value, placeOf });
  }
  return defined;
}

function readMapping(
  value: Readonly<Record<string, unknown>>,
  checkExpectation: ExpectationCheck,
  fault: ReportFault,
): RuleMapping | undefined {
  const allowed = ['name', 'version', 'tableSchema', 'dialect', 'thresholds', 'rules'];
  const check = checksReporting(fault);
  check.onlyNames(value, '', allowed);
  const name = check.text(value.name, 'name', /^[a-z][a-z0-9_]{0,62}$/, MAPPING_NAME);
  const version = check.version(value.version, 'version');
  if (!isObject(value.tableSchema)) check.fault('tableSchema', 'is not an object');
  const { tableSchema, dialect = {}, thresholds = {}, rules } = value;
  if (!isObject(dialect)) check.fault('dialect', 'is not an object');
  if (!isObject(thresholds)) check.fault('thresholds', 'is not an object');
  if (!isObject(tableSchema) || !isObject(dialect) || !isObject(thresholds)) return undefined;
  const parts = { dialect, thresholds, ...(rules === undefined ? {} : { rules }) };
  for (const { path, message } of checkExpectation({ schema: tableSchema, ...parts })) {
    check.fault(path.replace(/^schema\b/, 'tableSchema'), message);
  }
  if (!check.ok() || name === undefined) return undefined;
  const listed = Array.isArray(rules) ? { rules } : {};
  return { name, version, tableSchema, dialect, thresholds, ...listed };
}

const MAPPING_NAME = 'a lower-case identifier of at most 63 characters';

const FILE_PROPERTIES = [
  'client',
  'bucket',
  'keyPattern',
  'mapping',
  'active',
  'description',
  'contact',
  'schedule',
  'severity',
  'classification',
  'onVerdict',
];

function readMonitoringFile(
  value: Readonly<Record<string, unknown>>,
  calendars: ReadonlyMap<string, HolidayCalendar>,
  fault: ReportFault,
): RuleMonitoringFile | undefined {
  const check = checksReporting(fault);
  check.onlyNames(value, '', FILE_PROPERTIES);
  const client = check.text(value.client, 'client', /\S/, 'a name');
  const bucket = check.text(value.bucket, 'bucket', isBucketName, BUCKET_NAME);
  const keyPattern = check.text(
    value.keyPattern,
    'keyPattern',
    isKeyPattern,
    "a key of at most 1024 bytes, with '**' only as a whole segment",
  );
  const { active = true, description = '' } = value;
  const { name, version } = readReference(value.mapping, check);
  if (typeof active !== 'boolean') check.fault('active', 'is neither true nor false');
  if (typeof description !== 'string') check.fault('description', 'is not a string');
  const contact = readContact(value.contact, check);
  const schedule = scheduleOf(value.schedule, calendars, check);
  const severity = check.oneOf(value.severity, 'severity', SEVERITIES);
  const classification = check.oneOf(value.classification, 'classification', CLASSIFICATIONS);
  const onVerdict = readOnVerdict(value.onVerdict, { bucket, keyPattern }, check);

  if (!check.ok() || typeof active !== 'boolean' || typeof description !== 'string') {
    return undefined;
  }
  if (!client || !bucket || !keyPattern || !name) return undefined;
  return {
    ...{ client, bucket, keyPattern, mappingName: name, mappingVersion: version },
    ...{ active, description, contact, schedule },
    severity: severity ?? null,
    classification: classification ?? null,
    onVerdict,
  };
}

/** The name alone stands for the version that the rule set has. */
function readReference(
  mapping: unknown,
  check: Checks,
): { readonly name?: string | undefined; readonly version?: number | undefined } {
  const allowed = 'the name of a mapping';
  if (typeof mapping === 'string') return { name: check.text(mapping, 'mapping', /\S/, allowed) };
  if (!isObject(mapping)) {
    check.fault('mapping', "is neither a name nor an object with 'name' and 'version'");
    return {};
  }
  check.onlyNames(mapping, 'mapping.', ['name', 'version']);
  return {
    name: check.text(mapping.name, 'mapping.name', /\S/, allowed),
    version: check.version(mapping.version, 'mapping.version'),
  };
}

function readContact(value: unknown, check: Checks): Contact | null {
  if (value === undefined) return null;
  if (!isObject(value) || Object.keys(value).length === 0) {
    check.fault('contact', "is not an object with 'name' or 'email'");
    return null;
  }
  check.onlyNames(value, 'contact.', ['name', 'email']);
  const { name, email } = value;
  if (name !== undefined) check.text(name, 'contact.name', /\S/, 'a name');
  // The address itself is shown nowhere: it is a person's.
  if (email !== undefined && !(typeof email === 'string' && isMailAddress(email))) {
    check.fault('contact.email', `is not ${MAIL_ADDRESS}`);
  }
  return value as Contact;
}

function scheduleOf(
  value: unknown,
  calendars: ReadonlyMap<string, HolidayCalendar>,
  check: Checks,
): Schedule | null {
  if (value === undefined) return null;
  if (isObject(value)) {
    return readSchedule(value, calendars, (path, message) =>
      check.fault(path === '' ? 'schedule' : `schedule.${path}`, message),
    );
  }
  check.fault('schedule', "is not an object with 'cron' or 'every'");
  return null;
}

function readOnVerdict(
  value: unknown,
  own: { readonly bucket: string | undefined; readonly keyPattern: string | undefined },
  check: Checks,
): OnVerdict | null {
  if (value === undefined) return null;
  if (!isObject(value)) {
    check.fault('onVerdict', "is not an object with 'tag' or 'copy'");
    return null;
  }
  check.onlyNames(value, 'onVerdict.', ['tag', 'copy']);
  const { tag = false, copy } = value;
  if (typeof tag !== 'boolean') check.fault('onVerdict.tag', 'is neither true nor false');
  if (copy === undefined) return tag === true ? { tag } : null;
  if (!isObject(copy)) {
    check.fault('onVerdict.copy', "is not an object with 'prefix'");
    return null;
  }
  check.onlyNames(copy, 'onVerdict.copy.', ['bucket', 'prefix']);
  const bucket =
    copy.bucket === undefined
      ? own.bucket
      : check.text(copy.bucket, 'onVerdict.copy.bucket', isBucketName, BUCKET_NAME);
  const prefix = check.text(copy.prefix, 'onVerdict.copy.prefix', isKeyPrefix, KEY_PREFIX);
  if (bucket === undefined || prefix === undefined) return null;
  const watched = plainFolderOf(own.keyPattern ?? '');
  if (
    own.bucket === bucket &&
    watched !== '' &&
    areNear({ bucket, prefix }, { bucket, prefix: watched })
  ) {
    check.fault(
      'onVerdict.copy.prefix',
      `is ${JSON.stringify(prefix)}; allowed: a prefix outside of the files' own, ${watched}`,
    );
  }
  return {
    ...(tag === true ? { tag } : {}),
    copy: { ...(copy.bucket === undefined ? {} : { bucket }), prefix },
  };
}

/** The folder of all keys that a pattern fits, with a slash at its end; empty where there is none. */
function plainFolderOf(keyPattern: string): string {
  const [plain = ''] = /^[^*?]*/.exec(keyPattern) ?? [];
  return plain.slice(0, plain.lastIndexOf('/') + 1);
}

interface Checks {
  ok(): boolean;
  fault(path: string, message: string): void;
  onlyNames(value: object, prefix: string, allowed: readonly string[]): void;
  text(
    value: unknown,
    path: string,
    pattern: RegExp | ((text: string) => boolean),
    allowed: string,
  ): string | undefined;
  /** Undefined where it is left out. */
  version(value: unknown, path: string): number | undefined;
  /** Undefined where it is left out. */
  oneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): T | undefined;
}

/** Checks that report what they find and remember that they did. */
function checksReporting(report: ReportFault): Checks {
  let ok = true;
  const fault = (path: string, message: string) => {
    ok = false;
    report(path, message);
  };
  const shown = (value: unknown) => JSON.stringify(value) ?? 'missing';
  return {
    ok: () => ok,
    fault,
    onlyNames(value, prefix, allowed) {
      for (const name of Object.keys(value).filter((name) => !allowed.includes(name))) {
        fault(`${prefix}${name}`, unknownText(name, allowed));
      }
    },
    text(value, path, pattern, allowed) {
      const fits = typeof pattern === 'function' ? pattern : (text: string) => pattern.test(text);
      if (typeof value === 'string' && fits(value)) return value;
      fault(path, `is ${shown(value)}; allowed: ${allowed}`);
      return undefined;
    },
    version(value, path) {
      if (value === undefined) return undefined;
      if (Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= MAX_VERSION) {
        return Number(value);
      }
      fault(path, `is ${shown(value)}; allowed: a whole number from 1 to ${MAX_VERSION}`);
      return undefined;
    },
    oneOf(value, path, allowed) {
      if (value === undefined) return undefined;
      const found = allowed.find((one) => one === value);
      if (found === undefined) fault(path, `is ${shown(value)}; allowed: ${allowed.join(', ')}`);
      return found;
    },
  };
}

/** Of PostgreSQL's integer, with room to raise it. */
const MAX_VERSION = 1_000_000_000;

function repeated<T>(
  definitions: readonly Defined<T>[],
  nameOf: (value: T) => string,
): RuleFault[] {
  const firstFile = new Map<string, string>();
  const faults: RuleFault[] = [];
  for (const defined of definitions) {
    const { file, value } = defined;
    const name = nameOf(value);
    const first = firstFile.get(name);
    if (first === undefined) firstFile.set(name, file);
    else faults.push(faultOf(defined, '', `${name} is defined by ${first} already`));
  }
  return faults;
}

/** Which number a derived version gets would hang on what the author numbers next. */
function mixedVersions(mappings: readonly Defined<RuleMapping>[]): RuleFault[] {
  return mappings
    .filter(({ value }) => value.version === undefined)
    .flatMap((defined): RuleFault[] => {
      const { name } = defined.value;
      const numbered = mappings.find(
        ({ value }) => value.name === name && value.version !== undefined,
      );
      if (numbered === undefined) return [];
      const message = `has no version, but ${numbered.file} gives mapping '${name}' one: all or none of a mapping's files have a version`;
      return [faultOf(defined, '', message)];
    });
}

/** A set is due as a whole: files of a client that name the same one have the same schedule. */
function mixedSets(files: readonly Defined<RuleMonitoringFile>[]): RuleFault[] {
  const first = new Map<string, Defined<RuleMonitoringFile>>();
  return files.flatMap((defined): RuleFault[] => {
    const { client, schedule } = defined.value;
    if (!schedule?.set) return [];
    const name = JSON.stringify([client, schedule.set]);
    const other = first.get(name);
    if (other === undefined) first.set(name, defined);
    if (other === undefined || isDeepStrictEqual(other.value.schedule, schedule)) return [];
    const message = `differs from that of ${other.file}: the files of set '${schedule.set}' have one schedule`;
    return [faultOf(defined, 'schedule', message)];
  });
}
