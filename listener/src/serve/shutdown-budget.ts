/** How the time between a signal and the exit is spent, in milliseconds. */
export interface ShutdownBudget {
  /** Jobs may finish until then; what is left goes back to the queue. */
  readonly jobs: number;
  /** After the jobs: requests may finish. */
  readonly requests: number;
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
  return { jobs: all * 0.7, requests: all * 0.15, exit: all * 0.97 };
}
