import type { ArchiveFormat } from './archive.ts';
import type { RuleReport } from './delivery-rules.ts';
import type { Diagnosis } from './diagnoses.ts';
import type { FaultType } from './faults.ts';
import type { Fault, ListedRow } from './findings.ts';
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
  /** What the store says that the file is encoded with; null where it says nothing, and what it says decides nothing. */
  readonly contentEncoding: string | null;
}

/** What was wrong in one column. */
export interface ColumnFaults {
  /** Exact totals of the kinds that occurred; those of no column are the rest of the report's. */
  readonly faultCounts: Partial<Record<FaultType, number>>;
}

/** What a file that was delivered compressed was judged as. */
export interface CompressionReport {
  readonly format: ArchiveFormat;
  /** Size of the content, as far as it was unpacked. */
  readonly unpackedBytes: number;
}

/** The result of one inspection. Its JSON Schema is `report.schema.json` in this folder. */
export interface QualityReport {
  /** Version of the report's shape. */
  readonly version: 1;
  readonly verdict: Verdict;
  /** Why, in sentences; empty for `passed`. */
  readonly reasons: readonly string[];
  /** Size of the file, as it was delivered. */
  readonly bytes: number;
  /** Of the file's bytes, as they were delivered, in hexadecimal. */
  readonly sha256: string;
  /** Absent where the file is judged as it was delivered. Places of faults are those in the content. */
  readonly compression?: CompressionReport;
  readonly durationMs: number;
  /** Records after the header, blank and faulty ones included. */
  readonly rows: number;
  /** Rows with at least one fault. */
  readonly faultyRows: number;
  /** Rows whose faults only warn, but of which not every cell could be checked. */
  readonly incompleteRows: number;
  /** Records that the dialect declares away, which are in no other count: before and between the header rows, comments, at the end. */
  readonly skipped: {
    readonly preamble: number;
    readonly comments: number;
    readonly footer: number;
  };
  /** How records end; line ends inside quoted cells are not counted. */
  readonly lineEnds: { readonly lf: number; readonly crlf: number; readonly cr: number };
  /** What the text was read in. */
  readonly encoding: SettledEncoding;
  /** Whether a byte order mark comes first. */
  readonly byteOrderMark: boolean;
  /** Whether a schema was applied, or structure and profile alone. */
  readonly schemaApplied: boolean;
  /** Present where the table can't be read: then faults of its structure are all that the report has. */
  readonly structureOnly?: true;
  /** What explains most of the faults, three at most; none of a file that passed. */
  readonly diagnoses: readonly Diagnosis[];
  readonly faultCount: number;
  /** Exact totals of the kinds that occurred. */
  readonly faultCounts: Partial<Record<FaultType, number>>;
  /** The first 20 of each kind and column in full, `maxFaults` and 1 MiB at most, those of the structure first. */
  readonly faults: readonly Fault[];
  /** Rows that these stand in, as far as there is room; absent where none is kept. */
  readonly listedRows?: readonly ListedRow[];
  /** What became of each delivery rule; absent where there are none. */
  readonly deliveryRules?: readonly RuleReport[];
  readonly columns: readonly (ColumnReport & ColumnFaults)[];
  /** Name and version of the mapping that it was judged by, or `none`; the engine itself knows nothing of it. */
  readonly rules?: string;
  /** Absent where the file was not read from a store. */
  readonly source?: SourceReport;
  /** Trace that the judgement is part of, 32 hexadecimal digits; absent where none is recorded. The engine knows nothing of it. */
  readonly traceId?: string;
}
