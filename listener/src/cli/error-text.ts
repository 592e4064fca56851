import { CommanderError } from 'commander';
import { connectionFault } from '../database/connection-fault.ts';
import { EXIT, exitCodeOfError } from './exit-codes.ts';

/** What a command says of the error that ended it; the stack only where nobody foresaw it. */
export function errorText(error: unknown): string {
  // commander has said it already.
  if (error instanceof CommanderError) return '';
  if (!(error instanceof Error)) return `unexpected error: ${String(error)}\n`;
  const fault = connectionFault(error);
  if (fault !== undefined) {
    const heading = fault.final ? 'refuses this connection' : 'is not available';
    // OpenSSL ends its messages with a line feed.
    return `the database ${heading}: ${error.message.trim()}; ${fault.advice}\n`;
  }
  switch (exitCodeOfError(error)) {
    case EXIT.unexpected:
      return `unexpected error: ${error.stack ?? error.message}\n`;
    case EXIT.unavailable:
      return `the database is not available: ${reasonOf(error)}\n`;
    default:
      return `${error.message}\n`;
  }
}

/** An AggregateError, as for a host with two addresses, has its reasons inside and no message. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((inner) => (inner instanceof Error ? inner.message : inner)).join('; ');
  }
  return error.message.replace(/^the database is not available: /, '');
}
