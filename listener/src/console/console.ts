import Koa, { type Context } from 'koa';
import type { Database } from '../database/connection.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import { type DeliveryQuery, deliveriesPage } from './deliveries-page.ts';
import { filePage, filesPage } from './files-page.ts';
import { type Html, html } from './html.ts';
import { POLICY, servedPage } from './page.ts';
import { access, type ConsoleRights, cookieName, isLoopbackHost, newRights } from './rights.ts';
import { runPage, runReport } from './run-page.ts';

/** What {@link startConsole} works with. */
export interface ConsoleOptions {
  readonly database: Database;
  /** 0 picks a free one. */
  readonly port: number;
  /** @default one that nobody can guess */
  readonly token?: string;
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

/** Until the page of a run that is judged asks again. */
const REFRESH_SECONDS = 2;

/** Requests that are running when it is closed have so long. */
const CLOSE_MS = 1_000;

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': `${POLICY}; form-action 'self'; frame-ancestors 'none'`,
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Serves pages on what the database knows, to browsers of this machine that have the token; they change nothing.
 *
 * @throws Error with one clear line where the port can't be had
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const rights = newRights(options.token);
  let server: HttpServer | undefined;
  const app = consoleApp(options, rights, () => server?.port ?? 0);
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
    close: () => close(CLOSE_MS),
  };
}

function consoleApp(
  { database, onError }: ConsoleOptions,
  rights: ConsoleRights,
  port: () => number,
): Koa {
  const app = new Koa();
  app.on('error', onError);
  app.use(async (ctx, next) => {
    ctx.set(HEADERS);
    if (!isLoopbackHost(ctx.get('Host')))
      return refuse(ctx, 421, 'This console answers on this machine only.');
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD');
      return refuse(ctx, 405, 'There is nothing to change here.');
    }
    const { token, ...query } = queryOf(ctx);
    const cookie = cookieName(port());
    const session = ctx.cookies.get(cookie);
    switch (
      access({ token, session, authorization: ctx.get('Authorization') || undefined }, rights)
    ) {
      case 'none':
        return refuse(ctx, 401, 'Open the address that the console printed when it was started.');
      case 'begins session': {
        ctx.cookies.set(cookie, rights.session, { httpOnly: true, sameSite: 'strict', path: '/' });
        const rest = new URLSearchParams(query).toString();
        ctx.status = 303;
        // Two slashes would lead to another host (RFC 3986, section 4.2).
        ctx.set('Location', `/${ctx.path.replace(/^[/\\]+/, '')}${rest === '' ? '' : `?${rest}`}`);
        return;
      }
      case 'session':
        await next();
    }
  });
  app.use(async (ctx) => {
    const [, fileId] = /^\/files\/(\d{1,9})$/.exec(ctx.path) ?? [];
    const [, id, isReport] = /^\/runs\/([0-9a-f-]{36})(\/report\.json)?$/.exec(ctx.path) ?? [];
    if (ctx.path === '/') {
      page(ctx, 'Deliveries', await deliveriesPage(database, queryOf(ctx) as DeliveryQuery));
    } else if (ctx.path === '/files') {
      page(ctx, 'Monitored files', await filesPage(database));
    } else if (fileId !== undefined) {
      const file = await filePage(database, Number(fileId));
      if (file === undefined) return refuse(ctx, 404, 'There is no such monitored file.');
      page(ctx, 'Monitored file', file);
    } else if (id !== undefined && isReport !== undefined) {
      const report = await runReport(database, id);
      if (report === undefined) return refuse(ctx, 404, 'There is no such report.');
      ctx.type = 'application/json';
      ctx.body = `${JSON.stringify(report, null, 2)}\n`;
    } else if (id !== undefined) {
      const run = await runPage(database, id);
      if (run === undefined) return refuse(ctx, 404, 'There is no such delivery.');
      page(ctx, run.title, run.body, run.isPending ? REFRESH_SECONDS : undefined);
    } else refuse(ctx, 404, 'There is no such page.');
  });
  return app;
}

/** One value for each name: the first. */
function queryOf({ query }: Context): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, [value].flat()[0] ?? '']),
  );
}

/** On every page. */
const NAVIGATION = html`<nav aria-label="Console"><a href="/">Deliveries</a> <a href="/files">Monitored files</a></nav>`;

function page(ctx: Context, title: string, content: Html, refresh?: number): void {
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = servedPage(title, html`${NAVIGATION}\n${content}`, refresh);
}

function refuse(ctx: Context, status: number, reason: string): void {
  ctx.status = status;
  page(ctx, `${status}`, html`<main><h1>${status}</h1><p>${reason}</p></main>`);
}
