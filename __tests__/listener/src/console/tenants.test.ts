import { createHash, randomUUID } from 'node:crypto';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../../listener/src/config.ts';
import {
  type RunningConsole,
  routesOf,
  startConsole,
} from '../../../../listener/src/console/console.ts';
import { liveViews } from '../../../../listener/src/console/live.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { seedDefinitions } from '../../../../listener/src/database/seed.ts';
import { createEngine } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { SEED_FOLDER } from '../../../../listener/src/rules/rule-set.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin } from '../../support/runs.ts';
import { storeOf } from '../../support/stores.ts';

const BUCKET = 'deliveries';
const RIGHTS = ['look', 'act', 'reveal'];

let given: TestDatabase;
let queue: Queue;
let pages: RunningConsole;
/** A run and a monitored file of each client. */
const own = { run: '', file: 0 };
const others = { run: '', file: 0 };
const absent = { run: randomUUID(), file: 999_999 };
const onError = (error: unknown) => {
  throw error;
};
const acting = () => ({
  queue,
  filter: {
    buckets: [{ name: BUCKET, prefixes: [], suffix: undefined }],
    reportPrefix: 'reports/',
  },
  rehearsing: {
    store: storeOf('officer_id\n1\n'),
    engine: createEngine(readConfig({}, { database: false, httpIntake: false })),
    maxFaults: 10,
  },
});
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, onError);
  await seedDefinitions(given.database, SEED_FOLDER, expectationProblems);
  Object.assign(own, await deliveredBy('nm_roswell'));
  Object.assign(others, await deliveredBy('tx_s3cret'));
  const token = (name: string) => ({ name, sha256: hash(name), rights: RIGHTS });
  const CONSOLE_TOKENS = JSON.stringify([
    token('everybody'),
    { ...token('tenant'), clients: ['nm_roswell'] },
  ]);
  const { console: settings } = readConfig(
    { CONSOLE_TOKENS, CONSOLE_HOST: '0.0.0.0' },
    { database: false, httpIntake: false },
  );
  pages = await startConsole({
    ...{ database: given.database, port: 0, settings, acting: acting() as never, onError },
  });
});
afterAll(async () => {
  await pages?.close();
  await queue?.close();
  await given.drop();
});

async function deliveredBy(client: string): Promise<{ run: string; file: number }> {
  const mapping = { mappingName: 'officer_detail', mappingVersion: 1 };
  await upsertMonitoringFile(given.database, {
    ...{ client, bucket: BUCKET, keyPattern: `in/${client}/*.csv`, active: true, description: '' },
    ...mapping,
  });
  const { id } = await given.database('monitoring_files').where({ client }).first('id');
  const held = await begin(given.database, { bucket: BUCKET, key: `in/${client}/a.csv` });
  await recordJudgement(held, {
    ...{ database: given.database, job: s3DataQualityJob, maxFaults: 100 },
    ...{ store: storeOf(`officer_id,x\n1\n${client},2\n`), engine: acting().rehearsing.engine },
    signal: new AbortController().signal,
  });
  const day = (number: number) => new Date(Date.UTC(2026, 10, number));
  await given.database('periods').insert({
    ...{ client, monitoring_file_id: id, name: '2026-11', time_zone: 'UTC', state: 'missing' },
    ...{ starts_at: day(1), ends_at: day(2), opens_at: day(1), closes_at: day(9) },
    ...{ due_at: day(3), missing_at: day(4), changed_at: day(4) },
  });
  return { run: held.runId, file: Number(id) };
}

interface Attempt {
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
}

/** Every way to a run or a monitored file by its id. */
function attemptsAt({ run, file }: typeof own): readonly Attempt[] {
  const act = { [`run-${run}`]: 'on', reason: 'tried', form: randomUUID(), count: '1' };
  return [
    { path: `/?after=${run}` },
    { path: `/files/${file}` },
    { path: `/files/${file}/rehearse`, form: { mapping: 'tableSchema: {}', last: '1' } },
    { path: `/runs/${run}` },
    { path: `/runs/${run}/reveal`, form: { reason: 'tried' } },
    { path: `/runs/${run}/report.json` },
    { path: `/runs/${run}/report.html` },
    { path: `/runs/${run}/rejects.csv` },
    { path: `/operations/confirm?act=retry&run-${run}=on` },
    ...['retry', 'rejudge', 'discard'].map((name) => ({
      path: '/operations/act',
      form: { ...act, act: name },
    })),
  ];
}

/** Every list and search; what they show is of the viewer's clients. */
const LISTS = [
  '/',
  '/?client=tx_s3cret',
  '/?key=*s3cret*',
  '/?key=in%2Ftx_s3cret',
  '/files',
  '/operations',
];

/** Routes that show no delivery. */
const OTHERS = ['/live.js'];

async function ask(token: string, { path, form }: Attempt, at: Partial<typeof own> = {}) {
  const answer = await fetch(new URL(path, `http://127.0.0.1:${pages.port}`), {
    ...{ headers: { Authorization: `Bearer ${token}` }, redirect: 'manual' },
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  });
  const text = await answer.text();
  // What was asked for may be said again.
  const body = text.replaceAll(`${at.run}`, 'ID').replaceAll(form?.form ?? '\0', 'FORM');
  return { status: answer.status, location: answer.headers.get('location'), body };
}

const acts = async () => given.database('privacy_events').count();
const judgements = async () => given.database('judgements').select('run_id', 'number', 'status');

describe('a viewer who is bound to a client', () => {
  it('finds by no id, in no way, more of another than of what there is not', async () => {
    const before = [await judgements(), await acts()];
    const found = attemptsAt(others);
    const missing = attemptsAt(absent);
    for (const [index, attempt] of found.entries()) {
      const answer = await ask('tenant', attempt, others);
      expect(answer.body, attempt.path).not.toContain('s3cret');
      expect(answer, attempt.path).toEqual(await ask('tenant', missing[index] as Attempt, absent));
    }
    expect([await judgements(), await acts()]).toEqual(before);
  });

  it('finds what is theirs, as somebody finds both who sees all', async () => {
    for (const [token, at] of [
      ['tenant', own],
      ['everybody', own],
      ['everybody', others],
    ] as const) {
      for (const attempt of attemptsAt(at).filter(({ path }) => !path.startsWith('/operations'))) {
        // A form that says too little is refused for that.
        expect([200, 400], attempt.path).toContain((await ask(token, attempt)).status);
      }
    }
  });

  it('is back on the page of the run after an act, since Operations are not theirs', async () => {
    const form = { act: 'rejudge', [`run-${own.run}`]: 'on', reason: 'tried', form: randomUUID() };
    for (const _ of ['first', 'again']) {
      const { status, location } = await ask('tenant', { path: '/operations/act', form });
      expect([status, location]).toEqual([303, `/runs/${own.run}`]);
    }
  });

  it('sees nothing of others in any list, count or search', async () => {
    for (const path of LISTS) {
      const { body } = await ask('tenant', { path });
      // The form shows again what was looked for.
      const shown = body.replace(/<form[\s\S]*?<\/form>/g, '');
      expect(shown, path).not.toContain('s3cret');
    }
    const { body } = await ask('tenant', { path: '/' });
    expect(body).toMatch(/in\/nm_roswell\/a\.csv[\s\S]*/);
    expect(body).not.toMatch(/<option[^>]*>tx_s3cret/);
    expect((await ask('everybody', { path: '/' })).body).toContain('in/tx_s3cret/a.csv');
  });

  it('is not told whether the newest delivery is theirs, nor what an id begins with', async () => {
    const ids = ['latest', own.run.slice(0, 8), others.run.slice(0, 8)];
    const found = await Promise.all(
      ids.map((id) => ask('tenant', { path: `/operations/confirm?act=rejudge&run-${id}=on` })),
    );
    expect(found.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  it('sees on a monitored file of theirs no delivery that another one describes today', async () => {
    const { run, file } = await deliveredBy('nm_shared');
    const tenant = { path: `/files/${file}` };
    const { console: settings } = readConfig(
      {
        CONSOLE_TOKENS: JSON.stringify([
          { name: 'shared', sha256: hash('shared'), rights: ['look'], clients: ['nm_shared'] },
        ]),
        CONSOLE_HOST: '0.0.0.0',
      },
      { database: false, httpIntake: false },
    );
    const console = await startConsole({ database: given.database, port: 0, settings, onError });
    const pageOf = async (path: string) => {
      const headers = { Authorization: 'Bearer shared' };
      const answer = await fetch(`http://127.0.0.1:${console.port}${path}`, { headers });
      return { status: answer.status, body: await answer.text() };
    };
    try {
      expect((await pageOf(tenant.path)).body).toContain(run);
      await upsertMonitoringFile(given.database, {
        ...{ client: 'tx_s3cret', bucket: BUCKET, keyPattern: 'in/nm_shared/a*.csv' },
        ...{ active: true, description: '', mappingName: 'officer_detail', mappingVersion: 1 },
      });
      expect((await pageOf(`/runs/${run}`)).status).toBe(404);
      const { status, body } = await pageOf(tenant.path);
      expect([status, body.includes(run)]).toEqual([200, false]);
    } finally {
      await console.close();
    }
  });

  it('follows nothing of others', async () => {
    const controller = new AbortController();
    const { body } = await fetch(`http://127.0.0.1:${pages.port}/live`, {
      headers: { Authorization: 'Bearer tenant' },
      signal: controller.signal,
    });
    let seen = '';
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      seen += chunk;
      if (seen.includes('nm_roswell')) break;
    }
    controller.abort();
    expect(seen).not.toContain('s3cret');
  });

  it('was tried at every route that there is', () => {
    const live = liveViews({ database: given.database, onError });
    const tried = [
      ...[...attemptsAt(others), ...LISTS.map((path) => ({ path }))],
      ...[...OTHERS, '/live'].map((path) => ({ path })),
    ] as readonly Attempt[];
    const left = routesOf({ acting: acting() as never }, live).filter(
      (route) =>
        !tried.some(
          ({ path, form }) =>
            route.path.test(new URL(path, 'http://c').pathname) &&
            (form ? 'POST' : 'GET') === route.method,
        ),
    );
    live.close();
    expect(left.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });
});

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
