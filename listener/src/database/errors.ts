/** The code that PostgreSQL or the socket gave an error. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The database can't be reached right now: down, starting, out of connections, too slow. Worth a
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

/** A server that can't be prepared with the settings and rights there are; the message says what would. */
export class BootstrapError extends Error {
  override readonly name = 'BootstrapError';
}

/** A schema of ours can't be made or used, since others have something there; the message says what. */
export class SchemaOccupiedError extends Error {
  override readonly name = 'SchemaOccupiedError';
}

/** The master's secret could not be read. A right that was given just now takes IAM some seconds. */
export class MasterSecretError extends Error {
  override readonly name = 'MasterSecretError';
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
  /^(Connection terminated|Query read timeout|timeout expired$|timeout exceeded when trying to connect|Knex: Timeout acquiring a connection|aborted$|Client has encountered a connection error|There was an error establishing an SSL connection)/;

/** Whether an error of pg, knex or a socket means that the database can't be reached right now. */
export function meansUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  if (error instanceof AggregateError) return error.errors.some(meansUnavailable);
  if (!(error instanceof Error)) return false;
  // Also what is final for a command: a message that waits outlives a wrong setting.
  if (MESSAGES.test(error.message) || connectionFault(error) !== undefined) return true;
  const code = sqlStateOf(error);
  return code !== undefined && (SOCKET_CODES.has(code) || SQL_STATES.test(code));
}

/**
 * Whether work failed since the database can't be used right now, whatever the work was about. A statement that took
 * too long is not among that: what it was about may be why.
 */
export function isOutageOfDatabase(error: unknown): boolean {
  const code = sqlStateOf(error);
  return meansUnavailable(error) && code !== STATEMENT_CANCELLED && code !== NO_SUCH_FILE;
}

const STATEMENT_CANCELLED = '57014';

/** Of a socket it is an outage, but any other file may be meant. */
const NO_SUCH_FILE = 'ENOENT';

/** What an error says. An AggregateError, as for a host with two addresses, has its reasons inside and no message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message.trim() : String(error);
}

/** What an error says to people: of one of the server without the statement that knex puts before it. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  const isOfServer = error instanceof Error && 'severity' in error;
  return (isOfServer && withoutStatement(error)) || message || 'no reason given';
}

/** What the server said, of errors that knex has put a statement before. */
const SAID = new WeakMap<Error, string>();

/** Remembers what the server said: afterwards nothing tells where the statement ends, since both may have a ` - `. */
export function rememberSaid(error: Error, statement: string): void {
  const before = `${statement} - `;
  if (error.message.startsWith(before)) SAID.set(error, error.message.slice(before.length));
}

/** What the server said, without the statement that knex puts before it. */
export function withoutStatement(error: Error): string {
  return SAID.get(error) ?? error.message.replace(/^.* - /s, '');
}

/** Why the database can't be used with the settings there are. */
export interface ConnectionFault {
  /** What to look at, as a phrase that follows the reason. Names settings, never their values. */
  readonly advice: string;
  /** The server refuses what the settings say: nothing gets better by trying again. */
  readonly final: boolean;
  /** What the server refuses. @default the connection */
  readonly refused?: string;
}

/**
 * What is wrong with a connection that TLS or the server's authentication refused, or with a user
 * whose rights do not suffice; undefined for any other error.
 *
 * A certificate is not final: it expires, is renewed and is replaced at the server, without a change
 * here. Nor is IAM, which refuses for a moment a client that connects too often.
 * Sources: Node.js manual, "X509 certificate error codes"; PostgreSQL manual, "PostgreSQL Error
 * Codes" and "Authentication Problems"; Amazon RDS User Guide, "IAM database authentication".
 */
export function connectionFault(error: unknown): ConnectionFault | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = sqlStateOf(error) ?? '';
  return FAULTS.find(({ codes, message }) => codes.test(code) && message.test(error.message))
    ?.fault;
}

const ANY = /^/;

const CERTIFICATE_CODES =
  /^(UNABLE_TO_|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/;

/** The first that fits counts. */
const FAULTS: readonly {
  readonly codes: RegExp;
  readonly message: RegExp;
  readonly fault: ConnectionFault;
}[] = [
  {
    codes: /^ERR_TLS_CERT_ALTNAME/,
    message: ANY,
    fault: {
      advice: "DB_HOST (or DATABASE_URL's host) must be a name that the certificate is made out to",
      final: false,
    },
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    message: ANY,
    fault: { advice: "renew the server's certificate, or set this machine's clock", final: false },
  },
  {
    codes: CERTIFICATE_CODES,
    message: ANY,
    fault: {
      advice: "DB_SSL_CA_FILE must hold the authority that signed the server's certificate",
      final: false,
    },
  },
  {
    codes: /^(EPROTO|ERR_SSL_.*)$/,
    message: ANY,
    fault: {
      advice: 'the TLS handshake failed: look at DB_SSL and at the TLS settings of the server',
      final: false,
    },
  },
  {
    codes: /^$/,
    message: /^The server does not support SSL connections/,
    fault: {
      advice: "switch TLS on at the server, or set DB_SSL=disable (DATABASE_URL's sslmode)",
      final: true,
    },
  },
  {
    codes: /^$/,
    message: /^SASL: .*password must be a( non-empty)? string/,
    fault: {
      advice: "the server asks for a password: set DB_PASSWORD (or DATABASE_URL's), or DB_IAM_AUTH",
      final: true,
    },
  },
  {
    // PgBouncer's code for all that it says itself, a server that is down included.
    codes: /^08P01$/,
    message: /unsupported startup parameter/,
    fault: {
      advice:
        "the pooler takes no such parameter: take it out of PGOPTIONS, or name it in PgBouncer's ignore_startup_parameters",
      final: true,
    },
  },
  {
    codes: /^08P01$/,
    message: /transaction blocks not allowed/,
    fault: {
      advice: "PgBouncer's pool_mode must be transaction or session",
      final: true,
      refused: 'this transaction',
    },
  },
  {
    codes: /^08P01$/,
    message: /no such database|database .* does not exist/,
    fault: {
      advice: "look at DB_NAME (or DATABASE_URL's), and at the databases that the pooler knows",
      final: true,
    },
  },
  {
    codes: /^28000$/,
    message: /^PAM authentication failed/,
    fault: {
      advice:
        "DB_IAM_AUTH needs the role rds_iam for DB_USER, and rds-db:connect in this process's policy",
      final: false,
    },
  },
  {
    codes: /^28P01$/,
    message: ANY,
    fault: { advice: "look at DB_USER and DB_PASSWORD (or DATABASE_URL's)", final: true },
  },
  {
    codes: /^28000$/,
    message: /^no pg_hba\.conf entry .*no encryption/,
    fault: {
      advice:
        'the server may take encrypted connections only: look at DB_SSL, or at its pg_hba.conf',
      final: true,
    },
  },
  {
    codes: /^28000$/,
    message: ANY,
    fault: {
      advice:
        "look at DB_USER and DB_NAME (or DATABASE_URL's), and at who may connect from here by the server's pg_hba.conf",
      final: true,
    },
  },
  {
    codes: /^3D000$/,
    message: ANY,
    fault: { advice: "look at DB_NAME (or DATABASE_URL's), or create the database", final: true },
  },
  {
    codes: /^42704$/,
    message: /role ".*" does not exist$/,
    fault: {
      advice: 'look at DB_LISTENER_USER, or create the role',
      final: true,
      refused: 'these rights',
    },
  },
  {
    codes: /^42501$/,
    message: ANY,
    fault: {
      advice: "grant that to DB_USER (or DATABASE_URL's), or sign in as the owner of the tables",
      final: true,
      refused: 'this user',
    },
  },
];
