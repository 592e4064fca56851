import knex, { type Knex } from 'knex';
import pg from 'pg';
import type { DatabaseConfig } from '../config/database-config.ts';
import { iamTokens } from './iam-token.ts';
import { tlsSettings } from './tls.ts';

/** A pool of connections; knex's type under the name of what it is to the rest of the listener. */
export type Database = Knex;

/** One transaction on one connection. */
export type Transaction = Knex.Transaction;

/**
 * How `pg` is told to connect; the password is revealed here and nowhere before.
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
