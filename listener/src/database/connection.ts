import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { Signer } from '@aws-sdk/rds-signer';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import type { DatabaseConfig } from '../config/database-config.ts';
import { proxyAgents } from '../config/proxy-agents.ts';
import {
  connectionFault,
  DatabaseUnavailableError,
  meansUnavailable,
  messageOf,
  rememberSaid,
  sqlStateOf,
} from './errors.ts';

/** A pool of connections; knex's type under the name of what it is to the rest of the listener. */
export type Database = Knex;

/** One transaction on one connection. */
export type Transaction = Knex.Transaction;

/** Settings of knex by which `tablesOf` knows the schema; knex's types leave them out. */
export function knowsSchema({ schema }: Pick<DatabaseConfig, 'schema'>): object {
  return { userParams: { schema } };
}

/**
 * The settings of `pg`; the password is revealed here and nowhere before.
 *
 * No time-out is among them: `pg` would send it as a startup parameter, which PgBouncer refuses.
 *
 * @param applicationName shown in `pg_stat_activity`
 */
export function driverSettings(
  config: DatabaseConfig,
  applicationName: string,
): Knex.PgConnectionConfig {
  return {
    host: config.host,
    port: config.port,
    database: config.database,
    user: config.user,
    ...passwordSettings(config),
    ssl: tlsSettings(config),
    application_name: applicationName,
    connectionTimeoutMillis: config.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
  };
}

/** `pg` asks for a new token at each connection. */
function passwordSettings(config: DatabaseConfig): Pick<Knex.PgConnectionConfig, 'password'> {
  if (config.iamRegion !== undefined) return { password: iamTokens(config, config.iamRegion) };
  return config.password === undefined ? {} : { password: config.password.reveal() };
}

/**
 * Opens a pool. Nothing is connected before the first query.
 *
 * The pool keeps no idle minimum, so that an idle process holds no connection that a restarted
 * server has long forgotten.
 */
export function connect(config: DatabaseConfig, applicationName = 'file-processing'): Database {
  const database = knex({
    client: clientWithTimeouts(config),
    connection: driverSettings(config, applicationName),
    acquireConnectionTimeout: config.connectTimeoutMs,
    log: SILENT,
    // An error would else hold the statement's values: a whole message, a faulty cell.
    compileSqlOnError: false,
    ...knowsSchema(config),
    pool: {
      min: 0,
      max: config.poolSize,
      createTimeoutMillis: config.connectTimeoutMs,
      idleTimeoutMillis: 30_000,
    },
  });
  return database.on('query-error', (error: Error, { sql }: { readonly sql: string }) =>
    rememberSaid(error, sql),
  );
}

/** A process that froze inside a transaction must not hold its locks for ever. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** knex's client of PostgreSQL, and what of it the types leave out. */
export interface PostgresClient extends Knex.Client {
  _query(connection: PostgresConnection, statement: PostgresStatement): Promise<unknown>;
}

/** What knex sends, and what it takes the answer from. */
export interface PostgresStatement {
  readonly sql: string;
  readonly bindings?: readonly unknown[];
  response?: unknown;
}

/** knex's transaction on one connection. */
interface PostgresTransaction {
  begin(connection: PostgresConnection): Promise<unknown>;
  query(connection: PostgresConnection, sql: string): Promise<unknown>;
}

/** What of `pg`'s client its types leave out: the key of its session, and the protocol below it. */
export interface PostgresConnection {
  readonly host: string;
  readonly port: number;
  readonly processID: number;
  readonly secretKey: number;
  readonly connection: Protocol;
}

interface Protocol extends NodeJS.EventEmitter {
  readonly stream: { destroy(): void };
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

const load = createRequire(import.meta.url);
const PostgresClient = load('knex/lib/dialects/postgres/index.js') as new (
  config: Knex.Config,
) => PostgresClient;
const PostgresTransaction = load('knex/lib/dialects/postgres/execution/pg-transaction.js') as new (
  ...parameters: readonly unknown[]
) => PostgresTransaction;

/**
 * knex's client, with time-outs that leave nothing behind on a connection: behind a pooler the next
 * transaction on it may be somebody else's, and the next one of ours on another connection.
 *
 * - In a transaction they are `SET LOCAL`, in one round trip with its BEGIN.
 * - A statement outside is cancelled from here once its time is up. The server's answer is the same,
 *   `57014`, and the connection is good for the next one. Without an answer it is closed.
 *
 * @param config of which `statementTimeoutMs` 0 sets no limit
 */
export function clientWithTimeouts(config: DatabaseConfig): typeof Knex.Client {
  const { statementTimeoutMs } = config;
  const begin = `BEGIN;
    SET LOCAL statement_timeout = ${statementTimeoutMs};
    SET LOCAL idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;

  class TransactionWithTimeouts extends PostgresTransaction {
    override begin(connection: PostgresConnection): Promise<unknown> {
      return this.query(connection, begin);
    }
  }

  class ClientWithTimeouts extends PostgresClient {
    override transaction(...parameters: unknown[]): Knex.Transaction {
      return new TransactionWithTimeouts(this, ...parameters) as unknown as Knex.Transaction;
    }

    override async _query(connection: PostgresConnection, statement: PostgresStatement) {
      const limit = limitOf(connection, config);
      try {
        return await super._query(connection, statement);
      } catch (error) {
        // pg-boss sends some transactions as one text, and what follows an error in it is not run.
        if (/^\s*BEGIN\b/.test(statement.sql)) {
          await super._query(connection, { sql: 'ROLLBACK' }).catch(() => undefined);
        }
        // Here, since knex puts the statement before the message that tells it.
        if (sqlStateOf(error) !== undefined || !meansUnavailable(error)) throw error;
        throw new DatabaseUnavailableError((error as Error).message, { cause: error });
      } finally {
        await limit.ended();
      }
    }
  }
  return ClientWithTimeouts as unknown as typeof Knex.Client;
}

/** A server that is too busy to have begun the statement takes no notice of a cancellation: it is asked for again. */
const CANCEL_AGAIN_MS = 1_000;

/** The time of one statement. */
function limitOf(connection: PostgresConnection, config: DatabaseConfig) {
  const { statementTimeoutMs, connectTimeoutMs } = config;
  let cancelled: Promise<unknown> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let leftMs = connectTimeoutMs;
  const cancel = () => {
    // Nobody answers, or a pooler that has no connection for it: then there is nothing to cancel.
    if (leftMs <= 0) return connection.connection.stream.destroy();
    cancelled = Promise.all([cancelled, requestCancel(connection, config, leftMs)]);
    const pauseMs = Math.min(CANCEL_AGAIN_MS, leftMs);
    leftMs -= pauseMs;
    timer = setTimeout(cancel, pauseMs);
  };
  if (statementTimeoutMs > 0) timer = setTimeout(cancel, statementTimeoutMs);
  return {
    /** The statement has ended. Waits for a cancellation that is under way: it must not hit the next one. */
    async ended(): Promise<void> {
      clearTimeout(timer);
      await cancelled;
    },
  };
}

/** Asks the server to cancel what a connection waits for, as libpq's PQcancel does. Never rejects. */
async function requestCancel(
  { host, port, processID, secretKey }: PostgresConnection,
  config: DatabaseConfig,
  withinMs: number,
): Promise<void> {
  const ssl = tlsSettings(config);
  const { connection: request } = new pg.Client({ ssl }) as unknown as PostgresConnection;
  const send = () => request.cancel(processID, secretKey);
  request.once('connect', () => (ssl ? request.requestSsl() : send())).once('sslconnect', send);
  // The server ends it once the signal is sent.
  const sent = once(request, 'end', { signal: AbortSignal.timeout(withinMs) });
  // For what comes after that.
  request.on('error', () => undefined);
  if (host.startsWith('/')) request.connect(`${host}/.s.PGSQL.${port}`);
  else request.connect(port, host);
  await sent.catch(() => request.stream.destroy());
}

/** knex would write to the console what it throws as well; our logs are JSON lines. */
export const SILENT: Knex.Logger = {
  warn() {},
  error() {},
  deprecate() {},
  debug() {},
};

/** Counts and sizes are far below 2^53: numbers, where the driver would give text. */
function getTypeParser(oid: number, format: string): (value: string) => unknown {
  const { builtins, getTypeParser: parserOf } = pg.types;
  if (format === 'binary') return parserOf(oid, 'binary');
  return oid === builtins.INT8 ? Number : parserOf(oid, 'text');
}

/**
 * How a connection is protected. `require` encrypts and takes any certificate, as libpq does;
 * `verify-full` checks authority and host name (PostgreSQL manual, "SSL Support").
 */
function tlsSettings(
  config: Pick<DatabaseConfig, 'sslMode' | 'sslAuthorities'>,
): false | ConnectionOptions {
  switch (config.sslMode) {
    case 'disable':
      return false;
    case 'require':
      return { rejectUnauthorized: false };
    case 'verify-full':
      return {
        rejectUnauthorized: true,
        ...(config.sslAuthorities === undefined ? {} : { ca: config.sslAuthorities }),
      };
  }
}

/**
 * Makes the passwords of IAM database authentication: each is good for 15 minutes to sign in, so a
 * new connection needs a new one. It is signed on this machine; RDS is not asked.
 * Source: Amazon RDS User Guide, "IAM database authentication".
 *
 * @param region - of the database
 */
function iamTokens(
  { host, port, user }: Pick<DatabaseConfig, 'host' | 'port' | 'user'>,
  region: string,
): () => Promise<string> {
  const signer = { hostname: host, port, username: user, region };
  let made: Promise<Signer> | undefined;
  return async () => {
    made ??= credentialsByProxy(region).then(
      (credentials) => new Signer({ ...signer, ...credentials }),
    );
    return (await made).getAuthToken();
  };
}

/**
 * The signer asks nobody, but where its credentials come from STS, somebody else does: as the client
 * that they are for would, and by its proxy.
 */
async function credentialsByProxy(region: string) {
  const requestHandler = proxyAgents();
  if (requestHandler.httpsAgent === undefined) return {};
  const { STSClient } = await import('@aws-sdk/client-sts');
  const { credentials } = new STSClient({ region, requestHandler }).config;
  return { credentials };
}

/**
 * Whether the database answers yes within a time; what readiness is made of. Never rejects.
 *
 * @param ask - the question
 * @param timeoutMs - waiting for a connection included
 */
export async function answers(ask: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), timeoutMs);
  const answer = ask().catch(() => false);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Between two tries of a database that is away: the first, and the longest. */
const DATABASE_PAUSE_MS = { first: 1_000, longest: 15_000 };

/**
 * Does what needs the database, once it is there. Nothing gets better by ending the process: Kubernetes
 * would start it again, later and later.
 *
 * @throws what is not an outage: settings that are refused, a schema that is outdated
 */
export async function onceAvailable<T>(
  work: () => Promise<T>,
  onOutage: (reason: string) => void,
): Promise<T> {
  for (let pauseMs = DATABASE_PAUSE_MS.first; ; ) {
    try {
      return await work();
    } catch (error) {
      if (!meansUnavailable(error) || connectionFault(error)?.final) throw error;
      onOutage(reasonOf(error));
      await delay(pauseMs);
      pauseMs = Math.min(pauseMs * 2, DATABASE_PAUSE_MS.longest);
    }
  }
}

function reasonOf(error: unknown): string {
  const fault = connectionFault(error);
  return fault === undefined ? messageOf(error) : `${messageOf(error)}; ${fault.advice}`;
}

/** Connections of the pool of a database by what they do, and how many statements wait for one. */
export function poolOf(database: Database): Readonly<Record<'used' | 'free' | 'waiting', number>> {
  // knex's type leaves the pool open; it is tarn's.
  const pool = database.client.pool as Readonly<
    Record<'numUsed' | 'numFree' | 'numPendingAcquires', () => number>
  >;
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires() };
}
