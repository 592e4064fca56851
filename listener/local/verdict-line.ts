import { printable } from '../src/cli/report-text.ts';
import { PERIOD_STATES } from '../src/schedule/transitions.ts';

/** The line of the listener's log that ends a run. */
export interface FinishedRun {
  readonly runId: string;
  readonly bucket: string;
  readonly key: string;
  readonly eTag: string | null;
  readonly text: string;
}

/** One line for a verdict. */
export interface VerdictLine {
  readonly name: string;
  readonly runId: string;
  readonly status: string;
  readonly verdict?: string | null;
  readonly rows?: number | null;
  readonly faults?: number | null;
  readonly faultCounts?: Readonly<Record<string, number>>;
  /** What explains most of the faults, as a sentence. */
  readonly diagnosis?: string;
  readonly remark?: string;
}

/** Reads a line of the log; undefined for one that ends no run. */
export function finishedRun(line: Readonly<Record<string, unknown>>): FinishedRun | undefined {
  const { msg, runId, bucket, key, eTag } = line;
  if (msg !== 'run finished' || typeof runId !== 'string') return undefined;
  if (typeof bucket !== 'string' || typeof key !== 'string') return undefined;
  const text = verdictLine({
    name: `${bucket}/${key}`,
    runId,
    status: String(line.status),
    verdict: textOrNothing(line.verdict),
    rows: numberOrNothing(line.rows),
    faults: numberOrNothing(line.faults),
    faultCounts: isCounts(line.faultCounts) ? line.faultCounts : undefined,
    diagnosis: textOrNothing(line.diagnosis),
    remark: textOrNothing(line.reason) ?? (line.monitored === false ? 'rules: none' : undefined),
  });
  return { runId, bucket, key, eTag: typeof eTag === 'string' ? eTag : null, text };
}

/** Another line of the log, such as `listener: states of deliveries changed: 1 late`. */
export function logLine(line: Readonly<Record<string, unknown>>): string {
  const { msg, err, acts } = line;
  const failure = typeof err === 'object' && err !== null && 'message' in err ? [err.message] : [];
  const states = PERIOD_STATES.flatMap((state) =>
    typeof line[state] === 'number' ? [`${line[state]} ${state}`] : [],
  );
  const notes = (Array.isArray(acts) ? acts : []).flatMap(({ note }) => note ?? []);
  const details = [...failure, ...states, ...new Set(notes)].map((one) => printable(String(one)));
  return `listener: ${String(msg)}${details.length === 0 ? '' : `: ${details.join(', ')}`}`;
}

/** Such as `FAILED  bucket/key: 12 rows, 2 faults (2 type-error) [run 8a6c31f0] Numbers have a decimal comma.`. */
export function verdictLine(line: VerdictLine): string {
  const { name, runId, status, verdict, rows, faults, faultCounts, diagnosis, remark } = line;
  const parts = [
    typeof rows === 'number' ? counted(rows, 'row') : undefined,
    typeof faults === 'number' ? `${counted(faults, 'fault')}${kinds(faultCounts)}` : undefined,
    remark,
  ].filter((part) => part !== undefined);
  const details = parts.length === 0 ? '' : `: ${parts.join(', ')}`;
  const why = diagnosis === undefined ? '' : ` ${printable(diagnosis)}`;
  return `${(verdict ?? status).toUpperCase().padEnd(10)} ${printable(name)}${details} [run ${shortRunId(runId)}]${why}`;
}

/** Enough of it for `runs show`. */
export function shortRunId(runId: string): string {
  return runId.slice(0, 8);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function kinds(counts: Readonly<Record<string, number>> | undefined): string {
  const entries = Object.entries(counts ?? {});
  if (entries.length === 0) return '';
  return ` (${entries.map(([type, count]) => `${count} ${type}`).join(', ')})`;
}

function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  return typeof value === 'object' && value !== null;
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOrNothing(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
