import { acceptedBefore, deliveredAt } from '../database/accepted-deliveries.ts';
import type { Database } from '../database/connection.ts';
import {
  closeJudgement,
  finishJudgement,
  type HeldJudgement,
  heartbeat,
  type JudgementResult,
} from '../database/judgements.ts';
import { keepReferenceKeys, referenceKeysOf } from '../database/reference-keys.ts';
import { activeIds, inSpan } from '../tracing/tracing.ts';
import type { Job, JobContext, JobOutcome, JobProgress } from './job.ts';
import { monitoredFileInDatabase } from './monitored-file.ts';

/** One attempt at a judgement that came to an end. */
export interface RecordedJudgement {
  readonly judgement: HeldJudgement;
  readonly outcome: JobOutcome;
  /** From the start of the attempt. */
  readonly seconds: number;
}

/** What {@link recordJudgement} works with. */
export interface RecordJudgementOptions
  extends Omit<
    JobContext,
    'findMonitoredFile' | 'acceptedBefore' | 'deliveredAt' | 'referenceKeys'
  > {
  readonly database: Database;
  readonly job: Job;
  /** Whether notices have a way out. @default false */
  readonly tells?: boolean;
  /** Called once the file was read and judged, before that is recorded. @default nothing */
  readonly onFound?: () => void;
}

/** How often a judgement in hand says that it is worked on; those of processes that died are found by it. */
const HEARTBEAT_MS = 1_000;

/** Another attempt at the same judgement was begun: it is not this one's to end any more. */
export class JudgementLostError extends Error {
  override readonly name = 'JudgementLostError';
}

/**
 * Makes one attempt at a judgement and records what came of it. A failing file and an object that is
 * gone are results and get recorded; what is thrown is technical and worth a retry, and who holds the
 * judgement notes it.
 *
 * @throws {JudgementLostError}
 */
export async function recordJudgement(
  judgement: HeldJudgement,
  { database, job, tells = false, onFound, onProgress, ...context }: RecordJudgementOptions,
): Promise<RecordedJudgement> {
  const startedAt = performance.now();
  let isSaying = false;
  let progress: JobProgress | undefined;
  const heartbeats = setInterval(async () => {
    // A slow database is not asked twice at once.
    if (isSaying) return;
    isSaying = true;
    // The next one gets over it; who holds a judgement by now shows when it is recorded.
    await heartbeat(database, [{ ...judgement, progress }]).catch(() => undefined);
    isSaying = false;
  }, HEARTBEAT_MS);
  try {
    const found = await job.run(judgement.object, {
      ...context,
      onProgress(made) {
        progress = made;
        onProgress?.(made);
      },
      findMonitoredFile: (object) =>
        inSpan('look up rules', {}, () =>
          monitoredFileInDatabase(database, object, judgement.ruleRevision),
        ),
      acceptedBefore: async ({ monitoringFileId }, limit) =>
        monitoringFileId === undefined
          ? undefined
          : acceptedBefore(database, { monitoringFileId, runId: judgement.runId, limit }),
      deliveredAt: () => deliveredAt(database, judgement.runId),
      referenceKeys: ({ client }, wanted) => referenceKeysOf(database, client, wanted),
    });
    context.signal.throwIfAborted();
    onFound?.();
    const outcome = withTrace(found);
    const isRecorded = await inSpan('record verdict', {}, () =>
      record(database, judgement, outcome, tells),
    );
    if (!isRecorded) {
      const { runId, number } = judgement;
      throw new JudgementLostError(`another attempt at judgement ${number} of ${runId} was begun`);
    }
    return { judgement, outcome, seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    clearInterval(heartbeats);
  }
}

/** Says in the report which trace it is part of, where that can be found. */
function withTrace(outcome: JobOutcome): JobOutcome {
  const ids = activeIds();
  if (outcome.status !== 'finished' || ids?.isSampled !== true) return outcome;
  return { ...outcome, report: { ...outcome.report, traceId: ids.traceId } };
}

function record(
  database: Database,
  judgement: HeldJudgement,
  outcome: JobOutcome,
  tells: boolean,
): Promise<boolean> {
  if (outcome.status !== 'finished') {
    return closeJudgement(database, judgement, outcome.status, outcome.reason);
  }
  const { monitored, keys } = outcome;
  const result = resultOf(outcome, tells);
  const monitoringFileId = monitored?.monitoringFileId;
  if (keys.length === 0 || monitoringFileId === undefined) {
    return finishJudgement(database, judgement, result);
  }
  // What refers to them must never see the keys of a delivery without its verdict, nor the reverse.
  return database.transaction(async (transaction) => {
    const isHeld = await finishJudgement(transaction, judgement, result);
    const { runId, number } = judgement;
    const kept = { runId, number, monitoringFileId, collected: keys };
    if (isHeld) await keepReferenceKeys(transaction, kept);
    return isHeld;
  });
}

function resultOf(
  { report, withheld, monitored, columns }: Extract<JobOutcome, { status: 'finished' }>,
  tells: boolean,
): JudgementResult {
  return {
    verdict: report.verdict,
    rowCount: report.rows,
    byteCount: report.bytes,
    faultCount: report.faultCount,
    sha256: report.sha256,
    report,
    withheld,
    tells,
    ...(monitored?.monitoringFileId === undefined
      ? {}
      : {
          monitored: {
            columns,
            monitoringFileId: monitored.monitoringFileId,
            mappingName: monitored.mapping.name,
            mappingVersion: monitored.mapping.version,
          },
        }),
  };
}
