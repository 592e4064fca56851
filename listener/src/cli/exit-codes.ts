import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { DescriptorError } from '@file-processing/quality/descriptor-error.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import { CommanderError } from 'commander';
import { ConfigError } from '../config/read-variables.ts';
import {
  BootstrapError,
  connectionFault,
  MasterSecretError,
  meansUnavailable,
  messageOf,
  SchemaOccupiedError,
  withoutStatement,
} from '../database/errors.ts';
import { SchemaOutdatedError } from '../database/schema-version.ts';
import { ScratchFullError } from '../jobs/scratch-space.ts';
import { RuleSetError } from '../rules/rule-set.ts';
import { ObjectUnavailableError, StoreError } from '../storage/object-store.ts';
import { UsageError } from './command-context.ts';
import { InterruptedError } from './interruption.ts';
import { printable } from './report-text.ts';

/** The code of a verdict, where it is the answer. */
export function exitCodeOfVerdict(verdict: Verdict): number {
  return verdict === 'passed' || verdict === 'warned' ? EXIT.ok : EXIT.bad;
}

/**
 * The code of several objects: that of the most serious one. Configuration comes first, since nothing
 * else can be right before it is; then what is worth a retry, so that it is made; then an object without
 * a verdict; then a bad one.
 *
 * @param codes any number of {@link EXIT}'s
 */
export function mostSerious(codes: readonly number[]): number {
  return SEVERITY.find((code) => codes.includes(code)) ?? EXIT.ok;
}

/** From the most serious one on. */
const SEVERITY: readonly number[] = [
  EXIT.usage,
  EXIT.unexpected,
  EXIT.unavailable,
  EXIT.tryAgain,
  EXIT.noInput,
  EXIT.bad,
];

/** The code of an error. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (FAULTS_OF_THE_CALLER.some((kind) => error instanceof kind)) return EXIT.usage;
  if (isPortError(error)) return EXIT.usage;
  if (error instanceof InterruptedError) return error.exitCode;
  if (connectionFault(error)?.final) return EXIT.usage;
  if (error instanceof ObjectUnavailableError) return EXIT.noInput;
  if (WORTH_A_RETRY.some((kind) => error instanceof kind)) return EXIT.tryAgain;
  if (meansUnavailable(error)) return EXIT.unavailable;
  return EXIT.unexpected;
}

const FAULTS_OF_THE_CALLER = [
  UsageError,
  ConfigError,
  RuleSetError,
  SchemaOutdatedError,
  BootstrapError,
  SchemaOccupiedError,
  DescriptorError,
];

const WORTH_A_RETRY = [StoreError, MasterSecretError, ScratchFullError];

/** The message of the HTTP server names the setting; its cause says what it is about. */
function isPortError(error: unknown): boolean {
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return false;
  const { cause } = error;
  return 'syscall' in cause && (cause.syscall === 'listen' || cause.syscall === 'bind');
}

/**
 * What a command says of the error that ended it; the stack only where it is unexpected. A message may quote a file or its
 * name: no control character of it reaches the terminal.
 */
export function errorText(error: unknown): string {
  return textOf(error).split('\n').map(printable).join('\n');
}

function textOf(error: unknown): string {
  // commander has said it already.
  if (error instanceof CommanderError) return '';
  if (!(error instanceof Error)) return `unexpected error: ${String(error)}\n`;
  const fault = connectionFault(error);
  if (fault !== undefined) {
    const { advice, final, refused } = fault;
    const heading = final ? `refuses ${refused ?? 'this connection'}` : 'is not available';
    // A connection that is refused has no statement yet.
    const reason = refused === undefined ? error.message : withoutStatement(error);
    // OpenSSL ends its messages with a line feed.
    return `the database ${heading}: ${reason.trim()}; ${advice}\n`;
  }
  switch (exitCodeOfError(error)) {
    case EXIT.unexpected:
      return `unexpected error: ${error.stack ?? error.message}\n`;
    case EXIT.unavailable:
      return `the database is not available: ${messageOf(error).replace(/^the database is not available: /, '')}\n`;
    default:
      return `${error.message}\n`;
  }
}
