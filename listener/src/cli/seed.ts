import { existsSync } from 'node:fs';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { seedDefinitions } from '../database/seed.ts';
import type { Command } from './command-context.ts';
import { EXIT } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

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
