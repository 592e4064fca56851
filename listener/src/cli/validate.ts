import { access, constants, glob, readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative } from 'node:path';
import type { Expectation } from '@file-processing/quality/expectation.ts';
import { type InspectOptions, inspectCsv } from '@file-processing/quality/inspect.ts';
import type { EnginePorts } from '@file-processing/quality/ports.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import { fileFault } from '../config/read-variables.ts';
import { createEngine, fileSource } from '../jobs/engine-ports.ts';
import { withRules } from '../jobs/s3-data-quality-job.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { restore, withhold } from '../privacy/withhold.ts';
import { type Command, configWithoutDatabase, UsageError } from './command-context.ts';
import { exitCodeOfVerdict, mostSerious } from './exit-codes.ts';
import { referenceFiles, referencesFromFiles, unusableReference } from './offline-references.ts';
import { makeOutputFolder, writeOutputFile } from './output-files.ts';
import { printable, reportText, showProgress } from './report-text.ts';

/** Options of `validate`. */
export interface ValidateOptions {
  /** Paths, or patterns for a shell that does not expand them. */
  readonly files: readonly string[];
  /** A Table Schema, or a mapping as `seed` takes it. */
  readonly schema?: string;
  /** Files that foreign keys of the schema refer to, each as `NAME=FILE`. */
  readonly reference?: readonly string[];
  /** A line of JSON for each file. */
  readonly json: boolean;
  /** Folder that gets a page for each file; made where it is not there. */
  readonly html?: string;
}

/** Judges files of this machine, one after the other; ends with the code of the most serious verdict. */
export const validate: Command<ValidateOptions> = async (context, options) => {
  const { files, schema, reference = [], json, html } = options;
  const config = configWithoutDatabase(context);
  const { ports, maxKeyBytes, unpackLimits } = createEngine(config);
  const expectation = schema === undefined ? undefined : await readExpectation(schema);
  const found = await foundFiles(files);
  const writePage = html === undefined ? undefined : await pageWriter(html);
  const references = await referencesFromFiles(
    expectation,
    referenceFiles(reference, expectation),
    { ports, maxKeyBytes },
    async (path, rules, rowReader) =>
      unusableReference(
        await inspectFile(path, ports, {
          expectation: rules,
          rowReader,
          maxFaults: 0,
          maxKeyBytes,
          ...unpackLimits,
        }),
      ),
  );
  const codes: number[] = [];
  for (const { path, sizeBytes } of found) {
    const progress = showProgress(path, context.stderr);
    const judged = await inspectFile(path, ports, {
      ...(expectation === undefined ? {} : { expectation }),
      maxFaults: config.maxFaults,
      maxKeyBytes,
      ...unpackLimits,
      references,
      // Neither the text nor the page shows them.
      distributions: json,
      sizeBytes,
      onProgress: (bytes, rows) => progress.update({ bytes, rows, sizeBytes }),
    });
    progress.end();
    // Whatever UNMONITORED is: nobody has asked for rules.
    const report = expectation === undefined ? withRules(judged, undefined) : judged;
    const shown = restore(withhold(report, schema !== undefined), shownClasses(PLACES.terminal));
    const text = json ? `${JSON.stringify({ file: path, ...shown })}\n` : reportText(path, shown);
    context.stdout.write(text);
    if (writePage !== undefined) {
      context.stderr.write(`wrote ${printable(await writePage(path, shown))}\n`);
    }
    codes.push(exitCodeOfVerdict(report.verdict));
  }
  return mostSerious(codes);
};

/**
 * Makes the folder of pages. A page has the name of its file; that of a second file of one name is numbered.
 *
 * @returns what writes a page, and gives its path
 * @throws {UsageError} where the folder can't be made, and later where a page can't be written
 */
async function pageWriter(
  folder: string,
): Promise<(path: string, report: QualityReport) => Promise<string>> {
  const { reportPage } = await import('../console/page.ts');
  makeOutputFolder(folder);
  const names = new Map<string, number>();
  return async (path, report) => {
    const name = basename(path);
    const count = (names.get(name) ?? 0) + 1;
    names.set(name, count);
    const page = join(folder, `${name}${count === 1 ? '' : `.${count}`}.html`);
    await writeOutputFile(page, reportPage({ name: path, report }));
    return page;
  };
}

/**
 * Inspects a file of this machine.
 *
 * @throws {UsageError} where it can't be read; else as `inspectCsv` does
 */
export async function inspectFile(
  path: string,
  ports: EnginePorts,
  options: InspectOptions,
): Promise<QualityReport> {
  try {
    const { chunks, heldChunks } = fileSource(path, ports, options.sizeBytes);
    return await inspectCsv(chunks, ports, { ...options, heldChunks });
  } catch (error) {
    // Other errors may be of its scratch space.
    if (!isSystemError(error) || error.path !== path) throw error;
    throw new UsageError(unreadable(path, error));
  }
}

/** A file that can be judged. */
export interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * The files that paths and patterns name, each once; those of a pattern in the order of their names.
 *
 * @throws {UsageError} with all that name no file, before any is judged
 */
export async function foundFiles(names: readonly string[]): Promise<readonly FoundFile[]> {
  const files = new Map<string, FoundFile>();
  const problems: string[] = [];
  for (const name of names) {
    try {
      for (const path of await pathsOf(name)) {
        files.set(path, { path, sizeBytes: await sizeOf(path) });
      }
    } catch (error) {
      if (error instanceof UsageError) problems.push(error.message);
      else if (isSystemError(error)) problems.push(unreadable(name, error));
      else throw error;
    }
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return [...files.values()];
}

/** A pattern is one only where no file has that name. */
async function pathsOf(name: string): Promise<readonly string[]> {
  const exists = await stat(name).then(
    () => true,
    () => false,
  );
  if (exists || !/[*?[{]/.test(name)) return [name];
  const paths: string[] = [];
  for await (const entry of glob(name, { withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    paths.push(isAbsolute(name) ? path : relative('', path));
  }
  if (paths.length === 0) throw new UsageError(`${name} names no file`);
  return paths.sort();
}

async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path);
  if (stats.isDirectory()) throw new UsageError(`${path} is a folder`);
  await access(path, constants.R_OK);
  return stats.size;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

function unreadable(path: string, error: NodeJS.ErrnoException): string {
  return `${path} can't be read: ${fileFault(error)}`;
}

/**
 * Reads a Table Schema, or a mapping as `seed` takes it; what is wrong with its rules is left to the engine.
 *
 * @throws {UsageError} where it is neither
 */
export async function readExpectation(path: string): Promise<Expectation> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${path} can't be read as a Table Schema: ${fileFault(error)}`);
  });
  const { parseRuleFile } = await import('../rules/rule-file.ts');
  const parsed = parseRuleFile(path, text);
  if (!('value' in parsed)) {
    const reasons = parsed.map(({ message }) => message).join('; ');
    throw new UsageError(`${path} can't be read as a Table Schema: it ${reasons}`);
  }
  const { value } = parsed;
  // inspectCsv checks what it is given and names every problem.
  if (!('tableSchema' in value)) return { schema: value } as unknown as Expectation;
  const { name: _name, version: _version, tableSchema, ...rest } = value;
  return { schema: tableSchema, ...rest } as unknown as Expectation;
}
