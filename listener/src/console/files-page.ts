import { stringify } from 'yaml';
import { findMapping, type Mapping } from '../database/mappings.ts';
import { listMonitoringFiles, type MonitoringFile } from '../database/monitoring-files.ts';
import {
  type JudgedDelivery,
  judgedDeliveries,
  type ListedPeriod,
  listPeriods,
} from '../database/periods.ts';
import { scheduleAsWritten } from '../schedule/schedule.ts';
import { columnChart } from './chart.ts';
import { verdictMark } from './deliveries-page.ts';
import { type Html, html, type Part } from './html.ts';
import { periodTable } from './period-table.ts';
import type { Visit } from './rights.ts';

type Seen = Pick<Visit, 'database' | 'viewer'>;

/** Deliveries and periods of one file that are shown. */
const SHOWN = 50;

/** Every monitored file that a viewer may see, by client. */
export async function filesPage({ database, viewer }: Seen): Promise<Html> {
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
export async function filePage(
  { database, viewer: { clients } }: Seen,
  id: number,
): Promise<Html | undefined> {
  const file = (await listMonitoringFiles(database, clients)).find((one) => one.id === id);
  if (file === undefined) return undefined;
  const [mapping, periods, deliveries] = await Promise.all([
    findMapping(database, file.mappingName, file.mappingVersion),
    listPeriods(database, { monitoringFileId: id, clients, limit: SHOWN }),
    firstPage(judgedDeliveries(database, { monitoringFileId: id, limit: SHOWN })),
  ]);
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
</main>`;
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
<td><a href="/runs/${runId}">${deliveredAt.toISOString()}</a></td><td>${period ?? '–'}</td><td>${verdictMark(verdict, 'finished')}${!stands && html` <span class="more">corrected</span>`}</td>
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

/** As its author would write it in a rule set. */
function mappingSection({ name, version, tableSchema, dialect, thresholds, rules }: Mapping): Html {
  const parts = { tableSchema, dialect, thresholds, ...(rules ? { rules } : {}) };
  const lines = stringify(parts, { lineWidth: 100 }).trimEnd().split('\n');
  return html`<section aria-labelledby="rules">
<h2 id="rules">Rules: ${name} ${version}</h2>
<pre class="text wide" tabindex="0" role="region" aria-label="Rules">${lines.map(
    (line) => html`${line}
`,
  )}</pre>
</section>`;
}
