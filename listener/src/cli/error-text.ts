import { CommanderError } from 'commander';
import { connectionFault } from '../database/errors.ts';
import { EXIT, exitCodeOfError } from './exit-codes.ts';

/** What a command says of the error that ended it; the stack only where nobody foresaw it. */
export function errorText(error: unknown): string {
  // commander has said it already.
  if (error instanceof CommanderError) return '';
  if (!(error instanceof Error)) return `unexpected error: ${String(error)}\n`;
  const fault = connectionFault(error);
  if (fault !== undefined) {
    const { advice, final, refused } = fault;
    const heading = final ? `refuses ${refused ?? 'this connection'}` : 'is not available';
    // A connection that is refused has no statement yet.
    const reason = refused === undefined ? error.message : withoutStatement(error.message);
    // OpenSSL ends its messages with a line feed.
    return `the database ${heading}: ${reason.trim()}; ${advice}\n`;
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

/** knex puts the statement, values included, before what the server said. */
function withoutStatement(message: string): string {
  return message.replace(/^.* - /s, '');
}

/** An AggregateError, as for a host with two addresses, has its reasons inside and no message. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((inner) => (inner instanceof Error ? inner.message : inner)).join('; ');
  }
  return error.message.replace(/^the database is not available: /, '');
}
