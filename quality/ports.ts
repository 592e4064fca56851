/**
 * What the engine needs of the program that it runs in. Node and browsers have each of these under names of their
 * own, so they are given from outside.
 */
export interface EnginePorts {
  /** Begins a SHA-256 hash. */
  readonly createHash: () => Sha256;
  /** Whether the bytes are well-formed UTF-8 (RFC 3629). */
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  /** Gives other work of the process (heartbeats, requests) its turn. */
  readonly nextTurn: () => Promise<unknown>;
  /** Unpacks what comes compressed. Without it such a file is an `unsupported-format`. */
  readonly decompression?: Decompression;
  /** Fills an array with random bits that nobody can guess: the Web Crypto API's `getRandomValues`. */
  readonly fillRandom: (words: Int32Array<ArrayBuffer>) => unknown;
  /**
   * Opens a file for the keys that uniqueness checks can't hold in memory. Without it (in a browser) a file with more
   * keys than that fails as `key-check-incomplete`.
   */
  readonly openScratch?: () => ScratchFile;
  /** Threads that read ranges of large files. Without them, as in a browser, all files are read by one thread. */
  readonly rangeThreads?: RangeThreadSource;
}

/** Where threads come from. The report on a file is the same with and without them. */
export interface RangeThreadSource {
  /** Size, in bytes from 1, from which on a file is read by them, where its size is known; Infinity is never. */
  readonly leastBytes: number;
  /** Threads that read one file at most, from 0. */
  readonly mostPerFile: number;
  /** Bytes, from 1, that a thread gets at once, where the source's own chunks can't be read by it. */
  readonly blockBytes: number;
  /** Makes a block of so many, in which bytes are found fast. */
  newBlock(): RangeBlock;
  /** Copies bytes to a place in a block. */
  fill(block: RangeBlock, bytes: Uint8Array, at: number): void;
  /** Makes what {@link CopyPiece} is. */
  pieceCopier(): CopyPiece;
  /** Begins threads for one file; undefined where none is free or can be begun. */
  open(setup: RangeSetup): RangeThreads | undefined;
}

/** Shared with the threads: memory that changes hands counts as new on each side, and has all of it collected. */
export type RangeBlock = Uint8Array<SharedArrayBuffer>;

/**
 * Copies what is from one index to another of a block into memory of the thread's own, which holds something else after the
 * next call.
 */
export type CopyPiece = (block: RangeBlock, from: number, to: number) => Uint8Array;

/** What a thread needs to read ranges of a file (`openRangeReader` in inspect.ts); it can be sent to one. */
export interface RangeSetup {
  /** As `compileExpectation` takes it. */
  readonly expectation: unknown;
  readonly maxRecordBytes: number;
  /** As ISO 8601 has it. */
  readonly deliveredAt: string;
  /** The first bytes of the text: all that settles how it is written and what its columns are. */
  readonly head: Uint8Array;
  /** What `fillRandom` gave out while they were read. */
  readonly random: readonly Int32Array<ArrayBuffer>[];
  /** The loop in WebAssembly, which is compiled once for all threads; undefined where it was not needed yet. */
  readonly loop: object | undefined;
}

/** Threads that read ranges of one file. */
export interface RangeThreads {
  /** How many there are, from 1. */
  readonly count: number;
  /**
   * Reads a block of the text, which both sides see and nobody changes until then.
   *
   * @throws where the thread has died; nothing is known of the block then
   */
  read(block: RangeBlock): Promise<RangeResult>;
  /** Ends the threads, whatever they are at. */
  close(): void;
}

/** A hash that bytes are pushed into. */
export interface Sha256 {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'hex'): string;
}

/** Formats by the names of the Compression Streams standard, which lacks the last one. */
export type CompressionFormat = 'gzip' | 'deflate-raw' | 'zstd';

/** Unpacks streams of compressed bytes. */
export interface Decompression {
  readonly formats: readonly CompressionFormat[];
  /** Whether a stream may have other bytes behind it; their number is then told. `DecompressionStream` fails there. */
  readonly findsEnd: boolean;
  /** Begins to unpack; bytes are taken from the iterable as they are needed, and it is not closed. */
  readonly open: (
    format: CompressionFormat,
    bytes: AsyncIterator<Uint8Array>,
  ) => DecompressedStream;
  /** CRC-32 as zip has it, of bytes that follow those that gave `value`; 0 in front of the first. */
  readonly crc32: (bytes: Uint8Array, value: number) => number;
}

/** What becomes of one compressed stream, in pieces. */
export interface DecompressedStream {
  /** @throws {DecompressionError}, or what the source throws */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes that were taken and belong to the stream, once it was read to its end; undefined where that is unknown. */
  readonly consumed: () => number | undefined;
}

/** Compressed bytes that can't be unpacked. */
export class DecompressionError extends Error {
  override readonly name = 'DecompressionError';
  /** Whether they end too early; else they are damaged, as the message says. */
  readonly truncated: boolean;

  constructor(message: string, truncated: boolean) {
    super(message);
    this.truncated = truncated;
  }
}

/**
 * What a thread made of one block of a file, which begins and ends anywhere. It read the block as if a record started
 * at {@link start}, and counted the rows in which there is nothing to find. All others it left to the thread that
 * reads the file, which judges them in their places by the same code as ever: what was found in a row, how it is worded
 * and what of it is listed is decided there alone.
 */
export interface RangeResult {
  /** Index in the block; -1 where no place in it looks like the start of a record. */
  readonly start: number;
  /** Index after what was read; from there on the file's thread reads again, at the start of a record. */
  readonly end: number;
  /** For each part that was left, in order: its start and end in the block, lines before it, rows before it that were counted. */
  readonly left: Int32Array;
  /** Rows that were counted here. */
  readonly rows: number;
  /** Physical lines from start to end, whoever reads them. */
  readonly lines: number;
  /** How the rows that were counted end. */
  readonly lineEnds: { readonly lf: number; readonly crlf: number };
  /** What was seen in these rows, by column. */
  readonly profiles: readonly ProfilePart[];
  /** What the checks gathered of them, in the order of CHECKS. */
  readonly gathered: readonly unknown[];
  /** Where a check may want to see one of them again: for each its start in the block, and lines before it. */
  readonly places: Int32Array;
}

/** What was seen of one column in some rows. */
export interface ProfilePart {
  readonly nulls: number;
  readonly unread: number;
  /** By type: how many, then the smallest value of each, then the largest. */
  readonly figures: Float64Array;
  /** The first and the last text; none where there was no text. */
  readonly texts: readonly Uint8Array[];
}

/** A file for one inspection alone. What its methods throw is technical, and ends the inspection without a verdict. */
export interface ScratchFile {
  /** Writes all of the bytes, as the program's limit and the disk allow. */
  write(bytes: Uint8Array, position: number): void;
  /** Fills all of the bytes with what was written there. */
  read(bytes: Uint8Array, position: number): void;
  /** Closes and deletes it. */
  close(): void;
}

/** The keys of a file, as keyed hashes: who has them can tell whether a value is among them, and read none. */
export interface ReferenceKeys {
  /** `REFERENCE_FORM` (reference-keys.ts) of the program that made them. */
  readonly form: number;
  /** Types of the fields, in their order. */
  readonly types: readonly string[];
  /** `REFERENCE_SECRET_BYTES`, random for each set. */
  readonly secret: Uint8Array;
  /** `REFERENCE_KEY_BYTES` each, no key twice. */
  readonly hashes: Uint8Array;
}

/** The keys of another file that foreign keys refer to. */
export interface Reference {
  /** As the schema names the file. */
  readonly resource: string;
  readonly fields: readonly string[];
  /** Why they are not known, in words that follow "since", where they are not. */
  readonly keys: ReferenceKeys | string;
}
