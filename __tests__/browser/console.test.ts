import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type RunningConsole, startConsole } from '../../listener/src/console/console.ts';
import { failJudgements, heartbeat } from '../../listener/src/database/judgements.ts';
import { recordListing } from '../../listener/src/database/listed-objects.ts';
import { upsertMonitoringFile } from '../../listener/src/database/monitoring-files.ts';
import { findRun } from '../../listener/src/database/runs.ts';
import { seedDefinitions } from '../../listener/src/database/seed.ts';
import { NODE_PORTS } from '../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../listener/src/jobs/s3-data-quality-job.ts';
import { openQueue, type Queue } from '../../listener/src/queue/queue.ts';
import { SEED_FOLDER } from '../../listener/src/rules/rule-set.ts';
import { copyCluster } from '../listener/support/copy-cluster.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { begin, beginOf, enqueueRuns, leaveOneAttempt, openRun } from '../listener/support/runs.ts';
import { storeOf } from '../listener/support/stores.ts';
import { synthesizedStack } from '../listener/support/synthesized-stack.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { eventually } from '../support/eventually.ts';
import { violationsOn } from './support/accessibility.ts';
import { startChromium } from './support/browsers.ts';

/** Where pictures for the README are written; a run without it changes no file. */
const { SCREENSHOTS } = process.env;
const MOST_PICTURE_BYTES = 100_000;

const BUCKET = 'etl-ba-research-client-etl';
const engine = { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 };
/** Texts that would do something where they are taken for markup, or change how others are read. */
const HOSTILE = `<img src=x onerror="document.title='owned'"><svg onload="document.title='owned'">"'><script>document.title='owned'</script>\u202efdp`;

let given: TestDatabase;
let queue: Queue;
let pages: RunningConsole;
let browser: Browser;
let failed: string;
let hostile: string;
let fileId: number;
const onError = (error: unknown) => {
  throw error;
};
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, onError);
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
  const monitored = 'from_client/nm_albuquerque/Officer_Detail.csv';
  for (const rows of ['1', '1\n2'])
    await judge(`officer_id\n${rows}\n`, monitored, `${rows.length}`);
  failed = await judge('n,text\n1,a\n1,b,c\n', 'from_client/nm/Officer_Detail.csv');
  await judge('n\n1\n', 'from_client/nm/Good.csv');
  hostile = await judgeHostile();
  await recordListing(given.database, {
    ...{ places: [{ bucket: BUCKET, prefix: HOSTILE }], counts: { listed: 7 } },
    reason: HOSTILE,
  });
  const filter = { buckets: [], suffixes: [] } as never;
  pages = await startConsole({
    ...{ database: given.database, port: 0, rights: ['look', 'act', 'reveal'], onError },
    acting: { queue, filter, rehearsing: { store: storeOf('id\n1\n'), engine, maxFaults: 100 } },
  });
  const file = await given.database('monitoring_files').where({ bucket: BUCKET }).first('id');
  fileId = file.id;
  browser = await startChromium();
});
afterAll(async () => {
  await browser?.close();
  await pages?.close();
  await queue?.close();
  await given?.drop();
});

async function judge(content: string, key: string, eTag = 'e1', bucket = BUCKET): Promise<string> {
  const held = await begin(given.database, { bucket, key, eTag });
  await recordJudgement(held, {
    ...{ database: given.database, job: s3DataQualityJob, store: storeOf(content), engine },
    ...{ maxFaults: 100, signal: new AbortController().signal, tells: true },
  });
  return held.runId;
}

/** A file whose name, header, cells (of a megabyte) and rules are hostile. */
async function judgeHostile(): Promise<string> {
  await given.database('mappings').insert({
    ...{ name: 'hostile', version: 1 },
    table_schema: {
      fields: [
        { name: HOSTILE, type: 'integer', description: HOSTILE, classification: 'public' },
        {
          ...{ name: 'b', type: 'string', classification: 'public' },
          constraints: { pattern: `x|${HOSTILE.replaceAll(/[()[\]]/g, '\\$&')}` },
        },
      ],
    },
  });
  await upsertMonitoringFile(given.database, {
    ...{ bucket: 'hostile', keyPattern: '**', client: HOSTILE, description: HOSTILE },
    ...{ mappingName: 'hostile', mappingVersion: 1, active: true },
  });
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const large = HOSTILE.repeat(Math.ceil(1_000_000 / HOSTILE.length));
  const content = `${cell(HOSTILE)},b,${cell(HOSTILE)}\n${cell(large)},${cell(large)},1\n${cell(HOSTILE)},${cell(HOSTILE)},2\n`;
  return judge(content, `in/${HOSTILE}.csv`, 'e1', 'hostile');
}

/** A file with a sensitive value at which something is wrong. */
async function judgeSecret(): Promise<string> {
  const field = { name: 'badge', type: 'string', classification: 'sensitive' };
  await given.database('mappings').insert({
    ...{ name: 'secret', version: 1 },
    table_schema: { fields: [{ ...field, constraints: { maxLength: 4 } }] },
  });
  await upsertMonitoringFile(given.database, {
    ...{ bucket: 'secret', keyPattern: '**', client: 'abq', description: '' },
    ...{ mappingName: 'secret', mappingVersion: 1, active: true },
  });
  return judge('badge\nS3cretM4rker\n', 'badges.csv', 'e1', 'secret');
}

/** A run that used up its attempts. @returns its id */
async function died(key: string): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, key);
  await leaveOneAttempt(given.database, runId);
  for (const job of await queue.fetch(1)) await queue.fail(job, new Error(HOSTILE));
  await failJudgements(given.database, [{ runId, number: 1, error: HOSTILE }]);
  return runId;
}

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(pages.address);
  return page;
}

const to = (path: string) => `${new URL(pages.address).origin}${path}`;

/** Every kind of page that there is. */
async function everyPage(): Promise<readonly (readonly [name: string, path: string])[]> {
  const dead = await died(`from_client/dead-${randomUUID()}.csv`);
  const [{ id: hostileFile }] = await given
    .database('monitoring_files')
    .where({ bucket: 'hostile' })
    .select('id');
  return [
    ['deliveries', '/'],
    ['a run', `/runs/${failed}`],
    ['a run of a hostile file', `/runs/${hostile}`],
    ['monitored files', '/files'],
    ['a monitored file', `/files/${fileId}`],
    ['a hostile monitored file', `/files/${hostileFile}`],
    ['operations', '/operations'],
    ['a confirmation', `/operations/confirm?act=retry&run-${dead}=on`],
    ['nothing', '/nothing'],
  ];
}

// The console needs no script, so none may run.
describe('the console, without JavaScript', () => {
  let page: Page;
  beforeEach(async () => {
    page = await open({ javaScriptEnabled: false });
    return () => page.context().close();
  });

  it('leads from the list to the row to fix', async () => {
    expect(page.url()).not.toContain('token');
    await page.click('text=from_client/nm/Officer_Detail.csv');
    expect(await page.textContent('.verdict')).toBe('failed');
    expect(await page.textContent('main')).toMatch(/extra-cell/);
  });

  it('opens at the page of one run by its address', async () => {
    await page.goto(pages.addressOf(failed));
    expect(await page.textContent('h1')).toBe(
      'etl-ba-research-client-etl/from_client/nm/Officer_Detail.csv',
    );
  });

  it('is used by the keyboard alone: choose, show, open', async () => {
    await page.focus('input[name=key]');
    await page.keyboard.type('from_client/nm/G');
    await page.keyboard.press('Enter');
    await page.waitForURL(/key=from_client/);
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.focus('tbody a');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\//);
    expect(await page.textContent('.verdict')).toBe('passed');
  });

  it('retries a dead letter, by the keyboard alone', async () => {
    const id = await died('from_client/retried.csv');
    await page.goto(to('/operations'));
    await page.focus(`input[name="run-${id}"]`);
    await page.keyboard.press('Space');
    // The next button behind it, whatever is in between.
    for (let tabs = 0; tabs < 400; tabs += 1) {
      await page.keyboard.press('Tab');
      if (await page.locator('button[value=retry]:focus').count()) break;
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(/confirm/);
    expect(await page.textContent('main li')).toContain('from_client/retried.csv');
    await page.focus('input[name=reason]');
    await page.keyboard.type('S3 is back');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/operations\?did=retry/);
    expect(await page.textContent('[role=status]')).toBe('judged again: 1 run');
    expect(await findRun(given.database, id)).toMatchObject({ status: 'queued', number: 2 });
    expect(await page.textContent('#acts + div')).toContain('S3 is back');
  });

  it('reveals sensitive values for a reason', async () => {
    const id = await judgeSecret();
    await page.goto(to(`/runs/${id}`));
    expect(await page.content()).not.toContain('S3cretM4rker');
    await page.fill('input[name=reason]', 'the city asks');
    await page.click('text=Show them');
    expect(await page.textContent('main')).toContain('S3cretM4rker');
  });

  it('rehearses other rules on a monitored file', async () => {
    await page.goto(to(`/files/${fileId}`));
    await page.fill(
      'textarea',
      'name: officer_detail\ntableSchema:\n  fields:\n    - name: other\n',
    );
    await page.click('text=Rehearse >> nth=-1');
    expect(await page.textContent('[role=status]')).toMatch(/judged again.*nothing was recorded/);
  });
});

describe('the list of deliveries, with JavaScript', () => {
  it('follows a file from its arrival over its progress to its verdict', async () => {
    const page = await open();
    const id = await openRun(given.database, { bucket: BUCKET, key: 'live.csv', sizeBytes: 200 });
    const row = page.locator(`#run-${id}`);
    await row.getByText('queued').waitFor();
    expect(await page.textContent('#count')).toBe('Newest first');
    // Where its time belongs: before all that came earlier.
    expect(await page.locator('tbody tr').first().getAttribute('id')).toBe(`run-${id}`);
    const held = await beginOf(given.database, id);
    await heartbeat(given.database, [{ ...held, progress: { bytes: 50, rows: 3 } }]);
    await row.getByText('25 %, 3 rows').waitFor();
    await recordJudgement(held, {
      ...{ database: given.database, job: s3DataQualityJob, store: storeOf('n\n1\n'), engine },
      ...{ maxFaults: 100, signal: new AbortController().signal },
    });
    await row.getByText('passed').waitFor();
    await page.context().close();
  });

  it('adds nothing where somebody has selected some, and keeps the keyboard where it is', async () => {
    const page = await open();
    const id = await openRun(given.database, { bucket: BUCKET, key: 'chosen/a.csv' });
    await page.goto(to('/?key=chosen/'));
    await page.focus(`#run-${id} a`);
    await judge('n\n1\n', 'others/b.csv');
    await beginOf(given.database, id);
    await page.locator(`#run-${id}`).getByText('running').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(1);
    expect(await page.locator(`#run-${id} a:focus`).count()).toBe(1);
    await page.context().close();
  });
});

describe('every page', () => {
  it.each(['light', 'dark'] as const)('is accessible in the %s scheme', async (colorScheme) => {
    const page = await open({ colorScheme });
    for (const [name, path] of await everyPage()) {
      await page.goto(to(path));
      expect([name, ...(await violationsOn(page))]).toEqual([name]);
    }
    await page.context().close();
  });

  it('runs nothing that stands in keys, headers, cells, rules and errors, and shows how they are written', async () => {
    const page = await open();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).origin));
    for (const [name, path] of await everyPage()) {
      await page.goto(to(path));
      expect([name, await page.title()]).not.toContain('owned');
      expect(await page.locator('img, main script, svg[onload]').count()).toBe(0);
      const source = await page.content();
      expect(source).not.toContain('\u202e');
      expect(source.length).toBeLessThan(400_000);
    }
    expect(new Set(asked)).toEqual(new Set([new URL(pages.address).origin]));
    await page.context().close();
  });

  it('fits the width of a phone', async () => {
    const page = await open({ viewport: { width: 360, height: 640 } });
    for (const [name, path] of await everyPage()) {
      await page.goto(to(path));
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect([name, Number(width) <= 360]).toEqual([name, true]);
    }
    await page.context().close();
  });
});

describe('npm start', () => {
  const ROOT = fileURLToPath(new URL('../..', import.meta.url));
  let state: string;
  beforeAll(async () => {
    state = await mkdtemp(join(inject('postgresCluster'), '../start-'));
    // As root, PostgreSQL runs as another user, who has to get to its data.
    await chmod(state, 0o711);
    await copyCluster(inject('postgresCluster'), join(state, 'postgres'));
  });
  afterAll(() => rm(state, { recursive: true, force: true }));

  it('leads from dropping a broken file to reading its fault', async () => {
    const [stack, data] = [join(state, 'cdk.tf.json'), join(state, 'data')];
    await writeFile(stack, JSON.stringify(await synthesizedStack()));
    const flow = ['--stack', stack, '--data', data, '--state', state];
    const child = spawn(process.execPath, [join(ROOT, 'listener/local/start.ts'), ...flow], {
      ...{ cwd: ROOT, detached: true },
      env: {
        ...COMPILE_CACHE,
        ...{ PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', METRICS_PORT: '0' },
      },
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => (printed += text));
    const ended = once(child, 'close');
    try {
      await eventually(() => expect(printed).toContain('ready: copy a CSV file into'));
      const address = /http:\/\/127\.0\.0\.1:\d+\/\S*token=\S+/.exec(printed)?.[0] ?? '';
      const page = await (
        await browser.newContext({ colorScheme: 'light', viewport: { width: 1000, height: 620 } })
      ).newPage();
      await page.goto(address);
      await page.goto(new URL('/', address).href);
      const dropped = join(data, BUCKET, 'from_client/nm/People.csv');
      await mkdir(dirname(dropped), { recursive: true });
      await writeFile(dropped, 'id,name\n1,Ann\n2,Bob,extra\n');
      // The list shows it without being asked again.
      const row = page.locator('tr', { hasText: 'People.csv' });
      await row.getByText('failed').waitFor();
      await picture(page, 'deliveries');
      await row.getByRole('link').click();
      expect(await page.textContent('main')).toMatch(/extra-cell[\s\S]*What is wrong/);
      expect(await page.textContent('article td.number >> nth=0')).toBe('3');
      await picture(page, 'run');
      await page.context().close();
    } finally {
      // Asked to end and not killed: a kill would leave the database running.
      if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGTERM');
      await ended;
    }
  });
});

/** A picture of what is seen, small enough for a README. It is kept where SCREENSHOTS names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = SCREENSHOTS ?? (await mkdtemp(join(inject('postgresCluster'), '../pictures-')));
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  expect((await stat(path)).size).toBeLessThan(MOST_PICTURE_BYTES);
  if (SCREENSHOTS === undefined) await rm(folder, { recursive: true });
}
