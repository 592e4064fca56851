import { glob, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Stops the PostgreSQL servers that a killed run has left behind in its folder for temporary files:
 * each runs in a process group of its own, and so outlives the run.
 *
 * @throws where a server is in use after all, or can't be stopped
 */
export async function stopServersIn(folder: string): Promise<void> {
  for await (const pidFile of glob('{,*/}postgres/data/postmaster.pid', { cwd: folder })) {
    const { startLocalPostgres } = await import(
      '../../../listener/local/postgres/local-postgres.ts'
    );
    const { fallbackFolderFor } = await import('../../../listener/local/postgres/place.ts');
    const place = join(folder, dirname(pidFile), '..');
    const server = await startLocalPostgres({ folder: place });
    await server.stop();
    await rm(fallbackFolderFor(place), { recursive: true, force: true });
  }
}
