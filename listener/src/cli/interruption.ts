import { type ShutdownSignal, SIGNAL_EXIT_CODES, takeShutdownSignals } from '../serve/shutdown.ts';

/** A signal ended a command before it was done. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  /** As a shell says it of a process that a signal killed: 143 for SIGTERM, 130 for SIGINT. */
  readonly exitCode: number;

  constructor(signal: ShutdownSignal) {
    super(`interrupted by ${signal}`);
    this.exitCode = SIGNAL_EXIT_CODES[signal];
  }
}

/**
 * Lets SIGTERM and SIGINT end a command. A container's first process needs a handler for that: the
 * kernel ignores a signal whose default action would kill process 1 (Linux manual,
 * pid_namespaces(7)), and the command would run on until SIGKILL.
 *
 * The first signal aborts the work's signal and gives it `graceMs` to tidy up; a second one, or the
 * end of that time, ends the command whatever the work does. With 0 the command ends at once: what
 * is then left to do is nothing that PostgreSQL does not do itself when a connection is lost, as it
 * is with an open transaction.
 *
 * @param graceMs - milliseconds
 * @returns the work's answer, also where it was done in spite of a signal
 * @throws {InterruptedError} when the time was up; the work usually throws the same, which is the
 * reason of its signal
 */
export async function interruptible<T>(
  graceMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const over = Promise.withResolvers<never>();
  const endAtOnce = (signal: ShutdownSignal) => over.reject(new InterruptedError(signal));
  const signals = takeShutdownSignals(endAtOnce);
  let grace: NodeJS.Timeout | undefined;
  signals.first.then((signal) => {
    controller.abort(new InterruptedError(signal));
    if (graceMs === 0) endAtOnce(signal);
    else grace = setTimeout(endAtOnce, graceMs, signal);
  });
  try {
    return await Promise.race([work(controller.signal), over.promise]);
  } finally {
    clearTimeout(grace);
    signals.release();
  }
}
