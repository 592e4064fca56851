import { existsSync } from 'node:fs';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { readConfig } from '../config.ts';
import { migrate as migrateDatabase } from '../database/migrate.ts';
import { seedDefinitions } from '../database/seed.ts';
import { type Command, UsageError } from './command-context.ts';
import { withDatabase } from './with-database.ts';

/** Brings the database's schema up to date. */
export const migrate: Command<Record<string, never>> = async ({ environment, stdout }) => {
  const config = readConfig(environment, { database: true, httpIntake: false });
  const applied = await migrateDatabase(config.database);
  stdout.write(
    applied.length === 0 ? 'the schema is up to date\n' : `applied: ${applied.join(', ')}\n`,
  );
  return EXIT.ok;
};

/** Options of `seed`. */
export interface SeedOptions {
  readonly folder: string;
}

/** Loads monitored files and mappings from a folder of JSON files. */
export const seed: Command<SeedOptions> = (context, { folder }) => {
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${folder}`);
  return withDatabase(context, async (database) => {
    const { mappings, monitoringFiles } = await seedDefinitions(
      database,
      folder,
      expectationProblems,
    );
    context.stdout.write(
      `mappings: ${mappings.found} found, ${mappings.changed} changed\n` +
        `monitored files: ${monitoringFiles.found} found, ${monitoringFiles.changed} changed\n`,
    );
    return EXIT.ok;
  });
};
