import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/connection.ts';
import { progressOf } from '../database/judgements.ts';
import { findRuns, listRuns } from '../database/runs.ts';
import { ON_A_PAGE, runRow } from './deliveries-page.ts';
import { html } from './html.ts';
import type { Route, Viewer } from './rights.ts';

/** Lists of deliveries that follow what happens, for any number of viewers. */
export interface LiveViews {
  /**
   * A stream of server-sent events for one viewer: first the newest rows, then those that change.
   *
   * @param session its end ends the stream. @default none, and the stream ends after a minute
   * @returns why there is none, where as many are open as may be
   */
  open(viewer: Pick<Viewer, 'name' | 'clients'>, session?: string): PassThrough | 'all' | 'own';
  /** Ends the streams of a session at once. */
  endOf(session: string): void;
  readonly size: number;
  /** Whether the database is being asked. */
  readonly isLooking: boolean;
  /** Ends every stream. */
  close(): void;
}

/** What {@link liveViews} works with. */
export interface LiveOptions {
  readonly database: Database;
  /** Called with what a look at the database failed with; the next one may succeed. */
  readonly onError: (error: unknown) => void;
  /** Between two looks, in milliseconds. @default 2000 */
  readonly everyMs?: number;
  /** Streams that may be open. @default 200 */
  readonly most?: number;
  /** Of these, one viewer's. @default 10 */
  readonly mostOfOne?: number;
  /** Which of some sessions have not ended. @default all */
  readonly lasting?: (sessions: readonly string[]) => Promise<ReadonlySet<string>>;
}

/**
 * A stream ends by itself after this, and a browser opens another. Nobody here knows that whoever came by a proxy or a token
 * has signed out.
 */
const LONGEST_MS = { ofSession: 300_000, ofOthers: 60_000 };

/** A browser that takes nothing any more is let go: bytes that wait for it. */
const MOST_WAITING_BYTES = 2_000_000;

/** Whose a stream is. */
interface Watching extends Pick<Viewer, 'name' | 'clients'> {
  readonly session: string | undefined;
}

interface Row {
  readonly id: string;
  /** When it was heard of, by which rows are in order. */
  readonly at: string;
  readonly html: string;
  /** What must change for it to be sent again; its age alone does not. */
  readonly content: string;
}

/**
 * Looks at the newest deliveries as long as somebody watches: once for all who watch, and once more for each set of clients
 * to whom viewers are bound.
 */
export function liveViews(options: LiveOptions): LiveViews {
  const { database, onError, everyMs = 2_000, most = 200, mostOfOne = 10, lasting } = options;
  const streams = new Map<PassThrough, Watching>();
  const end = new AbortController();
  let isLooking = false;
  /** By viewers' clients: what was last sent. */
  let seen = new Map<string, readonly Row[]>();

  const write = (stream: PassThrough, rows: readonly Row[]) => {
    if (!stream.writable) return;
    // A comment keeps proxies from closing what is silent.
    const sent = rows.map(({ id, at, html: row }) => ({ id, at, html: row }));
    stream.write(rows.length === 0 ? ':\n\n' : `event: rows\ndata: ${JSON.stringify(sent)}\n\n`);
    if (stream.writableLength > MOST_WAITING_BYTES) stream.destroy();
  };

  const endOf = (isOver: (session: string) => boolean) => {
    for (const [stream, { session }] of streams) {
      // A browser asks again, and is told that it is not signed in.
      if (session !== undefined && isOver(session)) stream.destroy();
    }
  };

  const endOld = async () => {
    const sessions = [...streams.values()].flatMap(({ session }) => session ?? []);
    if (lasting === undefined || sessions.length === 0) return;
    const present = await lasting(sessions);
    // One that was begun meanwhile was not asked for.
    const over = new Set(sessions.filter((session) => !present.has(session)));
    endOf((session) => over.has(session));
  };

  const lookOnce = async () => {
    await endOld();
    const now = new Map<string, readonly Row[]>();
    const all = await newestRows(database);
    for (const { clients } of streams.values()) {
      const name = nameOf(clients);
      if (!now.has(name)) now.set(name, await visibleRows(database, all, clients));
    }
    for (const [stream, { clients }] of streams) {
      const rows = now.get(nameOf(clients)) ?? [];
      const before = new Map(seen.get(nameOf(clients))?.map(({ id, content }) => [id, content]));
      write(
        stream,
        rows.filter(({ id, content }) => before.get(id) !== content),
      );
    }
    seen = now;
  };

  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    while (streams.size > 0 && !end.signal.aborted) {
      await lookOnce().catch(onError);
      await delay(everyMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
    isLooking = false;
    // What was seen is old when somebody watches again.
    seen = new Map();
  };

  return {
    open({ name, clients }, session) {
      if (streams.size >= most || end.signal.aborted) return 'all';
      const own = [...streams.values()].filter((other) => other.name === name);
      if (own.length >= mostOfOne) return 'own';
      const stream = new PassThrough();
      const longest = session === undefined ? LONGEST_MS.ofOthers : LONGEST_MS.ofSession;
      const tooOld = setTimeout(() => stream.end(), longest).unref();
      stream.once('close', () => {
        clearTimeout(tooOld);
        streams.delete(stream);
      });
      // What has changed between the page and now is among them.
      const rows = seen.get(nameOf(clients));
      if (rows !== undefined) write(stream, rows);
      streams.set(stream, { name, clients, session });
      void look();
      return stream;
    },
    endOf: (session) => endOf((one) => one === session),
    get size() {
      return streams.size;
    },
    get isLooking() {
      return isLooking;
    },
    close() {
      end.abort();
      for (const stream of streams.keys()) stream.destroy();
    },
  };
}

function nameOf(clients: Viewer['clients']): string {
  return JSON.stringify(clients?.toSorted() ?? null);
}

async function newestRows(database: Database): Promise<readonly Row[]> {
  const runs = await listRuns(database, { limit: ON_A_PAGE });
  const pending = runs.filter(({ status }) => status === 'queued' || status === 'running');
  const progress = await progressOf(
    database,
    pending.map(({ id }) => id),
  );
  const byRun = new Map(progress.map((one) => [one.runId, one]));
  const now = new Date();
  return runs.map((run) => {
    const { id, createdAt, status, verdict, rules, rowCount, faultCount } = run;
    const made = byRun.get(id);
    return {
      ...{ id, at: createdAt.toISOString() },
      html: html`${runRow(run, now, made)}`.text,
      content: JSON.stringify([status, verdict, rules, rowCount, faultCount, made]),
    };
  });
}

/** Of some rows those that there are for viewers who are bound to clients. */
async function visibleRows(
  database: Database,
  rows: readonly Row[],
  clients: Viewer['clients'],
): Promise<readonly Row[]> {
  if (clients === undefined || rows.length === 0) return rows;
  const visible = await findRuns(
    database,
    rows.map(({ id }) => id),
    { clients },
  );
  const ids = new Set(visible.map(({ id }) => id));
  return rows.filter(({ id }) => ids.has(id));
}

/** Why there is no stream for somebody. */
const FULL = {
  all: [503, 'The maximum number of live views is open.'],
  own: [429, 'You have the maximum number of live views open.'],
} as const;

/** The stream of the list of deliveries, and the script that follows it. */
export function liveRoutes(views: LiveViews): readonly Route[] {
  return [
    {
      ...{ method: 'GET', path: /^\/live$/, right: 'look' },
      async answer({ viewer, session }) {
        const stream = views.open(viewer, session);
        if (typeof stream === 'object') return { stream };
        const [status, why] = FULL[stream];
        const body = html`<main><h1>${status}</h1><p>${why}</p></main>`;
        return { title: `${status}`, body, status };
      },
    },
    {
      ...{ method: 'GET', path: /^\/live\.js$/, right: 'look' },
      answer: async () => ({ script: SCRIPT }),
    },
  ];
}

/**
 * Follows the stream on the page of deliveries: puts a row in the place of the one that it is about, and a new one where its
 * time belongs, where the page shows the newest of all. The page works without it.
 */
const SCRIPT = `'use strict';
(() => {
  const AGAIN_MS = 30000;
  const list = document.querySelector('tbody[data-live]');
  if (list === null) return;
  const rowOf = (markup) => {
    const template = document.createElement('template');
    template.innerHTML = markup;
    return template.content.firstElementChild;
  };
  const put = ({ id, at, html }) => {
    const row = rowOf(html);
    const old = document.getElementById('run-' + id);
    if (old !== null) {
      // Who is at its link by keyboard stays there.
      const isFocused = old.contains(document.activeElement);
      old.replaceWith(row);
      if (isFocused) row.querySelector('a').focus();
      return;
    }
    if (list.dataset.live !== 'newest') return;
    const next = [...list.rows].find((other) => other.dataset.at < at);
    if (next === undefined && list.rows.length >= ${ON_A_PAGE}) return;
    list.insertBefore(row, next ?? null);
    document.getElementById('count').textContent = 'Newest first';
    if (list.rows.length > ${ON_A_PAGE}) list.rows[list.rows.length - 1].remove();
  };
  const follow = () => {
    const stream = new EventSource('/live');
    stream.addEventListener('rows', ({ data }) => JSON.parse(data).toReversed().forEach(put));
    stream.addEventListener('error', () => {
      // A browser tries again by itself, unless it was refused.
      if (stream.readyState === EventSource.CLOSED) setTimeout(follow, AGAIN_MS);
    });
    addEventListener('pagehide', () => stream.close());
  };
  follow();
})();
`;
