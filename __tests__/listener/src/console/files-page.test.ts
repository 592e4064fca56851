import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningConsole, startConsole } from '../../../../listener/src/console/console.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import type { ObjectStore } from '../../../../listener/src/storage/object-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, forgetRuns } from '../../support/runs.ts';
import { storeOf } from '../../support/stores.ts';

const TOKEN = 'a-token-of-the-test';
const headers = { Authorization: `Bearer ${TOKEN}` };

let given: TestDatabase;
let pages: RunningConsole;
let id: number;
/** What every object holds. */
const content = 'id\n1\n2\n';
const store = { ...storeOf(''), open: (...asked: never[]) => openNow(...asked) } as ObjectStore;
let openNow = (..._asked: never[]) => storeOf(content).open({} as never, {} as never);
const engine = { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 };
const start = (rights: readonly ('look' | 'act')[]) =>
  startConsole({
    ...{ database: given.database, port: 0, token: TOKEN, rights },
    // A rehearsal asks for nothing else of them.
    acting: { rehearsing: { store, engine, maxFaults: 100 } } as never,
    onError(error) {
      throw error;
    },
  });
beforeAll(async () => {
  given = await createTestDatabase();
  await given.database('mappings').insert({
    ...{ name: 'people', version: 1 },
    table_schema: { fields: [{ name: 'id', type: 'integer' }] },
  });
  await upsertMonitoringFile(given.database, {
    ...{ bucket: 'box', keyPattern: '*.csv', client: 'abq', description: '' },
    ...{ mappingName: 'people', mappingVersion: 1, active: true },
  });
  ({ id } = await given.database('monitoring_files').first('id'));
  pages = await start(['look', 'act']);
});
afterAll(async () => {
  await pages?.close();
  await given.drop();
});
beforeEach(() => forgetRuns(given.database));

async function judged(key: string): Promise<string> {
  const held = await begin(given.database, { bucket: 'box', key });
  await recordJudgement(held, {
    ...{ database: given.database, job: s3DataQualityJob, store: storeOf(content), engine },
    ...{ maxFaults: 100, signal: new AbortController().signal },
  });
  return held.runId;
}

const pageOf = async (from = pages) =>
  (await fetch(new URL(`/files/${id}`, from.address), { headers })).text();
const rehearse = (text: string, last = '5', from = pages) =>
  fetch(new URL(`/files/${id}/rehearse`, from.address), {
    ...{ method: 'POST', headers, body: new URLSearchParams({ text, last }) },
  });

const STRICTER = 'name: people\ntableSchema:\n  fields:\n    - name: id\n      type: date\n';

describe('a rehearsal', () => {
  it('is offered with the rules of today, as their author writes them', async () => {
    expect(await pageOf()).toMatch(
      /<textarea name="text"[^>]*>\s*name: people\n(?:.*\n)*?.*- name: id\n/,
    );
  });

  it('says which verdicts would change, and records nothing', async () => {
    const run = await judged('a.csv');
    const before = await given.database('judgements').count();
    const page = await (await rehearse(STRICTER)).text();
    expect(page).toContain('1 judged again, 1 verdict would change; nothing was recorded.');
    expect(page).toMatch(new RegExp(`/runs/${run}[\\s\\S]*passed[\\s\\S]*→[\\s\\S]*failed`));
    expect(await given.database('judgements').count()).toEqual(before);
    // The text is there still, to go on with.
    expect(page).toMatch(/type: date\n/);
  });

  it('is of the last deliveries alone', async () => {
    for (const key of ['a.csv', 'b.csv', 'c.csv']) await judged(key);
    expect(await (await rehearse(STRICTER, '2')).text()).toContain('2 judged again');
  });

  it('names what is wrong with rules that cannot be used, by line, and keeps their text', async () => {
    const answer = await rehearse(STRICTER.replace('type: date', 'type: "<b>"'));
    const page = await answer.text();
    expect(answer.status).toBe(400);
    expect(page).toMatch(/line 5: tableSchema\.fields\[0\]\.type is[^<]*&lt;b&gt;/);
    expect(page).toMatch(/type: &quot;&lt;b&gt;&quot;\n/);
    expect((await rehearse('[]')).status).toBe(400);
  });

  it('is one at a time', async () => {
    await judged('a.csv');
    const { promise, resolve } = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const open = openNow;
    openNow = async (...asked) => {
      reached.resolve();
      await promise;
      return open(...asked);
    };
    const first = rehearse(STRICTER);
    await reached.promise;
    const second = await rehearse(STRICTER);
    openNow = open;
    resolve();
    expect([second.status, (await first).status]).toEqual([503, 200]);
    expect((await rehearse(STRICTER)).status).toBe(200);
  });

  it('is not for who may only look', async () => {
    const looking = await start(['look']);
    const [page, answer] = [await pageOf(looking), await rehearse(STRICTER, '1', looking)];
    await looking.close();
    expect([page.includes('<textarea'), answer.status]).toEqual([false, 403]);
  });
});
