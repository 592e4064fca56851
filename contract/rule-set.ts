/** The object of a prefix that holds a rule set, written last: without it, or with another content, nothing is applied. */
export const RULES_MANIFEST = 'rules-manifest.json';

/** What {@link RULES_MANIFEST} holds. */
export interface RulesManifest {
  /** Of this form. */
  readonly version: 1;
  /** SHA-256 in hexadecimal of each file of the rule set, by its path below the prefix. */
  readonly files: Readonly<Record<string, string>>;
}

/** Files that a rule set may have: far above what one database of monitored files has. */
export const MAX_RULE_FILES = 20_000;

/** Bytes that one of its files may have. */
export const MAX_RULE_FILE_BYTES = 1024 * 1024;

/** The folders of a rule set. */
export const RULE_FOLDERS = {
  mappings: 'mappings',
  monitoringFiles: 'monitoring_files',
  holidays: 'holidays',
} as const;

/** Whether a path below a rule set's folder is one of its files; no other is read, pushed or in its digest. */
export function isRuleFile(path: string): boolean {
  const segments = path.split('/');
  return (
    segments.length > 1 &&
    Object.values(RULE_FOLDERS).some((folder) => folder === segments[0]) &&
    segments.every((segment) => segment !== '' && !segment.startsWith('.')) &&
    /\.(json|ya?ml)$/.test(path)
  );
}

/** Bytes of keys and values that a rule set in a ConfigMap may have: the API stores no object of more than 1 MiB. */
export const MAX_CONFIG_MAP_BYTES = 900_000;

/** Stands for the slash, which no key of a ConfigMap may have; no file of a rule set begins with a dot. */
const SLASH = '..';

/**
 * The key of a ConfigMap that holds a file of a rule set, such as `mappings..nm..officers.yaml`: a mounted key is one file,
 * and what would make a folder of it (`items` of the volume) would restart the pods for each new file.
 *
 * @returns undefined for a path that has none: letters, digits, `.`, `-` and `_` are allowed in it, with no dot at the end of a
 *   folder and no two in a row, and 253 characters as a key
 */
export function configMapKey(path: string): string | undefined {
  const isWritable = /^(?:[\w-]+(?:\.[\w-]+)*\/)+[\w-]+(?:\.[\w-]+)*$/.test(path);
  const key = path.replaceAll('/', SLASH);
  return isWritable && isRuleFile(path) && key.length <= 253 ? key : undefined;
}

/** The path of a file of a rule set by its {@link configMapKey}. @returns undefined for any other name */
export function pathOfConfigMapKey(key: string): string | undefined {
  const path = key.replaceAll(SLASH, '/');
  return configMapKey(path) === key ? path : undefined;
}

/** Reads a manifest. @returns undefined for anything else */
export function readRulesManifest(text: string): RulesManifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { version, files } = (value ?? {}) as Partial<Record<keyof RulesManifest, unknown>>;
  if (version !== 1 || typeof files !== 'object' || files === null) return undefined;
  const entries = Object.entries(files);
  const isWhole = entries.every(
    ([path, digest]) => isRuleFile(path) && /^[0-9a-f]{64}$/.test(String(digest)),
  );
  if (!isWhole || entries.length > MAX_RULE_FILES) return undefined;
  return { version, files: files as RulesManifest['files'] };
}

/** Where a listener's rules are: a prefix of S3, or a folder. */
export type RulesLocation =
  | { readonly bucket: string; readonly prefix: string }
  | { readonly folder: string };

/** Reads `s3://bucket/prefix/` or an absolute folder. @returns undefined for anything else */
export function readRulesLocation(text: string): RulesLocation | undefined {
  if (/^\/[^\0]+$/.test(text)) return { folder: text };
  const [, bucket, prefix] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/((?:[\w.=+-]+\/)+)$/.exec(text) ?? [];
  return bucket === undefined || prefix === undefined ? undefined : { bucket, prefix };
}
