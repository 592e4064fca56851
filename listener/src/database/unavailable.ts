import { connectionFault } from './connection-fault.ts';
import { sqlStateOf } from './sql-state.ts';

/**
 * The database can't be asked right now: away, starting, out of connections, too slow. Worth a
 * retry, so SNS gets a 503 and delivers again.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  /** Stable; the table of errors gives it its HTTP status. */
  readonly code = 'DATABASE_UNAVAILABLE';

  constructor(reason: string, options?: ErrorOptions) {
    super(`the database is not available: ${reason}`, options);
  }
}

/** Node.js's codes for a connection that was not made or did not last. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
]);

/**
 * Classes and codes of PostgreSQL (appendix A of its manual, "PostgreSQL Error Codes"): 08
 * connection exception, 28 invalid authorization, 53 insufficient resources, 57 operator
 * intervention (shutdown, starting up, cancelled by a time-out), 58 system error; 25P03 idle in
 * transaction, 55P03 lock not available, 25006 read-only, as a standby is before it is promoted;
 * 40001 and 40P01, which come here only after the last attempt.
 */
const SQL_STATES = /^(08...|28...|53...|57...|58...|25P03|25006|55P03|40001|40P01)$/;

/** Messages of pg and knex that carry no code. */
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Knex: Timeout acquiring a connection|aborted$|Client has encountered a connection error|There was an error establishing an SSL connection)/;

/** Whether an error of pg, knex or a socket means that the database can't be asked right now. */
export function meansUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  if (error instanceof AggregateError) return error.errors.some(meansUnavailable);
  if (!(error instanceof Error)) return false;
  // Also what is final for a command: a message that waits outlives a wrong setting.
  if (MESSAGES.test(error.message) || connectionFault(error) !== undefined) return true;
  const code = sqlStateOf(error);
  return code !== undefined && (SOCKET_CODES.has(code) || SQL_STATES.test(code));
}
