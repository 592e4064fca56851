import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Readable } from 'node:stream';
import type { ConsoleRight } from '@file-processing/contract/console.ts';
import { PATHS } from '@file-processing/contract/listener-interface.ts';
import { isLoopbackHost } from '@file-processing/contract/notices.ts';
import Koa, { type Context } from 'koa';
import { signedIn } from '../cli/options.ts';
import {
  type ConsoleConfig,
  type ProxyConfig,
  readConsoleConfig,
} from '../config/console-config.ts';
import { variableReader } from '../config/read-variables.ts';
import type { Database } from '../database/connection.ts';
import { ListenerError } from '../errors.ts';
import { readBody } from '../http/read-body.ts';
import { startHttpServer } from '../http/server.ts';
import { deliveriesPage } from './deliveries-page.ts';
import { filesRoutes } from './files-page.ts';
import { type Html, html } from './html.ts';
import { type LiveViews, liveRoutes, liveViews } from './live.ts';
import { type ActingParts, operationsRoutes } from './operations-page.ts';
import { POLICY, servedPage } from './page.ts';
import {
  GUARD_FIELD,
  grantedTo,
  guardField,
  guardOf,
  isFromOwnPage,
  isSame,
  type Route,
  sha256,
  tokenHolder,
  type Viewer,
} from './rights.ts';
import { runRoutes } from './run-page.ts';
import {
  begin,
  end,
  nameOfSession,
  openProvider,
  ownerOf,
  type Provider,
  RETURN_PATH,
  type SessionOwner,
  SignInError,
  sessionsThatLast,
  takeLink,
} from './sign-in.ts';

/** What {@link startConsole} works with. */
export interface ConsoleOptions {
  readonly database: Database;
  /** 0 picks a free one. */
  readonly port: number;
  /** Where it listens, and who comes in by what. @default this machine alone, by the token */
  readonly settings?: ConsoleConfig;
  /** Opens a console that only this machine reaches. @default one that nobody can guess */
  readonly token?: string;
  /** What whoever has the token may do. @default look */
  readonly rights?: readonly ConsoleRight[];
  /** What acts need. @default nobody can act */
  readonly acting?: ActingParts;
  /** @default all that there are */
  readonly routes?: readonly Route[];
  /** Called with what could not be answered. */
  readonly onError: (error: unknown) => void;
  /** Called when somebody came in, left, or was not let in. */
  readonly onEvent?: (event: ConsoleEvent) => void;
}

/** Somebody came in or left; no secret is in it. */
export interface ConsoleEvent {
  readonly event: 'signed in' | 'signed out' | 'refused';
  /** Undefined where it is not known. */
  readonly name?: string;
  /** Why they were refused. */
  readonly reason?: string;
}

/** Pages that are served. */
export interface RunningConsole {
  /** Address that opens the console in a browser; with its token, where only this machine reaches it. */
  readonly address: string;
  readonly port: number;
  /** The same, of one run. */
  addressOf(runId: string): string;
  close(): Promise<void>;
}

/** Nothing is set. */
const DEFAULTS = readConsoleConfig(variableReader({}));

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
 * Serves pages on what the database knows: on this machine to whoever has the token, elsewhere to those whom the settings let in.
 *
 * @throws Error with one clear line where the port can't be had
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const { database, settings = DEFAULTS } = options;
  const { token = randomBytes(24).toString('base64url') } = options;
  const place = settings.isLocal ? `local ${sha256(token).toString('hex')}` : SERVICE;
  const { idleSeconds } = settings;
  const live = liveViews({
    ...options,
    lasting: (sessions) => sessionsThatLast(database, sessions, { place, idleSeconds }),
  });
  const routes = options.routes ?? routesOf(options, live);
  const answer = consoleApp({ ...options, settings, routes, live, place, token }).callback();
  const { port, close } = await startHttpServer(
    (request, response) => void answer(request, response),
    { port: options.port, portSetting: '--port', host: settings.host },
  );
  const host = isIPv6(settings.host) ? `[${settings.host}]` : settings.host;
  const [origin, query] = settings.isLocal
    ? [`http://${host}:${port}`, `?token=${token}`]
    : [settings.origin ?? `http://${host}:${port}`, ''];
  return {
    address: `${origin}/${query}`,
    port,
    addressOf: (runId) => `${origin}/runs/${runId}${query}`,
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

/** Whom a request comes from, and how. */
interface Admission {
  readonly viewer: Viewer;
  /** What a form of theirs holds; undefined for a script, which no page can make send its token. */
  readonly guard: string | undefined;
  /** What their browser keeps; undefined where they did not sign in here. */
  readonly session?: string;
}

/** What is settled when a console starts. */
interface Given {
  readonly settings: ConsoleConfig;
  readonly token: string;
  /** Where sessions are of. */
  readonly place: string;
  readonly live: Pick<LiveViews, 'endOf'>;
}

/** {@link ConsoleOptions}, and what is made of them once. */
interface ConsoleParts extends Omit<ConsoleOptions, keyof Given>, Given {
  readonly provider: Provider | undefined;
  readonly local: SessionOwner;
  readonly onEvent: (event: ConsoleEvent) => void;
}

function consoleApp(options: Omit<ConsoleOptions, keyof Given> & Given): Koa {
  const { oidc, origin } = options.settings;
  const parts: ConsoleParts = {
    onEvent: () => undefined,
    ...options,
    provider: oidc && openProvider(oidc, origin ?? ''),
    local: { name: signedIn(), rights: options.rights ?? ['look'] },
  };
  const app = new Koa();
  app.on('error', (error: NodeJS.ErrnoException) => {
    // A browser that leaves while it is answered is not a fault.
    if (!GONE.includes(`${error.code}`)) options.onError(error);
  });
  app.use(async (ctx, next) => {
    ctx.set(HEADERS);
    try {
      await next();
    } catch (error) {
      if (error instanceof ListenerError) return refuse(ctx, error.status, error.message);
      // Koa's own answer would take away the headers that were set here.
      app.emit('error', error);
      ctx.remove('Content-Disposition');
      refuse(ctx, 500, 'The console could not answer. Its operator finds the reason in the log.');
    }
  });
  app.use(async (ctx) => {
    if (ctx.path === PATHS.liveness) {
      ctx.body = { status: 'ok' };
      return;
    }
    const admission = await admit(ctx, parts);
    if (admission !== undefined) await serve(ctx, parts, admission);
  });
  return app;
}

/** Codes of Node.js's errors when the other side has closed the connection. */
const GONE: readonly string[] = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'];

/** The place of sessions that every replica knows. */
const SERVICE = 'service';

/** Makes an address that opens the console of these settings once, for a few minutes: its path and query. */
export async function consoleLink(database: Database, owner: SessionOwner): Promise<string> {
  const terms = { kind: 'link', place: SERVICE, seconds: LINK_SECONDS } as const;
  return `/?link=${await begin(database, owner, terms)}`;
}

/** How long a link waits to be opened. */
const LINK_SECONDS = 300;

/** Finds out who asks. @returns undefined where it was answered: nobody is let in, or a session begins */
async function admit(ctx: Context, parts: ConsoleParts): Promise<Admission | undefined> {
  const { settings, provider } = parts;
  const [, bearer] = /^Bearer +(\S+)$/i.exec(ctx.get('Authorization')) ?? [];
  const script = bearer === undefined ? undefined : tokenHolder(bearer, settings.tokens);
  if (script !== undefined) return { viewer: script, guard: undefined };
  const origin = originOf(ctx, settings);
  // A page of another site can have its name lead here, but not its Host header (DNS rebinding).
  if (origin === undefined) return refuse(ctx, 421, 'This console does not answer to that name.');
  if (origin.startsWith('https:')) ctx.set('Strict-Transport-Security', 'max-age=31536000');
  if (bearer !== undefined) {
    const viewer = isToken(bearer, parts) ? viewerOf(parts.local, settings) : undefined;
    return viewer ? { viewer, guard: undefined } : stayOut(ctx, parts, 'a token that is none');
  }
  const { token, link, ...query } = firstOf(ctx.query);
  if (ctx.method === 'GET' && (token !== undefined || link !== undefined)) {
    const owner =
      link === undefined
        ? isToken(token ?? '', parts) && parts.local
        : await takeLink(parts.database, link, parts.place);
    if (!owner) return stayOut(ctx, parts, 'an address that opens the console no more');
    const rest = new URLSearchParams(query).toString();
    await letIn(ctx, parts, { owner, origin, sameSite: 'strict' });
    return seeOther(ctx, `${ctx.path}${rest === '' ? '' : `?${rest}`}`);
  }
  const { proxy } = settings;
  const shown = proxy && ctx.get(PROXY_SECRET_HEADER);
  if (proxy && shown) return admitByProxy(ctx, parts, proxy);
  if (provider !== undefined && ctx.method === 'GET') {
    if (ctx.path === '/sign-in') return sendToProvider(ctx, parts, { provider, origin });
    if (ctx.path === RETURN_PATH) return takeFromProvider(ctx, parts, { provider, origin });
  }
  const session = ctx.cookies.get(cookieName(origin));
  const owner =
    session &&
    (await ownerOf(parts.database, session, {
      place: parts.place,
      idleSeconds: settings.idleSeconds,
      // A live part asks by itself.
      isSeen: !ctx.get('Accept').includes('text/event-stream'),
    }));
  const viewer = owner ? viewerOf(owner, settings) : undefined;
  if (session && viewer) return { viewer, guard: guardOf(session), session };
  if (provider !== undefined && ctx.method === 'GET' && ctx.accepts('html')) {
    return seeOther(ctx, `/sign-in?${new URLSearchParams({ to: ctx.url })}`);
  }
  return stayOut(ctx, parts);
}

/** Sent by the proxy that {@link ConsoleConfig.proxy} describes. */
const PROXY_SECRET_HEADER = 'X-Console-Proxy-Secret';

function admitByProxy(
  ctx: Context,
  parts: ConsoleParts,
  { secret, userHeader, groupsHeader }: ProxyConfig,
): Admission | undefined {
  if (!isSame(ctx.get(PROXY_SECRET_HEADER), secret.reveal())) {
    return stayOut(ctx, parts, 'the secret of the proxy is another one');
  }
  // A header that came twice is one that the proxy did not replace.
  const [users = [], groups = []] = [userHeader, groupsHeader].map(
    (name) => ctx.req.headersDistinct[name.toLowerCase()],
  );
  const name = users[0]?.trim();
  if (!name || users.length > 1 || groups.length > 1) {
    return stayOut(ctx, parts, `the proxy sent ${userHeader} or ${groupsHeader} not once`);
  }
  const list = (groups[0] ?? '').split(',').map((group) => group.trim());
  const viewer = grantedTo({ name, groups: list }, parts.settings.grants);
  if (viewer === undefined) return refuseGrant(ctx, parts, name);
  return { viewer, guard: guardOf(`${secret.reveal()}\n${name}`) };
}

interface ProviderParts {
  readonly provider: Provider;
  readonly origin: string;
}

async function sendToProvider(
  ctx: Context,
  parts: ConsoleParts,
  { provider, origin }: ProviderParts,
): Promise<undefined> {
  try {
    const { address, pending } = await provider.start(firstOf(ctx.query).to ?? '/');
    setCookie(ctx, origin, { name: pendingName(origin), value: pending, sameSite: 'lax' });
    ctx.redirect(address);
  } catch (error) {
    parts.onError(error);
    refuse(ctx, 503, 'Nobody can sign in now: the provider does not answer. Try again later.');
  }
}

async function takeFromProvider(
  ctx: Context,
  parts: ConsoleParts,
  { provider, origin }: ProviderParts,
): Promise<undefined> {
  const pending = ctx.cookies.get(pendingName(origin));
  setCookie(ctx, origin, { name: pendingName(origin), value: null, sameSite: 'lax' });
  try {
    const { person, to } = await provider.finish(ctx.search, pending);
    if (grantedTo(person, parts.settings.grants) === undefined) {
      return refuseGrant(ctx, parts, person.name);
    }
    // The provider's page leads here: a browser would not send a strict one to the next page.
    await letIn(ctx, parts, { owner: person, origin, sameSite: 'lax' });
    seeOther(ctx, to);
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    parts.onEvent({ event: 'refused', reason: error.message });
    ctx.status = 401;
    const body = html`<main><h1>You are not signed in</h1><p>Signing in took too long, or was started in another window. <a href="/">Sign in again</a></p></main>`;
    page(ctx, 'Not signed in', body);
  }
}

/** Begins a session, never one that was there before. */
async function letIn(
  ctx: Context,
  { database, place, settings, live, onEvent }: ConsoleParts,
  { owner, origin, sameSite }: { owner: SessionOwner; origin: string; sameSite: 'strict' | 'lax' },
): Promise<void> {
  const before = ctx.cookies.get(cookieName(origin));
  if (before) await endSession(before, { database, live });
  const terms = { kind: 'session', place, seconds: settings.sessionSeconds } as const;
  const value = await begin(database, owner, terms);
  setCookie(ctx, origin, { name: cookieName(origin), value, sameSite });
  onEvent({ event: 'signed in', name: owner.name });
}

function viewerOf(owner: SessionOwner, { grants }: ConsoleConfig): Viewer | undefined {
  if ('groups' in owner) return grantedTo(owner, grants);
  return { name: owner.name, rights: new Set(owner.rights), clients: undefined };
}

/** Whether it is the token of a console that only this machine reaches. */
function isToken(given: string, { settings, token }: ConsoleParts): boolean {
  return settings.isLocal && isSame(given, token);
}

/** Scheme, host and port that a browser opened. @returns undefined where the console is not meant */
function originOf(ctx: Context, { origin }: ConsoleConfig): string | undefined {
  const host = ctx.get('Host');
  if (origin !== undefined && new URL(origin).host === host.toLowerCase()) return origin;
  const here = URL.parse(`http://${host}`);
  return here !== null && here.host === host.toLowerCase() && isLoopbackHost(here.hostname)
    ? here.origin
    : undefined;
}

/** Cookies know no ports: that of another console on this machine has another name. */
function cookieName(origin: string): string {
  const { protocol, port } = new URL(origin);
  return protocol === 'https:' ? '__Host-console' : `console-${port || 80}`;
}

function pendingName(origin: string): string {
  return `${cookieName(origin)}-sign-in`;
}

function setCookie(
  ctx: Context,
  origin: string,
  cookie: {
    readonly name: string;
    readonly value: string | null;
    readonly sameSite: 'strict' | 'lax';
  },
): void {
  const { name, value, sameSite } = cookie;
  // What ends TLS in front of the console is not seen from here.
  ctx.cookies.secure = origin.startsWith('https:');
  ctx.cookies.set(name, value, { httpOnly: true, sameSite, path: '/' });
}

function stayOut(ctx: Context, { settings, onEvent }: ConsoleParts, reason?: string): undefined {
  if (reason !== undefined) onEvent({ event: 'refused', reason });
  ctx.set('WWW-Authenticate', 'Bearer');
  return refuse(
    ctx,
    401,
    settings.isLocal
      ? 'Open the address that the console printed when it was started.'
      : 'You are not signed in.',
  );
}

function refuseGrant(ctx: Context, { onEvent }: ConsoleParts, name: string): undefined {
  onEvent({ event: 'refused', name, reason: 'no grant fits' });
  return refuse(ctx, 403, `${name} has no right to anything here.`);
}

/** Ends a session, and what its browser follows. */
async function endSession(
  session: string,
  { database, live }: Pick<ConsoleParts, 'database' | 'live'>,
): Promise<void> {
  await end(database, session);
  live.endOf(nameOfSession(session));
}

async function signOut(
  ctx: Context,
  parts: ConsoleParts,
  { viewer, session }: Admission,
): Promise<void> {
  const { settings, onEvent } = parts;
  const origin = originOf(ctx, settings);
  if (session !== undefined) await endSession(session, parts);
  if (origin !== undefined)
    setCookie(ctx, origin, { name: cookieName(origin), value: null, sameSite: 'lax' });
  onEvent({ event: 'signed out', name: viewer.name });
  page(
    ctx,
    'Signed out',
    html`<main><h1>You are signed out</h1><p><a href="/">Sign in again</a></p></main>`,
  );
}

async function serve(ctx: Context, parts: ConsoleParts, admission: Admission): Promise<void> {
  const { database, settings, routes = [] } = parts;
  const { viewer, guard, session } = admission;
  ctx.state = { admission };
  const origin = originOf(ctx, settings);
  if (ctx.path === '/sign-out' && ctx.method === 'POST') {
    if ((await guardedForm(ctx, { guard, origin })) === undefined)
      return refuse(ctx, 403, NOT_OURS);
    return signOut(ctx, parts, admission);
  }
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
  const form = route.method === 'POST' ? await guardedForm(ctx, { guard, origin }) : {};
  if (form === undefined) return refuse(ctx, 403, NOT_OURS);
  const [, ...groups] = route.path.exec(ctx.path) ?? [];
  const answer = await route.answer({
    ...{ database, viewer, form },
    ...(session === undefined ? {} : { session: nameOfSession(session) }),
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
  if ('stream' in answer) return stream(ctx, answer.stream);
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

const NOT_OURS = 'This form did not come from a page of this console. Open the page again.';

/** Koa would report each browser that leaves a stream as an error. */
function stream(ctx: Context, events: Readable): void {
  ctx.respond = false;
  ctx.status = 200;
  ctx.type = 'text/event-stream';
  ctx.res.once('close', () => events.destroy());
  events.once('close', () => ctx.res.end());
  events.pipe(ctx.res);
}

/** Largest form in bytes. */
const FORM_BYTES = 65_536;

/** @returns the fields, without the guard; undefined where no page of ours sent them */
async function guardedForm(
  ctx: Context,
  { guard, origin }: Pick<Admission, 'guard'> & { readonly origin: string | undefined },
): Promise<Readonly<Record<string, string>> | undefined> {
  const shown = {
    origin: ctx.get('Origin') || undefined,
    site: ctx.get('Sec-Fetch-Site') || undefined,
  };
  if (guard !== undefined && (origin === undefined || !isFromOwnPage(shown, origin)))
    return undefined;
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

/**
 * Goes on to a path of the console, as a browser reads it, which drops tabs and takes a backslash for a slash. Two slashes at
 * its beginning would lead to another host (RFC 3986, section 4.2); under a scheme that is none of the web's, what is parsed
 * keeps its backslashes.
 */
function seeOther(ctx: Context, path: string): undefined {
  const { pathname = '/', search = '' } = URL.parse(path, 'http://console.invalid') ?? {};
  ctx.status = 303;
  ctx.set('Location', `/${pathname.replace(/^[/\\]+/, '')}${search}`);
}

/** On every page of those who came in. */
function navigation({ viewer, guard, session }: Admission): Html {
  return html`<nav aria-label="Console"><a href="/">Deliveries</a> <a href="/files">Monitored files</a> ${
    // What waits there may be of any client.
    viewer.clients === undefined && html`<a href="/operations">Operations</a>`
  }</nav>
<form class="session" aria-label="Session" method="post" action="/sign-out"><span class="more">${viewer.name}</span>${
    session !== undefined && html` ${guardField(guard)}<button>Sign out</button>`
  }</form>`;
}

function page(ctx: Context, title: string, content: Html, refresh?: number): void {
  const { admission } = ctx.state as { readonly admission?: Admission };
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = servedPage(title, html`${admission && navigation(admission)}\n${content}`, refresh);
}

function refuse(ctx: Context, status: number, reason: string): undefined {
  ctx.status = status;
  page(ctx, `${status}`, html`<main><h1>${status}</h1><p>${reason}</p></main>`);
}
