import type { ObjectReference } from '@file-processing/contract/s3-event.ts';
import { identityOf } from '../../../listener/src/database/column-values.ts';
import type { Database } from '../../../listener/src/database/connection.ts';
import {
  finishJudgement,
  type HeldJudgement,
  type JudgementResult,
  startJudgement,
} from '../../../listener/src/database/judgements.ts';
import { tablesOf } from '../../../listener/src/database/tables.ts';
import type { Queue } from '../../../listener/src/queue/queue.ts';
import { emptyTables } from './postgres.ts';

/** A run as a message leaves it: its first judgement waits. @returns its id */
export async function openRun(
  database: Database,
  object: Pick<ObjectReference, 'bucket' | 'key'> & Partial<ObjectReference>,
  messageId?: string,
): Promise<string> {
  const [{ id }] = await database(tablesOf(database).runs)
    .insert({
      bucket: object.bucket,
      key: object.key,
      identity: identityOf(object, { messageId: messageId ?? 'm' }),
      version_id: object.versionId,
      e_tag: object.eTag,
      sequencer: object.sequencer,
      size_bytes: object.sizeBytes,
      event_time: object.eventTime,
      message_id: messageId,
    })
    .returning('id');
  return id;
}

/** A judgement in hand, of a run of its own. */
export async function begin(
  database: Database,
  object: Parameters<typeof openRun>[1],
): Promise<HeldJudgement> {
  return beginOf(database, await openRun(database, object));
}

/** Begins a judgement of a run. @param number @default 1 */
export async function beginOf(
  database: Database,
  runId: string,
  number = 1,
): Promise<HeldJudgement> {
  const held = await startJudgement(database, { runId, number });
  if (held === undefined) throw new Error(`judgement ${number} of ${runId} has ended`);
  return held;
}

/** What a judgement of a good file finds. */
export const PASSED: JudgementResult = {
  verdict: 'passed',
  rowCount: 3,
  byteCount: 7,
  faultCount: 0,
  sha256: 'ab'.repeat(32),
  report: { verdict: 'passed' },
  withheld: {},
};

/** A run with a verdict. @returns its id */
export async function judgedRun(
  database: Database,
  object: Parameters<typeof openRun>[1],
  result: Partial<JudgementResult> = {},
): Promise<string> {
  const held = await begin(database, object);
  await finishJudgement(database, held, { ...PASSED, ...result });
  return held.runId;
}

/** Leaves the database without runs. */
export async function forgetRuns(database: Database): Promise<void> {
  const { runs, judgements, kubernetesJobs } = tablesOf(database);
  await emptyTables(database, judgements, kubernetesJobs, runs);
}

/** Runs of objects that a message named, each with its job. @returns their ids in order */
export async function enqueueRuns(
  database: Database,
  queue: Queue,
  ...keys: readonly string[]
): Promise<string[]> {
  const ids: string[] = [];
  for (const key of keys) ids.push(await openRun(database, { bucket: 'bucket', key }));
  const jobs = ids.map((runId) => ({ runId, number: 1, jobId: runId }));
  await database.transaction((transaction) => queue.enqueue(jobs, transaction));
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
