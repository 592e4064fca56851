import type { DatabaseConfig } from '../config/database-config.ts';
import { connect } from '../database/connection.ts';
import { connectionFault } from '../database/errors.ts';
import { checkSchema, SchemaOutdatedError } from '../database/schema-version.ts';
import type { CheckResult } from './check-result.ts';

/** Connects to the database and looks whether its tables are those of this program. */
export async function databaseChecks(config: DatabaseConfig): Promise<readonly CheckResult[]> {
  const place = `${config.host}:${config.port}/${config.database} as ${config.user}`;
  const database = connect(config, 'file-processing check');
  try {
    const { rows } = await database.raw<{ rows: { server_version: string }[] }>(
      'SHOW server_version',
    );
    const connection = {
      name: 'database connection',
      ok: true,
      found: `PostgreSQL ${rows[0]?.server_version} at ${place}, TLS ${config.sslMode}`,
    };
    return [connection, await schemaCheck(() => checkSchema(database))];
  } catch (error) {
    return [
      {
        name: 'database connection',
        ok: false,
        found: `${place}: ${messageOf(error)}`,
        next:
          connectionFault(error)?.advice ??
          'check host, port, name, user and password, that the database runs, and that its security group lets the nodes in (db_security_group_id)',
      },
    ];
  } finally {
    await database.destroy();
  }
}

async function schemaCheck(look: () => Promise<void>): Promise<CheckResult> {
  const name = 'database schema';
  try {
    await look();
    return { name, ok: true, found: 'up to date' };
  } catch (error) {
    if (!(error instanceof SchemaOutdatedError)) throw error;
    return { name, ok: false, found: error.message, next: 'run file-processing migrate' };
  }
}

/** An AggregateError, as for a host with two addresses, has its reasons inside and no message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message.trim() : String(error);
}
