import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import {
  configMapKey,
  isRuleFile,
  MAX_CONFIG_MAP_BYTES,
  MAX_RULE_FILE_BYTES,
} from '@file-processing/contract/rule-set.ts';
import type { Finding } from './finding.ts';

/** Texts of a rule set's files by their paths below its folder, in the order of those. */
export type RuleTexts = ReadonlyMap<string, string>;

/** Folder of an environment's rule set, below the checkout. */
export function environmentRulesFolder(environment: string): string {
  return `environments/${environment}/rules`;
}

/** The files of a rule set, whatever is in them. */
export function ruleTextsIn(folder: string): RuleTexts {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(isRuleFile)
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** A rule set that goes along with the stack. */
export interface DeployedRules {
  /** Empty where the environment has none. */
  readonly texts: RuleTexts;
  /** Why it can't be a ConfigMap. What the rules say is the listener's to judge: `rules check`. */
  readonly faults: readonly Finding[];
}

/** Reads the rule set of an environment, which is to be a ConfigMap. */
export function deployedRules(root: string, environment: string): DeployedRules {
  const folder = environmentRulesFolder(environment);
  if (!existsSync(join(root, folder))) return { texts: new Map(), faults: [] };
  const texts = ruleTextsIn(join(root, folder));
  if (texts.size === 0) {
    const message =
      'holds no rule set; its files are in mappings/, monitoring_files/ and holidays/, named .yaml, .yml or .json';
    return { texts, faults: [{ file: folder, message }] };
  }
  return { texts, faults: configMapFaults(folder, texts) };
}

const IN_S3 = 'or put the rule set into S3, where no such limit holds: rules_location';

/** Why a rule set can't be a ConfigMap. @param folder what messages call its folder */
export function configMapFaults(folder: string, texts: RuleTexts): readonly Finding[] {
  const faults: Finding[] = [];
  let total = 0;
  for (const [path, text] of texts) {
    const file = `${folder}/${path}`;
    const bytes = Buffer.byteLength(text);
    total += path.length + bytes;
    if (configMapKey(path) === undefined) {
      const message = `its path can't be the key of a ConfigMap: use letters without accents, digits, ".", "-" and "_", no two dots in a row, and at most 253 characters, ${IN_S3}`;
      faults.push({ file, message });
    }
    if (bytes > MAX_RULE_FILE_BYTES) {
      faults.push({
        file,
        message: `has ${bytes} bytes; at most ${MAX_RULE_FILE_BYTES} are allowed`,
      });
    }
  }
  if (total <= MAX_CONFIG_MAP_BYTES) return faults;
  const message = `has ${total} bytes in ${texts.size} files, and a ConfigMap takes ${MAX_CONFIG_MAP_BYTES}: take out what is not needed, ${IN_S3}`;
  return [...faults, { file: folder, message }];
}
