import type { Classification } from '@file-processing/quality/classification.ts';
import { FAULT_KINDS, type FaultType } from '@file-processing/quality/faults.ts';
import type { Fault, ListedRow } from '@file-processing/quality/findings.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';

/** What a report shows to some and withholds from others. */
export const WITHHELD_CLASSES = [
  'internal',
  'sensitive',
] as const satisfies readonly Classification[];

/** One of {@link WITHHELD_CLASSES}. */
export type WithheldClass = (typeof WITHHELD_CLASSES)[number];

/** Texts that were taken out of a report, each with where it stood: names of properties and numbers of items. */
export type Withheld = Partial<
  Record<WithheldClass, readonly (readonly [path: readonly (string | number)[], value: unknown])[]>
>;

/** A report that may be shown anywhere where reports are, and what it withholds. */
export interface ProtectedReport {
  /** Without any value that is not public: in its place stands its shape, as {@link shapeOf} has it. */
  readonly report: QualityReport;
  /** Goes to nobody who may not see values of that class. */
  readonly withheld: Withheld;
}

/** A longer shape says no more. */
const LONGEST_SHAPE = 64;

/**
 * What a text looks like without what it says: `A` for an upper-case letter, `a` for any other one, `9` for a digit, and
 * the rest as it is; cut at 64 characters.
 */
export function shapeOf(text: string): string {
  const ascii = shapeOfAscii(text);
  if (ascii !== undefined) return ascii;
  const characters = Array.from(text);
  const shape = characters
    .slice(0, LONGEST_SHAPE)
    .join('')
    .replace(/\p{Lu}/gu, 'A')
    .replace(/(?!A)[\p{L}\p{M}]/gu, 'a')
    .replace(/\p{N}/gu, '9');
  return characters.length > LONGEST_SHAPE ? `${shape}…` : shape;
}

/** Most texts are short and plain, and a report may have thousands. */
function shapeOfAscii(text: string): string | undefined {
  if (text.length > LONGEST_SHAPE) return undefined;
  let shape = '';
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return undefined;
    if (code >= 0x61 && code <= 0x7a) shape += 'a';
    else if (code >= 0x41 && code <= 0x5a) shape += 'A';
    else if (code >= 0x30 && code <= 0x39) shape += '9';
    else shape += text[at];
  }
  return shape;
}

/**
 * Gives texts of one report as their shapes, equal ones with the same number behind it: `A9999 #1`. An empty cell stays
 * empty, which is all that there is to know of it.
 */
export function numberedShapes(): (text: string) => string {
  const numbers = new Map<string, number>();
  return (text) => {
    if (text === '') return '';
    const number = numbers.get(text) ?? numbers.size + 1;
    numbers.set(text, number);
    return `${shapeOf(text)} #${number}`;
  };
}

/** Faults of rows of which nobody knows which cell is of which column. */
const CELLS_MAY_MOVE = [
  'stray-quote',
  'unclosed-quote',
  'missing-cell',
  'extra-cell',
] as const satisfies readonly FaultType[];

/**
 * Takes every text that is not public out of a report: values, and what would give them away (labels that are not the
 * schema's, rules that a message quotes, smallest and largest values). Equal values of one report have the same number
 * behind their shapes, as `A9999 #1`, which says nothing outside of it.
 *
 * @param protectsUndeclared whether columns that no schema declares are sensitive, and not public: always, but for a
 * local file without rules
 */
export function withhold(report: QualityReport, protectsUndeclared: boolean): ProtectedReport {
  const withheld = new Map<WithheldClass, [path: (string | number)[], value: unknown][]>();
  const numbered = numberedShapes();
  const classOf = (classification: Classification | null | undefined) =>
    classification ?? (protectsUndeclared ? 'sensitive' : 'public');
  /** What is withheld of a class, as long as nothing is withheld of it too. */
  const listOf = (classification: WithheldClass) => {
    const list = withheld.get(classification) ?? [];
    withheld.set(classification, list);
    return list;
  };
  /** Gives back what is to be shown in place of an item's own properties, and keeps those. */
  const hidden = <T extends object>(
    item: T,
    classification: Classification,
    path: readonly (string | number)[],
    shown: Partial<T>,
  ): Partial<T> | undefined => {
    if (classification === 'public') return undefined;
    const list = listOf(classification);
    for (const name in shown) {
      if (item[name] !== shown[name]) list.push([[...path, name], item[name]]);
    }
    return shown;
  };
  const { columns } = report;
  // Where cells have moved, any column may have that of any other one, and its smallest value be that.
  const ofBrokenRows = classOfBrokenRows(report, classOf);
  const faults = report.faults.map((fault, index): Fault => {
    const { value, label, key, message, classification } = fault;
    // A fault that an older version recorded says neither; its message may quote anything.
    const plainMessage =
      classification === undefined ? meaningOf(fault.type) : (fault.plainMessage ?? message);
    const shown = hidden(fault, classOf(classification), ['faults', index], {
      value: value === null ? null : numbered(value),
      key: key === null ? null : numbered(key),
      label: label === columns[(fault.field ?? 0) - 1]?.name ? label : shapeOrNull(label),
      message: plainMessage,
    });
    return { ...fault, ...shown };
  });
  /** Of a row that is shown for one bad cell, no other cell is told to be the same as elsewhere. */
  const listedRows = report.listedRows?.map((row, index): ListedRow => {
    const cells = row.cells.map((text, at) => {
      const ownClass = classOf(
        'classification' in row ? row.classification : columns[row.field - 1 + at]?.classification,
      );
      if (ownClass === 'public') return text;
      const list = listOf(ownClass);
      const shape = shapeOf(text);
      if (shape !== text) list.push([['listedRows', index, 'cells', at], text]);
      return shape;
    });
    return { ...row, cells };
  });
  return {
    report: {
      ...report,
      faults,
      ...(listedRows === undefined ? {} : { listedRows }),
      // A report of an older version has none.
      diagnoses: (report.diagnoses ?? []).map((diagnosis, index) => ({
        ...diagnosis,
        ...hidden(diagnosis, classOf(diagnosis.classification), ['diagnoses', index], {
          evidence: null,
        }),
      })),
      columns: columns.map((column, index) => {
        const { label, name } = column;
        const own = classOf(column.classification);
        const path = ['columns', index];
        return {
          ...column,
          ...hidden(column, own, path, { label: label === name ? label : shapeOf(label) }),
          ...hidden(column, ofBrokenRows ?? own, path, {
            ...{ min: null, max: null },
            ...(column.distribution === undefined ? {} : { distribution: null }),
          }),
        };
      }),
    },
    withheld: Object.fromEntries(withheld),
  };
}

/**
 * How sensitive a cell may be where cells have moved; undefined where none has. It may also be of a field of the schema that
 * the file has no column of, which the faults of such rows know.
 */
function classOfBrokenRows(
  { faultCounts, faults, columns }: QualityReport,
  classOf: (classification: Classification | null | undefined) => Classification,
): WithheldClass | undefined {
  const types = CELLS_MAY_MOVE.filter((type) => (faultCounts[type] ?? 0) > 0);
  if (types.length === 0) return undefined;
  const listed = faults.filter(({ type }) => types.some((moved) => moved === type));
  if (listed.length === 0) return 'sensitive';
  const classes = [...listed, ...columns].map(({ classification }) => classOf(classification));
  return (['sensitive', 'internal'] as const).find((name) => classes.includes(name));
}

/** A report without any value and without the shape of one: verdict, counts and places stay. */
export function forget(report: QualityReport): QualityReport {
  const { listedRows: _rows, ...rest } = report;
  const bare = withhold(everythingSensitive(rest), true).report;
  return {
    ...bare,
    diagnoses: bare.diagnoses.map((diagnosis) => ({ ...diagnosis, evidence: null })),
    faults: bare.faults.map((fault) => {
      const isName = fault.label === report.columns[(fault.field ?? 0) - 1]?.name;
      return { ...fault, value: null, key: null, label: isName ? fault.label : null };
    }),
    columns: bare.columns.map((column) =>
      column.label === column.name ? column : { ...column, label: `column ${column.field}` },
    ),
  };
}

function everythingSensitive(report: QualityReport): QualityReport {
  return {
    ...report,
    faults: report.faults.map((fault) => ({
      ...fault,
      ...(fault.classification === undefined ? { plainMessage: meaningOf(fault.type) } : {}),
      classification: 'sensitive',
    })),
    columns: report.columns.map((column) => ({ ...column, classification: 'sensitive' })),
  };
}

function meaningOf(type: FaultType): string {
  return FAULT_KINDS.find((kind) => kind.type === type)?.meaning ?? type;
}

function shapeOrNull(text: string | null): string | null {
  return text === null ? null : shapeOf(text);
}

/** A report as the database keeps it. */
export interface StoredReport {
  readonly report: Readonly<Record<string, unknown>> | null;
  /** Null beside a report of a version that withheld nothing: what such a report shows is sensitive. */
  readonly withheld: Withheld | null;
}

/** A stored report with what it withholds of some classes; null where there is none. */
export function storedReport(
  { report, withheld }: StoredReport,
  classes: readonly WithheldClass[],
): QualityReport | null {
  if (report === null) return null;
  // The column holds what the engine made.
  const made = report as unknown as QualityReport;
  return restore(withheld === null ? withhold(made, true) : { report: made, withheld }, classes);
}

/** Puts back what a report withholds of some classes. */
export function restore(
  { report, withheld }: ProtectedReport,
  classes: readonly WithheldClass[],
): QualityReport {
  type Item = Record<string | number, unknown>;
  const restored = { ...report };
  // Only what is changed is copied: a report may have a megabyte.
  const copied = new Set<unknown>([restored]);
  for (const [path, value] of classes.flatMap((name) => withheld[name] ?? [])) {
    let item = restored as unknown as Item;
    for (const step of path.slice(0, -1)) {
      let next = item[step] as Item;
      if (!copied.has(next)) {
        next = (Array.isArray(next) ? [...next] : { ...next }) as Item;
        copied.add(next);
        item[step] = next;
      }
      item = next;
    }
    item[path.at(-1) as string] = value;
  }
  return restored;
}
