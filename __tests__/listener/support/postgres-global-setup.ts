import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startLocalPostgres } from '../../../listener/local/postgres.ts';
import { migrate } from '../../../listener/src/database/migrate.ts';
import { databaseConfigOf } from './database-config.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of the run's PostgreSQL. */
    postgresUrl: string;
    /** A migrated database that the tests' own are copies of. */
    postgresTemplate: string;
  }
}

const FOLDER_PREFIX = 'file-processing-test-postgres-';
const TEMPLATE = 'template_listener';

/**
 * One embedded PostgreSQL for a whole vitest run, with a migrated database to copy.
 *
 * `FILE_PROCESSING_TEST_POSTGRES_BIN` names the folder of another PostgreSQL's binaries, to run the
 * same tests on an older version.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  const postgres = await startLocalPostgres({
    folder,
    ...otherBinaries(),
    // Nobody will miss this data after a power cut.
    settings: { fsync: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  const teardown = async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(`CREATE DATABASE ${TEMPLATE}`);
    await client.end();
    await migrate(databaseConfigOf(postgres.url, TEMPLATE));
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide('postgresUrl', postgres.url);
  project.provide('postgresTemplate', TEMPLATE);
  return teardown;
}

function otherBinaries(): { binaries?: string } {
  const binaries = process.env.FILE_PROCESSING_TEST_POSTGRES_BIN;
  return binaries === undefined ? {} : { binaries };
}

/** Servers and folders of runs that were killed before their teardown. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(FOLDER_PREFIX)
      ? Number(name.slice(FOLDER_PREFIX.length).split('-')[0])
      : Number.NaN;
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    const leftover = await startLocalPostgres({ folder, ...otherBinaries() }).catch(
      () => undefined,
    );
    await leftover?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
