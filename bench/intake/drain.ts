/**
 * How a backlog of one client is worked off at the default concurrency while another client's deliveries come in: jobs per
 * second of the listener's own CPU time, how long the deliveries take, how long until the other client's files have
 * their verdicts (the backlog is 30,000 with `--jobs 30000`), the most memory that it holds. Then the seconds from the
 * kill -9 of a listener with a job in hand to the job running again elsewhere.
 *
 *     npm run bench -- drain [--jobs 10000] [--rounds 3] [--concurrency N] [--per-second 20] [--kills 3]
 *
 * The files are small (the sample, 1.2 kB) and come from a folder (LOCAL_S3_ROOT), not from a store over HTTP.
 */
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import {
  HEAP_OF_POD,
  run,
  SAMPLE,
  type Surroundings,
  serve,
  storeFiles,
  surroundings,
} from './listener.ts';
import { postAll, postAtPace } from './load.ts';
import { startMeasuredPostgres } from './measured-postgres.ts';
import { type MessageSource, openMessageSource } from './signed-messages.ts';

/** The listener that takes over has been up for so long, and is not in its start any more. */
const SECONDS_UP = 8;
/** A listener that judges fewer has no figures. */
const FEWEST_PER_SECOND = 20;
/** Whose deliveries come in while another client's wait. */
const OTHER_CLIENT = 'nm_taos';
/** Of the file that is still in hand when its listener is killed. */
const SLOW_FILE_BYTES = 10_000_000;

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    concurrency: { type: 'string' },
    'per-second': { type: 'string', default: '20' },
    kills: { type: 'string', default: '3' },
  },
});
const jobs = Number(values.jobs);
const perSecond = Number(values['per-second']);

const closers: (() => Promise<unknown>)[] = [];
const interrupted = Promise.withResolvers<never>();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => interrupted.reject(new Error(`ended by ${signal}`)));
}
try {
  await Promise.race([measureAll(), interrupted.promise]);
} finally {
  for (const close of closers.reverse()) await close();
}

/** What the measured listeners share. */
interface Bench extends Surroundings {
  readonly source: MessageSource;
  readonly database: pg.Client;
}

async function measureAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-drain-'));
  closers.push(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o711);
  const postgres = await startMeasuredPostgres(folder);
  closers.push(() => postgres.stop());
  const source = await openMessageSource();
  closers.push(() => source.close());
  const { environment: defaults } = surroundings(folder, postgres.url, source.origin);
  const environment = {
    ...defaults,
    ...(values.concurrency === undefined ? {} : { WORKER_CONCURRENCY: values.concurrency }),
  };
  for (const command of ['migrate', 'seed']) run({ folder, environment }, command);
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  closers.push(() => database.end());
  const bench: Bench = { folder, source, database, environment };

  const figures: Drained[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) figures.push(await drain(bench));
  if (figures.length > 0) print(figures);

  const seconds = [];
  for (let kill = 0; kill < Number(values.kills); kill += 1) seconds.push(await takeover(bench));
  if (seconds.length > 0) {
    console.log(
      `${median(seconds).toFixed(1)} s from kill -9 to the job running elsewhere (at most 8; ` +
        `${seconds.map((each) => each.toFixed(1)).join(', ')})`,
    );
  }
}

function print(figures: readonly Drained[]): void {
  const of = (value: (figure: Drained) => number) => median(figures.map(value));
  console.log(
    `${of(({ perCpuSecond }) => perCpuSecond).toFixed(0)} jobs per CPU-s of the listener (at least 500), ` +
      `${of(({ jobsPerSecond }) => jobsPerSecond).toFixed(0)} jobs/s; ` +
      `${perSecond} deliveries/s beside them: p50 ${of(({ p50 }) => p50).toFixed(0)} ms, ` +
      `p99 ${of(({ p99 }) => p99).toFixed(0)} ms (below 250), judged after ` +
      `p50 ${of(({ waited50 }) => waited50).toFixed(1)} s, p99 ${of(({ waited99 }) => waited99).toFixed(1)} s (below 3); ` +
      `most memory ${of(({ megabytes }) => megabytes).toFixed(0)} MB (below 300)  ` +
      `(${figures.length} rounds of ${jobs}, files of 1.2 kB from a folder)`,
  );
}

/** What one round gave. */
interface Drained {
  readonly jobsPerSecond: number;
  readonly perCpuSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly megabytes: number;
  /** Seconds until a file of the other client had its verdict. */
  readonly waited50: number;
  readonly waited99: number;
}

async function drain(bench: Bench): Promise<Drained> {
  const { source, database, folder } = bench;
  const sample = join(folder, 'sample.csv');
  await copyFile(SAMPLE, sample);
  const { size } = await stat(sample);
  const intake = await serve(bench, 'intake');
  const waiting = source.make(jobs, size);
  await storeFiles(waiting, folder, sample);
  await postAll(intake.port, waiting, 32);
  await intake.stop();

  const beside = source.make(perSecond * 120, size, OTHER_CLIENT);
  await storeFiles(beside, folder, sample);
  const finished = async () => {
    const { rows } = await database.query(
      'SELECT count(*)::int AS count FROM file_processing.runs WHERE verdict IS NOT NULL',
    );
    return rows[0].count as number;
  };
  const before = await finished();
  const begin = performance.now();
  const server = await serve(bench, 'both', HEAP_OF_POD);
  const startCpu = (await server.cpuSeconds()) ?? Number.NaN;
  const ready = performance.now();
  const load = postAtPace(server.port, beside, perSecond);
  let done = 0;
  while (done < jobs) {
    await delay(250);
    done = (await finished()) - before;
    const seconds = (performance.now() - begin) / 1000;
    if (seconds > Math.max(300, jobs / FEWEST_PER_SECOND)) {
      throw new Error(`${done} of ${jobs} jobs in ${seconds.toFixed(0)} s`);
    }
  }
  const seconds = (performance.now() - ready) / 1000;
  const [waited50 = Number.NaN, waited99 = Number.NaN] = await waitedFor(database, seconds);
  const cpu = ((await server.cpuSeconds()) ?? Number.NaN) - startCpu;
  const latencies = (await load.stop()).toSorted((a, b) => a - b);
  const megabytes = (await server.peakMegabytes()) ?? Number.NaN;
  await server.stop();
  await database.query("DELETE FROM file_processing_queue.job WHERE state = 'completed'");
  return {
    jobsPerSecond: done / seconds,
    perCpuSecond: done / cpu,
    p50: (latencies[Math.floor(latencies.length / 2)] ?? Number.NaN) * 1000,
    p99: (latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN) * 1000,
    megabytes,
    ...{ waited50, waited99 },
  };
}

/** Seconds from the record of the other client's files to their verdicts, p50 and p99; one without counts as long as it waits. */
async function waitedFor(database: pg.Client, seconds: number): Promise<readonly number[]> {
  const { rows } = await database.query(
    `SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
       ORDER BY extract(epoch FROM coalesce(verdict_at, now()) - created_at)
     ) AS waited
     FROM file_processing.runs
     WHERE key LIKE $1 AND created_at BETWEEN now() - make_interval(secs => $2) AND now() - interval '1 s'`,
    [`from_client/${OTHER_CLIENT}/%`, seconds],
  );
  return rows[0]?.waited ?? [];
}

/** A store whose answers do not end, so that a job is in hand as long as its listener lives. */
async function startSlowStore(): Promise<{ readonly origin: string; stop(): void }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { ETag: '"e1"', 'Content-Length': SLOW_FILE_BYTES });
    response.write('officer_id\n');
    const trickle = setInterval(() => response.write('1\n'), 500);
    response.once('close', () => clearInterval(trickle));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function takeover(bench: Bench): Promise<number> {
  const { source, database, environment } = bench;
  await forgetWork(database);
  const store = await startSlowStore();
  const { LOCAL_S3_ROOT: _, ...others } = environment;
  const slow = { ...bench, environment: { ...others, AWS_ENDPOINT_URL_S3: store.origin } };
  const servers = [await serve(slow, 'both')];
  try {
    await postAll(servers[0]?.port ?? 0, source.make(1, SLOW_FILE_BYTES), 1);
    const attempts = async () => {
      const { rows } = await database.query(
        "SELECT max(attempts) AS attempts FROM file_processing.judgements WHERE status = 'running'",
      );
      return Number(rows[0]?.attempts ?? 0);
    };
    await until(async () => (await attempts()) === 1);
    servers.push(await serve(slow, 'both'));
    await delay(SECONDS_UP * 1000);
    const killedAt = performance.now();
    servers[0]?.kill();
    await until(async () => (await attempts()) === 2);
    return (performance.now() - killedAt) / 1000;
  } finally {
    for (const server of servers) server.kill();
    await Promise.all(servers.map((server) => server.stop()));
    store.stop();
    await forgetWork(database);
  }
}

/** What listeners that were killed have left would be judged first, and slowly. */
async function forgetWork(database: pg.Client): Promise<void> {
  await database.query(`
    DELETE FROM file_processing_queue.job;
    DELETE FROM file_processing.judgements WHERE status IN ('queued', 'running');
    DELETE FROM file_processing.runs WHERE status = 'pending';
  `);
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const begin = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - begin > 60_000) throw new Error('it did not happen within 60 s');
    await delay(50);
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
