import { existsSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { stringify } from 'yaml';
import { fileFault } from '../config/read-variables.ts';
import { exportContract } from '../rules/contract-export.ts';
import { type ContractChoices, importContract } from '../rules/contract-import.ts';
import type { WithoutCounterpart } from '../rules/contract-reader.ts';
import type { RuleFiles } from '../rules/rule-set.ts';
import { type Command, UsageError } from './command-context.ts';
import { unwritable } from './output-files.ts';
import { amount, printable } from './report-text.ts';
import { readWholeSet } from './rules.ts';

/** Options of `rules import`. */
export interface ImportContractOptions extends ContractChoices {
  /** Path of a contract. */
  readonly contract: string;
  /** Where the rule set is written; nothing there is replaced. */
  readonly into: string;
  readonly json: boolean;
}

/** Makes a rule set of a data contract, and lists what it can't say. */
export const importRules: Command<ImportContractOptions> = async ({ stdout }, options) => {
  const { contract, into, json, ...choices } = options;
  const text = await readFile(contract, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${contract} can't be read: ${fileFault(error)}`);
  });
  const { files, withoutCounterpart, toDecide } = importContract(contract, text, choices);
  await writeRuleFiles(into, files);
  const written = [...files.keys()];
  if (json) {
    stdout.write(`${JSON.stringify({ files: written, withoutCounterpart, toDecide }, null, 2)}\n`);
    return EXIT.ok;
  }
  const lines = written.map((path) => `wrote ${join(into, path)}`);
  if (written.length === 0) lines.push('wrote nothing: the contract describes no columns');
  if (withoutCounterpart.length > 0) {
    lines.push('', 'Without a counterpart in a rule set:');
    lines.push(...withoutCounterpart.map((one) => `- ${lostText(one)}`));
  }
  if (toDecide.length > 0) lines.push('', 'To decide:', ...toDecide.map((one) => `- ${one}`));
  stdout.write(lines.map((line) => `${printable(line)}\n`).join(''));
  return EXIT.ok;
};

function lostText({ path, places, first, reason }: WithoutCounterpart): string {
  const where = places === 1 ? first : `${path} (${amount(places, 'place')}, first ${first})`;
  return reason === undefined ? where : `${where}: ${reason}`;
}

/**
 * Writes a rule set's files, all or none.
 *
 * @throws {UsageError} where one is there already, or where the folder can't be written to
 */
export async function writeRuleFiles(folder: string, files: RuleFiles): Promise<void> {
  const there = [...files.keys()].map((path) => join(folder, path)).filter(existsSync);
  if (there.length > 0) {
    throw new UsageError(`${there.join(', ')}: there already; name another folder by --into`);
  }
  const written: string[] = [];
  try {
    for (const [name, text] of files) {
      const path = join(folder, name);
      makeFolder(dirname(path));
      const file = await open(path, 'wx');
      written.push(path);
      await file.writeFile(text).finally(() => file.close());
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    throw unwritable(folder, error);
  }
}

/** Options of `rules export`. */
export interface ExportContractOptions {
  /** A rule set. */
  readonly folder: string;
}

/** Prints a rule set as a data contract; what only a custom property carries is said on the standard error stream. */
export const exportRules: Command<ExportContractOptions> = async (context, { folder }) => {
  const rules = await readWholeSet(folder);
  const id = basename(resolve(folder)).replace(/[^A-Za-z0-9_-]/g, '_');
  const { contract, carried } = exportContract(rules, id);
  context.stdout.write(stringify(contract, { aliasDuplicateObjects: false }));
  if (carried.length > 0) {
    const lines = ['Carried as custom properties, since the standard has none:', ...carried];
    context.stderr.write(lines.map((line) => `${printable(line)}\n`).join(''));
  }
  return EXIT.ok;
};
