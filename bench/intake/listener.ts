import { spawnSync } from 'node:child_process';
import { copyFile, link, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ServerProcess, startServer } from './server-process.ts';
import { objectPathOf, TOPIC_ARN } from './signed-messages.ts';

const LISTENER = join(import.meta.dirname, '../../listener/src/main.ts');

/** A file of 1.2 kB, as the seed describes it. */
export const SAMPLE = join(import.meta.dirname, '../../listener/local/samples/Officer_Detail.csv');

/**
 * What V8 takes in a pod of 512 MiB, the default of `memory_limit`: half of it, and the young generation that the image
 * asks for. Without a limit its heap may grow to 4 GB, and is collected as seldom as that allows.
 */
export const HEAP_OF_POD = ['--max-old-space-size=256', '--max-semi-space-size=16'];

/** Where the measured listeners work. */
export interface Surroundings {
  /** Of their objects, too. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** @param origin of the certificate */
export function surroundings(folder: string, databaseUrl: string, origin: string): Surroundings {
  const environment = {
    ...{ PORT: '0', METRICS_PORT: '0', DATABASE_URL: databaseUrl, LOCAL_S3_ROOT: folder },
    ...{ SNS_TOPIC_ARNS: TOPIC_ARN, AWS_ENDPOINT_URL_SNS: origin, AWS_REGION: 'us-gov-west-1' },
    ...{ AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
  };
  return { folder, environment };
}

/** Starts a listener of a role, with options of Node.js. */
export function serve(
  { folder, environment }: Surroundings,
  role: 'intake' | 'both',
  nodeOptions: readonly string[] = [],
): Promise<ServerProcess> {
  return startServer({
    ...{ command: process.execPath, folder, environment },
    args: [...nodeOptions, LISTENER, 'serve', '--role', role],
  });
}

/** Runs one of the listener's commands. @throws when it fails */
export function run({ folder, environment }: Surroundings, ...command: readonly string[]): void {
  const { PATH, HOME } = process.env;
  const { status } = spawnSync(process.execPath, [LISTENER, ...command], {
    ...{ cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    env: { PATH, HOME, ...environment },
  });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`);
}

/** Puts the same file where each delivery says. */
export async function storeFiles(
  bodies: readonly Buffer[],
  root: string,
  file: string,
): Promise<void> {
  for (const body of bodies) {
    const path = join(root, objectPathOf(body));
    await mkdir(dirname(path), { recursive: true });
    await link(file, path).catch(() => copyFile(file, path));
  }
}
