/** Exit codes of `npm run audit`; from 64 on their numbers are those of sysexits.h. */
export const EXIT = {
  /** Nothing is wrong that is not waived. */
  green: 0,
  /** There are findings. */
  findings: 1,
  /** Usage or settings, or the folder cannot be read or written. */
  usage: 64,
  /** A scanner is required and missing, or broke down. */
  unavailable: 69,
  /** An error nobody foresaw. */
  unexpected: 70,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The audit can't go on. The message says what is wrong; `next` says what to do about it. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  readonly code: ExitCode;
  readonly next: string | undefined;

  /**
   * @param options.next - what to do next, a sentence or a command
   * @param options.code - @default EXIT.usage
   */
  constructor(
    message: string,
    options: { readonly next?: string; readonly code?: ExitCode; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.next = options.next;
    this.code = options.code ?? EXIT.usage;
  }
}
