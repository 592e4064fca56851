import { type DatabaseConfig, Secret } from '../../../listener/src/config/database-config.ts';

/** Settings for a database of the tests' server. */
export function databaseConfigOf(serverUrl: string, database: string): DatabaseConfig {
  const url = new URL(serverUrl);
  return {
    host: url.hostname,
    port: Number(url.port),
    database,
    schema: 'file_processing',
    user: url.username,
    listenerUser: undefined,
    password: new Secret(url.password),
    iamRegion: undefined,
    sslMode: 'disable',
    sslAuthorities: undefined,
    poolSize: 10,
    // Bounds for a busy machine, on which many tests share one server.
    connectTimeoutMs: 60_000,
    statementTimeoutMs: 120_000,
  };
}
