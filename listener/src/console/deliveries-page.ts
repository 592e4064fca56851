import { VERDICTS, type Verdict } from '@file-processing/quality/verdict.ts';
import { amount, countText } from '../cli/report-text.ts';
import { JUDGEMENT_STATUSES, type Progress, progressOf } from '../database/judgements.ts';
import { listMonitoringFiles } from '../database/monitoring-files.ts';
import { type ListedPeriod, listPeriods } from '../database/periods.ts';
import { countRuns, listRuns, type Run, type RunSelection } from '../database/runs.ts';
import { type Html, html } from './html.ts';
import { periodTable } from './period-table.ts';
import type { Visit } from './rights.ts';

/** Deliveries on one page. */
export const ON_A_PAGE = 50;

/** A page counts no further than this: what selects by a pattern has to read each key that may fit. */
const COUNTED = 1_000;

/** Late periods that are listed, and missing ones. */
const OVERDUE = 10;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** What the form of the page selects by, as its address has it. */
export type DeliveryQuery = Readonly<
  Partial<Record<'verdict' | 'status' | 'client' | 'key' | 'since' | 'after', string>>
>;

/** The selection that an address asks for; what no list has is left out. Keys without a star are their beginning. */
export function selectionOf(query: DeliveryQuery): RunSelection {
  const { verdict, status, since } = query;
  // PostgreSQL's texts have no NUL.
  const [client, key] = [query.client, query.key].map((text) => text?.replaceAll('\0', ''));
  const known = <T extends string>(all: readonly T[], value: string | undefined) =>
    all.find((one) => one === value);
  const [chosenVerdict, chosenStatus] = [
    known(VERDICTS, verdict),
    known(JUDGEMENT_STATUSES, status),
  ];
  const day = since !== undefined && DAY.test(since) ? new Date(`${since}T00:00:00Z`) : undefined;
  return {
    ...(chosenVerdict === undefined ? {} : { verdict: chosenVerdict }),
    ...(chosenStatus === undefined ? {} : { status: chosenStatus }),
    ...(client ? { client } : {}),
    ...(key ? (key.includes('*') ? { key } : { keyPrefix: key }) : {}),
    ...(day === undefined || Number.isNaN(day.getTime()) ? {} : { since: day }),
  };
}

/** The deliveries that an address asks for, newest first. @param now for their age */
export async function deliveriesPage(
  { database, viewer: { clients }, query }: Pick<Visit, 'database' | 'viewer' | 'query'>,
  now = new Date(),
): Promise<Html> {
  const selection = { ...selectionOf(query), clients };
  const after = UUID.test(query.after ?? '') ? { after: query.after as string } : {};
  const isFirst = query.after === undefined;
  const overdue = (state: 'late' | 'missing') =>
    isFirst
      ? listPeriods(database, {
          ...{ state, clients },
          limit: OVERDUE,
          ...(selection.client ? { client: selection.client } : {}),
        })
      : [];
  const [missing, late, runs, all, files] = await Promise.all([
    overdue('missing'),
    overdue('late'),
    listRuns(database, { ...selection, ...after, limit: ON_A_PAGE + 1 }),
    countRuns(database, selection, COUNTED + 1),
    listMonitoringFiles(database, clients),
  ]);
  const shown = runs.slice(0, ON_A_PAGE);
  const choices = new Set(files.filter(({ active }) => active).map((file) => file.client));
  const pending = shown.filter(({ status }) => status === 'queued' || status === 'running');
  const progress = await progressOf(
    database,
    pending.map(({ id }) => id),
  );
  const isNewest = !Object.values(query).some(Boolean);
  const more = runs.length > ON_A_PAGE ? shown.at(-1) : undefined;
  return html`<header><h1>Deliveries</h1></header>
<main>
${overdueSection([...late, ...missing])}
${filterForm(query, [...choices].sort())}
<p id="count">${shown.length === 0 ? 'There are none.' : `${countText(shown.length, all, COUNTED)}, newest first`}</p>
${(shown.length > 0 || isNewest) && runTable(shown, now, progress, isNewest)}
<nav aria-label="Pages">
${query.after !== undefined && html`<a href="${addressOf({ ...query, after: undefined })}">Newest</a> `}
${more !== undefined && html`<a href="${addressOf({ ...query, after: more.id })}" rel="next">Older</a>`}
</nav>
</main>`;
}

/** What should be there and is not. */
function overdueSection(periods: readonly ListedPeriod[]): Html | undefined {
  if (periods.length === 0) return undefined;
  return html`<section aria-labelledby="overdue">
<h2 id="overdue">Late or missing</h2>
${periodTable(periods)}
</section>`;
}

function runTable(
  runs: readonly Run[],
  now: Date,
  progress: readonly Progress[],
  isNewest: boolean,
): Html {
  const byRun = new Map(progress.map((one) => [one.runId, one]));
  return html`<div class="wide" tabindex="0" role="region" aria-label="Table of deliveries"><table>
<thead><tr><th scope="col">Verdict</th><th scope="col">File</th><th scope="col">Rules</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Faults</th><th scope="col" class="number">Age</th></tr></thead>
<tbody data-live="${isNewest ? 'newest' : 'some'}">${runs.map((run) => runRow(run, now, byRun.get(run.id)))}</tbody>
</table></div>`;
}

/** One delivery in the list. @param now for its age. @param progress of the judgement in hand */
export function runRow(run: Run, now: Date, progress: Progress | undefined): Html {
  const { id, verdict, status, bucket, key, rules, rowCount, faultCount, createdAt } = run;
  const at = createdAt.toISOString();
  return html`<tr id="run-${id}" data-at="${at}">
<td>${verdictMark(verdict, status)}${progress !== undefined && html` <span class="more">${progressText(progress, run.sizeBytes)}</span>`}</td>
<td><a href="/runs/${id}"><span class="text">${key}</span></a><br><span class="more">${bucket}</span></td>
<td>${rules ?? '–'}</td><td class="number">${figure(rowCount)}</td><td class="number">${figure(faultCount)}</td>
<td class="number"><time datetime="${at}" title="${at}">${age(now.getTime() - createdAt.getTime())}</time></td>
</tr>`;
}

/** How far a judgement has come. @param sizeBytes of the file; null where nobody said */
export function progressText(
  { bytes, rows }: Pick<Progress, 'bytes' | 'rows'>,
  sizeBytes: number | null,
): string {
  const share =
    sizeBytes === null || sizeBytes === 0
      ? amount(bytes, 'byte')
      : `${Math.min(100, Math.floor((bytes / sizeBytes) * 100))} %`;
  return `${share}, ${amount(rows, 'row')}`;
}

/** The verdict that stands, and what was tried last where that is something else. */
export function verdictMark(verdict: Verdict | null, status: Run['status']): Html {
  const tried = status === 'finished' ? undefined : html`<span class="more">${status}</span>`;
  return verdict === null
    ? html`${tried}`
    : html`<span class="verdict ${verdict}">${verdict}</span> ${tried}`;
}

function filterForm(query: DeliveryQuery, clients: readonly string[]): Html {
  const choice = (name: keyof DeliveryQuery, title: string, values: readonly string[]) =>
    html`<label>${title} <select name="${name}"><option value="">all</option>${values.map(
      (value) =>
        html`<option value="${value}"${query[name] === value && html` selected`}>${value}</option>`,
    )}</select></label> `;
  return html`<form method="get" action="/" role="search">
<label>File <input type="search" name="key" value="${query.key ?? ''}" placeholder="from_client/ or *.csv"></label>
${choice('verdict', 'Verdict', VERDICTS)}${choice('status', 'Status', JUDGEMENT_STATUSES)}${clients.length > 0 && choice('client', 'Client', clients)}
<label>Since <input type="date" name="since" value="${query.since ?? ''}"></label>
<button>Show</button>
</form>`;
}

/** @returns the address of the page that a query asks for */
function addressOf(query: DeliveryQuery): string {
  const parameters = Object.entries(query).filter(([, value]) => value);
  return `/?${new URLSearchParams(parameters as [string, string][])}`;
}

function figure(count: number | null): string {
  return count === null ? '–' : count.toLocaleString('en-US');
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** As `3 minutes`, in the largest unit that there is one of. */
export function age(milliseconds: number): string {
  for (const [unit, length] of UNITS) {
    const count = Math.floor(milliseconds / length);
    if (count >= 1) return `${count.toLocaleString('en-US')} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'now';
}
