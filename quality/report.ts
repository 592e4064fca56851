import type { FaultType } from './faults.ts';
import type { Fault } from './findings.ts';
import type { ColumnReport } from './profile.ts';
import type { Verdict } from './verdict.ts';

/** The result of one inspection. Its JSON Schema is `report.schema.json` in this folder. */
export interface QualityReport {
  /** Version of the report's shape. */
  readonly version: 1;
  readonly verdict: Verdict;
  /** Why, in sentences; empty for `passed`. */
  readonly reasons: readonly string[];
  /** Size of the file. */
  readonly bytes: number;
  /** Of the file's bytes, in hexadecimal. */
  readonly sha256: string;
  readonly durationMs: number;
  /** Records after the header, blank and faulty ones included. */
  readonly rows: number;
  /** Rows with at least one fault. */
  readonly faultyRows: number;
  /** How records end; line ends inside quoted cells are not counted. */
  readonly lineEnds: { readonly lf: number; readonly crlf: number; readonly cr: number };
  /** Whether a UTF-8 byte order mark comes first. */
  readonly byteOrderMark: boolean;
  /** Whether a schema was applied, or structure and profile alone. */
  readonly schemaApplied: boolean;
  readonly faultCount: number;
  /** Exact totals of the kinds that occurred. */
  readonly faultCounts: Partial<Record<FaultType, number>>;
  /** The first faults in full, `maxFaults` at most. */
  readonly faults: readonly Fault[];
  readonly columns: readonly ColumnReport[];
}
