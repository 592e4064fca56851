import { EXIT, type ExitCode } from './exit-codes.ts';

/** A command can't go on. The message says what is wrong; `next` says what to do about it. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: ExitCode;
  readonly next: string | undefined;

  /**
   * @param message - what is wrong, with the value and what is allowed; never a secret
   * @param options.next - what to do next, a sentence or a command
   * @param options.code - @default EXIT.failed
   */
  constructor(
    message: string,
    options: { readonly next?: string; readonly code?: ExitCode; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.next = options.next;
    this.code = options.code ?? EXIT.failed;
  }
}
