import type { QualityReport } from '@file-processing/quality/report.ts';
import { type Judgement, judgementsOf, progressOf } from '../database/judgements.ts';
import { recordAct } from '../database/privacy-events.ts';
import { findRun, type RunWithReport, runsOfKey } from '../database/runs.ts';
import { toldOfRun } from '../notices/outbox.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { storedReport, WITHHELD_CLASSES } from '../privacy/withhold.ts';
import { rejectsOf } from './checker/browser/rejects.ts';
import { progressText, verdictMark } from './deliveries-page.ts';
import { type Html, html } from './html.ts';
import { confirmAddress } from './operations-page.ts';
import { reportPage } from './page.ts';
import { reportBody } from './report-body.ts';
import type { Answer, Route, Visit } from './rights.ts';
import {
  driftOf,
  driftSection,
  judgementSection,
  othersSection,
  profileSection,
  toldSection,
} from './run-sections.ts';

/** Until the page of a run that is judged asks again. */
const REFRESH_SECONDS = 2;

const RUN = '/runs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})';

/** The pages on one object version, and what of it can be saved. @param canAct whether this console can act */
export function runRoutes(canAct: boolean): readonly Route[] {
  const saved = (
    name: string,
    fileOf: (run: RunWithReport, report: QualityReport, all: readonly Judgement[]) => SavedFile,
  ) => ({
    ...({ method: 'GET', right: 'look' } as const),
    path: new RegExp(`^${RUN}/${name.replace('.', '\\.')}$`),
    async answer({ database, viewer, parameters: [id = ''] }: Visit) {
      const run = await findRun(database, id, viewer);
      const report = run && storedReport(run, shownClasses(PLACES.database));
      if (!run || !report) return undefined;
      return { file: fileOf(run, report, await judgementsOf(database, id)) };
    },
  });
  return [
    {
      ...{ method: 'GET', path: new RegExp(`^${RUN}$`), right: 'look' },
      answer: (visit) => runPage(visit, { canAct, reveals: false }),
    },
    {
      ...{ method: 'POST', path: new RegExp(`^${RUN}/reveal$`), right: 'reveal' },
      answer: (visit) => runPage(visit, { canAct, reveals: true }),
    },
    {
      ...{ method: 'GET', path: new RegExp(`^${RUN}/report\\.json$`), right: 'look' },
      async answer({ database, viewer, parameters: [id = ''] }) {
        const run = await findRun(database, id, viewer);
        const json = run && storedReport(run, shownClasses(PLACES.database));
        return json ? { json } : undefined;
      },
    },
    saved('report.html', (run, report, judgements) => ({
      name: `${nameOf(run)}.html`,
      type: 'text/html; charset=utf-8',
      text: reportPage({
        name: `${run.bucket}/${run.key}`,
        report,
        facts: factsOf(run, judgements),
      }),
    })),
    saved('rejects.csv', (run, report) => ({
      name: `${nameOf(run)}.rejects.csv`,
      type: 'text/csv; charset=utf-8',
      text: rejectsOf(report),
    })),
  ];
}

interface SavedFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** The last part of the key, without what browsers and terminals take for something else. */
function nameOf({ key }: RunWithReport): string {
  return key.replace(/^.*\//s, '').replace(/[\p{C}"<>|:*?\\]/gu, '_') || 'file';
}

/** One object version: its report, and what became of it. */
async function runPage(
  visit: Visit,
  { canAct, reveals }: { readonly canAct: boolean; readonly reveals: boolean },
): Promise<Answer | undefined> {
  const { database, viewer, form } = visit;
  const run = await findRun(database, visit.parameters[0] ?? '', viewer);
  if (run === undefined) return undefined;
  const { id, bucket, key } = run;
  if (reveals) {
    const reason = (form.reason ?? '').trim();
    if (reason === '') return { title: 'A reason is needed', body: REASON_NEEDED, status: 400 };
    const subject = { runId: id, judgement: run.verdictNumber };
    await recordAct(database, {
      act: 'reveal',
      actor: viewer.name,
      via: 'console',
      reason,
      subject,
    });
  }
  const [judgements, progress, told, others, drift] = await Promise.all([
    judgementsOf(database, id),
    progressOf(database, [id]),
    toldOfRun(database, id),
    runsOfKey(database, run, viewer, OTHERS + 1),
    driftOf(database, run),
  ]);
  const shown = reveals ? WITHHELD_CLASSES : shownClasses(PLACES.database);
  const report = storedReport(run, shown);
  const name = `${bucket}/${key}`;
  const about =
    report === null
      ? withoutReport(run, name)
      : reportBody({ name, report, facts: factsOf(run, judgements) });
  const isPending = run.status === 'queued' || run.status === 'running';
  const [inHand] = progress;
  const body = html`<main>
${isPending && html`<p role="status">A judgement of this file is ${run.status}${inHand !== undefined && `: ${progressText(inHand, run.sizeBytes)}`}.</p>`}
${reveals && html`<p role="status">Values that reports withhold are shown here, which is recorded.</p>`}
${about}
<p>${report !== null && html`Save <a href="/runs/${id}/report.html">the report as a page</a>, <a href="/runs/${id}/report.json">as JSON</a>, <a href="/runs/${id}/rejects.csv">the rows to fix as CSV</a>. `}${run.monitoringFileId !== null && html`<a href="/files/${run.monitoringFileId}">The monitored file</a>`}</p>
${!reveals && viewer.rights.has('reveal') && hasWithheld(run) && revealForm(id, visit)}
${canAct && !isPending && viewer.rights.has('act') && actLinks(run)}
${report !== null && profileSection(report)}
${drift !== undefined && driftSection(drift)}
${judgementSection(judgements)}
${othersSection(others.filter((other) => other.id !== id).slice(0, OTHERS))}
${toldSection(told)}
</main>`;
  return {
    ...{ title: `${run.verdict ?? run.status}: ${key}`, body },
    ...(isPending && !reveals ? { refreshSeconds: REFRESH_SECONDS } : {}),
  };
}

/** Other deliveries of the same key that are listed. */
const OTHERS = 20;

const REASON_NEEDED = html`<main><h1>A reason is needed</h1><p>Nothing was shown. The reason is recorded with your name.</p></main>`;

function hasWithheld({ report, withheld }: RunWithReport): boolean {
  // A report of an older version withholds whatever is not public, when it is shown.
  return report !== null && (withheld === null || (withheld.sensitive ?? []).length > 0);
}

function revealForm(id: string, { guard, viewer }: Visit): Html {
  return html`<form method="post" action="/runs/${id}/reveal">
${guard}<label>Reason to see sensitive values, which is recorded with your name (${viewer.name}): <input name="reason" required maxlength="500" autocomplete="off"></label>
<button>Show them</button>
</form>`;
}

/** As the commands have it: what has a verdict is judged again, what has none is tried again. */
function actLinks({ id, status }: RunWithReport): Html {
  return status === 'finished'
    ? html`<p><a href="${confirmAddress('rejudge', id)}">Judge again</a></p>`
    : html`<p><a href="${confirmAddress('retry', id)}">Try again</a> <a href="${confirmAddress('discard', id)}">Discard</a></p>`;
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
