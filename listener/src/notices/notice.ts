import type { NoticeState } from '@file-processing/contract/notices.ts';
import { FAULT_TYPES, type FaultType } from '@file-processing/quality/faults.ts';
import type { FieldType } from '@file-processing/quality/field-type.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';

/** What one notice tells, as topics and webhooks get it: `notice.schema.json` beside this file. No value of a cell is in it. */
export interface Notice {
  /** Version of its shape. */
  readonly version: 1;
  /** The same for each attempt to deliver it to one target: what came before may be thrown away. */
  readonly id: string;
  /** `delivery.` and the state, as Standard Webhooks has types of events. */
  readonly type: `delivery.${NoticeState}`;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: NoticeData;
}

/** What changed. */
export interface NoticeData {
  readonly state: NoticeState;
  /** Null where no file was judged. */
  readonly verdict: Verdict | null;
  /** The verdict that stood before; null where there was none. */
  readonly previousVerdict: Verdict | null;
  /** Null for a file that nobody monitors. */
  readonly client: string | null;
  readonly mapping: { readonly name: string; readonly version: number } | null;
  /** Null for a delivery that did not come. */
  readonly object: {
    readonly bucket: string;
    readonly key: string;
    readonly versionId: string | null;
  } | null;
  /** Null where nothing was due. */
  readonly period: {
    /** What was due: the pattern of a monitored file, or the name of a set. */
    readonly subject: string;
    readonly name: string;
    /** ISO 8601. */
    readonly dueAt: string;
    /** Of the schedule, of the IANA database. */
    readonly timeZone: string;
  } | null;
  readonly run: { readonly id: string; readonly judgement: number } | null;
  /** Null where no file was judged, or its report was deleted for its age. */
  readonly counts: {
    readonly rows: number;
    readonly faultyRows: number;
    readonly faults: number;
  } | null;
  /** Kinds of faults by column, those of the structure first; 20 at most. */
  readonly findings: readonly Finding[];
  /** How many more there are. */
  readonly moreFindings: number;
  readonly diagnoses: readonly {
    readonly kind: string;
    readonly sentence: string;
    readonly remedy: string;
  }[];
  /** Where the whole report is; null where none is written to the bucket. */
  readonly report: { readonly bucket: string; readonly key: string } | null;
}

/** What is wrong with one column, or with the file. */
export interface Finding {
  readonly kind: FaultType;
  /** Whether all of them are required values that are not there. */
  readonly missing: boolean;
  /** Of a `constraint-error` the constraint that all of them break, such as `enum`; null where it is not known, or several are. */
  readonly constraint: string | null;
  /** Of a `type-error` the type that the schema has; null of other kinds. */
  readonly type: FieldType | null;
  readonly count: number;
  /** Number of the column from 1; null where it is about no single column. */
  readonly column: number | null;
  /** The schema's name of the column; null where it declares none. */
  readonly field: string | null;
  /** The first rows, as a spreadsheet counts them: the header is row 1. */
  readonly rows: readonly number[];
}

/** Changes that a message tells in full; the rest of a digest is counted. */
export const TOLD_IN_FULL = 20;

/** Findings that a notice names. */
const MOST_FINDINGS = 20;
/** Rows of one finding that a notice names. */
const MOST_ROWS = 3;
/** Wrong column names of one kind that are each a finding; more are counted in one. */
const MOST_LABELS = 5;

/** Faults of single column names. */
const OF_LABELS: readonly FaultType[] = [
  'blank-label',
  'duplicate-label',
  'missing-label',
  'extra-label',
  'incorrect-label',
];

/** The findings of a report, by kind and column in the order of the kinds. Only counts and places are taken from it. */
export function findingsOf(report: QualityReport): readonly Finding[] {
  return FAULT_TYPES.flatMap((kind) => {
    const total = report.faultCounts[kind] ?? 0;
    if (total === 0) return [];
    const labels = labelsOf(report, kind, total);
    if (labels.length > 0) return labels;
    const byColumn = report.columns.flatMap((reported): Finding[] => {
      const { field, name, nulls, faultCounts } = reported;
      const count = faultCounts?.[kind] ?? 0;
      if (count === 0) return [];
      const places = placesOf(report, kind, (column) => column === field);
      const missing = kind === 'constraint-error' && areMissing(report, field, count, nulls);
      const constraint = kind === 'constraint-error' ? constraintOf(report, field, count) : null;
      const type = kind === 'type-error' && reported.declared ? reported.type : null;
      return [{ kind, missing, constraint, type, count, column: field, field: name, ...places }];
    });
    const rest = total - byColumn.reduce((sum, { count }) => sum + count, 0);
    if (rest <= 0) return byColumn;
    const whole = {
      ...{ kind, missing: false, constraint: null, type: null },
      ...{ count: rest, column: null, field: null },
    };
    const counted = new Set(byColumn.map(({ column }) => column));
    // A cell beyond the header's labels is in no column of the report.
    const places = placesOf(report, kind, (column) => column === null || !counted.has(column));
    return [{ ...whole, ...places }, ...byColumn];
  });
}

/**
 * Column names that are wrong, each by the number of its column, and one that is missing by the schema's name; none where
 * there are too many, or one goes by neither.
 */
function labelsOf({ faults }: QualityReport, kind: FaultType, total: number): Finding[] {
  if (!OF_LABELS.includes(kind) || total > MOST_LABELS) return [];
  const listed = faults.filter(({ type }) => type === kind);
  const found = listed.flatMap(({ field, label, classification }): Finding[] => {
    // The schema's name is public; what stands in the file may be a cell of a row that was read as the header.
    const name = kind === 'missing-label' && classification === 'public' ? label : null;
    if (field === null && name === null) return [];
    const none = { missing: false, constraint: null, type: null, rows: [] };
    return [{ ...none, kind, count: 1, column: field, field: name }];
  });
  return found.length === total ? found : [];
}

/** What a notice names of the findings, and how many it leaves out. */
export function shownFindings(
  findings: readonly Finding[],
): Pick<NoticeData, 'findings' | 'moreFindings'> {
  return {
    findings: findings.slice(0, MOST_FINDINGS),
    moreFindings: Math.max(0, findings.length - MOST_FINDINGS),
  };
}

function placesOf(
  { faults }: QualityReport,
  kind: FaultType,
  isMeant: (column: number | null) => boolean,
): Pick<Finding, 'rows'> {
  const rows = faults
    .filter(({ type, field }) => type === kind && isMeant(field))
    .flatMap(({ record }) => (record === null ? [] : [record]));
  return { rows: [...new Set(rows)].slice(0, MOST_ROWS) };
}

/** Its name is the first word of a message, whether the message quotes the constraint or not. */
function constraintOf({ faults }: QualityReport, column: number, count: number): string | null {
  const listed = faults.filter(
    ({ type, field }) => type === 'constraint-error' && field === column,
  );
  const names = new Set(listed.map(({ message }) => /^[a-z]+/i.exec(message)?.[0] ?? ''));
  const [name = ''] = names;
  return listed.length === count && names.size === 1 && name !== '' ? name : null;
}

/** A report lists the first faults of a column; the rest are of the same kind where as many values are null. */
function areMissing(
  { faults }: QualityReport,
  column: number,
  count: number,
  nulls: number,
): boolean {
  const listed = faults.filter(
    ({ type, field }) => type === 'constraint-error' && field === column,
  );
  const all = listed.every(({ message }) => message.startsWith('required'));
  return listed.length > 0 && all && (listed.length === count || nulls === count);
}
