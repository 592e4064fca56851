import { createReadStream } from 'node:fs';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import type { Expectation } from '@file-processing/quality/expectation.ts';
import type { FieldType } from '@file-processing/quality/field-type.ts';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { TableField, TableSchema } from '@file-processing/quality/table-schema.ts';
import { createEngine, type Engine } from '../jobs/engine-ports.ts';
import { type Command, configWithoutDatabase, UsageError } from './command-context.ts';
import { amount, printable } from './report-text.ts';
import { foundFiles } from './validate.ts';

/** Options of `infer`. */
export interface InferOptions {
  /** Paths or patterns of files of one kind. */
  readonly files: readonly string[];
}

/** Below so many rows nearly every column has no value twice, and a range says nothing. */
const FEWEST_ROWS = 10;

/** Types of which the smallest and largest value are proposed. */
const RANGED: readonly FieldType[] = ['integer', 'number', 'date'];

/** Labels of columns whose values are never shown: they are about persons, or name one. */
const PERSONAL =
  /name|birth|\bdob\b|\bage\b|ssn|social|gender|\bsex\b|race|ethnic|address|street|phone|mobile|e-?mail|badge|licen[cs]e|passport|account|card|salary|income/i;

/** What is known of one column from all files. */
interface Seen {
  readonly label: string;
  type: FieldType;
  rows: number;
  nulls: number;
  min: string | number | null;
  max: string | number | null;
  isUnique: boolean;
}

/**
 * Proposes a Table Schema from samples of one kind of file: types, required, unique, the primary key and ranges, each
 * with its evidence on the standard error stream. What it prints is tried on the samples at once; it ends with 1 where
 * they do not pass, or can't be read without rules.
 */
export const infer: Command<InferOptions> = async (context, { files }) => {
  const config = configWithoutDatabase(context);
  const engine = createEngine(config);
  const inspect = (path: string, expectation?: Expectation) =>
    inspectFile(path, engine, expectation);
  const paths = (await foundFiles(files)).map(({ path }) => path);
  const seen: Seen[] = [];
  for (const path of paths) {
    const report = await inspect(path);
    if (report.verdict === 'failed' || report.verdict === 'unreadable') {
      context.stderr.write(`${printable(path)} is ${report.verdict} without any rules: `);
      context.stderr.write(`${printable(report.reasons.join(' '))} Look at it by validate.\n`);
      return EXIT.bad;
    }
    add(seen, report, path);
  }
  const unique = { fields: seen.map(({ label, type }) => asUnique(label, type)) };
  for (const path of paths) {
    const { columns } = await inspect(path, { schema: unique });
    seen.forEach((column, index) => {
      if ((columns[index]?.faultCounts['unique-error'] ?? 0) > 0) column.isUnique = false;
    });
  }
  const schema = proposed(seen);
  context.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  for (const column of seen) context.stderr.write(`${printable(evidenceOf(column))}\n`);
  const codes = await Promise.all(
    paths.map(async (path) => {
      const { verdict } = await inspect(path, { schema });
      if (verdict === 'passed' || verdict === 'warned') return EXIT.ok;
      context.stderr.write(`${printable(path)} is ${verdict} by this schema.\n`);
      return EXIT.bad;
    }),
  );
  return codes.includes(EXIT.bad) ? EXIT.bad : EXIT.ok;
};

function inspectFile(
  path: string,
  { ports, maxKeyBytes }: Engine,
  expectation?: Expectation,
): Promise<QualityReport> {
  const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
  const options = { maxFaults: 0, maxKeyBytes };
  return inspectCsv(bytes, ports, expectation ? { ...options, expectation } : options);
}

/** @throws {UsageError} for a file with other labels than those before it */
function add(seen: Seen[], { columns }: QualityReport, path: string): void {
  const labels = columns.map(({ label }) => label);
  if (seen.length > 0 && seen.map(({ label }) => label).join('\0') !== labels.join('\0')) {
    throw new UsageError(`${path} has other columns than the files before it`);
  }
  columns.forEach(({ label, type, rows, nulls, min, max }, index) => {
    const own = { min: rangeOf(min), max: rangeOf(max) };
    const column = seen[index];
    if (column === undefined) {
      seen.push({ label, type, rows, nulls, ...own, isUnique: true });
      return;
    }
    column.type = commonType(column.type, type);
    column.rows += rows;
    column.nulls += nulls;
    column.min = outer(column.min, own.min, (a, b) => a < b);
    column.max = outer(column.max, own.max, (a, b) => a > b);
  });
}

function rangeOf(value: string | number | boolean | null): string | number | null {
  return typeof value === 'boolean' ? null : value;
}

function commonType(one: FieldType, other: FieldType): FieldType {
  if (one === other || other === 'any') return one;
  if (one === 'any') return other;
  const numeric = [one, other].every((type) => type === 'integer' || type === 'number');
  return numeric ? 'number' : 'string';
}

function outer(
  one: string | number | null,
  other: string | number | null,
  isOuter: (a: string | number, b: string | number) => boolean,
): string | number | null {
  if (one === null || other === null) return one ?? other;
  return isOuter(other, one) ? other : one;
}

function asUnique(name: string, type: FieldType): TableField {
  return { name, type, constraints: { unique: true } };
}

function isUniqueField({ isUnique, nulls, rows, type }: Seen): boolean {
  return isUnique && nulls === 0 && rows >= FEWEST_ROWS && ['integer', 'string'].includes(type);
}

function hasRange({ label, type, rows, min, max }: Seen): boolean {
  const ranged = RANGED.includes(type) && min !== null && max !== null;
  return ranged && rows >= FEWEST_ROWS && !PERSONAL.test(label);
}

function proposed(seen: readonly Seen[]): TableSchema {
  const key = seen.find(isUniqueField);
  const fields = seen.map((column): TableField => {
    const { label: name, type, nulls, rows, min, max } = column;
    const constraints = {
      ...(nulls === 0 && rows > 0 ? { required: true } : {}),
      ...(isUniqueField(column) && column !== key ? { unique: true } : {}),
      // A key goes on where it ended.
      ...(hasRange(column) && !isUniqueField(column) && min !== null && max !== null
        ? { minimum: min, maximum: max }
        : {}),
    };
    return { name, type, ...(Object.keys(constraints).length === 0 ? {} : { constraints }) };
  });
  return { fields, ...(key === undefined ? {} : { primaryKey: key.label }) };
}

function evidenceOf(column: Seen): string {
  const { label, type, rows, nulls } = column;
  const parts = [`${type} by ${amount(rows - nulls, 'value')}`, `${amount(nulls, 'null')}`];
  if (isUniqueField(column)) parts.push('none twice in a file');
  if (PERSONAL.test(label)) parts.push('looks personal: no value is proposed');
  return `${label}: ${parts.join(', ')}`;
}
