import { join } from 'node:path';
import { CHECK } from '@file-processing/contract/listener-interface.ts';
import type {
  FileVariableName,
  VariableName,
} from '@file-processing/contract/listener-variables.ts';
import { databaseIdentifier } from '../../settings/postgres-on-demand-variables.ts';
import { databaseApi } from '../database/database.ts';
import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import type { Target } from '../target.ts';
import { checksOfListener, type Diagnosis, diagnose } from './diagnosis.ts';

/** Any of them names the database; the others say more of it. */
const NAMING = [
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'DB_HOST',
  'DB_HOST_FILE',
] as const satisfies readonly (VariableName | FileVariableName)[];

/**
 * Tries the database that the environment of this shell names (DATABASE_URL, or DB_HOST and its
 * kin) by the listener's own `check`. The cluster's database is tried in a pod, see workload.ts.
 */
export async function databaseDiagnoses(context: OperationContext): Promise<readonly Diagnosis[]> {
  const { env, root, run } = context;
  const named = NAMING.some((name) => env[name]);
  if (!named) {
    const found = 'this shell names none (DATABASE_URL, or DB_HOST, DB_NAME, DB_USER)';
    return [{ name: 'database from here', state: 'skipped', found }];
  }
  let checks: readonly Diagnosis[] = [];
  const failure = await diagnose('database from here', async () => {
    const program = join(root, 'listener/src/main.ts');
    const parameters = [program, CHECK, '--only', 'database', '--json'];
    const { stdout, stderr } = await run(process.execPath, parameters);
    checks = checksOfListener(stdout, ' from here');
    if (checks.length === 0) throw new OperationError(stderr.trim());
    return { state: 'ok', found: '' };
  });
  return checks.length > 0 ? checks : [failure];
}

/** Whether the database on demand is there and runs; nothing where the environment has none. */
export async function onDemandDiagnoses({
  environment,
  clients,
}: Target): Promise<readonly Diagnosis[]> {
  const settings = environment.postgresOnDemand;
  if (settings === undefined) return [];
  const name = 'database on demand';
  const identifier = databaseIdentifier(settings);
  return [
    await diagnose(name, async () => {
      const api = await databaseApi(await clients.rds(), settings);
      const status = (await api.find(identifier))?.status ?? 'not there';
      const found = `${identifier} is ${status}`;
      switch (status) {
        case 'available':
          return { state: 'ok', found };
        case 'stopped':
          return { state: 'red', found, next: 'npm run manage -- db-start' };
        case 'not there':
          return { state: 'red', found, next: 'npm run manage -- apply postgres-on-demand' };
        default:
          return {
            state: 'warn',
            found,
            next: 'AWS is working on it; check again in a few minutes',
          };
      }
    }),
  ];
}
