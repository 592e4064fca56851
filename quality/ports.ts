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
}

/** A hash that bytes are pushed into. */
export interface Sha256 {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'hex'): string;
}
