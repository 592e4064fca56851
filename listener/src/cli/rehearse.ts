import { EXIT } from '@file-processing/contract/listener-interface.ts';
import type { RoutingSettings } from '@file-processing/contract/routing.ts';
import { readRulesLocation } from '@file-processing/contract/rule-set.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import { acceptedBefore, deliveredAt } from '../database/accepted-deliveries.ts';
import type { Database } from '../database/connection.ts';
import { compareSpecificity, matchesKey } from '../database/key-pattern.ts';
import { listMonitoringFiles, type MonitoringFile } from '../database/monitoring-files.ts';
import { referenceKeysOf } from '../database/reference-keys.ts';
import { planOf } from '../database/rules.ts';
import { listRuns, type Run } from '../database/runs.ts';
import { createEngine } from '../jobs/engine-ports.ts';
import type { JobContext, JobOutcome } from '../jobs/job.ts';
import { type MonitoredFile, mappingOf } from '../jobs/monitored-file.ts';
import { allowedRouting } from '../jobs/route-verdict.ts';
import { s3DataQualityJob } from '../jobs/s3-data-quality-job.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { restore } from '../privacy/withhold.ts';
import { findRules } from '../rules/location.ts';
import { placeOf } from '../rules/plan.ts';
import {
  type Defined,
  type RuleMonitoringFile,
  type RuleSet,
  RuleSetError,
  readRuleSet,
} from '../rules/rule-set.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openStore } from '../storage/open-store.ts';
import { requireAws } from './check.ts';
import { type Command, type CommandContext, UsageError } from './command-context.ts';
import { errorText, exitCodeOfError, exitCodeOfVerdict, mostSerious } from './exit-codes.ts';
import { interruptible } from './interruption.ts';
import { amount, printable, showProgress } from './report-text.ts';
import { readWholeSet } from './rules.ts';
import { withDatabase } from './with-database.ts';

/** Options of `rules rehearse`. */
export interface RehearseOptions {
  /** Of a rule set: on this machine, or `s3://bucket/prefix/` with a manifest as `manage rules-push` writes it. */
  readonly folder: string;
  /** As many deliveries of each monitored file, the last ones. */
  readonly last?: number;
  /** All deliveries from then on, in place of `last`. */
  readonly since?: Date;
  readonly json: boolean;
}

/** A verdict that would change. */
export interface VerdictChange {
  readonly runId: string;
  readonly key: string;
  /** When the delivery was first heard of. */
  readonly createdAt: Date;
  readonly from: Verdict;
  readonly to: Verdict;
  readonly faultsBefore: number | null;
  /** By the new rules; as a terminal may show it. */
  readonly report: QualityReport;
}

/** What came of the deliveries of one monitored file. */
export interface RehearsedFile {
  /** File of the rule set. */
  readonly file: string;
  readonly bucket: string;
  readonly keyPattern: string;
  /** Deliveries that have a verdict by the new rules too. */
  readonly judged: number;
  readonly gone: number;
  readonly replaced: number;
  /** That could not be read now, which is worth another try. */
  readonly unread: number;
  readonly changes: readonly VerdictChange[];
}

/** How long an interrupted rehearsal may take to end; it has nothing to write down. */
const GRACE_MS = 1_000;

/**
 * Judges the last deliveries of the monitored files of a rule set by its rules, and says which verdicts would change.
 * Nothing is recorded. Ends with 1 where a delivery that passed, or was warned of, would not any more.
 */
export const rehearseRules: Command<RehearseOptions> = (context, options) =>
  interruptible(GRACE_MS, (signal) => rehearse(context, options, signal));

async function rehearse(
  context: CommandContext,
  { folder, last, since, json }: RehearseOptions,
  signal: AbortSignal,
): Promise<number> {
  if ((last === undefined) === (since === undefined)) {
    throw new UsageError('one of --last and --since is needed');
  }
  const onThisMachine = isInS3(folder) ? undefined : await readWholeSet(folder);
  return withDatabase(context, async (database, config) => {
    if (config.s3.localRoot === undefined) await requireAws(config, { region: true });
    const store = openStore(config);
    const { maxFaults } = config;
    const parts = { store, engine: createEngine(config), maxFaults, signal };
    const codes: number[] = [];
    const files: RehearsedFile[] = [];
    let rules: RuleSet;
    try {
      rules = onThisMachine ?? (await readSetInS3(folder, store, signal));
      const rehearsal = await planRehearsal(database, rules, folder, allowedRouting(config));
      for (const file of rehearsal.files) {
        const deliveries = deliveriesOf(database, rehearsal, file, { last, since });
        const found = await rehearseFile(context, database, parts, file, deliveries, codes);
        files.push(found);
        if (!json) context.stdout.write(fileText(found));
      }
    } finally {
      store.close();
    }
    const total = totalOf(files);
    const { digest } = rules;
    context.stdout.write(
      json ? `${JSON.stringify({ digest, ...total, files }, null, 2)}\n` : totalText(total),
    );
    return mostSerious(codes);
  });
}

function isInS3(folder: string): boolean {
  return folder.startsWith('s3://');
}

/**
 * @throws {UsageError} for what is no such address
 * @throws {RuleSetError} also where nothing was pushed there, or not all of it
 */
async function readSetInS3(
  address: string,
  store: Pick<ObjectStore, 'open'>,
  signal: AbortSignal,
): Promise<RuleSet> {
  const location = readRulesLocation(address);
  if (location === undefined) {
    throw new UsageError(
      `${address} is not allowed; s3://BUCKET/PREFIX/ with a slash at its end is`,
    );
  }
  const found = await findRules(location, store, signal);
  return readRuleSet(address, await found.files(signal), expectationProblems);
}

/** A monitored file of the rule set with what its deliveries are judged by. */
interface FileToRehearse {
  readonly defined: Defined<RuleMonitoringFile>;
  readonly monitored: MonitoredFile;
}

interface Rehearsal {
  readonly files: readonly FileToRehearse[];
  /** Rows made by hand that stay in force beside the rule set. */
  readonly byHand: readonly { readonly bucket: string; readonly keyPattern: string }[];
}

/** @throws {RuleSetError} where the rule set could not be applied */
async function planRehearsal(
  database: Database,
  rules: RuleSet,
  folder: string,
  routing: RoutingSettings,
): Promise<Rehearsal> {
  const { faults, leftAlone } = await planOf(database, rules, routing);
  if (faults.length > 0) throw new RuleSetError(folder, faults);
  const stored = await listMonitoringFiles(database);
  const ids = new Map(stored.map((file) => [placeOf(file), file.id]));
  const left = new Set(leftAlone.map(({ name }) => name));
  const outdone = new Set(leftAlone.map(({ winsOver }) => winsOver));
  const files = rules.monitoringFiles
    .filter(({ file, value }) => value.active && !outdone.has(file))
    .flatMap((defined): FileToRehearse[] => {
      const mapping = mappingOf(rules.mappings, defined.value);
      if (mapping === undefined) return [];
      const { version = 0 } = mapping;
      const monitored = {
        // Undefined for one that is new: then no delivery was accepted before.
        monitoringFileId: ids.get(placeOf(defined.value)),
        client: defined.value.client,
        mapping: { ...mapping, version },
      };
      return [{ defined, monitored }];
    });
  return { files, byHand: stored.filter((file) => file.active && left.has(placeOf(file))) };
}

/** Runs of one page. */
const PAGE = 100;

/** The deliveries with a verdict that a monitored file would describe, newest first. */
async function* deliveriesOf(
  database: Database,
  { files, byHand }: Rehearsal,
  { defined: { value } }: FileToRehearse,
  {
    last = Infinity,
    since,
    clients,
  }: {
    readonly last?: number | undefined;
    readonly since?: Date | undefined;
    readonly clients?: readonly string[] | undefined;
  },
): AsyncGenerator<Run> {
  const { bucket, keyPattern } = value;
  const rivals = [...files.map(({ defined }) => defined.value), ...byHand]
    .filter((rival) => rival.bucket === bucket)
    .map((rival) => rival.keyPattern)
    .filter((rival) => compareSpecificity(rival, keyPattern) < 0);
  let left = last;
  let after: string | undefined;
  do {
    const runs = await listRuns(database, {
      ...{ bucket, key: keyPattern, judged: true, clients, limit: PAGE },
      ...(since === undefined ? {} : { since }),
      ...(after === undefined ? {} : { after }),
    });
    for (const run of runs) {
      if (rivals.some((rival) => matchesKey(rival, run.key))) continue;
      if (left === 0) return;
      left -= 1;
      yield run;
    }
    after = runs.length === PAGE ? runs.at(-1)?.id : undefined;
  } while (after !== undefined && left > 0);
}

/** What the deliveries are read and judged with. */
export type RehearsalParts = Pick<JobContext, 'store' | 'engine' | 'maxFaults' | 'signal'>;

/** What is rehearsed of one monitored file alone. */
export interface MappingRehearsal {
  /** As it is now. */
  readonly file: MonitoringFile;
  /** As an author writes it in a rule set: YAML or JSON. */
  readonly text: string;
  /** As many deliveries, the last ones. */
  readonly last: number;
  /** Only deliveries that somebody may see who is bound to clients. @default all */
  readonly clients?: readonly string[] | undefined;
}

/**
 * Judges the last deliveries of one monitored file by a mapping that is in no rule set yet; as `rules rehearse` does, nothing
 * is recorded.
 *
 * @throws {RuleSetError} where the text is not a mapping
 */
export async function rehearseMapping(
  database: Database,
  parts: RehearsalParts,
  { file, text, last, clients }: MappingRehearsal,
): Promise<RehearsedFile> {
  const name = 'mappings/new.yaml';
  const { mappings } = readRuleSet('the form', new Map([[name, text]]), expectationProblems);
  const [defined] = mappings;
  if (defined === undefined) {
    const fault = { file: name, path: '', message: 'is not a mapping' };
    throw new RuleSetError('the form', [fault]);
  }
  const { version = 0 } = defined.value;
  const { id: monitoringFileId, client } = file;
  const rehearsed: FileToRehearse = {
    defined: { file: name, value: file, placeOf: () => undefined },
    monitored: { monitoringFileId, client, mapping: { ...defined.value, version } },
  };
  const others = (await listMonitoringFiles(database)).filter(
    (other) => other.active && other.id !== file.id,
  );
  const rehearsal = { files: [rehearsed], byHand: others };
  const deliveries = deliveriesOf(database, rehearsal, rehearsed, { last, clients });
  const silent = { stderr: { write: () => undefined } };
  return rehearseFile(silent, database, parts, rehearsed, deliveries, []);
}

async function rehearseFile(
  context: Pick<CommandContext, 'stderr'>,
  database: Database,
  parts: RehearsalParts,
  { defined, monitored }: FileToRehearse,
  deliveries: AsyncIterable<Run>,
  codes: number[],
): Promise<RehearsedFile> {
  const counts = { judged: 0, gone: 0, replaced: 0, unread: 0 };
  const changes: VerdictChange[] = [];
  for await (const run of deliveries) {
    parts.signal.throwIfAborted();
    const name = printable(`${run.bucket}/${run.key}`);
    const progress = showProgress(name, context.stderr);
    try {
      const outcome = await s3DataQualityJob.run(referenceOf(run), {
        ...parts,
        findMonitoredFile: async () => monitored,
        acceptedBefore: async ({ monitoringFileId }, limit) =>
          monitoringFileId === undefined
            ? undefined
            : acceptedBefore(database, { monitoringFileId, runId: run.id, limit }),
        deliveredAt: () => deliveredAt(database, run.id),
        referenceKeys: ({ client }, wanted) => referenceKeysOf(database, client, wanted),
        onProgress: progress.update,
      });
      counts[outcome.status === 'finished' ? 'judged' : outcome.status] += 1;
      const change = changeOf(run, outcome);
      if (change !== undefined) {
        changes.push(change);
        if (isWorse(change)) codes.push(EXIT.bad);
      }
    } catch (error) {
      parts.signal.throwIfAborted();
      counts.unread += 1;
      codes.push(exitCodeOfError(error));
      context.stderr.write(`${name}: ${errorText(error)}`);
    } finally {
      progress.end();
    }
  }
  const { bucket, keyPattern } = defined.value;
  return { file: defined.file, bucket, keyPattern, ...counts, changes };
}

/** The state of the object that the run's verdict is about. */
function referenceOf({ bucket, key, versionId, eTag, sizeBytes }: Run) {
  return {
    ...{ bucket, key },
    ...(versionId === null ? {} : { versionId }),
    ...(eTag === null ? {} : { eTag }),
    ...(sizeBytes === null ? {} : { sizeBytes }),
  };
}

function changeOf(run: Run, outcome: JobOutcome): VerdictChange | undefined {
  if (outcome.status !== 'finished' || run.verdict === null) return undefined;
  const { id: runId, key, createdAt, verdict: from, faultCount: faultsBefore } = run;
  const to = outcome.report.verdict;
  if (to === from) return undefined;
  const report = restore(outcome, shownClasses(PLACES.terminal));
  return { runId, key, createdAt, from, to, faultsBefore, report };
}

function isWorse({ from, to }: VerdictChange): boolean {
  return exitCodeOfVerdict(from) === EXIT.ok && exitCodeOfVerdict(to) !== EXIT.ok;
}

function fileText(found: RehearsedFile): string {
  const { file, changes } = found;
  const lines = changes.flatMap(({ runId, key, createdAt, from, to, faultsBefore, report }) => [
    `  ${from} -> ${to}  ${createdAt.toISOString()}  ${key}  (faults: ${faultsBefore ?? '-'} -> ${report.faultCount}; run ${runId})`,
    ...report.reasons.map((reason) => `    ${reason}`),
  ]);
  const heading = `${file} (${placeOf(found)}): ${countsText({ ...found, changed: changes.length })}`;
  return [heading, ...lines].map((line) => `${printable(line)}\n`).join('');
}

/** What came of the deliveries of one file or of many. */
export type Total = Pick<RehearsedFile, 'judged' | 'gone' | 'replaced' | 'unread'> & {
  readonly changed: number;
};

function totalOf(files: readonly RehearsedFile[]): Total {
  const sum = (count: (file: RehearsedFile) => number) =>
    files.reduce((total, file) => total + count(file), 0);
  return {
    judged: sum(({ judged }) => judged),
    changed: sum(({ changes }) => changes.length),
    gone: sum(({ gone }) => gone),
    replaced: sum(({ replaced }) => replaced),
    unread: sum(({ unread }) => unread),
  };
}

/** What came of it, for a reader. */
export function countsText({ judged, changed, gone, replaced, unread }: Total): string {
  const others = Object.entries({ gone, replaced, 'not readable': unread })
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `, ${count} ${name}`);
  if (judged === 0 && others.length === 0) return 'no deliveries';
  return `${judged} judged again, ${amount(changed, 'verdict')} would change${others.join('')}`;
}

function totalText(total: Total): string {
  return `in all: ${countsText(total)}; nothing was recorded\n`;
}
