import { type ConfigWithDatabase, readConfig } from '../config.ts';
import { connect, type Database } from '../database/connection.ts';
import { checkSchema } from '../database/schema-version.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
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

/** As {@link withDatabase}, and opens the queue of judgements. */
export async function withQueue<T>(
  context: CommandContext,
  work: (database: Database, queue: Queue, config: ConfigWithDatabase) => Promise<T>,
): Promise<T> {
  return withDatabase(context, async (database, config) => {
    const queue = await openQueue(database, ({ message }) =>
      context.stderr.write(`the queue failed, and is tried again: ${message}\n`),
    );
    try {
      return await work(database, queue, config);
    } finally {
      await queue.close();
    }
  });
}
