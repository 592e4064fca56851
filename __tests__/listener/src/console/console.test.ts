import { request } from 'node:http';
import { userInfo } from 'node:os';
import type { ConsoleRight } from '@file-processing/contract/console.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { columnChart } from '../../../../listener/src/console/chart.ts';
import { type RunningConsole, startConsole } from '../../../../listener/src/console/console.ts';
import { age, selectionOf } from '../../../../listener/src/console/deliveries-page.ts';
import { html } from '../../../../listener/src/console/html.ts';
import type { Route, Visit } from '../../../../listener/src/console/rights.ts';
import { lookAtPeriods } from '../../../../listener/src/database/period-clock.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import { createTestDatabase, emptyTables, type TestDatabase } from '../../support/postgres.ts';
import { begin, forgetRuns, openRun } from '../../support/runs.ts';
import { storeOf } from '../../support/stores.ts';

const TOKEN = 'a-token-of-the-test';
const BUCKET = 'etl-ba-research-client-etl';
const OFFICERS = { bucket: BUCKET, key: 'from_client/nm_albuquerque/Officer_Detail.csv' };

let given: TestDatabase;
let pages: RunningConsole;
const errors: unknown[] = [];
beforeAll(async () => {
  given = await createTestDatabase();
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
  pages = await startConsole({
    ...{ database: given.database, port: 0, token: TOKEN },
    onError: (error) => errors.push(error),
  });
});
afterAll(async () => {
  await pages?.close();
  await given.drop();
});
beforeEach(() => forgetRuns(given.database));
afterEach(() => expect(errors.splice(0)).toEqual([]));

const origin = () => new URL(pages.address).origin;
const get = (
  path: string,
  headers: Record<string, string> = { Authorization: `Bearer ${TOKEN}` },
) => fetch(`${origin()}${path}`, { headers, redirect: 'manual' });
const textOf = async (path: string) => (await get(path)).text();

async function judged(content: string, object: { bucket: string; key: string } = OFFICERS) {
  const held = await begin(given.database, object);
  await recordJudgement(held, {
    database: given.database,
    job: s3DataQualityJob,
    store: storeOf(content),
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    maxFaults: 100,
    signal: new AbortController().signal,
  });
  return held.runId;
}

describe('who may open the console', () => {
  it('nobody without its token', async () => {
    for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Cookie: 'console=x' }]) {
      expect((await get('/', headers as Record<string, string>)).status).toBe(401);
    }
    expect((await get('/?token=wrong', {})).status).toBe(401);
  });

  it('a script with the token in its header', async () => {
    expect((await get('/')).status).toBe(200);
  });

  it('a browser that opens the printed address: it gets a session, and an address without the token', async () => {
    const first = await fetch(`${pages.address}&verdict=failed`, { redirect: 'manual' });
    expect([first.status, first.headers.get('location')]).toEqual([303, '/?verdict=failed']);
    const [cookie = ''] = first.headers.getSetCookie();
    expect(cookie).toMatch(/; path=\/; samesite=strict; httponly$/i);
    expect(cookie).not.toContain(TOKEN);
    expect((await get('/', { Cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
  });

  it.each(['//evil.example/', '/\\evil.example/'])(
    'an address as %s leads to no other host',
    async (path) => {
      const location = await new Promise((resolve, reject) => {
        const { hostname, port } = new URL(origin());
        request({ hostname, port, path: `${path}?token=${TOKEN}` }, ({ headers }) =>
          resolve(headers.location),
        )
          .on('error', reject)
          .end();
      });
      expect(location).toMatch(/^\/(?![/\\])/);
    },
  );

  it('nobody by a name that leads to this machine from elsewhere', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { Host: 'evil.example', Authorization: `Bearer ${TOKEN}` };
      request(`${origin()}/`, { headers }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });

  it('only to look where a page has nothing to change', async () => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${origin()}/`, { method: 'POST', headers });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('every answer forbids scripts, other addresses, frames and caches', async () => {
    for (const path of ['/files', '/nothing', '/runs/x']) {
      const { headers } = await get(path);
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
      );
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('an answer to what failed forbids the same, and tells nothing of the fault', async () => {
    const failing = await startConsole({
      ...{ database: given.database, port: 0, token: TOKEN },
      onError: (error) => errors.push(error),
      routes: [
        {
          ...{ method: 'GET', path: /^\/$/, right: 'look' },
          answer: async () => {
            throw new Error('s3cret of the database');
          },
        },
      ],
    });
    try {
      const answer = await fetch(failing.address.replace(/\?.*/, ''), {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      expect(answer.status).toBe(500);
      expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await answer.text()).not.toContain('s3cret');
      expect(`${errors.splice(0)}`).toContain('s3cret of the database');
    } finally {
      await failing.close();
    }
  });

  it('the page that follows what happens allows the own script and stream, and no other address', async () => {
    expect((await get('/')).headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'$/,
    );
  });
});

describe('a form that changes something', () => {
  const acts: Visit['form'][] = [];
  const routes: Route[] = [
    {
      ...{ method: 'GET', path: /^\/form$/, right: 'look' },
      answer: async ({ guard }) => ({ title: 'Form', body: html`<form>${guard}</form>` }),
    },
    {
      ...{ method: 'POST', path: /^\/act$/, right: 'act' },
      async answer({ form, viewer }) {
        acts.push({ ...form, by: viewer.name });
        return { seeOther: '/' };
      },
    },
  ];
  let acting: RunningConsole;
  let cookie: string;
  let guard: string;
  const start = (rights: readonly ConsoleRight[]) =>
    startConsole({
      ...{ database: given.database, port: 0, token: TOKEN, rights, routes },
      onError: (error) => errors.push(error),
    });
  // fetch of Node.js sends no Origin that is not its own.
  const post = (
    fields: Record<string, string>,
    headers: Record<string, string> = { Cookie: cookie },
    to = acting,
  ) =>
    new Promise<{ readonly status: number | undefined; readonly body: string }>(
      (resolve, reject) => {
        const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
        request(
          new URL('/act', to.address),
          { method: 'POST', headers: { ...type, ...headers } },
          async (answer) => {
            const body = (await answer.setEncoding('utf8').toArray()).join('');
            resolve({ status: answer.statusCode, body });
          },
        )
          .on('error', reject)
          .end(`${new URLSearchParams(fields)}`);
      },
    );
  beforeAll(async () => {
    acting = await start(['look', 'act']);
    const begun = await fetch(acting.address, { redirect: 'manual' });
    cookie = begun.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const form = await (
      await fetch(new URL('/form', acting.address), { headers: { cookie } })
    ).text();
    [, guard = ''] = /name="guard" value="([^"]+)"/.exec(form) ?? [];
  });
  afterAll(() => acting?.close());
  beforeEach(() => acts.splice(0));

  it('is taken from a page of the console, by the name of who is there', async () => {
    const { origin } = new URL(acting.address);
    const headers = { Cookie: cookie, Origin: origin, 'Sec-Fetch-Site': 'same-origin' };
    expect((await post({ guard, reason: 'tried' }, headers)).status).toBe(303);
    expect(acts).toEqual([{ reason: 'tried', by: userInfo().username }]);
  });

  it.each([
    ['without the guard', {}, {}],
    ['with the guard of another session', { guard: 'x' }, {}],
    ['from another origin', undefined, { Origin: 'https://evil.example' }],
    ['from an origin that is not told', undefined, { Origin: 'null' }],
    ['from another site', undefined, { 'Sec-Fetch-Site': 'cross-site' }],
    ['from another port of this machine', undefined, { 'Sec-Fetch-Site': 'same-site' }],
    ['as what a plain form cannot send', undefined, { 'Content-Type': 'text/plain' }],
  ])('is refused %s', async (_case, fields, headers) => {
    const answer = await post(fields ?? { guard }, { Cookie: cookie, ...headers } as Record<
      string,
      string
    >);
    expect([answer.status, acts]).toEqual([403, []]);
  });

  it('needs no guard from a script, which no page can make send its token', async () => {
    expect((await post({}, { Authorization: `Bearer ${TOKEN}` })).status).toBe(303);
    expect(acts).toHaveLength(1);
  });

  it('is refused where nobody may act, and says so', async () => {
    const looking = await start(['look', 'reveal']);
    const answer = await post({}, { Authorization: `Bearer ${TOKEN}` }, looking);
    await looking.close();
    expect([answer.status, acts]).toEqual([403, []]);
    expect(answer.body).toContain('has no right to act here');
  });

  it('has a limit', async () => {
    const answer = await post({ guard, reason: 'x'.repeat(70_000) });
    expect([answer.status, acts]).toEqual([413, []]);
  });
});

describe('what a browser follows ends', () => {
  /** A browser that came in, with what it follows. */
  async function following() {
    const first = await fetch(pages.address, { redirect: 'manual' });
    const Cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const page = await (await get('/', { Cookie })).text();
    const guard = /name="guard" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const { status, body } = await get('/live', { Cookie });
    expect(status).toBe(200);
    const end = (async () => {
      for await (const _ of body ?? []);
    })().catch(() => undefined);
    return { Cookie, guard, end };
  }

  it('at once, by signing out', async () => {
    const { Cookie, guard, end } = await following();
    const body = new URLSearchParams({ guard });
    const headers = { Cookie };
    expect((await fetch(`${origin()}/sign-out`, { method: 'POST', headers, body })).status).toBe(
      200,
    );
    await end;
    expect((await get('/live', { Cookie })).status).toBe(401);
  });

  it.each([
    ['ended elsewhere', { ends_at: '1 second' }],
    ['idle for too long', { seen_at: '31 minutes' }],
  ])('where its session is %s', async (_case, passed) => {
    const { end } = await following();
    const [column = '', time = ''] = Object.entries(passed)[0] ?? [];
    await given.database('console_sessions').update({
      [column]: given.database.raw('now() - ?::interval', [time]),
    });
    await end;
  });
});

describe('the page of deliveries', () => {
  it('lists the newest first, with verdict, rules and figures', async () => {
    await judged('n\n1\n', { bucket: 'bucket', key: 'first.csv' });
    await judged('officer_id\n1\n');
    const page = await textOf('/');
    expect(page.indexOf('Officer_Detail.csv')).toBeLessThan(page.indexOf('first.csv'));
    expect(page).toMatch(/verdict failed">failed[\s\S]*officer_detail 1/);
  });

  it('shows what its form selects, with the choice kept', async () => {
    await judged('n\n1\n', { bucket: 'bucket', key: 'good.csv' });
    await judged('n\n1,2\n', { bucket: 'bucket', key: 'bad.csv' });
    const page = await textOf('/?verdict=failed&key=*.csv');
    expect([page.includes('bad.csv'), page.includes('good.csv')]).toEqual([true, false]);
    expect(page).toContain('<option value="failed" selected>');
  });

  it('goes on with older ones where a page ends, over all of them', async () => {
    for (let number = 0; number < 53; number += 1) {
      await openRun(given.database, { bucket: 'bucket', key: `${number}.csv` });
    }
    const first = await textOf('/');
    const [, older = ''] = /href="([^"]*)" rel="next"/.exec(first) ?? [];
    const second = await textOf(older.replaceAll('&amp;', '&'));
    const keys = (page: string) => [...page.matchAll(/>(\d+)\.csv</g)].map(([, key]) => key);
    expect([...keys(first), ...keys(second)].sort()).toEqual(
      Array.from({ length: 53 }, (_, number) => `${number}`).sort(),
    );
    expect(second).not.toContain('rel="next"');
  });

  it('takes any address without a fault', async () => {
    const queries = [
      'after=x',
      'verdict=nice',
      'since=2026-99-99',
      'key=%00*',
      'client=%27;--',
      'client=%00',
      'a=1&a=2',
    ];
    for (const query of queries) expect((await get(`/?${query}`)).status).toBe(200);
  });

  it('says that there are none', async () => {
    expect(await textOf('/')).toContain('There are none.');
  });
});

describe('the page of a run', () => {
  it('shows the report of the verdict that stands, and every judgement', async () => {
    const page = await textOf(`/runs/${await judged('n\n1,2\n', { bucket: 'b', key: 'a.csv' })}`);
    expect(page).toMatch(/<p class="verdict failed">failed<\/p>\s*<h1>b\/a\.csv<\/h1>/);
    expect(page).toContain('extra-cell');
    expect(page).toMatch(/<h2 id="judgements">[\s\S]*<td class="number">1<\/td>/);
  });

  it('shows no value that the database withholds', async () => {
    const id = await judged('officer_id\nS3cretM4rker,x\n', { bucket: 'b', key: 'a.csv' });
    expect(await textOf(`/runs/${id}`)).not.toContain('S3cretM4rker');
    expect(await textOf(`/runs/${id}/report.json`)).not.toContain('S3cretM4rker');
  });

  it('asks again while the file is still to be judged', async () => {
    const id = await openRun(given.database, { bucket: 'b', key: 'a.csv' });
    expect(await textOf(`/runs/${id}`)).toContain('<meta http-equiv="refresh" content="2">');
    await judged('n\n1\n', { bucket: 'b', key: 'c.csv' });
    const ended = await judged('n\n1\n', { bucket: 'b', key: 'd.csv' });
    expect(await textOf(`/runs/${ended}`)).not.toContain('http-equiv="refresh"');
  });

  it.each(['00000000-0000-0000-0000-000000000000', 'x', '../etc/passwd'])(
    'is not found for %s',
    async (id) => {
      expect((await get(`/runs/${id}`)).status).toBe(404);
    },
  );

  it('takes no key for markup', async () => {
    const key = '<img src=x onerror=alert(1)>\u202e.csv';
    const id = await judged('n\n1\n', { bucket: 'b', key });
    for (const path of ['/', `/runs/${id}`]) {
      const page = await textOf(path);
      expect(page).not.toMatch(/<img|\u202e/);
      expect(page).toContain('&lt;img');
    }
  });
});

describe('the pages of monitored files', () => {
  const idOf = async () => {
    const where = { bucket: OFFICERS.bucket };
    return (await given.database('monitoring_files').where(where).first('id')).id as number;
  };

  it('list them with client and rules', async () => {
    expect(await textOf('/files')).toMatch(
      new RegExp(`href="/files/${await idOf()}"[\\s\\S]*officer_detail 1`),
    );
  });

  it('show the rules in readable form, and the deliveries with a chart of rows and faults', async () => {
    await judged('officer_id\n1\n');
    await judged('officer_id\n1\n2\n', { ...OFFICERS, eTag: 'another' } as typeof OFFICERS);
    const page = await textOf(`/files/${await idOf()}`);
    expect(page).toMatch(/Rules: officer_detail 1[\s\S]*name: officer_id/);
    expect(page).toContain('aria-label="Rows: 1 to 2, last 2"');
    expect(page.match(/href="\/runs\//g)).toHaveLength(2);
  });

  it('are not found for others', async () => {
    for (const path of ['/files/999999', '/files/x', '/files/-1']) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it('name what is missing, above the deliveries', async () => {
    const schedule = { every: 'P1D', due: 'PT8H', grace: 'PT1H', timeZone: 'UTC' };
    const file = given.database('monitoring_files').where({ id: await idOf() });
    await file.clone().update({ schedule: JSON.stringify(schedule) });
    await lookAtPeriods({ database: given.database, now: new Date('2026-03-02T00:00:00Z') });
    await given.database('period_clock').update({ looked_at: '2026-03-03T12:00:00Z' });
    await lookAtPeriods({ database: given.database, now: new Date('2026-03-03T12:00:00Z') });
    const page = await textOf('/');
    await file.update({ schedule: null });
    await emptyTables(given.database, 'period_changes', 'periods');
    expect(page).toMatch(/Late or missing[\s\S]*2026-03-03 08:00[^<]*<\/td><td>missing/);
  });
});

describe('columnChart', () => {
  it('draws each column as high as its share of the largest', () => {
    const { text } = columnChart('Rows', [
      { value: 5, label: 'a' },
      { value: 10, label: 'b' },
    ]);
    expect([...text.matchAll(/ height="([\d.]+)"/g)].map(([, height]) => height)).toEqual([
      '30.0',
      '60.0',
    ]);
  });

  it('of nothing but zeros has no height', () => {
    expect(columnChart('Faults', [{ value: 0, label: 'a' }]).text).toContain('height="0.0"');
  });
});

describe('selectionOf', () => {
  it('takes a key without a star for its beginning', () => {
    expect(selectionOf({ key: 'from_client/' })).toEqual({ keyPrefix: 'from_client/' });
    expect(selectionOf({ key: '*.csv' })).toEqual({ key: '*.csv' });
  });

  it('leaves out what no list has', () => {
    expect(selectionOf({ verdict: 'nice', status: 'x', since: '2026-13-01' })).toEqual({});
  });
});

describe('age', () => {
  it.each([
    [999, 'now'],
    [1_000, '1 second'],
    [150_000, '2 minutes'],
    [90_000_000, '1 day'],
  ])('of %i ms is %s', (milliseconds, text) => {
    expect(age(milliseconds)).toBe(text);
  });
});
