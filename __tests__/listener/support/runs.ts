import type { Database } from '../../../listener/src/database/connection.ts';
import { openRun } from '../../../listener/src/database/runs.ts';
import type { Queue } from '../../../listener/src/queue/queue.ts';

/** Runs of objects that no message named, each with its job. @returns their ids in order */
export async function enqueueRuns(
  database: Database,
  queue: Queue,
  ...keys: readonly string[]
): Promise<string[]> {
  const ids: string[] = [];
  for (const key of keys) ids.push(await openRun(database, { bucket: 'bucket', key }));
  await database.transaction((transaction) => queue.enqueue(ids, transaction));
  return ids;
}

/**
 * Uses up a job's attempts, all but the one that runs next, and makes it due: what a quarter of an
 * hour of failures would do.
 */
export async function leaveOneAttempt(database: Database, runId: string): Promise<void> {
  await database('file_processing_queue.job')
    .whereRaw("data->>'runId' = ?", [runId])
    .update({ retry_limit: 0 });
}
