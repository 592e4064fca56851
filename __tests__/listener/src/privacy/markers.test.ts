import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseTopicArn, type TopicArn } from '@file-processing/contract/arn.ts';
import { NOTICE_STATES } from '@file-processing/contract/notices.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../../listener/src/config/database-config.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { sesOutlet } from '../../../../listener/src/notices/ses.ts';
import { smtpOutlet } from '../../../../listener/src/notices/smtp.ts';
import { topicOutlet } from '../../../../listener/src/notices/topic.ts';
import { webhookOutlets } from '../../../../listener/src/notices/webhook.ts';
import { Wording } from '../../../../listener/src/notices/wording.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { jobHandler } from '../../../../listener/src/serve/job-handler.ts';
import { createLogger } from '../../../../listener/src/serve/logger.ts';
import { createBreakers } from '../../../../listener/src/storage/breaker.ts';
import { createLocalStore } from '../../../../listener/src/storage/local-store.ts';
import { type ObjectStore, StoreError } from '../../../../listener/src/storage/object-store.ts';
import { kindOf, type Tracer } from '../../../../listener/src/tracing/tracing.ts';
import type { TableSchema } from '../../../../quality/table-schema.ts';
import { cli, eventOf } from '../../support/cli.ts';
import { forgetNotices, tellerOf } from '../../support/noticed-runs.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { ruleFolder } from '../../support/rule-sets.ts';
import { enqueueRuns, leaveOneAttempt } from '../../support/runs.ts';
import { startSmtpServer } from '../../support/smtp-server.ts';
import { storeOf } from '../../support/stores.ts';

/** Texts that say which class they have. */
const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', classification: 'public' },
    { name: 'unit', constraints: { enum: ['RULEINT'], pattern: 'RULEINT.*' } },
    {
      name: 'badge',
      classification: 'sensitive',
      constraints: { pattern: 'RULESEN.*', unique: true, maxLength: 3 },
    },
    {
      name: 'more',
      type: 'object',
      classification: 'sensitive',
      constraints: { jsonSchema: { properties: { RULESEN: { const: 1 } }, required: ['RULESEN'] } },
    },
    { name: 'boss', classification: 'sensitive' },
  ],
  fieldsMatch: 'subset',
  primaryKey: ['badge'],
  foreignKeys: [{ fields: 'boss', reference: { resource: '', fields: 'badge' } }],
};

const LABELS = 'id,unit,badge,more,boss,UNDLABEL';
const ROW = 'PUBCELL,INTCELL,SENCELL,"{""SENKEY"":1}",SENBOSS,UNDCELL';

/** What is wrong with files, each in its way. */
const FILES: Readonly<Record<string, string>> = {
  'values.csv': `${LABELS}\n${ROW}\n${ROW}\n1,RULEINT,"=""SENFORM""",SENJSON, SENPAD ,UNDCELL\n`,
  'quotes.csv': `${LABELS}\n${ROW}\n2,"INTCELL"x,SENCELL,{},SENBOSS,UNDCELL\n3,"SENOPEN,a\n`,
  'shifted.csv': `${LABELS}\n${ROW}\n${ROW}\nSENCELL,${ROW}\nSENCELL,UNDCELL\n`,
  'header.csv': `${ROW}\n${ROW}\n`,
  'other-header.csv': `id,unit,SENLABEL,more,boss\n${ROW}\n`,
  'semicolons.csv': `${LABELS}\n${ROW}\n`.replaceAll(',', ';'),
  'latin.csv': `${LABELS}\n1,RULEINT,SENCELL\u00e9,{},x,UNDCELL\n`,
};
const KEYS = Object.keys(FILES).map((name) => `from_client/a/${name}`);

const SENSITIVE = /(SEN|UND)[A-Z]{4,5}|RULESEN/;
const INTERNAL = /INTCELL|RULEINT/;

let given: TestDatabase;
let queue: Queue;
let root: string;
const env = (more: Record<string, string> = {}) => ({
  DATABASE_URL: given.url,
  LOCAL_S3_ROOT: root,
  S3_BUCKET: 'bucket',
  REPORT_PREFIX: 'reports/',
  WRITE_REPORTS: 'true',
  LOG_LEVEL: 'debug',
  ...more,
});

async function put(path: string, content: string): Promise<string> {
  const place = join(root, path);
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, content, path.endsWith('latin.csv') ? 'latin1' : 'utf8');
  return place;
}

const run = (more: Record<string, string> = {}, ...options: string[]) =>
  cli(
    ['run', 's3_data_quality_job', '--event-json', eventOf('bucket', ...KEYS), ...options],
    env(more),
  );

/** Every file below a folder of the bucket. */
async function textsIn(folder: string): Promise<string> {
  const names = await readdir(join(root, 'bucket', folder), { recursive: true });
  const files = names.filter((name) => name.endsWith('.json'));
  expect(files.length).toBeGreaterThan(0);
  const texts = files.map((name) => readFile(join(root, 'bucket', folder, name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

/** All that the database holds, but for what is there to hold it: rules, and the withheld texts. */
async function everythingStored(): Promise<string> {
  const { rows } = await given.database.raw(
    `SELECT table_schema, table_name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  let all = '';
  for (const { table_schema, table_name } of rows) {
    if (table_name === 'mappings') continue;
    const found = await given.database.raw(
      `SELECT to_jsonb(t) - 'withheld' AS row FROM ${table_schema}."${table_name}" t`,
    );
    all += JSON.stringify(found.rows);
  }
  return all;
}

beforeAll(async () => {
  given = await createTestDatabase();
  root = await mkdtemp(join(tmpdir(), 'markers-'));
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
  for (const [name, content] of Object.entries(FILES)) {
    await put(`bucket/from_client/a/${name}`, content);
  }
  await given.database('mappings').insert({
    ...{ name: 'people', version: 1, table_schema: SCHEMA },
    rules: JSON.stringify([
      {
        rule: 'ColumnValues',
        column: 'badge',
        constraints: { enum: ['RULESEN'] },
        fail: { minShare: 1 },
      },
      { rule: 'SchemaMatch', warn: ['added', 'lost', 'renamed', 'retyped'] },
    ]),
  });
  await given.database('monitoring_files').insert({
    ...{ client: 'a', bucket: 'bucket', key_pattern: 'from_client/a/*' },
    ...{ mapping_name: 'people', mapping_version: 1 },
  });
});
afterAll(async () => {
  await queue?.close();
  await given?.drop();
  await rm(root, { recursive: true, force: true });
});

describe('a marker of each class', () => {
  it('is on the terminal of `validate` unless it is sensitive', async () => {
    const schema = await put('schema.json', JSON.stringify(SCHEMA));
    for (const key of KEYS) {
      for (const form of [[], ['--json']]) {
        const file = join(root, 'bucket', key);
        const { out, err } = await cli(['validate', file, '--schema', schema, ...form]);
        expect(out + err, key).not.toMatch(SENSITIVE);
        if (key.endsWith('/values.csv')) expect(out).toMatch(/PUBCELL[\s\S]*INTCELL/);
      }
    }
  });

  it('is on the terminal of `run` unless it is sensitive', async () => {
    const { out, err } = await run();
    expect(out + err).not.toMatch(SENSITIVE);
    expect(out).toMatch(/verdict|FAILED/i);
  });

  it('is in the bucket only where it is public', async () => {
    const reports = await textsIn('reports');
    expect(reports).toMatch(/PUBCELL/);
    expect(reports).not.toMatch(INTERNAL);
    expect(reports).not.toMatch(SENSITIVE);
  });

  it('is in the bucket where it is internal and REPORT_VALUES says so', async () => {
    await run({ REPORT_VALUES: 'true', REPORT_PREFIX: 'whole/' });
    const reports = await textsIn('whole');
    expect(reports).toMatch(INTERNAL);
    expect(reports).not.toMatch(SENSITIVE);
  });

  it('is in the database only in what is withheld, where it is not public', async () => {
    const stored = await everythingStored();
    expect(stored).toMatch(/PUBCELL/);
    expect(stored).not.toMatch(INTERNAL);
    expect(stored).not.toMatch(SENSITIVE);
    const withheld = JSON.stringify(await given.database('reports').select('withheld'));
    for (const text of ['INTCELL', 'SENCELL', 'UNDLABEL', 'SENOPEN', 'RULESEN', 'SENLABEL']) {
      expect(withheld).toContain(text);
    }
  });

  it('is shown by commands on the database unless it is sensitive', async () => {
    const listed = await cli(['runs', 'list', '--json'], env());
    expect(listed.out).not.toMatch(SENSITIVE);
    const ids: string[] = JSON.parse(listed.out).map(({ id }: { id: string }) => id);
    expect(ids).not.toHaveLength(0);
    let all = '';
    for (const id of ids) {
      for (const form of [[], ['--json']]) {
        const { out, err } = await cli(['runs', 'show', id, ...form], env());
        all += out + err;
      }
    }
    expect(all).toMatch(/PUBCELL/);
    expect(all).toMatch(INTERNAL);
    expect(all).not.toMatch(SENSITIVE);
  });
});

describe('commands that try rules and compare files', () => {
  /** All that a command writes, as text and as data. */
  const said = async (...parameters: string[]) => {
    let all = '';
    for (const form of [[], ['--json']]) {
      const { out, err } = await cli([...parameters, ...form], env());
      all += out + err;
    }
    return all;
  };

  it('show nothing sensitive of the verdicts that a rehearsal would change', async () => {
    const folder = await ruleFolder({
      'mappings/people.yaml': {
        name: 'people',
        tableSchema: SCHEMA,
        thresholds: { maxFaults: 99 },
      },
      'monitoring_files/a.yaml': {
        ...{ client: 'a', bucket: 'bucket', keyPattern: 'from_client/a/*.csv', mapping: 'people' },
      },
    });
    const all = await said('rules', 'rehearse', folder, '--last', '20');
    expect(all).toMatch(/judged again/);
    expect(all).not.toMatch(SENSITIVE);
  });

  it('show nothing sensitive of samples that a rule set is checked on', async () => {
    const folder = await ruleFolder({
      'mappings/people.yaml': { name: 'people', tableSchema: SCHEMA },
      'monitoring_files/a.yaml': {
        ...{ client: 'a', bucket: 'bucket', keyPattern: 'from_client/a/*', mapping: 'people' },
      },
    });
    const samples = KEYS.map((key) => join(root, 'bucket', key));
    const all = await said('rules', 'check', folder, ...samples);
    expect(all).toMatch(/INTCELL/);
    expect(all).not.toMatch(SENSITIVE);
  });

  it('show nothing sensitive of the rows of two deliveries', async () => {
    const schema = await put('schema.json', JSON.stringify(SCHEMA));
    const later = await put('later.csv', `${LABELS}\n4,RULEINT,SENOTHER,{},SENBOSS,UNDCELL\n`);
    const file = join(root, 'bucket/from_client/a/values.csv');
    const all = await said('diff', file, later, '--schema', schema, '--key', 'id', '--rows');
    expect(all).not.toMatch(SENSITIVE);
  });

  it('show nothing sensitive of a run as data, nor of what is dead', async () => {
    const shown = await run({}, '--json');
    expect(shown.out).toMatch(/INTCELL/);
    expect(shown.out + shown.err).not.toMatch(SENSITIVE);
    expect(await said('dead', 'list')).not.toMatch(SENSITIVE);
  });
});

/** Lets a worker make one attempt, and gives back what it logged and measured. */
async function attempt(store: ObjectStore, key: string, retryCount: number): Promise<string> {
  const [runId = ''] = await enqueueRuns(given.database, queue, key);
  let log = '';
  const metrics = createMetrics();
  let spans = '';
  const tracer: Tracer = {
    start(name, options) {
      const told = (...all: unknown[]) => {
        spans += JSON.stringify(all);
      };
      told(name, options);
      return {
        ...{ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, link: told, set: told },
        fail: (error) => told(kindOf(error)),
        ...{ discard() {}, keep() {}, end() {} },
      };
    },
    stop: async () => undefined,
  };
  const work = jobHandler({
    ...{ database: given.database, store, job: s3DataQualityJob, maxFaults: 100, metrics },
    engine: { ports: NODE_PORTS, maxKeyBytes: 2 ** 20 },
    tells: true,
    tracer,
    reports: { prefix: 'worker/', bySetting: false },
    logger: createLogger('debug', { write: (line) => (log += line) }),
    breakers: { read: createBreakers(), write: createBreakers() },
  });
  const job = { id: runId, runId, number: 1, retryCount, retryLimit: 1 };
  if (retryCount > 0) await leaveOneAttempt(given.database, runId);
  const failure = await work(job, new AbortController().signal, () => undefined).then(
    () => undefined,
    (error: unknown) => error,
  );
  for (const held of failure === undefined ? [] : await queue.fetch(10)) {
    await queue.fail(held, failure);
  }
  expect(spans).toContain('process runs');
  // What a file is called is in the log, and in no trace.
  expect(spans).not.toContain(key);
  return log + spans + (await metrics.registry.metrics());
}

/** All that leaves by the ways of notices, while a worker judges files and tells of them. */
async function everythingTold(): Promise<string> {
  const store = createLocalStore(root);
  let all = '';
  for (const key of KEYS) all += await attempt(store, key, 0);
  const server = await startSmtpServer();
  const hook = createServer(async (request, response) => {
    all += JSON.stringify(request.headers) + (await text(request));
    response.end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
  const sdk = {
    send: async ({ input }: { readonly input: unknown }) => {
      all += JSON.stringify(input);
      return {};
    },
    destroy() {},
  };
  const topic = parseTopicArn('arn:aws:sns:us-east-1:123456789012:notices') as TopicArn;
  const smtp = { host: '127.0.0.1', port: server.port, user: undefined, password: undefined };
  const webhook = {
    ...{ urls: [url], privateHosts: [] },
    secrets: new Secret(`whsec_${'a'.repeat(32)}`),
  };
  const from = 'data-quality@example.org';
  const audience = {
    ...{ states: NOTICE_STATES, mail: true, topicArn: topic.arn, webhooks: [url] },
    operators: ['data@example.org', 'other@example.org'],
  };
  const sesOnly = { ...sesOutlet({ from, region: 'us-east-1' }, new Wording(), sdk as never) };
  const outlets = [
    { ...smtpOutlet({ from, smtp }), target: 'data@example.org' },
    { ...sesOnly, target: 'other@example.org' },
    ...webhookOutlets(webhook),
    topicOutlet(topic, sdk as never),
  ];
  const teller = tellerOf(given.database, outlets, { audience });
  await teller.tell();
  for (const outlet of outlets) outlet.close();
  hook.closeAllConnections();
  hook.close();
  await server.close();
  const waiting = await given.database('notice_messages').whereNot({ status: 'delivered' });
  expect(waiting).toEqual([]);
  return `${all}${teller.log}${server.mails.map(({ raw, body }) => raw + body).join('\n')}`;
}

describe('a notice', () => {
  // A run is one of its object.
  afterAll(() => forgetNotices(given.database));

  it('holds no text of a file, by whatever way and of whatever class', async () => {
    const told = await everythingTold();
    // All four ways have told: a mail of each server, a webhook and a topic.
    for (const way of [/^Subject: /m, /"Simple":/, /"webhook-id":/, /"TopicArn":/]) {
      expect(told).toMatch(way);
    }
    expect(told).toContain('unit');
    expect(told).not.toMatch(/PUBCELL/);
    expect(told).not.toMatch(INTERNAL);
    expect(told).not.toMatch(SENSITIVE);
  });

  it('leaves no text of a file in the outbox', async () => {
    const outbox = JSON.stringify([
      await given.database('notices'),
      await given.database('notice_messages'),
    ]);
    expect(outbox).toContain('delivered');
    expect(outbox).not.toMatch(/PUBCELL/);
    expect(outbox).not.toMatch(INTERNAL);
    expect(outbox).not.toMatch(SENSITIVE);
  });
});

/** As PostgreSQL and knex have it: the message is about the column, what stands beside it quotes the row. */
const quoting = (message: string) =>
  Object.assign(new Error(message), {
    detail: 'Failing row contains (SENDETAIL).',
    where: 'JSON data, line 1: SENWHERE',
    bindings: ['SENBOUND'],
  });

describe('a worker', () => {
  it('logs and measures no text of a file that it judges', async () => {
    const store = createLocalStore(root);
    let all = '';
    for (const key of KEYS) all += await attempt(store, key, 0);
    expect(all).toMatch(/run finished/);
    expect(all).not.toMatch(/PUBCELL/);
    expect(all).not.toMatch(INTERNAL);
    expect(all).not.toMatch(SENSITIVE);
    expect(await textsIn('worker')).not.toMatch(SENSITIVE);
  });

  it.each([
    ['of the store', new StoreError('s3://bucket/a.csv can’t be read', quoting('no answer'))],
    ['of PostgreSQL', quoting('null value in column "x" violates not-null constraint')],
    ['of several', new AggregateError([quoting('one'), quoting('other')], 'both failed')],
  ])('that meets an error %s logs and keeps nothing that it quotes', async (of, error) => {
    const log =
      (await attempt(storeOf(error), `${of}/retried.csv`, 0)) +
      (await attempt(storeOf(error), `${of}/failed.csv`, 1));
    expect(log).toMatch(/"err"/);
    expect(log).not.toMatch(SENSITIVE);
    expect(await everythingStored()).not.toMatch(SENSITIVE);
    const dead = await cli(['dead', 'list', '--json'], env());
    expect(dead.out + dead.err).not.toMatch(SENSITIVE);
    const letters: readonly { readonly id: string }[] = JSON.parse(dead.out);
    for (const { id } of letters) {
      const { out, err } = await cli(['dead', 'show', id], env());
      expect(out + err).not.toMatch(SENSITIVE);
    }
  });

  it('that meets a mapping which it refuses logs and keeps the place, and nothing that its rules say', async () => {
    const field = { name: 'badge', type: 'integer', classification: 'sensitive' };
    await given.database('mappings').insert({
      ...{ name: 'refused', version: 1 },
      table_schema: { fields: [{ ...field, constraints: { enum: ['RULESEN'] } }] },
    });
    await given.database('monitoring_files').insert({
      ...{ client: 'a', bucket: 'bucket', key_pattern: 'refused/*' },
      ...{ mapping_name: 'refused', mapping_version: 1 },
    });
    await put('bucket/refused/a.csv', 'badge\n1\n');
    const log = await attempt(createLocalStore(root), 'refused/a.csv', 1);
    expect(log).toContain('mapping refused 1, schema.fields[0].constraints.enum');
    expect(log).not.toMatch(SENSITIVE);
    expect(await everythingStored()).not.toMatch(SENSITIVE);
  });
});
