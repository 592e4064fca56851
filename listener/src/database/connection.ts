import type { ConnectionOptions } from 'node:tls';
import { Signer } from '@aws-sdk/rds-signer';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import { type DatabaseConfig, queueSchema } from '../config/database-config.ts';
import { proxyAgents } from '../config/proxy-agents.ts';

/** A pool of connections; knex's type under the name of what it is to the rest of the listener. */
export type Database = Knex;

/** One transaction on one connection. */
export type Transaction = Knex.Transaction;

/** Names of our tables, qualified by their schema, as SQL and knex take them. */
export interface Tables {
  readonly mappings: string;
  readonly monitoringFiles: string;
  readonly snsMessages: string;
  readonly runs: string;
  /** What knex notes of the migrations that ran. */
  readonly migrations: string;
}

/** knex's table in our schema; the one beside it, of its lock, ends in `_lock`. */
export const MIGRATIONS_TABLE = 'migrations';

/**
 * How statements name our tables. All are qualified: the search path belongs to the database's owner,
 * and a pooler hands one session to many clients.
 */
export function tablesOf(database: Database | Transaction): Tables {
  const schema = schemaOf(database);
  return {
    mappings: `${schema}.mappings`,
    monitoringFiles: `${schema}.monitoring_files`,
    snsMessages: `${schema}.sns_messages`,
    runs: `${schema}.runs`,
    migrations: `${schema}.${MIGRATIONS_TABLE}`,
  };
}

/** Schema of pg-boss's tables, beside ours. */
export function queueSchemaOf(database: Database | Transaction): string {
  return queueSchema(schemaOf(database));
}

/** Settings of knex by which {@link tablesOf} knows the schema; knex's types leave them out. */
export function knowsSchema({ schema }: Pick<DatabaseConfig, 'schema'>): object {
  return { userParams: { schema } };
}

/** The schema of our tables; needs no quotes in SQL. */
function schemaOf(database: Database | Transaction): string {
  return database.client.config.userParams.schema;
}

/**
 * The settings of `pg`; the password is revealed here and nowhere before.
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
    statement_timeout: config.statementTimeoutMs,
    // A process that froze inside a transaction must not hold its locks for ever.
    idle_in_transaction_session_timeout: 60_000,
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
  return knex({
    client: 'pg',
    connection: driverSettings(config, applicationName),
    acquireConnectionTimeout: config.connectTimeoutMs,
    log: SILENT,
    ...knowsSchema(config),
    pool: {
      min: 0,
      max: config.poolSize,
      createTimeoutMillis: config.connectTimeoutMs,
      idleTimeoutMillis: 30_000,
    },
  });
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
