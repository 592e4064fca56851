import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { droppedFile } from '../../../../listener/local/dropped-file.ts';
import { routesOf, startConsole } from '../../../../listener/src/console/console.ts';
import { liveViews } from '../../../../listener/src/console/live.ts';
import { createMetrics } from '../../../../listener/src/http/metrics.ts';
import { NODE_PORTS } from '../../../../listener/src/jobs/engine-ports.ts';
import { s3DataQualityJob } from '../../../../listener/src/jobs/s3-data-quality-job.ts';
import { PLACES } from '../../../../listener/src/privacy/places.ts';
import { openQueue, type Queue } from '../../../../listener/src/queue/queue.ts';
import { jobHandler } from '../../../../listener/src/serve/job-handler.ts';
import { createLogger } from '../../../../listener/src/serve/logger.ts';
import { createBreakers } from '../../../../listener/src/storage/breaker.ts';
import { createLocalStore } from '../../../../listener/src/storage/local-store.ts';
import { otlpTracer } from '../../../../listener/src/tracing/otlp.ts';
import type { TableSchema } from '../../../../quality/table-schema.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { enqueueRuns } from '../../support/runs.ts';

/** A fault of each class, and of a column that no schema declares; keys are found to come twice at the end of the file. */
const SCHEMA: TableSchema = {
  fields: [
    { name: 'id', type: 'integer', classification: 'public' },
    { name: 'unit', constraints: { enum: ['north'] } },
    { name: 'badge', classification: 'sensitive', constraints: { unique: true, maxLength: 9 } },
  ],
  fieldsMatch: 'subset',
};
const ROWS = [
  'PUBCELL,INTCELL,SENCELL-LONG,UNDCELL',
  '1,north,SENTWICE,UNDCELL',
  '2,north,SENTWICE,x',
];
const FILE = `id,unit,badge,UNDLABEL\n${ROWS.join('\n')}\n`;
const KEY = 'from_client/a/people.csv';

const SENSITIVE = /SEN[A-Z]{4,}|UND[A-Z]{4,}/;
const INTERNAL = /INTCELL/;
const PUBLIC = /PUBCELL/;

/** Where what a command prints is read, and what it is: one that is not here has been added without its test. */
const COMMANDS: Readonly<Record<string, keyof typeof PLACES | 'nothing'>> = {
  // markers.test.ts judges what they print, and what they write.
  ...{ validate: 'terminal', run: 'terminal', diff: 'terminal', checker: 'terminal' },
  ...{ 'rules check': 'terminal', 'rules rehearse': 'terminal' },
  // Of files that no rule set describes yet, on the machine that they lie on.
  ...{ infer: 'terminal', onboard: 'terminal' },
  ...{
    'runs show': 'database',
    'runs list': 'database',
    history: 'database',
    deliveries: 'database',
  },
  ...{ 'dead list': 'database', 'dead show': 'database', console: 'database' },
  ...{ serve: 'telemetry', judge: 'telemetry', 'drain-queue': 'telemetry' },
  // They ask for work, or are about rules, the database and the settings.
  ...{ 'runs retry': 'nothing', 'runs rejudge': 'nothing', 'dead retry': 'nothing' },
  ...{ 'dead discard': 'nothing', backfill: 'nothing', forget: 'nothing', seed: 'nothing' },
  ...{ 'rules diff': 'nothing', 'rules apply': 'nothing', 'rules list': 'nothing' },
  ...{ 'rules show': 'nothing', 'rules retire': 'nothing', 'rules import': 'nothing' },
  ...{ 'rules export': 'nothing', migrate: 'nothing', 'bootstrap-database': 'nothing' },
  ...{ check: 'nothing', healthcheck: 'nothing' },
};

/** Pages of the console that this test opens. */
const PAGES = [
  ...['/', '/files', '/files/1', '/operations', '/live.js', '/runs/RUN'],
  ...['/runs/RUN/report.json', '/runs/RUN/report.html', '/runs/RUN/rejects.csv'],
];
/** What is opened by another test, or as a stream below. */
const ELSEWHERE = /confirm|live\$/;

let given: TestDatabase;
let queue: Queue;
let root: string;
let runId: string;
/** What left the worker, by its way. */
const left = { log: '', metrics: '', traces: '' };

async function put(path: string, content: string): Promise<string> {
  const place = join(root, path);
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, content);
  return place;
}

/** Every file below a folder of the bucket. */
async function filesIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(join(root, 'bucket', folder), {
    ...{ recursive: true, withFileTypes: true },
  });
  const files = entries.filter((entry) => entry.isFile());
  const read = files.map(async ({ name, parentPath }) => {
    return [name, await readFile(join(parentPath, name), 'utf8')] as const;
  });
  return new Map(await Promise.all(read));
}

/** Judges the file as a worker does, with a collector of traces, a report, a copy and its list of rejects. */
async function work(): Promise<void> {
  const collector = createServer(async (request, response) => {
    left.traces += (await buffer(request)).toString('latin1');
    response.end();
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
  const logger = createLogger('debug', { write: (line) => (left.log += line) });
  const tracing = { url, headers: undefined, sampler: 'always_on', ratio: 1, serviceName: 'test' };
  const tracer = otlpTracer({ config: tracing as never, logger, delayMs: 10 });
  const metrics = createMetrics();
  const handle = jobHandler({
    ...{ database: given.database, store: createLocalStore(root), job: s3DataQualityJob },
    ...{ maxFaults: 100, metrics, tells: true, tracer, logger },
    // No key is kept in memory: what comes twice is found when the file has been read.
    engine: { ports: NODE_PORTS, maxKeyBytes: 0 },
    reports: { prefix: 'reports/', bySetting: false },
    routing: { tags: false, targets: [{ bucket: 'bucket', prefix: 'checked/' }], bySetting: false },
    breakers: { read: createBreakers(), write: createBreakers() },
  });
  const job = { id: runId, runId, number: 1, retryCount: 0, retryLimit: 1 };
  await handle(job, new AbortController().signal, () => undefined);
  await tracer.stop(10_000);
  left.metrics = await metrics.registry.metrics();
  await new Promise((resolve) => collector.close(resolve));
}

const env = () => ({ DATABASE_URL: given.url, LOCAL_S3_ROOT: root, S3_BUCKET: 'bucket' });

beforeAll(async () => {
  given = await createTestDatabase();
  root = await mkdtemp(join(tmpdir(), 'ways-out-'));
  queue = await openQueue(given.database, (error) => {
    throw error;
  });
  await put(`bucket/${KEY}`, FILE);
  await given.database('mappings').insert({ name: 'people', version: 1, table_schema: SCHEMA });
  await given.database('monitoring_files').insert({
    ...{ client: 'a', bucket: 'bucket', key_pattern: 'from_client/a/*' },
    ...{ mapping_name: 'people', mapping_version: 1 },
    on_verdict: { copy: { bucket: 'bucket', prefix: 'checked/' } },
  });
  const dropped = await droppedFile(root, join(root, 'bucket', KEY));
  [runId = ''] = await enqueueRuns(given.database, queue, KEY);
  await given.database('runs').update({ e_tag: dropped?.eTag });
  await work();
});
afterAll(async () => {
  await queue?.close();
  await given?.drop();
  await rm(root, { recursive: true, force: true });
});

describe('nothing sensitive, by any way', () => {
  it('of a key that was found to come twice when the file had been read', async () => {
    const { out } = await cli(['runs', 'show', runId, '--json'], env());
    const { report } = JSON.parse(out);
    expect(report.faultCounts['unique-error']).toBe(1);
    expect(out).toMatch(PUBLIC);
    expect(out).toMatch(INTERNAL);
    expect(out).not.toMatch(SENSITIVE);
  });

  it.each(['log', 'metrics', 'traces'] as const)('nor anything else in the %s', (way) => {
    expect(left[way].length).toBeGreaterThan(100);
    expect(left[way]).not.toMatch(PUBLIC);
    expect(left[way]).not.toMatch(INTERNAL);
    expect(left[way]).not.toMatch(SENSITIVE);
    // What a file is called is in the log alone.
    if (way !== 'log') expect(left[way]).not.toContain('people.csv');
  });

  it('in the report, the page and the list of rejects in the bucket, which have what is public', async () => {
    const reports = await filesIn('reports');
    const copies = await filesIn('checked');
    expect([...copies.keys()].some((name) => name.endsWith('.rejects.csv'))).toBe(true);
    // The copy is the file itself.
    expect([...copies].filter(([, text]) => text === FILE)).toHaveLength(1);
    for (const [name, text] of [...reports, ...copies]) {
      if (text === FILE) continue;
      expect(text, name).toMatch(PUBLIC);
      expect(text, name).not.toMatch(INTERNAL);
      expect(text, name).not.toMatch(SENSITIVE);
    }
  });

  it('on the pages of the console, and in the rows that it follows', async () => {
    const onError = (error: unknown) => {
      throw error;
    };
    const token = 'a-token-of-the-test';
    const pages = await startConsole({
      ...{ database: given.database, port: 0, token, onError, rights: ['look'] },
    });
    const headers = { Authorization: `Bearer ${token}` };
    const views = liveViews({ database: given.database, onError, everyMs: 20 });
    try {
      const asked = PAGES.map((path) => path.replace('RUN', runId));
      for (const path of asked) {
        const answer = await fetch(new URL(path, pages.address), { headers });
        expect([path, answer.status]).toEqual([path, 200]);
        const page = await answer.text();
        expect(page, path).not.toMatch(SENSITIVE);
        if (path.startsWith('/runs/')) expect(page, path).toMatch(INTERNAL);
      }
      const routes = routesOf({}, views).filter(({ method, path }) => {
        return method === 'GET' && !ELSEWHERE.test(path.source);
      });
      const unopened = routes.filter(({ path }) => !asked.some((one) => path.test(one)));
      expect(unopened.map(({ path }) => path.source)).toEqual([]);
      const stream = views.open({ name: 'viewer', clients: undefined });
      if (typeof stream === 'string') throw new Error('no stream');
      let rows = '';
      for await (const chunk of stream) {
        rows += chunk;
        if (rows.includes(runId)) break;
      }
      expect(rows).not.toMatch(PUBLIC);
      expect(rows).not.toMatch(INTERNAL);
      expect(rows).not.toMatch(SENSITIVE);
    } finally {
      views.close();
      await pages.close();
    }
  });

  it.each([
    [['runs', 'list']],
    [['history', '1', '--csv']],
    [['history', '1', '--json']],
    [['deliveries']],
    [['dead', 'list']],
    [['runs', 'rejudge', '--mapping', 'people', '--since', '1d', '--reason', 'r', '--dry-run']],
    [['rules', 'list']],
  ])('by %j, nor anything else', async (parameters) => {
    const { code, out, err } = await cli(parameters, env());
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toMatch(PUBLIC);
    expect(out).not.toMatch(INTERNAL);
    expect(out).not.toMatch(SENSITIVE);
  });

  it.each(['infer', 'onboard'])('by %s, of columns that look personal', async (command) => {
    const people = Array.from(
      { length: 30 },
      (_, at) => `${at},SENNAME${at},90${at % 9}-12-34${10 + at}`,
    );
    const sample = await put('people_2026-10.csv', `id,name,ssn\n${people.join('\n')}\n`);
    const into = join(root, `${command}-rules`);
    const more =
      command === 'onboard' ? ['--into', into, '--client', 'a', '--bucket', 'bucket'] : [];
    const { out, err } = await cli([command, sample, ...more]);
    const written =
      command === 'onboard' ? await readFile(join(into, 'mappings/people.yaml'), 'utf8') : '';
    expect(out + err).toMatch(/looks personal|name/);
    expect(out + err + written).not.toMatch(/SENNAME|90\d-12/);
  });
});

describe('the list of ways out', () => {
  /** Names of commands below one, as its help has them. */
  async function commandsBelow(...above: readonly string[]): Promise<string[]> {
    const { out } = await cli([...above, '--help']);
    const [, list = ''] = /\nCommands:\n([\s\S]*?)(\n\n|$)/.exec(out) ?? [];
    const names = [...list.matchAll(/^ {2}(\S+)/gm)].flatMap(([, name]) => name ?? []);
    const below = names.filter((name) => name !== 'help');
    const all = await Promise.all(below.map((name) => commandsBelow(...above, name)));
    return below.length === 0 ? [above.join(' ')] : all.flat();
  }

  it('has each command, with the place that it writes to', async () => {
    expect((await commandsBelow()).sort()).toEqual(Object.keys(COMMANDS).sort());
  });

  it('has each place of the privacy levels', () => {
    const tested = new Set(['bucket', 'notice', ...Object.values(COMMANDS)]);
    expect(Object.keys(PLACES).filter((place) => !tested.has(place))).toEqual([]);
  });
});
