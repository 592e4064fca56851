import { randomUUID } from 'node:crypto';
import type { DeliveryFilter } from '@file-processing/contract/s3-event.ts';
import { UsageError } from '../cli/command-context.ts';
import {
  type Batch,
  batchOf,
  discardBatch,
  discardedText,
  type Retried,
  retriedText,
  retryBatch,
} from '../cli/dead.ts';
import { amount, COUNT_AT_MOST, countText } from '../cli/report-text.ts';
import { rejudgeRuns, retryFailed } from '../cli/runs.ts';
import { BACKLOG_DAYS, backlogOf, COUNTED_TO, queueState } from '../database/backlog.ts';
import { bucketOutages, type KnownOutage } from '../database/bucket-outages.ts';
import type { Database } from '../database/connection.ts';
import { lastListings } from '../database/listed-objects.ts';
import { lastActs, recordActOnce } from '../database/privacy-events.ts';
import { findRuns } from '../database/runs.ts';
import { countMessages, listMessages } from '../database/sns-messages.ts';
import type { JobContext } from '../jobs/job.ts';
import { countDeadMessages, listDeadMessages } from '../notices/messages.ts';
import { countDeadRuns, listDeadRuns } from '../queue/dead-letters.ts';
import type { Queue } from '../queue/queue.ts';
import type { Outage } from '../storage/breaker.ts';
import { age } from './deliveries-page.ts';
import { type Html, html, type Part } from './html.ts';
import type { Answer, Route, Visit } from './rights.ts';

/** What acts need beside the database. */
export interface ActingParts {
  readonly queue: Queue;
  /** Which objects are deliveries: messages are read anew by it. */
  readonly filter: DeliveryFilter;
  /** What rules are rehearsed with. @default they are not */
  readonly rehearsing?: Pick<JobContext, 'store' | 'engine' | 'maxFaults'>;
}

/** What can be done with something that waits for somebody. */
const ACTS = {
  retry: { title: 'Try again', explains: 'Each is tried again as if it had just arrived.' },
  rejudge: {
    title: 'Judge again',
    explains: 'Each file is read and judged again by the current rules.',
  },
  discard: {
    title: 'Discard',
    explains: 'Each stays as it is, and is no longer listed. No file is deleted.',
  },
} as const;

type ActName = keyof typeof ACTS;

/** What an act can be about, as the names of a form's fields begin. */
const KINDS = ['run', 'message', 'notice'] as const;

type Kind = (typeof KINDS)[number];

/** Listed of each kind on one page. */
const ON_A_PAGE = 50;

/** Acts and listings that are shown, the last ones. */
const LAST = 20;

/** The pages on what waits for somebody, and what can be done with it. @param parts undefined where nobody may act */
export function operationsRoutes(parts: ActingParts | undefined): readonly Route[] {
  const look: Route = {
    method: 'GET',
    path: /^\/operations$/,
    right: 'look',
    answer: async (visit) =>
      // What waits may be of any client.
      visit.viewer.clients === undefined
        ? { title: 'Operations', body: await operationsPage(visit, parts !== undefined) }
        : undefined,
  };
  if (parts === undefined) return [look];
  return [
    look,
    { method: 'GET', path: /^\/operations\/confirm$/, right: 'act', answer: confirmPage },
    {
      method: 'POST',
      path: /^\/operations\/act$/,
      right: 'act',
      answer: (visit) => performAct(visit, parts),
    },
  ];
}

/** Address of the page that asks whether an act on a run is meant. */
export function confirmAddress(act: ActName, runId: string): string {
  return `/operations/confirm?act=${act}&run-${runId}=on`;
}

/** @param canAct whether the console can act at all */
async function operationsPage(
  { database, viewer, query }: Visit,
  canAct: boolean,
  now = new Date(),
): Promise<Html> {
  const after = (kind: Kind) => (query[`after-${kind}`] ? { after: query[`after-${kind}`] } : {});
  const [backlog, queued, runs, messages, notices, counts, listings, acts, outages] =
    await Promise.all([
      backlogOf(database, { writesReports: false }),
      queueState(database),
      listDeadRuns(database, after('run') as { after?: string }, ON_A_PAGE + 1),
      listMessages(database, 'dead', after('message') as { after?: string }, ON_A_PAGE + 1),
      listDeadMessages(database, after('notice') as { after?: string }, ON_A_PAGE + 1),
      Promise.all([
        countDeadRuns(database, {}, COUNT_AT_MOST),
        countMessages(database, 'dead', {}, COUNT_AT_MOST),
        countDeadMessages(database, {}, COUNT_AT_MOST),
      ]),
      lastListings(database, LAST),
      lastActs(database, LAST),
      bucketOutages(database, LAST),
    ]);
  const since = (time: Date) =>
    html`<time datetime="${time.toISOString()}" title="${time.toISOString()}">${age(now.getTime() - time.getTime())}</time>`;
  const mayAct = canAct && viewer.rights.has('act');
  const lists = [
    listSection('run', counts[0], mayAct, {
      title: 'Runs whose attempts are used up',
      heads: ['Age', 'Attempts', 'File', 'Why'],
      rows: runs.map(({ id, createdAt, attempts, bucket, key, error }) => ({
        ...{ id, name: `${bucket}/${key}` },
        cells: [
          since(createdAt),
          attempts,
          html`<a href="/runs/${id}"><span class="text">${bucket}/${key}</span></a>`,
          error ?? 'its error was deleted for its age',
        ],
      })),
    }),
    listSection('message', counts[1], mayAct, {
      title: 'Messages that could not be read',
      heads: ['Age', 'From', 'Why'],
      rows: messages.map(({ messageId: id, receivedAt, topicArn, reason }) => ({
        ...{ id, name: id },
        cells: [since(receivedAt), html`<span class="text">${topicArn}</span>`, reason],
      })),
    }),
    listSection('notice', counts[2], mayAct, {
      title: 'Notices that were not delivered',
      heads: ['Age', 'Attempts', 'To', 'Why'],
      rows: notices.map(({ id, createdAt, attempts, way, target, error }) => ({
        ...{ id, name: `${way} ${target}` },
        cells: [
          since(createdAt),
          attempts,
          html`${way} <span class="text">${target}</span>`,
          error,
        ],
      })),
    }),
  ];
  const isEmpty = counts.every((count) => count === 0);
  return html`<header><h1>Operations</h1></header>
<main>
${toldOf(query)}
<section aria-labelledby="waits">
<h2 id="waits">What waits</h2>
<dl>${[
    ['Due', counted(queued.waiting, 'judgement')],
    ['In hand', counted(queued.running, 'judgement')],
    ['Postponed', `${counted(queued.postponed, 'judgement')}, each until its next attempt`],
    [
      'Oldest',
      backlog.oldestWaitingSeconds < 1 ? 'none' : age(backlog.oldestWaitingSeconds * 1000),
    ],
    ['Late', counted(backlog.lateDeliveries, 'delivery', 'deliveries')],
    ['Missing', counted(backlog.missingDeliveries, 'delivery', 'deliveries')],
    ['Without rules', `${counted(backlog.unmonitoredFiles, 'file')} in ${BACKLOG_DAYS} days`],
  ].map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>
</section>
${outageSection(outages, since)}
${
  mayAct && !isEmpty
    ? html`<form method="get" action="/operations/confirm" class="stacked">
${lists}
<p><button name="act" value="retry">Try the chosen ones again</button> <button name="act" value="discard">Discard the chosen ones</button></p>
</form>`
    : lists
}
${listingSection(listings, since)}
${actSection(acts, since)}
</main>`;
}

/** What is lacking, by the kind of an outage. */
const LACKS: Readonly<Record<Outage, string>> = {
  access: 'rights to the bucket',
  kms: 'rights to its encryption key',
  throttling: 'answers of S3, which refuses for load',
  network: 'a connection to S3',
};

function outageSection(outages: readonly KnownOutage[], since: (time: Date) => Html): Part {
  if (outages.length === 0) return undefined;
  const rows = outages.map(
    ({ bucket, way, outage, since: time, processes }) => html`<tr>
<td>${since(time)}</td><td><span class="text">${bucket}</span></td><td>${way === 'read' ? 'read' : 'written to'}</td>
<td>${outage}: ${LACKS[outage as Outage] ?? ''}</td><td class="number">${processes}</td>
</tr>`,
  );
  return html`<section aria-labelledby="outages">
<h2 id="outages">Bucket outages</h2>
<p>Their files wait, and each bucket is tried every ten seconds.</p>
<div class="wide" tabindex="0" role="region" aria-label="Table of buckets that are out"><table>
<thead><tr><th scope="col">For</th><th scope="col">Bucket</th><th scope="col">Can’t be</th><th scope="col">Lacking</th><th scope="col" class="number">Processes</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}

function counted(count: number, unit: string, units = `${unit}s`): string {
  const text = count.toLocaleString('en-US');
  return `${count === COUNTED_TO ? `${text} or more` : text} ${count === 1 ? unit : units}`;
}

interface DeadList {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly {
    readonly id: string;
    /** To choose it by. */
    readonly name: string;
    readonly cells: readonly Part[];
  }[];
}

function listSection(
  kind: Kind,
  all: number,
  mayAct: boolean,
  { title, heads, rows }: DeadList,
): Html {
  const shown = rows.slice(0, ON_A_PAGE);
  const more = rows.length > ON_A_PAGE ? shown.at(-1) : undefined;
  const choose = (id: string, name: string) =>
    mayAct &&
    html`<td><input type="checkbox" name="${`${kind}-${id}`}" aria-label="${`Choose ${name}`}"></td>`;
  return html`<section aria-labelledby="dead-${kind}s">
<h2 id="dead-${kind}s">${title}: ${all === 0 ? 'none' : countText(shown.length, all)}</h2>
${
  shown.length > 0 &&
  html`<div class="wide" tabindex="0" role="region" aria-label="${`Table: ${title}`}"><table>
<thead><tr>${mayAct && html`<th scope="col">Choose</th>`}${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${shown.map(
    ({
      id,
      name,
      cells,
    }) => html`<tr>${choose(id, name)}${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody>
</table></div>`
}
${more !== undefined && html`<p><a href="/operations?after-${kind}=${more.id}">Older</a></p>`}
</section>`;
}

function listingSection(
  listings: Awaited<ReturnType<typeof lastListings>>,
  since: (time: Date) => Html,
): Html {
  const rows = listings.map(({ endedAt, places, counts, reason }) => {
    const of = (name: string) => (counts[name] ?? 0).toLocaleString('en-US');
    return html`<tr>
<td>${since(endedAt)}</td><td>${places.map(({ bucket, prefix }) => html`<span class="text">${bucket}/${prefix}</span> `)}</td>
<td class="number">${of('listed')}</td><td class="number">${of('missing')}</td><td class="number">${of('again')}</td><td class="number">${of('failed')}</td><td>${reason ?? '–'}</td>
</tr>`;
  });
  return html`<section aria-labelledby="listings">
<h2 id="listings">Listings of the buckets</h2>
${
  rows.length === 0
    ? html`<p>No backfill or reconciliation has ended yet.</p>`
    : html`<div class="wide" tabindex="0" role="region" aria-label="Table of listings"><table>
<thead><tr><th scope="col">Age</th><th scope="col">Place</th><th scope="col" class="number">Listed</th><th scope="col" class="number">Not announced</th><th scope="col" class="number">There again</th><th scope="col" class="number">Ended in error</th><th scope="col">Reason</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}
</section>`;
}

function actSection(acts: Awaited<ReturnType<typeof lastActs>>, since: (time: Date) => Html): Part {
  if (acts.length === 0) return undefined;
  const rows = acts.map(
    ({ at, act, actor, via, reason }) =>
      html`<tr><td>${since(at)}</td><td>${act}</td><td>${actor}, by ${via}</td><td>${reason}</td></tr>
`,
  );
  return html`<section aria-labelledby="acts">
<h2 id="acts">What was done</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of acts"><table>
<thead><tr><th scope="col">Age</th><th scope="col">Act</th><th scope="col">Who</th><th scope="col">Reason</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</section>`;
}

/** What fields of a form or of an address choose. @returns undefined where one of it is not there */
async function chosenBatch(
  database: Database,
  fields: Readonly<Record<string, string>>,
): Promise<Batch | undefined> {
  const ids = Object.keys(fields).flatMap((name) => {
    const kind = KINDS.find((one) => name.startsWith(`${one}-`));
    return kind === undefined ? [] : [name.slice(kind.length + 1)];
  });
  // PostgreSQL's texts have no NUL.
  if (ids.some((id) => id.includes('\0'))) return undefined;
  try {
    const batch = await batchOf(database, ids);
    // The commands also take `latest` and the beginning of an id, by which other clients' runs would count.
    return batch.runIds.every((id) => ids.includes(id)) ? batch : undefined;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function actOf(fields: Readonly<Record<string, string>>): ActName | undefined {
  return (Object.keys(ACTS) as ActName[]).find((name) => name === fields.act);
}

async function confirmPage({ database, viewer, query, guard }: Visit): Promise<Answer | undefined> {
  const act = actOf(query);
  if (act === undefined) return undefined;
  const batch = await chosenBatch(database, query);
  if (batch === undefined) return undefined;
  const { runIds, messages, noticeIds } = batch;
  if (viewer.clients !== undefined && messages.length + noticeIds.length > 0) return undefined;
  const { title, explains } = ACTS[act];
  if (runIds.length + messages.length + noticeIds.length === 0) {
    const body = html`<main><h1>${title}</h1><p>Nothing is chosen.</p><p><a href="/operations">Back to Operations</a></p></main>`;
    return { title, body, status: 400 };
  }
  const runs = await findRuns(database, runIds, viewer);
  if (runs.length < new Set(runIds).size) return undefined;
  const items = [
    ...runs.map(({ id, bucket, key }) => ['run', id, `${bucket}/${key}`] as const),
    ...messages.map(({ messageId }) => ['message', messageId, messageId] as const),
    ...noticeIds.map((id) => ['notice', id, id] as const),
  ];
  const body = html`<header>
<h1>${title}: ${amount(items.length, 'item')}</h1>
<p>${explains}</p>
</header>
<main>
<ul>${items.map(([kind, , name]) => html`<li>${kind} <span class="text">${name}</span></li>`)}</ul>
<form method="post" action="/operations/act" class="stacked">
${guard}<input type="hidden" name="act" value="${act}"><input type="hidden" name="form" value="${randomUUID()}">
${items.map(([kind, id]) => html`<input type="hidden" name="${`${kind}-${id}`}" value="on">`)}
<p><label>Reason, which is recorded with your name (${viewer.name}): <input name="reason" required maxlength="500" size="60" autocomplete="off" autofocus></label></p>
<p><button>${title}</button> <a href="/operations">Leave everything as it is</a></p>
</form>
</main>`;
  return { title, body };
}

/** Names the form, so that one that is sent twice acts once. */
const FORM = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function performAct(
  { database, viewer, form }: Visit,
  parts: ActingParts,
): Promise<Answer | undefined> {
  const act = actOf(form);
  const reason = (form.reason ?? '').trim();
  const { form: formId = '' } = form;
  if (act === undefined || !FORM.test(formId)) return undefined;
  const batch = await chosenBatch(database, form);
  if (batch === undefined) return undefined;
  const { runIds, messages, noticeIds } = batch;
  if (viewer.clients !== undefined && messages.length + noticeIds.length > 0) return undefined;
  const runs = await findRuns(database, runIds, viewer);
  if (runs.length < new Set(runIds).size) return undefined;
  if (reason === '') {
    const body = html`<main><h1>A reason is needed</h1><p>Nothing was done. The reason is recorded with the action, so that others know why.</p></main>`;
    return { title: 'A reason is needed', body, status: 400 };
  }
  const messageIds = messages.map(({ messageId }) => messageId);
  const subject = { form: formId, runIds, messageIds, noticeIds };
  const isNew = await recordActOnce(database, {
    ...{ act, actor: viewer.name, via: 'console', reason, subject },
  });
  // Who is bound to clients sees no Operations, and has come from the page of a run.
  const back = viewer.clients === undefined ? '/operations' : `/runs/${runIds[0]}`;
  // Sent twice: what the first one did is on the page.
  if (!isNew) return { seeOther: back };
  const done = await DO[act](database, parts, batch, reason);
  const told = viewer.clients === undefined ? `?${new URLSearchParams({ did: act, ...done })}` : '';
  return { seeOther: `${back}${told}` };
}

type Counts = Record<string, string>;

const DO: Readonly<
  Record<
    ActName,
    (database: Database, parts: ActingParts, batch: Batch, reason: string) => Promise<Counts>
  >
> = {
  async retry(database, { queue, filter }, batch, reason) {
    const done = await retryBatch({ database, queue, filter }, batch, reason);
    // Also those that are not dead letters: their object was gone or replaced.
    const others = await retryFailed(database, queue, batch.runIds, reason);
    const { unread, ...counts } = { ...done, judgements: done.judgements + others };
    return texts({ ...counts, unread: unread.length });
  },
  async rejudge(database, { queue }, { runIds }, reason) {
    return texts({ judgements: await rejudgeRuns(database, queue, runIds, reason) });
  },
  async discard(database, { queue }, batch, reason) {
    return texts({ ...(await discardBatch({ database, queue }, batch, reason)) });
  },
};

function texts(counts: Readonly<Record<string, number>>): Counts {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [[name, `${count}`]] : [])),
  );
}

/** What was just done, of which the address has the figures. */
function toldOf(query: Visit['query']): Part {
  const did = actOf({ act: query.did ?? '' });
  if (did === undefined) return undefined;
  const count = (name: string) => (/^\d{1,6}$/.test(query[name] ?? '') ? Number(query[name]) : 0);
  const text =
    did === 'discard'
      ? discardedText({
          runs: count('runs'),
          messages: count('messages'),
          notices: count('notices'),
        })
      : retriedText({
          ...{ judgements: count('judgements'), reports: count('reports') },
          ...{ messages: count('messages'), newRuns: count('newRuns'), ignored: count('ignored') },
          ...{ notices: count('notices'), unread: [] satisfies Retried['unread'] },
        });
  const unread = count('unread');
  return html`<p role="status">${text.trim().replaceAll('\n', '; ')}${unread > 0 && `; still not read: ${amount(unread, 'message')}`}</p>`;
}
