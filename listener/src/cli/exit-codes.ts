import { DescriptorError } from '@file-processing/quality/descriptor-error.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import { CommanderError } from 'commander';
import { ConfigError } from '../config/read-variables.ts';
import { SeedError } from '../database/definitions.ts';
import { connectionFault, meansUnavailable } from '../database/errors.ts';
import { SchemaOutdatedError } from '../database/schema-version.ts';
import { ObjectUnavailableError, StoreError } from '../storage/object-store.ts';
import { InterruptedError } from './interruption.ts';
import { UsageError } from './usage-error.ts';

/**
 * Exit codes are part of the interface. From 64 on they are technical and worth another try; their
 * numbers are those of sysexits.h.
 *
 * A command that a signal ended has the code that a shell gives a process which the signal killed:
 * 128 and the signal's number, 143 for SIGTERM and 130 for SIGINT. `serve` alone ends with 0, since
 * a signal is how its work ends; a signal that comes before it has started ends it as any other.
 */
export const EXIT = {
  /** Done; where a verdict is asked for, `passed` or `warned`. */
  ok: 0,
  /** The verdict is `failed` or `unreadable`; something that was checked is red. */
  bad: 1,
  /**
   * Usage or configuration: nothing gets better by trying again. So also where the database refuses
   * what the settings say: user, password, name, encryption, or a right that the user lacks.
   */
  usage: 2,
  /** EX_NOINPUT: the object is gone or was replaced. */
  noInput: 66,
  /**
   * EX_UNAVAILABLE: the database, or the process that was asked for its health, is away. What
   * answers with a certificate that proves nothing is not the database.
   */
  unavailable: 69,
  /** EX_SOFTWARE: an error nobody foresaw. */
  unexpected: 70,
  /** EX_TEMPFAIL: the object could not be read, the verdict not recorded or its report not written. */
  tryAgain: 75,
} as const;

/** The code of a verdict, where it is the answer. */
export function exitCodeOfVerdict(verdict: Verdict): number {
  return verdict === 'passed' || verdict === 'warned' ? EXIT.ok : EXIT.bad;
}

/** The code of an error. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (FAULTS_OF_THE_CALLER.some((kind) => error instanceof kind)) return EXIT.usage;
  if (isPortError(error)) return EXIT.usage;
  if (error instanceof InterruptedError) return error.exitCode;
  if (connectionFault(error)?.final) return EXIT.usage;
  if (error instanceof ObjectUnavailableError) return EXIT.noInput;
  if (error instanceof StoreError) return EXIT.tryAgain;
  if (meansUnavailable(error)) return EXIT.unavailable;
  return EXIT.unexpected;
}

const FAULTS_OF_THE_CALLER = [
  UsageError,
  ConfigError,
  SeedError,
  SchemaOutdatedError,
  DescriptorError,
];

/** The message of the HTTP server names the setting; its cause says what it is about. */
function isPortError(error: unknown): boolean {
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return false;
  const { cause } = error;
  return 'syscall' in cause && (cause.syscall === 'listen' || cause.syscall === 'bind');
}
