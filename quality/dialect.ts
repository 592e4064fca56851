import {
  type DescriptorOption,
  isBoolean,
  isCount,
  isString,
  type ProblemList,
  show,
} from './descriptor-error.ts';
import { ENCODINGS, type Encoding } from './text-source.ts';

/**
 * Frictionless Table Dialect, version 2, as far as it applies to delimited text; {@link DIALECT_OPTIONS} explains each.
 * `encoding` is the specification's property of a data resource, which has no place of its own here.
 */
export interface TableDialect {
  encoding?: string;
  header?: boolean;
  headerRows?: number[];
  headerJoin?: string;
  commentRows?: number[];
  commentChar?: string;
  /** Ours: the specification has no name for it. */
  footerRows?: number;
  delimiter?: string;
  /** Accepted and not used: LF, CRLF and CR end a record whatever is declared here. */
  lineTerminator?: string;
  quoteChar?: string;
  doubleQuote?: boolean;
  escapeChar?: string;
  nullSequence?: string;
  skipInitialSpace?: boolean;
}

const FLAG = 'true or false';
const CHARACTER = 'one ASCII character that is not a line end';
const ENCODING = `one of ${ENCODINGS.join(', ')}, in upper or lower case`;
const ROWS = 'a list of whole numbers from 1, each greater than the one before';
const MOST_FOOTER_ROWS = 100;
/** Each ends a record, whatever is declared; others can't be read. */
export const LINE_ENDS = '"\\n", "\\r\\n" or "\\r"';
const FOOTER_ROWS = `a whole number from 0 to ${MOST_FOOTER_ROWS}`;

/** Every property of a dialect that is read. */
export const DIALECT_OPTIONS = [
  {
    name: 'encoding',
    default: 'UTF-8, or UTF-16 where the first bytes show it',
    allowed: ENCODING,
    meaning:
      'How the text is encoded; in Frictionless it stands in the data resource. Where the first bytes speak against it: `encoding-error`.',
  },
  {
    name: 'header',
    default: 'true',
    allowed: FLAG,
    meaning: 'Whether a row of labels comes first.',
  },
  {
    name: 'headerRows',
    default: '[1]',
    allowed: ROWS,
    meaning:
      'The records that hold the labels, by their numbers as reports have them; others before the last of them are a preamble, which is passed over.',
  },
  {
    name: 'headerJoin',
    default: 'a space',
    allowed: 'a string',
    meaning:
      'Joins the parts of a label that stands in several header rows; blank parts are left out.',
  },
  {
    name: 'commentRows',
    default: 'none',
    allowed: ROWS,
    meaning: 'Records that are passed over, by their numbers as reports have them.',
  },
  {
    name: 'commentChar',
    default: 'none',
    allowed: CHARACTER,
    meaning: 'A line that begins with this character is passed over.',
  },
  {
    name: 'footerRows',
    default: '0',
    allowed: FOOTER_ROWS,
    meaning:
      'How many records at the end, blank lines included, are passed over, such as totals; ours, since the specification has no name for it.',
  },
  {
    name: 'delimiter',
    default: ',',
    allowed: CHARACTER,
    meaning: 'Stands between the cells of a record.',
  },
  {
    name: 'quoteChar',
    default:
      '", or none when `escapeChar` is given alone, since the specification has them exclude each other',
    allowed: CHARACTER,
    meaning: 'Encloses a cell that may hold delimiters, line ends and quotes.',
  },
  {
    name: 'doubleQuote',
    default: 'true',
    allowed: FLAG,
    meaning: 'Whether two quotes in a quoted cell stand for one.',
  },
  {
    name: 'escapeChar',
    default: 'none',
    allowed: CHARACTER,
    meaning:
      'The character after this one, or the line end, is taken as it is, in quoted and unquoted cells.',
  },
  {
    name: 'nullSequence',
    default: 'none',
    allowed: 'a string',
    meaning: "A cell with exactly this text is null, besides the schema's missing values.",
  },
  {
    name: 'skipInitialSpace',
    default: 'false',
    allowed: FLAG,
    meaning: 'Whether spaces in front of a cell are dropped.',
  },
] as const satisfies readonly DescriptorOption[];

/** The dialect as the scanner reads it: bytes, -1 where a character is not in use. */
export interface CompiledDialect {
  /** Whether the delimiter or the quote is declared, and not just taken by default. */
  readonly declared: boolean;
  /** Undefined where nothing is declared. */
  readonly encoding: Encoding | undefined;
  readonly header: boolean;
  /** Numbers of the records that hold the labels, ascending, at least one. */
  readonly headerRows: readonly number[];
  readonly headerJoin: string;
  /** Numbers of records that are passed over. */
  readonly commentRows: ReadonlySet<number>;
  /** Records at the end that are passed over. */
  readonly footerRows: number;
  readonly delimiter: number;
  readonly quote: number;
  readonly doubleQuote: boolean;
  readonly escape: number;
  readonly comment: number;
  readonly skipInitialSpace: boolean;
  readonly nullSequence: string | undefined;
}

/** Properties that are accepted and change nothing: LF, CRLF and CR end a record, whichever of them is declared. */
export const IGNORED_DIALECT_OPTIONS: ReadonlySet<string> = new Set([
  '$schema',
  'lineTerminator',
  'name',
  'title',
  'description',
  'type',
]);
/** Properties that are refused, each with the reason. */
export const UNSUPPORTED_DIALECT_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['property', 'it belongs to JSON'],
  ['itemType', 'it belongs to JSON'],
  ['itemKeys', 'it belongs to JSON'],
  ['sheetNumber', 'it belongs to spreadsheets'],
  ['sheetName', 'it belongs to spreadsheets'],
  ['table', 'it belongs to databases'],
]);
const KNOWN: ReadonlySet<string> = new Set(DIALECT_OPTIONS.map(({ name }) => name));

/**
 * Checks a Table Dialect and turns it into what the scanner reads. Every character must be a single ASCII
 * one other than CR, LF and NUL, and no two may be the same; a property that asks for what we can't do is a
 * problem, never passed over.
 */
export function compileDialect(
  dialect: unknown,
  path: string,
  problems: ProblemList,
): CompiledDialect {
  const given = (dialect === undefined ? {} : problems.object(path, dialect)) ?? {};
  for (const name of Object.keys(given)) {
    const reason = UNSUPPORTED_DIALECT_OPTIONS.get(name);
    if (reason !== undefined) problems.add(`${path}.${name}`, `is not supported: ${reason}`);
    else if (!KNOWN.has(name) && !IGNORED_DIALECT_OPTIONS.has(name)) {
      problems.unknown(`${path}.`, name, [...KNOWN]);
    }
  }
  const flag = (name: string, fallback: boolean): boolean =>
    problems.optional(`${path}.${name}`, given[name], isBoolean, FLAG) ?? fallback;
  const character = (name: string, fallback: string | undefined): number =>
    characterCode(
      `${path}.${name}`,
      // A null is not an absent property: it asks for what there is no such value for.
      given[name] === undefined ? fallback : given[name],
      problems,
    );

  problems.optional(`${path}.lineTerminator`, given.lineTerminator, isLineEnd, LINE_ENDS);
  const compiled: CompiledDialect = {
    declared: given.delimiter !== undefined || given.quoteChar !== undefined,
    encoding: encodingOf(`${path}.encoding`, given.encoding, problems),
    header: flag('header', true),
    headerRows: rowNumbers(`${path}.headerRows`, given.headerRows, problems) ?? [1],
    headerJoin:
      problems.optional(`${path}.headerJoin`, given.headerJoin, isString, 'a string') ?? ' ',
    commentRows: new Set(rowNumbers(`${path}.commentRows`, given.commentRows, problems)),
    footerRows:
      problems.optional(`${path}.footerRows`, given.footerRows, isFooterCount, FOOTER_ROWS) ?? 0,
    delimiter: character('delimiter', ','),
    quote: character('quoteChar', given.escapeChar === undefined ? '"' : undefined),
    doubleQuote: flag('doubleQuote', true),
    escape: character('escapeChar', undefined),
    comment: character('commentChar', undefined),
    skipInitialSpace: flag('skipInitialSpace', false),
    nullSequence: problems.optional(
      `${path}.nullSequence`,
      given.nullSequence,
      isString,
      'a string',
    ),
  };
  if (!compiled.header && compiled.headerRows.join() !== '1') {
    problems.add(`${path}.headerRows`, `is ${show(given.headerRows)}, and header is false`);
  }
  const both = compiled.headerRows.find((row) => compiled.commentRows.has(row));
  if (compiled.header && both !== undefined) {
    problems.add(`${path}.commentRows`, `has ${both}, which is a header row`);
  }
  noteClashes(path, compiled, problems);
  return compiled;
}

function characterCode(path: string, value: unknown, problems: ProblemList): number {
  if (value === undefined) return -1;
  if (typeof value === 'string' && value.length === 1) {
    const code = value.charCodeAt(0);
    if (code > 0 && code < 128 && code !== 0x0a && code !== 0x0d) return code;
  }
  problems.add(path, `is ${show(value)}; ${CHARACTER} is needed`);
  return -1;
}

function encodingOf(path: string, value: unknown, problems: ProblemList): Encoding | undefined {
  if (value === undefined) return undefined;
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  const encoding = ENCODINGS.find((known) => known === name);
  if (encoding === undefined) problems.add(path, `is ${show(value)}; ${ENCODING} is needed`);
  return encoding;
}

function rowNumbers(path: string, value: unknown, problems: ProblemList): number[] | undefined {
  if (value === undefined) return undefined;
  const rows: unknown[] = Array.isArray(value) ? value : [];
  const inOrder = rows.every(
    (row, index) => Number.isSafeInteger(row) && Number(row) > Number(rows[index - 1] ?? 0),
  );
  if (rows.length > 0 && inOrder) return rows as number[];
  problems.add(path, `is ${show(value)}; ${ROWS} is needed`);
  return undefined;
}

function isFooterCount(value: unknown): value is number {
  return isCount(value) && value <= MOST_FOOTER_ROWS;
}

function noteClashes(path: string, dialect: CompiledDialect, problems: ProblemList): void {
  const used = new Map<number, string>();
  const characters: [string, number][] = [
    ['delimiter', dialect.delimiter],
    ['quoteChar', dialect.quote],
    ['escapeChar', dialect.escape],
    ['commentChar', dialect.comment],
  ];
  for (const [name, code] of characters) {
    if (code < 0) continue;
    const other = used.get(code);
    if (other === undefined) used.set(code, name);
    else {
      problems.add(
        `${path}.${name}`,
        `is ${show(String.fromCharCode(code))}, as ${other} is; they must differ`,
      );
    }
  }
}

function isLineEnd(value: unknown): value is string {
  return value === '\n' || value === '\r\n' || value === '\r';
}
