import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isKeyPattern } from './key-pattern.ts';
import type { Mapping } from './mappings.ts';
import type { MonitoringFileDefinition } from './monitoring-files.ts';

/** The definitions that come with the repository. */
export const SEED_FOLDER = fileURLToPath(new URL('../../seed/', import.meta.url));

/** One thing that is wrong with a folder of definitions. */
export interface SeedFault {
  /** Path below the folder. */
  readonly file: string;
  /** Where in the file, as a path into its JSON; empty for the file as a whole. */
  readonly path: string;
  /** What was found and what is allowed. */
  readonly message: string;
}

/** Definitions that can't be loaded, with everything that is wrong with them. */
export class SeedError extends Error {
  override readonly name = 'SeedError';
  readonly code = 'SEED_INVALID';
  readonly faults: readonly SeedFault[];

  constructor(folder: string, faults: readonly SeedFault[]) {
    const lines = faults.map(({ file, path, message }) =>
      [file, path, message].filter((part) => part !== '').join(': '),
    );
    super(
      `the definitions in ${folder} can't be loaded:\n${lines.map((l) => `- ${l}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** A definition and the file it came from. */
export interface Defined<T> {
  readonly file: string;
  readonly value: T;
}

/** Everything that a folder defines. */
export interface Definitions {
  readonly mappings: readonly Defined<Mapping>[];
  readonly monitoringFiles: readonly Defined<MonitoringFileDefinition>[];
}

/**
 * Checks what the database keeps as opaque JSON. The quality checks own the meaning; their
 * `expectationProblems` fits.
 */
export type ExpectationCheck = (expectation: {
  readonly schema: unknown;
  readonly dialect: unknown;
  readonly thresholds: unknown;
}) => readonly { readonly path: string; readonly message: string }[];

const MAPPINGS = 'mappings';
const MONITORING_FILES = 'monitoring_files';

/**
 * Reads `mappings/*.json` and `monitoring_files/*.json` below a folder, one definition a file.
 *
 * @throws {SeedError} with the faults of all files
 */
export async function readDefinitions(
  folder: string,
  checkExpectation: ExpectationCheck,
): Promise<Definitions> {
  const faults: SeedFault[] = [];
  const mappings = await readFolder(folder, MAPPINGS, faults, (value, fault) =>
    readMapping(value, checkExpectation, fault),
  );
  const monitoringFiles = await readFolder(folder, MONITORING_FILES, faults, readMonitoringFile);
  faults.push(
    ...repeated(mappings, ({ name, version }) => `mapping '${name}' version ${version}`),
    ...repeated(
      monitoringFiles,
      ({ bucket, keyPattern }) => `pattern '${keyPattern}' in bucket '${bucket}'`,
    ),
  );
  if (mappings.length + monitoringFiles.length + faults.length === 0) {
    faults.push({
      file: '',
      path: '',
      message: `nothing to load; definitions are expected in ${MAPPINGS}/*.json and ${MONITORING_FILES}/*.json`,
    });
  }
  if (faults.length > 0) throw new SeedError(folder, faults);
  return { mappings, monitoringFiles };
}

type ReportFault = (path: string, message: string) => void;

async function readFolder<T>(
  folder: string,
  kind: string,
  faults: SeedFault[],
  read: (value: Record<string, unknown>, fault: ReportFault) => T | undefined,
): Promise<Defined<T>[]> {
  const names = await readdir(join(folder, kind)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const defined: Defined<T>[] = [];
  for (const name of names.filter((name) => name.endsWith('.json')).sort()) {
    const file = `${kind}/${name}`;
    const fault: ReportFault = (path, message) => faults.push({ file, path, message });
    const parsed = parse(await readFile(join(folder, file), 'utf8'), fault);
    const value = parsed === undefined ? undefined : read(parsed, fault);
    if (value !== undefined) defined.push({ file, value });
  }
  return defined;
}

/** The text of a JSON file, which editors for Windows begin with a byte order mark, without it. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function parse(text: string, fault: ReportFault): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(withoutByteOrderMark(text));
  } catch (error) {
    fault('', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  if (isObject(value)) return value;
  fault('', 'is not a JSON object');
  return undefined;
}

function readMapping(
  value: Record<string, unknown>,
  checkExpectation: ExpectationCheck,
  fault: ReportFault,
): Mapping | undefined {
  const allowed = ['name', 'version', 'tableSchema', 'dialect', 'thresholds'];
  const check = checksReporting(fault);
  check.onlyNames(value, '', allowed);
  const name = check.text(value.name, 'name', /^[a-z][a-z0-9_]{0,62}$/, MAPPING_NAME);
  const version = check.version(value.version, 'version');
  if (!isObject(value.tableSchema)) check.fault('tableSchema', 'is not an object');
  const { tableSchema, dialect = {}, thresholds = {} } = value;
  if (!isObject(dialect)) check.fault('dialect', 'is not an object');
  if (!isObject(thresholds)) check.fault('thresholds', 'is not an object');
  if (!isObject(tableSchema) || !isObject(dialect) || !isObject(thresholds)) return undefined;
  for (const { path, message } of checkExpectation({ schema: tableSchema, dialect, thresholds })) {
    check.fault(path.replace(/^schema\b/, 'tableSchema'), message);
  }
  if (!check.ok() || name === undefined || version === undefined) return undefined;
  return { name, version, tableSchema, dialect, thresholds };
}

const MAPPING_NAME = 'a lower-case identifier of at most 63 characters';

function readMonitoringFile(
  value: Record<string, unknown>,
  fault: ReportFault,
): MonitoringFileDefinition | undefined {
  const allowed = ['client', 'bucket', 'keyPattern', 'mapping', 'active', 'description'];
  const check = checksReporting(fault);
  check.onlyNames(value, '', allowed);
  const client = check.text(value.client, 'client', /\S/, 'a name');
  const bucket = check.text(
    value.bucket,
    'bucket',
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'the name of an S3 bucket',
  );
  const keyPattern = check.text(
    value.keyPattern,
    'keyPattern',
    isKeyPattern,
    "a key of at most 1024 bytes, with '**' only as a whole segment",
  );
  const { mapping, active = true, description = '' } = value;
  if (!isObject(mapping)) check.fault('mapping', "is not an object with 'name' and 'version'");
  else check.onlyNames(mapping, 'mapping.', ['name', 'version']);
  const reference = isObject(mapping) ? mapping : {};
  const mappingName = check.text(reference.name, 'mapping.name', /\S/, 'the name of a mapping');
  const mappingVersion = check.version(reference.version, 'mapping.version');
  if (typeof active !== 'boolean') check.fault('active', 'is neither true nor false');
  if (typeof description !== 'string') check.fault('description', 'is not a string');

  if (!check.ok() || typeof active !== 'boolean' || typeof description !== 'string') {
    return undefined;
  }
  if (!client || !bucket || !keyPattern || !mappingName || !mappingVersion) return undefined;
  return { client, bucket, keyPattern, mappingName, mappingVersion, active, description };
}

interface Checks {
  ok(): boolean;
  fault(path: string, message: string): void;
  onlyNames(value: Record<string, unknown>, prefix: string, allowed: readonly string[]): void;
  text(
    value: unknown,
    path: string,
    pattern: RegExp | ((text: string) => boolean),
    allowed: string,
  ): string | undefined;
  version(value: unknown, path: string): number | undefined;
}

/** Checks that report what they find and remember that they did. */
function checksReporting(report: ReportFault): Checks {
  let ok = true;
  const fault = (path: string, message: string) => {
    ok = false;
    report(path, message);
  };
  return {
    ok: () => ok,
    fault,
    onlyNames(value, prefix, allowed) {
      for (const name of Object.keys(value).filter((name) => !allowed.includes(name))) {
        fault(`${prefix}${name}`, `is not known; known: ${allowed.join(', ')}`);
      }
    },
    text(value, path, pattern, allowed) {
      const fits = typeof pattern === 'function' ? pattern : (text: string) => pattern.test(text);
      if (typeof value === 'string' && fits(value)) return value;
      fault(path, `is ${JSON.stringify(value) ?? 'missing'}; allowed: ${allowed}`);
      return undefined;
    },
    version(value, path) {
      if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
      fault(path, `is ${JSON.stringify(value) ?? 'missing'}; allowed: a whole number from 1`);
      return undefined;
    },
  };
}

function repeated<T>(
  definitions: readonly Defined<T>[],
  nameOf: (value: T) => string,
): SeedFault[] {
  const firstFile = new Map<string, string>();
  const faults: SeedFault[] = [];
  for (const { file, value } of definitions) {
    const name = nameOf(value);
    const first = firstFile.get(name);
    if (first === undefined) firstFile.set(name, file);
    else faults.push({ file, path: '', message: `${name} is defined by ${first} already` });
  }
  return faults;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
