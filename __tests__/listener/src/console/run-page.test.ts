import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningConsole, startConsole } from '../../../../listener/src/console/console.ts';
import { heartbeat } from '../../../../listener/src/database/judgements.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { lastActs } from '../../../../listener/src/database/privacy-events.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { recordJudgement } from '../../../../listener/src/jobs/record-judgement.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { createTestDatabase, emptyTables, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, forgetRuns, openRun } from '../../support/runs.ts';
import { storeOf } from '../../support/stores.ts';

const TOKEN = 'a-token-of-the-test';
const headers = { Authorization: `Bearer ${TOKEN}` };
const OBJECT = { bucket: 'box', key: 'in/people.csv' };

let given: TestDatabase;
let pages: RunningConsole;
beforeAll(async () => {
  given = await createTestDatabase();
  await given.database('mappings').insert({
    ...{ name: 'people', version: 1 },
    table_schema: {
      fields: [
        { name: 'id', type: 'integer' },
        {
          name: 'badge',
          type: 'string',
          classification: 'sensitive',
          constraints: { maxLength: 4 },
        },
      ],
    },
  });
  await upsertMonitoringFile(given.database, {
    ...{ bucket: 'box', keyPattern: 'in/*.csv', client: 'abq', description: '' },
    ...{ mappingName: 'people', mappingVersion: 1, active: true },
  });
  const onError = (error: unknown) => {
    throw error;
  };
  pages = await startConsole({
    ...{ database: given.database, port: 0, token: TOKEN, onError },
    rights: ['look', 'reveal'],
  });
});
afterAll(async () => {
  await pages?.close();
  await given.drop();
});
beforeEach(async () => {
  await forgetRuns(given.database);
  await emptyTables(given.database, 'notice_messages', 'notices', 'privacy_events');
});

const get = (path: string) => fetch(new URL(path, pages.address), { headers });
const pageOf = async (id: string) => (await get(`/runs/${id}`)).text();

async function judged(content: string, eTag = 'e1', object: object = OBJECT): Promise<string> {
  const held = await begin(given.database, { ...OBJECT, ...object, eTag });
  await recordJudgement(held, {
    ...{ database: given.database, job: s3DataQualityJob, store: storeOf(content) },
    ...{ engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 }, maxFaults: 100, tells: true },
    signal: new AbortController().signal,
  });
  return held.runId;
}

const GOOD = 'id,badge\n1,K1\n2,K2\n';
const BAD = 'id,badge\n1,S3cretBadge\nx,K2\n';

describe('the page of a run shows', () => {
  it('what values of a column look like, with the figures of the histogram beside it', async () => {
    const page = await pageOf(await judged('id,badge\n1,K1\nx,K2\n,K3\n'));
    expect(page).toMatch(/What values look like[\s\S]*<svg class="histogram"/);
    expect(page).toContain('<td>1 empty, 1 string, 1 integer</td>');
    expect(page).toContain('1 value by magnitude: <span class="text">1–9</span> 1</td>');
    // Of the sensitive column.
    expect(page).toContain('<td>withheld</td>');
  });

  it('what has changed since the last accepted delivery: figures and columns', async () => {
    const first = await judged(GOOD);
    const page = await pageOf(await judged('id,badge,extra\n1,K1,x\n2,K2,y\n3,K3,z\n', 'e2'));
    expect(page).toContain(`<a href="/runs/${first}">`);
    expect(page).toMatch(
      /Rows<\/th><td class="number">2<\/td><td class="number">3<\/td><td class="number">\+50 %/,
    );
    // The label of a column that no schema has may be a value.
    expect(page).toContain('added: <span class="text">column 3 was added</span>');
  });

  it('that the columns are the same, and nothing where no delivery was accepted before', async () => {
    expect(await pageOf(await judged(GOOD))).not.toContain('Since the last accepted delivery');
    expect(await pageOf(await judged(GOOD, 'e2'))).toContain('The columns are the same.');
  });

  it('other deliveries of the same key, and of no other one', async () => {
    const [first, other] = [
      await judged(GOOD),
      await judged(GOOD, 'e1', { key: 'in/people.csv2' }),
    ];
    const page = await pageOf(await judged(BAD, 'e2'));
    expect(page).toMatch(new RegExp(`Other deliveries of this key[\\s\\S]*/runs/${first}`));
    expect(page).not.toContain(other);
  });

  it('what was told to whom, and what nobody was told of', async () => {
    const id = await judged(BAD);
    const [{ id: notice }] = await given.database('notices').select('id');
    const at = new Date('2026-11-29T10:00:00Z');
    await given.database('notice_messages').insert({
      ...{ way: 'email', target: 'ana@city.example', notice_ids: [notice], status: 'delivered' },
      ...{ created_at: at, next_at: at, give_up_at: at, settled_at: at },
    });
    expect(await pageOf(id)).toMatch(
      /Who was notified[\s\S]*email <span class="text">ana@city.example<\/span>[\s\S]*delivered, 2026-11-29T10:00/,
    );
    await given.database('notice_messages').delete();
    expect(await pageOf(id)).toContain('<td>nobody</td>');
  });

  it('how far a judgement in hand has come', async () => {
    const id = await openRun(given.database, { ...OBJECT, sizeBytes: 200 });
    const held = await beginOf(given.database, id);
    await heartbeat(given.database, [{ ...held, progress: { bytes: 90, rows: 7 } }]);
    expect(await pageOf(id)).toContain('A judgement of this file is running: 45 %, 7 rows.');
  });
});

describe('what can be saved of a run', () => {
  it.each([
    ['report.html', 'text/html; charset=utf-8', 'people.csv.html'],
    ['rejects.csv', 'text/csv; charset=utf-8', 'people.csv.rejects.csv'],
  ])('%s has the name of the file and shows no sensitive value', async (name, type, saved) => {
    const answer = await get(`/runs/${await judged(BAD)}/${name}`);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''${saved}`);
    const text = await answer.text();
    expect(text).toContain('type-error');
    expect(text).not.toContain('S3cretBadge');
  });

  it('takes no name that ends the header or leads elsewhere', async () => {
    const key = 'a/..\\"\r\nX: y\u202e<b>.csv';
    const { headers } = await get(`/runs/${await judged(BAD, 'e1', { key })}/rejects.csv`);
    expect(headers.get('x')).toBeNull();
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''[\w.%-]+$/);
  });

  it('is not there for a run without a report', async () => {
    const id = await openRun(given.database, OBJECT);
    for (const name of ['report.html', 'report.json', 'rejects.csv']) {
      expect((await get(`/runs/${id}/${name}`)).status).toBe(404);
    }
  });
});

describe('sensitive values', () => {
  const reveal = (id: string, fields: Record<string, string>) =>
    fetch(new URL(`/runs/${id}/reveal`, pages.address), {
      ...{ method: 'POST', headers, body: new URLSearchParams(fields) },
    });

  it('are revealed for a reason, which is recorded', async () => {
    const id = await judged(BAD);
    expect(await pageOf(id)).toMatch(/Show them/);
    expect(await (await reveal(id, { reason: 'the city asks' })).text()).toContain('S3cretBadge');
    expect(await lastActs(given.database, 5)).toMatchObject([
      { act: 'reveal', via: 'console', reason: 'the city asks', subject: { runId: id } },
    ]);
  });

  it('are not revealed without a reason', async () => {
    const answer = await reveal(await judged(BAD), { reason: ' ' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain('S3cretBadge');
    expect(await lastActs(given.database, 5)).toEqual([]);
  });

  it('are not offered where there are none', async () => {
    expect(await pageOf(await judged('n\n1,2\n', 'e1', { key: 'other.csv' }))).not.toMatch(
      /S3cret/,
    );
    expect(await pageOf(await judged('id,badge\n', 'e2'))).not.toContain('Show them');
  });
});
