import { EXIT, type ExitCode } from './exit-codes.ts';

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
