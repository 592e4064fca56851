import { readFile } from 'node:fs/promises';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { type ObjectReference, readS3Events } from '@file-processing/contract/s3-event.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/connection.ts';
import { readDefinitions } from '../database/definitions.ts';
import { failRuns, findRun, noteFailure, openRun } from '../database/runs.ts';
import type { Job, JobContext, JobOutcome } from '../jobs/job.ts';
import { monitoredFileInDefinitions } from '../jobs/monitored-file.ts';
import { recordRun } from '../jobs/record-run.ts';
import { JOBS } from '../jobs/s3-data-quality-job.ts';
import { writeReport } from '../jobs/write-report.ts';
import { openStore } from '../storage/open-store.ts';
import { requireAws } from './check.ts';
import {
  type Command,
  type CommandContext,
  configWithoutDatabase,
  UsageError,
} from './command-context.ts';
import { errorText, exitCodeOfError, exitCodeOfVerdict } from './exit-codes.ts';
import { interruptible } from './interruption.ts';
import { printable, reportText, showProgress } from './report-text.ts';
import { withDatabase } from './with-database.ts';

/** Options of `run`. */
export interface RunOptions {
  readonly job: string;
  readonly eventJson?: string;
  readonly eventsFile?: string;
  readonly dryRun: boolean;
  /** Definitions that a dry run looks monitored files up in. */
  readonly definitions: string;
  readonly json: boolean;
}

/** Judges one object and says what came of it, recorded or not. */
type Judge = (object: ObjectReference, context: Omit<JobContext, 'findMonitoredFile'>) => Judged;
type Judged = Promise<{
  readonly outcome: JobOutcome;
  readonly code: number;
  /** Writes the report, once the verdict was shown; undefined where none is asked for. */
  readonly report?: () => Promise<unknown>;
}>;

/** How long an interrupted run may take to write down that it was, in milliseconds. */
const GRACE_MS = 5_000;

/**
 * Runs a job for every object of an event, one after the other. SIGTERM and SIGINT end it: the
 * object in hand is noted as interrupted, those after it are not begun.
 */
export const run: Command<RunOptions> = (context, options) =>
  interruptible(GRACE_MS, (signal) => runJob(context, options, signal));

async function runJob(
  context: CommandContext,
  options: RunOptions,
  signal: AbortSignal,
): Promise<number> {
  const job = JOBS.get(options.job);
  if (job === undefined) {
    const known = [...JOBS.keys()].join(', ');
    throw new UsageError(`there is no job '${options.job}'; jobs: ${known}`);
  }
  const text = await eventText(options);
  if (!options.dryRun) {
    return withDatabase(context, (database, config) =>
      runAll(context, options, config, text, recordingJudge(database, job, config), signal),
    );
  }
  const config = configWithoutDatabase(context);
  const judge = await dryJudge(job, options.definitions);
  return runAll(context, options, config, text, judge, signal);
}

async function eventText({ eventJson, eventsFile }: RunOptions): Promise<string> {
  if ((eventJson === undefined) === (eventsFile === undefined)) {
    throw new UsageError('one of --event-json and --events-file is needed');
  }
  if (eventsFile === undefined) return eventJson ?? '';
  return readFile(eventsFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${eventsFile} can't be read: ${error.message}`);
  });
}

async function runAll(
  context: CommandContext,
  { json }: RunOptions,
  config: Config,
  text: string,
  judge: Judge,
  signal: AbortSignal,
): Promise<number> {
  const { objects, ignored, problems } = readS3Events(text, config.s3);
  if (problems.length > 0) throw new UsageError(`not an S3 event: ${problems.join('; ')}`);
  for (const reason of ignored) context.stderr.write(`ignored: ${printable(reason)}\n`);
  if (config.s3.localRoot === undefined && objects.length > 0) {
    await requireAws(config, { region: true });
  }
  const store = openStore(config);
  let worst: number = EXIT.ok;
  try {
    for (const object of objects) {
      signal.throwIfAborted();
      const name = `${object.bucket}/${object.key}`;
      const progress = showProgress(printable(name), context.stderr);
      try {
        const { outcome, code, report } = await judge(object, {
          store,
          maxFaults: config.maxFaults,
          signal,
          onProgress: progress.update,
        });
        progress.end();
        show(context, name, outcome, json);
        const written = await reportWritten(report, name, context, signal);
        worst = Math.max(worst, code, written ? EXIT.ok : EXIT.tryAgain);
      } catch (error) {
        progress.end();
        signal.throwIfAborted();
        const code = exitCodeOfError(error);
        context.stderr.write(`${printable(name)}: ${errorText(error)}`);
        worst = Math.max(worst, code === EXIT.unexpected ? EXIT.tryAgain : code);
      }
    }
  } finally {
    store.close();
  }
  return worst;
}

/** A verdict that was shown is kept, whatever becomes of its report. */
async function reportWritten(
  report: (() => Promise<unknown>) | undefined,
  name: string,
  { stderr }: CommandContext,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await report?.();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const reason = errorText(error);
    stderr.write(`${printable(name)}: the verdict stands, its report was not written: ${reason}`);
    return false;
  }
}

function show(context: CommandContext, name: string, outcome: JobOutcome, json: boolean): void {
  if (outcome.status !== 'finished') {
    const text = `${outcome.status.toUpperCase()}  ${name}\n  ${outcome.reason}\n`;
    (json ? context.stderr : context.stdout).write(text);
    return;
  }
  // One line each, so that several reports can be told apart.
  const text = json ? `${JSON.stringify(outcome.report)}\n` : reportText(name, outcome.report);
  context.stdout.write(text);
}

/** Without database: monitored files are looked up in the definitions, nothing is written. */
async function dryJudge(job: Job, definitionsFolder: string): Promise<Judge> {
  const definitions = await readDefinitions(definitionsFolder, expectationProblems);
  return async (object, context) => {
    const outcome = await job.run(object, {
      ...context,
      findMonitoredFile: async (name) => monitoredFileInDefinitions(definitions, name),
    });
    const code =
      outcome.status === 'finished' ? exitCodeOfVerdict(outcome.report.verdict) : EXIT.noInput;
    return { outcome, code };
  };
}

/** A verdict is data: what is recorded ends with 0, whatever it is. */
function recordingJudge(database: Database, job: Job, { s3 }: Config): Judge {
  return async (object, context) => {
    const runId = await openRun(database, object);
    const { store, signal } = context;
    const writing = { database, store, prefix: s3.reportPrefix, signal };
    try {
      const recorded = await recordRun(runId, { ...context, database, job, again: true });
      if (recorded === undefined) throw new Error(`run ${runId} has vanished`);
      return {
        outcome: recorded.outcome,
        code: EXIT.ok,
        ...(s3.writeReports ? { report: () => writeReport(runId, writing) } : {}),
      };
    } catch (error) {
      // The stream that the signal ended says no more than that it was.
      const reason = textOf(signal.aborted ? signal.reason : error);
      // No other process gets the run, as it would from a worker's queue: so it is noted here.
      if (signal.aborted) await noteFailure(database, runId, reason);
      const failed = await findRun(database, runId).catch(() => undefined);
      // No job in the queue will try again what only the command line has asked for.
      if (failed?.messageId === null) await failRuns(database, [{ runId, error: reason }]);
      throw error;
    }
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
