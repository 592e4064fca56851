import { existsSync } from 'node:fs';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import {
  type BootstrapConfig,
  type DatabaseConfig,
  readBootstrapConfig,
  Secret,
} from '../config/database-config.ts';
import { proxyAgents } from '../config/proxy-agents.ts';
import { ConfigError, variableReader } from '../config/read-variables.ts';
import { readConfig } from '../config.ts';
import { bootstrapDatabase, type Master } from '../database/bootstrap.ts';
import { connect, onceAvailable } from '../database/connection.ts';
import { DatabaseUnavailableError, MasterSecretError, sqlStateOf } from '../database/errors.ts';
import { migrate as migrateDatabase, printMigration } from '../database/migrate.ts';
import { seedDefinitions } from '../database/seed.ts';
import { type Command, UsageError } from './command-context.ts';
import { withDatabase } from './with-database.ts';

/** Options of `migrate`. */
export interface MigrateOptions {
  readonly printSql: boolean;
  /** Waits for a database that is not available. */
  readonly wait: boolean;
}

/** Brings the database's schema up to date, or prints the statements that would. */
export const migrate: Command<MigrateOptions> = async (
  { environment, stdout, stderr },
  { printSql, wait },
) => {
  const config = readConfig(environment, { database: true, httpIntake: false });
  if (wait) {
    await untilAvailable(config.database, (reason) =>
      stderr.write(`waits for the database: ${reason}\n`),
    );
  }
  if (printSql) {
    stdout.write(await printMigration(config.database));
    return EXIT.ok;
  }
  const applied = await migrateDatabase(config.database, (line) => stdout.write(`${line}\n`)).catch(
    (error: unknown) => {
      throw waitingForBootstrap(error, config.database);
    },
  );
  stdout.write(
    applied.length === 0 ? 'the schema is up to date\n' : `applied: ${applied.join(', ')}\n`,
  );
  return EXIT.ok;
};

/** Only a connection is waited for: a migration that is broken off holds up others each time that it is tried. */
async function untilAvailable(
  config: DatabaseConfig,
  onOutage: (reason: string) => void,
): Promise<void> {
  const database = connect(config);
  try {
    await onceAvailable(() => database.raw('SELECT 1'), onOutage);
  } finally {
    await database.destroy();
  }
}

/** A migrator that signs in by IAM is made by another command, which may be at work still. */
function waitingForBootstrap(error: unknown, { iamRegion, user }: DatabaseConfig): unknown {
  const code = sqlStateOf(error) ?? '';
  if (iamRegion === undefined || !/^(28000|28P01|3D000)$/.test(code)) return error;
  const { message } = error as Error;
  return new DatabaseUnavailableError(
    `${message}; bootstrap-database makes the database and DB_USER ${JSON.stringify(user)}, whose sign-in needs rds-db:connect`,
    { cause: error },
  );
}

/** Makes the database and its roles on a new server, as the master user. */
export const bootstrap: Command<Record<string, never>> = async ({ environment, stdout }) => {
  const reader = variableReader(environment);
  const config = readBootstrapConfig(reader);
  if (config === undefined) throw new ConfigError(reader.faults);
  const endpoint = reader.optional('AWS_ENDPOINT_URL');
  const made = await bootstrapDatabase(config, await readMaster(config, endpoint));
  stdout.write(made.length === 0 ? 'everything is there\n' : `made: ${made.join(', ')}\n`);
  return EXIT.ok;
};

/** Reads what RDS keeps of its master user (Amazon RDS User Guide, "Password management with AWS Secrets Manager"). */
async function readMaster(
  { masterSecretArn, region }: BootstrapConfig,
  endpoint: string | undefined,
): Promise<Master> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import(
    '@aws-sdk/client-secrets-manager'
  );
  const client = new SecretsManagerClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, ...proxyAgents() },
  });
  try {
    const { SecretString } = await client.send(
      new GetSecretValueCommand({ SecretId: masterSecretArn }),
    );
    return masterIn(SecretString ?? '', masterSecretArn);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new MasterSecretError(
      `the secret ${masterSecretArn} can't be read: ${reason}; the role needs secretsmanager:GetSecretValue on it and kms:Decrypt on its key, and the pod a way to Secrets Manager and STS`,
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}

/** Neither the text nor a parser's error, which quotes it, is shown. */
function masterIn(text: string, arn: string): Master {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { username, password } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof username === 'string' && typeof password === 'string') {
    return { user: username, password: new Secret(password) };
  }
  throw new UsageError(
    `the secret ${arn} does not hold "username" and "password", as RDS writes the master user's`,
  );
}

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
