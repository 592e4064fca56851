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
