import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../../listener/src/database/connection.ts';
import {
  closeJudgement,
  finishJudgement,
  type JudgementResult,
  noteFailure,
  requestJudgements,
  startOwnJudgement,
} from '../../../../listener/src/database/judgements.ts';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import {
  countRuns,
  findRun,
  listRunIds,
  listRuns,
  type RunSelection,
} from '../../../../listener/src/database/runs.ts';
import { countDeadRuns, listDeadRuns } from '../../../../listener/src/queue/dead-letters.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, forgetRuns, judgedRun, openRun, PASSED } from '../../support/runs.ts';

let given: TestDatabase;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(() => forgetRuns(given.database));

const OBJECT = {
  bucket: 'b',
  key: 'k',
  eTag: 'e',
  sizeBytes: 7,
  eventTime: '2026-11-24T10:00:00Z',
};
test('a run knows its object', async () => {
  const id = await openRun(given.database, OBJECT);
  expect(await findRun(given.database, id)).toMatchObject({
    bucket: 'b',
    key: 'k',
    eTag: 'e',
    versionId: null,
    sizeBytes: 7,
    eventTime: new Date('2026-11-24T10:00:00Z'),
    status: 'queued',
    attempts: 0,
    report: null,
  });
});

test('runs are listed newest first, without their reports', async () => {
  const ids = [];
  for (const key of ['1', '2', '3']) ids.push(await openRun(given.database, { ...OBJECT, key }));
  const runs = await listRuns(given.database);
  expect(runs.map(({ id }) => id)).toEqual(ids.toReversed());
  expect(runs[0]).not.toHaveProperty('report');
});

test('runs are listed by status, verdict, bucket and beginning of the key', async () => {
  await judgedRun(given.database, OBJECT);
  await openRun(given.database, { bucket: 'other', key: 'k_%' });
  const keys = async (filter: Parameters<typeof listRuns>[1]) =>
    (await listRuns(given.database, filter)).map(({ key }) => key);
  expect(await keys({ status: 'queued' })).toEqual(['k_%']);
  expect(await keys({ verdict: 'passed' })).toEqual(['k']);
  expect(await keys({ bucket: 'other' })).toEqual(['k_%']);
  expect(await keys({ keyPrefix: 'k_' })).toEqual(['k_%']);
  expect(await keys({ limit: 1 })).toEqual(['k_%']);
});

test('runs that wait and runs in hand are told apart', async () => {
  await openRun(given.database, { ...OBJECT, key: 'untouched' });
  const held = await begin(given.database, { ...OBJECT, key: 'put back' });
  await noteFailure(given.database, held, 'S3 is unavailable');
  await begin(given.database, { ...OBJECT, key: 'in hand' });
  const keys = async (status: 'queued' | 'running') =>
    (await listRuns(given.database, { status })).map(({ key }) => key);
  expect(await keys('queued')).toEqual(['put back', 'untouched']);
  expect(await keys('running')).toEqual(['in hand']);
});

test.each(['', 'x', '00000000-0000-0000-0000-000000000000'])('%j finds no run', async (id) => {
  expect(await findRun(given.database, id)).toBeUndefined();
});

describe('runs are selected', () => {
  const keys = async (selection: RunSelection) =>
    (await listRuns(given.database, selection)).map(({ key }) => key).sort();

  /** A monitored file of a client. @returns its id */
  async function monitored(client: string, keyPattern: string): Promise<number> {
    await storeMapping(given.database, {
      name: 'officer_detail',
      version: 1,
      tableSchema: {},
      dialect: {},
      thresholds: {},
    });
    await upsertMonitoringFile(given.database, {
      client,
      bucket: 'b',
      keyPattern,
      mappingName: 'officer_detail',
      mappingVersion: 1,
      active: true,
      description: '',
    });
    const [id = 0] = await given
      .database('monitoring_files')
      .where({ key_pattern: keyPattern })
      .pluck<number[]>('id');
    return id;
  }

  const judgedBy = (monitoringFileId: number) => ({
    monitored: { monitoringFileId, mappingName: 'officer_detail', mappingVersion: 1 },
  });

  async function judgedAgain(key: string, result: Partial<JudgementResult>): Promise<void> {
    const object = { ...OBJECT, key };
    const started = await startOwnJudgement(given.database, { object, invocation: 'again' });
    if ('ended' in started) throw new Error('it was begun before');
    await finishJudgement(given.database, started.held, { ...PASSED, ...result });
  }

  afterEach(async () => {
    await forgetRuns(given.database);
    await given.database('monitoring_files').delete();
  });

  test('by a time, the end of which is not part of it', async () => {
    for (const [key, day] of [
      ['before', '26'],
      ['first', '27'],
      ['after', '28'],
    ] as const) {
      const id = await openRun(given.database, { ...OBJECT, key });
      await given
        .database('runs')
        .where({ id })
        .update({ created_at: `2026-11-${day}T00:00:00Z` });
    }
    const since = new Date('2026-11-27T00:00:00Z');
    const until = new Date('2026-11-28T00:00:00Z');
    expect(await keys({ since, until })).toEqual(['first']);
  });

  test('by a pattern of keys', async () => {
    for (const key of ['in/nm/a.csv', 'in/nm/2026/a.csv', 'in/nm/a.txt', 'in/nmx/a.csv']) {
      await openRun(given.database, { ...OBJECT, key });
    }
    expect(await keys({ key: 'in/nm/**/a.csv' })).toEqual(['in/nm/2026/a.csv', 'in/nm/a.csv']);
  });

  test('by a folder, which is its own name and all below it, and none that begins like it', async () => {
    const below = ['in/c_1', 'in/c_1/', 'in/c_1/a.csv', 'in/c_1/2026/a.csv', 'in/c_1/a\nb.csv'];
    for (const key of [...below, 'in/c_10/a.csv', 'in/cx1/a.csv', 'in/c_', 'c_1/a.csv']) {
      await openRun(given.database, { ...OBJECT, key });
    }
    expect(await keys({ key: 'in/c_1/**' })).toEqual(below.toSorted());
  });

  test('by the client that a file is monitored for, judged or not', async () => {
    await monitored('nm', 'in/**');
    await monitored('tx', 'in/tx/*.csv');
    for (const key of ['in/a.csv', 'in/tx/b.csv', 'in/tx/b.txt', 'out/a.csv']) {
      await openRun(given.database, { ...OBJECT, key });
    }
    await openRun(given.database, { ...OBJECT, bucket: 'other', key: 'in/a.csv' });
    expect(await keys({ client: 'nm' })).toEqual(['in/a.csv', 'in/tx/b.txt']);
    expect(await keys({ client: 'tx' })).toEqual(['in/tx/b.csv']);
    expect(await keys({ client: 'unknown' })).toEqual([]);
  });

  test('by the clients that somebody may see, whatever else is looked for', async () => {
    await monitored('nm', 'in/**');
    await monitored('tx', 'in/tx/*.csv');
    for (const key of ['in/a.csv', 'in/tx/b.csv', 'out/a.csv']) {
      await openRun(given.database, { ...OBJECT, key });
    }
    expect(await keys({ clients: ['nm'] })).toEqual(['in/a.csv']);
    expect(await keys({ clients: ['nm', 'tx'] })).toEqual(['in/a.csv', 'in/tx/b.csv']);
    expect(await keys({ clients: ['nm'], client: 'tx' })).toEqual([]);
    expect(await keys({ clients: [] })).toEqual([]);
    expect(await countRuns(given.database, { clients: ['tx'] })).toBe(1);
  });

  test('and none of them was judged as a file of another client', async () => {
    const before = await monitored('tx', 'in/*.csv');
    const id = await judgedRun(given.database, { ...OBJECT, key: 'in/a.csv' }, judgedBy(before));
    await given.database('monitoring_files').where({ id: before }).update({ active: false });
    await monitored('nm', 'in/**');
    expect(await keys({ client: 'nm' })).toEqual(['in/a.csv']);
    expect(await keys({ clients: ['nm'] })).toEqual([]);
    expect(await findRun(given.database, id, { clients: ['nm', 'tx'] })).toBeDefined();
  });

  test('and no page begins after what nobody may see', async () => {
    await monitored('nm', 'in/nm/*');
    await monitored('tx', 'in/tx/*');
    const own = await openRun(given.database, { ...OBJECT, key: 'in/nm/a.csv' });
    const others = await openRun(given.database, { ...OBJECT, key: 'in/tx/a.csv' });
    expect(await findRun(given.database, own, { clients: ['nm'] })).toMatchObject({ id: own });
    expect(await findRun(given.database, others, { clients: ['nm'] })).toBeUndefined();
    const pageAfter = (id: string) => listRunIds(given.database, { clients: ['nm'], after: id });
    expect(await listRunIds(given.database, { after: others })).toEqual([own]);
    expect(await pageAfter(others)).toEqual(
      await pageAfter('00000000-0000-0000-0000-000000000000'),
    );
  });

  test('by a verdict that was made without a mapping', async () => {
    const id = await monitored('nm', 'in/**');
    await judgedRun(given.database, { ...OBJECT, key: 'described' }, judgedBy(id));
    await judgedRun(given.database, { ...OBJECT, key: 'unmonitored' });
    await openRun(given.database, { ...OBJECT, key: 'waits' });
    expect(await keys({ unmonitored: true })).toEqual(['unmonitored']);
    await judgedAgain('unmonitored', judgedBy(id));
    await judgedAgain('described', {});
    expect(await keys({ unmonitored: true })).toEqual(['described']);
  });

  test('by the mapping that made the verdict which stands', async () => {
    const id = await monitored('nm', 'in/**');
    await judgedRun(given.database, { ...OBJECT, key: 'by it' }, judgedBy(id));
    await judgedRun(given.database, { ...OBJECT, key: 'by none' });
    expect(await keys({ mapping: { name: 'officer_detail' } })).toEqual(['by it']);
    expect(await keys({ mapping: { name: 'officer_detail', version: 1 } })).toEqual(['by it']);
    expect(await keys({ mapping: { name: 'officer_detail', version: 2 } })).toEqual([]);
    expect(await keys({ mapping: { name: 'another' } })).toEqual([]);
  });

  test('without those for which a judgement was asked with the same reason', async () => {
    const asked = await judgedRun(given.database, { ...OBJECT, key: 'asked' });
    await judgedRun(given.database, { ...OBJECT, key: 'not asked' });
    await given.database.transaction((transaction) =>
      requestJudgements(transaction, [asked], { askedBy: 'rule_change', reason: 'the new rule' }),
    );
    expect(await keys({ notAskedFor: 'the new rule' })).toEqual(['not asked']);
    expect(await keys({ notAskedFor: 'another' })).toEqual(['asked', 'not asked']);
  });

  test('by what became of the last judgement, and by the verdict that stands', async () => {
    const held = await begin(given.database, { ...OBJECT, key: 'failed for good' });
    await closeJudgement(given.database, held, 'error', 'S3 is unavailable');
    await judgedRun(given.database, { ...OBJECT, key: 'judged' }, { verdict: 'unreadable' });
    expect(await keys({ status: 'error' })).toEqual(['failed for good']);
    expect(await keys({ verdict: 'unreadable' })).toEqual(['judged']);
  });
});

describe('pages of runs', () => {
  test('follow each other without a gap, also where runs were made at the same moment', async () => {
    const ids = [];
    for (const key of ['1', '2', '3', '4', '5']) {
      ids.push(await openRun(given.database, { ...OBJECT, key }));
    }
    await given.database('runs').update({ created_at: '2026-11-27T00:00:00.123456Z' });
    const seen: string[] = [];
    let page: string[];
    do {
      const after = seen.at(-1);
      page = await listRunIds(given.database, { limit: 2, ...(after && { after }) });
      seen.push(...page);
    } while (page.length > 0);
    expect(seen).toEqual(ids.sort());
  });

  test('leave out what came since the first of them', async () => {
    const older = await openRun(given.database, { ...OBJECT, key: '1' });
    const newer = await openRun(given.database, { ...OBJECT, key: '2' });
    await openRun(given.database, { ...OBJECT, key: '3' });
    expect(await listRunIds(given.database, { after: newer })).toEqual([older]);
  });
});

test('runs are counted up to a bound', async () => {
  for (const key of ['1', '2', '3']) await openRun(given.database, { ...OBJECT, key });
  expect(await countRuns(given.database, { keyPrefix: '' })).toBe(3);
  expect(await countRuns(given.database, { keyPrefix: '1' })).toBe(1);
  expect(await countRuns(given.database, {}, 2)).toBe(2);
});

describe('among 100,000 runs', () => {
  let large: TestDatabase;
  beforeAll(async () => {
    large = await createTestDatabase();
    await fill(large.database);
  });
  afterAll(() => large.drop());

  const day = new Date('2026-11-27T00:00:00Z');
  const COUNTED = 10_001;

  /** Rows that the statements of a call read from tables and indexes, those included that they drop. */
  async function readBy(call: (database: Database) => Promise<unknown>): Promise<number> {
    const { database } = large;
    const statements: { sql: string; bindings: never[] }[] = [];
    const note = (statement: { sql: string; bindings: never[] }) => statements.push(statement);
    database.on('query', note);
    await call(database).finally(() => database.off('query', note));
    let read = 0;
    for (const { sql, bindings } of statements) {
      const { rows } = await database.raw(
        `EXPLAIN (ANALYZE, FORMAT JSON) ${sql.replaceAll('?', '\\?').replace(/\$\d+/g, '?')}`,
        bindings,
      );
      read += rowsRead(rows[0]['QUERY PLAN'][0].Plan);
    }
    return read;
  }

  test.each<[string, RunSelection]>([
    ['none at all', {}],
    ['a day', { since: day, until: new Date('2026-11-28T00:00:00Z') }],
    ['an error', { status: 'error' }],
    ['an error of a day', { status: 'error', since: day }],
    ['a run that waits', { status: 'queued' }],
    ['a verdict that many have', { verdict: 'passed' }],
    ['a verdict that few have', { verdict: 'unreadable' }],
    ['a verdict that none has', { verdict: 'warned' }],
    ['a bucket', { bucket: 'bucket' }],
    ['the beginning of a key', { keyPrefix: 'in/client_07/' }],
    ['a pattern', { key: 'in/client_07/**/a.csv' }],
    ['a pattern that none fits', { key: 'out/**' }],
    ['a client', { client: 'client_07' }],
    ['a client and an error', { client: 'client_07', status: 'error' }],
    ['no mapping', { unmonitored: true }],
    ['a mapping', { mapping: { name: 'rare' } }],
    ['a mapping of a day', { mapping: { name: 'rare' }, since: day }],
  ])(
    'a page by %s reads no more than a hundred rows for each that it shows, a count no more than it counts',
    async (_what, selection) => {
      expect(await readBy((database) => listRuns(database, selection))).toBeLessThan(6_000);
      expect(await readBy((database) => countRuns(database, selection, COUNTED))).toBeLessThan(
        2 * COUNTED,
      );
    },
  );

  test('those that used up their attempts are found without reading the others', async () => {
    expect(await readBy((database) => listDeadRuns(database, {}, 50))).toBeLessThan(1_000);
    expect(await readBy((database) => listDeadRuns(database, { since: day }, 50))).toBeLessThan(
      500,
    );
    expect(await readBy((database) => countDeadRuns(database, {}, COUNTED))).toBeLessThan(1_000);
  });

  test('the thousandth page reads as few as the first', async () => {
    const [after = ''] = await large
      .database('runs')
      .orderBy([{ column: 'created_at', order: 'desc' }, 'id'])
      .offset(50_000)
      .limit(1)
      .pluck<string[]>('id');
    expect(await readBy((database) => listRuns(database, { after }))).toBeLessThan(1_000);
  });
});

/** A run each 30 s up to 28 November, of 100 clients; few have no verdict, or none by a mapping. */
async function fill(database: Database): Promise<void> {
  await database.raw(`
    INSERT INTO mappings (name, version, table_schema) VALUES ('usual', 1, '{}'), ('rare', 1, '{}');
    INSERT INTO monitoring_files (client, bucket, key_pattern, mapping_name, mapping_version)
    SELECT 'client_' || n, 'bucket', 'in/client_' || n || '/**', 'usual', 1
    FROM generate_series(0, 99) AS number, LATERAL (SELECT to_char(number, 'FM00') AS n) AS padded;
    INSERT INTO runs (bucket, key, identity, created_at, status, verdict, verdict_number, verdict_at)
    SELECT 'bucket', 'in/client_' || to_char(n % 100, 'FM00') || '/' || n || '/a.csv', 'version ' || n,
      timestamptz '2026-11-28T00:00:00Z' - make_interval(secs => n * 30), status,
      verdict, CASE WHEN verdict IS NOT NULL THEN 1 END, CASE WHEN verdict IS NOT NULL THEN now() END
    FROM generate_series(1, 100000) AS n, LATERAL (SELECT
      CASE WHEN n % 1007 = 0 THEN 'pending' WHEN n % 503 = 0 THEN 'error' ELSE 'finished' END AS status
    ) AS s, LATERAL (SELECT CASE WHEN status <> 'finished' THEN NULL
      WHEN n % 1009 = 0 THEN 'unreadable' WHEN n % 25 = 0 THEN 'failed' ELSE 'passed' END AS verdict
    ) AS v;
    INSERT INTO judgements (run_id, number, asked_by, status, verdict, row_count, byte_count,
      fault_count, error, mapping_name, mapping_version, attempts, created_at, started_at, finished_at)
    SELECT id, 1, 'message', status, verdict, 0 + c, 0 + c, 0 + c,
      CASE status WHEN 'error' THEN 'S3 is unavailable' END, mapping,
      CASE WHEN mapping IS NOT NULL THEN 1 END, 1, created_at, created_at, created_at
    FROM (SELECT *, row_number() OVER () AS n, CASE WHEN verdict IS NOT NULL THEN 0 END AS c FROM runs) AS run,
      LATERAL (SELECT CASE WHEN verdict IS NULL OR n % 101 = 0 THEN NULL
        WHEN n % 1013 = 0 THEN 'rare' ELSE 'usual' END AS mapping) AS m
    WHERE status <> 'pending';
    UPDATE runs SET unmonitored = true FROM judgements
    WHERE run_id = id AND runs.verdict IS NOT NULL AND mapping_name IS NULL;
    ANALYZE`);
}

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

function rowsRead(node: PlanNode): number {
  const { Plans = [] } = node;
  const own =
    node['Relation Name'] === undefined
      ? 0
      : (node['Actual Rows'] +
          (node['Rows Removed by Filter'] ?? 0) +
          (node['Rows Removed by Index Recheck'] ?? 0)) *
        node['Actual Loops'];
  return Plans.reduce((sum, plan) => sum + rowsRead(plan), own);
}
