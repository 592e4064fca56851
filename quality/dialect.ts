import { isBoolean, isString, type ProblemList, show } from './descriptor-error.ts';

/** Frictionless Table Dialect, version 2: the properties that apply to delimited text. */
export interface TableDialect {
  /** Whether a row of labels comes first. @default true */
  header?: boolean;
  /** The record that holds the labels, from 1; records before it are passed over. One number only. @default [1] */
  headerRows?: number[];
  /** A line that begins with this character is passed over. @default none */
  commentChar?: string;
  /** @default "," */
  delimiter?: string;
  /** Accepted and not used: LF, CRLF and CR end a record whatever is declared here. */
  lineTerminator?: string;
  /** @default "\"", or none when escapeChar is given alone, since the specification has them exclude each other */
  quoteChar?: string;
  /** Whether two quotes in a quoted cell stand for one. @default true */
  doubleQuote?: boolean;
  /** The character after this one is taken as it is, in quoted and unquoted cells. @default none */
  escapeChar?: string;
  /** A cell with exactly this text is null, besides the schema's missing values. @default none */
  nullSequence?: string;
  /** Whether spaces in front of a cell are dropped. @default false */
  skipInitialSpace?: boolean;
}

/** The dialect as the scanner reads it: bytes, -1 where a character is not in use. */
export interface CompiledDialect {
  readonly header: boolean;
  /** Records before the header that are passed over. */
  readonly recordsBeforeHeader: number;
  readonly delimiter: number;
  readonly quote: number;
  readonly doubleQuote: boolean;
  readonly escape: number;
  readonly comment: number;
  readonly skipInitialSpace: boolean;
  readonly nullSequence: string | undefined;
}

const IGNORED = new Set(['$schema', 'lineTerminator', 'name', 'title', 'description', 'type']);
const UNSUPPORTED = new Map([
  ['headerJoin', 'one header row is read'],
  ['commentRows', 'use commentChar'],
  ['property', 'it belongs to JSON'],
  ['itemType', 'it belongs to JSON'],
  ['itemKeys', 'it belongs to JSON'],
  ['sheetNumber', 'it belongs to spreadsheets'],
  ['sheetName', 'it belongs to spreadsheets'],
  ['table', 'it belongs to databases'],
]);
const KNOWN = new Set([
  'header',
  'headerRows',
  'commentChar',
  'delimiter',
  'quoteChar',
  'doubleQuote',
  'escapeChar',
  'nullSequence',
  'skipInitialSpace',
]);

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
    const reason = UNSUPPORTED.get(name);
    if (reason !== undefined) problems.add(`${path}.${name}`, `is not supported: ${reason}`);
    else if (!KNOWN.has(name) && !IGNORED.has(name)) {
      problems.add(
        `${path}.${name}`,
        `is not a property of a dialect; known: ${[...KNOWN].join(', ')}`,
      );
    }
  }
  const flag = (name: string, fallback: boolean): boolean =>
    problems.optional(`${path}.${name}`, given[name], isBoolean, 'true or false') ?? fallback;
  const character = (name: string, fallback: string | undefined): number =>
    characterCode(`${path}.${name}`, given[name] ?? fallback, problems);

  const compiled: CompiledDialect = {
    header: flag('header', true),
    recordsBeforeHeader: recordsBeforeHeader(`${path}.headerRows`, given.headerRows, problems),
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
  noteClashes(path, compiled, problems);
  return compiled;
}

function characterCode(path: string, value: unknown, problems: ProblemList): number {
  if (value === undefined) return -1;
  if (typeof value === 'string' && value.length === 1) {
    const code = value.charCodeAt(0);
    if (code > 0 && code < 128 && code !== 0x0a && code !== 0x0d) return code;
  }
  problems.add(path, `is ${show(value)}; one ASCII character that is no line end is needed`);
  return -1;
}

function recordsBeforeHeader(path: string, value: unknown, problems: ProblemList): number {
  if (value === undefined) return 0;
  const [row] = Array.isArray(value) && value.length === 1 ? value : [];
  if (typeof row === 'number' && Number.isSafeInteger(row) && row >= 1) return row - 1;
  problems.add(path, `is ${show(value)}; a list with one number from 1 is needed`);
  return 0;
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
