import { columnChanges, type FoundChange } from '@file-processing/quality/checks/delivery.ts';
import { FIELD_TYPES } from '@file-processing/quality/field-type.ts';
import type { Distribution } from '@file-processing/quality/profile.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import { amount } from '../cli/report-text.ts';
import { acceptedBefore, type RecordedDelivery } from '../database/accepted-deliveries.ts';
import type { Database } from '../database/connection.ts';
import type { Judgement } from '../database/judgements.ts';
import type { Run, RunWithReport } from '../database/runs.ts';
import { NODE_PORTS } from '../jobs/engine-ports.ts';
import type { Told } from '../notices/outbox.ts';
import { storedReport, WITHHELD_CLASSES } from '../privacy/withhold.ts';
import { idsIn } from '../tracing/tracing.ts';
import { verdictMark } from './deliveries-page.ts';
import { type Html, html, type Part } from './html.ts';

/** Columns of which a histogram is drawn. */
const MOST_COLUMNS = 200;

/** What values of each column look like: a small histogram with its figures beside it, which tell no value. */
export function profileSection({ columns }: QualityReport): Part {
  if (columns.length === 0) return undefined;
  const rows = columns.slice(0, MOST_COLUMNS).map((column) => {
    const { field, label, rows: all, nulls, types, distribution } = column;
    const found = FIELD_TYPES.map((type) => [type, types[type] ?? 0] as const);
    const kinds = [['empty', nulls] as const, ...found].filter(([, count]) => count > 0);
    const figures = kinds.map(([kind, count]) => `${count.toLocaleString('en-US')} ${kind}`);
    return html`<tr>
<td class="number">${field}</td><th scope="row"><span class="text">${label.slice(0, 160)}</span></th><td>${histogram(kinds, all)}</td><td>${figures.join(', ') || '–'}</td>
<td>${distribution && histogram(distribution.counts, distribution.values)}</td><td>${distribution ? distributionText(distribution) : distribution === null ? 'withheld' : '–'}</td>
</tr>`;
  });
  const left = columns.length - rows.length;
  return html`<section aria-labelledby="profiles">
<h2 id="profiles">What values look like</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of profiles"><table>
<thead><tr><th scope="col" class="number">No.</th><th scope="col">Label</th><th scope="col">Histogram</th><th scope="col">Values by type</th><th scope="col">Histogram</th><th scope="col">The first of them, by size</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
${left > 0 && html`<p class="more">and ${amount(left, 'more column')}: the report in JSON has them.</p>`}
</section>`;
}

/** What values were counted by, in words. */
const BY: Readonly<Record<Distribution['by'], string>> = {
  magnitude: 'by magnitude',
  month: 'by month',
  year: 'by year',
  decade: 'by decade',
  length: 'by characters',
  value: 'by value',
};

function distributionText({ by, values, counts }: Distribution): Html {
  const figures = counts.map(
    ([kind, count], index) =>
      html`${index > 0 && ', '}<span class="text">${kind}</span> ${count.toLocaleString('en-US')}`,
  );
  return html`${amount(values, 'value')} ${BY[by]}: ${figures}`;
}

const BAR = { width: 12, gap: 2, height: 24 };

/** A column for each kind, as high as its share of all. Its figures stand beside it. */
function histogram(kinds: readonly (readonly [string, number])[], all: number): Html {
  const bars = kinds.map(([kind, count], index) => {
    const height = Math.max(1, (count / Math.max(1, all)) * BAR.height);
    return html`<rect x="${index * (BAR.width + BAR.gap)}" y="${(BAR.height - height).toFixed(1)}" width="${BAR.width}" height="${height.toFixed(1)}"><title>${kind}: ${count.toLocaleString('en-US')}</title></rect>`;
  });
  const width = Math.max(1, kinds.length) * (BAR.width + BAR.gap);
  return html`<svg class="histogram" width="${width}" height="${BAR.height}" viewBox="0 0 ${width} ${BAR.height}" aria-hidden="true">${bars}</svg>`;
}

/** How a delivery differs from the one that was accepted before it. */
export interface Drift {
  readonly before: RecordedDelivery;
  readonly now: { readonly rows: number; readonly bytes: number };
  /** Undefined where the columns of one of them were not kept. */
  readonly changes: readonly Pick<FoundChange, 'change' | 'message'>[] | undefined;
}

/** Compares a run with the last delivery of its monitored file that was accepted before. @returns undefined where there is none */
export async function driftOf(database: Database, run: RunWithReport): Promise<Drift | undefined> {
  const { id, monitoringFileId, rowCount, byteCount } = run;
  if (monitoringFileId === null || rowCount === null || byteCount === null) return undefined;
  const [before] = await acceptedBefore(database, { monitoringFileId, runId: id, limit: 1 });
  if (before === undefined) return undefined;
  const report = storedReport(run, WITHHELD_CLASSES);
  const columns = report?.columns ?? [];
  const names = new Set(columns.flatMap(({ label, name }) => (label === name ? [label] : [])));
  const changes =
    before.columns === undefined || report === null
      ? undefined
      : columnChanges(before.columns, columns, NODE_PORTS).map(
          // Labels that are not names of the schema may be values.
          ({ change, label, message, plainMessage }) => ({
            ...{ change, message: label === null || names.has(label) ? message : plainMessage },
          }),
        );
  return { before, now: { rows: rowCount, bytes: byteCount }, changes };
}

/** {@link driftOf} as a table of figures and a list of columns. */
export function driftSection({ before, now, changes }: Drift): Html {
  const row = (name: string, was: number, is: number) => html`<tr>
<th scope="row">${name}</th><td class="number">${was.toLocaleString('en-US')}</td><td class="number">${is.toLocaleString('en-US')}</td><td class="number">${changeText(was, is)}</td>
</tr>`;
  return html`<section aria-labelledby="drift">
<h2 id="drift">Since the last accepted delivery</h2>
<p>It came at <a href="/runs/${before.runId}">${before.deliveredAt}</a>.</p>
<div class="wide" tabindex="0" role="region" aria-label="Table of changes"><table>
<thead><tr><th scope="col">Figure</th><th scope="col" class="number">Then</th><th scope="col" class="number">Now</th><th scope="col" class="number">Change</th></tr></thead>
<tbody>${row('Rows', before.rows, now.rows)}${row('Bytes', before.bytes, now.bytes)}</tbody>
</table></div>
${
  changes === undefined
    ? html`<p class="more">The columns of one of them were not kept.</p>`
    : changes.length === 0
      ? html`<p>The columns are the same.</p>`
      : html`<ul>${changes.slice(0, MOST_COLUMNS).map(({ change, message }) => html`<li>${change}: <span class="text">${message.slice(0, 400)}</span></li>`)}</ul>`
}
${changes !== undefined && changes.length > MOST_COLUMNS && html`<p class="more">and ${amount(changes.length - MOST_COLUMNS, 'more change')}</p>`}
</section>`;
}

function changeText(was: number, is: number): string {
  if (was === is) return 'none';
  if (was === 0) return 'from nothing';
  const percent = ((is - was) / was) * 100;
  return `${percent > 0 ? '+' : ''}${percent.toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
}

/** Every judgement of one object version. */
export function judgementSection(judgements: readonly Judgement[]): Part {
  if (judgements.length === 0) return undefined;
  const traces = judgements.map(({ traceparent }) => idsIn(traceparent)?.traceId);
  const areTraced = traces.some((trace) => trace !== undefined);
  const rows = judgements.map(
    (
      { number, createdAt, askedBy, reason, status, verdict, mappingName, mappingVersion, error },
      index,
    ) =>
      html`<tr>
<td class="number">${number}</td><td>${createdAt.toISOString()}</td><td>${askedBy}</td><td>${reason ?? '–'}</td>
<td>${verdictMark(verdict, status)}</td><td>${mappingName === null ? '–' : `${mappingName} ${mappingVersion}`}</td><td>${error ?? '–'}</td>${areTraced && html`<td><span class="text">${traces[index] ?? '–'}</span></td>`}
</tr>`,
  );
  return html`<section aria-labelledby="judgements">
<h2 id="judgements">Judgements</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of judgements"><table>
<thead><tr><th scope="col" class="number">No.</th><th scope="col">Asked for</th><th scope="col">By</th><th scope="col">Reason</th><th scope="col">Outcome</th><th scope="col">Rules</th><th scope="col">Error</th>${areTraced && html`<th scope="col">Trace</th>`}</tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}

/** Other versions and deliveries of the same key. */
export function othersSection(others: readonly Run[]): Part {
  if (others.length === 0) return undefined;
  const rows = others.map(
    ({ id, createdAt, versionId, verdict, status, rules }) => html`<tr>
<td><a href="/runs/${id}">${createdAt.toISOString()}</a></td><td>${verdictMark(verdict, status)}</td><td>${rules ?? '–'}</td><td><span class="text">${versionId ?? '–'}</span></td>
</tr>`,
  );
  return html`<section aria-labelledby="others">
<h2 id="others">Other deliveries of this key</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of other deliveries"><table>
<thead><tr><th scope="col">Heard of</th><th scope="col">Outcome</th><th scope="col">Rules</th><th scope="col">Version</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}

/** Who was notified. */
export function toldSection(told: readonly Told[]): Part {
  if (told.length === 0) return undefined;
  const rows = told.map(
    ({ state, number, at, message }) => html`<tr>
<td>${at.toISOString()}</td><td>${state ?? 'not decided yet'}</td><td class="number">${number ?? '–'}</td>
<td>${message === null ? 'nobody' : html`${message.way} <span class="text">${message.target}</span>`}</td><td>${message === null ? '–' : `${message.status}${message.settledAt === null ? '' : `, ${message.settledAt.toISOString()}`}`}</td>
</tr>`,
  );
  return html`<section aria-labelledby="told">
<h2 id="told">Who was notified</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of notices"><table>
<thead><tr><th scope="col">Since</th><th scope="col">What</th><th scope="col" class="number">Judgement</th><th scope="col">To</th><th scope="col">Outcome</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}
