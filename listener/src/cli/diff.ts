import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { cellText, type RowReader } from '@file-processing/quality/checks/check.ts';
import {
  type ComparedColumn,
  type ComparedPlace,
  ComparedRows,
  type Comparison,
  compareRows,
} from '@file-processing/quality/comparison.ts';
import { compileExpectation, type Expectation } from '@file-processing/quality/expectation.ts';
import { HASH_WORDS } from '@file-processing/quality/key-hash.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import { withCommas } from '@file-processing/quality/text.ts';
import { createEngine, type Engine } from '../jobs/engine-ports.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { numberedShapes, shapeOf } from '../privacy/withhold.ts';
import {
  type Command,
  type CommandContext,
  configWithoutDatabase,
  UsageError,
} from './command-context.ts';
import { amount, printable, showProgress } from './report-text.ts';
import { type FoundFile, foundFiles, inspectFile, readExpectation } from './validate.ts';

/** Options of `diff`. */
export interface DiffOptions {
  /** The delivery that came first, and the one after it. */
  readonly before: string;
  readonly after: string;
  /** A Table Schema, or a mapping as `seed` takes it. */
  readonly schema?: string;
  /** Names of columns. @default the schema's primary key */
  readonly key?: readonly string[];
  /** Whether places are listed. */
  readonly rows: boolean;
  readonly json: boolean;
}

/** Places of each kind that are listed, the first of the file. */
const LISTED_PLACES = 100;

type Kind = ComparedPlace['kind'];

/** A place with the key that stands there, as the terminal may show it. */
interface ListedPlace extends Omit<ComparedPlace, 'columns'> {
  readonly key: readonly string[];
  /** Columns in which the row has changed. */
  readonly columns?: readonly string[];
}

/** One of the two files. */
interface Side extends FoundFile {
  readonly rows: ComparedRows;
  readonly report: QualityReport;
}

/**
 * Compares two deliveries by key. It ends with 0 where each row of one has its equal in the other and the columns are
 * the same, and else with 1: also where rows can't be compared, or a file can't be read as a table.
 */
export const diff: Command<DiffOptions> = async (context, options) => {
  const engine = createEngine(configWithoutDatabase(context));
  const expectation = await expectationOf(options);
  const key = keyOf(options, expectation);
  const secret = new Int32Array(HASH_WORDS);
  engine.ports.fillRandom(secret);
  const files = await foundFiles([options.before, options.after]);
  const [first, second = first] = files;
  if (first === undefined || second === undefined || files.length > 2) {
    throw new UsageError('two files are needed, and a pattern here names more');
  }
  const tables = [first, second].map(
    () => new ComparedRows(key, engine.ports, secret),
  ) as Two<ComparedRows>;
  try {
    const before = await read(first, tables[0], context, engine, expectation);
    const after = await read(second, tables[1], context, engine, expectation);
    const unreadable = [before, after].filter(({ report }) => isNoTable(report));
    for (const { path, report } of unreadable) {
      context.stderr.write(
        `${printable(path)} can't be compared, it is not a table that can be read: `,
      );
      context.stderr.write(
        `${printable(report.reasons.join(' '))} \`validate\` shows its faults.\n`,
      );
    }
    if (unreadable.length > 0) return EXIT.bad;
    const shown = new Shown(expectation !== undefined);
    refuseMissing([before, after], shown);
    const places = new FirstPlaces();
    const steps = compareRows(...tables, options.rows ? (place) => places.add(place) : undefined);
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) await engine.ports.nextTurn();
    const comparison = step.value;
    const listed = options.rows
      ? await withKeys(places.all(), { comparison, before, after, key, engine, expectation, shown })
      : undefined;
    const result = resultOf({ before, after, key, comparison, shown });
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ ...result, ...(listed === undefined ? {} : { places: listed }) })}\n`
        : resultText(result, listed),
    );
    return result.equal ? EXIT.ok : EXIT.bad;
  } finally {
    for (const table of tables) table.close();
  }
};

type Two<T> = [T, T];

/** Only what says how the files are read: verdicts are not asked for. */
async function expectationOf({ schema }: DiffOptions): Promise<Expectation | undefined> {
  if (schema === undefined) return undefined;
  const { thresholds: _thresholds, rules: _rules, ...rest } = await readExpectation(schema);
  return rest;
}

/** @throws {UsageError} where there is none */
function keyOf(
  { key, schema }: DiffOptions,
  expectation: Expectation | undefined,
): readonly string[] {
  const { schema: compiled } = compileExpectation(expectation);
  if (key !== undefined) return key;
  const primary = compiled?.keys.find(({ fault }) => fault === 'primary-key');
  if (primary !== undefined) {
    return primary.fields.map((field) => compiled?.fields[field]?.name ?? '');
  }
  throw new UsageError(
    `rows are compared by a key: give --key COLUMN, once for each of its columns, or ${schema === undefined ? '--schema FILE with a primaryKey' : `a primaryKey in ${schema}`}`,
  );
}

async function read(
  file: FoundFile,
  rows: ComparedRows,
  { stderr }: CommandContext,
  engine: Engine,
  expectation: Expectation | undefined,
): Promise<Side> {
  const progress = showProgress(file.path, stderr);
  const report = await inspect(file.path, rows.read, engine, expectation, (bytes, count) =>
    progress.update({ bytes, rows: count, sizeBytes: file.sizeBytes }),
  );
  progress.end();
  return { ...file, rows, report };
}

function inspect(
  path: string,
  rowReader: RowReader,
  { ports, maxKeyBytes, unpackLimits }: Engine,
  expectation: Expectation | undefined,
  onProgress?: (bytes: number, rows: number) => void,
): Promise<QualityReport> {
  return inspectFile(path, ports, {
    ...(expectation === undefined ? {} : { expectation }),
    ...(onProgress === undefined ? {} : { onProgress }),
    maxFaults: 0,
    maxKeyBytes,
    ...unpackLimits,
    rowReader,
  });
}

function isNoTable({ verdict, columns }: QualityReport): boolean {
  return verdict === 'unreadable' || columns.length === 0;
}

/** @throws {UsageError} with each column of the key that a file lacks */
function refuseMissing(sides: readonly Side[], shown: Shown): void {
  const problems = sides.flatMap(({ path, rows: { missing, columns } }) => {
    if (missing.length === 0) return [];
    const names = columns.map((column) => shown.name(column)).join(', ');
    return [printable(`${path} has no column ${missing.join(', ')} for the key; it has ${names}`)];
  });
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
}

/** What the terminal may show of names and keys. */
class Shown {
  readonly #hasSchema: boolean;
  readonly #classes: readonly string[] = ['public', ...shownClasses(PLACES.terminal)];
  readonly #shape = numberedShapes();

  constructor(hasSchema: boolean) {
    this.#hasSchema = hasSchema;
  }

  /** A label that the schema does not declare may be a value: as in reports its shape is shown. */
  name({ name, classification }: ComparedColumn): string {
    return classification === null && this.#hasSchema ? shapeOf(name) : name;
  }

  value(text: string, column: ComparedColumn | undefined): string {
    const undeclared = this.#hasSchema ? 'sensitive' : 'public';
    const isShown = this.#classes.includes(column?.classification ?? undeclared);
    return isShown ? text : this.#shape(text);
  }
}

/** The first places of each kind. */
class FirstPlaces {
  readonly #places: Record<Kind, ComparedPlace[]> = {
    ...{ added: [], removed: [], changed: [], duplicate: [] },
  };

  add(place: ComparedPlace): void {
    const list = this.#places[place.kind];
    list.push(place);
    // They come partition by partition.
    if (list.length > 2 * LISTED_PLACES) list.sort(byRecord).splice(LISTED_PLACES);
  }

  all(): ComparedPlace[] {
    return Object.values(this.#places).flatMap((list) =>
      list.sort(byRecord).slice(0, LISTED_PLACES),
    );
  }
}

function byRecord(one: ComparedPlace, other: ComparedPlace): number {
  return sortKey(one) - sortKey(other);
}

function sortKey({ before, after }: ComparedPlace): number {
  return before ?? after ?? 0;
}

interface Found {
  readonly before: Side;
  readonly after: Side;
  readonly key: readonly string[];
  readonly comparison: Comparison;
  readonly shown: Shown;
}

/** Reads the keys of the places, which nothing has kept, from the files. */
async function withKeys(
  places: readonly ComparedPlace[],
  found: Found & { readonly engine: Engine; readonly expectation: Expectation | undefined },
): Promise<readonly ListedPlace[]> {
  const { before, after, comparison, shown } = found;
  const ofBefore = await keysOf(before, new Set(places.map((place) => place.before)), found);
  const ofAfter = await keysOf(after, new Set(places.map((place) => place.after)), found);
  return places.map(({ columns, ...place }) => ({
    ...place,
    key: ofBefore.get(place.before ?? 0) ?? ofAfter.get(place.after ?? 0) ?? [],
    ...(columns === undefined
      ? {}
      : {
          columns: columns.map((index) => shown.name(comparison.columns[index] as ComparedColumn)),
        }),
  }));
}

/** @throws {UsageError} for a file that is another one now */
async function keysOf(
  side: Side,
  records: ReadonlySet<number | null>,
  { key, shown, engine, expectation }: Parameters<typeof withKeys>[1],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const keys = new Map<number, readonly string[]>();
  if (![...records].some((record) => record !== null)) return keys;
  const { columns } = side.rows;
  const cells = key.map((name) => columns.findIndex((column) => column.name === name));
  const reader: RowReader = (file) => (record) => {
    if (!records.has(file.records)) return;
    keys.set(
      file.records,
      cells.map((cell) => shown.value(cellText(record, cell), columns[cell])),
    );
  };
  const { sha256 } = await inspect(side.path, reader, engine, expectation);
  if (sha256 === side.report.sha256) return keys;
  throw new UsageError(`${side.path} was changed while it was read`);
}

/** What is printed, as `--json` has it. */
interface DiffResult {
  readonly equal: boolean;
  readonly before: SideResult;
  readonly after: SideResult;
  readonly key: readonly string[];
  readonly rowsAdded: number;
  readonly rowsRemoved: number;
  readonly rowsChanged: number;
  readonly rowsEqual: number;
  readonly columns: readonly { readonly name: string; readonly changed: number }[];
  readonly columnsAdded: readonly string[];
  readonly columnsRemoved: readonly string[];
}

interface SideResult {
  readonly file: string;
  readonly sha256: string;
  readonly rows: number;
  /** Rows that could not be compared: broken in their structure, without a whole key, with a key that is not unique. */
  readonly unreadRows: number;
  readonly rowsWithoutKey: number;
  readonly ambiguousRows: number;
  readonly duplicateKeys: number;
}

function resultOf({ before, after, key, comparison, shown }: Found): DiffResult {
  const { columns, columnsAdded, columnsRemoved, added, removed, changed } = comparison;
  const sides = [sideOf(before, comparison.before), sideOf(after, comparison.after)] as const;
  const isCompared = sides.every(
    ({ unreadRows, rowsWithoutKey, ambiguousRows }) =>
      unreadRows + rowsWithoutKey + ambiguousRows === 0,
  );
  const differences = added + removed + changed + columnsAdded.length + columnsRemoved.length;
  return {
    equal: isCompared && differences === 0,
    before: sides[0],
    after: sides[1],
    key,
    rowsAdded: added,
    rowsRemoved: removed,
    rowsChanged: changed,
    rowsEqual: comparison.equal,
    columns: columns.map((column) => ({ name: shown.name(column), changed: column.changed })),
    columnsAdded: columnsAdded.map((column) => shown.name(column)),
    columnsRemoved: columnsRemoved.map((column) => shown.name(column)),
  };
}

function sideOf({ path, rows, report }: Side, side: Comparison['before']): SideResult {
  return {
    file: path,
    sha256: report.sha256,
    rows: report.rows,
    unreadRows: report.rows - rows.seen,
    rowsWithoutKey: rows.withoutKey,
    ambiguousRows: side.ambiguousRows,
    duplicateKeys: side.duplicateKeys,
  };
}

function resultText(result: DiffResult, places: readonly ListedPlace[] | undefined): string {
  const { equal, before, after, key, columns, columnsAdded, columnsRemoved } = result;
  const lines = [
    `${equal ? 'EQUAL' : 'DIFFERENT'}  ${before.file} -> ${after.file}, by ${key.join(', ')}`,
    `  ${amount(before.rows, 'row')} before, ${withCommas(after.rows)} after`,
    `  ${amount(result.rowsAdded, 'row')} added, ${withCommas(result.rowsRemoved)} removed, ` +
      `${withCommas(result.rowsChanged)} changed, ${withCommas(result.rowsEqual)} equal`,
    ...columnsAdded.map((name) => `  column added: ${name}`),
    ...columnsRemoved.map((name) => `  column removed: ${name}`),
    ...columns
      .filter(({ changed }) => changed > 0)
      .map(({ name, changed }) => `  ${String(changed).padStart(9)}  changed in ${name}`),
    ...[before, after].flatMap(uncomparedLines),
    ...(places ?? []).map((place) => `  ${placeText(place)}`),
  ];
  const of = (kind: Kind) => (places ?? []).filter((place) => place.kind === kind).length;
  const { rowsAdded, rowsRemoved, rowsChanged } = result;
  const hidden =
    rowsAdded + rowsRemoved + rowsChanged - of('added') - of('removed') - of('changed');
  if (places !== undefined && hidden > 0) {
    lines.push(
      `  and ${amount(hidden, 'more row')}: the first ${LISTED_PLACES} of each kind are listed`,
    );
  }
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function uncomparedLines(side: SideResult): string[] {
  const { file, unreadRows, rowsWithoutKey, ambiguousRows, duplicateKeys } = side;
  const lines = [
    [unreadRows, 'broken in structure (see validate)'],
    [rowsWithoutKey, 'without a whole key'],
    [
      ambiguousRows,
      `whose key is not unique in both files (${amount(duplicateKeys, 'key')} more than once in this one)`,
    ],
  ] as const;
  return lines.flatMap(([count, what]) =>
    count === 0 ? [] : [`  ${file}: ${amount(count, 'row')} not compared, ${what}`],
  );
}

function placeText({ kind, before, after, first, key, columns = [] }: ListedPlace): string {
  const shownKey = `key ${key.map((part) => JSON.stringify(part)).join(', ')}`;
  const records = [
    before === null ? [] : [`record ${before} before`],
    after === null ? [] : [`record ${after} after`],
  ].flat();
  const rest = [
    first === undefined ? [] : [`the key came in record ${first}`],
    columns.length === 0 ? [] : [columns.join(', ')],
  ].flat();
  return [`${kind}: ${records.join(', ')}, ${shownKey}`, ...rest].join(': ');
}
