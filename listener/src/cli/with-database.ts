import { type ConfigWithDatabase, readConfig } from '../config.ts';
import { connect, type Database } from '../database/connection.ts';
import { checkSchema } from '../database/schema-version.ts';
import type { CommandContext } from './command-context.ts';

/**
 * Gives a command a migrated database and closes it afterwards.
 *
 * @throws {ConfigError}
 * @throws {SchemaOutdatedError}
 */
export async function withDatabase<T>(
  { environment }: CommandContext,
  work: (database: Database, config: ConfigWithDatabase) => Promise<T>,
): Promise<T> {
  const config = readConfig(environment, { database: true, httpIntake: false });
  const database = connect(config.database);
  try {
    await checkSchema(database);
    return await work(database, config);
  } finally {
    await database.destroy();
  }
}
