import type { ListedPeriod } from '../database/periods.ts';
import { wallText, wallTimeAt } from '../schedule/time-zone.ts';
import { type Html, html } from './html.ts';

/** Periods with their states. */
export function periodTable(periods: readonly ListedPeriod[]): Html {
  const rows = periods.map(({ name, dueAt, timeZone, state, runId, file, set, client }) => {
    const what = `${client}: ${file ?? `set ${set}`}`;
    return html`<tr>
<td>${name}</td><td>${wallText(wallTimeAt(dueAt.getTime(), timeZone))} ${timeZone}</td><td>${state}</td>
<td>${runId === null ? html`<span class="text">${what}</span>` : html`<a href="/runs/${runId}"><span class="text">${what}</span></a>`}</td>
</tr>`;
  });
  return html`<div class="wide" tabindex="0" role="region" aria-label="Table of what is due"><table>
<thead><tr><th scope="col">Period</th><th scope="col">Due</th><th scope="col">State</th><th scope="col">File or set</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}
