import { EXIT } from '@file-processing/contract/listener-interface.ts';
import type { Database } from '../database/connection.ts';
import { type Judgement, judgementsOf } from '../database/judgements.ts';
import { mappingVersions } from '../database/mappings.ts';
import { listMonitoringFiles, namesOfClients } from '../database/monitoring-files.ts';
import { recordAct } from '../database/privacy-events.ts';
import type { RoutingAct } from '../database/routing.ts';
import {
  countRuns,
  findRun,
  findRuns,
  listRunIds,
  listRuns,
  type Run,
  type RunFilter,
  type RunSelection,
  type RunStatus,
  runIdsNamed,
} from '../database/runs.ts';
import { VERDICT_TAG } from '../jobs/routing-decision.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { storedReport, WITHHELD_CLASSES } from '../privacy/withhold.ts';
import { type RetryRequest, retryRuns } from '../queue/dead-letters.ts';
import type { Queue } from '../queue/queue.ts';
import { idsIn } from '../tracing/tracing.ts';
import { type Command, type CommandContext, UsageError } from './command-context.ts';
import {
  amount,
  COUNT_AT_MOST,
  countText,
  namesText,
  printable,
  reportText,
  tableText,
} from './report-text.ts';
import { withDatabase, withQueue } from './with-database.ts';

/** Options of `runs list`. */
export interface ListOptions extends RunFilter {
  readonly json: boolean;
}

/** Lists runs, newest first, a page at a time. */
export const list: Command<ListOptions> = (context, { json, ...filter }) =>
  withDatabase(context, async (database) => {
    const { after, limit, ...selection } = filter;
    await requireClient(database, selection);
    const page = {
      ...filter,
      ...(after === undefined ? {} : { after: await runIdOf(database, after) }),
    };
    const runs = await listRuns(database, page);
    if (json) {
      context.stdout.write(`${JSON.stringify(runs, null, 2)}\n`);
      return EXIT.ok;
    }
    const isAll = after === undefined && runs.length < (limit ?? 0);
    const all = isAll ? runs.length : await countRuns(database, selection, COUNT_AT_MOST);
    context.stdout.write(runsText(runs, all, limit));
    return EXIT.ok;
  });

/**
 * Refuses a client of no active monitored file: a name that is written wrong would find no run.
 *
 * @throws {UsageError}
 */
export async function requireClient(database: Database, { client }: RunSelection): Promise<void> {
  if (client === undefined || (await namesOfClients(database, [client])).length > 0) return;
  const files = await listMonitoringFiles(database);
  const known = namesText(files.filter(({ active }) => active).map((file) => file.client));
  throw new UsageError(`no active monitored file is of client ${client}; known: ${known}`);
}

/** Options of `runs show`. */
export interface ShowOptions {
  /** An id, its first 8 characters or more, or `latest`. */
  readonly id: string;
  readonly json: boolean;
  /** Shows sensitive values, which is recorded with the two below. */
  readonly reveal?: boolean;
  readonly reason?: string;
  readonly by?: string;
}

/** Shows one run with its report. */
export const show: Command<ShowOptions> = (
  context,
  { id, json, reveal = false, reason, by = '' },
) => {
  if (reveal !== (reason !== undefined)) throw new UsageError('--reveal and --reason go together');
  return withDatabase(context, async (database) => {
    const found = await findRun(database, await runIdOf(database, id));
    if (found === undefined) throw new UsageError(noRun(id));
    const { report: _report, withheld: _withheld, ...run } = found;
    if (reason !== undefined) {
      const subject = { runId: run.id, judgement: run.verdictNumber };
      await recordAct(database, { act: 'reveal', actor: by, via: 'command', reason, subject });
    }
    const report = storedReport(found, reveal ? WITHHELD_CLASSES : shownClasses(PLACES.database));
    const judgements = await judgementsOf(database, run.id);
    if (json) {
      context.stdout.write(`${JSON.stringify({ ...run, judgements, report }, null, 2)}\n`);
      return EXIT.ok;
    }
    // First what everybody asks for: verdict, diagnosis, faults.
    if (report !== null) context.stdout.write(`${reportText(run.key, report)}\n`);
    context.stdout.write(runText(run));
    // One alone is what the fields above say, unless its line has something more.
    if (judgements.length > 1 || judgements.some(hasMore)) {
      context.stdout.write(`\njudgements:\n${judgements.map(judgementLine).join('')}`);
    }
    return EXIT.ok;
  });
};

/** A run in lines of a name and what belongs together; what is not known is left out. */
function runText(run: Run): string {
  const { verdict, rules, rowCount, byteCount, faultCount } = run;
  const said = (name: string, value: string | number | null) =>
    value === null ? '' : `${name} ${value}`;
  const at = (name: string, time: Date | null) => said(name, time?.toISOString() ?? null);
  const counted = [
    rowCount !== null && amount(rowCount, 'row'),
    byteCount !== null && amount(byteCount, 'byte'),
    faultCount !== null && amount(faultCount, 'fault'),
  ];
  const lines: Readonly<Record<string, readonly (string | null | false)[]>> = {
    run: [run.id, at('recorded', run.createdAt)],
    object: [
      `${run.bucket}/${run.key}`,
      ...[said('version', run.versionId), said('ETag', run.eTag)],
      run.sizeBytes !== null && amount(run.sizeBytes, 'byte'),
    ],
    event: [
      ...[run.eventName, at('at', run.eventTime), run.awsRegion],
      ...[said('sequencer', run.sequencer), said('message', run.messageId)],
    ],
    status: [
      ...[run.status, `judgement ${run.number}`, `asked by ${run.askedBy}`],
      ...[amount(run.attempts, 'attempt'), at('started', run.startedAt)],
      at('ended', run.finishedAt),
    ],
    error: [run.error],
    verdict: [verdict, said('of judgement', run.verdictNumber), at('at', run.verdictAt)],
    rules: [rules, said('of monitored file', run.monitoringFileId)],
    counted,
    'SHA-256': [run.sha256],
    report: [run.reportKey],
  };
  return Object.entries(lines)
    .map(([name, parts]) => [name, parts.filter(Boolean).join(', ')] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${`${name}:`.padEnd(9)}${printable(text)}\n`)
    .join('');
}

/**
 * The run that a short name stands for.
 *
 * @param missing what is said where there is none
 * @throws {UsageError} where there is none, or more than one
 */
export async function runIdOf(
  database: Database,
  name: string,
  missing = noRun(name),
): Promise<string> {
  const [id, ...others] = await runIdsNamed(database, name);
  if (id === undefined) throw new UsageError(missing);
  if (others.length === 0) return id;
  throw new UsageError(`more than one run begins with ${name}: ${[id, ...others].join(', ')}`);
}

/** Who asked said why, somebody has settled it, its report was deleted, or its file was routed. */
function hasMore({ reason, settledAt, detailsDeletedAt, routing }: Judgement): boolean {
  return [reason, settledAt, detailsDeletedAt, routing].some((one) => one !== null);
}

function judgementLine(judgement: Judgement): string {
  const { number, askedBy, reason, status, verdict, error, createdAt, mappingName } = judgement;
  const settled =
    judgement.settledReason === null ? undefined : `settled: ${judgement.settledReason}`;
  const deleted =
    judgement.detailsDeletedAt === null ? undefined : 'report and error deleted for their age';
  const mapping = mappingName === null ? undefined : `${mappingName} ${judgement.mappingVersion}`;
  const traceId = idsIn(judgement.traceparent)?.traceId;
  const trace = traceId === undefined ? undefined : `trace ${traceId}`;
  const parts = [
    `${number}`,
    createdAt.toISOString(),
    verdict ?? status,
    `asked by ${askedBy}`,
    ...[reason, mapping, error, deleted, settled, trace].filter((part) => typeof part === 'string'),
  ];
  const lines = [`  ${parts.join('  ')}`, ...(judgement.routing ?? []).map(actLine)];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function actLine(act: RoutingAct): string {
  const what = act.act === 'tag' ? `${VERDICT_TAG}=${act.value}` : `${act.bucket}/${act.key}`;
  const note = act.note === undefined ? '' : `: ${act.note}`;
  return `    ${act.act}  ${act.outcome ?? 'waiting'}  ${what}${note}`;
}

function noRun(name: string): string {
  return `there is no run ${name}; see runs list`;
}

function runsText(runs: readonly Run[], all: number, limit: number | undefined): string {
  const last = runs.at(-1);
  if (last === undefined) return all === 0 ? 'no runs\n' : 'no more runs\n';
  const rows = runs.map((run) => [
    run.id,
    run.createdAt.toISOString(),
    run.status,
    run.verdict ?? '-',
    run.rules ?? '-',
    `${run.rowCount ?? '-'}`,
    `${run.faultCount ?? '-'}`,
    printable(`${run.bucket}/${run.key}`),
  ]);
  const titles = ['id', 'created', 'status', 'verdict', 'rules', 'rows', 'faults', 'object'];
  const next = runs.length === limit && all > limit ? `; the next ones: --after ${last.id}` : '';
  return `${tableText(titles, rows)}runs: ${countText(runs.length, all)}${next}\n`;
}

/** Options of `runs retry`. */
export interface RetryOptions extends RunSelection {
  /** Ids, or their first 8 characters; none where runs are selected. */
  readonly ids: readonly string[];
  readonly reason: string;
  /** Counts, and asks for nothing. */
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Asks for another judgement of runs whose last one ended without a verdict. */
export const retry: Command<RetryOptions> = (
  context,
  { ids, reason, dryRun, json, ...selection },
) => {
  const { status, since } = selection;
  if (ids.length > 0 && Object.keys(selection).length > 0) {
    throw new UsageError('either ids or options that select runs are needed, not both');
  }
  if (ids.length === 0 && (status === undefined || since === undefined)) {
    throw new UsageError('ids are needed, or --status and --since');
  }
  return withQueue(context, async (database, queue) => {
    await requireClient(database, selection);
    const found = ids.length === 0 ? selection : await failedOf(database, ids);
    const count = dryRun
      ? await countOf(database, found)
      : await askAgain(database, queue, found, retryRequest(reason));
    const left = ids.length > 0 ? new Set(ids).size - count : 0;
    showAsked(context, { count, left, why: 'judged, or waiting already', dryRun, json });
    return EXIT.ok;
  });
};

/** Options of `runs rejudge`. */
export interface RejudgeOptions extends RunSelection {
  readonly reason: string;
  /** Counts, and asks for nothing. */
  readonly dryRun: boolean;
  readonly json: boolean;
}

/**
 * Asks for another judgement of runs whose verdict stands and was made by a mapping, or by none. The same reason a
 * second time asks for none of them twice.
 */
export const rejudge: Command<RejudgeOptions> = (
  context,
  { reason, dryRun, json, ...selection },
) => {
  const { mapping, unmonitored } = selection;
  if ((mapping === undefined) === (unmonitored !== true)) {
    throw new UsageError('one of --mapping and --unmonitored is needed');
  }
  if (selection.since === undefined) throw new UsageError('--since is needed');
  return withQueue(context, async (database, queue) => {
    if (mapping) await requireMapping(database, mapping);
    await requireClient(database, selection);
    const all = { ...selection, ended: true, notAskedFor: reason };
    // By no rules at all they would get another verdict for that alone.
    const found = { ...all, described: mapping !== undefined };
    const left = (await countOf(database, all)) - (await countOf(database, found));
    const count = dryRun
      ? await countOf(database, found)
      : await rejudgeRuns(database, queue, found, reason);
    const why = 'no monitored file describes them any more';
    showAsked(context, { count, left, why, dryRun, json });
    return EXIT.ok;
  });
};

function retryRequest(reason: string): RetryRequest {
  return { askedBy: 'operator', reason };
}

/** As `runs retry` of some ids: those that have not ended with a verdict. @returns how many wait now and did not before */
export async function retryFailed(
  database: Database,
  queue: Queue,
  ids: readonly string[],
  reason: string,
): Promise<number> {
  return askAgain(database, queue, await failedOf(database, ids), retryRequest(reason));
}

/** As `runs rejudge`: the same reason a second time asks for none of them twice. @returns how many wait now and did not before */
export async function rejudgeRuns(
  database: Database,
  queue: Queue,
  runs: Runs,
  reason: string,
): Promise<number> {
  const request = { askedBy: 'rule_change', reason, onlyOnce: true } as const;
  return askAgain(database, queue, runs, { ...request, isBackfill: true });
}

async function requireMapping(
  database: Database,
  { name, version }: NonNullable<RunSelection['mapping']>,
): Promise<void> {
  const versions = await mappingVersions(database, name);
  if (version === undefined ? versions.length > 0 : versions.includes(version)) return;
  const known = versions.length === 0 ? '' : `; versions: ${versions.join(', ')}`;
  throw new UsageError(
    `there is no mapping ${name}${version === undefined ? '' : ` version ${version}`}${known}`,
  );
}

/** Those of some runs that have not ended with a verdict. */
async function failedOf(database: Database, names: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push(await runIdOf(database, name));
  const runs = await findRuns(database, ids);
  return runs.filter(({ status }) => FAILED.includes(status)).map(({ id }) => id);
}

/** How a judgement ends that has no verdict. */
const FAILED: readonly RunStatus[] = ['error', 'gone', 'replaced'];

/** Runs by their ids, or by what they have in common. */
export type Runs = readonly string[] | RunSelection;

async function countOf(database: Database, runs: Runs): Promise<number> {
  return 'length' in runs ? runs.length : countRuns(database, runs);
}

/** Runs of one transaction: a worker waits for no more than these. */
export const RUNS_AT_ONCE = 300;

/** @returns how many runs wait now and did not before */
async function askAgain(
  database: Database,
  queue: Queue,
  runs: Runs,
  request: RetryRequest,
): Promise<number> {
  let asked = 0;
  for await (const ids of pagesOf(database, runs)) {
    asked += (await retryRuns(database, queue, ids, request)).length;
  }
  return asked;
}

/** Each run once, also where another one fails or comes meanwhile. */
async function* pagesOf(database: Database, runs: Runs): AsyncGenerator<readonly string[]> {
  if ('length' in runs) {
    for (let start = 0; start < runs.length; start += RUNS_AT_ONCE) {
      yield runs.slice(start, start + RUNS_AT_ONCE);
    }
    return;
  }
  let after: string | undefined;
  do {
    const page = { ...runs, limit: RUNS_AT_ONCE, ...(after === undefined ? {} : { after }) };
    const ids = await listRunIds(database, page);
    yield ids;
    after = ids.length === RUNS_AT_ONCE ? ids.at(-1) : undefined;
  } while (after !== undefined);
}

function showAsked(
  { stdout }: CommandContext,
  {
    count,
    left,
    why,
    dryRun,
    json,
  }: {
    readonly count: number;
    readonly left: number;
    /** What is said of those that are left alone. */
    readonly why: string;
    readonly dryRun: boolean;
    readonly json: boolean;
  },
): void {
  if (json) {
    stdout.write(`${JSON.stringify({ runs: count, left, dryRun })}\n`);
    return;
  }
  const are = count === 1 ? 'is' : 'are';
  const note = left > 0 ? `; ${left} left alone: ${why}` : '';
  stdout.write(`${amount(count, 'run')} ${dryRun ? 'would be' : are} judged again${note}\n`);
}
