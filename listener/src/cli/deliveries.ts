import { EXIT } from '@file-processing/contract/listener-interface.ts';
import type { Database } from '../database/connection.ts';
import { listMonitoringFiles, type MonitoringFile } from '../database/monitoring-files.ts';
import {
  countPeriods,
  type HistorySelection,
  hasPeriod,
  type JudgedDelivery,
  judgedDeliveries,
  type ListedPeriod,
  listPeriods,
  type PeriodFilter,
} from '../database/periods.ts';
import { placeOf } from '../rules/plan.ts';
import { wallText, wallTimeAt } from '../schedule/time-zone.ts';
import { PERIOD_STATES, type PeriodState } from '../schedule/transitions.ts';
import { type Command, type CommandContext, UsageError } from './command-context.ts';
import { namesText, printable, tableText } from './report-text.ts';
import { requireClient } from './runs.ts';
import { withDatabase } from './with-database.ts';

/** Options of `deliveries`. */
export interface DeliveriesOptions extends Omit<PeriodFilter, 'monitoringFileId'> {
  /** A monitored file: its id, or bucket and pattern. */
  readonly file?: string;
  readonly json: boolean;
}

/** Lists what was due, what is expected now, and what became of it, a page at a time. */
export const deliveries: Command<DeliveriesOptions> = (context, { file, json, ...filter }) =>
  withDatabase(context, async (database) => {
    await requireClient(database, filter);
    const { after, limit = 50, ...rest } = filter;
    if (rest.set !== undefined) await requireSet(database, rest.set);
    if (after !== undefined && !(await hasPeriod(database, { id: after }))) {
      throw new UsageError(`there is no period ${after}; see deliveries`);
    }
    const selection = {
      ...rest,
      ...(file === undefined ? {} : { monitoringFileId: (await fileNamed(database, file)).id }),
    };
    const periods = await listPeriods(database, {
      ...selection,
      ...{ limit, ...(after === undefined ? {} : { after }) },
    });
    const counts = await countPeriods(database, selection);
    context.stdout.write(
      json
        ? `${JSON.stringify({ counts, periods }, null, 2)}\n`
        : periodsText(periods, counts, limit),
    );
    return EXIT.ok;
  });

/** Of states that say nothing of the verdict, though their names sound as if they did. */
const MEANING: Partial<Readonly<Record<PeriodState, string>>> = {
  recovered: ' (came after it was missing)',
  corrected: ' (another verdict than before, better or worse)',
};

function periodsText(
  periods: readonly ListedPeriod[],
  counts: Awaited<ReturnType<typeof countPeriods>>,
  limit: number,
): string {
  const last = periods.at(-1);
  if (last === undefined)
    return 'no periods: only monitored files and sets with a schedule have them\n';
  const rows = periods.map((period) => [
    period.name,
    `${wallText(wallTimeAt(period.dueAt.getTime(), period.timeZone))} ${period.timeZone}`,
    period.state,
    period.verdict ?? '-',
    period.deliveredAt?.toISOString() ?? '-',
    period.runId ?? '-',
    printable(period.client),
    printable(period.file ?? `set ${period.set}`),
  ]);
  const titles = ['period', 'due', 'state', 'verdict', 'delivered', 'run', 'client', 'file or set'];
  const found = PERIOD_STATES.filter((state) => counts[state] !== undefined);
  const in_ = found.map((state) => `${counts[state]} ${state}${MEANING[state] ?? ''}`).join(', ');
  const next = periods.length === limit ? `; the next ones: --after ${last.id}` : '';
  return `${tableText(titles, rows)}periods: ${in_}${next}\n`;
}

/** @throws {UsageError} where no schedule names the set, and none did when something was due */
async function requireSet(database: Database, set: string): Promise<void> {
  if (await hasPeriod(database, { set_name: set })) return;
  const sets = (await listMonitoringFiles(database)).flatMap(({ schedule }) => schedule?.set ?? []);
  if (!sets.includes(set)) throw new UsageError(`no set is ${set}; known: ${namesText(sets)}`);
}

/** @throws {UsageError} where there is none */
async function fileNamed(database: Database, name: string): Promise<MonitoringFile> {
  const files = await listMonitoringFiles(database);
  const found = files.find((file) => `${file.id}` === name || placeOf(file) === name);
  if (found !== undefined) return found;
  throw new UsageError(`there is no monitored file ${name}; see rules list`);
}

/** Options of `history`. */
export interface HistoryOptions extends Omit<HistorySelection, 'monitoringFileId'> {
  /** A monitored file: its id, or bucket and pattern. */
  readonly file: string;
  readonly csv: boolean;
  readonly json: boolean;
}

/** Rows of a table that a person reads. */
const SHOWN = 50;

/** Shows the deliveries of a monitored file with their verdicts, or exports them. */
export const history: Command<HistoryOptions> = (context, { file, csv, json, ...selection }) => {
  if (csv && json) throw new UsageError('one of --csv and --json is possible');
  return withDatabase(context, async (database) => {
    const { id } = await fileNamed(database, file);
    const limit = selection.limit ?? (csv || json ? undefined : SHOWN);
    const pages = judgedDeliveries(database, {
      ...{ ...selection, monitoringFileId: id },
      ...(limit === undefined ? {} : { limit }),
    });
    if (json) await writeJson(context, pages);
    else if (csv) await writeCsv(context, pages);
    else await writeTable(context, pages);
    return EXIT.ok;
  });
};

/** The columns of a history, in their order. Seconds are those from the delivery to the verdict, and of the judgement. */
const HISTORY_COLUMNS = {
  period: ({ period }) => period,
  delivered_at: ({ deliveredAt }) => deliveredAt.toISOString(),
  verdict: ({ verdict }) => verdict,
  stands: ({ stands }) => stands,
  rows: ({ rowCount }) => rowCount,
  bytes: ({ byteCount }) => byteCount,
  faults: ({ faultCount }) => faultCount,
  judged_at: ({ finishedAt }) => finishedAt.toISOString(),
  seconds_to_verdict: ({ deliveredAt, finishedAt }) => seconds(deliveredAt, finishedAt),
  seconds_of_judgement: ({ startedAt, finishedAt }) => seconds(startedAt, finishedAt),
  asked_by: ({ askedBy }) => askedBy,
  mapping: ({ mappingName, mappingVersion }) =>
    mappingName === null ? null : `${mappingName} ${mappingVersion}`,
  run: ({ runId }) => runId,
  judgement: ({ number }) => number,
  version: ({ versionId }) => versionId,
  key: ({ key }) => key,
} satisfies Readonly<
  Record<string, (delivery: JudgedDelivery) => string | number | boolean | null>
>;

const NAMES = Object.keys(HISTORY_COLUMNS) as (keyof typeof HISTORY_COLUMNS)[];

function seconds(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}

type Pages = AsyncIterable<readonly JudgedDelivery[]>;

async function writeJson({ stdout }: CommandContext, pages: Pages): Promise<void> {
  let separator = '[\n';
  for await (const page of pages) {
    for (const delivery of page) {
      const entries = NAMES.map((name) => [name, HISTORY_COLUMNS[name](delivery)]);
      stdout.write(`${separator}${JSON.stringify(Object.fromEntries(entries))}`);
      separator = ',\n';
    }
  }
  stdout.write(separator === '[\n' ? '[]\n' : '\n]\n');
}

async function writeCsv({ stdout }: CommandContext, pages: Pages): Promise<void> {
  stdout.write(`${NAMES.join(',')}\r\n`);
  for await (const page of pages) {
    for (const delivery of page) {
      stdout.write(`${NAMES.map((name) => cell(HISTORY_COLUMNS[name](delivery))).join(',')}\r\n`);
    }
  }
}

/** As RFC 4180 has it. Senders name their files: a text that a spreadsheet would work out begins with an apostrophe. */
function cell(value: string | number | boolean | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function writeTable({ stdout }: CommandContext, pages: Pages): Promise<void> {
  const rows: string[][] = [];
  for await (const page of pages) {
    for (const delivery of page) {
      rows.push([
        delivery.deliveredAt.toISOString(),
        delivery.period ?? '-',
        `${delivery.verdict}${delivery.stands ? '' : ' (replaced)'}`,
        `${delivery.rowCount}`,
        `${delivery.faultCount}`,
        `${seconds(delivery.startedAt, delivery.finishedAt)}`,
        delivery.runId,
        printable(delivery.key),
      ]);
    }
  }
  const titles = ['delivered', 'period', 'verdict', 'rows', 'faults', 'seconds', 'run', 'key'];
  stdout.write(rows.length === 0 ? 'no deliveries\n' : tableText(titles, rows));
}
