/** Exit codes of `manage`; from 64 on their numbers are those of sysexits.h. */
export const EXIT = {
  /** Done, or nothing to do. */
  ok: 0,
  /** Something that the command ran, or checked, failed. */
  failed: 1,
  /** Usage or settings: nothing gets better by trying again. Terraform's `plan` uses it for "there are changes". */
  usage: 64,
  /** A tool, a service or the cluster could not be reached. */
  unavailable: 69,
  /** An error nobody foresaw. */
  unexpected: 70,
  /** Refused or declined: it would have done harm, or somebody said no. Nothing was changed. */
  refused: 77,
} as const;

/** One of {@link EXIT}, or the code of `plan` when there are changes: 2. */
export type ExitCode = number;
