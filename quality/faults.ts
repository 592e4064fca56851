import type { Check } from './checks/check.ts';
import { DELIVERY_CHECK, type DeliveryThresholds } from './checks/delivery.ts';
import { DIALECT_CHECK } from './checks/dialect.ts';
import { ENCODING_CHECK, SIGN_CHECK } from './checks/encoding.ts';
import { FOREIGN_KEY_CHECK } from './checks/foreign-keys.ts';
import { HEADER_CHECK } from './checks/header.ts';
import { KEY_CHECK } from './checks/keys.ts';
import { NO_DATA_CHECK } from './checks/no-data.ts';
import { REFERENCE_CHECK } from './checks/references.ts';
import { SENSITIVE_CHECK } from './checks/sensitive.ts';
import { SOURCE_CHECK } from './checks/source.ts';
import { BLANK_ROW_CHECK, CELL_COUNT_CHECK, QUOTE_CHECK, SIZE_CHECK } from './checks/structure.ts';
import { CONSTRAINT_CHECK, TEXT_CHECK, TYPE_CHECK } from './checks/values.ts';
import { END_MARK_CHECK, HEADER_ONLY_CHECK, LINE_END_CHECK } from './checks/whole-file.ts';

/** What a fault is about: the file as a whole, its header, one of its columns, a row, or one cell. */
export type FaultScope = 'file' | 'header' | 'column' | 'row' | 'cell';

/** One kind of fault, as a reader of reports needs to know it. */
export interface FaultKind {
  readonly type: string;
  readonly scope: FaultScope;
  /** What such a fault says, in one sentence. */
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Never fails a file by itself; `thresholds.warnOn` adds others to these, `failOn` takes some away. */
  readonly onlyWarns?: true;
  /** `thresholds.warnOn` can't name it. */
  readonly alwaysFails?: true;
}

/**
 * Every kind of fault, in the order in which reports count them. The names are the Frictionless framework's where
 * it has one; `stray-quote` and `unclosed-quote` are csvlint's; `header-only`, `record-too-large`, `completeness`
 * and `key-check-incomplete` are ours, since neither has a name for them.
 */
export const FAULT_KINDS = [
  {
    type: 'source-error',
    scope: 'file',
    meaning:
      'The file cannot be judged: it is empty, holds no row, has more than 65,536 labels, or is an archive that is cut off, damaged or over a limit.',
    remedy:
      'Look whether the export or the upload failed; a table as wide as that is probably turned on its side.',
    alwaysFails: true,
  },
  {
    type: 'unsupported-format',
    scope: 'file',
    meaning:
      'The file is not CSV text but a spreadsheet, PDF, Parquet, HTML, JSON or the like, by how it begins, or an archive that is not unpacked.',
    remedy:
      'Deliver CSV text, plain or packed by gzip, zip or zstd; export spreadsheets before the delivery.',
    alwaysFails: true,
  },
  {
    type: 'encoding-error',
    scope: 'cell',
    meaning:
      'A cell holds a NUL byte, or bytes that are not text in the encoding of the file; or the file is UTF-32, or begins otherwise than the declared encoding does.',
    remedy:
      'Export the file as UTF-8, or declare its `encoding` in the dialect: a message says what the byte would be in the encoding that the text probably has.',
  },
  {
    type: 'undeclared-encoding',
    scope: 'file',
    meaning:
      'The file is UTF-16 without a byte order mark, by where its zero bytes are, and was read as such.',
    remedy:
      'Export the file as UTF-8, or declare its `encoding` in the dialect; to refuse such files list `undeclared-encoding` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'byte-order-mark',
    scope: 'file',
    meaning:
      'A byte order mark stands inside the file, as where files were joined; all are counted, the first is listed.',
    remedy:
      'Look whether files were joined, and with them their headers; to refuse such files list `byte-order-mark` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'replacement-character',
    scope: 'file',
    meaning:
      'U+FFFD stands for characters that were lost before the file was written; all are counted, the first is listed.',
    remedy:
      'Export the data anew, with the encoding that it is stored in; to refuse such files list `replacement-character` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'mojibake',
    scope: 'file',
    meaning:
      'Characters are UTF-8 that was read as Windows-1252 or another single-byte encoding and encoded anew, such as Ã© for é or Ð˜ for И; all are counted, the first is listed.',
    remedy:
      'Export the data anew as UTF-8, once; to refuse such files list `mojibake` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'end-of-file-mark',
    scope: 'file',
    meaning:
      'The file ends with the byte 0x1A, which DOS programs wrote as the end of a file; it belongs to the last record.',
    remedy: 'Export the file without it; to refuse such files list `end-of-file-mark` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'mixed-line-ends',
    scope: 'file',
    meaning:
      'Records end in more than one way; those that do not end as most do are counted, and the first record that ends otherwise than those before it is listed.',
    remedy:
      'Write all records in one way; to refuse such files list `mixed-line-ends` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'stray-quote',
    scope: 'cell',
    meaning:
      'A quote character stands inside an unquoted cell, other than around the whole text of a formula, as in ="001", or text follows the quote that closes a cell.',
    remedy: 'Quote the whole cell and double each quote in it, as RFC 4180 has it.',
  },
  {
    type: 'unclosed-quote',
    scope: 'cell',
    meaning:
      'A cell begins with a quote that is never closed; reading goes on at the next cell or line.',
    remedy: 'Close the quote, or quote the whole cell and double each quote in it.',
  },
  {
    type: 'record-too-large',
    scope: 'row',
    meaning:
      'A record is longer than the limit (8 MiB); its rest, to the end of the line, is skipped.',
    remedy:
      'Look for a missing line end or an unclosed quote; long texts belong in files of their own.',
  },
  {
    type: 'incorrect-dialect',
    scope: 'header',
    meaning:
      'The first records are written otherwise than declared, or than a comma and double quotes have it: another delimiter, in all lines or in the header alone, another quote, lines quoted as a whole, lines before the header, or values in its place. Cells are checked by what was found. Without a schema and a declared delimiter or quote it only warns.',
    remedy: 'Export the file as declared, or declare in the dialect what the message names.',
  },
  {
    type: 'sep-line',
    scope: 'file',
    meaning: "The first line is Excel's `sep=` line, which names the delimiter; it is skipped.",
    remedy: 'Remove the line; to refuse such files list `sep-line` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'blank-header',
    scope: 'header',
    meaning: 'All labels of the header are blank.',
    remedy: 'Begin the file with its row of labels, or declare `header: false` in the dialect.',
  },
  {
    type: 'blank-label',
    scope: 'header',
    meaning: 'A label of the header is blank.',
    remedy: 'Give the column its label.',
  },
  {
    type: 'duplicate-label',
    scope: 'header',
    meaning: 'A label comes twice in the header.',
    remedy: 'Rename or remove one of the columns.',
  },
  {
    type: 'missing-label',
    scope: 'header',
    meaning: 'A field of the schema has no label in the header.',
    remedy:
      'Deliver the column, or allow it to be absent by `fieldsMatch`: `superset` or `partial`; a field that is required or in a key never may be.',
  },
  {
    type: 'extra-label',
    scope: 'header',
    meaning: 'A label of the header is not a field of the schema.',
    remedy: 'Add the field to the schema, or allow more columns by `fieldsMatch`: `subset`.',
  },
  {
    type: 'incorrect-label',
    scope: 'header',
    meaning:
      "A label stands where the schema has another field, is written almost as a field's name, or known labels are out of order. Without a schema it only warns, of labels with invisible characters, or with blanks or a formula around them.",
    remedy: 'Correct the label, or allow any order by `fieldsMatch`: `equal`.',
  },
  {
    type: 'header-only',
    scope: 'file',
    meaning: 'The header is followed by no rows.',
    remedy:
      'Find out whether the sender had nothing to deliver; to refuse such files set `minRows`.',
    onlyWarns: true,
  },
  {
    type: 'blank-row',
    scope: 'row',
    meaning: 'A row is blank: an empty line, or delimiters alone.',
    remedy:
      'Remove the row; where the sender cannot, list `blank-row` in `warnOn` and set `maxIncompleteRows`.',
  },
  {
    type: 'missing-cell',
    scope: 'cell',
    meaning: 'A row has fewer cells than the header has labels; one fault for each such row.',
    remedy:
      'Look for a line end inside a cell that is not quoted, and for delimiters that were lost.',
  },
  {
    type: 'extra-cell',
    scope: 'cell',
    meaning: 'A row has more cells than the header has labels; one fault for each such row.',
    remedy: 'Quote cells that hold the delimiter.',
  },
  {
    type: 'repeated-header',
    scope: 'row',
    meaning:
      'A row repeats the header, as where files were joined, perhaps in another letter case or with other blanks and quotes; nothing else of it is judged. Without a schema it only warns.',
    remedy: 'Join files without their headers.',
  },
  {
    type: 'second-header',
    scope: 'row',
    meaning:
      'The row under the header has words where the rows have numbers or dates. It stands for all faults of its cells; without any it only warns.',
    remedy: 'Remove the row, or declare both rows by `headerRows`, or it by `commentRows`.',
  },
  {
    type: 'total-row',
    scope: 'row',
    meaning:
      'The last row looks like a total of the others. It stands for all faults of its cells; without any that fails it only warns.',
    remedy: 'Leave totals out, or declare them by `footerRows`.',
  },
  {
    type: 'type-error',
    scope: 'cell',
    meaning: "A value is not of its field's type and format.",
    remedy: "Correct the value, the field's type or `format`, or list the text in `missingValues`.",
  },
  {
    type: 'constraint-error',
    scope: 'cell',
    meaning: 'A value breaks a constraint of its field, or a required value is null.',
    remedy: 'Correct the value, or the constraint that the message names.',
  },
  {
    type: 'padded-value',
    scope: 'cell',
    meaning: 'A text begins or ends with blanks; the first of each column is listed.',
    remedy: 'Trim the value; to refuse such files list `padded-value` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'blank-value',
    scope: 'cell',
    meaning:
      'A cell of text holds blanks only, which counts as null: in a required field or a primary key it is at fault. The first of each column is listed.',
    remedy:
      'Deliver the value or an empty cell; to refuse such files list `blank-value` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'scientific-notation',
    scope: 'cell',
    meaning:
      'A value of no numeric type is a number such as 2.01E+16, as a spreadsheet writes those of more than eleven digits, the last of them lost. The first of each column is listed.',
    remedy:
      'Export the column as text from where the data comes from, not from a spreadsheet; to refuse such files list `scientific-notation` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'formula-value',
    scope: 'cell',
    meaning:
      'A text is wrapped in a formula, as in ="001", to keep a spreadsheet from reading it as a number. The first of each column is listed.',
    remedy: 'Deliver the text alone; to refuse such files list `formula-value` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'spreadsheet-error',
    scope: 'cell',
    meaning:
      'A text is what a spreadsheet shows for a value that it could not compute, such as #REF!. The first of each column is listed.',
    remedy:
      'Mend the formula in the spreadsheet, or list the text in `missingValues`; to refuse such files list `spreadsheet-error` in `failOn`.',
    onlyWarns: true,
  },
  {
    type: 'unique-error',
    scope: 'cell',
    meaning: 'A value of a unique field, or of a unique key, came in an earlier row.',
    remedy: 'Remove the duplicate; the message names the record that had the value first.',
  },
  {
    type: 'primary-key',
    scope: 'cell',
    meaning: 'A primary key came in an earlier row, or one of its fields is null.',
    remedy: 'Remove the duplicate, or fill in the key.',
  },
  {
    type: 'foreign-key',
    scope: 'cell',
    meaning:
      'A foreign key has a value that no row of the file that it refers to has in those fields.',
    remedy: 'Deliver the row that is referred to, or correct the value.',
  },
  {
    type: 'table-dimensions',
    scope: 'file',
    meaning: 'The file has fewer or more rows than RowCount, `minRows` or `maxRows` allow.',
    remedy: 'Find out whether the delivery was cut off or doubled, or correct the limit.',
  },
  {
    type: 'row-count-change',
    scope: 'file',
    meaning:
      'The number of rows differs from that of the last accepted deliveries by more than RowCountChange allows.',
    remedy: 'Ask the sender whether the data has changed so much, or correct the limit.',
  },
  {
    type: 'byte-count',
    scope: 'file',
    meaning: 'The file has fewer or more bytes than FileSize allows.',
    remedy: 'Find out whether the delivery was cut off or doubled, or correct the limit.',
  },
  {
    type: 'completeness',
    scope: 'column',
    meaning: 'A column has too few values that are not null, or is absent.',
    remedy: 'Ask the sender for the missing values, or correct the limit.',
  },
  {
    type: 'column-values',
    scope: 'column',
    meaning: 'Too few values of a column keep the constraints of ColumnValues, or it is absent.',
    remedy: 'Look at the values of the column with the sender, or correct constraints or limit.',
  },
  {
    type: 'distinct-values',
    scope: 'column',
    meaning: 'A column has fewer or more different values than DistinctValuesCount allows.',
    remedy: 'Look whether one site or one kind of row is missing or new, or correct the limit.',
  },
  {
    type: 'data-freshness',
    scope: 'column',
    meaning:
      'A column has too few dates or times that are as new as DataFreshness wants them, or is absent.',
    remedy: 'Ask the sender whether an old extract was sent, or correct the limit.',
  },
  {
    type: 'file-freshness',
    scope: 'file',
    meaning:
      'The delivery came sooner or later after the last accepted one than FileFreshness allows.',
    remedy: 'Ask the sender what became of the deliveries between, or correct the limit.',
  },
  {
    type: 'schema-drift',
    scope: 'column',
    meaning:
      'A column was added, lost, renamed or has values of another type since the last accepted delivery.',
    remedy:
      'Ask the sender about the change; where it is meant, let the rule only warn until a delivery that has it was accepted.',
  },
  {
    type: 'duplicate-delivery',
    scope: 'file',
    meaning: 'The bytes are those of a delivery that was accepted before.',
    remedy: 'Ask the sender for the delivery that was meant, or list the fault in `warnOn`.',
  },
  {
    type: 'sensitive-column',
    scope: 'column',
    meaning:
      "A column is declared public, and its values look like Social Security numbers, e-mail addresses, telephone or payment card numbers, or are, by the field's name, dates of birth or driver's licences.",
    remedy:
      'Declare `classification: sensitive` or `internal`; where the values are meant to be public, nothing: it only warns.',
    onlyWarns: true,
  },
  {
    type: 'key-check-incomplete',
    scope: 'file',
    meaning:
      'The file has more keys than can be remembered where it was judged, in a program without scratch space such as a browser: duplicates may have gone unseen.',
    remedy: 'Let the listener or `file-processing validate` judge it, or deliver smaller files.',
    alwaysFails: true,
  },
] as const satisfies readonly FaultKind[];

export type FaultType = (typeof FAULT_KINDS)[number]['type'];

export const FAULT_TYPES: readonly FaultType[] = FAULT_KINDS.map(({ type }) => type);

/** Those that the structure of the file, of its header or of a row has: in reports they come before those of values. */
export const STRUCTURAL_FAULTS: ReadonlySet<FaultType> = new Set(
  FAULT_TYPES.slice(0, FAULT_TYPES.indexOf('type-error')),
);

/** Faults that no threshold makes a warning of. */
export const ALWAYS_FAIL: readonly FaultType[] = FAULT_KINDS.filter(
  (kind) => 'alwaysFails' in kind,
).map(({ type }) => type);

/** Faults that by themselves never fail a file. */
export const ALWAYS_WARN: readonly FaultType[] = FAULT_KINDS.filter(
  (kind) => 'onlyWarns' in kind,
).map(({ type }) => type);

/** The thresholds of all checks; those of the verdict are in thresholds.ts. */
export interface CheckThresholds extends DeliveryThresholds {}

/** Every check, in the order in which a stage asks them. */
export const CHECKS: readonly Check<FaultType, CheckThresholds>[] = [
  SOURCE_CHECK,
  SIZE_CHECK,
  ENCODING_CHECK,
  QUOTE_CHECK,
  BLANK_ROW_CHECK,
  CELL_COUNT_CHECK,
  NO_DATA_CHECK,
  DIALECT_CHECK,
  HEADER_CHECK,
  TYPE_CHECK,
  CONSTRAINT_CHECK,
  TEXT_CHECK,
  SIGN_CHECK,
  END_MARK_CHECK,
  LINE_END_CHECK,
  HEADER_ONLY_CHECK,
  DELIVERY_CHECK,
  REFERENCE_CHECK,
  SENSITIVE_CHECK,
  // The last one: of a key that is compared later it notes what its row has.
  KEY_CHECK,
  FOREIGN_KEY_CHECK,
];
