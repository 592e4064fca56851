/** Which object, and which state of it. */
export interface StoredObjectReference {
  readonly bucket: string;
  /** Decoded key. */
  readonly key: string;
  /** Pins the version. */
  readonly versionId?: string;
  /** Without quotes; pins the content where the bucket keeps no versions. */
  readonly eTag?: string;
}

/** An object that was opened. Whoever opened it reads it to its end or aborts the signal. */
export interface OpenedObject {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
  readonly versionId?: string;
  /** Without quotes. */
  readonly eTag?: string;
}

/** Where delivered files are. */
export interface ObjectStore {
  /**
   * Opens the announced state of an object for one read.
   *
   * @param signal ends the opening and the reading, with the signal's reason
   * @throws {ObjectUnavailableError} when that state is not there any more; the bytes throw it as
   * well, where it shows only while reading. Any other error is technical, worth another attempt.
   */
  open(reference: StoredObjectReference, signal: AbortSignal): Promise<OpenedObject>;
  /** Ends connections. */
  close(): void;
}

/** `object-gone`: nothing is there. `object-replaced`: something else is there by now. */
export type UnavailableCode = 'object-gone' | 'object-replaced';

/** The announced object can't be had, and no retry will change that. */
export class ObjectUnavailableError extends Error {
  override readonly name = 'ObjectUnavailableError';
  readonly code: UnavailableCode;

  constructor(code: UnavailableCode, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}
