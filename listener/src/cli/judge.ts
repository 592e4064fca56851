import { EXIT } from '@file-processing/contract/listener-interface.ts';
import type { Logger } from 'pino';
import type { ConfigWithDatabase } from '../config.ts';
import type { Database } from '../database/connection.ts';
import {
  findJudgement,
  type JudgementReference,
  noteFailure,
  startJudgement,
} from '../database/judgements.ts';
import { waitForJob } from '../database/kubernetes-jobs.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import { JudgementLostError, recordJudgement } from '../jobs/record-judgement.ts';
import { s3DataQualityJob } from '../jobs/s3-data-quality-job.ts';
import { conclusionOf, finishedLine, progressLog } from '../serve/job-handler.ts';
import { createLogger } from '../serve/logger.ts';
import { openStore } from '../storage/open-store.ts';
import {
  activeSpan,
  goingOnWith,
  recordedTraceparent,
  type Tracer,
  traced,
} from '../tracing/tracing.ts';
import { requireAws } from './check.ts';
import type { Command, CommandContext } from './command-context.ts';
import { interruptible } from './interruption.ts';
import { withDatabase } from './with-database.ts';
import { withTracer } from './with-tracer.ts';

/** Names the judgement. */
export interface JudgeOptions {
  readonly runId: string;
  readonly number: number;
}

/** How long an interrupted attempt may take to write down that it was, in milliseconds. */
const GRACE_MS = 5_000;

/**
 * Makes one attempt at a judgement that waits, and records what came of it: what a Job of the listener does. A recorded
 * verdict ends with 0, whatever it is, so that a Job that failed always means that there is none. An object that is gone, and
 * a judgement that others ended without a verdict, end with 66. The report is left to the worker pool.
 *
 * It logs as the listener does, and shows nothing of the file.
 */
export const judge: Command<JudgeOptions> = (context, { runId, number }) =>
  interruptible(GRACE_MS, (signal) =>
    withDatabase(context, async (database, config) => {
      const reference = { runId, number };
      const logger = createLogger(config.logLevel, { write: (line) => context.stdout.write(line) });
      if (config.s3.localRoot === undefined) await requireAws(config, { region: true });
      return withTracer(config, logger, (tracer) =>
        tracedAsJob({ database, tracer, reference }, () =>
          attempt(context, { database, config, reference, logger, signal }),
        ),
      );
    }),
  );

/** Goes on with the trace of what has kept the judgement for a Job. */
async function tracedAsJob(
  {
    database,
    tracer,
    reference,
  }: {
    readonly database: Database;
    readonly tracer: Tracer | undefined;
    readonly reference: JudgementReference;
  },
  work: () => Promise<number>,
): Promise<number> {
  if (tracer === undefined) return work();
  const wait = await waitForJob(database, reference);
  const waitedMs = wait === undefined ? 0 : Math.max(0, Date.now() - wait.since.getTime());
  const goingOn = goingOnWith(wait?.traceparent, waitedMs);
  if (goingOn.parent !== undefined) {
    tracer.start('wait for job', { ...goingOn, startedAt: wait?.since }).end();
  }
  const attributes = {
    'file_processing.run': reference.runId,
    'file_processing.judgement': reference.number,
  };
  return traced(tracer, 'judge in job', { ...goingOn, kind: 'consumer', attributes }, work);
}

async function attempt(
  context: CommandContext,
  {
    database,
    config,
    reference,
    logger,
    signal,
  }: {
    readonly database: Database;
    readonly config: ConfigWithDatabase;
    readonly reference: JudgementReference;
    readonly logger: Logger;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { runId, number } = reference;
  const held = await startJudgement(database, reference, recordedTraceparent());
  if (held === undefined) {
    const ended = await findJudgement(database, reference);
    context.stderr.write(
      ended === undefined
        ? `there is no judgement ${number} of run ${runId}\n`
        : `judgement ${number} of run ${runId} had ended before: ${ended.verdict ?? ended.status}\n`,
    );
    return ended?.status === 'finished' ? EXIT.ok : EXIT.noInput;
  }
  const store = openStore(config);
  try {
    const recorded = await recordJudgement(held, {
      ...{ database, store, signal, job: s3DataQualityJob },
      engine: createEngine(config),
      maxFaults: config.maxFaults,
      unmonitored: config.unmonitored,
      tells: config.notices.isOn,
      onProgress: progressLog(logger, reference),
    });
    logger.info(finishedLine(recorded), 'run finished');
    activeSpan().set(conclusionOf(recorded));
    return recorded.outcome.status === 'finished' ? EXIT.ok : EXIT.noInput;
  } catch (error) {
    const why = textOf(signal.aborted ? signal.reason : error);
    if (error instanceof JudgementLostError) {
      context.stderr.write(`${why}\n`);
      return EXIT.tryAgain;
    }
    // The runner decides whether another attempt is made; should the database be what failed, it sees the silence.
    await noteFailure(database, held, why).catch(() => false);
    throw error;
  } finally {
    store.close();
  }
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || 'no reason given';
}
