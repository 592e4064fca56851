/** How the time between a signal and the exit is spent, in milliseconds. */
export interface ShutdownBudget {
  /** Jobs may finish until then; what is left goes back to the queue. */
  readonly jobs: number;
  /** After the jobs: requests may finish. */
  readonly requests: number;
  /** At last: spans may be sent. */
  readonly spans: number;
  /** From the signal on: the process exits, whatever hangs. */
  readonly exit: number;
}

/**
 * Most of the time is the jobs'; the rest is for the requests, for handing back what is left and
 * for closing the pool.
 *
 * @param seconds SHUTDOWN_SECONDS
 */
export function shutdownBudget(seconds: number): ShutdownBudget {
  const all = seconds * 1000;
  return { jobs: all * 0.7, requests: all * 0.15, spans: all * 0.05, exit: all * 0.97 };
}

/** The signals that end a process in good order: Kubernetes sends the first, Ctrl-C the second. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** One of the signals. */
export type ShutdownSignal = (typeof SIGNALS)[number];

/** Exit code of a process that a signal ended: 128 and the signal's number. */
export const SIGNAL_EXIT_CODES: Readonly<Record<ShutdownSignal, number>> = {
  SIGTERM: 143,
  SIGINT: 130,
};

/**
 * Ctrl-C reaches a process from the terminal and once more from npm or npx, which pass it on: what
 * comes this soon, in milliseconds, is the same key.
 */
const SAME_SIGNAL_MS = 500;

/** Waits for a signal. */
export interface ShutdownSignals {
  /** Settles with the first signal. */
  readonly first: Promise<ShutdownSignal>;
  /** Gives the signals back to their default. */
  release(): void;
}

/**
 * Takes SIGTERM and SIGINT over.
 *
 * @param onSecond called with a second signal: the operator does not want to wait
 */
export function takeShutdownSignals(
  onSecond: (signal: ShutdownSignal) => void,
  now: () => number = () => performance.now(),
): ShutdownSignals {
  const first = Promise.withResolvers<ShutdownSignal>();
  let firstAt: number | undefined;
  const onSignal = (signal: ShutdownSignal) => {
    if (firstAt === undefined) {
      firstAt = now();
      first.resolve(signal);
    } else if (now() - firstAt > SAME_SIGNAL_MS) {
      onSecond(signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    first: first.promise,
    release() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
