import type { Command as Commander } from 'commander';
import type { AwsClients, AwsTarget } from './aws-clients.ts';
import type { ExitCode } from './operation-error.ts';
import type { Runner, Writer } from './runner.ts';

/** Time, so that tests need not wait. */
export interface Clock {
  readonly now: () => Date;
  /** Waits; ends early, by an AbortError, when the signal does. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Signals that end a command: a terminal that goes, Ctrl-C, and a request to end. */
export type EndSignal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/** Exit codes of a process that a signal ended: 128 and the signal's number. */
export const SIGNAL_EXIT_CODES: Readonly<Record<EndSignal, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

/** Everything that a command reaches the world by. */
export interface OperationContext {
  /** The checkout: it holds `environments/` and `main.ts`. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What was asked for, and nothing else: a table, or JSON with `--json`. */
  readonly stdout: Writer;
  /** Progress, warnings and errors. */
  readonly stderr: Writer;
  readonly run: Runner;
  readonly aws: (target: AwsTarget) => AwsClients;
  readonly clock: Clock;
  /** Asks for a yes; false as well where nobody can be asked. */
  readonly confirm: (question: string) => Promise<boolean>;
  /**
   * Asks for a line; undefined where nobody can be asked.
   *
   * @throws OperationError (refused) where the question was interrupted
   */
  readonly ask: (question: string) => Promise<string | undefined>;
  /**
   * Takes the signals over that would end this process, for a command that has something to tidy up.
   *
   * @returns gives them back
   */
  readonly onSignal: (take: (signal: EndSignal) => void) => () => void;
}

/** Options that every command has. */
export interface CommonOptions {
  /** Folder below `environments/`. @default ENVIRONMENT, else etl-playground */
  readonly environment: string;
  /** Profile of the AWS CLI; empty takes the ambient credentials. @default aws_profile of the tfvars */
  readonly profile?: string;
  /** @default aws_region of the tfvars */
  readonly region?: string;
  /** Print JSON on standard output. @default false */
  readonly json: boolean;
}

/** One command of `manage`: a file each in `commands/`. */
export interface Operation<Options extends object = object> {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Adds arguments, options and examples. */
  readonly describe: (command: Commander) => Commander;
  /**
   * @param operands - in the order of the arguments; absent ones are `undefined`
   * @throws OperationError, SettingsError
   */
  readonly execute: (
    context: OperationContext,
    options: Options & CommonOptions,
    ...operands: readonly (string | undefined)[]
  ) => Promise<ExitCode>;
}

const POLL_SECONDS = 1;

/**
 * Asks again every second until there is an answer.
 *
 * @param seconds - how long it waits between the first and the last time; 0 asks once
 * @returns the answer; undefined when there was none in time
 */
export async function waitFor<T>(
  clock: Clock,
  seconds: number,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let waited = 0; ; waited += POLL_SECONDS) {
    const answer = await ask();
    if (answer !== undefined || waited >= seconds) return answer;
    await clock.sleep(POLL_SECONDS * 1000);
  }
}
