import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Environment } from '../../../../listener/src/config/read-variables.ts';
import { readConfig } from '../../../../listener/src/config.ts';
import {
  type ConsoleEvent,
  consoleLink,
  type RunningConsole,
  startConsole,
} from '../../../../listener/src/console/console.ts';
import { html } from '../../../../listener/src/console/html.ts';
import type { Route } from '../../../../listener/src/console/rights.ts';
import { type BrowserAnswer, consoleBrowser } from '../../support/console-browser.ts';
import { type Forgery, startProvider, type TestProvider } from '../../support/oidc-provider.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

const ORIGIN = 'https://console.example.org';
const CLIENT = {
  id: 'file-processing',
  secret: 's3cret-of-the-client-0123',
  returnTo: `${ORIGIN}/signed-in`,
};
const PROXY_SECRET = 's3cret-of-the-proxy-0123456789abcdef';
const TOKEN = 's3cret-token-of-a-script';
const GRANTS = [
  { group: 'data-team', rights: ['look', 'act'] },
  { group: 'nm', rights: ['look'], clients: ['nm_albuquerque'] },
  { user: 'guest@example.org', rights: ['reveal'] },
];

let given: TestDatabase;
const errors: unknown[] = [];
const events: ConsoleEvent[] = [];
const started: RunningConsole[] = [];
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(async () => {
  for (const one of started) await one.close();
  await given.drop();
});
afterEach(async () => {
  events.splice(0);
  expect(errors.splice(0)).toEqual([]);
  await given.database('console_sessions').delete();
});

const routes: Route[] = [
  {
    ...{ method: 'GET', path: /^\/(files)?$/, right: 'look' },
    answer: async () => ({ title: 'Page', body: html`<main>Page</main>` }),
  },
  {
    ...{ method: 'GET', path: /^\/form$/, right: 'look' },
    answer: async ({ guard }) => ({ title: 'Form', body: html`<form>${guard}</form>` }),
  },
  { ...{ method: 'POST', path: /^\/act$/, right: 'act' }, answer: async () => ({ seeOther: '/' }) },
];

/** A console that others reach too. @returns its port */
async function serve(environment: Environment): Promise<number> {
  const { console: settings } = readConfig(
    {
      CONSOLE_HOST: '0.0.0.0',
      CONSOLE_ORIGIN: ORIGIN,
      ...environment,
    },
    { database: false, httpIntake: false },
  );
  const running = await startConsole({
    ...{ database: given.database, port: 0, settings, routes },
    onError: (error) => errors.push(error),
    onEvent: (event) => events.push(event),
  });
  started.push(running);
  return running.port;
}

const refused = () => events.filter(({ event }) => event === 'refused').map(({ reason }) => reason);
const sessions = async () => given.database('console_sessions').where({ kind: 'session' });

describe('people who sign in at a provider', () => {
  let provider: TestProvider;
  let port: number;
  let browser: ReturnType<typeof consoleBrowser>;
  const environment = (): Environment => ({
    CONSOLE_OIDC_ISSUER: provider.issuer,
    CONSOLE_OIDC_CLIENT_ID: CLIENT.id,
    CONSOLE_OIDC_CLIENT_SECRET: CLIENT.secret,
    CONSOLE_GRANTS: JSON.stringify(GRANTS),
  });
  const newBrowser = (at = () => port) => consoleBrowser(ORIGIN, at);
  beforeAll(async () => {
    provider = await startProvider(CLIENT);
    port = await serve(environment());
  });
  afterAll(() => provider?.close());
  beforeEach(() => {
    browser = newBrowser();
    provider.forgery = undefined;
    provider.account = {
      sub: 'ana',
      email: 'ana@example.org',
      email_verified: true,
      groups: ['nobody', 'data-team'],
    };
  });

  /** Signs in up to the address that the provider sends the browser back to. */
  async function askedToReturn(path = '/'): Promise<string> {
    let address = new URL(path, ORIGIN).href;
    for (let step = 0; step < 12; step += 1) {
      const { headers } = await browser.go(address, { follow: false });
      address = new URL(`${headers.location}`, address).href;
      if (address.startsWith(`${ORIGIN}/signed-in`)) return address;
    }
    throw new Error(`the provider led to ${address}`);
  }

  it('come to the page that they opened, by their name', async () => {
    const page = await browser.go('/files?x=1');
    expect([page.status, page.address]).toEqual([200, `${ORIGIN}/files?x=1`]);
    expect(page.body).toContain('ana@example.org');
    expect(events).toEqual([{ event: 'signed in', name: 'ana@example.org' }]);
  });

  it('are asked for a code with PKCE, state and nonce, each a new one', async () => {
    const asked = async () => {
      const { headers } = await browser.go('/sign-in', { follow: false });
      return Object.fromEntries(new URL(`${headers.location}`).searchParams);
    };
    const [first, second] = [await asked(), await asked()];
    expect(first).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', scope: 'openid profile email' },
      redirect_uri: `${ORIGIN}/signed-in`,
    });
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(first[name]).toMatch(/^[\w-]{43}$/);
      expect(first[name]).not.toBe(second[name]);
    }
  });

  it('keep a cookie that no script, no other host and no plain connection gets', async () => {
    const { headers } = await browser.go(await askedToReturn(), { follow: false });
    expect(headers['set-cookie']).toContainEqual(
      expect.stringMatching(/^__Host-console=[\w-]{43}; path=\/; samesite=lax; secure; httponly$/i),
    );
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
  });

  it.each([
    '//evil.example/',
    'https://evil.example/',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    'other:/\\evil.example',
    'other:\\\\evil.example',
  ])('are led to no other host by %j', async (to) => {
    const asked = await browser.go(`/sign-in?${new URLSearchParams({ to })}`, { follow: false });
    let { location } = asked.headers;
    while (!`${location}`.startsWith(CLIENT.returnTo)) {
      const address = new URL(`${location}`, provider.issuer).href;
      location = (await browser.go(address, { follow: false })).headers.location;
    }
    const answer = await browser.go(`${location}`, { follow: false });
    expect(answer.status).toBe(303);
    expect(new URL(`${answer.headers.location}`, ORIGIN).origin).toBe(ORIGIN);
  });

  it.each<[string, (address: URL) => void]>([
    ['another state', ({ searchParams }) => searchParams.set('state', 'x'.repeat(43))],
    ['no state', ({ searchParams }) => searchParams.delete('state')],
    ['another code', ({ searchParams }) => searchParams.set('code', 'x'.repeat(43))],
    ['another issuer', ({ searchParams }) => searchParams.set('iss', 'https://evil.example')],
    ['no issuer', ({ searchParams }) => searchParams.delete('iss')],
    ['what the provider refused', ({ searchParams }) => searchParams.set('error', 'access_denied')],
  ])('are not let in with %s', async (_case, change) => {
    const address = new URL(await askedToReturn());
    change(address);
    expect((await browser.go(address.href)).status).toBe(401);
    expect(await sessions()).toEqual([]);
  });

  it.each<[string, Forgery]>([
    ['of another issuer', (claims, sign) => sign({ ...claims, iss: 'https://evil.example' })],
    ['for another client', (claims, sign) => sign({ ...claims, aud: 'another-client' })],
    ['for several clients', (claims, sign) => sign({ ...claims, aud: [CLIENT.id, 'another'] })],
    ['with another nonce', (claims, sign) => sign({ ...claims, nonce: 'another' })],
    ['without a nonce', ({ nonce: _nonce, ...claims }, sign) => sign(claims)],
    ['that has expired', (claims, sign) => sign({ ...claims, exp: now() - 600, iat: now() - 900 })],
    ['that is signed by another key', (claims, sign) => sign(claims, 'another key')],
    ['that is not signed', async (claims) => `${base64({ alg: 'none' })}.${base64(claims)}.`],
    ['that is missing', async () => undefined],
  ])('are not let in by an ID token %s', async (_case, forgery) => {
    provider.forgery = forgery;
    expect((await browser.go('/')).status).toBe(401);
    expect(await sessions()).toEqual([]);
    expect(refused()).toHaveLength(1);
  });

  it('are let in by a forged ID token that tells the truth, so that the ones above prove something', async () => {
    provider.forgery = (claims, sign) => sign(claims);
    expect((await browser.go('/')).status).toBe(200);
  });

  it('are not let in twice by one code', async () => {
    const address = await askedToReturn();
    const pending = new Map(browser.cookies);
    expect((await browser.go(address)).status).toBe(200);
    browser.cookies.clear();
    for (const [name, value] of pending) browser.cookies.set(name, value);
    expect((await browser.go(address, { follow: false })).status).toBe(401);
    expect(refused()).toHaveLength(1);
  });

  it('are not let in by what another browser began', async () => {
    const address = await askedToReturn();
    expect((await newBrowser().go(address)).status).toBe(401);
    const other = newBrowser();
    await other.go('/sign-in', { follow: false });
    expect((await other.go(address)).status).toBe(401);
  });

  it('are not let in by what the console did not seal', async () => {
    const address = await askedToReturn();
    const state = new URL(address).searchParams.get('state');
    const pending = { state, nonce: 'n', verifier: 'v', to: '/', until: Date.now() + 60_000 };
    browser.cookies.set('__Host-console-sign-in', base64(pending));
    expect((await browser.go(address)).status).toBe(401);
  });

  it('get a session of their own, not one that was there before', async () => {
    browser.cookies.set('__Host-console', 'planted-by-somebody-else');
    await browser.go('/');
    const first = browser.cookies.get('__Host-console');
    expect(first).not.toBe('planted-by-somebody-else');
    await browser.go(await askedToReturn('/sign-in'));
    expect(browser.cookies.get('__Host-console')).not.toBe(first);
    expect(await sessions()).toHaveLength(1);
  });

  it('are not let in where no grant names them', async () => {
    provider.account = { sub: 'bob', email: 'bob@example.org', groups: ['visitors'] };
    const page = await browser.go('/');
    expect([page.status, await sessions()]).toEqual([403, []]);
    expect(page.body).toContain('bob@example.org has no right');
  });

  it('are not known by an address that nobody verified', async () => {
    provider.account = { ...provider.account, email_verified: false };
    expect((await browser.go('/')).status).toBe(401);
  });

  it('may do what the first grant says that fits, and no more', async () => {
    const form = await browser.go('/form');
    expect((await act(browser, form)).status).toBe(303);
    provider.account = { sub: 'nm', email: 'nm@example.org', groups: ['nm', 'data-team'] };
    const first = newBrowser();
    expect((await act(first, await first.go('/form'))).status).toBe(303);
    provider.account = { sub: 'nm', email: 'nm@example.org', groups: ['nm'] };
    const second = newBrowser();
    expect((await act(second, await second.go('/form'))).status).toBe(403);
    const guest = newBrowser();
    provider.account = { sub: 'guest', email: 'guest@example.org', groups: [] };
    expect((await guest.go('/')).status).toBe(403);
  });

  it('may do no more what the settings no longer grant', async () => {
    await browser.go('/');
    const stricter = await serve({
      ...environment(),
      CONSOLE_GRANTS: JSON.stringify([{ group: 'others', rights: ['look'] }]),
    });
    const there = newBrowser(() => stricter);
    for (const [name, value] of browser.cookies) there.cookies.set(name, value);
    const { status, headers } = await there.go('/', { follow: false });
    expect([status, headers.location]).toEqual([303, '/sign-in?to=%2F']);
  });

  it('come in through a proxy that ends TLS and sends each request to another replica', async () => {
    const replicas = [port, await serve(environment())];
    let turn = 0;
    const proxy = createServer((incoming, outgoing) => {
      const { method = '', url: path = '', headers } = incoming;
      turn += 1;
      // As an Ingress sends it on: with the host that browsers asked for, and headers of its own.
      const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };
      incoming.pipe(
        request(
          {
            ...{ host: '127.0.0.1', port: replicas[turn % 2], method, path },
            headers: { ...headers, ...forwarded },
          },
          (answer) => {
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(outgoing);
          },
        ),
      );
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    try {
      const behind = newBrowser(() => (proxy.address() as AddressInfo).port);
      const page = await behind.go('/files?x=1');
      expect([page.status, page.address]).toEqual([200, `${ORIGIN}/files?x=1`]);
      const guard = guardIn(await behind.go('/form'));
      const form = { form: { guard }, headers: { Origin: ORIGIN }, follow: false };
      expect((await behind.go('/act', form)).status).toBe(303);
      expect(turn).toBeGreaterThan(4);
    } finally {
      proxy.close();
    }
  });

  it('are known to every replica, and begin at one what another one ends', async () => {
    const replica = await serve(environment());
    const address = await askedToReturn();
    port = [replica, port].find((one) => one !== port) ?? port;
    expect((await browser.go(address)).status).toBe(200);
    port = started[0]?.port ?? 0;
    expect((await browser.go('/', { follow: false })).status).toBe(200);
  });

  it('are out once they sign out, with every copy of their cookie', async () => {
    const page = await browser.go('/');
    const copy = new Map(browser.cookies);
    const guard = guardIn(page);
    const left = await browser.go('/sign-out', { form: { guard } });
    expect(left.body).toContain('You are signed out');
    expect(browser.cookies.has('__Host-console')).toBe(false);
    for (const [name, value] of copy) browser.cookies.set(name, value);
    expect((await browser.go('/', { follow: false })).status).toBe(303);
    expect(events.at(-1)).toEqual({ event: 'signed out', name: 'ana@example.org' });
  });

  it.each([
    ['without the guard', {}, {}],
    ['from another origin', undefined, { Origin: 'https://evil.example' }],
    ['from a plain connection', undefined, { Origin: 'http://console.example.org' }],
    ['from another site', undefined, { 'Sec-Fetch-Site': 'cross-site' }],
  ])('are not signed out by a form %s', async (_case, fields, headers) => {
    const page = await browser.go('/');
    const guard = guardIn(page);
    const form = (fields ?? { guard }) as Record<string, string>;
    const sent = { form, headers: headers as Record<string, string> };
    expect((await browser.go('/sign-out', sent)).status).toBe(403);
    expect((await browser.go('/', { follow: false })).status).toBe(200);
  });

  it.each([
    ['after the idle time', { seen_at: '31 minutes' }],
    ['at the latest, however busy', { ends_at: '1 second' }],
  ])('are out %s', async (_case, passed) => {
    await browser.go('/');
    const [column = '', time = ''] = Object.entries(passed)[0] ?? [];
    const move = (interval: string) =>
      given.database('console_sessions').update({
        [column]: given.database.raw('now() - ?::interval', [interval]),
      });
    await move(column === 'seen_at' ? '29 minutes' : '-1 minute');
    expect((await browser.go('/', { follow: false })).status).toBe(200);
    await move(time);
    expect((await browser.go('/', { follow: false })).status).toBe(303);
  });

  it('stay by what they ask for, not by what a page asks for by itself', async () => {
    await browser.go('/');
    const age = async () => {
      const old = given.database.raw("now() - interval '20 minutes'");
      await given.database('console_sessions').update({ seen_at: old });
    };
    const isSeen = async () =>
      (await given.database('console_sessions').whereRaw("seen_at > now() - interval '1 minute'"))
        .length > 0;
    await age();
    await browser.go('/', { headers: { Accept: 'text/event-stream' } });
    expect(await isSeen()).toBe(false);
    await browser.go('/');
    expect(await isSeen()).toBe(true);
  });

  it('are told that nobody can sign in while the provider is away, and can once it is back', async () => {
    const fresh = await serve(environment());
    const there = newBrowser(() => fresh);
    provider.isUp = false;
    const answer = await there.go('/');
    provider.isUp = true;
    expect([answer.status, errors.splice(0)]).toMatchObject([503, [expect.any(Error)]]);
    expect((await there.go('/')).status).toBe(200);
  });

  it('leave no secret in what is told of them, nor in the database', async () => {
    const address = await askedToReturn();
    const { code = '', state = '' } = Object.fromEntries(new URL(address).searchParams);
    await browser.go(`${address}x`);
    const again = await browser.go(await askedToReturn());
    const secrets = [code, state, CLIENT.secret, ...browser.cookies.values()];
    const told = JSON.stringify([events, again.body, await given.database('console_sessions')]);
    expect(secrets.filter((secret) => secret === '' || told.includes(secret))).toEqual([]);
  });

  it('are not asked to sign in as scripts, nor by posts', async () => {
    expect((await browser.go('/', { headers: { Accept: 'application/json' } })).status).toBe(401);
    expect((await browser.go('/operations/act', { form: {} })).status).toBe(401);
  });

  it('are not answered by another name', async () => {
    for (const Host of [
      'evil.example',
      'console.example.org.evil.example',
      'console.example.org:81',
    ]) {
      expect([Host, (await browser.go('/', { headers: { Host } })).status]).toEqual([Host, 421]);
    }
  });
});

describe('people whom a proxy names', () => {
  let port: number;
  const browser = consoleBrowser(ORIGIN, () => port);
  const from = (headers: Record<string, string | string[]>) => ({
    headers: { 'X-Console-Proxy-Secret': PROXY_SECRET, ...headers },
  });
  const ANA = { 'X-Forwarded-User': 'ana', 'X-Forwarded-Groups': 'others, data-team' };
  beforeAll(async () => {
    port = await serve({
      CONSOLE_PROXY_SECRET: PROXY_SECRET,
      CONSOLE_GRANTS: JSON.stringify(GRANTS),
    });
  });

  it('come in by its secret', async () => {
    const page = await browser.go('/', from(ANA));
    expect(page.status).toBe(200);
    expect(page.body).toContain('>ana</span>');
  });

  it.each<[string, Record<string, string | string[]>, number]>([
    [
      'without its secret, since then nobody believes the headers',
      { 'X-Console-Proxy-Secret': '' },
      401,
    ],
    ['with another secret', { 'X-Console-Proxy-Secret': `${PROXY_SECRET}x` }, 401],
    ['with a name that came twice', { 'X-Forwarded-User': ['ana', 'eve'] }, 401],
    ['with groups that came twice', { 'X-Forwarded-Groups': ['data-team', 'others'] }, 401],
    ['without a name', { 'X-Forwarded-User': '' }, 401],
    ['without a group that is granted something', { 'X-Forwarded-Groups': 'Data-Team' }, 403],
  ])('stay out %s', async (_case, headers, status) => {
    const answer = await browser.go('/', from({ ...ANA, ...headers }));
    expect(answer.status).toBe(status);
  });

  it('send forms by the guard of their own pages', async () => {
    const guardOf = async (headers: Record<string, string>) => {
      return guardIn(await browser.go('/form', from(headers)));
    };
    const [own, others] = [
      await guardOf(ANA),
      await guardOf({ ...ANA, 'X-Forwarded-User': 'eve' }),
    ];
    expect(own).not.toBe(others);
    const post = async (guard: string) =>
      (await browser.go('/act', { ...from(ANA), form: { guard }, follow: false })).status;
    expect([await post(own), await post(others), await post('')]).toEqual([303, 403, 403]);
  });
});

describe('scripts', () => {
  let port: number;
  const browser = consoleBrowser(ORIGIN, () => port);
  const by = (token: string, headers = {}) => ({
    headers: { Authorization: `Bearer ${token}`, ...headers },
  });
  beforeAll(async () => {
    port = await serve({
      CONSOLE_TOKENS: JSON.stringify([
        { name: 'other', sha256: hash('another'), rights: ['act'] },
        { name: 'ci', sha256: hash(TOKEN), rights: ['look'] },
      ]),
    });
  });

  it('come in by a token of the settings, as it says', async () => {
    expect((await browser.go('/', by(TOKEN))).status).toBe(200);
    const post = async (token: string) =>
      (await browser.go('/act', { ...by(token), form: {}, follow: false })).status;
    expect([await post(TOKEN), await post('another')]).toEqual([403, 303]);
    expect((await browser.go('/', by('another'))).status).toBe(403);
  });

  it('may call the console by any name, since no page can show their token', async () => {
    const host = { Host: 'console.file-processing.svc' };
    expect((await browser.go('/', by(TOKEN, host))).status).toBe(200);
  });

  it.each(['', 'x', hash(TOKEN)])('stay out by %j', async (token) => {
    expect((await browser.go('/', by(token))).status).toBe(401);
  });

  it('show their token in no address', async () => {
    expect((await browser.go(`/?token=${TOKEN}`)).status).toBe(401);
  });

  it('and probes are told that it lives, and nothing else', async () => {
    const answer = await browser.go('/healthz', { headers: { Host: '10.0.0.1:8070' } });
    expect([answer.status, answer.body]).toEqual([200, '{"status":"ok"}']);
  });
});

describe('an address that opens the console once', () => {
  let port: number;
  beforeAll(async () => {
    port = await serve({});
  });
  const forwarded = () => `http://127.0.0.1:${port}`;
  const newBrowser = () => consoleBrowser(forwarded(), () => port);
  const link = () => consoleLink(given.database, { name: 'ana', rights: ['look', 'act'] });

  it('lets one browser in, by the name and the rights that it was made for', async () => {
    const browser = newBrowser();
    const page = await browser.go(await link());
    expect([page.status, page.address]).toEqual([200, `${forwarded()}/`]);
    expect(page.body).toContain('>ana</span>');
    expect((await act(browser, await browser.go('/form'))).status).toBe(303);
  });

  it('is of no use a second time, nor after a few minutes', async () => {
    const taken = await link();
    await newBrowser().go(taken);
    expect((await newBrowser().go(taken)).status).toBe(401);
    const late = await link();
    await given.database('console_sessions').update({ ends_at: given.database.fn.now() });
    expect((await newBrowser().go(late)).status).toBe(401);
  });

  it('is not taken by what only looks whether it is there', async () => {
    const path = await link();
    expect((await newBrowser().go(path, { method: 'HEAD' })).status).toBe(401);
    expect((await newBrowser().go(path)).status).toBe(200);
  });

  it('opens no console of this machine alone, nor does a session there open this one', async () => {
    const local = await startConsole({
      ...{ database: given.database, port: 0, onError: (error) => errors.push(error) },
    });
    const there = consoleBrowser(new URL(local.address).origin, () => local.port);
    expect((await there.go(await link())).status).toBe(401);
    await there.go(local.address);
    const here = newBrowser();
    here.cookies.set(`console-${port}`, [...there.cookies.values()][0] ?? '');
    await local.close();
    expect((await here.go('/')).status).toBe(401);
  });
});

/** What the form of a page sends. */
function act(browser: ReturnType<typeof consoleBrowser>, page: BrowserAnswer) {
  return browser.go('/act', { form: { guard: guardIn(page) }, follow: false });
}

function guardIn({ body }: BrowserAnswer): string {
  return /name="guard" value="([^"]+)"/.exec(body)?.[1] ?? '';
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
