import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RULES_MANIFEST } from '@file-processing/contract/rule-set.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { sha256Of } from '../../../../listener/src/rules/rule-set.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { OFFICER_RULES, OFFICERS, OFFICERS_FILE, ruleFolder } from '../../support/rule-sets.ts';
import { forgetRuns, judgedRun } from '../../support/runs.ts';
import { startS3Server } from '../../support/s3-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let given: TestDatabase;
let root: string;
beforeAll(async () => {
  given = await createTestDatabase();
});
afterAll(() => given.drop());
beforeEach(async () => {
  root = await temporaryFolder();
  await given.database.raw('TRUNCATE rule_sets, monitoring_files, mappings CASCADE');
  await forgetRuns(given.database);
});

/** No number above 9. */
const STRICTER = {
  ...OFFICER_RULES,
  'mappings/officers.yaml': {
    ...OFFICERS,
    tableSchema: { fields: [{ name: 'n', type: 'integer', constraints: { maximum: 9 } }] },
  },
};

const KEYS = { first: 'from_client/nm/1/officers.csv', second: 'from_client/nm/2/officers.csv' };

/** A delivery that is in the folder, and whose verdict is recorded. */
async function delivered(key: string, text: string, verdict: 'passed' | 'failed' = 'passed') {
  await mkdir(dirname(join(root, 'bucket', key)), { recursive: true });
  await writeFile(join(root, 'bucket', key), text);
  return judgedRun(given.database, { bucket: 'bucket', key, eTag: 'e' }, { verdict });
}

const rehearse = async (files: Parameters<typeof ruleFolder>[0], ...parameters: string[]) =>
  cli(['rules', 'rehearse', await ruleFolder(files), ...parameters], {
    DATABASE_URL: given.url,
    LOCAL_S3_ROOT: root,
  });

test('a verdict that would get worse is shown with its reasons, and the code is 1', async () => {
  await delivered(KEYS.first, 'n\n1\n');
  const runId = await delivered(KEYS.second, 'n\n10\n');
  const { code, out } = await rehearse(STRICTER, '--last', '12');
  expect(out).toMatch(
    /^monitoring_files\/nm\/officers.yaml \(bucket\/from_client\/nm\/\*\*\/officers.csv\): 2 judged again, 1 verdict would change\n/,
  );
  expect(out).toContain('  passed -> failed  ');
  expect(out).toContain(`${KEYS.second}  (faults: 0 -> 1; run ${runId})\n`);
  expect(out).toMatch(/in all: 2 judged again, 1 verdict would change; nothing was recorded\n$/);
  expect(code).toBe(1);
});

describe('a rule set in S3', () => {
  const ADDRESS = 's3://rules-bucket/rules/rehearsal/';
  const put = async (path: string, text: string) => {
    const file = join(root, 'rules-bucket/rules/rehearsal', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  const rehearseIn = (address: string) =>
    cli(['rules', 'rehearse', address, '--last', '12'], {
      ...{ DATABASE_URL: given.url, LOCAL_S3_ROOT: root },
    });

  test('is rehearsed as one of this machine', async () => {
    const files: Record<string, string> = {};
    for (const [path, content] of Object.entries(STRICTER)) {
      const text = JSON.stringify(content);
      await put(path, text);
      files[path] = sha256Of(text);
    }
    await put(RULES_MANIFEST, JSON.stringify({ version: 1, files }));
    await delivered(KEYS.first, 'n\n10\n');
    const { code, out } = await rehearseIn(ADDRESS);
    expect([code, out]).toEqual([1, expect.stringContaining('passed -> failed')]);
  });

  test.each([
    [
      'was not pushed',
      ADDRESS,
      `${RULES_MANIFEST}: is not there: manage rules-push writes it last`,
    ],
    ['is addressed without its last slash', 's3://rules-bucket/rules', 'with a slash at its end'],
  ])('that %s ends with 2', async (_, address, message) => {
    const { code, err } = await rehearseIn(address);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});

test.each([
  ['is rehearsed where the settings allow that', 'checked/', 1, ''],
  ['is refused where they do not', 'other/', 2, 'is bucket/checked/; allowed'],
])('a set that has files copied %s', async (_, prefix, expected, message) => {
  await delivered(KEYS.first, 'n\n10\n');
  const file = { ...OFFICERS_FILE, onVerdict: { copy: { prefix: 'checked/' } } };
  const folder = await ruleFolder({ ...STRICTER, 'monitoring_files/nm/officers.yaml': file });
  const { code, err } = await cli(['rules', 'rehearse', folder, '--last', '12'], {
    ...{ DATABASE_URL: given.url, LOCAL_S3_ROOT: root },
    ROUTING_TARGETS: JSON.stringify([{ bucket: 'bucket', prefix }]),
  });
  expect([code, err]).toEqual([expected, expect.stringContaining(message)]);
});

test('a verdict that would get better ends with 0', async () => {
  await delivered(KEYS.first, 'n\n1\n', 'failed');
  const { code, out } = await rehearse(STRICTER, '--last', '12');
  expect([code, out]).toEqual([0, expect.stringContaining('failed -> passed')]);
});

test('works where nothing can be written, and records nothing', async () => {
  await delivered(KEYS.first, 'n\n10\n');
  const counts = () =>
    Promise.all(
      ['runs', 'judgements', 'mappings', 'monitoring_files', 'rule_sets'].map((table) =>
        given.database(table).count(),
      ),
    );
  const before = await counts();
  // Of the connections that are made from now on.
  vi.stubEnv('PGOPTIONS', '-c default_transaction_read_only=on');
  try {
    const apply = ['rules', 'apply', await ruleFolder(STRICTER)];
    const { err } = await cli(apply, { DATABASE_URL: given.url });
    expect(err).toContain('read-only transaction');
    expect((await rehearse(STRICTER, '--last', '1')).code).toBe(1);
  } finally {
    vi.unstubAllEnvs();
  }
  expect(await counts()).toEqual(before);
});

test('objects that are gone or replaced are counted, and change no code', async () => {
  await delivered(KEYS.first, 'n\n1\n');
  await rm(join(root, 'bucket', KEYS.first));
  await delivered(KEYS.second, 'n\n1\n');
  await given.database('runs').where({ key: KEYS.second }).update({ size_bytes: 99 });
  const { code, out } = await rehearse(STRICTER, '--last', '12');
  expect(out).toContain('0 judged again, 0 verdicts would change, 1 gone, 1 replaced');
  expect(code).toBe(0);
});

test('--last takes the newest, --since those from then on', async () => {
  await delivered(KEYS.first, 'n\n10\n');
  await given.database('runs').update({ created_at: '2026-01-01' });
  await delivered(KEYS.second, 'n\n1\n');
  expect((await rehearse(STRICTER, '--last', '1')).out).toContain('1 judged again, 0 verdicts');
  expect((await rehearse(STRICTER, '--since', '1h')).out).toContain('1 judged again, 0 verdicts');
  expect((await rehearse(STRICTER, '--since', '2026-01-01')).out).toContain('2 judged again, 1');
});

test('a delivery that a more specific pattern describes is judged by that alone', async () => {
  await delivered(KEYS.second, 'n\n10\n');
  const { code, out } = await rehearse(
    {
      ...STRICTER,
      'mappings/lenient.yaml': { ...OFFICERS, name: 'lenient' },
      'monitoring_files/special.yaml': {
        ...{ ...OFFICERS_FILE, keyPattern: KEYS.second, mapping: 'lenient' },
      },
    },
    '--last',
    '12',
  );
  expect(out).toMatch(/officers.yaml .*: no deliveries\n.*special.yaml .*: 1 judged again, 0/);
  expect(code).toBe(0);
});

test('a row made by hand stays in force: its deliveries are not judged by the set', async () => {
  await storeMapping(given.database, { ...OFFICERS, version: 1, dialect: {}, thresholds: {} });
  await upsertMonitoringFile(given.database, {
    ...{ client: 'me', bucket: 'bucket', keyPattern: KEYS.first },
    ...{ mappingName: 'officers', mappingVersion: 1, active: true, description: '' },
  });
  await delivered(KEYS.first, 'n\n10\n');
  expect((await rehearse(STRICTER, '--last', '12')).out).toContain('in all: no deliveries');
});

test('with --json the reports of changed verdicts are data', async () => {
  const runId = await delivered(KEYS.first, 'n\n10\n');
  const { out, code } = await rehearse(STRICTER, '--last', '12', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    ...{ judged: 1, changed: 1, gone: 0, replaced: 0, unread: 0 },
    files: [
      {
        file: 'monitoring_files/nm/officers.yaml',
        changes: [{ runId, from: 'passed', to: 'failed', report: { verdict: 'failed' } }],
      },
    ],
  });
});

test('a sensitive value is shown by its shape', async () => {
  await delivered(KEYS.first, 'n\nKEPTBACK\n');
  const mapping = STRICTER['mappings/officers.yaml'];
  const tableSchema = { ...mapping.tableSchema, classification: 'sensitive' };
  const files = { ...STRICTER, 'mappings/officers.yaml': { ...mapping, tableSchema } };
  for (const form of [[], ['--json']]) {
    const { out, err } = await rehearse(files, '--last', '12', ...form);
    expect(out).toContain('failed');
    expect(out + err).not.toContain('KEPTBACK');
  }
});

test('delivery rules look back at what was accepted before', async () => {
  await cli(['rules', 'apply', await ruleFolder(OFFICER_RULES)], { DATABASE_URL: given.url });
  const [monitoringFileId = 0] = await given.database('monitoring_files').pluck<number[]>('id');
  const monitored = { monitoringFileId, mappingName: 'officers', mappingVersion: 1, columns: [] };
  await judgedRun(
    given.database,
    { bucket: 'bucket', key: KEYS.first, eTag: 'e' },
    { rowCount: 1000, monitored },
  );
  await delivered(KEYS.second, 'n\n1\n');
  const rules = [{ rule: 'RowCountChange', last: 1, fail: { maxDecrease: 0.5 } }];
  const files = { ...OFFICER_RULES, 'mappings/officers.yaml': { ...OFFICERS, rules } };
  const { out } = await rehearse(files, '--last', '1');
  expect(out).toContain('passed -> failed');
});

test.each([
  ['without --last and --since', []],
  ['with both', ['--last', '1', '--since', '1h']],
  ['with a number that is none', ['--last', '0']],
])('a rehearsal %s is a fault of usage', async (_name, parameters) => {
  expect(await rehearse(STRICTER, ...parameters)).toMatchObject({ code: 2, out: '' });
});

test('a set that could not be applied is refused with its faults', async () => {
  const numbered = (maximum: number) => ({
    ...OFFICER_RULES,
    'mappings/officers.yaml': {
      ...{ ...OFFICERS, version: 1 },
      tableSchema: { fields: [{ name: 'n', type: 'integer', constraints: { maximum } }] },
    },
  });
  const first = await ruleFolder(numbered(1));
  await cli(['rules', 'apply', first], { DATABASE_URL: given.url });
  const { code, err } = await rehearse(numbered(2), '--last', '1');
  expect([code, err]).toEqual([2, expect.stringContaining('mappings/officers.yaml')]);
});

describe('with S3', () => {
  let s3: Awaited<ReturnType<typeof startS3Server>>;
  beforeAll(async () => {
    s3 = await startS3Server({
      [`bucket/${KEYS.first}`]: { body: 'n\n10\n', eTag: 'e' },
      [`bucket/${KEYS.second}`]: { body: 'n\n10\n', eTag: 'another' },
      'bucket/from_client/nm/AccessDenied/officers.csv': { body: '', eTag: 'e' },
    });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await s3.close();
  });

  const inS3 = async () =>
    cli(['rules', 'rehearse', await ruleFolder(STRICTER), '--last', '12'], {
      ...{ DATABASE_URL: given.url, AWS_ENDPOINT_URL: s3.endpoint, AWS_REGION: 'us-east-1' },
    });
  const recorded = (key: string) => judgedRun(given.database, { bucket: 'bucket', key, eTag: 'e' });

  test('the state that was judged is read; another is counted as replaced', async () => {
    await recorded(KEYS.first);
    await recorded(KEYS.second);
    const { code, out } = await inS3();
    expect(out).toContain('1 judged again, 1 verdict would change, 1 replaced');
    expect(code).toBe(1);
  });

  test('an object that could not be read is told, the others are judged, and the code is 75', async () => {
    await recorded(KEYS.first);
    await recorded('from_client/nm/AccessDenied/officers.csv');
    const { code, out, err } = await inS3();
    expect(out).toContain('1 judged again, 1 verdict would change, 1 not readable');
    expect(err).toContain('bucket/from_client/nm/AccessDenied/officers.csv: ');
    expect(code).toBe(75);
  });
});
