/**
 * Every kind of fault. The names are the Frictionless framework's where it has one; `stray-quote` and
 * `unclosed-quote` are csvlint's; `header-only`, `record-too-large`, `completeness` and `key-check-incomplete`
 * are ours, since neither has a name for them.
 */
export const FAULT_TYPES = [
  'source-error',
  'encoding-error',
  'stray-quote',
  'unclosed-quote',
  'record-too-large',
  'blank-header',
  'blank-label',
  'duplicate-label',
  'missing-label',
  'extra-label',
  'incorrect-label',
  'header-only',
  'blank-row',
  'missing-cell',
  'extra-cell',
  'type-error',
  'constraint-error',
  'unique-error',
  'primary-key',
  'table-dimensions',
  'completeness',
  'key-check-incomplete',
] as const;

export type FaultType = (typeof FAULT_TYPES)[number];

/** One fault, with its place. What does not apply is null: a whole file has no record, a record no column. */
export interface Fault {
  readonly type: FaultType;
  /** Number of the record from 1; the header counts, comments do not. */
  readonly record: number | null;
  /** Physical line from 1 on which the cell, or the quote, stands. */
  readonly line: number | null;
  /** Offset in the file, from 0, of the cell, the quote or the byte. */
  readonly byte: number | null;
  /** Number of the column from 1. */
  readonly field: number | null;
  readonly label: string | null;
  /** The offending text, at most 256 characters; a NUL is shown as U+2400. */
  readonly value: string | null;
  readonly message: string;
}

/** The first faults in full, and the exact number of all of them. */
export class FaultLog {
  readonly listed: Fault[] = [];
  readonly #counts = new Map<FaultType, number>();
  readonly #inRows = new Map<FaultType, number>();
  readonly #maxListed: number;

  constructor(maxListed: number) {
    this.#maxListed = maxListed;
  }

  /** Counts faults of the header or the whole file; true when there is room to list one. */
  count(type: FaultType, times = 1): boolean {
    this.#counts.set(type, this.total(type) + times);
    return !this.full;
  }

  /** Counts faults in rows; true when there is room to list one, so that nobody words what nobody reads. */
  countInRow(type: FaultType, times = 1): boolean {
    this.#inRows.set(type, this.inRows(type) + times);
    return this.count(type, times);
  }

  /** Whether no further fault will be listed. */
  get full(): boolean {
    return this.listed.length >= this.#maxListed;
  }

  list(fault: Fault): void {
    if (!this.full) this.listed.push(fault);
  }

  total(type: FaultType): number {
    return this.#counts.get(type) ?? 0;
  }

  inRows(type: FaultType): number {
    return this.#inRows.get(type) ?? 0;
  }

  /** Totals of the kinds that occurred, in the order of {@link FAULT_TYPES}. */
  counts(): Partial<Record<FaultType, number>> {
    const counts: Partial<Record<FaultType, number>> = {};
    for (const type of FAULT_TYPES) if (this.#counts.has(type)) counts[type] = this.total(type);
    return counts;
  }
}
