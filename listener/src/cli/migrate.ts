import { readConfig } from '../config.ts';
import { migrate as migrateDatabase } from '../database/migrate.ts';
import type { Command } from './command-context.ts';
import { EXIT } from './exit-codes.ts';

/** Brings the database's schema up to date. */
export const migrate: Command<Record<string, never>> = async ({ environment, stdout }) => {
  const config = readConfig(environment, { database: true, httpIntake: false });
  const applied = await migrateDatabase(config.database);
  stdout.write(
    applied.length === 0 ? 'the schema is up to date\n' : `applied: ${applied.join(', ')}\n`,
  );
  return EXIT.ok;
};
