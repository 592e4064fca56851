import { userInfo } from 'node:os';
import Koa, { type Context } from 'koa';
import type { Database } from '../database/connection.ts';
import { ListenerError } from '../errors.ts';
import { readBody } from '../http/read-body.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import { deliveriesPage } from './deliveries-page.ts';
import { filesRoutes } from './files-page.ts';
import { type Html, html } from './html.ts';
import { type LiveViews, liveRoutes, liveViews } from './live.ts';
import { type ActingParts, operationsRoutes } from './operations-page.ts';
import { POLICY, servedPage } from './page.ts';
import {
  access,
  type ConsoleRights,
  cookieName,
  GUARD_FIELD,
  guardField,
  guardOf,
  isFromOwnPage,
  isLoopbackHost,
  isSame,
  newRights,
  type Right,
  type Route,
  type Viewer,
} from './rights.ts';
import { runRoutes } from './run-page.ts';

/** What {@link startConsole} works with. */
export interface ConsoleOptions {
  readonly database: Database;
  /** 0 picks a free one. */
  readonly port: number;
  /** @default one that nobody can guess */
  readonly token?: string;
  /** What whoever has the token may do. @default look */
  readonly rights?: readonly Right[];
  /** What acts need. @default nobody can act */
  readonly acting?: ActingParts;
  /** @default all that there are */
  readonly routes?: readonly Route[];
  /** Called with what could not be answered. */
  readonly onError: (error: unknown) => void;
}

/** Pages that are served. */
export interface RunningConsole {
  /** Address that opens the console in a browser, with its token. */
  readonly address: string;
  /** The same, of one run. */
  addressOf(runId: string): string;
  close(): Promise<void>;
}

/** Only this machine reaches it. */
const HOST = '127.0.0.1';

/** Of a page that follows what happens: it may load one script and one stream, both the console's. */
const LIVE_POLICY = `${POLICY}; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'`;

/** Requests that are running when it is closed have so long. */
const CLOSE_MS = 1_000;

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': `${POLICY}; form-action 'self'; frame-ancestors 'none'`,
  'Cache-Control': 'no-store',
  // With no-referrer a browser would hide the origin of a form (Fetch, "append a request `Origin` header").
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Serves pages on what the database knows, to browsers of this machine that have the token.
 *
 * @throws Error with one clear line where the port can't be had
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const rights = newRights(options.token);
  let server: HttpServer | undefined;
  const live = liveViews(options);
  const routes = options.routes ?? routesOf(options, live);
  const app = consoleApp({ ...options, routes }, rights, () => server?.port ?? 0);
  const answer = app.callback();
  server = await startHttpServer((request, response) => void answer(request, response), {
    port: options.port,
    portSetting: '--port',
    host: HOST,
  });
  const origin = `http://${HOST}:${server.port}`;
  const { close } = server;
  return {
    address: `${origin}/?token=${rights.token}`,
    addressOf: (runId) => `${origin}/runs/${runId}?token=${rights.token}`,
    close() {
      live.close();
      return close(CLOSE_MS);
    },
  };
}

const DELIVERIES: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/$/,
    right: 'look',
    answer: async (visit) => ({
      ...{ title: 'Deliveries', isLive: true },
      body: await deliveriesPage(visit),
    }),
  },
];

/** Everything that a console serves. */
export function routesOf(
  { acting }: Pick<ConsoleOptions, 'acting'>,
  live: LiveViews,
): readonly Route[] {
  const canAct = acting !== undefined;
  return [
    ...DELIVERIES,
    ...filesRoutes(acting?.rehearsing),
    ...runRoutes(canAct),
    ...operationsRoutes(acting),
    ...liveRoutes(live),
  ];
}

/** Whom a request comes from, and what a form of theirs holds; null where an answer was given in place of it. */
type Admission = { readonly viewer: Viewer; readonly guard: string | undefined } | null;

function consoleApp(options: ConsoleOptions, rights: ConsoleRights, port: () => number): Koa {
  const app = new Koa();
  app.on('error', options.onError);
  const viewer: Viewer = {
    name: userInfo().username,
    rights: new Set(options.rights ?? ['look']),
    clients: undefined,
  };
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof ListenerError)) throw error;
      refuse(ctx, error.status, error.message);
    }
  });
  app.use(async (ctx) => {
    ctx.set(HEADERS);
    if (!isLoopbackHost(ctx.get('Host')))
      return refuse(ctx, 421, 'This console answers on this machine only.');
    const admission = admit(ctx, rights, { viewer, cookie: cookieName(port()) });
    if (admission === null) return;
    await serve(ctx, options, admission);
  });
  return app;
}

/** Finds out who asks; answers where nobody is let in, and where a session begins. */
function admit(
  ctx: Context,
  rights: ConsoleRights,
  { viewer, cookie }: { readonly viewer: Viewer; readonly cookie: string },
): Admission {
  const { token, ...query } = firstOf(ctx.query);
  const session = ctx.cookies.get(cookie);
  const authorization = ctx.get('Authorization') || undefined;
  switch (access({ token, session, authorization }, rights)) {
    case 'none':
      refuse(ctx, 401, 'Open the address that the console printed when it was started.');
      return null;
    case 'begins session': {
      ctx.cookies.set(cookie, rights.session, { httpOnly: true, sameSite: 'strict', path: '/' });
      const rest = new URLSearchParams(query).toString();
      seeOther(ctx, `${ctx.path}${rest === '' ? '' : `?${rest}`}`);
      return null;
    }
    case 'script':
      return { viewer, guard: undefined };
    case 'session':
      return { viewer, guard: guardOf(rights.session) };
  }
}

async function serve(
  ctx: Context,
  { database, routes = [] }: ConsoleOptions,
  { viewer, guard }: NonNullable<Admission>,
): Promise<void> {
  const here = routes.filter(({ path }) => path.test(ctx.path));
  const method = ctx.method === 'HEAD' ? 'GET' : ctx.method;
  const route = here.find((one) => one.method === method);
  if (here.length === 0) return refuse(ctx, 404, 'There is no such page.');
  if (route === undefined) {
    ctx.set(
      'Allow',
      here.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : 'POST')),
    );
    return refuse(ctx, 405, 'That is not done here.');
  }
  if (!viewer.rights.has(route.right))
    return refuse(ctx, 403, `${viewer.name} has no right to ${route.right} here.`);
  const form = route.method === 'POST' ? await guardedForm(ctx, guard) : {};
  if (form === undefined)
    return refuse(ctx, 403, 'A page of this console did not send that. Open it again.');
  const [, ...groups] = route.path.exec(ctx.path) ?? [];
  const answer = await route.answer({
    ...{ database, viewer, form },
    query: firstOf(ctx.query),
    parameters: groups.map((group) => group ?? ''),
    guard: guardField(guard),
  });
  if (answer === undefined) return refuse(ctx, 404, 'There is no such page.');
  if ('seeOther' in answer) return seeOther(ctx, answer.seeOther);
  if ('json' in answer) {
    ctx.type = 'application/json';
    ctx.body = `${JSON.stringify(answer.json, null, 2)}\n`;
    return;
  }
  if ('script' in answer) {
    ctx.type = 'text/javascript; charset=utf-8';
    ctx.body = answer.script;
    return;
  }
  if ('stream' in answer) {
    ctx.type = 'text/event-stream';
    ctx.body = answer.stream;
    return;
  }
  if ('file' in answer) {
    ctx.type = answer.file.type;
    // A text of ours alone may name a file in a header; RFC 8187 has the form for others.
    ctx.set(
      'Content-Disposition',
      `attachment; filename*=UTF-8''${encodeURIComponent(answer.file.name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`,
    );
    ctx.body = answer.file.text;
    return;
  }
  ctx.status = answer.status ?? 200;
  if (answer.isLive) ctx.set('Content-Security-Policy', LIVE_POLICY);
  const script = answer.isLive && html`\n<script src="/live.js" defer></script>`;
  page(ctx, answer.title, html`${answer.body}${script}`, answer.refreshSeconds);
}

/** Largest form in bytes. */
const FORM_BYTES = 65_536;

/** @returns the fields, without the guard; undefined where no page of ours sent them */
async function guardedForm(
  ctx: Context,
  guard: string | undefined,
): Promise<Readonly<Record<string, string>> | undefined> {
  const [origin, site] = [ctx.get('Origin') || undefined, ctx.get('Sec-Fetch-Site') || undefined];
  // ctx.origin would be the header again.
  if (!isFromOwnPage({ origin, site }, `http://${ctx.host}`)) return undefined;
  if (!ctx.is('application/x-www-form-urlencoded')) return undefined;
  const body = new URLSearchParams(await readBody(ctx.req, { limitBytes: FORM_BYTES }));
  const { [GUARD_FIELD]: given = '', ...form } = Object.fromEntries([...body].reverse());
  return guard === undefined || isSame(given, guard) ? form : undefined;
}

/** One value for each name: the first. */
function firstOf(query: Context['query']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, [value].flat()[0] ?? '']),
  );
}

/** Goes on to a path of the console: two slashes would lead to another host (RFC 3986, section 4.2). */
function seeOther(ctx: Context, path: string): void {
  ctx.status = 303;
  ctx.set('Location', `/${path.replace(/^[/\\]+/, '')}`);
}

/** On every page. */
const NAVIGATION = html`<nav aria-label="Console"><a href="/">Deliveries</a> <a href="/files">Monitored files</a> <a href="/operations">Operations</a></nav>`;

function page(ctx: Context, title: string, content: Html, refresh?: number): void {
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = servedPage(title, html`${NAVIGATION}\n${content}`, refresh);
}

function refuse(ctx: Context, status: number, reason: string): void {
  ctx.status = status;
  page(ctx, `${status}`, html`<main><h1>${status}</h1><p>${reason}</p></main>`);
}
