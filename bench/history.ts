import { copyFile, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PATHS } from '@file-processing/contract/listener-interface.ts';
import pg from 'pg';
import {
  run,
  SAMPLE,
  type Surroundings,
  serve,
  storeFiles,
  surroundings,
} from './intake/listener.ts';
import { postAll } from './intake/load.ts';
import { type MeasuredPostgres, startMeasuredPostgres } from './intake/measured-postgres.ts';
import { type MessageSource, TOPIC_ARN } from './intake/signed-messages.ts';
import {
  CLIENTS_SQL,
  deliveriesSql,
  largeReport,
  pagesToOpen,
  pastMonthsSql,
  REPORT,
  startPages,
  VACUUM_SQL,
} from './pages.ts';

/** Of the median of each statement, as of a page; milliseconds. */
const LIMIT_MS = 150;
/** Time over which the deliveries are spread: what the retention deletes is among them. */
const MONTHS = 14;
const SECONDS = MONTHS * 30.44 * 86_400;
/** What one statement makes. */
const MADE_AT_ONCE = 500_000;
/** So many rows may be read without an index: counts end at 10,000, and small tables are read as a whole. */
const LARGE_TABLE = 20_000;
/** Of those, deliveries come in while the statements are looked at. */
const LIVE_CLIENT = 'client_8';
const DELIVERIES = 500;
/** What a person asks for is asked so often. */
const TIMES = 3;
/** The tasks of a worker that come seldom have had their turns by then. */
const WORKER_SECONDS = 65;

const SETTINGS = { shared_buffers: '1GB', max_wal_size: '1GB', maintenance_work_mem: '512MB' };

/** What {@link measureHistory} works with. */
export interface History {
  readonly judgements: number;
  /** An existing one, which another user can reach; the data set stays in it. */
  readonly folder: string;
  readonly source: MessageSource;
}

/**
 * Has the listener's own programs work on a database that holds the deliveries of 14 months, and looks at every statement
 * that they send by what PostgreSQL itself says of it (auto_explain): its time, and whether it reads a whole table.
 */
export async function measureHistory({ judgements, folder, source }: History): Promise<void> {
  const postgres = await startMeasuredPostgres(folder, SETTINGS);
  const database = new pg.Client({ connectionString: postgres.url });
  try {
    await database.connect();
    const place = surroundings(folder, postgres.url, source.origin);
    const begin = performance.now();
    run(place, 'migrate');
    console.log(`${since(begin)} s: migrated`);
    run(place, 'seed');
    await fill(database, judgements);
    const { rows } = await database.query(
      'SELECT pg_size_pretty(pg_database_size(current_database())) AS size',
    );
    console.log(
      `${judgements.toLocaleString('en-US')} judgements of ${MONTHS} months, ${rows[0].size}`,
    );
    await explainAll(database);
    await look({ ...place, source, postgres, database });
  } finally {
    await database.end();
    await postgres.stop();
  }
}

interface Parts extends Surroundings {
  readonly source: MessageSource;
  readonly postgres: MeasuredPostgres;
  readonly database: pg.Client;
}

async function look(parts: Parts): Promise<void> {
  const { folder, postgres, database, environment } = parts;
  const { rows } = await database.query(
    `SELECT id FROM file_processing.runs WHERE verdict = 'failed' ORDER BY created_at DESC OFFSET 1000 LIMIT 1`,
  );
  const [{ id }] = rows;
  const files = await database.query(
    `SELECT id::integer FROM file_processing.monitoring_files WHERE client = 'client_7'`,
  );
  const [file] = files.rows;
  await largeReport(database, id);
  for (const [name, work] of Object.entries({
    intake: () => takeIn(parts),
    worker: () => workOff(parts),
    lists: async () => {
      for (let time = 0; time < TIMES; time += 1) {
        for (const command of listings(id, file.id)) run(parts, ...command);
      }
    },
    pages: async () => {
      const pages = await startPages(folder, environment);
      try {
        const paths = Object.values(pagesToOpen({ run: id, file: file.id }));
        for (const path of Array(TIMES).fill(paths).flat()) {
          const headers = { Authorization: `Bearer ${pages.token}` };
          const answer = await fetch(`${pages.origin}${path}`, { headers });
          await answer.arrayBuffer();
          if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}`);
        }
      } finally {
        await pages.stop();
      }
    },
  })) {
    const { size } = await stat(postgres.logFile);
    await work();
    print(name, await statementsIn(postgres.logFile, size));
  }
}

/** Deliveries of a monitored file that has a history, and of files that nobody monitors; some of them come twice. */
async function takeIn(parts: Parts): Promise<void> {
  const { folder, source } = parts;
  const { size } = await stat(SAMPLE);
  const sample = join(folder, 'sample.csv');
  await copyFile(SAMPLE, sample);
  const bodies = [LIVE_CLIENT, 'nobody'].flatMap((client) => source.make(DELIVERIES, size, client));
  await storeFiles(bodies, folder, sample);
  const server = await serve(parts, 'intake');
  try {
    await postAll(server.port, bodies, 8);
    await postAll(server.port, bodies.slice(0, 20), 8);
  } finally {
    await server.stop();
  }
}

async function workOff(parts: Parts): Promise<void> {
  const { database } = parts;
  const server = await serve(parts, 'both');
  try {
    const end = performance.now() + WORKER_SECONDS * 1000;
    for (;;) {
      await (await fetch(`http://127.0.0.1:${server.metricsPort}${PATHS.metrics}`)).text();
      const { rows } = await database.query(
        `SELECT count(*)::integer AS count FROM file_processing.runs
         WHERE status = 'pending' AND bucket <> 'box'`,
      );
      if (rows[0].count === 0 && performance.now() > end) return;
      if (performance.now() > end + 300_000) throw new Error(`${rows[0].count} runs still wait`);
      await delay(5_000);
    }
  } finally {
    await server.stop();
  }
}

/** Commands by which a person looks. */
function listings(run: string, file: number): readonly (readonly string[])[] {
  const day = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10);
  const selections = [
    [],
    ['--after', run],
    ['--status', 'error'],
    ['--status', 'queued'],
    ['--status', 'running'],
    ['--verdict', 'failed'],
    ['--verdict', 'passed'],
    ['--client', 'client_7'],
    ['--key', 'in/client_7/1/**'],
    ['--key-prefix', 'in/client_7/1/'],
    ['--unmonitored'],
    ['--since', day],
    ['--since', '400d', '--until', '399d'],
  ];
  return [
    ...selections.map((selection) => ['runs', 'list', ...selection]),
    ['runs', 'show', run],
    ['runs', 'show', 'latest'],
    ['runs', 'show', run.slice(0, 8)],
    ['dead', 'list'],
    ['history', `${file}`],
    ['deliveries'],
  ];
}

/** Fills an empty database once. */
async function fill(database: pg.Client, judgements: number): Promise<void> {
  const { rows } = await database.query(
    `SELECT to_regclass('public.filled') IS NOT NULL AS filled, EXISTS (SELECT FROM file_processing.runs) AS used`,
  );
  if (rows[0].filled) return;
  if (rows[0].used) throw new Error('the folder holds a data set that is not complete: remove it');
  const begin = performance.now();
  const indexes = await indexesOf(database);
  for (const { name } of indexes) await database.query(`DROP INDEX ${name}`);
  // What it refers to is there: each row need not look.
  await database.query('SET session_replication_role = replica');
  for (const statement of [...CLIENTS_SQL, pastMonthsSql(MONTHS + 1)])
    await database.query(statement);
  const secondsApart = SECONDS / judgements;
  for (let from = 0; from < judgements; from += MADE_AT_ONCE) {
    const made = { from, count: Math.min(MADE_AT_ONCE, judgements - from), secondsApart };
    await database.query(deliveriesSql({ ...made, report: REPORT }));
    await database.query(messagesSql(made));
    if (from % (MADE_AT_ONCE * 4) === 0)
      console.log(`${since(begin)} s: ${from + made.count} made`);
  }
  await database.query('SET session_replication_role = origin');
  for (const { definition } of indexes) await database.query(definition);
  await database.query(
    `UPDATE file_processing.mappings SET
       table_schema = (SELECT table_schema FROM file_processing.mappings WHERE name = 'officer_detail'),
       rules = '[{"rule": "RowCountChange", "last": 5, "warn": {"maxDecrease": 0.2}}, {"rule": "FileUniqueness", "severity": "warn"}]'
     WHERE name = 'people'`,
  );
  await database.query(
    `UPDATE file_processing.monitoring_files
     SET bucket = 'etl-ba-research-client-etl', key_pattern = 'from_client/' || client || '/**'
     WHERE client = '${LIVE_CLIENT}'`,
  );
  await database.query(VACUUM_SQL);
  await database.query('CREATE TABLE public.filled ()');
  console.log(`${since(begin)} s: filled`);
}

/** Those that are faster made at the end: all but those of constraints. */
async function indexesOf(
  database: pg.Client,
): Promise<readonly { readonly name: string; readonly definition: string }[]> {
  const { rows } = await database.query(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE indrelid IN ('file_processing.runs'::regclass, 'file_processing.judgements'::regclass)
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
     ORDER BY 1`,
  );
  return rows;
}

/** The messages of deliveries, with less of a text than they have. */
function messagesSql({
  from,
  count,
  secondsApart,
}: Record<'from' | 'count' | 'secondsApart', number>) {
  return `INSERT INTO file_processing.messages
      (message_id, topic_arn, type, outcome, subject, message, signed_at, received_at)
    SELECT 'm' || n, '${TOPIC_ARN}', 'Notification', 'accepted', 'Amazon S3 Notification', '{}', at, at
    FROM generate_series(${from}, ${from + count - 1}) AS n,
      LATERAL (SELECT now() - make_interval(secs => n * ${secondsApart}) AS at) AS time`;
}

/** Has the server log each statement with its plan, of connections that are made from now on. */
async function explainAll(database: pg.Client): Promise<void> {
  for (const [name, value] of Object.entries({
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_buffers': 'off',
    'auto_explain.log_format': 'json',
    'auto_explain.log_parameter_max_length': '0',
  })) {
    await database.query(`ALTER DATABASE postgres SET ${name} = '${value}'`);
  }
}

/** One step of a plan. */
interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Step[];
}

/** A statement, however often it was sent. */
interface Statement {
  readonly milliseconds: number[];
  /** Tables that a plan reads without an index. */
  readonly scanned: Set<string>;
}

/** What the server has logged from a place in its log. */
async function statementsIn(file: string, from: number): Promise<ReadonlyMap<string, Statement>> {
  const log = await open(file);
  const statements = new Map<string, Statement>();
  let entry: string[] = [];
  const read = () => {
    const [, milliseconds] = /LOG: {2}duration: ([\d.]+) ms {2}plan:$/.exec(entry[0] ?? '') ?? [];
    if (milliseconds === undefined) return;
    const { 'Query Text': text, Plan: plan } = JSON.parse(entry.slice(1).join('\n'));
    const name = text
      .replace(/\s+/g, ' ')
      .replace(/\$\d+(, ?\$\d+)+/g, '$n')
      .trim();
    const statement = statements.get(name) ?? { milliseconds: [], scanned: new Set() };
    statement.milliseconds.push(Number(milliseconds));
    for (const table of scannedBy(plan)) statement.scanned.add(table);
    statements.set(name, statement);
  };
  for await (const line of log.readLines({ start: from })) {
    if (line.startsWith('\t')) entry.push(line.slice(1));
    else {
      read();
      entry = [line];
    }
  }
  read();
  return statements;
}

/** Tables of which a plan reads more rows than a table has that may be read as a whole, without an index. */
function scannedBy(step: Step): readonly string[] {
  const { 'Relation Name': table = '', Plans: steps = [] } = step;
  const {
    'Actual Rows': rows,
    'Rows Removed by Filter': removed = 0,
    'Actual Loops': loops,
  } = step;
  const isScan = step['Node Type'] === 'Seq Scan' && (rows + removed) * loops > LARGE_TABLE;
  return [...(isScan ? [table] : []), ...steps.flatMap(scannedBy)];
}

/** What misses a limit, and the slowest others. */
const SHOWN = 4;

function print(part: string, statements: ReadonlyMap<string, Statement>): void {
  const figures = Array.from(statements, ([text, { milliseconds, scanned }]) => {
    const sorted = milliseconds.toSorted((a, b) => a - b);
    return {
      ...{ text, times: sorted.length, most: sorted.at(-1) ?? Number.NaN },
      median: sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN,
      scans: Array.from(scanned),
    };
  }).sort((a, b) => b.median - a.median);
  const misses = figures.filter(({ median, scans }) => median >= LIMIT_MS || scans.length > 0);
  const times = figures.reduce((sum, one) => sum + one.times, 0);
  console.log(
    `${part}: ${figures.length} statements, sent ${times} times; slowest median ${figures[0]?.median.toFixed(1)} ms (below ${LIMIT_MS}); ` +
      `${figures.filter(({ scans }) => scans.length > 0).length} read more than ${LARGE_TABLE.toLocaleString('en-US')} rows without an index (0)`,
  );
  for (const figure of new Set([...misses, ...figures.slice(0, SHOWN)])) {
    const { text, median, most, times: count, scans } = figure;
    const shown = text.length > 240 ? `${text.slice(0, 80)} ... ${text.slice(-150)}` : text;
    console.log(
      `  ${median.toFixed(1).padStart(7)} ms, at most ${most.toFixed(0).padStart(5)}, ${count} times` +
        `${scans.length > 0 ? `, reads ${scans.join(', ')} without an index` : ''}  ${shown}`,
    );
  }
}

function since(begin: number): string {
  return ((performance.now() - begin) / 1000).toFixed(0);
}
