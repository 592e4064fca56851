import type { InspectedFile } from './checks/check.ts';
import { NO_HEADER } from './checks/dialect.ts';
import { looksLikeTotal } from './checks/no-data.ts';
import { END_OF_FILE_MARK } from './checks/whole-file.ts';
import { type Classification, mostSensitive } from './classification.ts';
import { type FoundDialect, isTyped } from './dialect-finder.ts';
import type { FaultType } from './faults.ts';
import type { FieldType } from './field-type.ts';
import type { Fault, FaultLog, ListedRow } from './findings.ts';
import { encodeText, isSpreadsheetError } from './text.ts';
import { DAY_MS } from './types/cell-type.ts';
import { showDate } from './types/datetime.ts';

/** What explains several faults, or one that looks like another. It changes no verdict, and no total. */
export interface Diagnosis {
  /** One of {@link DIAGNOSES}. */
  readonly kind: string;
  /** What is the matter, without any text of the file. */
  readonly sentence: string;
  /** What speaks for it, which may quote the file; null where the sentence says it all. */
  readonly evidence: string | null;
  /** Faults that it explains; they are in the totals as well. */
  readonly faults: number;
  readonly remedy: string;
  /** How sensitive the evidence is, as of a fault's texts. */
  readonly classification: Classification | null;
}

/** What a diagnosis is made of. */
export interface DiagnosisEvidence {
  readonly log: FaultLog;
  readonly file: InspectedFile;
  readonly dialect: FoundDialect | undefined;
  /** Ends of the last lines of the text, the last one last, which is empty where a line end comes last. */
  readonly lastLines: readonly string[];
  /** Whether the text ends in the middle of a character of UTF-8, and not in one of another encoding. */
  readonly cutsCharacter: boolean;
}

interface Finding {
  readonly sentence: string;
  readonly faults: number;
  /** A fault whose text is the evidence. */
  readonly example?: Fault | undefined;
  readonly evidence?: string | undefined;
  /** @default that of the kind */
  readonly remedy?: string;
}

interface DiagnosisKind {
  readonly kind: string;
  readonly remedy: string;
  readonly find: (evidence: DiagnosisEvidence) => Finding | undefined;
}

/** What to do about a table that is wider than any is meant to be. */
const TURNED = 'Look whether the table is turned on its side: each record is a row.';

/** Diagnoses of a report. */
const MOST = 3;

const DECIMAL_COMMA = /^[-+]?(?:\d{1,3}(?:[. ]\d{3})+|\d+),\d+$/;
/** Numbers in which commas may part groups of three digits alone. */
const COMMA_GROUPS = /^[-+]?\d{1,3}(?:,\d{3})+$/;
/** Groups of three digits with one character between them, and perhaps decimals. */
const GROUPED = /^[-+]?\d{1,3}([,. '\u00a0\u202f])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d+)?$/;
/** A time of day may follow. */
const SLASHED_DATE =
  /^(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?(?:[T ,]+\d{1,2}:\d{2}[\d:.]*(?: ?[AP]M)?(?:Z|[-+][\d:]+)?)?$/i;
const YEAR = /^(?:19|20)\d\d$/;
/** From 1927 to 2064, perhaps with a time as a fraction. */
const SERIAL_DAY = /^([1-5]\d{4})(?:[.,]\d+)?$/;
/** The day that spreadsheets call 25569, in milliseconds since 1970, is 0. */
const SERIAL_DAY_OF_1970 = 25_569;
/** A day in the place of the month, and a month in that of the day. */
const SWAPPED_DATE = /^\d{4}-(1[3-9]|2\d|3[01])-(0[1-9]|1[0-2])(?![\d-])/;
const SCIENTIFIC = /^-?\d(?:[.,]\d+)?E\+\d+$/i;
const SMART_QUOTE = /[\u201c-\u201f\u00ab\u00bb\u300c-\u300f]/;
/** Single ones are apostrophes as well: they count in pairs alone. */
const OPENING_QUOTE = /^\s*[\u2018\u201a-\u201f\u2039\u00ab\u00bb\u300c\u300e]/;
const CLOSING_QUOTE = /[\u2018\u2019\u201c\u201d\u203a\u00ab\u00bb\u300d\u300f]\s*$/;
const BYTE_ORDER_MARK = '\ufeff';
const BYTE_ORDER_MARK_BYTES = 3;
/** What sqlcmd, psql, SQL*Plus, mysql, Db2, Informix, Hive and Snowflake write under a result. */
const ROW_COUNT =
  /^(?:\(\d+ rows?(?:\(s\))?(?: affected)?\)|(?:Query OK, )?(?:\d+|no) (?:rows?|row\(s\)) (?:affected|selected\.?|retrieved\.?|in set)(?:, \d+ warnings?)?(?: \([\d.]+ sec(?:onds)?\))?|\d+ record\(s\) selected\.?|\d+ row\(s\) produced\.(?: time elapsed: [\d.]+s)?|time taken: [\d.]+ seconds, fetched: \d+ row\(s\)|empty set(?: \([\d.]+ sec\))?)$/i;
/** What SQL Server Management Studio writes last, with row counts and without. */
const COMPLETION_TIME = /^Completion time: \d{4}-\d\d-\d\dT[\d:.]+(?:Z|[-+]\d\d:\d\d)?$/;
/** What psql and SQL*Plus write behind a row count where they shall say how long it took. */
const ELAPSED_TIME = /^(?:Time: [\d.,]+ ms(?: \([\d:.]+\))?|Elapsed: [\d:.]+)$/;

/** Types whose values have a day. */
const DAYS: readonly FieldType[] = ['date', 'datetime'];
const NUMBERS: readonly FieldType[] = ['integer', 'number'];

/** Ways to write values that are none of a field's type and format, beside dates of another order and decimal commas. */
const VALUE_FORMS: readonly {
  readonly kind: 'date-form' | 'number-form' | 'boolean-form';
  /** Of the fields. */
  readonly types: readonly FieldType[];
  readonly sentence: string;
  readonly remedy: string;
  readonly pattern: RegExp;
}[] = [
  {
    kind: 'date-form',
    types: DAYS,
    sentence: 'Dates are serial numbers of a spreadsheet, days since the end of 1899.',
    remedy: 'Format the column as dates in the spreadsheet (yyyy-mm-dd) before it is saved as CSV.',
    pattern: SERIAL_DAY,
  },
  {
    kind: 'date-form',
    types: DAYS,
    sentence: 'Times are seconds or milliseconds since 1970.',
    remedy: 'Write dates and times as ISO 8601 has them, as in 2024-03-22T14:05:00Z.',
    // From 2001 to 2033: before and after are numbers of telephones and of social security.
    pattern: /^1\d{9}(?:\d{3})?$/,
  },
  {
    kind: 'date-form',
    types: DAYS,
    sentence: 'Dates are written without hyphens.',
    remedy: "Write 2024-03-22 for 20240322, or declare the field's `format`, such as `%Y%m%d`.",
    pattern: /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[T ]?\d{4}(?:\d\d)?Z?)?$/,
  },
  {
    kind: 'date-form',
    types: ['date'],
    sentence: 'Dates have a time behind them.',
    remedy: "Export the dates alone, or declare the field's `type` as `datetime`.",
    pattern: /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/,
  },
  {
    kind: 'date-form',
    types: ['datetime'],
    sentence: 'A blank stands between date and time, in place of T.',
    remedy: "Write T between them, or declare the field's `format`, such as `%Y-%m-%d %H:%M:%S`.",
    pattern: /^\d{4}-\d\d-\d\d \d\d:\d\d/,
  },
  {
    kind: 'date-form',
    types: ['datetime'],
    sentence: 'Dates have no time behind them.',
    remedy: "Export the times as well, or declare the field's `type` as `date`.",
    pattern: /^\d{4}-\d\d-\d\d$/,
  },
  {
    kind: 'date-form',
    types: DAYS,
    sentence: 'Dates are year/month/day, without hyphens between them.',
    remedy: "Write 2024-03-22, or declare the field's `format`, such as `%Y/%m/%d`.",
    pattern: /^\d{4}([/.])\d\d?\1\d\d?(?!\d)/,
  },
  {
    kind: 'date-form',
    types: DAYS,
    sentence: 'Months and days have no leading zeros.',
    remedy: 'Write 2024-03-02 for 2024-3-2.',
    pattern: /^\d{4}-(?:\d-\d\d?|\d\d-\d)(?!\d)/,
  },
  {
    kind: 'date-form',
    types: DAYS,
    sentence: 'Months are written as names.',
    remedy: "Write months as numbers, or declare the field's `format`, such as `%d-%b-%Y`.",
    pattern:
      /^(?:\p{L}{2,9}\.?,? )?(?:\d\d?\.?[- /]?(?:de )?\p{L}{3,10}\.?,?[- /]?(?:de )?\d{2}(?:\d\d)?|\p{L}{3,10}\.?[- ]\d\d?,?[- ]\d{4})(?!\d)/u,
  },
  {
    kind: 'number-form',
    types: ['integer'],
    sentence: 'Whole numbers have decimals that are zero.',
    remedy: "Export the numbers without decimals, or declare the field's `type` as `number`.",
    pattern: /^[-+]?\d+[.,]0+$/,
  },
  {
    kind: 'number-form',
    types: NUMBERS,
    sentence: 'Numbers have a currency or a percent sign.',
    remedy: "Write numbers alone, or declare the field's `bareNumber` as `false`.",
    pattern: /^[-+(]*\s*(?:\p{Sc}\s*[-+]?[\d.,\u00a0 ]*\d|\d[\d.,\u00a0 ]*\s*[\p{Sc}%])\)?$/u,
  },
  {
    kind: 'number-form',
    types: NUMBERS,
    sentence: 'The minus of negative numbers stands behind them, or they are in brackets.',
    remedy: 'Write the minus in front of the number.',
    pattern: /^(?:\d[\d.,]*\s?-|\(\d[\d.,]*\))$/,
  },
  {
    kind: 'boolean-form',
    types: ['boolean'],
    sentence: 'Booleans are written as yes and no, or the like.',
    remedy: "Declare the field's `trueValues` and `falseValues`, such as `Y` and `N`.",
    pattern: /^(?:y|n|t|f|j|o|s|x|yes|no|on|off|ja|nein|oui|non|s[ií]|wahr|falsch|vrai|faux)$/i,
  },
];

/** Every diagnosis, those first that go before others which explain as many faults. */
export const DIAGNOSES: readonly DiagnosisKind[] = [
  {
    kind: 'unsupported-format',
    remedy: 'Deliver plain CSV text.',
    find: ({ log }) => whole(log, 'unsupported-format'),
  },
  {
    kind: 'source-error',
    remedy: 'Look whether the export or the transfer failed, and deliver the whole file.',
    find({ log }) {
      const found = whole(log, 'source-error');
      const isTooWide = found?.sentence.includes('labels; at most') === true;
      return found && isTooWide ? { ...found, remedy: TURNED } : found;
    },
  },
  {
    kind: 'undeclared-encoding',
    remedy: 'Export the file as UTF-8, or declare its encoding in the dialect.',
    find: ({ log }) => whole(log, 'undeclared-encoding'),
  },
  {
    kind: 'declared-encoding',
    remedy: 'Declare the encoding that the file has, or export it in the declared one.',
    find({ log, file }) {
      const fault = log.sample.find(({ type, record }) => {
        return type === 'encoding-error' && record === null;
      });
      if (fault === undefined) return undefined;
      const { contradicts, encoding } = file.text;
      const sentence = fault.message;
      const isOrder = contradicts?.startsWith('utf-16') && encoding.startsWith('utf-16');
      if (!isOrder) return { sentence, faults: 1 };
      const remedy =
        'Declare {"encoding": "utf-16"} in the dialect, which follows the byte order mark of each file, or export the file in the declared byte order.';
      return { sentence, faults: 1, remedy };
    },
  },
  {
    kind: 'windows-1252',
    remedy: 'Export the file as UTF-8, or declare {"encoding": "windows-1252"} in the dialect.',
    find({ log, cutsCharacter }) {
      if (cutsCharacter && log.total('encoding-error') === 1) return undefined;
      const found = guessedEncoding(log);
      return found?.name === WINDOWS_1252 ? found : undefined;
    },
  },
  {
    kind: 'other-encoding',
    remedy: 'Export the file as UTF-8: this encoding cannot be declared.',
    find({ log, cutsCharacter }) {
      if (cutsCharacter && log.total('encoding-error') === 1) return undefined;
      const found = guessedEncoding(log);
      return found?.name === WINDOWS_1252 ? undefined : found;
    },
  },
  dialectKind('delimiter'),
  dialectKind('header-delimiter'),
  dialectKind('quoted-lines'),
  dialectKind('quote'),
  dialectKind('header-row'),
  {
    kind: 'sep-line',
    remedy: 'Remove the line.',
    find: ({ log }) => whole(log, 'sep-line'),
  },
  {
    kind: 'joined-files',
    remedy:
      'Deliver the files one by one, or join them without their byte order marks and headers.',
    find({ log }) {
      const [mark] = log.sample.filter(({ type }) => type === 'byte-order-mark');
      const begun = matching(log, ['type-error', 'constraint-error'], ({ value }) =>
        startsWith(value, BYTE_ORDER_MARK),
      );
      if (mark === undefined) return undefined;
      if (log.total('byte-order-mark') === 1 && mark.byte === BYTE_ORDER_MARK_BYTES) {
        const sentence = 'The file begins with two byte order marks.';
        return { sentence, faults: 1, remedy: 'Write one byte order mark, or none.' };
      }
      const sentence = `A byte order mark stands inside the file, in line ${mark.line}: files were probably joined.`;
      return { sentence, faults: log.total('byte-order-mark') + begun.faults };
    },
  },
  {
    kind: 'label-spelling',
    remedy: 'Write the labels as the schema has its fields.',
    find({ log }) {
      const found = matching(log, ['incorrect-label'], ({ message }) =>
        message.startsWith('Labels are written otherwise'),
      );
      if (found.example === undefined) return invisibleLabels(log);
      const only = /, in (.*?) only:/.exec(found.example.message)?.[1] ?? 'how they are written';
      const sentence = `Labels differ from the schema's fields in ${only} only.`;
      return { ...found, sentence, evidence: found.example.message };
    },
  },
  {
    kind: 'label-order',
    remedy: "Put the columns in the schema's order, or allow any by `fieldsMatch`: `equal`.",
    find({ log }) {
      const found = matching(log, ['incorrect-label'], ({ message }) =>
        message.includes(' are in another order than '),
      );
      if (found.example === undefined) return undefined;
      const sentence = "The columns are in another order than the schema's fields.";
      return { ...found, sentence, evidence: found.example.message };
    },
  },
  {
    kind: 'no-header',
    remedy:
      'Put a header with the names of the fields before it, or declare {"header": false} in the dialect.',
    find({ log, file: { columns = [], schema } }) {
      const isSeen = log.sample.some(({ message }) => message === NO_HEADER);
      if (isSeen) return { sentence: NO_HEADER, faults: 1 };
      const { fields = [] } = schema ?? {};
      const faults = log.total('incorrect-label');
      if (faults < columns.length || fields.length !== columns.length) return undefined;
      const typed = fields.flatMap((field, at) => {
        const isTyped = field.type !== 'string' && field.type !== 'any';
        return isTyped ? [{ field, text: encodeText(columns[at]?.label ?? '') }] : [];
      });
      const areValues = typed.every(
        ({ field, text }) => !Number.isNaN(field.cell.read(text, 0, text.length)),
      );
      // A schema of texts does not tell: one number or day among the labels does, but for a year, which may be a label.
      const isTold =
        typed.length > 0 || columns.some(({ label }) => isTyped(label) && !YEAR.test(label));
      if (!isTold || !areValues) return undefined;
      const sentence = 'The file has no header: in its place are values of the fields.';
      return { sentence, faults };
    },
  },
  {
    kind: 'trailing-delimiter',
    remedy: 'Export the rows without a delimiter behind the last cell, or the header with one.',
    find({ log }) {
      const found = matching(log, ['extra-cell'], ({ value }) => value === '');
      const sentence = 'Rows end with a delimiter, and the header does not.';
      // One may be a cell too many.
      return found.matched < 2 ? undefined : { sentence, faults: found.faults };
    },
  },
  {
    kind: 'trailing-columns',
    remedy: 'Export only the columns and rows that are in use: mark them before saving.',
    find({ log, file }) {
      const { columns = [], readRows } = file;
      let first = columns.length;
      while (first > 0 && isEmpty(columns[first - 1], readRows)) first--;
      const count = columns.length - first;
      if (count === 0) return undefined;
      const blank = sum(columns.slice(first), (_, at) => log.totalOf('blank-label', first + at));
      if (blank === 0) return undefined;
      const rows = log.sample.some(({ type }) => type === 'blank-row') ? log.total('blank-row') : 0;
      const also = rows === 0 ? '' : ` and ${counted(rows, 'row')}`;
      const are = count + rows === 1 ? 'is' : 'are';
      const what = count === 1 ? 'column' : counted(count, 'column');
      const sentence = `The last ${what}${also} ${are} empty.`;
      return { sentence, faults: blank + rows };
    },
  },
  {
    kind: 'trailing-rows',
    remedy: 'Remove them, or export only the rows that are in use.',
    find(evidence) {
      const { log, file, lastLines } = evidence;
      const count = log.total('blank-row');
      const [first] = blankRecords(log);
      // One is a line end too many, which the fault says itself.
      if (count < 2 || first === undefined || first + count - 1 !== file.records) return undefined;
      if (clientFooter(lastLines) !== undefined || totalAboveBlanks(evidence) !== undefined) {
        return undefined;
      }
      if (isEmpty(file.columns?.at(-1), file.readRows)) return undefined;
      return { sentence: `The last ${counted(count, 'row')} are blank.`, faults: count };
    },
  },
  {
    kind: 'line-ends',
    remedy: 'Write the file in binary mode, or with one line end only: CR LF became CR CR LF.',
    find({ log, file: { lineEnds } }) {
      const { cr, crlf, lf } = lineEnds;
      const rows = log.total('blank-row');
      const faults = rows + log.total('mixed-line-ends');
      // A blank row or two are not a pattern, and neither are those that follow each other.
      if (rows < 3 || rows < (cr + crlf + lf) / 2 - 1 || !alternate(log)) return undefined;
      if (lf === 0 && cr > 0 && Math.abs(cr - crlf) <= 1) {
        const sentence = 'Lines end with CR CR LF, so that a blank row follows each of them.';
        return { sentence, faults };
      }
      if (crlf === 0 && cr > 0 && Math.abs(cr - lf) <= 1) {
        const sentence = 'Lines end with LF CR, so that a blank row follows each of them.';
        return {
          sentence,
          faults,
          remedy: 'Write the file with LF or CR LF at the ends of lines.',
        };
      }
      const sentence = 'A blank row follows each line.';
      return { sentence, faults, remedy: 'Write one line end, not two, after each row.' };
    },
  },
  {
    kind: 'backslash-escapes',
    remedy:
      'Double the quotes in quoted cells, or declare {"escapeChar": "\\\\", "quoteChar": "\\""} in the dialect.',
    find: ({ log }) =>
      quoteTrouble(log, /\\"/, 'Quotes are escaped by backslashes, and not doubled.'),
  },
  {
    kind: 'formula-quotes',
    remedy:
      'Export the values themselves: ="001" is a formula of spreadsheets, and its quotes are not quotes of CSV.',
    find({ log }) {
      const sentence = 'Values are written as formulas of spreadsheets.';
      const broken = quoteTrouble(log, /^="/, sentence);
      const found = matching(
        log,
        ['type-error', 'constraint-error', 'formula-value'],
        ({ value }) => startsWith(value, '="'),
      );
      const faults = (broken?.faults ?? 0) + found.faults;
      return faults === 0 ? undefined : { ...found, ...broken, sentence, faults };
    },
  },
  {
    kind: 'blank-before-quote',
    remedy: 'Remove the blanks, or declare {"skipInitialSpace": true} in the dialect.',
    find: ({ log }) =>
      quoteTrouble(log, /^[ \t]+"/, 'Blanks stand before the quotes that open cells.'),
  },
  {
    kind: 'smart-quotes',
    remedy: 'Quote cells by ", not by typographic quotes.',
    find({ log }) {
      const found = matching(
        log,
        ['extra-cell', 'missing-cell'],
        ({ value, record }) => SMART_QUOTE.test(value ?? '') || isTorn(log.rowOf(record)),
      );
      const sentence = 'Typographic quotes stand around cells; they do not quote.';
      return found.faults === 0 ? undefined : { ...found, sentence };
    },
  },
  {
    kind: 'end-of-file-mark',
    remedy: 'Remove the last byte, 0x1A, which DOS programs wrote as the end of a file.',
    find({ log, file }) {
      if (file.lastByte !== END_OF_FILE_MARK) return undefined;
      const faults = log.sample.filter(({ record }) => record === file.records).length;
      return { sentence: 'The file ends with the end-of-file mark of DOS.', faults };
    },
  },
  {
    kind: 'truncated',
    remedy: 'Look whether the export or the transfer broke off, and deliver the whole file.',
    find({ log, file, lastLines, cutsCharacter }) {
      const { lastByte } = file;
      if (clientFooter(lastLines) !== undefined) return undefined;
      if (lastByte < 0 || lastByte === 0x0a || lastByte === 0x0d) return undefined;
      const types: FaultType[] = ['missing-cell', 'unclosed-quote'];
      if (cutsCharacter && log.total('encoding-error') === 1) types.push('encoding-error');
      const last = log.sample.filter(
        ({ type, record }) => record === file.records && types.includes(type),
      );
      if (last.length === 0 || lastByte === END_OF_FILE_MARK) return undefined;
      const sentence = `The file is truncated: it ends in the middle of record ${file.records}.`;
      return { sentence, faults: last.length };
    },
  },
  {
    kind: 'row-count',
    remedy:
      'Export without row counts (SET NOCOUNT ON, \\pset footer off, SET FEEDBACK OFF), or remove them.',
    find({ log, file: { columns = [], records }, lastLines }) {
      const footer = clientFooter(lastLines);
      if (footer === undefined) return undefined;
      const first = records - footer.records;
      const listed = log.sample.filter(({ record }) => record !== null && record > first);
      const blank = log.sample.filter(({ type, record }) => {
        return type === 'blank-row' && record === first;
      });
      // One cell is too few for several columns, whether or not there was room to list it.
      const faults = Math.max(listed.length + blank.length, columns.length > 1 ? 1 : 0);
      return {
        sentence: footer.sentence,
        faults,
        evidence: `${JSON.stringify(footer.text)} in record ${first + 1}`,
      };
    },
  },
  rowKind(
    'total-row',
    'Leave totals out, or declare {"footerRows": 1} in the dialect.',
    () => 'The last row looks like a total.',
  ),
  {
    kind: 'total-row',
    remedy: 'Leave totals and blank rows out, or declare how many there are by `footerRows`.',
    find: totalAboveBlanks,
  },
  rowKind(
    'repeated-header',
    'Join files without their headers.',
    (record) => `Record ${record} repeats the header.`,
  ),
  rowKind(
    'second-header',
    'Remove the row, or declare it by `headerRows` or `commentRows`.',
    (record) => `Record ${record} looks like a second header.`,
  ),
  {
    kind: 'scientific-notation',
    remedy: 'Export the column as text from where the data comes from, not from a spreadsheet.',
    find({ log }) {
      const found = matching(log, ['type-error', 'scientific-notation'], ({ value }) =>
        SCIENTIFIC.test(value ?? ''),
      );
      const sentence =
        'Long numbers, such as ids, are in scientific notation: their last digits are lost.';
      return found.faults === 0 ? undefined : { ...found, sentence };
    },
  },
  {
    kind: 'spreadsheet-errors',
    remedy: 'Mend the formulas in the spreadsheet, or widen its columns, and export it anew.',
    find({ log }) {
      const found = matching(log, ['type-error', 'spreadsheet-error'], ({ value }) =>
        isSpreadsheetError(value ?? ''),
      );
      const sentence = 'A spreadsheet wrote errors in place of values.';
      return found.faults === 0 ? undefined : { ...found, sentence };
    },
  },
  {
    kind: 'decimal-comma',
    remedy: 'Write a decimal point, or declare `decimalChar` and `groupChar` of the field.',
    find({ log, file, dialect }) {
      const found = decimalCommas(log, file);
      const sentence = 'Numbers have a decimal comma.';
      if (found.faults > 0) return { ...found, sentence };
      // Where no type is at fault, they are why the file is delimited otherwise.
      const isDelimited = dialect?.differences.some((one) => one.kind === 'delimiter') === true;
      return isDelimited && hasDecimalCommas(dialect) ? { sentence, faults: 1 } : undefined;
    },
  },
  {
    kind: 'digit-groups',
    remedy:
      'Put `groupChar` between groups of three digits only, or leave it out; if it separates decimals, declare it as `decimalChar`.',
    find({ log, file }) {
      const found = matching(log, ['type-error'], (fault) => isMisgrouped(file, fault));
      const sentence = 'Digits of numbers are not in groups of three.';
      if (found.faults > 0) return { ...found, sentence };
      if (decimalCommas(log, file).faults > 0) return undefined;
      const grouped = matching(log, ['type-error'], (fault) => isGrouped(file, fault));
      if (grouped.faults === 0) return undefined;
      return {
        ...grouped,
        sentence: 'Digits of numbers are in groups of three.',
        remedy: "Write numbers without group characters, or declare the field's `groupChar`.",
      };
    },
  },
  {
    kind: 'date-order',
    remedy: "Write dates as the schema has them, or declare the field's `format`.",
    find({ log, file }) {
      const found = matching(
        log,
        ['type-error'],
        (fault) => isDay(file, fault) && SLASHED_DATE.test(fault.value ?? ''),
      );
      if (found.faults === 0) return undefined;
      return { ...found, sentence: dateSentence(found.values) };
    },
  },
  {
    kind: 'date-order',
    remedy: "Write dates as the schema has them, or declare the field's `format`.",
    find({ log, file }) {
      const found = matching(
        log,
        ['type-error'],
        (fault) => isDay(file, fault) && SWAPPED_DATE.test(fault.value ?? ''),
      );
      const sentence = 'Day and month are swapped in dates.';
      return found.faults === 0 ? undefined : { ...found, sentence };
    },
  },
  ...VALUE_FORMS.map(({ kind, types, sentence, remedy, pattern }): DiagnosisKind => {
    return {
      kind,
      remedy,
      find({ log, file }) {
        const found = matching(log, ['type-error'], (fault) => {
          const isMeant = types.some((type) => isOf(file, fault, type));
          return isMeant && pattern.test(fault.value ?? '');
        });
        if (found.faults === 0) return undefined;
        const day = SERIAL_DAY.exec(found.example?.value ?? '')?.[1];
        const meant =
          day === undefined || pattern !== SERIAL_DAY ? '' : `, which is ${serialDay(Number(day))}`;
        return { ...found, sentence, evidence: `${exampleText(found.example)}${meant}` };
      },
    };
  }),
];

/**
 * The diagnoses of a file, those first that explain most faults; none of what has no fault. They only group what is
 * counted one by one.
 */
export function diagnose(evidence: DiagnosisEvidence): Diagnosis[] {
  const found = DIAGNOSES.flatMap(({ kind, remedy, find }): Diagnosis[] => {
    const finding = find(evidence);
    if (finding === undefined || finding.faults === 0) return [];
    const { sentence, faults, example } = finding;
    const text = finding.evidence ?? exampleText(example);
    return [
      {
        kind,
        sentence,
        evidence: text ?? null,
        faults,
        remedy: finding.remedy ?? remedy,
        classification: example === undefined ? mostSensitive([]) : example.classification,
      },
    ];
  });
  return found.sort((a, b) => b.faults - a.faults).slice(0, MOST);
}

function dialectKind(kind: string): DiagnosisKind {
  return {
    kind,
    remedy: '',
    find({ dialect }) {
      const difference = dialect?.differences.find((one) => one.kind === kind);
      if (difference === undefined) return undefined;
      return { sentence: difference.sentence, remedy: difference.remedy, faults: 1 };
    },
  };
}

/** A kind of row that is none of data. */
function rowKind(
  kind: FaultType,
  remedy: string,
  sentence: (record: number) => string,
): DiagnosisKind {
  return {
    kind,
    remedy,
    find({ log }) {
      const fault = log.sample.find(({ type }) => type === kind);
      if (fault === undefined) return undefined;
      return { sentence: sentence(fault.record ?? 0), faults: log.total(kind) };
    },
  };
}

/** A fault of the whole file that says itself what is the matter. */
function whole(log: FaultLog, type: FaultType): Finding | undefined {
  const fault = log.sample.find((one) => one.type === type);
  if (fault === undefined) return undefined;
  return { sentence: fault.plainMessage ?? fault.message, faults: log.total(type) };
}

interface Matching {
  readonly faults: number;
  /** Of the sample alone. */
  readonly matched: number;
  readonly example: Fault | undefined;
  readonly values: readonly string[];
}

/**
 * Faults of some kinds that fit. Where all of a column that are known in full do, all others are taken to do so as
 * well, else only those.
 */
function matching(
  log: FaultLog,
  types: readonly FaultType[],
  fits: (fault: Fault) => boolean,
): Matching {
  const groups = new Map<string, Fault[]>();
  for (const fault of log.sample) {
    if (!types.includes(fault.type)) continue;
    const group = `${fault.type} ${fault.field}`;
    groups.set(group, [...(groups.get(group) ?? []), fault]);
  }
  let faults = 0;
  const all: Fault[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    const fitting = group.filter(fits);
    all.push(...fitting);
    const entire = fitting.length === group.length && first !== undefined;
    faults += entire ? log.totalOf(first.type, (first.field ?? 0) - 1) : fitting.length;
  }
  const values = all.flatMap(({ value }) => value ?? []);
  return { faults, matched: all.length, example: all[0], values };
}

const WINDOWS_1252 = 'Windows-1252';
const GUESSED = / In (.+?) it would be /;

/** What the text is in where it is not UTF-8, by the last fault that says so: it knows most of the file. */
function guessedEncoding(log: FaultLog): (Finding & { name: string }) | undefined {
  const found = matching(log, ['encoding-error'], ({ message }) => GUESSED.test(message));
  const last = log.sample.findLast(({ type, message }) => {
    return type === 'encoding-error' && GUESSED.test(message);
  });
  const name = GUESSED.exec(last?.message ?? '')?.[1];
  if (last === undefined || name === undefined) return undefined;
  const sentence = `The text is not UTF-8 but probably ${name}.`;
  const example = log.sample.find(({ message }) => GUESSED.exec(message)?.[1] === name);
  return { ...found, example, name, sentence, evidence: example?.message };
}

/** Whether a cell of a row begins with a typographic quote, and only a later one ends with one. */
function isTorn(row: ListedRow | undefined): boolean {
  const cells = row?.cells ?? [];
  const first = cells.findIndex((cell) => OPENING_QUOTE.test(cell) && !CLOSING_QUOTE.test(cell));
  return first >= 0 && cells.slice(first + 1).some((cell) => CLOSING_QUOTE.test(cell));
}

/** What labels have where no schema says how they are written. */
function invisibleLabels(log: FaultLog): Finding | undefined {
  const found = matching(log, ['incorrect-label'], ({ message }) =>
    message.includes(' has invisible characters: '),
  );
  if (found.example === undefined) return undefined;
  const sentence = 'Labels have invisible characters.';
  const remedy = 'Write the labels anew, without them.';
  return { ...found, sentence, remedy, evidence: found.example.message };
}

/** Whether the first records have a column in which each value is a number with a decimal comma. */
function hasDecimalCommas({ dialect, records }: FoundDialect): boolean {
  const first = dialect.header ? (dialect.headerRows.at(-1) ?? 1) : 0;
  const rows = records.slice(first);
  return (rows[0]?.cells ?? []).some((_, column) => {
    const values = rows.map(({ cells }) => cells[column] ?? '').filter((cell) => cell !== '');
    return values.length > 0 && values.every((value) => DECIMAL_COMMA.test(value));
  });
}

/** A total that blank rows follow. */
function totalAboveBlanks({ log, file, lastLines }: DiagnosisEvidence): Finding | undefined {
  const { dialect, records } = file;
  const rows = lastLines.map((line) => line.split(String.fromCharCode(dialect.delimiter)));
  if (lastLines.at(-1) === '') rows.pop();
  const last = rows.findLastIndex((cells) => cells.some((cell) => cell !== ''));
  const blank = rows.length - 1 - last;
  // The first of the lines may be the end of a longer one.
  if (last < 1 || blank === 0 || !looksLikeTotal(rows[last] ?? [])) return undefined;
  const first = records - blank;
  const { length } = log.sample.filter(({ record }) => record !== null && record >= first);
  return { sentence: 'The last row but blank ones looks like a total.', faults: length };
}

/** Blank rows of the sample, by their numbers. */
function blankRecords(log: FaultLog): number[] {
  const blank = log.sample.filter(({ type }) => type === 'blank-row');
  return blank.map(({ record }) => record ?? 0).sort((a, b) => a - b);
}

/** Whether nearly each of the first blank rows has one row between it and the next one. */
function alternate(log: FaultLog): boolean {
  const records = blankRecords(log);
  const steps = records.slice(1).map((record, index) => record - (records[index] ?? 0));
  return steps.filter((step) => step === 2).length >= steps.length * 0.8;
}

function quoteTrouble(log: FaultLog, pattern: RegExp, sentence: string): Finding | undefined {
  const found = matching(log, ['stray-quote', 'unclosed-quote'], ({ value }) =>
    pattern.test(value ?? ''),
  );
  return found.faults === 0 ? undefined : { ...found, sentence };
}

function dateSentence(values: readonly string[]): string {
  const parts = values.map((value) => SLASHED_DATE.exec(value));
  const firsts = parts.map((part) => Number(part?.[1]));
  const seconds = parts.map((part) => Number(part?.[2]));
  const year = parts.every((part) => part?.[3] === undefined) ? ', without a year' : '';
  if (firsts.some((first) => first > 12)) return `Dates are day/month${year}.`;
  const sure = seconds.some((second) => second > 12) ? '' : 'probably ';
  return `Dates are ${sure}month/day${year}.`;
}

function serialDay(day: number): string {
  return showDate((day - SERIAL_DAY_OF_1970) * DAY_MS);
}

function exampleText(fault: Fault | undefined): string | undefined {
  if (fault === undefined || fault.value === null) return undefined;
  return `${JSON.stringify(fault.value)} in record ${fault.record}`;
}

function isOf({ columns = [] }: InspectedFile, { field }: Fault, type: FieldType): boolean {
  return columns[(field ?? 0) - 1]?.field?.type === type;
}

/** Whether a fault is of a field whose values have a day. */
function isDay(file: InspectedFile, fault: Fault): boolean {
  return DAYS.some((type) => isOf(file, fault, type));
}

/** Whether only the places of a field's group characters keep a value from being a number. */
function isMisgrouped({ columns = [] }: InspectedFile, { field, value }: Fault): boolean {
  const cell = columns[(field ?? 0) - 1]?.field?.cell;
  return value !== null && (cell?.isMisgrouped?.(value) ?? false);
}

/** Numbers with a decimal comma; where none but groups of three digits stand behind commas, these part groups. */
function decimalCommas(log: FaultLog, file: InspectedFile): Matching {
  const fits = (fault: Fault): boolean =>
    isOf(file, fault, 'number') &&
    DECIMAL_COMMA.test(fault.value ?? '') &&
    !isMisgrouped(file, fault);
  const found = matching(log, ['type-error'], fits);
  return found.values.every((value) => COMMA_GROUPS.test(value)) ? NOTHING_MATCHES : found;
}

const NOTHING_MATCHES: Matching = { faults: 0, matched: 0, example: undefined, values: [] };

/** Whether only group characters that are not declared keep a value from being a number. */
function isGrouped({ columns = [] }: InspectedFile, { field, value }: Fault): boolean {
  const { type, cell } = columns[(field ?? 0) - 1]?.field ?? {};
  const isNumber = type === 'integer' || type === 'number';
  return isNumber && cell?.isMisgrouped === undefined && GROUPED.test(value ?? '');
}

interface ClientFooter {
  readonly sentence: string;
  /** The line that tells it. */
  readonly text: string;
  /** From that line on. */
  readonly records: number;
}

/** What a SQL client wrote under a result, of which a row count or the time of its completion is the last but for blank lines. */
function clientFooter(lastLines: readonly string[]): ClientFooter | undefined {
  const lines = lastLines.map((line) =>
    line
      .replace(/[,;\t|]+$/, '')
      .trim()
      .replace(/^"(.*)"$/, '$1'),
  );
  // Behind the last line end there is no record.
  if (lines.at(-1) === '') lines.pop();
  const written = lines.flatMap((text, at) => (text === '' ? [] : [{ text, at }]));
  const last = written.at(-1);
  const isTime = last !== undefined && (isCompletion(last.text) || ELAPSED_TIME.test(last.text));
  const above = isTime ? written.at(-2) : last;
  const isCounted = ROW_COUNT.test(above?.text ?? '');
  const found = isCounted ? above : last;
  if (found === undefined || !(isCounted || isCompletion(found.text))) return undefined;
  const sentence = isCounted
    ? `The last ${isTime ? 'rows are' : 'row is'} the row count that a SQL client writes under a result${isTime ? ', and the time' : ''}.`
    : 'The last row is the time of completion that a SQL client writes under a result.';
  return { sentence, text: found.text, records: lines.length - found.at };
}

function isCompletion(text: string): boolean {
  return COMPLETION_TIME.test(text);
}

function isEmpty(
  column:
    | { readonly label: string; readonly profile: { nulls: number; unread: number } }
    | undefined,
  rows: number,
): boolean {
  if (column === undefined || column.label.trim() !== '') return false;
  return column.profile.nulls + column.profile.unread >= rows;
}

function startsWith(value: string | null, text: string): boolean {
  return value?.startsWith(text) ?? false;
}

function sum<T>(items: readonly T[], of: (item: T, index: number) => number): number {
  return items.reduce((total, item, index) => total + of(item, index), 0);
}

function counted(count: number, noun: string): string {
  return count === 1 ? noun : `${count} ${noun}s`;
}
