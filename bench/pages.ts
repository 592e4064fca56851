/**
 * How long the console takes for each page with a million deliveries in the database, and what live views cost the intake.
 *
 *     npm run bench -- pages [--runs 1000000] [--views 50] [--seconds 20] [--per-second 40]
 *
 * Times are those of the server: its process is asked over loopback, one page after the other.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import pg from 'pg';
import { NODE_PORTS } from '../listener/src/jobs/engine-ports.ts';
import { withhold } from '../listener/src/privacy/withhold.ts';
import { postAtPace } from './intake/load.ts';
import { startMeasuredPostgres } from './intake/measured-postgres.ts';
import { startServer } from './intake/server-process.ts';
import { openMessageSource, TOPIC_ARN } from './intake/signed-messages.ts';

const LISTENER = join(import.meta.dirname, '../listener/src/main.ts');
/** Of a page, and of the page of a large report; milliseconds. */
const LIMITS = { page: 150, report: 1_000 };
/** Asked so often, after once to warm up. */
const TIMES = 9;
const CLIENTS = 100;

/** 350 bytes, as a report of a file of one column without a fault. */
export const REPORT = JSON.stringify({
  ...{ version: 1, verdict: 'passed', reasons: [], bytes: 1000, rows: 100, faultyRows: 0 },
  ...{ faultCount: 0, faultCounts: {}, faults: [], diagnoses: [] },
  columns: [
    {
      ...{ field: 1, label: 'id', name: 'id', classification: 'internal', type: 'integer' },
      ...{ declared: true, rows: 100, nulls: 0, types: { integer: 100 }, faultCounts: {} },
    },
  ],
});

/** Which deliveries {@link deliveriesSql} makes. */
export interface MadeDeliveries {
  /** The newest has number 0. @default 0 */
  readonly from?: number;
  /** So many. */
  readonly count: number;
  /** Between one and the next older one. @default 30 */
  readonly secondsApart?: number;
  /** JSON of each verdict's report. @default none is kept */
  readonly report?: string;
}

/** Clients and their monitored files, of whom {@link deliveriesSql} makes deliveries. */
export const CLIENTS_SQL = [
  `INSERT INTO file_processing.mappings (name, version, table_schema) VALUES ('people', 1, '{}')`,
  `INSERT INTO file_processing.monitoring_files
     (client, bucket, key_pattern, mapping_name, mapping_version)
   SELECT 'client_' || n, 'box', 'in/client_' || n || '/**', 'people', 1
   FROM generate_series(0, ${CLIENTS - 1}) AS n`,
];

/** Tables of the months that are over, as a listener that has run so long has made them; in an empty database. */
export function pastMonthsSql(months: number): string {
  return `DO $$
    DECLARE first timestamptz;
    BEGIN
      ALTER TABLE file_processing.messages DETACH PARTITION file_processing.sns_messages;
      DROP TABLE file_processing.sns_messages;
      FOR ago IN 0..${months} LOOP
        first := (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => ago)) AT TIME ZONE 'UTC';
        IF ago = 0 THEN
          PERFORM file_processing.make_month('messages', (first + make_interval(months => n))::date)
          FROM generate_series(0, 1) AS n;
        ELSE
          EXECUTE (SELECT string_agg(format(
            'CREATE TABLE file_processing.%1$I (LIKE file_processing.%2$s_other INCLUDING ALL);
             ALTER TABLE file_processing.%2$s ATTACH PARTITION file_processing.%1$I FOR VALUES FROM (%3$L) TO (%4$L)',
            parent || to_char(first, '_YYYY_MM'), parent, first, first + interval '1 month'), ';')
            FROM unnest(ARRAY['messages', 'reports']) AS parent);
        END IF;
      END LOOP;
    END $$`;
}

/** Deliveries as SQL: most pass, some wait, are dead, late judged or without rules. */
export function deliveriesSql({
  from = 0,
  count,
  secondsApart = 30,
  report,
}: MadeDeliveries): string {
  const reported = report === undefined ? 'NULL' : `'${report.replaceAll("'", "''")}'`;
  return `WITH made AS (
     SELECT n, gen_random_uuid() AS id, n % ${CLIENTS} AS client,
       now() - make_interval(secs => n * ${secondsApart}) AS at,
       CASE WHEN n < 20 THEN 'pending' WHEN n % 5000 = 7 THEN 'error' ELSE 'finished' END AS status,
       CASE WHEN n % 50 = 3 THEN 'failed' WHEN n % 50 = 4 THEN 'warned' ELSE 'passed' END AS verdict
     FROM generate_series(${from}, ${from + count - 1}) AS n
   ), runs AS (
     INSERT INTO file_processing.runs
       (id, bucket, key, identity, e_tag, size_bytes, created_at, message_id, status, verdict,
        verdict_number, verdict_at, unmonitored, accepted_file)
     SELECT made.id, 'box', 'in/client_' || made.client || '/' || n / 1000 || '/file_' || n || '.csv', 'etag ' || n,
       'e' || n, 1000, at, 'm' || n, status,
       CASE WHEN status = 'finished' THEN verdict END, CASE WHEN status = 'finished' THEN 1 END,
       CASE WHEN status = 'finished' THEN at END, false,
       CASE WHEN status = 'finished' AND verdict <> 'failed' THEN file.id END
     FROM made JOIN file_processing.monitoring_files AS file ON file.client = 'client_' || made.client
   ), judgements AS (
     INSERT INTO file_processing.judgements
       (run_id, number, asked_by, monitoring_file_id, mapping_name, mapping_version, status, verdict,
        row_count, byte_count, fault_count, error, attempts, created_at, started_at, finished_at, reported_at)
     SELECT made.id, 1, 'message', CASE WHEN status = 'finished' THEN file.id END,
     CASE WHEN status = 'finished' THEN 'people' END, CASE WHEN status = 'finished' THEN 1 END, status,
       CASE WHEN status = 'finished' THEN verdict END, CASE WHEN status = 'finished' THEN 100 + n % 900 END,
       CASE WHEN status = 'finished' THEN 1000 END,
       CASE WHEN status = 'finished' THEN CASE verdict WHEN 'failed' THEN 3 ELSE 0 END END,
       CASE WHEN status = 'error' THEN 'S3 is unavailable' END, 1, at, at, at,
       CASE WHEN status = 'finished' THEN ${report === undefined ? 'NULL::timestamptz' : 'at'} END
     FROM made JOIN file_processing.monitoring_files AS file ON file.client = 'client_' || made.client
     WHERE status <> 'pending' RETURNING run_id, number, reported_at
   )
   INSERT INTO file_processing.reports (run_id, number, recorded_at, report)
   SELECT run_id, number, reported_at, ${reported}::jsonb FROM judgements WHERE reported_at IS NOT NULL`;
}

/** As autovacuum leaves it. */
export const VACUUM_SQL = 'VACUUM ANALYZE';

/** Pages by their names. @param ids of a run and of a monitored file */
export function pagesToOpen({ run, file }: { readonly run: string; readonly file: number }) {
  return {
    Deliveries: '/',
    'Deliveries, a later page': `/?after=${run}`,
    'Deliveries that failed': '/?verdict=failed',
    'Deliveries in error': '/?status=error',
    'Deliveries that wait': '/?status=queued',
    'Deliveries below a folder': '/?key=in/client_7/1/',
    'Deliveries by a pattern': '/?key=in/client_7/**',
    'Deliveries of a client': '/?client=client_7',
    'Deliveries since a day': `/?since=${new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)}`,
    'One run': `/runs/${run}`,
    'Monitored files': '/files',
    'One monitored file': `/files/${file}`,
    Operations: '/operations',
  } as const;
}

if (process.argv[1] === import.meta.filename) await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000000' },
      views: { type: 'string', default: '50' },
      seconds: { type: 'string', default: '20' },
      'per-second': { type: 'string', default: '40' },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'bench-pages-'));
  // As root, PostgreSQL runs as another user, who has to get to its data.
  await chmod(folder, 0o711);
  const postgres = await startMeasuredPostgres(folder);
  try {
    await measure(folder, postgres.url, {
      runs: Number(values.runs),
      views: Number(values.views),
      seconds: Number(values.seconds),
      perSecond: Number(values['per-second']),
    });
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Load {
  readonly runs: number;
  readonly views: number;
  readonly seconds: number;
  readonly perSecond: number;
}

async function measure(folder: string, url: string, load: Load): Promise<void> {
  const source = await openMessageSource();
  const environment = {
    ...{ PORT: '0', METRICS_PORT: '0', DATABASE_URL: url, SNS_TOPIC_ARNS: TOPIC_ARN },
    ...{ AWS_ENDPOINT_URL_SNS: source.origin, AWS_REGION: 'us-gov-west-1' },
    ...{ AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
  };
  const intake = await startServer({
    ...{ command: process.execPath, folder, environment },
    args: [LISTENER, 'serve', '--role', 'intake', '--migrate'],
  });
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  try {
    const begin = performance.now();
    const statements = [...CLIENTS_SQL, deliveriesSql({ count: load.runs }), VACUUM_SQL];
    for (const statement of statements) await database.query(statement);
    const filled = ((performance.now() - begin) / 1000).toFixed(0);
    console.log(
      `${load.runs.toLocaleString('en-US')} deliveries in the database, after ${filled} s`,
    );
    const { rows } = await database.query(
      `SELECT id FROM file_processing.runs WHERE verdict = 'failed' ORDER BY created_at OFFSET 1000 LIMIT 1`,
    );
    const run: string = rows[0].id;
    await largeReport(database, run);
    const file = await database.query(
      'SELECT max(id)::integer AS id FROM file_processing.monitoring_files',
    );
    const pages = await startPages(folder, environment, load.views);
    try {
      for (const [name, path] of Object.entries(pagesToOpen({ run, file: file.rows[0].id }))) {
        await measurePage(name, path, pages, name === 'One run' ? LIMITS.report : LIMITS.page);
      }
      await measureViews(intake.port, pages, source, load);
    } finally {
      await pages.stop();
    }
  } finally {
    await database.end();
    await intake.stop();
    await source.close();
  }
}

/** Gives a run the most that a report lists, of 200 columns. */
export async function largeReport(database: pg.Client, run: string): Promise<void> {
  const names = Array.from({ length: 200 }, (_, column) => `column_${column}`);
  const row = names.map(() => 'not a number').join();
  async function* bytes() {
    yield Buffer.from(`${names.join()}\n${`${row}\n`.repeat(1_000)}`);
  }
  const fields = names.map((name) => ({ name, type: 'integer', classification: 'internal' }));
  const report = await inspectCsv(bytes(), NODE_PORTS, {
    ...{ expectation: { schema: { fields } } as never, maxFaults: 1_000 },
  });
  const shown = withhold(report, true);
  await database.query(
    `WITH judgement AS (
       UPDATE file_processing.judgements SET reported_at = finished_at WHERE run_id = $1
       RETURNING run_id, number, reported_at
     )
     INSERT INTO file_processing.reports (run_id, number, recorded_at, report, withheld)
     SELECT run_id, number, reported_at, $2, $3 FROM judgement
     ON CONFLICT (run_id, number, recorded_at)
       DO UPDATE SET report = excluded.report, withheld = excluded.withheld`,
    [run, JSON.stringify(shown.report), JSON.stringify(shown.withheld)],
  );
}

/** A console that is measured. */
export interface Pages {
  readonly origin: string;
  readonly token: string;
  /** Of viewers, each of whom may follow ten views. */
  readonly viewers: readonly string[];
  stop(): Promise<void>;
}

/** The console in a process of its own. @param views that are to be followed at once. @default 1 */
export async function startPages(
  folder: string,
  environment: Record<string, string>,
  views = 1,
): Promise<Pages> {
  const viewers = Array.from({ length: Math.ceil(views / 10) }, (_, viewer) => `viewer-${viewer}`);
  const tokens = viewers.map((name) => ({
    ...{ name, rights: ['look'] },
    sha256: createHash('sha256').update(name).digest('hex'),
  }));
  const args = [LISTENER, 'console', '--allow', 'look,act,reveal'];
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, args, {
    ...{ cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
    env: { PATH, HOME, ...environment, CONSOLE_TOKENS: JSON.stringify(tokens) },
  });
  const gone = once(child, 'close');
  const [printed] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  const { origin, searchParams } = new URL(String(printed).trim());
  return {
    ...{ origin, token: searchParams.get('token') ?? '' },
    viewers,
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function measurePage(name: string, path: string, pages: Pages, limit: number): Promise<void> {
  const times: number[] = [];
  let bytes = 0;
  for (let time = 0; time <= TIMES; time += 1) {
    const begin = performance.now();
    const answer = await fetch(`${pages.origin}${path}`, {
      headers: { Authorization: `Bearer ${pages.token}` },
    });
    bytes = (await answer.arrayBuffer()).byteLength;
    if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}`);
    if (time > 0) times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const [median, most] = [times[Math.floor(TIMES / 2)] ?? Number.NaN, times.at(-1) ?? Number.NaN];
  const figures = `${median.toFixed(0).padStart(6)} ms, at most ${most.toFixed(0).padStart(5)} ms`;
  console.log(
    `${figures}, ${(bytes / 1000).toFixed(0).padStart(4)} kB  ${name} (at most ${limit} ms)`,
  );
}

/** The intake's slowest hundredth alone and beside live views, in turns. */
async function measureViews(
  port: number,
  pages: Pages,
  source: Awaited<ReturnType<typeof openMessageSource>>,
  { views, seconds, perSecond }: Load,
): Promise<void> {
  const p99: Record<'alone' | 'viewed', number[]> = { alone: [], viewed: [] };
  for (let round = 0; round < 3; round += 1) {
    for (const kind of ['alone', 'viewed'] as const) {
      const streams =
        kind === 'alone' ? [] : Array.from({ length: views }, (_, view) => openView(pages, view));
      const load = postAtPace(port, source.make(seconds * perSecond), perSecond);
      await delay(seconds * 1_000);
      const times = (await load.stop()).toSorted((a, b) => a - b);
      for (const stream of streams) stream.destroy();
      // The first round warms up.
      if (round > 0) p99[kind].push((times[Math.floor(times.length * 0.99)] ?? Number.NaN) * 1_000);
    }
  }
  const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;
  const [alone, viewed] = [mean(p99.alone), mean(p99.viewed)];
  const change = ((viewed / alone - 1) * 100).toFixed(0);
  console.log(
    `intake at ${perSecond} a second, p99: ${alone.toFixed(1)} ms alone, ${viewed.toFixed(1)} ms beside ${views} live views, ${change} % more (at most 10 %)`,
  );
}

function openView({ origin, viewers }: Pages, number: number) {
  const token = viewers[number % viewers.length];
  const view = get(
    `${origin}/live`,
    { headers: { Authorization: `Bearer ${token}` } },
    (answer) => {
      if (answer.statusCode !== 200)
        throw new Error(`/live was answered with ${answer.statusCode}`);
      answer.resume();
      answer.on('error', () => undefined);
    },
  );
  return view.on('error', () => undefined);
}
