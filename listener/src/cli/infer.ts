import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { cellText, type RowReader } from '@file-processing/quality/checks/check.ts';
import type { Expectation } from '@file-processing/quality/expectation.ts';
import type { FieldType } from '@file-processing/quality/field-type.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { TableField, TableSchema } from '@file-processing/quality/table-schema.ts';
import { type CellType, isDigit } from '@file-processing/quality/types/cell-type.ts';
import {
  ANY_DATE,
  ANY_DATETIME,
  ANY_TIME,
  dateTimeType,
  dateType,
  timeType,
} from '@file-processing/quality/types/datetime.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import { type Command, configWithoutDatabase, UsageError } from './command-context.ts';
import { amount, printable } from './report-text.ts';
import { type Inspect, type SampleDialect, sampleDialect } from './sample-dialect.ts';
import { foundFiles, inspectFile } from './validate.ts';

/** Options of `infer`. */
export interface InferOptions {
  /** Paths or patterns of files of one kind. */
  readonly files: readonly string[];
}

/** Below so many rows nearly every column has no value twice, and a range says nothing. */
const FEWEST_ROWS = 10;

/** Texts that stand for no value, whatever the column; and those that do where all other values are of a narrower type. */
const NULL_TEXTS = ['NULL', 'null', 'N/A', 'n/a', '#N/A', '\\N'];
const PERHAPS_NULL_TEXTS = ['NA', 'na', 'None', 'none', 'NaN', 'nan', '-', '.', '?'];

const LONGEST_NULL_TEXT = 4;

/** A column of few texts, each short, that come again and again holds codes. */
const MOST_CODES = 10;
const LONGEST_CODE = 20;
const TIMES_OF_A_CODE = 10;

/** Types of which the smallest and largest value are proposed; of a date the smallest alone, since days go on. */
const RANGED: readonly FieldType[] = ['integer', 'number', 'date'];

/** Labels of columns whose values are never shown: they are about persons, name one, or tell of one in free text. */
const PERSONAL =
  /name|birth|\bdob\b|\bage\b|ssn|social|gender|\bsex\b|race|ethnic|address|street|phone|mobile|e-?mail|badge|licen[cs]e|passport|account|card|salary|income|complainant|victim|suspect|witness|defendant|arrestee|offender|inmate|detainee|patient|narrative|\b(?:comment|remark|note|statement)s?\b/i;

/** A label with blanks between its words, which underscores or capitals part: `subjectAge` and `subject_age`. */
function wordsOf(label: string): string {
  return label.replace(/(?<=[a-z])(?=[A-Z])|_/g, ' ');
}

/** A form of dates or times other than ISO's, which needs no format. */
interface DateForm {
  readonly type: 'date' | 'datetime' | 'time';
  readonly format: string;
  readonly read: CellType['read'];
}

/** In the order in which they are proposed where several fit: month before day. Days of digits alone are integers. */
const DATE_FORMS: readonly DateForm[] = [
  ...ANY_DATE.filter((format) => format !== '%Y-%m-%d' && format !== '%Y%m%d').map((format) => ({
    ...{ type: 'date' as const, format, read: dateType(format).read },
  })),
  ...ANY_DATETIME.map((format) => ({
    ...{ type: 'datetime' as const, format, read: dateTimeType(format).read },
  })),
  ...ANY_TIME.map((format) => ({
    ...{ type: 'time' as const, format, read: timeType(format).read },
  })),
];

/** No date is longer. */
const LONGEST_DATE = 40;

const ENCODER = new TextEncoder();

const ZERO = 0x30;

/** What is known of one column from all files. */
export interface Seen {
  readonly label: string;
  /** By its narrowest type, how many values it has; texts that may stand for no value are texts. */
  readonly types: Map<FieldType, number>;
  /** Those texts, and how often they came. */
  readonly nullTexts: Map<string, number>;
  /** Its other values while they are few and short. */
  codes: Set<string> | undefined;
  /** Forms of dates that all those other values have. */
  forms: readonly DateForm[];
  /** Whether numbers are filled up with zeros: they name something then, and `7` is not `007`. */
  isPadded: boolean;
  isPersonal: boolean;
  rows: number;
  /** Null without those texts. */
  nulls: number;
  min: string | number | null;
  max: string | number | null;
  isUnique: boolean;
}

/**
 * Proposes a Table Schema from samples of one kind of file: types, required, unique, the primary key and ranges, each
 * with its evidence on the standard error stream. What it prints is tried on the samples at once; it ends with 1 where
 * they do not pass, or can't be read without rules. Diagnoses of the samples are shown as well.
 */
export const infer: Command<InferOptions> = async (context, { files }) => {
  const config = configWithoutDatabase(context);
  const engine = createEngine(config);
  const inspect = (path: string, expectation?: Expectation, rowReader?: RowReader) =>
    inspectFile(path, engine.ports, {
      ...(expectation === undefined ? {} : { expectation }),
      ...(rowReader === undefined ? {} : { rowReader }),
      maxFaults: 0,
      maxKeyBytes: engine.maxKeyBytes,
      ...engine.unpackLimits,
    });
  const paths = (await foundFiles(files)).map(({ path }) => path);
  const proposal = await proposalOf(paths, inspect);
  if ('reason' in proposal) {
    context.stderr.write(`${printable(proposal.reason)}\n`);
    return EXIT.bad;
  }
  const { schema, seen, dialect, evidence } = proposal;
  const isPlain = Object.keys(dialect).length === 0;
  const mapping = isPlain ? schema : { name: 'inferred', dialect, tableSchema: schema };
  context.stdout.write(`${JSON.stringify(mapping, null, 2)}\n`);
  for (const sentence of evidence) context.stderr.write(`dialect: ${printable(sentence)}\n`);
  for (const column of seen) context.stderr.write(`${printable(evidenceOf(column))}\n`);
  const codes = await Promise.all(
    paths.map(async (path) => {
      const { verdict, diagnoses } = await inspect(path, { schema, dialect });
      // What is odd about a sample has gone into the schema: a total makes a column of numbers one of texts.
      for (const { sentence, remedy } of diagnoses) {
        context.stderr.write(`${printable(`${path}: ${sentence} ${remedy}`)}\n`);
      }
      if (verdict === 'passed' || verdict === 'warned') return EXIT.ok;
      context.stderr.write(`${printable(path)} is ${verdict} by this schema.\n`);
      return EXIT.bad;
    }),
  );
  return codes.includes(EXIT.bad) ? EXIT.bad : EXIT.ok;
};

/** A Table Schema that was made of samples. */
export interface Proposal extends SampleDialect {
  readonly schema: TableSchema;
  /** In the order of its fields. */
  readonly seen: readonly Seen[];
}

/**
 * Proposes a Table Schema.
 *
 * @param paths of files of one kind
 * @returns or why a sample shows nothing, in sentences
 * @throws {UsageError} for files with different labels or dialects
 */
export async function proposalOf(
  paths: readonly string[],
  inspect: Inspect,
): Promise<Proposal | { readonly reason: string }> {
  const seen: Seen[] = [];
  const { dialect, evidence } = await sampleDialect(paths, inspect);
  for (const path of paths) {
    const texts: Texts[] = [];
    const report = await inspect(path, { dialect }, (_, columns) => {
      texts.splice(0, texts.length, ...columns.map(() => new Texts()));
      return (record) => {
        for (const [cell, text] of texts.entries()) {
          const length = (record.ends[cell] ?? 0) - (record.starts[cell] ?? 0);
          if (text.isOpenTo(length)) text.add(cellText(record, cell));
          if (length > 1 && record.bytes[record.starts[cell] ?? 0] === ZERO) {
            text.hasPaddedNumber ||= isDigit(record.bytes[(record.starts[cell] ?? 0) + 1]);
          }
        }
      };
    });
    const { verdict, reasons } = report;
    if (verdict === 'failed' || verdict === 'unreadable') {
      const what = `${path} is ${verdict} even without rules`;
      return { reason: `${what}: ${reasons.join(' ')} \`validate\` shows its faults.` };
    }
    add(seen, report, texts, path, paths[0] ?? path);
  }
  const trial = { fields: seen.map(asTried) };
  for (const path of paths) {
    const { columns } = await inspect(path, { schema: trial, dialect });
    for (const [index, column] of seen.entries()) addTried(column, columns[index]);
  }
  return { schema: proposed(seen), seen, dialect, evidence };
}

/** What the texts of a column say in one file, within little memory. */
class Texts {
  readonly nullTexts = new Map<string, number>();
  codes: Set<string> | undefined = new Set();
  forms = DATE_FORMS;
  /** Whether a value begins with a zero and another digit. */
  hasPaddedNumber = false;

  /** Whether a text of so many bytes could say anything. */
  isOpenTo(length: number): boolean {
    return this.codes !== undefined || this.forms.length > 0 || length <= LONGEST_NULL_TEXT;
  }

  add(text: string): void {
    if (text.trim() === '') return;
    if (NULL_TEXTS.includes(text) || PERHAPS_NULL_TEXTS.includes(text)) {
      this.nullTexts.set(text, (this.nullTexts.get(text) ?? 0) + 1);
      return;
    }
    this.codes = withCode(this.codes, text);
    if (this.forms.length > 0) this.forms = formsOf(text, this.forms);
  }
}

/** Those forms that a text has. */
function formsOf(text: string, forms: readonly DateForm[]): readonly DateForm[] {
  if (text.length > LONGEST_DATE) return [];
  const bytes = ENCODER.encode(text);
  return forms.filter(({ read }) => !Number.isNaN(read(bytes, 0, bytes.length)));
}

function withCode(codes: Set<string> | undefined, text: string): Set<string> | undefined {
  if (codes === undefined || codes.has(text)) return codes;
  return codes.size < MOST_CODES && text.length <= LONGEST_CODE ? codes.add(text) : undefined;
}

/** @throws {UsageError} for a file with other labels than the first one */
function add(
  seen: Seen[],
  { columns }: QualityReport,
  texts: readonly Texts[],
  path: string,
  firstPath: string,
): void {
  const labels = columns.map(({ label }) => label);
  if (seen.length > 0 && seen.map(({ label }) => label).join('\0') !== labels.join('\0')) {
    throw new UsageError(
      `${path} has other columns than ${firstPath}; give files of one kind at a time`,
    );
  }
  columns.forEach(({ label, types, rows, nulls }, index) => {
    const column = seen[index] ?? {
      label,
      types: new Map(),
      nullTexts: new Map(),
      codes: new Set<string>(),
      forms: DATE_FORMS,
      isPadded: false,
      ...{ isPersonal: PERSONAL.test(wordsOf(label)), isUnique: true },
      ...{ rows: 0, nulls: 0, min: null, max: null },
    };
    seen[index] = column;
    column.rows += rows;
    column.nulls += nulls;
    for (const [type, count] of Object.entries(types) as [FieldType, number][]) {
      column.types.set(type, (column.types.get(type) ?? 0) + count);
    }
    const { codes, forms, nullTexts, hasPaddedNumber } = texts[index] ?? new Texts();
    column.isPadded ||= hasPaddedNumber;
    column.forms = column.forms.filter((form) => forms.includes(form));
    for (const [text, count] of nullTexts) {
      column.nullTexts.set(text, (column.nullTexts.get(text) ?? 0) + count);
    }
    if (codes === undefined) column.codes = undefined;
    else for (const code of codes) column.codes = withCode(column.codes, code);
  });
}

/** What is found only where columns are read by their types. */
function addTried(column: Seen, tried: QualityReport['columns'][number] | undefined): void {
  if (tried === undefined) return;
  const { faultCounts, min, max } = tried;
  if ((faultCounts['unique-error'] ?? 0) > 0) column.isUnique = false;
  if ((faultCounts['sensitive-column'] ?? 0) > 0) column.isPersonal = true;
  column.min = outer(column.min, rangeOf(min), (a, b) => a < b);
  column.max = outer(column.max, rangeOf(max), (a, b) => a > b);
}

/** Of all values but those that stand for none, a form of dates included. */
function typeOf(column: Seen): FieldType {
  return formOf(column)?.type ?? plainTypeOf(column);
}

/** The form of dates in which a column of texts is written; undefined where there is none. */
function formOf(column: Seen): DateForm | undefined {
  const { forms } = column;
  // No text has all forms: none was read.
  if (forms.length === DATE_FORMS.length || plainTypeOf(column) !== 'string') return undefined;
  return forms[0];
}

/** Of all values but those that stand for none, dates as ISO writes them. */
function plainTypeOf({ types, nullTexts, isPadded }: Seen): FieldType {
  const others = [...types].filter(
    ([type, count]) => type !== 'string' || count > total(nullTexts),
  );
  if (others.length === 0) return types.size === 0 ? 'any' : 'string';
  const type = others.map(([other]) => other).reduce(commonType, 'any');
  return type === 'integer' && isPadded ? 'string' : type;
}

/** The formats that all dates of a column have, the proposed one first; none where it needs no format. */
export function dateFormatsOf(column: Seen): readonly string[] {
  const form = formOf(column);
  return column.forms.filter(({ type }) => type === form?.type).map(({ format }) => format);
}

/** The texts of a column that stand for no value. */
function nullTextsOf(column: Seen): string[] {
  const isText = typeOf(column) === 'string';
  return [...column.nullTexts.keys()].filter((text) => !isText || NULL_TEXTS.includes(text)).sort();
}

/** Rows without a value, those texts included. */
function nullsOf(column: Seen): number {
  const texts = nullTextsOf(column).map((text) => column.nullTexts.get(text) ?? 0);
  return column.nulls + texts.reduce((sum, count) => sum + count, 0);
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
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

function fieldOf(column: Seen): TableField {
  const texts = nullTextsOf(column);
  const format = formOf(column)?.format;
  return {
    name: column.label,
    type: typeOf(column),
    ...(format === undefined ? {} : { format }),
    ...(texts.length === 0 ? {} : { missingValues: ['', ...texts] }),
  };
}

/** Declared public, so that what looks as if it should not be is found. */
function asTried(column: Seen): TableField {
  return { ...fieldOf(column), classification: 'public', constraints: { unique: true } };
}

function isUniqueField(column: Seen): boolean {
  const { isUnique, rows } = column;
  const isKeyType = ['integer', 'string'].includes(typeOf(column));
  return isUnique && nullsOf(column) === 0 && rows >= FEWEST_ROWS && isKeyType;
}

function hasRange(column: Seen): boolean {
  const { isPersonal, rows, min, max } = column;
  const ranged = RANGED.includes(typeOf(column)) && min !== null && max !== null;
  // A limit is written in the field's format, and what is known of it is ISO's form.
  const isPlain = formOf(column) === undefined;
  return ranged && isPlain && rows >= FEWEST_ROWS && !isPersonal;
}

/** The values of a column of codes; undefined where it is none. */
function codesOf(column: Seen): string[] | undefined {
  const { codes, isPersonal, nullTexts, rows } = column;
  if (codes === undefined || codes.size < 2 || isPersonal) return undefined;
  // A text that may stand for no value may be a code as well.
  if (typeOf(column) !== 'string' || nullTextsOf(column).length < nullTexts.size) return undefined;
  return rows - nullsOf(column) < TIMES_OF_A_CODE * codes.size ? undefined : [...codes].sort();
}

function proposed(seen: readonly Seen[]): TableSchema {
  const key = seen.find(isUniqueField);
  const fields = seen.map((column): TableField => {
    const { rows, min, max } = column;
    const codes = codesOf(column);
    const constraints = {
      ...(nullsOf(column) === 0 && rows > 0 ? { required: true } : {}),
      ...(isUniqueField(column) && column !== key ? { unique: true } : {}),
      ...(codes === undefined ? {} : { enum: codes }),
      // A key goes on where it ended.
      ...(hasRange(column) && !isUniqueField(column) && min !== null && max !== null
        ? { minimum: min, ...(typeOf(column) === 'date' ? {} : { maximum: max }) }
        : {}),
    };
    return {
      ...fieldOf(column),
      ...(Object.keys(constraints).length === 0 ? {} : { constraints }),
    };
  });
  return { fields, ...(key === undefined ? {} : { primaryKey: key.label }) };
}

/** What a column's type and constraints were concluded from, without a value of it. */
export function evidenceOf(column: Seen): string {
  const { label, rows, isPersonal } = column;
  const nulls = nullsOf(column);
  const texts = nullTextsOf(column);
  const codes = codesOf(column);
  const shownTexts = texts.length === 0 ? '' : ` (${texts.join(', ')} among them)`;
  const parts = [
    `${typeOf(column)} in ${amount(rows - nulls, 'value')}`,
    `${amount(nulls, 'null')}${shownTexts}`,
  ];
  if (isUniqueField(column)) parts.push('no value twice in a file');
  if (column.isPadded && column.types.has('integer')) parts.push('filled up with zeros');
  const [format, ...others] = dateFormatsOf(column);
  if (format !== undefined) {
    const also = others.length === 0 ? '' : ` (${others.join(', ')} would fit too)`;
    parts.push(`written as ${format}${also}`);
  }
  if (codes !== undefined) parts.push(`${amount(codes.length, 'code')}`);
  if (isPersonal) parts.push('looks personal: no value is proposed');
  return `${label}: ${parts.join(', ')}`;
}
