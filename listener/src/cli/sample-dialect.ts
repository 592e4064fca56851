import type { RowReader } from '@file-processing/quality/checks/check.ts';
import { ProblemList } from '@file-processing/quality/descriptor-error.ts';
import {
  type CompiledDialect,
  compileDialect,
  type TableDialect,
} from '@file-processing/quality/dialect.ts';
import type { Expectation } from '@file-processing/quality/expectation.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import { UsageError } from './command-context.ts';

/** Judges one file, of whose faults only the counts are wanted. */
export type Inspect = (
  path: string,
  expectation?: Expectation,
  rowReader?: RowReader,
) => Promise<QualityReport>;

/** How samples are written, as far as a dialect has to say it. */
export interface SampleDialect {
  readonly dialect: TableDialect;
  /** Why, in sentences; what only a person can tell ends with a question mark. */
  readonly evidence: readonly string[];
}

/** Tried where a file is not in UTF-8. */
const OTHER_ENCODING = 'windows-1252';

const DEFAULT = compileDialect(undefined, '', new ProblemList());

/** Diagnoses that say how a file is written. */
const OF_DIALECTS = [
  'undeclared-encoding',
  'delimiter',
  'header-delimiter',
  'quoted-lines',
  'quote',
  'header-row',
];

/**
 * Finds out how samples of one kind of file are written: encoding, delimiter, quotes, and the row of the labels under what
 * stands before it.
 *
 * @throws {UsageError} for a sample that is written otherwise than those before it
 */
export async function sampleDialect(
  paths: readonly string[],
  inspect: Inspect,
): Promise<SampleDialect> {
  let encoding: { readonly name: TableDialect['encoding']; readonly why: string } | undefined;
  const utf16: string[] = [];
  for (const path of paths) {
    const report = await inspect(path);
    if (report.encoding.startsWith('utf-16')) utf16.push(path);
    // UTF-8 that is all ASCII says nothing: another sample may have the first letter that is not.
    if ((report.faultCounts['encoding-error'] ?? 0) === 0) continue;
    encoding ??= { name: OTHER_ENCODING, why: misreadText(report) };
  }
  if (utf16.length > 0) {
    const other = paths.find((path) => !utf16.includes(path));
    if (other !== undefined) throw new UsageError(`${other} is not in UTF-16, as ${utf16[0]} is`);
    const why = 'encoding: its bytes, or a byte order mark, are those of UTF-16.';
    encoding = { name: 'utf-16', why };
  }
  const declared: TableDialect = encoding?.name === undefined ? {} : { encoding: encoding.name };
  const evidence = encoding === undefined ? [] : [encoding.why];
  let dialect: TableDialect | undefined;
  for (const path of paths) {
    let compiled: CompiledDialect = DEFAULT;
    const report = await inspect(path, { dialect: declared }, (file) => {
      compiled = file.dialect;
      return () => {};
    });
    const found = differencesOf(compiled);
    if (dialect === undefined) {
      dialect = found;
      for (const { kind, sentence } of report.diagnoses) {
        if (OF_DIALECTS.includes(kind)) evidence.push(sentence);
      }
      if (report.columns.length === 1) evidence.push('Only one column was found: is it a table?');
    } else if (JSON.stringify(dialect) !== JSON.stringify(found)) {
      const [one, other] = [found, dialect].map(dialectText);
      throw new UsageError(
        `${path} ${one}, ${paths[0]} ${other}; give files of one kind at a time`,
      );
    }
  }
  return { dialect: { ...declared, ...dialect }, evidence };
}

function misreadText({ diagnoses }: QualityReport): string {
  const found = diagnoses.find(({ kind }) => kind === 'windows-1252' || kind === 'other-encoding');
  const why = found === undefined ? '' : ` (${found.evidence})`;
  const guess = `any bytes can be read as ${OTHER_ENCODING}, which is proposed`;
  return `encoding: the file is not UTF-8${why}; ${guess}. Is that right?`;
}

/** How a file is written, for a sentence that begins with its name. */
function dialectText({ delimiter = ',', quoteChar = '"', headerRows = [1] }: TableDialect): string {
  const labels =
    headerRows.length === 1 ? `line ${headerRows[0]}` : `lines ${headerRows.join(', ')}`;
  const delimited = `separates cells by ${JSON.stringify(delimiter)}`;
  return `${delimited}, quotes them by ${quoteChar} and has its labels in ${labels}`;
}

/** What a dialect has to say beside its defaults. */
function differencesOf({ delimiter, quote, headerRows }: CompiledDialect): TableDialect {
  return {
    ...(delimiter === DEFAULT.delimiter ? {} : { delimiter: String.fromCharCode(delimiter) }),
    ...(quote === DEFAULT.quote || quote < 0 ? {} : { quoteChar: String.fromCharCode(quote) }),
    ...(headerRows.join() === DEFAULT.headerRows.join() ? {} : { headerRows: [...headerRows] }),
  };
}
