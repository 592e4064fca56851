import { EXIT } from '@file-processing/contract/listener-interface.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { Database } from '../database/connection.ts';
import { type Judgement, judgementsOf } from '../database/judgements.ts';
import { findRun, listRuns, type Run, type RunFilter, runIdsNamed } from '../database/runs.ts';
import { type Command, UsageError } from './command-context.ts';
import { printable, reportText } from './report-text.ts';
import { withDatabase } from './with-database.ts';

/** Options of `runs list`. */
export interface ListOptions extends RunFilter {
  readonly json: boolean;
}

/** Lists runs, newest first. */
export const list: Command<ListOptions> = (context, { json, ...filter }) =>
  withDatabase(context, async (database) => {
    const runs = await listRuns(database, filter);
    context.stdout.write(json ? `${JSON.stringify(runs, null, 2)}\n` : table(runs));
    return EXIT.ok;
  });

/** Options of `runs show`. */
export interface ShowOptions {
  /** An id, its first 8 characters or more, or `latest`. */
  readonly id: string;
  readonly json: boolean;
}

/** Shows one run with its report. */
export const show: Command<ShowOptions> = (context, { id, json }) =>
  withDatabase(context, async (database) => {
    const found = await findRun(database, await runIdOf(database, id));
    if (found === undefined) throw noRun(id);
    const { report, ...run } = found;
    const judgements = await judgementsOf(database, run.id);
    if (json) {
      context.stdout.write(`${JSON.stringify({ ...run, judgements, report }, null, 2)}\n`);
      return EXIT.ok;
    }
    const fields = Object.entries(run)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${printable(shown(value))}\n`);
    context.stdout.write(fields.join(''));
    // One is what the fields above say.
    if (judgements.length > 1) {
      context.stdout.write(`\njudgements:\n${judgements.map(judgementLine).join('')}`);
    }
    if (report !== null) {
      // The column holds what inspectCsv made.
      context.stdout.write(`\n${reportText(run.key, report as unknown as QualityReport)}`);
    }
    return EXIT.ok;
  });

async function runIdOf(database: Database, name: string): Promise<string> {
  const [id, ...others] = await runIdsNamed(database, name);
  if (id === undefined) throw noRun(name);
  if (others.length === 0) return id;
  throw new UsageError(`more than one run begins with ${name}: ${[id, ...others].join(', ')}`);
}

function judgementLine(judgement: Judgement): string {
  const { number, askedBy, reason, status, verdict, error, createdAt, mappingName } = judgement;
  const deleted =
    judgement.detailsDeletedAt === null ? undefined : 'report and error deleted for their age';
  const mapping = mappingName === null ? undefined : `${mappingName} ${judgement.mappingVersion}`;
  const parts = [
    `${number}`,
    createdAt.toISOString(),
    verdict ?? status,
    `asked by ${askedBy}`,
    ...[reason, mapping, error, deleted].filter((part) => typeof part === 'string'),
  ];
  return `  ${printable(parts.join('  '))}\n`;
}

function noRun(name: string): UsageError {
  return new UsageError(`there is no run ${name}; see runs list`);
}

function table(runs: readonly Run[]): string {
  if (runs.length === 0) return 'no runs\n';
  const rows = runs.map((run) => [
    run.id,
    run.createdAt.toISOString(),
    run.status,
    run.verdict ?? '-',
    `${run.rowCount ?? '-'}`,
    `${run.faultCount ?? '-'}`,
    printable(`${run.bucket}/${run.key}`),
  ]);
  const head = ['id', 'created', 'status', 'verdict', 'rows', 'faults', 'object'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function shown(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}
