import { awsChecks } from '../checks/aws-checks.ts';
import { checkTable } from '../checks/check-result.ts';
import { databaseChecks } from '../checks/database-checks.ts';
import { readConfig } from '../config.ts';
import type { Command } from './command-context.ts';
import { EXIT } from './exit-codes.ts';

/** Options of `check`. */
export interface CheckOptions {
  /** @default both */
  readonly only?: 'database' | 'aws';
  readonly otherBucket?: string;
  readonly json: boolean;
}

/** Tries what the listener depends on, from where it runs; ends with 1 when something is red. */
export const check: Command<CheckOptions> = async ({ environment, stdout }, options) => {
  const withDatabase = options.only !== 'aws';
  const config = readConfig(environment, { database: withDatabase, httpIntake: false });
  const results = [
    ...(config.database === undefined ? [] : await databaseChecks(config.database)),
    ...(options.only === 'database' ? [] : await awsChecks(config, options.otherBucket)),
  ];
  stdout.write(options.json ? `${JSON.stringify(results, null, 2)}\n` : checkTable(results));
  return results.every(({ ok }) => ok) ? EXIT.ok : EXIT.bad;
};
