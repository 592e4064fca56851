import type { FaultType } from './faults.ts';
import type { Fault } from './findings.ts';
import type { ColumnReport } from './profile.ts';
import type { SettledEncoding } from './text-source.ts';
import type { Verdict } from './verdict.ts';

/** What became of the checksum that the file's store keeps of it. */
export interface ChecksumReport {
  /** `compared`: it is the checksum of the bytes that were judged. */
  readonly status: 'compared' | 'not checked';
  /** Such as `CRC64NVME`; null where the store keeps none. */
  readonly algorithm: string | null;
  /** Why it was not compared, in a sentence; null where it was. */
  readonly reason: string | null;
}

/** How the bytes came from their store to the engine, which itself knows nothing of it. */
export interface SourceReport {
  readonly checksum: ChecksumReport;
  /** What the store says that the file is encoded with; null where it says nothing. It was judged as stored. */
  readonly contentEncoding: string | null;
}

/** What was wrong in one column. */
export interface ColumnFaults {
  /** Exact totals of the kinds that occurred; those of no column are the rest of the report's. */
  readonly faultCounts: Partial<Record<FaultType, number>>;
}

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
  /** Rows whose faults only warn, but of which not every cell could be checked. */
  readonly incompleteRows: number;
  /** How records end; line ends inside quoted cells are not counted. */
  readonly lineEnds: { readonly lf: number; readonly crlf: number; readonly cr: number };
  /** What the text was read in. */
  readonly encoding: SettledEncoding;
  /** Whether a byte order mark comes first. */
  readonly byteOrderMark: boolean;
  /** Whether a schema was applied, or structure and profile alone. */
  readonly schemaApplied: boolean;
  readonly faultCount: number;
  /** Exact totals of the kinds that occurred. */
  readonly faultCounts: Partial<Record<FaultType, number>>;
  /** The first 20 of each kind and column in full, `maxFaults` and 1 MiB at most, those of the structure first. */
  readonly faults: readonly Fault[];
  readonly columns: readonly (ColumnReport & ColumnFaults)[];
  /** Absent where the file was not read from a store. */
  readonly source?: SourceReport;
}
