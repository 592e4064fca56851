import { FAULT_KINDS, FAULT_TYPES, type FaultKind } from '@file-processing/quality/faults.ts';
import { type Fault, type ListedRow, MOST_ROW_CELLS } from '@file-processing/quality/findings.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import { amount } from '../cli/report-text.ts';
import { Html, html, type Part } from './html.ts';

/** What a page about a report says. */
export interface ReportPage {
  /** Of the file: its path, or bucket and key. */
  readonly name: string;
  /** Shows what the place where the page lies may show. */
  readonly report: QualityReport;
  /** More rows of the table of facts: name and text. */
  readonly facts?: readonly (readonly [name: string, text: string])[];
  /** What could not be checked where the report was made, in sentences. @default nothing */
  readonly notChecked?: readonly string[];
}

/** Bytes of a page, whatever is wrong with a file: mail takes it, and a browser opens it at once. */
export const MOST_PAGE_BYTES = 300_000;

/** Bytes of that for what is listed; each list ends before it, and says so. */
const ROOM = { head: 20_000, faults: 130_000, rows: 40_000, columns: 100_000 };

/** Faults of a kind and column whose rows are shown, and cells of such a row: the bad one, and some before and behind it. */
const ROWS_OF_A_GROUP = 3;
const CELLS_OF_A_ROW = 12;
const CELLS_BEFORE = 6;

/** Columns that are shown one by one. */
const MOST_COLUMNS = 200;

/** Characters of a text of the file or of a rule. */
const LONGEST_TEXT = 160;

/** What a verdict means to who sent the file. */
const MEANINGS: Readonly<Record<Verdict, string>> = {
  passed: 'Nothing is wrong with this file.',
  warned: 'This file is accepted. Look at what is listed here before the next one.',
  failed: 'This file is not accepted. Correct what is listed here and send it again.',
  unreadable: 'This file can’t be read as a table. Send it again as described here.',
};

/** What a page says of one report, in at most {@link MOST_PAGE_BYTES}. It runs in a browser as well. */
export function reportBody({ name, report, facts = [], notChecked = [] }: ReportPage): Html {
  // Nobody is told that a file passes what was not looked at.
  const isPart = report.verdict === 'passed' && notChecked.length > 0;
  return html`<header>
<p class="verdict ${isPart ? 'warned' : report.verdict}">${isPart ? 'checked in part' : report.verdict}</p>
<h1>${shortened(name)}</h1>
<p>${isPart ? 'No fault was found, but not everything could be checked here.' : MEANINGS[report.verdict]}</p>
</header>
${
  notChecked.length > 0 &&
  html`<section aria-labelledby="not-checked">
<h2 id="not-checked">Not checked here</h2>
<ul>${
    upTo(
      ROOM.head,
      notChecked.map((sentence) => html`<li>${shortened(sentence)}</li>`),
    ).shown
  }</ul>
</section>`
}
${findings(report)}
${faultSection(report)}
${ruleSection(report)}
${factSection(report, facts)}
${columnSection(report)}`;
}

/** What explains most of the faults, and why the verdict is what it is. */
function findings({ diagnoses = [], reasons }: QualityReport): Part {
  if (diagnoses.length === 0 && reasons.length === 0) return undefined;
  const found = diagnoses.map(
    ({ sentence, evidence, faults, remedy }) => html`<li>
<p><strong>${shortened(sentence)}</strong>${evidence === null ? '' : html` <span class="text">${shortened(evidence)}</span>`}</p>
<p>${faults > 1 && `It explains ${amount(faults, 'fault')}. `}${marked(shortened(remedy))}</p>
</li>`,
  );
  const why = upTo(
    ROOM.head,
    reasons.map((reason) => html`<li>${shortened(reason)}</li>`),
  );
  return html`<section aria-labelledby="found">
<h2 id="found">What was found</h2>
${found.length > 0 && html`<ol class="diagnoses">${found}</ol>`}
${reasons.length > 0 && html`<ul>${why.shown}</ul>`}
</section>`;
}

/**
 * What a report says that could not be judged where it was made, in sentences: rules that need other deliveries or other
 * files, and keys beyond the memory of a program without scratch space.
 */
export function notCheckedIn({
  deliveryRules = [],
  faults,
  faultCounts,
}: Pick<QualityReport, 'deliveryRules' | 'faults' | 'faultCounts'>): string[] {
  const unjudged = deliveryRules.filter(({ outcome }) => outcome === 'not judged');
  const incomplete = faults.filter(({ type }) => type === 'key-check-incomplete');
  return [
    ...unjudged.map(({ rule, message }) => `${rule}: ${message}`),
    ...incomplete.map(({ message }) => message),
    ...((faultCounts['key-check-incomplete'] ?? 0) > incomplete.length
      ? ['Duplicates: there are more keys than fit into memory.']
      : []),
  ];
}

/** Faults of one kind in one column. */
interface Group {
  readonly kind: FaultKind;
  /** From 1; null for what is in no column. */
  readonly field: number | null;
  readonly total: number;
  readonly faults: readonly Fault[];
}

/** Groups in the order of the kinds, then of the columns, with their exact totals. */
export function groupsOf(report: QualityReport): readonly Group[] {
  const totals = new Map<string, number>();
  // A report of an older version has none by column.
  for (const { field, faultCounts } of report.columns) {
    for (const [type, count] of Object.entries(faultCounts ?? {}))
      totals.set(`${type} ${field}`, count);
  }
  // A cell that is too many is in a column that the file does not have.
  const listed = Map.groupBy(report.faults, ({ type, field }) =>
    totals.has(`${type} ${field}`) ? `${type} ${field}` : `${type} null`,
  );
  return FAULT_TYPES.flatMap((type) => {
    const all = report.faultCounts[type] ?? 0;
    if (all === 0) return [];
    const kind = FAULT_KINDS.find((one) => one.type === type) as FaultKind;
    const inColumns = [...totals].filter(([name]) => name.startsWith(`${type} `));
    const rest = all - inColumns.reduce((sum, [, count]) => sum + count, 0);
    return [...(rest > 0 ? [[`${type} null`, rest] as const] : []), ...inColumns].map(
      ([name, total]): Group => {
        const field = name.endsWith(' null') ? null : Number(name.split(' ')[1]);
        return { kind, field, total, faults: listed.get(name) ?? [] };
      },
    );
  });
}

function faultSection(report: QualityReport): Part {
  if (report.faultCount === 0) return undefined;
  const labels = new Map(report.columns.map(({ field, label }) => [field, label]));
  const rows = new Map(report.listedRows?.map((row) => [row.record, row]));
  // The rows of the first faults of each kind and column, as long as there is room.
  let room = ROOM.rows;
  const rowOf = ({ record, field }: Fault, number: number): Html | undefined => {
    const row = record === null || number >= ROWS_OF_A_GROUP ? undefined : rows.get(record);
    if (row === undefined || room < 0) return undefined;
    const shown = rowCells(row, field, report.columns.length);
    room -= shown.bytes;
    return shown;
  };
  const groups = upTo(
    ROOM.faults,
    groupsOf(report).map((group) => () => groupSection(group, labels, rowOf)),
  );
  return html`<section aria-labelledby="faults">
<h2 id="faults">${amount(report.faultCount, 'fault')} ${report.faultyRows === 0 ? 'of the header or the whole file' : html`in ${amount(report.faultyRows, 'row')}`}</h2>
${report.structureOnly && html`<p>The table can’t be read, so cells were not checked.</p>`}
${groups.shown}
${groups.left > 0 && html`<p class="more">and ${amount(groups.left, 'more kind')} of fault in other columns: the report in JSON has all totals.</p>`}
</section>`;
}

function groupSection(
  { kind, field, total, faults }: Group,
  labels: ReadonlyMap<number, string>,
  rowOf: (fault: Fault, number: number) => Html | undefined,
): Html {
  const where = field === null ? '' : ` in column ${field}`;
  const label = field === null ? undefined : labels.get(field);
  const hasKeys = faults.some(({ key }) => key !== null);
  const rows = faults.map((fault, number) => {
    const { record, line, key, value, message } = fault;
    const row = rowOf(fault, number);
    return html`<tr>
<td class="number">${record ?? '–'}</td><td class="number">${line ?? '–'}</td>
${hasKeys && html`<td>${quoted(key)}</td>`}
<td>${quoted(value)}</td><td>${shortened(message)}${row && html`\n<div class="row">The row: ${row}</div>`}</td>
</tr>`;
  });
  return html`<article>
<h3>${kind.type}${where}${label !== undefined && html` <span class="text">${shortened(label)}</span>`}: ${total.toLocaleString('en-US')}</h3>
<p>${marked(kind.meaning)} ${marked(kind.remedy)}</p>
${
  rows.length > 0 &&
  html`<div class="wide" tabindex="0" role="region" aria-label="Places of ${kind.type}${where}"><table>
<thead><tr><th scope="col" class="number">Record</th><th scope="col" class="number">Line</th>${hasKeys && html`<th scope="col">Key</th>`}<th scope="col">Value</th><th scope="col">What is wrong</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}
${total > rows.length && html`<p class="more">${rows.length === 0 ? amount(total, 'place') : `The first of them. ${amount(total - rows.length, 'more place')}`} not listed.</p>`}
</article>`;
}

/** Some cells of a row, around the bad one, which is marked. */
function rowCells({ field: first, cells }: ListedRow, bad: number | null, columns: number): Html {
  const at = (bad ?? first) - first;
  const from = Math.max(0, Math.min(at - CELLS_BEFORE, cells.length - CELLS_OF_A_ROW));
  const shown = cells.slice(from, from + CELLS_OF_A_ROW).map((text, index) => {
    const cell = text === '' ? 'empty' : html`<span class="text">${shortened(text, 40)}</span>`;
    const isBad = bad !== null && first + from + index === bad;
    return html`${index > 0 && ' | '}${isBad ? html`<mark>${cell}</mark>` : cell}`;
  });
  const last = from + shown.length;
  // A row with a cell too few ends here.
  const isCut =
    last < cells.length || (cells.length === MOST_ROW_CELLS && first - 1 + last < columns);
  return html`${first + from > 1 && '… | '}${shown}${isCut && ' | …'}`;
}

function ruleSection({ deliveryRules = [] }: QualityReport): Part {
  if (deliveryRules.length === 0) return undefined;
  const rules = upTo(
    ROOM.head,
    deliveryRules.map(
      ({ rule, column, outcome, message, allowed }) => html`<tr>
<td>${rule}</td><td>${column === null ? '–' : shortened(column)}</td><td>${outcome}</td><td>${shortened(message)}</td><td>${shortened(allowed)}</td>
</tr>`,
    ),
  );
  return html`<section aria-labelledby="rules">
<h2 id="rules">Delivery rules</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of rules"><table>
<thead><tr><th scope="col">Rule</th><th scope="col">Column</th><th scope="col">Outcome</th><th scope="col">Measured</th><th scope="col">Allowed</th></tr></thead>
<tbody>${rules.shown}</tbody>
</table></div>
${rules.left > 0 && html`<p class="more">and ${amount(rules.left, 'more rule')}</p>`}
</section>`;
}

function factSection(
  report: QualityReport,
  facts: readonly (readonly [name: string, text: string])[],
): Html {
  const { compression, source } = report;
  const all: readonly (readonly [string, string])[] = [
    ...facts,
    ['Rows', report.rows.toLocaleString('en-US')],
    ['Columns', report.columns.length.toLocaleString('en-US')],
    ['Size', amount(report.bytes, 'byte')],
    ['Encoding', `${report.encoding}${report.byteOrderMark ? ', with a byte order mark' : ''}`],
    ...(compression === undefined
      ? []
      : [
          [
            'Packed by',
            `${compression.format}, ${amount(compression.unpackedBytes, 'byte')} unpacked`,
          ] as const,
        ]),
    ['Judged by', report.rules ?? (report.schemaApplied ? 'a schema' : 'its structure alone')],
    ...(source === undefined
      ? []
      : [
          [
            'Checksum',
            source.checksum.reason ?? `compared (${source.checksum.algorithm})`,
          ] as const,
        ]),
    ['SHA-256', report.sha256],
    ...(report.traceId === undefined ? [] : [['Trace', report.traceId] as const]),
  ];
  return html`<section aria-labelledby="facts">
<h2 id="facts">The file</h2>
<dl>${all.map(([name, text]) => html`<div><dt>${name}</dt><dd>${shortened(text)}</dd></div>`)}</dl>
</section>`;
}

function columnSection({ columns }: QualityReport): Part {
  if (columns.length === 0) return undefined;
  const rows = upTo(
    ROOM.columns,
    columns
      .slice(0, MOST_COLUMNS)
      .map(({ field, label, type, declared, rows: count, nulls, min, max, faultCounts }) => {
        const faults = Object.values(faultCounts ?? {}).reduce((sum, one) => sum + one, 0);
        return html`<tr>
<td class="number">${field}</td><th scope="row"><span class="text">${shortened(label)}</span></th>
<td>${type}${!declared && ' (found)'}</td>
<td>${bar(count - nulls, count)}</td><td class="number">${faults === 0 ? '–' : faults.toLocaleString('en-US')}</td>
<td>${quoted(min === null ? null : String(min))}</td><td>${quoted(max === null ? null : String(max))}</td>
</tr>`;
      }),
  );
  const left = columns.length - rows.shown.length;
  return html`<section aria-labelledby="columns">
<h2 id="columns">Columns</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of columns"><table>
<thead><tr><th scope="col" class="number">No.</th><th scope="col">Label</th><th scope="col">Type</th><th scope="col">Filled</th><th scope="col" class="number">Faults</th><th scope="col">Smallest</th><th scope="col">Largest</th></tr></thead>
<tbody>${rows.shown}</tbody>
</table></div>
${left > 0 && html`<p class="more">${summary(columns.slice(rows.shown.length))}</p>`}
</section>`;
}

/** Columns that are not shown one by one. */
function summary(columns: QualityReport['columns']): string {
  const empty = columns.filter(({ rows, nulls }) => rows === nulls).length;
  const faulty = columns.filter(
    ({ faultCounts }) => Object.keys(faultCounts ?? {}).length > 0,
  ).length;
  return `and ${amount(columns.length, 'more column')}: ${empty} without a value, ${faulty} with faults`;
}

/** How much of a column is filled: a bar with its figure beside it. */
function bar(part: number, whole: number): Html {
  const percent = whole === 0 ? 0 : (part / whole) * 100;
  const text = percent > 0 && percent < 1 ? '< 1' : String(Math.floor(percent));
  return html`<svg class="bar" viewBox="0 0 100 10" aria-hidden="true" preserveAspectRatio="none"><rect class="whole" width="100" height="10"/><rect class="part" width="${percent.toFixed(1)}" height="10"/></svg> ${text} %`;
}

/** Items up to some bytes, and how many are left. Those beyond it are not made. */
function upTo(
  bytes: number,
  items: readonly (Html | (() => Html))[],
): { readonly shown: readonly Html[]; readonly left: number } {
  const shown: Html[] = [];
  let room = bytes;
  for (const item of items) {
    const piece = item instanceof Html ? item : item();
    room -= piece.bytes;
    if (room < 0) break;
    shown.push(piece);
  }
  return { shown, left: items.length - shown.length };
}

/** Names that our own texts have between backticks. */
function marked(text: string): Part {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`));
}

/** A text of the file, cut where it is long. */
function quoted(text: string | null): Part {
  if (text === null) return '–';
  return text === '' ? 'empty' : html`<span class="text">${shortened(text)}</span>`;
}

function shortened(text: string, longest = LONGEST_TEXT): string {
  const characters = Array.from(text.slice(0, longest * 2));
  return characters.length > longest || text.length > longest * 2
    ? `${characters.slice(0, longest).join('')}…`
    : text;
}
