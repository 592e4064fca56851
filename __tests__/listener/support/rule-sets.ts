import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Database } from '../../../listener/src/database/connection.ts';
import {
  activeMonitoringFiles,
  type MonitoringFile,
  monitoringFileOf,
} from '../../../listener/src/database/monitoring-files.ts';
import { type RuleSet, readRuleSet } from '../../../listener/src/rules/rule-set.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Files of a rule set: what is not text is written as JSON, which YAML takes as well. */
export type RuleTexts = Readonly<Record<string, object | string>>;

/** A mapping of one whole number a row, without a version. */
export const OFFICERS = {
  name: 'officers',
  tableSchema: { fields: [{ name: 'n', type: 'integer' }] },
};

/** A monitored file that the mapping is for. */
export const OFFICERS_FILE = {
  client: 'nm',
  bucket: 'bucket',
  keyPattern: 'from_client/nm/**/officers.csv',
  mapping: 'officers',
};

/** A whole rule set of both. */
export const OFFICER_RULES = {
  'mappings/officers.yaml': OFFICERS,
  'monitoring_files/nm/officers.yaml': OFFICERS_FILE,
};

/** Files of {@link OFFICER_RULES} with the verdicts that they have on every way: a name, the text, the verdict. */
export const SAME_VERDICTS = [
  ['good', 'n\n1\n', 'passed'],
  ['bad', 'n\nx\n', 'failed'],
] as const;

/** {@link OFFICER_RULES} for another bucket. */
export function rulesOfBucket(bucket: string): RuleTexts {
  return { ...OFFICER_RULES, 'monitoring_files/nm/officers.yaml': { ...OFFICERS_FILE, bucket } };
}

/** Rules in memory, whose schemas nobody checks. */
export function ruleSet(files: RuleTexts): RuleSet {
  const texts = Object.entries(files).map(([path, content]) => [path, textOf(content)] as const);
  return readRuleSet('rules', new Map(texts), () => []);
}

/** The same in a folder that is there until the test ends. */
export async function ruleFolder(files: RuleTexts): Promise<string> {
  const folder = await temporaryFolder();
  await writeRules(folder, files);
  return folder;
}

/** Writes the files of a rule set into a folder. */
export async function writeRules(folder: string, files: RuleTexts): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), textOf(content));
  }
}

/** A folder with the data of a ConfigMap as kubelet mounts it: links, by way of `..data`, to the content as it is now. */
export async function mountedFolder(data: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  const content = '..2026_11_28';
  await mkdir(join(folder, content));
  await symlink(content, join(folder, '..data'));
  for (const [key, text] of Object.entries(data)) {
    await writeFile(join(folder, content, key), text);
    await symlink(join('..data', key), join(folder, key));
  }
  return folder;
}

function textOf(content: object | string): string {
  return typeof content === 'string' ? content : JSON.stringify(content);
}

/** The active entry that an object is judged by, as the database has it. */
export async function findMonitoringFile(
  database: Database,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): Promise<MonitoringFile | undefined> {
  return monitoringFileOf(await activeMonitoringFiles(database, bucket), key);
}
