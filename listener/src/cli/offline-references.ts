import type { RowReader } from '@file-processing/quality/checks/check.ts';
import { compileExpectation, type Expectation } from '@file-processing/quality/expectation.ts';
import type { Reference } from '@file-processing/quality/ports.ts';
import { ReferenceKeyCollector } from '@file-processing/quality/reference-keys.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { Engine } from '../jobs/engine-ports.ts';
import { UsageError } from './command-context.ts';

/** Files that foreign keys of an expectation refer to, by the names that it has for them. */
export type ReferenceFiles = ReadonlyMap<string, string>;

/**
 * Reads a file.
 *
 * @param expectation its fields, by what refers to them
 * @returns why its keys can't be used, in words that follow "since"; undefined where they can
 */
type ReadReference = (
  path: string,
  expectation: Expectation,
  rowReader: RowReader,
) => Promise<string | undefined>;

/**
 * Reads `NAME=FILE`, any number of times.
 *
 * @throws {UsageError} with all that can't be used
 */
export function referenceFiles(
  given: readonly string[],
  expectation: Expectation | undefined,
): ReferenceFiles {
  const known = new Set(
    compileExpectation(expectation).schema?.references.map(({ resource }) => resource),
  );
  const names = [...known].join(', ') || 'none';
  const problems: string[] = [];
  const files = new Map<string, string>();
  for (const text of given) {
    const [, name, path] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || path === undefined) {
      problems.push(`--reference is ${JSON.stringify(text)}; NAME=FILE is needed`);
    } else if (!known.has(name)) {
      problems.push(
        `--reference names ${JSON.stringify(name)}, which no foreign key of the schema refers to; those are: ${names}`,
      );
    } else if (files.has(name)) {
      problems.push(`--reference names ${JSON.stringify(name)} twice; it is one file`);
    } else files.set(name, path);
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return files;
}

/** Why a file that was read by the fields of what refers to it can't be used. */
export function unusableReference({
  verdict,
  faultCounts,
}: Pick<QualityReport, 'verdict' | 'faultCounts'>): string | undefined {
  const wrongTypes = faultCounts['type-error'] ?? 0;
  if (wrongTypes > 0) {
    return `${wrongTypes} of its values are not of the type of what refers to them`;
  }
  return verdict === 'unreadable' ? 'it cannot be read' : undefined;
}

/** Collects the keys that foreign keys refer to from files of this machine. */
export async function referencesFromFiles(
  expectation: Expectation | undefined,
  files: ReferenceFiles,
  { ports, maxKeyBytes }: Pick<Engine, 'ports' | 'maxKeyBytes'>,
  read: ReadReference,
): Promise<readonly Reference[]> {
  if (files.size === 0 || expectation?.schema === undefined) return [];
  const { references = [] } = compileExpectation(expectation).schema ?? {};
  const found: Reference[] = [];
  for (const { names, resource, reference } of references) {
    const path = files.get(resource);
    if (path === undefined) continue;
    const own = expectation.schema.fields;
    const fields = reference.map((name, part) => {
      const { constraints: _, ...field } = own.find((one) => one.name === names[part]) ?? { name };
      return { ...field, name };
    });
    const { missingValues } = expectation.schema;
    const schema = {
      ...{ fields, fieldsMatch: 'subset' as const },
      ...(missingValues === undefined ? {} : { missingValues }),
    };
    const collector = new ReferenceKeyCollector([reference], ports, { maxKeyBytes });
    const problem = await read(path, { schema }, collector.read);
    const keys = problem ?? collector.collected()[0]?.keys ?? 'it has no table';
    found.push({ resource, fields: reference, keys });
  }
  return found;
}
