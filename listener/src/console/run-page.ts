import { type Judgement, judgementsOf } from '../database/judgements.ts';
import { findRun, type RunWithReport } from '../database/runs.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { storedReport } from '../privacy/withhold.ts';
import { verdictMark } from './deliveries-page.ts';
import { type Html, html } from './html.ts';
import { reportBody } from './report-body.ts';
import type { Visit } from './rights.ts';

type Seen = Pick<Visit, 'database' | 'viewer'>;

/** A page, and whether what it shows is still to change. */
export interface RunPage {
  readonly title: string;
  readonly body: Html;
  readonly isPending: boolean;
}

/** One object version: its report, and every judgement of it. @returns undefined where there is no such run */
export async function runPage(
  { database, viewer }: Seen,
  id: string,
): Promise<RunPage | undefined> {
  const run = await findRun(database, id, viewer);
  if (run === undefined) return undefined;
  const judgements = await judgementsOf(database, id);
  const report = storedReport(run, shownClasses(PLACES.database));
  const name = `${run.bucket}/${run.key}`;
  const about =
    report === null
      ? withoutReport(run, name)
      : reportBody({ name, report, facts: factsOf(run, judgements) });
  const isPending = run.status === 'queued' || run.status === 'running';
  const body = html`<main>
${isPending && html`<p role="status">A judgement of this file is ${run.status}.</p>`}
${about}
<p>${report !== null && html`<a href="/runs/${run.id}/report.json">The report as JSON</a> `}${run.monitoringFileId !== null && html`<a href="/files/${run.monitoringFileId}">The monitored file</a>`}</p>
${judgementSection(judgements)}
</main>`;
  return { title: `${run.verdict ?? run.status}: ${run.key}`, body, isPending };
}

/** The report of a run as its page shows it, for programs. @returns undefined where there is none */
export async function runReport(
  { database, viewer }: Seen,
  id: string,
): Promise<object | undefined> {
  const run = await findRun(database, id, viewer);
  return (run && storedReport(run, shownClasses(PLACES.database))) ?? undefined;
}

function withoutReport({ verdict, status, error }: RunWithReport, name: string): Html {
  return html`<header>
<p>${verdictMark(verdict, status)}</p>
<h1>${name}</h1>
<p>${error ?? 'There is no report of it.'}</p>
</header>`;
}

function factsOf(
  { versionId, eventTime, createdAt }: RunWithReport,
  judgements: readonly Judgement[],
): [name: string, text: string][] {
  const judged = judgements.findLast(({ verdict }) => verdict !== null)?.finishedAt;
  return [
    ['Delivered', (eventTime ?? createdAt).toISOString()],
    ...(judged ? [['Judged', judged.toISOString()] as [string, string]] : []),
    ...(versionId === null ? [] : [['Version', versionId] as [string, string]]),
  ];
}

function judgementSection(judgements: readonly Judgement[]): Html | undefined {
  if (judgements.length === 0) return undefined;
  const rows = judgements.map(
    ({ number, createdAt, askedBy, reason, status, verdict, mappingName, mappingVersion, error }) =>
      html`<tr>
<td class="number">${number}</td><td>${createdAt.toISOString()}</td><td>${askedBy}</td><td>${reason ?? '–'}</td>
<td>${verdictMark(verdict, status)}</td><td>${mappingName === null ? '–' : `${mappingName} ${mappingVersion}`}</td><td>${error ?? '–'}</td>
</tr>`,
  );
  return html`<section aria-labelledby="judgements">
<h2 id="judgements">Judgements</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of judgements"><table>
<thead><tr><th scope="col" class="number">No.</th><th scope="col">Asked for</th><th scope="col">By</th><th scope="col">Reason</th><th scope="col">Outcome</th><th scope="col">Rules</th><th scope="col">Error</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}
