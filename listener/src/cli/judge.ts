import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { findJudgement, noteFailure, startJudgement } from '../database/judgements.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import { JudgementLostError, recordJudgement } from '../jobs/record-judgement.ts';
import { s3DataQualityJob } from '../jobs/s3-data-quality-job.ts';
import { finishedLine, progressLog } from '../serve/job-handler.ts';
import { createLogger } from '../serve/logger.ts';
import { openStore } from '../storage/open-store.ts';
import { requireAws } from './check.ts';
import type { Command } from './command-context.ts';
import { interruptible } from './interruption.ts';
import { withDatabase } from './with-database.ts';

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
      const held = await startJudgement(database, reference);
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
    }),
  );

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || 'no reason given';
}
