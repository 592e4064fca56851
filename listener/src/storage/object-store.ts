import type { ChecksumReport } from '@file-processing/quality/report.ts';

/** Which object. */
export interface ObjectName {
  readonly bucket: string;
  /** Decoded key. */
  readonly key: string;
}

/** Which object, and which state of it. */
export interface StoredObjectReference extends ObjectName {
  /** Pins the version. */
  readonly versionId?: string;
  /** Without quotes; pins the content where the bucket keeps no versions. */
  readonly eTag?: string;
  /** As its event stated it: an object of another size is not the one that was delivered. */
  readonly sizeBytes?: number;
}

/** An object that was opened. Whoever opened it reads it to its end or aborts the signal. */
export interface OpenedObject {
  /** As many as {@link sizeBytes} says, or they end with an error. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
  readonly versionId?: string;
  /** Without quotes. */
  readonly eTag?: string;
  /** What the object is said to be encoded with, such as `gzip`. The bytes are given as they are stored. */
  readonly contentEncoding?: string;
  /**
   * Compares the bytes, once all were read, with the checksum that the store keeps of the whole object.
   *
   * @param sha256 of the bytes, in hexadecimal: who judges them has it anyway
   * @throws {StoreError} when they differ
   */
  compareChecksum(sha256: string): Promise<ChecksumReport>;
}

/** What {@link ObjectStore.copy} works with. */
export interface CopyOptions {
  /** Of the bytes that the copy must have, in hexadecimal; null where they are not known. */
  readonly sha256: string | null;
  /** An upload in parts that an earlier attempt at the same copy has left: its parts are deleted. */
  readonly leftUpload?: string;
  /** Called with the id of an upload in parts, before its first part, so that the next attempt knows it. */
  readonly onUpload: (upload: string) => Promise<void>;
  /** Ends the copying, with the signal's reason. */
  readonly signal: AbortSignal;
}

/** Where delivered files are, and where reports on them go. */
export interface ObjectStore {
  /** Whether files and reports stay on this machine. @default false */
  readonly isLocal?: boolean;
  /**
   * Opens an object in the state that its event named, for one read.
   *
   * @param signal ends the opening and the reading, with the signal's reason
   * @throws {ObjectUnavailableError} when that state is not there any more; the bytes throw it as
   * well, where it shows only while reading. Any other error is technical, worth another attempt.
   * @throws {StoreError} when the store refuses, does not answer, or answers with something else than
   * was asked for; the bytes throw it as well
   */
  open(reference: StoredObjectReference, signal: AbortSignal): Promise<OpenedObject>;
  /**
   * Writes a whole object, in place of what the key held: a page where the key ends in `.html`, a table
   * where it ends in `.csv`, else JSON.
   *
   * @param signal ends the writing, with the signal's reason
   * @throws {StoreError} when the store refuses or does not answer: worth another attempt
   */
  write(name: ObjectName, body: string, signal: AbortSignal): Promise<void>;
  /**
   * Copies an object in one state, within the store, in place of what the target held: all of it, or nothing. The copy has
   * no tags.
   *
   * @param source its version or ETag is what is copied, or nothing
   * @throws {ObjectUnavailableError} when that state is not there any more
   * @throws {StoreError} when the store refuses or does not answer, or the copy is another content: worth another attempt
   */
  copy(
    source: StoredObjectReference,
    target: ObjectName,
    options: CopyOptions,
  ): Promise<ChecksumReport>;
  /**
   * Adds tags to those that an object has, and changes those of the same names; the others stay. Where the object would
   * have more than it may, nothing is changed. Absent where objects have no tags.
   *
   * @throws {ObjectUnavailableError} when the object is not there any more, or is another one by now
   * @throws {StoreError} when the store refuses or does not answer: worth another attempt
   */
  tag?(
    reference: StoredObjectReference,
    tags: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<'tagged' | 'full'>;
  /**
   * Deletes an object with all of its versions, for good.
   *
   * @param signal ends it, with the signal's reason
   * @returns how many versions there were; 0 where there is no such object
   * @throws {StoreError} when the store refuses or does not answer: worth another attempt
   */
  deleteVersions(name: ObjectName, signal: AbortSignal): Promise<number>;
  /** Ends connections. */
  close(): void;
}

/** `object-gone`: nothing is there. `object-replaced`: something else is there by now. */
export type UnavailableCode = 'object-gone' | 'object-replaced';

/** The object that the event named is not available, and no retry will change that. */
export class ObjectUnavailableError extends Error {
  override readonly name = 'ObjectUnavailableError';
  readonly code: UnavailableCode;

  constructor(code: UnavailableCode, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}

/**
 * The store itself failed: it refuses, is unavailable, or broke the connection. Its message names the object,
 * so that it is not taken for the database, whose connections fail with the same codes.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  /** @param failed what could not be done, as `s3://bucket/key can't be read` */
  constructor(failed: string, cause: unknown) {
    super(`${failed}: ${reasonOf(cause)}`, { cause });
  }
}

/** AWS says by the name of an error what it is; a connection to two addresses failed for both. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause instanceof AggregateError && cause.message === '') {
    return cause.errors.map(reasonOf).join('; ');
  }
  const { name, message } = cause;
  return name === 'Error' || name === message ? message : `${name}: ${message}`;
}
