import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { type ObjectReference, readS3Events } from '@file-processing/contract/s3-event.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { fileFault } from '../config/read-variables.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/connection.ts';
import {
  closeJudgement,
  findJudgement,
  type HeldJudgement,
  type JudgementReference,
  startOwnJudgement,
} from '../database/judgements.ts';
import { findRun } from '../database/runs.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import type { Job, JobContext, JobOutcome } from '../jobs/job.ts';
import { monitoredFileInRuleSet } from '../jobs/monitored-file.ts';
import { JudgementLostError, recordJudgement } from '../jobs/record-judgement.ts';
import { routeVerdict, routingFormOf } from '../jobs/route-verdict.ts';
import { JOBS } from '../jobs/s3-data-quality-job.ts';
import { reportFormOf, writeReport } from '../jobs/write-report.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { restore } from '../privacy/withhold.ts';
import { readRuleFolder } from '../rules/rule-set.ts';
import { createLogger, logLines } from '../serve/logger.ts';
import { openStore } from '../storage/open-store.ts';
import { recordedTraceparent, type Tracer, traced } from '../tracing/tracing.ts';
import { requireAws } from './check.ts';
import {
  type Command,
  type CommandContext,
  configWithoutDatabase,
  UsageError,
} from './command-context.ts';
import { errorText, exitCodeOfError, exitCodeOfVerdict, mostSerious } from './exit-codes.ts';
import { interruptible } from './interruption.ts';
import { printable, reportText, showProgress } from './report-text.ts';
import { withDatabase } from './with-database.ts';
import { withTracer } from './with-tracer.ts';

/** Options of `run`. */
export interface RunOptions {
  readonly job: string;
  readonly eventJson?: string;
  readonly eventsFile?: string;
  readonly dryRun: boolean;
  /** Definitions that a dry run looks monitored files up in. */
  readonly definitions: string;
  readonly json: boolean;
  /** Names this call; the same for each attempt of a Job. @default one of its own */
  readonly invocation?: string;
  /** Why, for the record. */
  readonly reason?: string;
}

/** Judges one object and says what came of it, recorded or not. */
type Judge = (object: ObjectReference, context: Omit<JobContext, 'findMonitoredFile'>) => Judged;
type Judged = Promise<{
  /** Undefined where this invocation has judged the object before: then `text` says what came of it. */
  readonly outcome: JobOutcome | undefined;
  readonly text?: string;
  readonly code: number;
  /** Writes the report, once the verdict was shown; undefined where none is asked for. */
  readonly report?: () => Promise<unknown>;
  /** Does with the file what its rules ask for; undefined where nothing is allowed. */
  readonly route?: () => Promise<unknown>;
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
      withTracer(config, warningsTo(context), (tracer) => {
        const judge = recordingJudge(database, job, config, options);
        return runAll(context, options, config, text, tracedBy(tracer, context, judge), signal);
      }),
    );
  }
  const config = configWithoutDatabase(context);
  const judge = await dryJudge(job, options.definitions);
  return runAll(context, options, config, text, judge, signal);
}

/** What is wrong with a collector, for whoever looks at the command. */
function warningsTo({ stderr }: CommandContext) {
  return createLogger('warn', logLines({ write: (line) => stderr.write(line) }, true));
}

/**
 * A trace for each object, or a span of the trace that its caller is in (OpenTelemetry specification, "Environment Variables
 * as Context Propagation Carriers").
 */
function tracedBy(
  tracer: Tracer | undefined,
  { environment }: CommandContext,
  judge: Judge,
): Judge {
  return (object, context) =>
    traced(tracer, 'judge file', { parent: environment.TRACEPARENT }, async (span) => {
      const judged = await judge(object, context);
      const { outcome, report, route } = judged;
      const after = (name: string, work: () => Promise<unknown>) => () =>
        traced(tracer, name, { parent: span.traceparent }, work);
      if (outcome?.status === 'finished') {
        span.set({
          'file_processing.verdict': outcome.report.verdict,
          'file_processing.faults': outcome.report.faultCount,
        });
      }
      return {
        ...judged,
        ...(report && { report: after('write report', report) }),
        ...(route && { route: after('route file', route) }),
      };
    });
}

async function eventText({ eventJson, eventsFile }: RunOptions): Promise<string> {
  if ((eventJson === undefined) === (eventsFile === undefined)) {
    throw new UsageError('one of --event-json and --events-file is needed');
  }
  if (eventsFile === undefined) return eventJson ?? '';
  return readFile(eventsFile, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${eventsFile} can't be read: ${fileFault(error)}`);
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
  const engine = createEngine(config);
  const codes: number[] = [];
  try {
    for (const object of objects) {
      signal.throwIfAborted();
      const name = `${object.bucket}/${object.key}`;
      const progress = showProgress(printable(name), context.stderr);
      try {
        const {
          outcome,
          text: note,
          code,
          report,
          route,
        } = await judge(object, {
          store,
          engine,
          maxFaults: config.maxFaults,
          unmonitored: config.unmonitored,
          signal,
          onProgress: progress.update,
        });
        progress.end();
        if (note !== undefined) context.stderr.write(`${printable(name)}: ${note}\n`);
        if (outcome !== undefined) show(context, name, outcome, json);
        const written = await ended(report, 'its report was not written', name, context, signal);
        const routed = await ended(route, 'the file was not routed by it', name, context, signal);
        codes.push(code, written && routed ? EXIT.ok : EXIT.tryAgain);
      } catch (error) {
        progress.end();
        signal.throwIfAborted();
        context.stderr.write(`${printable(name)}: ${errorText(error)}`);
        codes.push(exitCodeOfError(error));
      }
    }
  } finally {
    store.close();
  }
  return mostSerious(codes);
}

/** A verdict that was shown is kept, whatever becomes of its report and of the file. */
async function ended(
  work: (() => Promise<unknown>) | undefined,
  failure: string,
  name: string,
  { stderr }: CommandContext,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await work?.();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const reason = errorText(error);
    stderr.write(`${printable(name)}: the verdict stands, ${failure}: ${reason}`);
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
  const report = restore(outcome, shownClasses(PLACES.terminal));
  const text = json ? `${JSON.stringify(report)}\n` : reportText(name, report);
  context.stdout.write(text);
}

/** Without database: monitored files are looked up in the definitions, nothing is written. */
async function dryJudge(job: Job, definitionsFolder: string): Promise<Judge> {
  const definitions = await readRuleFolder(definitionsFolder, expectationProblems);
  return async (object, context) => {
    const outcome = await job.run(object, {
      ...context,
      findMonitoredFile: async (name) => monitoredFileInRuleSet(definitions, name),
    });
    const code =
      outcome.status === 'finished' ? exitCodeOfVerdict(outcome.report.verdict) : EXIT.noInput;
    return { outcome, code };
  };
}

/**
 * A verdict is data: what is recorded ends with 0, whatever it is. An object that is gone has none of
 * this judgement, so that nobody takes the call for a success; an earlier verdict stands.
 */
function recordingJudge(
  database: Database,
  job: Job,
  { s3, notices }: Config,
  { invocation = randomUUID(), reason }: RunOptions,
): Judge {
  return async (object, context) => {
    const started = await startOwnJudgement(database, {
      object,
      invocation,
      ...(reason === undefined ? {} : { reason }),
      traceparent: recordedTraceparent(),
    });
    const { store, signal } = context;
    const writing = { ...reportFormOf({ s3 }), database, store, signal };
    const routing = routingFormOf({ s3 });
    const { engine } = context;
    const rest = (judgement: JudgementReference) => ({
      ...(s3.writeReports ? { report: () => writeReport(judgement, writing) } : {}),
      ...(routing === undefined
        ? {}
        : {
            route: () => routeVerdict(judgement, { ...routing, database, store, engine, signal }),
          }),
    });
    if ('ended' in started) {
      return { ...(await endedBefore(database, started.ended)), ...rest(started.ended) };
    }
    const { held } = started;
    try {
      const { outcome } = await recordJudgement(held, {
        ...{ ...context, database, job },
        tells: notices.isOn,
      });
      if (outcome.status === 'finished') return { outcome, code: EXIT.ok, ...rest(held) };
      const standing = await standingVerdict(database, held);
      return { outcome, code: EXIT.noInput, ...(standing && { text: standing }) };
    } catch (error) {
      // The stream that the signal ended says no more than that it was.
      const why = textOf(signal.aborted ? signal.reason : error);
      // No job stands for it in the queue: it ends here, whatever is tried later.
      if (!(error instanceof JudgementLostError)) await noteEnd(database, held, why);
      throw error;
    }
  };
}

/** The database may be what has failed: then the listener's check of what nobody holds ends it. */
async function noteEnd(database: Database, held: HeldJudgement, reason: string): Promise<void> {
  await closeJudgement(database, held, 'error', reason).catch(() => false);
}

/** What a retried pod says whose predecessor died after the verdict. */
async function endedBefore(database: Database, reference: JudgementReference): Judged {
  const judgement = await findJudgement(database, reference);
  const ended = judgement?.verdict ?? judgement?.status ?? 'ended';
  return {
    outcome: undefined,
    text: `this invocation has judged it before: ${ended}`,
    code: judgement?.status === 'finished' ? EXIT.ok : EXIT.noInput,
  };
}

async function standingVerdict(
  database: Database,
  { runId }: JudgementReference,
): Promise<string | undefined> {
  const run = await findRun(database, runId);
  if (!run?.verdict) return undefined;
  return `the verdict of judgement ${run.verdictNumber} stands: ${run.verdict}`;
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || 'no reason given';
}
