import type { ArchiveFault, ArchiveFormat } from './archive.ts';
import { CellReader } from './cells.ts';
import {
  type Column,
  cellText,
  type Header,
  type InspectedFile,
  type RangeStage,
  type RowJudge,
  type RowReader,
  type Stages,
  type Writable,
} from './checks/check.ts';
import { unjudgedRule } from './checks/delivery.ts';
import { SignWatch, Utf8Watch } from './checks/encoding.ts';
import { HeaderMemory, NO_HEADER } from './checks/no-data.ts';
import { unjudgedReferences } from './checks/references.ts';
import { BYTE_ORDER_MARK, SIGNATURE_BYTES } from './checks/source.ts';
import { isBlank, placedCells, SUSPECT_TEXT, structureSuspicions } from './checks/structure.ts';
import { END_OF_FILE_MARK } from './checks/whole-file.ts';
import { classificationOf } from './classification.ts';
import type { AcceptedDelivery } from './delivery-rules.ts';
import { diagnose } from './diagnoses.ts';
import { type FoundDialect, findDialect, HEAD_BYTES, QuotedLines } from './dialect-finder.ts';
import { DistributionSample } from './distribution.ts';
import type { CompiledExpectation } from './expectation.ts';
import { CHECKS, type FaultType } from './faults.ts';
import { Findings } from './findings.ts';
import { FooterHold } from './footer.ts';
import type { LinearPattern } from './pattern.ts';
import { PlainRows } from './plain-rows.ts';
import type { EnginePorts, RangeResult, Reference, Sha256 } from './ports.ts';
import { ColumnProfile, type ColumnReport, type Distribution } from './profile.ts';
import { LEFT_FIGURES, leftBytes, type RangeContext } from './ranges.ts';
import type { QualityReport } from './report.ts';
import { CELL_ESCAPED, MAX_CELLS, QUOTES_VALID, type RecordHandler, Scanner } from './scanner.ts';
import type { CompiledField } from './table-schema.ts';
import { decodeText, equalsBytes, shorten } from './text.ts';
import { TextSource } from './text-source.ts';
import { judge, tableObstacle, toleratesFaults } from './verdict.ts';
import { WasmRows } from './wasm-rows.ts';

const BLOCK_BYTES = 65_536;
/** Of the text's end, which is looked at for what it says of the file. */
const MOST_LAST_BYTES = 256;
/** A record that is longer is judged in steps. */
const LONG_BYTES = 65_536;
/** Where WebAssembly shall read from the first row on. */
const SMALL_BLOCK_BYTES = 64;
const LONGEST_LINE_END = 2;
/** Tables with more columns are read by one thread: what is told of the columns of a range would be as long as it. */
const MOST_RANGE_COLUMNS = 1_000;
/** All bits of suspicion. */
const ANY = -1;

/**
 * What reads rows in which nothing is unusual: a loop in JavaScript; one in WebAssembly; as `true`, JavaScript up to
 * so many bytes that WebAssembly is worth while, and on where there is none; or what reads all others.
 */
export type PlainRowsOption = boolean | 'javascript' | 'webassembly';

export interface InspectionLimits {
  /** Faults that are listed in full. */
  readonly maxFaults: number;
  readonly maxRecordBytes: number;
  /** Memory that the keys of all uniqueness checks may take together. */
  readonly maxKeyBytes: number;
  /** Accepted deliveries of the same monitored file, the last one first; undefined where they are not known. */
  readonly history: readonly AcceptedDelivery[] | undefined;
  /** When the file was delivered, in milliseconds since 1970. */
  readonly deliveredAt: number;
  /** Keys of other files that foreign keys refer to. */
  readonly references: readonly Reference[];
  /** Milliseconds, from any origin. */
  readonly clock: () => number;
  /** Whether plain rows are read by a loop that is made for them, and by which. */
  readonly plainRows: PlainRowsOption;
  /** Whether the values of the first rows are counted. */
  readonly distributions: boolean;
  /** Sees the rows beside the checks. */
  readonly rowReader: RowReader | undefined;
}

/**
 * Judges one file, pushed in as bytes: {@link write} any number of times, then {@link end} once, or {@link close}
 * where the file is given up. What is judged is up to the checks; this drives them through the stages of a file.
 *
 * A record whose structure is broken (bytes that are not text, quotes, size, blank, missing or extra cells) is
 * named for that alone where that fails the file: what else is found in it mostly follows from it. Where the file
 * may pass in spite of it, the cells that can be placed are checked, profiled and remembered as keys like any others,
 * and a row of which some can't be placed is incomplete.
 */
export class Inspection implements RecordHandler {
  readonly #expectation: CompiledExpectation;
  readonly #clock: () => number;
  readonly #started: number;
  readonly #hash: Sha256;
  readonly #source: TextSource;
  readonly #watch: Utf8Watch;
  readonly #signs = new SignWatch();
  readonly #scanner: Scanner;
  readonly #file: Writable<InspectedFile>;
  readonly #makeFindings: () => Findings;
  #found: Findings;
  readonly #stages: readonly Stages<FaultType>[];
  /** What is asked about each suspect, which a file with many faults has in each row. */
  readonly #structureJudges: readonly StructureJudge[];
  readonly #cellJudges: readonly NonNullable<Stages<FaultType>['cell']>[];
  /** Whether a file with faults that do not only warn may be warned. */
  readonly #tolerant: boolean;
  /** What the bytes were unpacked from, and why they could not be. */
  #archive: ArchiveFormat | undefined;
  #refusal: ArchiveFault | undefined;
  #unpackedBytes = 0;
  /** The first bytes, until there are enough of them to find out how the file is written. */
  #head: Uint8Array | undefined = new Uint8Array(0);
  #headLength = 0;
  #dialect: FoundDialect | undefined;
  /** Takes the quotes off lines that are quoted as a whole. */
  #lines: QuotedLines | undefined;
  #unquoted: Uint8Array[] = [];
  /** Bytes of UTF-8 that were scanned. */
  #scanned = 0;
  #lastBytes: Uint8Array = new Uint8Array(0);
  #byteOrderMark = false;
  readonly #hasDistributions: boolean;
  #sample: DistributionSample | undefined;
  /** False for an archive, or text that is not UTF-8 from its first bytes. */
  #supported = true;
  #footer: FooterHold | undefined;
  /** Whether each check that judges all rows can do so in ranges, and how they do. */
  #judgesRanges = false;
  #rangeStages: readonly (RangeStage | undefined)[] = [];
  /** Whether another thread has counted the row that is being judged. */
  #isCounted = false;
  readonly #skipped = { preamble: 0, comments: 0, footer: 0 };
  readonly #header = { labels: [] as readonly string[], line: 1, labelCount: 0, intact: true };
  #headerMemory: HeaderMemory | undefined;
  #headerStart = NO_HEADER;
  #suspectRecord = 0;
  #suspectIsNoData = false;
  #cells: CellReader | undefined;
  #judges: readonly RowJudge<FaultType>[] = [];
  /** All that cells are matched by. */
  #patterns: readonly { readonly cell: number; readonly pattern: LinearPattern }[] = [];
  #headerKnown = true;
  readonly #readsPlainRows: PlainRowsOption;
  readonly #rowReader: RowReader | undefined;
  #plainRows: PlainRows | WasmRows | undefined;
  /** Undefined once the columns are settled. */
  #schemaLayout: readonly number[] | undefined;
  #settled = false;
  /** Whether the record that the scanner has handed over last is still to be judged. */
  #isHeld = false;

  constructor(expectation: CompiledExpectation, ports: EnginePorts, limits: InspectionLimits) {
    const { dialect, schema, rules, thresholds } = expectation;
    const { clock, deliveredAt, history, maxFaults, maxKeyBytes, maxRecordBytes, references } =
      limits;
    this.#expectation = expectation;
    this.#clock = clock;
    this.#readsPlainRows = limits.plainRows;
    this.#hasDistributions = limits.distributions;
    this.#rowReader = limits.rowReader;
    this.#started = clock();
    this.#hash = ports.createHash();
    this.#source = new TextSource(dialect.encoding);
    this.#watch = new Utf8Watch(ports.isUtf8);
    this.#scanner = new Scanner(this, dialect, maxRecordBytes);
    this.#file = {
      dialect,
      schema,
      rules,
      history,
      deliveredAt,
      references,
      maxRecordBytes,
      maxKeyBytes,
      ports,
      bytes: 0,
      unpacked: false,
      text: this.#source.text,
      byteOf: (offset) => this.#source.byteOf(offset),
      sha256: '',
      records: 0,
      rows: 0,
      readRows: 0,
      suspectUntil: 0,
      lineEnds: this.#scanner.lineEnds,
      otherLineEnd: undefined,
      lastByte: -1,
      signs: this.#signs.signs,
      columns: undefined,
      columnsOfSchema: false,
      values: new Float64Array(0),
      nulls: new Uint8Array(0),
    };
    this.#makeFindings = () => new Findings(maxFaults, thresholds, this.#file, this.#scanner);
    this.#found = this.#makeFindings();
    this.#stages = CHECKS.map((check) => check.begin(this.#file, thresholds));
    this.#structureJudges = this.#stages.flatMap(({ structure }, check) =>
      structure === undefined ? [] : [{ structure, asked: CHECKS[check]?.suspicions ?? ANY }],
    );
    this.#tolerant = toleratesFaults(thresholds);
    this.#cellJudges = this.#stages.flatMap((stage) => stage.cell ?? []);
    if (!dialect.header && schema !== undefined) {
      const { fields } = schema;
      this.#open(
        fields.map((field) => field.name),
        [...fields.keys()],
      );
      this.#takePlainRows();
    }
  }

  /** Rows seen so far. */
  get rows(): number {
    return this.#file.rows;
  }

  /** Takes the next bytes of a file that is judged as it was delivered. */
  write(chunk: Uint8Array): void {
    this.deliver(chunk);
    this.read(chunk);
  }

  /** Counts the next bytes as they were delivered, where they are not what is judged. */
  deliver(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#file.bytes += chunk.length;
  }

  /** Says what the bytes are unpacked from, before the first {@link read}. */
  unpackFrom(format: ArchiveFormat): void {
    this.#archive = format;
    this.#file.unpacked = true;
  }

  /** Whether what is judged comes out of an archive. */
  get isUnpacked(): boolean {
    return this.#archive !== undefined;
  }

  /** Judges the next bytes of the file's content. */
  read(chunk: Uint8Array): void {
    for (const _step of this.reading(chunk));
  }

  /**
   * The same in steps between which other work may have its turn, where more is to be done than these bytes are worth:
   * in a long record, and where one is read again.
   */
  *reading(chunk: Uint8Array): Generator<void> {
    this.#unpackedBytes += chunk.length;
    const texts: Uint8Array[] = [];
    this.#source.write(chunk, this.#keptFrom, (text) => texts.push(text));
    for (const text of texts) yield* this.#judging(text);
  }

  /**
   * What other threads need to read ranges of what follows; undefined where this one has to read by itself, at least
   * for now: before the columns are settled, and of files that PlainRows does not read or of which something is turned
   * about before it is read.
   */
  get rangeContext(): RangeContext | undefined {
    const { columns, dialect, lineEnds, otherLineEnd, rows } = this.#file;
    const isRead = this.#plainRows !== undefined && this.#scanner.taker === this.#plainRows;
    const isAsIs =
      this.#source.text.encoding === 'utf-8' &&
      this.#lines === undefined &&
      this.#footer === undefined;
    const isOpen = this.#judgesRanges && this.#rowReader === undefined;
    if (!isRead || !isAsIs || !isOpen || rows === 0) return undefined;
    if (columns === undefined || columns.length > MOST_RANGE_COLUMNS) return undefined;
    const { lf, crlf } = lineEnds;
    if ((otherLineEnd === undefined && isMixed(lineEnds)) || lf + crlf === 0) return undefined;
    const file = { ...this.#file, lineEnds: { ...lineEnds } };
    return { file, dialect, columns, header: this.#headerStart, stages: this.#rangeStages };
  }

  /**
   * Judges the next bytes as {@link read} does, with what another thread made of them; it stops after each piece that
   * is read here, so that other work gets its turn.
   *
   * @returns how many bytes were read here
   */
  *readRange(block: Uint8Array, range: RangeResult): Generator<void, number> {
    const scanner = this.#scanner;
    const base = this.#scanned;
    const start = Math.max(0, range.start);
    this.#unpackedBytes += block.length;
    yield* this.#scanPieces(block.subarray(0, start));
    if (range.start < 0 || !scanner.restsAt(base + start) || !this.#mayAdd(range)) {
      yield* this.#scanPieces(block.subarray(start));
      return block.length;
    }
    const { end, left, lines, profiles, gathered } = range;
    const firstLine = scanner.nextLine;
    let rows = 0;
    let again = 0;
    const add = (upTo: number, count: number, line: number): void => {
      this.#noteLineEnd(scanner.nextLine);
      again += this.#addRows(block, range, { base, firstLine, upTo, from: rows, to: count });
      rows = count;
      this.#scanned = base + upTo;
      scanner.resume(base + upTo, firstLine + line);
    };
    for (let i = 0; i < left.length; i += LEFT_FIGURES) {
      const [from, to, line, count] = left.subarray(i, i + LEFT_FIGURES) as unknown as Left;
      add(from, count, line);
      yield* this.#scanPieces(block.subarray(from, to));
      this.#mustRestAt(base + to);
    }
    add(end, range.rows, lines);
    scanner.lineEnds.lf += range.lineEnds.lf;
    scanner.lineEnds.crlf += range.lineEnds.crlf;
    profiles.forEach((part, column) => {
      this.#file.columns?.[column]?.profile.add(part);
    });
    this.#rangeStages.forEach((stage, check) => {
      stage?.add?.(gathered[check]);
    });
    yield* this.#scanPieces(block.subarray(end));
    return start + leftBytes(range) + again + block.length - end;
  }

  #mustRestAt(offset: number): void {
    if (!this.#scanner.restsAt(offset)) throw new Error('two threads read a record differently');
  }

  *#scanPieces(text: Uint8Array): Generator<void> {
    for (let from = 0; from < text.length; from += BLOCK_BYTES) {
      yield* this.#scanning(text.subarray(from, from + BLOCK_BYTES));
      yield;
    }
  }

  #mayAdd(range: RangeResult): boolean {
    // A row has one byte at least.
    const most = leftBytes(range);
    return this.#rangeStages.every((stage, check) => {
      return stage?.mayAdd?.(range.gathered[check], most) ?? true;
    });
  }

  /**
   * Counts rows of a range, of which another thread has seen that there is nothing to find in themselves.
   *
   * @returns bytes of those that had to be looked at again
   */
  #addRows(block: Uint8Array, range: RangeResult, part: RangePart): number {
    const { from, to, upTo } = part;
    if (from === to) return 0;
    const { gathered, places } = range;
    const file = this.#file;
    const text = block.subarray(this.#scanned - part.base, upTo);
    const lastBytes = lastBytesOf(text, this.#lastBytes);
    if (this.#signs.next < this.#scanned) {
      // It stands in what was skipped of a record, and has its place in the next one.
      const place = { record: file.records + 1, line: this.#scanner.nextLine };
      this.#signs.place(this.#scanned, place, file.byteOf);
    }
    const check = this.#rangeStages.findIndex((stage) => stage?.addRows !== undefined);
    const stage = this.#rangeStages[check];
    let again = 0;
    for (let row = from; stage?.addRows !== undefined; row++) {
      row = stage.addRows(gathered[check], row, to, file.records + 1 + row - from);
      if (row >= to) break;
      const start = places[row * 2] as number;
      const end = row + 1 < to ? (places[row * 2 + 2] as number) : upTo;
      this.#readAgain(block.subarray(start, end), part.base + start, {
        line: part.firstLine + (places[row * 2 + 1] as number),
        before: row - from,
      });
      again += end - start;
    }
    file.records += to - from;
    file.rows += to - from;
    file.readRows += to - from;
    file.lastByte = lastByteOf(block.subarray(0, upTo).subarray(-LONGEST_LINE_END - 1), -1);
    this.#lastBytes = lastBytes;
    return again;
  }

  /** Judges a row that another thread has counted, for what depends on the rows before it. */
  #readAgain(text: Uint8Array, offset: number, { line, before }: { line: number; before: number }) {
    const file = this.#file;
    const scanner = this.#scanner;
    const { records, rows, readRows } = file;
    const lineEnds = { ...scanner.lineEnds };
    file.records += before;
    file.rows += before;
    this.#scanned = offset;
    scanner.resume(offset, line);
    this.#isCounted = true;
    // Whatever is not plain of a row is read by CellReader, so that it is known of each cell what it was counted as.
    file.suspectUntil = offset + text.length;
    for (const _step of this.#scanning(text));
    this.#isCounted = false;
    this.#mustRestAt(offset + text.length);
    this.#cells?.forget(scanner);
    Object.assign(scanner.lineEnds, lineEnds);
    Object.assign(file, { records, rows, readRows });
  }

  /** Makes nothing of what was read so far: its archive can't be unpacked to its end. */
  refuse(fault: ArchiveFault): void {
    this.#refusal = fault;
  }

  /** The UTF-8 in front of the record that is being read is of no more interest. */
  get #keptFrom(): number {
    return this.#scanner.offset(this.#scanner.recordStart);
  }

  *#judging(text: Uint8Array): Generator<void> {
    if (this.#head === undefined) {
      yield* this.#readTable(text);
      return;
    }
    const missing = HEAD_BYTES - this.#headLength;
    const part = text.subarray(0, missing);
    if (part.length < missing) this.#keepHead(part);
    else {
      if (this.#headLength > 0) this.#keepHead(part);
      yield* this.#begin(this.#headLength > 0 ? this.#head : part, false);
      yield* this.#readTable(text.subarray(missing));
    }
  }

  #keepHead(part: Uint8Array): void {
    const length = this.#headLength + part.length;
    let head = this.#head as Uint8Array;
    if (length > head.length) {
      head = new Uint8Array(Math.min(HEAD_BYTES, Math.max(length, head.length * 2)));
      head.set((this.#head as Uint8Array).subarray(0, this.#headLength));
      this.#head = head;
    }
    head.set(part, this.#headLength);
    this.#headLength = length;
  }

  /**
   * Ends the last row, and does what can only be done after it, in steps between which other work may have its turn.
   * {@link end} does without a pause what was not done by this.
   */
  *settle(): Generator<void> {
    if (this.#settled || this.#refusal !== undefined) return;
    this.#settled = true;
    const texts: Uint8Array[] = [];
    this.#source.end(this.#keptFrom, (text) => texts.push(text));
    for (const text of texts) yield* this.#judging(text);
    if (this.#head !== undefined) {
      yield* this.#begin(this.#head.subarray(0, this.#headLength), true);
    }
    if (this.#footer !== undefined) {
      const rows: Uint8Array[] = [];
      this.#skipped.footer = this.#footer.end((row) => rows.push(row));
      for (const row of rows) yield* this.#scanning(row);
    }
    if (!this.#watch.complete()) this.#file.suspectUntil = Infinity;
    if (this.#lines !== undefined) yield* this.#readLines(() => this.#lines?.end());
    yield* this.#judgeHeldIn(this.#scanner.ending());
    for (const stage of this.#stages) yield* stage.settle?.(this.#found) ?? [];
  }

  /** Gives back what is held outside of memory; to be called where a file is given up, and may be called at any time. */
  close(): void {
    this.#forgetAnswers();
    for (const stage of this.#stages) stage.close?.();
  }

  /** Ends the file and gives the verdict. */
  end(): QualityReport {
    this.#file.sha256 = this.#hash.digest('hex');
    if (this.#refusal !== undefined) this.#forget(this.#refusal);
    else this.#finish();
    this.close();
    const found = this.#found;
    const file = this.#file;
    const table = {
      thresholds: this.#expectation.thresholds,
      rows: file.rows,
      brokenRows: found.brokenRows,
      headerKnown: this.#headerKnown,
    };
    const structureOnly = this.#supported && tableObstacle(table) !== undefined;
    if (structureOnly) found.keepStructure();
    const judgement = judge({
      ...table,
      faults: found.log,
      failingRows: found.failingRows,
      incompleteRows: found.incompleteRows,
      readable: this.#supported,
      unreadableRecords: found.unreadableRecords,
      records: file.records,
    });
    const faultCounts = found.log.counts();
    const { listedRows } = found.log;
    const columns = (file.columns ?? []).map(
      ({ profile, field, label, classification }, index) => ({
        field,
        report: profile.report(index, file.readRows, { label: shorten(label), classification }),
      }),
    );
    const distributions = structureOnly ? [] : this.#distributions(columns);
    const deliveryRules =
      found.rules.length > 0
        ? found.rules
        : [
            ...file.rules.map((rule) => unjudgedRule(rule, 'the file cannot be read')),
            ...unjudgedReferences(file),
          ];
    return {
      version: 1,
      ...judgement,
      bytes: file.bytes,
      sha256: file.sha256,
      ...(this.#archive === undefined
        ? {}
        : { compression: { format: this.#archive, unpackedBytes: this.#unpackedBytes } }),
      durationMs: Math.max(0, this.#clock() - this.#started),
      rows: file.rows,
      faultyRows: found.faultyRows,
      incompleteRows: found.incompleteRows,
      skipped: { ...this.#skipped, comments: this.#skipped.comments + this.#scanner.comments },
      lineEnds: { ...this.#scanner.lineEnds },
      encoding: this.#source.text.encoding,
      byteOrderMark: this.#byteOrderMark,
      schemaApplied: file.schema !== undefined,
      ...(structureOnly ? { structureOnly } : {}),
      diagnoses: diagnose({
        log: found.log,
        file,
        dialect: this.#supported ? this.#dialect : undefined,
        lastLines: this.#supported && file.records > 0 ? linesOf(this.#lastBytes) : [],
        cutsCharacter: cutsCharacter(this.#lastBytes),
      }),
      faultCount: Object.values(faultCounts).reduce((total, count) => total + count, 0),
      faultCounts,
      faults: found.log.listed,
      ...(listedRows.length === 0 ? {} : { listedRows }),
      ...(deliveryRules.length === 0 ? {} : { deliveryRules }),
      columns: columns.map(({ report }, index) => ({
        ...report,
        ...(distributions[index] === undefined ? {} : { distribution: distributions[index] }),
        faultCounts: found.log.countsOf(index),
      })),
    };
  }

  #distributions(
    columns: readonly {
      readonly field: CompiledField | undefined;
      readonly report: Pick<ColumnReport, 'type'>;
    }[],
  ): readonly (Distribution | undefined)[] {
    const { dialect, maxRecordBytes } = this.#file;
    const counted = columns.map(({ field, report: { type } }) => ({ field, type }));
    return this.#sample?.count(dialect, counted, maxRecordBytes) ?? [];
  }

  /** Leaves of all that was found only the reason to refuse it. */
  #forget({ kind, message }: ArchiveFault): void {
    const file = this.#file;
    this.#supported = false;
    this.#found = this.#makeFindings();
    file.records = 0;
    file.rows = 0;
    file.columns = undefined;
    Object.assign(this.#scanner.lineEnds, { lf: 0, crlf: 0, cr: 0 });
    if (this.#found.count(kind)) this.#found.listFile(kind, message);
  }

  #finish(): void {
    const file = this.#file;
    for (const _step of this.settle());
    if (file.records > 0 && isMixed(file.lineEnds)) {
      file.otherLineEnd ??= { record: file.records, line: this.#scanner.recordLine };
    }
    this.#plainRows?.fold();
    if (!this.#supported) return;
    for (const stage of this.#stages) stage.last?.(this.#scanner, this.#found);
    this.#stages.every((stage) => stage.end?.(this.#found) ?? true);
  }

  /** Called by the scanner for each record that is not among the plain rows; what must see every row is a row judge. */
  record(scanner: Scanner): void {
    this.#noteLineEnd(scanner.recordLine);
    if (scanner.recordEnd - scanner.recordStart > LONG_BYTES) {
      this.#isHeld = true;
      scanner.pause();
      return;
    }
    this.#judgeRecord(scanner);
  }

  #judgeRecord(scanner: Scanner): void {
    const file = this.#file;
    file.records++;
    if (scanner.offset(scanner.recordEnd) > this.#signs.next) this.#placeSigns(scanner);
    const { dialect } = file;
    if (dialect.commentRows.size > 0 && dialect.commentRows.has(file.records)) {
      this.#skipped.comments++;
      return;
    }
    if (file.columns === undefined) {
      if (dialect.header) {
        if (dialect.headerRows.includes(file.records)) this.#readHeaderRow(scanner);
        else this.#skipped.preamble++;
        return;
      }
      const count = Math.min(scanner.cellCount, MAX_CELLS);
      this.#open(
        Array.from({ length: count }, (_, index) => `field${index + 1}`),
        [],
      );
      this.#takePlainRows();
    }
    if (this.#schemaLayout !== undefined) this.#chooseLayout(scanner, this.#schemaLayout);
    file.rows++;
    this.#found.beginRow();
    if (this.#headerMemory?.isRepeatedBy(scanner) === true) {
      for (const stage of this.#stages) stage.repeatedHeader?.(this.#found);
      this.#found.endRow();
      return;
    }
    const { length } = file.columns as readonly Column[];
    const suspicions = structureSuspicions(scanner, length, file.suspectUntil);
    const structure = suspicions === 0 ? INTACT : this.#judgeStructure(scanner, suspicions);
    if (structure !== REFUSED) {
      file.readRows++;
      if (structure === INTACT) this.#cells?.read(scanner);
      else this.#readBroken(scanner, length);
      for (const judgeRow of this.#judges) judgeRow(scanner, this.#found);
    }
    this.#found.endRow();
  }

  /** @param nextLine the one after that of the last record */
  #noteLineEnd(nextLine: number): void {
    const file = this.#file;
    if (file.otherLineEnd !== undefined || !isMixed(this.#scanner.lineEnds)) return;
    file.otherLineEnd = { record: Math.max(1, file.records), line: nextLine - 1 };
  }

  /** @param whole whether there is no more than that */
  *#begin(head: Uint8Array, whole: boolean): Generator<void> {
    this.#head = undefined;
    this.#file.text = this.#source.text;
    const first = head.subarray(0, SIGNATURE_BYTES);
    this.#supported = this.#stages.every((stage) => stage.head?.(first, this.#found) ?? true);
    this.#byteOrderMark =
      this.#supported && equalsBytes(head, 0, Math.min(3, head.length), BYTE_ORDER_MARK);
    if (!this.#supported) return;
    const mark = this.#byteOrderMark ? BYTE_ORDER_MARK.length : 0;
    const { sepLine } = this.#findDialect(head.subarray(mark), whole);
    this.#scanned = mark + sepLine;
    this.#scanner.skip(this.#scanned, sepLine > 0 ? 1 : 0);
    const rows = head.subarray(this.#scanned);
    if (this.#hasDistributions && this.#lines === undefined) {
      this.#sample = new DistributionSample(rows, whole);
    }
    yield* this.#readTable(rows);
  }

  #findDialect(text: Uint8Array, whole: boolean): FoundDialect {
    const { dialect, schema, maxRecordBytes } = this.#file;
    const names = (schema?.fields ?? []).map(({ name }) => name);
    const found = findDialect(text, whole, dialect, names);
    this.#dialect = found;
    this.#file.dialect = found.dialect;
    this.#scanner.useDialect(found.dialect);
    if (this.#file.columns !== undefined) this.#takePlainRows();
    if (dialect.footerRows > 0) this.#footer = new FooterHold(found.dialect, maxRecordBytes);
    if (found.quotedLines) {
      // The quotes that were taken off are in no offset.
      this.#file.byteOf = () => null;
      this.#lines = new QuotedLines(dialect.quote, maxRecordBytes, (line) =>
        // The bytes are its own.
        this.#unquoted.push(line.slice()),
      );
    }
    for (const stage of this.#stages) stage.dialect?.(found, this.#found);
    return found;
  }

  *#readTable(text: Uint8Array): Generator<void> {
    if (!this.#supported) return;
    const rows = this.#footer === undefined ? [text] : [];
    this.#footer?.write(text, (row) => rows.push(row));
    for (const row of rows) yield* this.#scanning(row);
  }

  *#scanning(chunk: Uint8Array): Generator<void> {
    const offset = this.#scanned;
    this.#scanned += chunk.length;
    if (chunk.length > 0) {
      this.#file.lastByte = lastByteOf(chunk, this.#file.lastByte);
      this.#lastBytes = lastBytesOf(chunk, this.#lastBytes);
    }
    for (let from = 0; from < chunk.length; ) {
      const start = offset + from;
      const block = chunk.subarray(from, from + this.#blockBytesAt(start));
      from += block.length;
      if (!this.#watch.isValid(block)) this.#file.suspectUntil = start + block.length;
      this.#signs.watch(block, start);
      if (this.#lines === undefined) yield* this.#judgeHeldIn(this.#scanner.writing(block));
      else yield* this.#readLines(() => this.#lines?.write(block));
    }
  }

  /** WebAssembly has what comes after the block in which it is begun, so that blocks are small until then. */
  #blockBytesAt(offset: number): number {
    const isToBegin = this.#readsPlainRows === 'webassembly' && this.#scanner.room === undefined;
    return isToBegin && offset < BLOCK_BYTES ? SMALL_BLOCK_BYTES : BLOCK_BYTES;
  }

  /** Reads the lines that were found by then, without their quotes. */
  *#readLines(find: () => void): Generator<void> {
    find();
    const lines = this.#unquoted;
    this.#unquoted = [];
    for (const line of lines) yield* this.#judgeHeldIn(this.#scanner.writing(line));
  }

  /** Goes on with the scanner's steps, and judges the long records that it hands over. */
  *#judgeHeldIn(reading: Generator<void>): Generator<void> {
    for (const _step of reading) {
      yield* this.#judgeHeld();
      yield;
    }
    yield* this.#judgeHeld();
  }

  *#judgeHeld(): Generator<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    yield* this.#matching();
    this.#judgeRecord(this.#scanner);
    this.#forgetAnswers();
  }

  /** Matches the long cells of a row by the patterns that they will be asked for. */
  *#matching(): Generator<void> {
    const scanner = this.#scanner;
    const { starts, ends, flags } = scanner;
    for (const { cell, pattern } of this.#patterns) {
      const size = (ends[cell] as number) - (starts[cell] as number);
      if (cell >= scanner.cellCount || size <= LONG_BYTES) continue;
      const isEscaped = ((flags[cell] as number) & CELL_ESCAPED) !== 0;
      const text = isEscaped
        ? scanner.unescape(cell)
        : scanner.bytes.subarray(starts[cell], ends[cell]);
      if (this.#file.ports.isUtf8(text)) yield* pattern.matching(text, 0, text.length);
    }
  }

  #forgetAnswers(): void {
    for (const { pattern } of this.#patterns) pattern.forgetAnswer();
  }

  #placeSigns(scanner: Scanner): void {
    const index = Math.max(scanner.recordStart, this.#signs.next - scanner.base);
    const place = { record: this.#file.records, line: scanner.lineAt(index) };
    this.#signs.place(scanner.offset(scanner.recordEnd), place, this.#file.byteOf);
  }

  /** Reads a row of labels, or of parts of labels; the last one ends the header. */
  #readHeaderRow(scanner: Scanner): void {
    const { headerJoin, headerRows } = this.#file.dialect;
    const { failing } = this.#found;
    // By the delimiter of the rows its quotes and the number of its cells say nothing.
    const isOther = this.#dialect?.headerDelimiter !== undefined;
    this.#judgeStructure(scanner, isOther ? SUSPECT_TEXT : ANY);
    const part = this.#labelsOf(scanner);
    const header = this.#header;
    header.labels =
      header.labels.length === 0 ? part : joinedLabels(header.labels, part, headerJoin);
    header.labelCount = Math.max(header.labelCount, scanner.cellCount, part.length);
    header.line = scanner.recordLine;
    header.intact &&= this.#found.failing === failing;
    if (this.#file.records !== headerRows.at(-1)) return;
    if (headerRows.length === 1) {
      this.#headerMemory = new HeaderMemory(scanner, this.#file.dialect);
      this.#headerStart = this.#headerMemory.start;
    }
    this.#endHeader(header);
  }

  #labelsOf(scanner: Scanner): readonly string[] {
    const delimiter = this.#dialect?.headerDelimiter;
    if (delimiter === undefined) return textsOf(scanner);
    const { dialect, maxRecordBytes } = this.#file;
    const labels: string[] = [];
    const own = new Scanner(
      { record: (record) => labels.push(...textsOf(record)) },
      { ...dialect, delimiter: delimiter.charCodeAt(0) },
      maxRecordBytes,
    );
    own.write(scanner.bytes.subarray(scanner.recordStart, scanner.recordEnd));
    own.end();
    return labels;
  }

  #endHeader(header: Header & { readonly labels: readonly string[] }): void {
    const { labels, intact } = header;
    const { failing } = this.#found;
    const matches = this.#stages.flatMap((stage) => stage.match?.(labels) ?? []);
    this.#open(labels, matches[0]?.fieldOfColumn ?? []);
    this.#schemaLayout = matches[0]?.schemaLayout;
    this.#takePlainRows();
    for (const stage of this.#stages) stage.header?.(header, this.#found);
    const accepted = !intact || this.#found.failing === failing;
    this.#headerKnown = accepted || (matches[0]?.known ?? true);
  }

  /**
   * A header with a label too few or too many says nothing about the rows: the first one whose structure allows it
   * decides whether they are as wide as the header or as the schema.
   */
  #chooseLayout(scanner: Scanner, layout: readonly number[]): void {
    const file = this.#file;
    const { cellCount, quotes } = scanner;
    const decides = cellCount === layout.length || cellCount === file.columns?.length;
    if (!decides || quotes !== QUOTES_VALID || isBlank(scanner)) return;
    this.#schemaLayout = undefined;
    if (cellCount === layout.length && file.readRows === 0) {
      file.columnsOfSchema = true;
      this.#open(
        layout.map((field) => file.schema?.fields[field]?.name ?? ''),
        layout,
        false,
      );
    }
    this.#takePlainRows();
  }

  /** @param isTold whether labels tell which column is which field, and not the width of the first row alone */
  #open(labels: readonly string[], fieldOfColumn: readonly number[], isTold = true): void {
    const file = this.#file;
    const columns = labels.map((label, column) => {
      const field = file.schema?.fields[fieldOfColumn[column] ?? -1];
      const classification = isTold ? classificationOf(label, field) : null;
      return { label, field, classification, profile: new ColumnProfile(field) };
    });
    this.#cells = new CellReader(
      columns,
      (cell) => {
        if (this.#isNoData()) return;
        for (const judgeCell of this.#cellJudges) judgeCell(cell, this.#found);
      },
      (cell, oddity) => {
        for (const stage of this.#stages) stage.text?.(cell, oddity, this.#found);
      },
    );
    this.#patterns = columns.flatMap(({ label, field }, cell) =>
      [field, ...file.rules.filter(({ column }) => column === label)].flatMap((rules) => {
        const pattern = rules?.constraints?.pattern?.matcher;
        return pattern === undefined ? [] : [{ cell, pattern }];
      }),
    );
    file.columns = columns;
    file.values = this.#cells.values;
    file.nulls = this.#cells.nulls;
    const opened = this.#stages.map((stage) => ({ stage, judge: stage.open?.(columns) }));
    this.#judgesRanges = opened.every(
      ({ stage, judge }) => judge === undefined || stage.ranges !== undefined,
    );
    this.#rangeStages = opened.map(({ stage, judge }) =>
      judge === undefined ? undefined : stage.ranges,
    );
    this.#judges = [
      ...opened.flatMap(({ stage, judge }) => {
        if (judge === undefined || stage.ranges?.add === undefined) return judge ?? [];
        const judgeOnce: RowJudge<FaultType> = (record, found) => {
          if (!this.#isCounted) judge(record, found);
        };
        return judgeOnce;
      }),
      ...(this.#rowReader === undefined ? [] : [this.#rowReader(file, columns)]),
    ];
  }

  /** From here on, since the columns are settled, what is plain of the rows is read in one loop. */
  #takePlainRows(): void {
    const { columns = [], dialect, maxRecordBytes } = this.#file;
    const isKnown = !dialect.skipInitialSpace && dialect.commentRows.size === 0;
    this.#scanner.taker = undefined;
    if (this.#readsPlainRows === false || !isKnown || this.#schemaLayout !== undefined) return;
    this.#scanner.reserve(columns.length);
    const plainRows = new PlainRows({
      header: this.#headerStart,
      dialect,
      maxRecordBytes,
      columns,
      file: this.#file,
      found: this.#found,
      signs: this.#signs,
      cells: this.#cells as CellReader,
      judges: this.#judges,
    });
    const loop = this.#readsPlainRows;
    this.#plainRows =
      loop === 'javascript'
        ? plainRows
        : new WasmRows(plainRows, loop === 'webassembly' ? 0 : undefined);
    this.#scanner.room = undefined;
    this.#scanner.taker = this.#plainRows;
  }

  /** Whether the row of a suspect cell is none of data; it is asked once of each row. */
  #isNoData(): boolean {
    const { records } = this.#file;
    if (this.#suspectRecord !== records) {
      this.#suspectRecord = records;
      this.#suspectIsNoData = this.#stages.some(
        (stage) => stage.suspectRow?.(this.#found) ?? false,
      );
    }
    return this.#suspectIsNoData;
  }

  #judgeStructure(scanner: Scanner, suspicions: number): StructureState {
    const found = this.#found;
    const failing = found.failing;
    let state: StructureState = INTACT;
    for (const { asked, structure } of this.#structureJudges) {
      if ((asked & suspicions) === 0 || structure(scanner, found)) continue;
      if (found.failing > failing && !this.#tolerant) return REFUSED;
      state = BROKEN;
    }
    return state;
  }

  #readBroken(scanner: Scanner, columns: number): void {
    const found = this.#found;
    const placed = placedCells(scanner, columns);
    if (!placed.restIsAbsent) found.noteIncomplete();
    this.#cells?.readPlaced(scanner, placed, found.onlyWarns('missing-cell'));
  }
}

function textsOf(record: Scanner): string[] {
  const length = Math.min(record.cellCount, MAX_CELLS);
  return Array.from({ length }, (_, cell) => cellText(record, cell));
}

const INTACT = 0;
/** Broken, but not so that it fails the file. */
const BROKEN = 1;
/** Broken so that it fails the file. */
const REFUSED = 2;

type StructureState = typeof INTACT | typeof BROKEN | typeof REFUSED;

function joinedLabels(above: readonly string[], below: readonly string[], join: string): string[] {
  return Array.from({ length: Math.max(above.length, below.length) }, (_, column) =>
    [above[column] ?? '', below[column] ?? ''].filter((part) => part.trim() !== '').join(join),
  );
}

/** The last byte of a text that goes on with this chunk; line ends behind the end-of-file mark of DOS do not count. */
function lastByteOf(chunk: Uint8Array, before: number): number {
  let at = chunk.length - 1;
  while (at >= 0 && (chunk[at] === 0x0a || chunk[at] === 0x0d)) at--;
  const text = at < 0 ? before : (chunk[at] as number);
  return text === END_OF_FILE_MARK ? text : (chunk.at(-1) as number);
}

/** The end of a text that goes on with this chunk, in memory of its own. */
function lastBytesOf(chunk: Uint8Array, before: Uint8Array): Uint8Array {
  // The slice of a Buffer would be the chunk's own memory.
  if (chunk.length >= MOST_LAST_BYTES) return Uint8Array.from(chunk.subarray(-MOST_LAST_BYTES));
  const rest = before.subarray(Math.max(0, before.length + chunk.length - MOST_LAST_BYTES));
  const bytes = new Uint8Array(rest.length + chunk.length);
  bytes.set(rest);
  bytes.set(chunk, rest.length);
  return bytes;
}

/**
 * Whether a text ends with the first bytes of a character in UTF-8: two of them or more, or one where there are whole
 * characters of several bytes before it; else it may be a letter of Windows-1252.
 */
function cutsCharacter(bytes: Uint8Array): boolean {
  const end = /(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$/.exec(
    latin1(bytes),
  );
  if (end === null) return false;
  const before = bytes.subarray(0, end.index);
  return end[0].length > 1 || /[^\0-\x7f\ufffd]/.test(decodeText(before, 0, before.length));
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(-MOST_LAST_BYTES), (byte) => String.fromCharCode(byte)).join('');
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return decodeText(bytes, 0, bytes.length).split(/\r\n|\r|\n/);
}

function isMixed({ lf, crlf, cr }: InspectedFile['lineEnds']): boolean {
  return lf > 0 ? crlf > 0 || cr > 0 : crlf > 0 && cr > 0;
}

/** Some rows of a range that follow one another. */
interface RangePart {
  /** Offset of the block in the text. */
  readonly base: number;
  /** Line on which the range starts. */
  readonly firstLine: number;
  /** Their numbers, and the index in the block after the last one. */
  readonly from: number;
  readonly to: number;
  readonly upTo: number;
}

/** Of a part that was left, as {@link RangeResult} has it. */
type Left = readonly [from: number, to: number, line: number, rows: number];

/** Judges the structure of records of which one of these bits is suspected. */
interface StructureJudge {
  readonly asked: number;
  readonly structure: NonNullable<Stages<FaultType>['structure']>;
}
