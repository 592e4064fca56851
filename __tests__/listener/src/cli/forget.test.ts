import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cli, eventOf } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

let given: TestDatabase;
let root: string;

/** A cell that nobody may read afterwards, in a file whose structure fails. */
const MARKER = 'MARKER-cell';
const KEY = 'from_client/a/people.csv';
const env = (more: Record<string, string> = {}) => ({
  DATABASE_URL: given.url,
  LOCAL_S3_ROOT: root,
  S3_BUCKET: 'bucket',
  REPORT_PREFIX: 'data_quality_reports/',
  WRITE_REPORTS: 'true',
  ...more,
});

async function judge(key: string): Promise<string> {
  const ran = await cli(
    ['run', 's3_data_quality_job', '--event-json', eventOf('bucket', key)],
    env(),
  );
  expect(ran).toMatchObject({ err: '', code: 0 });
  const listed = await cli(['runs', 'list', '--json', '--key', key], env());
  return JSON.parse(listed.out)[0].id;
}

const show = (id: string, ...more: string[]) => cli(['runs', 'show', id, ...more], env());
const events = () =>
  given.database('privacy_events').select('act', 'actor', 'reason', 'subject').orderBy('id');

beforeAll(async () => {
  given = await createTestDatabase();
  root = await mkdtemp(join(tmpdir(), 'forget-'));
  await mkdir(join(root, 'bucket', 'from_client/a'), { recursive: true });
  await writeFile(join(root, 'bucket', KEY), `id,name\n1,x,${MARKER}\n`);
  await writeFile(join(root, 'bucket', 'from_client/a/kept.csv'), `id,name\n1,x,${MARKER}\n`);
  await given.database('mappings').insert({
    name: 'people',
    version: 1,
    table_schema: {
      fields: ['id', 'name'].map((name) => ({ name, classification: 'sensitive' })),
    },
  });
  await given.database('monitoring_files').insert({
    client: 'a',
    bucket: 'bucket',
    key_pattern: 'from_client/a/*',
    mapping_name: 'people',
    mapping_version: 1,
  });
});
afterAll(() => given.drop());

describe('runs show --reveal', () => {
  it('shows what is withheld otherwise, and records who saw it and why', async () => {
    const id = await judge(KEY);
    expect((await show(id)).out).not.toContain(MARKER);
    const revealed = await show(id, '--reveal', '--reason', 'a call of the clerk', '--by', 'ana');
    expect(revealed.out).toContain(MARKER);
    expect(await events()).toEqual([
      {
        act: 'reveal',
        actor: 'ana',
        reason: 'a call of the clerk',
        subject: { runId: id, judgement: 1 },
      },
    ]);
  });

  it('is refused without a reason, and shows nothing', async () => {
    const id = await judge(KEY);
    const refused = await show(id, '--reveal');
    expect(refused.code).toBe(2);
    expect(refused.out).toBe('');
    expect(refused.err).toMatch(/--reveal and --reason/);
  });
});

describe('forget', () => {
  it('ends with 75 where S3 does not answer: values are gone, and the report that is left is named', async () => {
    const id = await judge(KEY);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const away = {
      ...{ LOCAL_S3_ROOT: '', AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_REGION: 'us-east-1' },
    };
    const parameters = ['forget', '--key', KEY, '--reason', 'asked to', '--json'];
    const { code, out } = await cli(parameters, env(away)).finally(() => vi.unstubAllEnvs());
    expect(code).toBe(75);
    expect(JSON.parse(out).reportsLeft).toContainEqual({
      name: expect.stringContaining(`bucket/data_quality_reports/${KEY}`),
      reason: expect.any(String),
    });
    expect((await show(id, '--reveal', '--reason', 'to see')).out).not.toContain(MARKER);
  });

  it('ends with 69 where the database does not answer', async () => {
    const DATABASE_URL = 'postgresql://user@127.0.0.1:9/db';
    const { code, out } = await cli(
      ['forget', '--key', KEY, '--reason', 'asked to'],
      env({ DATABASE_URL }),
    );
    expect([code, out]).toEqual([69, '']);
  });

  it('removes values from database and bucket, and leaves verdict, counts and other files', async () => {
    const [id, kept] = [await judge(KEY), await judge('from_client/a/kept.csv')];
    const before = await given.database('runs').where({ id }).first();
    const forgot = await cli(
      ['forget', '--key', KEY, '--reason', 'asked for', '--by', 'ana'],
      env(),
    );
    expect(forgot.code).toBe(0);
    expect(forgot.out).toMatch(/not reached: the delivered files/);
    expect((await show(id, '--reveal', '--reason', 'look')).out).not.toContain(MARKER);
    expect((await show(kept, '--reveal', '--reason', 'look')).out).toContain(MARKER);
    expect(await given.database('runs').where({ id }).first()).toEqual(before);
    const judgements = JSON.stringify(await given.database('judgements').where({ run_id: id }));
    expect(judgements).not.toMatch(/MARKER|AAAAAA/);
    const reports = await readdir(join(root, 'bucket/data_quality_reports/from_client/a'));
    expect(reports.filter((name) => name.startsWith('people'))).toStrictEqual([]);
    expect(reports.filter((name) => name.startsWith('kept'))).not.toStrictEqual([]);
  });

  it('reaches the copy of a file, and what lies beside it', async () => {
    const ROUTING_TARGETS = '[{"bucket":"checked","prefix":"a/"}]';
    await given.database('monitoring_files').update({
      on_verdict: { copy: { bucket: 'checked', prefix: 'a/' } },
    });
    const key = 'from_client/a/routed.csv';
    await mkdir(join(root, 'checked'));
    await writeFile(join(root, 'bucket', key), `id,name\n1,x,${MARKER}\n`);
    const event = eventOf('bucket', key).replace('"key":', '"versionId":"v1","key":');
    const parameters = ['run', 's3_data_quality_job', '--event-json', event];
    expect(await cli(parameters, env({ ROUTING_TARGETS }))).toMatchObject({ err: '', code: 0 });
    const folder = join(root, 'checked/a/rejected/from_client/a/v1.1');
    expect((await readdir(folder)).sort()).toEqual(['routed.csv', 'routed.csv.rejects.csv']);
    const forgot = await cli(['forget', '--key', key, '--reason', 'asked for', '--json'], env());
    expect(JSON.parse(forgot.out)).toMatchObject({ reportsLeft: [], waiting: 0 });
    expect(await readdir(folder)).toEqual([]);
    expect(await readFile(join(root, 'bucket', key), 'utf8')).toContain(MARKER);
  });

  it('may be repeated, and finds nothing more', async () => {
    const again = await cli(['forget', '--key', KEY, '--reason', 'again', '--json'], env());
    expect(JSON.parse(again.out)).toMatchObject({
      judgements: 0,
      reportVersions: 0,
      reportsLeft: [],
    });
  });

  it('is refused without knowing what to forget', async () => {
    const refused = await cli(['forget', '--reason', 'x'], env());
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/one of --key and --client is needed/);
  });

  it('is recorded with its reason', async () => {
    expect(await events()).toContainEqual({
      act: 'forget',
      actor: 'ana',
      reason: 'asked for',
      subject: { key: KEY },
    });
  });
});
