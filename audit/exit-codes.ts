/** Exit codes of `npm run audit`; from 64 on their numbers are those of sysexits.h. */
export const EXIT = {
  /** Nothing is wrong that is not waived. */
  green: 0,
  /** There are findings. */
  findings: 1,
  /** Usage or settings, or the folder can't be read. */
  usage: 64,
  /** A scanner is required and missing, or broke down. */
  unavailable: 69,
  /** An error nobody foresaw. */
  unexpected: 70,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
