import type { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type LiveOptions,
  type LiveViews,
  liveViews,
} from '../../../../listener/src/console/live.ts';
import { finishJudgement, heartbeat } from '../../../../listener/src/database/judgements.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { beginOf, forgetRuns, judgedRun, openRun, PASSED } from '../../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
  await given.database('mappings').insert({ name: 'people', version: 1, table_schema: {} });
  await upsertMonitoringFile(given.database, {
    ...{ bucket: 'box', keyPattern: 'abq/*.csv', client: 'abq', description: '' },
    ...{ mappingName: 'people', mappingVersion: 1, active: true },
  });
});
afterAll(() => given.drop());

let views: LiveViews;
const errors: unknown[] = [];
const start = (options: Partial<LiveOptions> = {}) => {
  const onError = (error: unknown) => errors.push(error);
  views = liveViews({ database: given.database, everyMs: 20, onError, ...options });
};
beforeEach(async () => {
  await forgetRuns(given.database);
  start();
});
afterEach(() => {
  views.close();
  expect(errors.splice(0)).toEqual([]);
});

interface SentRow {
  readonly id: string;
  readonly html: string;
}

let viewers = 0;
function open(clients?: readonly string[], session?: string): PassThrough {
  viewers += 1;
  const stream = views.open({ name: `viewer ${viewers}`, clients }, session);
  if (typeof stream === 'string') throw new Error('no more streams');
  return stream;
}

/** Waits for a row that a stream sends. */
async function rowIn(stream: PassThrough, isIt: (row: SentRow) => boolean): Promise<SentRow> {
  let text = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const [, data] of events.map((event) => /^data: (.*)$/m.exec(event) ?? [])) {
      const found = data && (JSON.parse(data) as SentRow[]).find(isIt);
      if (found) return found;
    }
  }
  throw new Error('the stream has ended');
}

const inBox = (key: string) => ({ bucket: 'box', key });

describe('a live view', () => {
  it('is told first what is there, then what changes: a file in hand with its progress, and its verdict', async () => {
    const id = await openRun(given.database, { ...inBox('a.csv'), sizeBytes: 200 });
    const stream = open();
    const next = (text: string) => rowIn(stream, (row) => row.id === id && row.html.includes(text));
    await next('queued');
    const held = await beginOf(given.database, id);
    await heartbeat(given.database, [{ ...held, progress: { bytes: 50, rows: 3 } }]);
    await next('25 %, 3 rows');
    await finishJudgement(given.database, held, PASSED);
    await next('verdict passed');
  });

  it('is told of what comes after it was opened', async () => {
    const stream = open();
    await judgedRun(given.database, inBox('first.csv'));
    await rowIn(stream, ({ html }) => html.includes('first.csv'));
    const id = await judgedRun(given.database, inBox('second.csv'));
    expect(await rowIn(stream, (row) => row.id === id)).toMatchObject({
      html: expect.stringContaining('second.csv'),
    });
  });

  it('is told what is there also where others have watched before', async () => {
    const id = await judgedRun(given.database, inBox('a.csv'));
    await rowIn(open(), (row) => row.id === id);
    await rowIn(open(), (row) => row.id === id);
  });

  it('of a viewer who is bound to clients is told of nothing of others', async () => {
    const stream = open(['abq']);
    let sent = '';
    stream.on('data', (chunk) => (sent += chunk));
    await judgedRun(given.database, inBox('other/secret.csv'));
    const all = open();
    await rowIn(all, ({ html }) => html.includes('other/secret.csv'));
    const id = await judgedRun(given.database, inBox('abq/own.csv'));
    await eventually(() => expect(sent).toContain(id));
    expect(sent).not.toContain('secret');
  });

  it('takes no key for markup', async () => {
    const id = await judgedRun(given.database, inBox('<img src=x>.csv'));
    expect((await rowIn(open(), (row) => row.id === id)).html).not.toContain('<img');
  });
});

describe('live views', () => {
  it('of fifty viewers look at the database as often as that of one', async () => {
    start({ everyMs: 500 });
    let looks = 0;
    given.database.on('query', ({ sql }) => {
      if (/order by "run"."created_at" desc/i.test(sql)) looks += 1;
    });
    const streams = Array.from({ length: 50 }, () => open());
    const id = await judgedRun(given.database, inBox('a.csv'));
    await Promise.all(streams.map((stream) => rowIn(stream, (row) => row.id === id)));
    given.database.removeAllListeners('query');
    // Half a second apart: a machine would have to hang for 20 s to come near.
    expect(looks).toBeLessThan(40);
  });

  it('have a limit, and room again when one is closed', async () => {
    start({ most: 2 });
    const [first] = [open(), open()];
    const another = { name: 'another', clients: undefined };
    expect(views.open(another)).toBe('all');
    first?.destroy();
    await eventually(() => expect(views.size).toBe(1));
    expect(views.open(another)).toBeTypeOf('object');
  });

  it('of one viewer have a limit of their own, and take no room of others', async () => {
    const ana = { name: 'ana', clients: undefined };
    const streams = Array.from({ length: 10 }, () => views.open(ana));
    expect(streams.every((stream) => typeof stream === 'object')).toBe(true);
    expect(views.open(ana)).toBe('own');
    expect(views.open({ ...ana, name: 'ben' })).toBeTypeOf('object');
  });

  it('end at the next look when their session has ended elsewhere, and others do not', async () => {
    const present = new Set(['first', 'second']);
    start({ lasting: async () => present });
    const [first, second] = [open(undefined, 'first'), open(undefined, 'second')];
    const byToken = open();
    const id = await judgedRun(given.database, inBox('a.csv'));
    await rowIn(first, (row) => row.id === id);
    present.delete('first');
    await eventually(() => expect(first.destroyed).toBe(true));
    const later = await judgedRun(given.database, inBox('b.csv'));
    for (const stream of [second, byToken]) await rowIn(stream, (row) => row.id === later);
  });

  it('send nothing to whoever left before the look', async () => {
    const present = new Set(['own']);
    start({ lasting: async () => present });
    const stream = open(undefined, 'own');
    let sent = '';
    stream.on('data', (chunk) => (sent += chunk));
    present.clear();
    await judgedRun(given.database, inBox('later.csv'));
    await eventually(() => expect(stream.destroyed).toBe(true));
    expect(sent).not.toContain('later.csv');
  });

  it('leave the database alone where nobody watches', async () => {
    const stream = open();
    const id = await judgedRun(given.database, inBox('a.csv'));
    await rowIn(stream, (row) => row.id === id);
    stream.destroy();
    await eventually(() => expect([views.size, views.isLooking]).toEqual([0, false]));
    // And again, where somebody comes back.
    await rowIn(open(), (row) => row.id === id);
  });

  it('go on when a look has failed', async () => {
    const database = given.database;
    let isDown = true;
    const failing = new Proxy(database, {
      apply: (target, self, parameters) => {
        if (isDown) throw new Error('the database is away');
        return Reflect.apply(target as never, self, parameters);
      },
    });
    start({ database: failing });
    const stream = open();
    const id = await judgedRun(database, inBox('a.csv'));
    await eventually(() => expect(errors.length).toBeGreaterThan(0));
    isDown = false;
    await rowIn(stream, (row) => row.id === id);
    expect(`${errors.splice(0)[0]}`).toContain('the database is away');
  });

  it('end when the console does', async () => {
    const stream = open();
    views.close();
    await eventually(() => expect(stream.destroyed).toBe(true));
    expect(views.open({ name: 'another', clients: undefined })).toBe('all');
  });
});
