import type { Environment } from '../config/read-variables.ts';
import { type Config, readConfig } from '../config.ts';

/** What a command may touch of the world. */
export interface CommandContext {
  readonly environment: Environment;
  /** Results. */
  readonly stdout: Output;
  /** Progress and errors. */
  readonly stderr: Output;
}

/** The part of a stream that commands use. */
export interface Output {
  write(text: string): unknown;
  /** A terminal, where a line can be written over. */
  readonly isTTY?: boolean;
}

/** Ends with an exit code; see `exit-codes.ts`. */
export type Command<Options> = (context: CommandContext, options: Options) => Promise<number>;

/** The command was called in a way that can't work; the message says what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The settings of a command that needs no database. */
export function configWithoutDatabase({ environment }: CommandContext): Config {
  return readConfig(environment, { database: false, httpIntake: false });
}
