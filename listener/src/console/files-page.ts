import { stringify } from 'yaml';
import { countsText, type RehearsedFile, rehearseMapping } from '../cli/rehearse.ts';
import { findMapping, type Mapping } from '../database/mappings.ts';
import { listMonitoringFiles, type MonitoringFile } from '../database/monitoring-files.ts';
import {
  type JudgedDelivery,
  judgedDeliveries,
  type ListedPeriod,
  listPeriods,
} from '../database/periods.ts';
import { findRuns } from '../database/runs.ts';
import type { JobContext } from '../jobs/job.ts';
import { RuleSetError } from '../rules/rule-set.ts';
import { scheduleAsWritten } from '../schedule/schedule.ts';
import { columnChart } from './chart.ts';
import { verdictMark } from './deliveries-page.ts';
import { type Html, html, type Part } from './html.ts';
import { periodTable } from './period-table.ts';
import type { Answer, Route, Visit } from './rights.ts';

type Seen = Pick<Visit, 'database' | 'viewer'>;

/** Deliveries and periods of one file that are shown. */
const SHOWN = 50;

/** The most deliveries that one rehearsal judges, and how long it may take: who asks waits for it. */
const MOST_REHEARSED = 20;
const REHEARSAL_MS = 60_000;

/** What rules are rehearsed with. */
type Rehearsing = Pick<JobContext, 'store' | 'engine' | 'maxFaults'>;

/** The pages on monitored files. @param rehearsing undefined where no rules can be rehearsed */
export function filesRoutes(rehearsing: Rehearsing | undefined): readonly Route[] {
  const routes: Route[] = [
    {
      ...{ method: 'GET', path: /^\/files$/, right: 'look' },
      answer: async (visit) => ({ title: 'Monitored files', body: await filesPage(visit) }),
    },
    {
      ...{ method: 'GET', path: /^\/files\/(\d{1,9})$/, right: 'look' },
      async answer(visit) {
        const body = await filePage(visit, Number(visit.parameters[0]), rehearsing !== undefined);
        return body && { title: 'Monitored file', body };
      },
    },
  ];
  if (rehearsing === undefined) return routes;
  let isRehearsing = false;
  return [
    ...routes,
    {
      // It changes nothing, but files are read for it, which costs.
      ...{ method: 'POST', path: /^\/files\/(\d{1,9})\/rehearse$/, right: 'act' },
      async answer(visit) {
        if (isRehearsing) {
          const body = html`<main><h1>Another rehearsal is running</h1><p>Only one runs at a time. Try again when it has ended.</p></main>`;
          return { title: 'Another rehearsal is running', body, status: 503 };
        }
        isRehearsing = true;
        try {
          return await rehearsalPage(visit, rehearsing);
        } finally {
          isRehearsing = false;
        }
      },
    },
  ];
}

async function rehearsalPage(visit: Visit, rehearsing: Rehearsing): Promise<Answer | undefined> {
  const { database, form } = visit;
  const { clients } = visit.viewer;
  const id = Number(visit.parameters[0]);
  const file = (await listMonitoringFiles(database, clients)).find((one) => one.id === id);
  if (file === undefined) return undefined;
  const { text = '', last: given = '' } = form;
  const last = Math.min(MOST_REHEARSED, Math.max(1, Math.floor(Number(given)) || 1));
  const signal = AbortSignal.timeout(REHEARSAL_MS);
  const title = 'Rehearsal';
  const page = (found: Html, status = 200) => ({
    ...{ title, status },
    body: html`<header>
<h1>Rehearsal: ${file.bucket}/${file.keyPattern}</h1>
<p><a href="/files/${id}">The monitored file</a></p>
</header>
<main>
${found}
${rehearsalForm(id, visit, text, last)}
</main>`,
  });
  try {
    const parts = { ...rehearsing, signal };
    return page(
      rehearsedSection(await rehearseMapping(database, parts, { file, text, last, clients })),
    );
  } catch (error) {
    if (error instanceof RuleSetError) {
      const faults = error.faults.map(({ path, message, place }) => {
        const line = place === undefined ? '' : `line ${place.line}: `;
        return html`<li>${line}${path} ${message}</li>`;
      });
      return page(html`<p role="status">These rules can’t be used.</p>\n<ul>${faults}</ul>`, 400);
    }
    if (!signal.aborted) throw error;
    return page(
      html`<p role="status">The deliveries could not be judged within ${REHEARSAL_MS / 1000} seconds: try fewer, or <code>rules rehearse</code>.</p>`,
      400,
    );
  }
}

function rehearsedSection(found: RehearsedFile): Html {
  const rows = found.changes.map(
    ({ runId, key, createdAt, from, to, faultsBefore, report }) => html`<tr>
<td><a href="/runs/${runId}">${createdAt.toISOString()}</a></td><td><span class="text">${key}</span></td><td>${verdictMark(from, 'finished')} → ${verdictMark(to, 'finished')}</td>
<td class="number">${faultsBefore ?? '–'}</td><td class="number">${report.faultCount}</td><td>${report.reasons.join(' ').slice(0, 400)}</td>
</tr>`,
  );
  return html`<p role="status">${countsText({ ...found, changed: rows.length })}; nothing was recorded.</p>
${
  rows.length > 0 &&
  html`<div class="wide" tabindex="0" role="region" aria-label="Table of verdicts that would change"><table>
<thead><tr><th scope="col">Heard of</th><th scope="col">Key</th><th scope="col">Verdict</th><th scope="col" class="number">Faults</th><th scope="col" class="number">Then</th><th scope="col">Why</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}`;
}

function rehearsalForm(id: number, { guard }: Visit, text: string, last: number): Html {
  // Unlike elsewhere, what is written here is sent back as it is: a line end is none of those that are named.
  const lines = text
    .replaceAll('\t', '  ')
    .split(/\r?\n/)
    .map((line) => html`${line}\n`);
  return html`<section aria-labelledby="rehearse">
<h2 id="rehearse">Rehearse other rules</h2>
<p>The last deliveries are judged by the rules entered here. Nothing is recorded, and no rule is changed.</p>
<form method="post" action="/files/${id}/rehearse" class="stacked">
${guard}<p><label>Mapping, as YAML or JSON:<br><textarea name="text" rows="16" cols="100" spellcheck="false" required>
${lines}</textarea></label></p>
<p><label>Deliveries: <input name="last" type="number" min="1" max="${MOST_REHEARSED}" value="${last}"></label> <button>Rehearse</button></p>
</form>
</section>`;
}

/** Every monitored file that a viewer may see, by client. */
async function filesPage({ database, viewer }: Seen): Promise<Html> {
  const files = (await listMonitoringFiles(database, viewer.clients)).filter(
    ({ active }) => active,
  );
  files.sort((a, b) => a.client.localeCompare(b.client, 'en'));
  const rows = files.map(
    ({ id, client, bucket, keyPattern, mappingName, mappingVersion }) => html`<tr>
<td>${client}</td><td><a href="/files/${id}"><span class="text">${bucket}/${keyPattern}</span></a></td><td>${mappingName} ${mappingVersion}</td>
</tr>`,
  );
  return html`<header><h1>Monitored files</h1></header>
<main>
${
  rows.length === 0
    ? html`<p>There are none.</p>`
    : html`<div class="wide" tabindex="0" role="region" aria-label="Table of monitored files"><table>
<thead><tr><th scope="col">Client</th><th scope="col">File</th><th scope="col">Rules</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}
</main>`;
}

/** One monitored file: its rules, what was due, and its deliveries over time. @returns undefined where there is none */
async function filePage(visit: Visit, id: number, canRehearse: boolean): Promise<Html | undefined> {
  const { database, viewer } = visit;
  const { clients } = viewer;
  const file = (await listMonitoringFiles(database, clients)).find((one) => one.id === id);
  if (file === undefined) return undefined;
  const [mapping, periods, judged] = await Promise.all([
    findMapping(database, file.mappingName, file.mappingVersion),
    listPeriods(database, { monitoringFileId: id, clients, limit: SHOWN }),
    firstPage(judgedDeliveries(database, { monitoringFileId: id, limit: SHOWN })),
  ]);
  const deliveries = await visibleOf(visit, judged);
  return html`<header>
<h1>${file.bucket}/${file.keyPattern}</h1>
<p>${file.description}</p>
</header>
<main>
${charts(deliveries)}
${deliverySection(deliveries)}
${periodSection(periods)}
${factSection(file)}
${mapping !== undefined && mappingSection(mapping)}
${mapping !== undefined && canRehearse && viewer.rights.has('act') && rehearsalForm(id, visit, textOf(mapping), 5)}
</main>`;
}

/** Of some deliveries those that there are for a viewer: others' rules may describe what this file has judged. */
async function visibleOf(
  { database, viewer }: Seen,
  deliveries: readonly JudgedDelivery[],
): Promise<readonly JudgedDelivery[]> {
  if (viewer.clients === undefined) return deliveries;
  const ids = [...new Set(deliveries.map(({ runId }) => runId))];
  const visible = new Set((await findRuns(database, ids, viewer)).map(({ id }) => id));
  return deliveries.filter(({ runId }) => visible.has(runId));
}

async function firstPage<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  for await (const page of pages) return page;
  return [];
}

/** From the oldest to the newest. */
function charts(deliveries: readonly JudgedDelivery[]): Part {
  if (deliveries.length < 2) return undefined;
  const inOrder = deliveries.toReversed();
  const chart = (title: string, figure: (delivery: JudgedDelivery) => number) =>
    columnChart(
      title,
      inOrder.map((delivery) => ({
        value: figure(delivery),
        label: delivery.deliveredAt.toISOString(),
      })),
    );
  return html`<section aria-labelledby="over-time">
<h2 id="over-time">Over time</h2>
${chart('Rows', ({ rowCount }) => rowCount)}
${chart('Faults', ({ faultCount }) => faultCount)}
${chart('Seconds of judgement', ({ startedAt, finishedAt }) => (finishedAt.getTime() - startedAt.getTime()) / 1000)}
</section>`;
}

function deliverySection(deliveries: readonly JudgedDelivery[]): Html {
  const rows = deliveries.map(
    ({ runId, deliveredAt, verdict, stands, rowCount, faultCount, period, key }) => html`<tr>
<td><a href="/runs/${runId}">${deliveredAt.toISOString()}</a></td><td>${period ?? '–'}</td><td>${verdictMark(verdict, 'finished')}${!stands && html` <span class="more">replaced</span>`}</td>
<td class="number">${rowCount.toLocaleString('en-US')}</td><td class="number">${faultCount.toLocaleString('en-US')}</td><td><span class="text">${key}</span></td>
</tr>`,
  );
  return html`<section aria-labelledby="deliveries">
<h2 id="deliveries">Deliveries</h2>
${
  rows.length === 0
    ? html`<p>There are none.</p>`
    : html`<div class="wide" tabindex="0" role="region" aria-label="Table of deliveries"><table>
<thead><tr><th scope="col">Delivered</th><th scope="col">Period</th><th scope="col">Verdict</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Faults</th><th scope="col">Key</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}
</section>`;
}

function periodSection(periods: readonly ListedPeriod[]): Part {
  if (periods.length === 0) return undefined;
  return html`<section aria-labelledby="periods">
<h2 id="periods">What was due</h2>
${periodTable(periods)}
</section>`;
}

function factSection(file: MonitoringFile): Html {
  const { client, contact, schedule, severity, classification, ruleFile, retiredAt } = file;
  const facts = [
    ['Client', client],
    ['Contact', contact === null ? undefined : stringify(contact).trim()],
    ['Due', schedule === null ? undefined : stringify(scheduleAsWritten(schedule)).trim()],
    ['Severity', severity],
    ['Classification', classification],
    ['From', ruleFile ?? 'made by hand'],
    ['Retired', retiredAt?.toISOString()],
  ] as const;
  return html`<section aria-labelledby="facts">
<h2 id="facts">The monitored file</h2>
<dl>${facts.map(([name, text]) => text && html`<div><dt>${name}</dt><dd>${text.split('\n').map((line) => html`${line}<br>`)}</dd></div>`)}</dl>
</section>`;
}

/** As its author would write it in a rule set; the version is left out, since a changed one has another. */
function textOf({ name, tableSchema, dialect, thresholds, rules }: Mapping): string {
  const parts = { name, tableSchema, dialect, thresholds, ...(rules ? { rules } : {}) };
  return stringify(parts, { lineWidth: 100 }).trimEnd();
}

function mappingSection(mapping: Mapping): Html {
  const lines = textOf(mapping).split('\n');
  return html`<section aria-labelledby="rules">
<h2 id="rules">Rules: ${mapping.name} ${mapping.version}</h2>
<pre class="text wide" tabindex="0" role="region" aria-label="Rules">${lines.map(
    (line) => html`${line}
`,
  )}</pre>
</section>`;
}
