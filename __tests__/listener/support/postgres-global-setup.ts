import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startLocalPostgres } from '../../../listener/local/postgres/local-postgres.ts';
import { fallbackFolderFor } from '../../../listener/local/postgres/place.ts';
import { migrate } from '../../../listener/src/database/migrate.ts';
import { memoryOr, startRunFolder } from '../../support/run-folder.ts';
import { copyCluster } from './copy-cluster.ts';
import { databaseConfigOf } from './database-config.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of a cluster that is never started, to be copied: making one takes a second of work. */
    postgresCluster: string;
    /** Address of the run's PostgreSQL. */
    postgresUrl: string;
    /** A migrated database that the tests' own are copies of. */
    postgresTemplate: string;
  }
}

const TEMPLATE = 'template_listener';

/**
 * One embedded PostgreSQL for a whole vitest run, with a migrated database to copy.
 *
 * `FILE_PROCESSING_TEST_POSTGRES_BIN` names the folder of another PostgreSQL's binaries, to run the
 * same tests on an older version.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runFolder = await startRunFolder(memoryOr(tmpdir()));
  const folder = join(runFolder.path, 'postgres');
  const cluster = join(runFolder.path, 'cluster');
  await (await startLocalPostgres({ folder: cluster, ...otherBinaries() })).stop();
  await copyCluster(cluster, folder);
  const postgres = await startLocalPostgres({
    folder,
    ...otherBinaries(),
    // Nobody will miss this data after a power cut.
    settings: { fsync: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  const teardown = async () => {
    await postgres.stop();
    await rm(fallbackFolderFor(folder), { recursive: true, force: true });
    await runFolder.remove();
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
  project.provide('postgresCluster', cluster);
  project.provide('postgresUrl', postgres.url);
  project.provide('postgresTemplate', TEMPLATE);
  return teardown;
}

function otherBinaries(): { binaries?: string } {
  const binaries = process.env.FILE_PROCESSING_TEST_POSTGRES_BIN;
  return binaries === undefined ? {} : { binaries };
}
