import {
  DELIMITERS,
  type FoundDialect,
  isTyped,
  type SampleRecord,
  typedColumns,
} from '../dialect-finder.ts';
import type { Check, Found } from './check.ts';

type Kind = 'incorrect-dialect' | 'sep-line';

/**
 * Whether the file is written as it is declared. It fails where it is not, and its cells are checked by what was found;
 * where nobody declared anything, neither a schema nor a dialect, it is read by what was found and warned.
 */
export const DIALECT_CHECK: Check<Kind> = {
  kinds: ['incorrect-dialect', 'sep-line'],
  begin(file) {
    const isMild = file.schema === undefined && !file.dialect.declared;
    let suspicion: string | undefined;
    const note = (sentence: string, line: number, found: Found<Kind>): void => {
      if (!found.count('incorrect-dialect', -1, 1, isMild)) return;
      found.listFile('incorrect-dialect', sentence, { line });
    };
    return {
      dialect({ differences, sepLine, records }: FoundDialect, found) {
        if (sepLine > 0 && found.count('sep-line')) {
          const message = "Line 1 is Excel's, which names the delimiter; it was skipped.";
          found.listFile('sep-line', message, { line: 1, byte: 0 });
        }
        for (const { sentence } of differences) note(sentence, sepLine > 0 ? 2 : 1, found);
        if (!file.dialect.header) return;
        suspicion = separatorSuspicion(records);
        const [place, ...others] = file.dialect.headerRows;
        const isKnown = file.schema !== undefined || others.length > 0;
        if (!isKnown && lacksHeader(records.slice((place ?? 1) - 1))) suspicion ??= NO_HEADER;
      },
      match(labels) {
        suspicion ??= dialectSuspicion(labels, String.fromCharCode(file.dialect.delimiter));
        // A label that is declared is none of several.
        if (file.schema?.fields.some(({ name }) => name === labels[0])) suspicion = undefined;
        return undefined;
      },
      header({ intact, line }, found) {
        if (intact && suspicion !== undefined) note(suspicion, line, found);
      },
    };
  },
};

/** Said of a file whose first record is one of values, where no schema has labels. */
export const NO_HEADER = 'The file has no header: in its place are values, as the rows have them.';

const DAY = /^(?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d\S*)?|\d{1,2}([/.])\d{1,2}\1(?:\d{4}|\d\d))$/;

/** Whether a label over days is a day itself, and the labels over numbers are numbers: years and days may be labels of numbers. */
function lacksHeader([header, ...others]: readonly SampleRecord[]): boolean {
  const rows = others.filter(({ cells, width }) => {
    return width === header?.width && cells.some((cell) => cell !== '');
  });
  if (header === undefined || rows.length < 2) return false;
  const typed = typedColumns(rows);
  const isDay = (column: number): boolean => {
    const values = rows.map(({ cells }) => cells[column] ?? '').filter((cell) => cell !== '');
    return DAY.test(header.cells[column] ?? '') && values.every((value) => DAY.test(value));
  };
  return typed.some(isDay) && typed.every((column) => isTyped(header.cells[column] ?? ''));
}

/** What stands in texts as well as between cells: a file is not read by it unless that is declared. */
const LIKELY_SEPARATORS = [
  { character: ':', name: 'colon', least: 1 },
  // Two words are a label as often as two of them.
  { character: ' ', name: 'blank', least: 2 },
] as const;

/** A label by a word or several, without what stands in texts alone. */
const LABEL = /^[\p{L}_][\p{L}\d_-]*$/u;

/** What speaks for columns that are separated by colons or blanks: the first lines all have as many, between labels and values. */
function separatorSuspicion(records: readonly SampleRecord[]): string | undefined {
  const lines = records.filter(({ cells }) => cells.some((cell) => cell !== ''));
  if (lines.length < 3 || lines.some(({ width, quoted }) => width !== 1 || quoted > 0)) return;
  const texts = lines.map(({ cells }) => cells[0] ?? '');
  if (texts.slice(0, 2).some((text) => /^(?:\+-+)+\+$|^-+(?:\+-+)+$/.test(text))) {
    return 'One of the first lines is a frame of dashes: the table is drawn for a screen, as database clients do, and no CSV.';
  }
  if (areAligned(texts)) {
    return 'The header is read as one label, and its words begin where those of each of the first lines do: the columns have a fixed width, and no delimiter.';
  }
  for (const { character, name, least } of LIKELY_SEPARATORS) {
    const parts = texts.map((text) => text.split(character));
    const [labels = []] = parts;
    const count = labels.length - 1;
    const isTable = parts.every((one) => one.length === labels.length && !one.includes(''));
    if (count < least || !isTable || !labels.every((label) => LABEL.test(label))) continue;
    const times = count === 1 ? `a ${name}` : `${count} ${name}s`;
    return `The header is read as one label, and each of the first lines holds ${times}: declare {"delimiter": ${JSON.stringify(character)}} in the dialect if that stands between the cells.`;
  }
}

/** Whether each label begins at a place where in all other lines blanks end, or the line has ended. */
function areAligned([header = '', ...rows]: readonly string[]): boolean {
  const starts = [...header.matchAll(/ {2,}(?=\S)/g)].map(
    ({ 0: { length }, index }) => index + length,
  );
  const labels = header.split(/ {2,}/);
  return (
    starts.length > 0 &&
    labels.every((label) => LABEL.test(label)) &&
    rows.every((row) => starts.every((at) => /^(?: \S)?$/.test(row.slice(at - 1, at + 1)))) &&
    rows.some((row) => row.length > (starts[0] ?? 0))
  );
}

/** What speaks for another dialect in a header that was read as one label, where the rows did not tell which. */
export function dialectSuspicion(labels: readonly string[], delimiter: string): string | undefined {
  const [label = ''] = labels;
  if (labels.length !== 1) return undefined;
  if (label.includes(delimiter)) {
    return 'The header is one quoted cell, and holds the delimiter: no columns can be told apart.';
  }
  const [likely] = DELIMITERS.map(({ character, name }) => ({
    character,
    name,
    count: label.split(character).length - 1,
  })).sort((a, b) => b.count - a.count);
  if (likely === undefined || likely.count === 0) return undefined;
  const { character, count, name } = likely;
  const times = count === 1 ? `a ${name}` : `${count} ${name}s`;
  return `The header is read as one label, and holds ${times}: declare {"delimiter": ${JSON.stringify(character)}} in the dialect if that stands between the cells.`;
}
