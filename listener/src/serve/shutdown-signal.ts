/** The signals that end a process in good order: Kubernetes sends the first, Ctrl-C the second. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
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
 * @param onSecond told of a second signal: somebody does not want to wait
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
