import type { CompiledDialect } from './dialect.ts';
import { type RecordHandler, Scanner } from './scanner.ts';

/**
 * Holds the last records of a file back, so that what is declared to be its footer is never judged. A scanner of its
 * own finds where records begin, since no other knows yet whether a line end stands in quotes; so only files with a
 * footer are scanned twice. What is held is no longer than one record may be: a longer footer is judged.
 */
export class FooterHold implements RecordHandler {
  readonly #scanner: Scanner;
  readonly #rows: number;
  readonly #firstRow: number;
  readonly #maxBytes: number;
  #records = 0;
  /** Where the last records begin, the header and what comes before it left out. */
  #starts: number[] = [];
  #held: Uint8Array[] = [];
  #heldFrom = 0;
  #heldTo = 0;

  constructor(dialect: CompiledDialect, maxRecordBytes: number) {
    this.#scanner = new Scanner(this, dialect, maxRecordBytes);
    this.#rows = dialect.footerRows;
    this.#firstRow = dialect.header ? (dialect.headerRows.at(-1) ?? 0) + 1 : 1;
    this.#maxBytes = maxRecordBytes;
  }

  /** Takes the next bytes; the sink gets those that belong to no footer. */
  write(text: Uint8Array, sink: (text: Uint8Array) => void): void {
    this.#held.push(Uint8Array.from(text));
    this.#heldTo += text.length;
    this.#scanner.write(text);
    const open = this.#scanner.offset(this.#scanner.recordStart);
    while (this.#heldTo - (this.#starts[0] ?? open) > this.#maxBytes && this.#starts.length > 0) {
      this.#starts.shift();
    }
    this.#release(this.#starts[0] ?? open, sink);
  }

  /** Ends the file; gives the number of records that were held back for good. */
  end(sink: (text: Uint8Array) => void): number {
    this.#scanner.end();
    this.#release(this.#starts[0] ?? this.#heldTo, sink);
    return this.#starts.length;
  }

  /** Called by the scanner for each record. */
  record(scanner: Scanner): void {
    this.#records++;
    if (this.#records < this.#firstRow) return;
    this.#starts.push(scanner.offset(scanner.recordStart));
    if (this.#starts.length > this.#rows) this.#starts.shift();
  }

  #release(end: number, sink: (text: Uint8Array) => void): void {
    for (
      let [first] = this.#held;
      first !== undefined && this.#heldFrom < end;
      [first] = this.#held
    ) {
      const count = Math.min(first.length, end - this.#heldFrom);
      this.#heldFrom += count;
      if (count === first.length) this.#held.shift();
      else this.#held[0] = first.subarray(count);
      sink(first.subarray(0, count));
    }
  }
}
