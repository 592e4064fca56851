import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  closeJudgement,
  finishJudgement,
  judgementsOf,
} from '../../../../listener/src/database/judgements.ts';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { eventually } from '../../../support/eventually.ts';
import { cli } from '../../support/cli.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { begin, beginOf, forgetRuns, judgedRun, openRun, PASSED } from '../../support/runs.ts';

let given: TestDatabase;
let queue: Queue;
beforeAll(async () => {
  given = await createTestDatabase();
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
  for (const version of [1, 2]) {
    const name = 'officer_detail';
    await storeMapping(given.database, {
      ...{ name, version, tableSchema: {}, dialect: {}, thresholds: {} },
    });
  }
  await upsertMonitoringFile(given.database, {
    client: 'albuquerque',
    bucket: 'b',
    keyPattern: 'nm/**',
    mappingName: 'officer_detail',
    mappingVersion: 2,
    active: true,
    description: '',
  });
});
/** A process that has just begun, whose turn for what nobody waits for is its twentieth fetched job. */
async function queueWithoutTurn(): Promise<Queue> {
  const other = await openQueue(given.database, () => undefined, { random: () => 0 });
  onTestFinished(() => other.close());
  return other;
}
afterAll(async () => {
  await queue.close();
  await given.drop();
});
beforeEach(async () => {
  await forgetRuns(given.database);
  await given.database('monitoring_files').where('key_pattern', '<>', 'nm/**').delete();
  await given.database('monitoring_files').update({ active: true });
  await given.database('file_processing_queue.job').delete();
});

const COMMANDS = {
  show: ['runs', 'show'],
  list: ['runs', 'list'],
  retry: ['runs', 'retry'],
  rejudge: ['runs', 'rejudge'],
} as const;

const runs = (name: keyof typeof COMMANDS, ...parameters: string[]) =>
  cli([...COMMANDS[name], ...parameters], { DATABASE_URL: given.url });
const BECAUSE = ['--reason', 'S3 is back'];

/** A run whose last judgement ended without a verdict. */
async function failed(key: string, status: 'error' | 'gone' | 'replaced' = 'error') {
  const held = await begin(given.database, { bucket: 'b', key, eTag: 'e' });
  await closeJudgement(given.database, held, status, 'S3 is unavailable');
  return held.runId;
}

/** A run with a verdict by a version of the mapping. */
async function judgedBy(mappingVersion: number, key: string): Promise<string> {
  const [monitoringFileId = 0] = await given.database('monitoring_files').pluck<number[]>('id');
  const monitored = { monitoringFileId, mappingName: 'officer_detail', mappingVersion };
  return judgedRun(given.database, { bucket: 'b', key, eTag: 'e' }, { monitored });
}

test('runs show says that a report was deleted for its age', async () => {
  const runId = await judgedRun(given.database, { bucket: 'b', key: 'a' });
  await given.database('reports').delete();
  await given.database('judgements').update({ details_deleted_at: new Date() });
  const { out, code } = await runs('show', runId);
  expect(out).toMatch(/^verdict: passed, of judgement 1, at /m);
  expect(out).toMatch(
    /^ {2}1 .* passed {2}asked by message {2}report and error deleted for their age$/m,
  );
  expect(code).toBe(0);
});

test('runs show puts what belongs together in one named line, and leaves out what is not known', async () => {
  const object = { bucket: 'b', key: 'in/a.csv', versionId: 'v1', sizeBytes: 1_024 };
  const runId = await judgedRun(given.database, object);
  await given.database('reports').delete();
  const { out } = await runs('show', runId);
  const lines = out.split('\n');
  expect(lines).toContain('object:  b/in/a.csv, version v1, 1,024 bytes');
  expect(lines).toContain('rules:   none');
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^status: {2}finished, judgement 1, asked by message, 1 attempt, started \S+Z, ended \S+Z$/,
    ),
  );
  expect(out).not.toMatch(/^error:|null|undefined/m);
});

describe('runs list', () => {
  test('says how many there are, and how to see the next ones', async () => {
    for (const key of ['1', '2', '3']) await openRun(given.database, { bucket: 'b', key });
    const first = await runs('list', '--limit', '2');
    const [, after = ''] = /^runs: 2 of 3; the next ones: --after (\S+)$/m.exec(first.out) ?? [];
    const second = await runs('list', '--limit', '2', '--after', after);
    expect(second.out).toMatch(/^\S+ .* b\/1\nruns: 1 of 3\n$/m);
    expect((await runs('list')).out).toMatch(/^runs: 3$/m);
  });

  test('counts no further than a list is read', async () => {
    await given.database.raw(
      `INSERT INTO runs (bucket, key, identity)
       SELECT 'b', n, 'version 1' FROM generate_series(1, 10001) AS n`,
    );
    expect((await runs('list', '--limit', '1')).out).toContain('runs: 1 of more than 10,000;');
  });

  test('selects by times, client, pattern and lack of a mapping', async () => {
    await judgedBy(1, 'nm/a.csv');
    await judgedRun(given.database, { bucket: 'b', key: 'other/a.csv' });
    const old = await openRun(given.database, { bucket: 'b', key: 'nm/old.csv' });
    await given.database('runs').where({ id: old }).update({ created_at: '2026-11-01T00:00:00Z' });
    const keys = async (...parameters: string[]) =>
      JSON.parse((await runs('list', '--json', ...parameters)).out).map(
        (run: { key: string }) => run.key,
      );
    expect(await keys('--since', '24h')).toEqual(['other/a.csv', 'nm/a.csv']);
    expect(await keys('--until', '2026-11-02')).toEqual(['nm/old.csv']);
    expect(await keys('--client', 'albuquerque')).toEqual(['nm/a.csv', 'nm/old.csv']);
    expect(await keys('--key', '**/a.csv', '--since', '7d')).toEqual(['other/a.csv', 'nm/a.csv']);
    expect(await keys('--unmonitored')).toEqual(['other/a.csv']);
  });

  test.each([
    ['a time', ['--since', 'yesterday'], /It must be a day/],
    ['a day', ['--until', '2026-02-30'], /It must be a day/],
    ['a pattern', ['--key', 'a**b'], /\*\* only as a whole segment/],
    ['a client', ['--client', 'alb'], /client alb; known: albuquerque$/m],
    ['a run to go on after', ['--after', '0f8fad5b'], /there is no run 0f8fad5b/],
  ])('refuses what is not %s', async (_what, parameters, message) => {
    const { code, out, err } = await runs('list', ...parameters);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});

describe('runs retry', () => {
  test('judges runs again by their ids, once, and says why', async () => {
    const [a, b] = [await failed('a'), await failed('b', 'gone')];
    const again = () => runs('retry', a.slice(0, 8), b, ...BECAUSE);
    expect(await again()).toMatchObject({ code: 0, out: '2 runs are judged again\n' });
    expect(await again()).toMatchObject({
      code: 0,
      out: '0 runs are judged again; 2 left alone: judged, or waiting already\n',
    });
    expect(await queue.fetch(5)).toHaveLength(2);
    expect(await judgementsOf(given.database, a)).toMatchObject([
      { number: 1 },
      { number: 2, askedBy: 'operator', reason: 'S3 is back' },
    ]);
  });

  test('leaves a run alone that has its verdict', async () => {
    const id = await judgedRun(given.database, { bucket: 'b', key: 'k' });
    expect((await runs('retry', id, ...BECAUSE)).out).toMatch(/^0 runs/);
    expect(await queue.fetch(5)).toEqual([]);
  });

  test('judges all again that ended so since a time, in more than one transaction', async () => {
    await given.database.raw(
      `WITH run AS (
         INSERT INTO runs (bucket, key, identity, status)
         SELECT 'b', n, 'version 1', 'error' FROM generate_series(1, 650) AS n RETURNING id
       )
       INSERT INTO judgements (run_id, number, asked_by, status, error, finished_at)
       SELECT id, 1, 'message', 'error', 'S3 is unavailable', now() FROM run`,
    );
    await failed('gone', 'gone');
    const parameters = ['--status', 'error', '--since', '24h', ...BECAUSE];
    const counted = await runs('retry', ...parameters, '--dry-run');
    expect(counted.out).toBe('650 runs would be judged again\n');
    expect(await queue.fetch(1)).toEqual([]);
    expect((await runs('retry', ...parameters)).out).toBe('650 runs are judged again\n');
    expect(await queue.fetch(1000)).toHaveLength(650);
    expect((await runs('retry', ...parameters, '--json')).out).toBe(
      '{"runs":0,"left":0,"dryRun":false}\n',
    );
  });

  test('goes on where a call was killed in the middle, and judges each once', async () => {
    await given.database.raw(
      `WITH run AS (
         INSERT INTO runs (bucket, key, identity, status, created_at)
         SELECT 'b', n, 'version 1', 'error', now() - make_interval(secs => n)
         FROM generate_series(1, 650) AS n RETURNING id
       )
       INSERT INTO judgements (run_id, number, asked_by, status, error, finished_at)
       SELECT id, 1, 'message', 'error', 'S3 is unavailable', now() FROM run`,
    );
    const jobs = async () => (await given.database('file_processing_queue.job')).length;
    // The second transaction comes no further.
    const held = await given.database.transaction();
    await held('runs').where({ key: '400' }).forUpdate();
    const parameters = ['--status', 'error', '--since', '24h', ...BECAUSE];
    const killed = startListenerChild([...COMMANDS.retry, ...parameters], {
      DATABASE_URL: given.url,
    });
    await eventually(async () => expect(await jobs()).toBe(300));
    killed.kill('SIGKILL');
    await killed.ended;
    await held.rollback();
    expect((await runs('retry', ...parameters)).out).toBe('350 runs are judged again\n');
    expect(await jobs()).toBe(650);
    expect(await given.database('judgements').where({ number: 2 })).toHaveLength(650);
    expect(await given.database('judgements').where({ number: 3 })).toEqual([]);
  });

  test('judges those of a client alone', async () => {
    await failed('nm/a.csv');
    await failed('tx/a.csv');
    const parameters = ['--status', 'error', '--since', '24h', '--client', 'albuquerque'];
    expect((await runs('retry', ...parameters, ...BECAUSE)).out).toBe('1 run is judged again\n');
  });

  test('does nothing where one of the ids is of no run', async () => {
    const id = await failed('a');
    const { code, err } = await runs('retry', id, 'ffffffff', ...BECAUSE);
    expect([code, err]).toEqual([2, 'there is no run ffffffff; see runs list\n']);
    expect(await queue.fetch(5)).toEqual([]);
  });

  test.each([
    ['no reason', ['--status', 'error', '--since', '24h'], /--reason/],
    ['an empty reason', ['--status', 'error', '--since', '24h', '--reason', ' '], /reason/],
    ['nothing that selects', BECAUSE, /ids are needed, or --status and --since/],
    ['no time', ['--status', 'error', ...BECAUSE], /ids are needed, or --status and --since/],
    ['both', ['0f8fad5b', '--since', '24h', ...BECAUSE], /not both/],
    ['a status with a verdict', ['--status', 'finished', '--since', '24h', ...BECAUSE], /choices/i],
  ])('refuses %s', async (_what, parameters, message) => {
    const { code, err } = await runs('retry', ...parameters);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('runs rejudge', () => {
  const rejudge = async (...parameters: string[]) =>
    (await runs('rejudge', '--since', '7d', '--reason', 'rule 2 is mended', ...parameters)).out;

  test('judges again what the mapping judged, behind new deliveries', async () => {
    const old = await judgedBy(1, 'nm/a.csv');
    await judgedBy(2, 'nm/b.csv');
    expect(await rejudge('--mapping', 'officer_detail@1', '--dry-run')).toMatch(/^1 run would be/);
    expect(await rejudge('--mapping', 'officer_detail@1')).toBe('1 run is judged again\n');
    const live = await openRun(given.database, { bucket: 'b', key: 'live' });
    await given.database.transaction((transaction) =>
      queue.enqueue([{ runId: live, number: 1, jobId: live }], transaction),
    );
    const first = await queueWithoutTurn();
    const order = [...(await first.fetch(1)), ...(await first.fetch(1))];
    expect(order.map(({ runId }) => runId)).toEqual([live, old]);
    expect(await judgementsOf(given.database, old)).toMatchObject([
      { verdict: 'passed' },
      { askedBy: 'rule_change', reason: 'rule 2 is mended' },
    ]);
  });

  test('asks once for each reason, also where the same version judged again', async () => {
    const id = await judgedBy(2, 'nm/a.csv');
    const mapping = ['--mapping', 'officer_detail'];
    expect(await rejudge(...mapping)).toMatch(/^1 run /);
    expect(await rejudge(...mapping)).toMatch(/^0 runs /);
    await finishJudgement(given.database, await beginOf(given.database, id, 2), {
      ...PASSED,
      monitored: { monitoringFileId: 1, mappingName: 'officer_detail', mappingVersion: 2 },
    });
    expect(await rejudge(...mapping)).toMatch(/^0 runs /);
    const another = await runs('rejudge', ...mapping, '--since', '7d', '--reason', 'another');
    expect(another.out).toMatch(/^1 run /);
  });

  test('leaves alone what no monitored file describes any more, and says so', async () => {
    const id = await judgedBy(2, 'nm/a.csv');
    await given.database('monitoring_files').update({ active: false });
    const mapping = ['--mapping', 'officer_detail'];
    const left =
      '0 runs are judged again; 1 left alone: no monitored file describes them any more\n';
    expect(await rejudge(...mapping)).toBe(left);
    expect(JSON.parse(await rejudge(...mapping, '--json'))).toMatchObject({ runs: 0, left: 1 });
    expect(await judgementsOf(given.database, id)).toHaveLength(1);
  });

  test('judges again what another monitored file describes by now', async () => {
    await judgedBy(2, 'nm/a.csv');
    await given.database('monitoring_files').update({ active: false });
    await given.database('monitoring_files').insert({
      ...{ client: 'nm', bucket: 'b', key_pattern: '*/a.csv', active: true },
      ...{ mapping_name: 'officer_detail', mapping_version: 2 },
    });
    expect(await rejudge('--mapping', 'officer_detail')).toBe('1 run is judged again\n');
  });

  test('judges again what no mapping judged', async () => {
    await judgedBy(1, 'nm/a.csv');
    await judgedRun(given.database, { bucket: 'b', key: 'nm/unmonitored.csv' });
    expect(await rejudge('--unmonitored')).toBe('1 run is judged again\n');
  });

  test.each([
    ['neither', [], /one of --mapping and --unmonitored is needed/],
    ['both', ['--mapping', 'officer_detail', '--unmonitored'], /one of/],
    ['a mapping that is not there', ['--mapping', 'officer'], /there is no mapping officer\n/],
    ['a version', ['--mapping', 'officer_detail@3'], /officer_detail version 3; versions: 1, 2\n/],
    ['a name that is none', ['--mapping', 'Officer Detail'], /officer_detail@2/],
  ])('refuses %s', async (_what, parameters, message) => {
    const since = ['--since', '7d', '--reason', 'r'];
    const { code, err } = await runs('rejudge', ...since, ...parameters);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test('refuses to go back without an end', async () => {
    const { code, err } = await runs('rejudge', '--mapping', 'officer_detail', '--reason', 'r');
    expect([code, err]).toEqual([2, '--since is needed\n']);
  });
});
