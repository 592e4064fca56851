/**
 * What one listener of the default settings takes and works off, with the memory of a pod:
 *
 *     npm run bench -- load [--messages 30000] [--minutes 2] [--files 60] [--judgements 10000000] [--folder FOLDER]
 *
 * - messages taken at its peak and at half of it, as SNS brings them;
 * - a burst: all messages at once, then until each file has its verdict;
 * - a file of 1 MB from its message to its verdict, while nothing else is done;
 * - memory over some minutes of steady work (the target is for 10);
 * - with `--judgements`, each statement of intake, worker, lists and pages on so many judgements of 14 months, about 2 kB
 *   of disk each. `--folder` keeps them, and takes them up again; the other figures are left out then.
 *
 * Files come from a folder (LOCAL_S3_ROOT). Load, listener and PostgreSQL share the machine.
 */
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { measureHistory } from './history.ts';
import {
  HEAP_OF_POD,
  run,
  SAMPLE,
  type Surroundings,
  serve,
  storeFiles,
  surroundings,
} from './intake/listener.ts';
import { postAll, postAtPace } from './intake/load.ts';
import { type MeasuredPostgres, startMeasuredPostgres } from './intake/measured-postgres.ts';
import type { ServerProcess } from './intake/server-process.ts';
import { type MessageSource, openMessageSource } from './intake/signed-messages.ts';

/** Requests under way at a time, as SNS has them on a topic that is busy. */
const CONNECTIONS = 32;
/** Messages by which the peak is found, after as many to warm up. */
const PEAK_MESSAGES = 5_000;
const SUSTAINED_SECONDS = 20;
/** Deliveries while the memory is looked at. */
const STEADY_PER_SECOND = 20;
const MEGABYTE = 1_000_000;
/** The first rows of the sample, which has faults behind them. */
const PASSING_ROWS = 4;
/** Limits; each is printed with its figure. */
const LIMITS = { sustainedMs: 100, fileMs: { p50: 250, p99: 1_000 }, growthPercent: 5 };

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '30000' },
    minutes: { type: 'string', default: '2' },
    files: { type: 'string', default: '60' },
    judgements: { type: 'string' },
    folder: { type: 'string' },
  },
});

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

interface Bench extends Surroundings {
  readonly postgres: MeasuredPostgres;
  readonly source: MessageSource;
  readonly database: pg.Client;
}

async function measureAll(): Promise<void> {
  const folder = await openFolder();
  const source = await openMessageSource();
  closers.push(() => source.close());
  if (values.judgements !== undefined) {
    await measureHistory({ judgements: Number(values.judgements), folder, source });
    return;
  }
  const postgres = await startMeasuredPostgres(folder);
  closers.push(() => postgres.stop());
  const place = surroundings(folder, postgres.url, source.origin);
  for (const command of ['migrate', 'seed']) run(place, command);
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  closers.push(() => database.end());
  const bench: Bench = { ...place, postgres, source, database };
  await measureIntake(bench);
  await measureBurst(bench, Number(values.messages));
  await measureFile(bench, Number(values.files));
  await measureMemory(bench, Number(values.minutes));
}

async function openFolder(): Promise<string> {
  if (values.folder !== undefined) {
    const folder = resolve(values.folder);
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o711);
    return folder;
  }
  const folder = await mkdtemp(join(tmpdir(), 'bench-load-'));
  closers.push(() => rm(folder, { recursive: true }));
  // As root, PostgreSQL runs as another user, who has to get to its data.
  await chmod(folder, 0o711);
  return folder;
}

/** The peak, and how long a message takes at half of it. */
async function measureIntake(bench: Bench): Promise<void> {
  const { source } = bench;
  await withListener(bench, 'intake', async (server) => {
    await postAll(server.port, source.make(PEAK_MESSAGES), CONNECTIONS);
    const cpu = await server.cpuSeconds();
    const seconds = await postAll(server.port, source.make(PEAK_MESSAGES), CONNECTIONS);
    const used = ((await server.cpuSeconds()) ?? Number.NaN) - (cpu ?? Number.NaN);
    const peak = PEAK_MESSAGES / seconds;
    say(
      `${peak.toFixed(0)} messages/s at the peak, ${(PEAK_MESSAGES / used).toFixed(0)} per CPU-s of the listener`,
    );
    const perSecond = peak / 2;
    const bodies = source.make(Math.ceil(perSecond * (SUSTAINED_SECONDS + 5)));
    const load = postAtPace(server.port, bodies, perSecond);
    await delay(SUSTAINED_SECONDS * 1000);
    const [p50, p99] = percentiles(await load.stop());
    say(
      `${perSecond.toFixed(0)} messages/s for ${SUSTAINED_SECONDS} s: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms (below ${LIMITS.sustainedMs})`,
    );
  });
  // Nobody judges what was only taken.
  await forget(bench);
}

async function measureBurst(bench: Bench, messages: number): Promise<void> {
  const { source, folder, postgres } = bench;
  const sample = join(folder, 'sample.csv');
  await copyFile(SAMPLE, sample);
  const bodies = source.make(messages, (await stat(sample)).size);
  await storeFiles(bodies, folder, sample);
  await withListener(bench, 'both', async (server) => {
    const cpu = () => Promise.all([server.cpuSeconds(), postgres.cpuSeconds()]);
    const before = await cpu();
    const begin = performance.now();
    const accepted = await postAll(server.port, bodies, CONNECTIONS);
    await untilJudged(bench);
    const seconds = (performance.now() - begin) / 1000;
    const [ofListener, ofPostgres] = (await cpu()).map(
      (after, index) => (((after ?? Number.NaN) - (before[index] ?? Number.NaN)) * 1000) / messages,
    );
    const most = (await server.peakMegabytes()) ?? Number.NaN;
    say(
      `a burst of ${messages.toLocaleString('en-US')} messages: all answered with 200 (all), in ${accepted.toFixed(0)} s, ` +
        `worked off after ${seconds.toFixed(0)} s; CPU of the listener ${ofListener?.toFixed(1)} ms a file, of PostgreSQL ${ofPostgres?.toFixed(1)} ms; ` +
        `most memory ${most.toFixed(0)} MB (below 512)`,
    );
  });
}

async function measureFile(bench: Bench, files: number): Promise<void> {
  const { source, folder, database } = bench;
  const path = join(folder, 'megabyte.csv');
  const [header = '', ...rows] = (await readFile(SAMPLE, 'utf8')).trim().split('\n');
  const lines = [header];
  for (let bytes = 0, id = 1; bytes < MEGABYTE; id += 1) {
    const line = (rows[id % PASSING_ROWS] ?? '').replace(/^\d+/, `${id}`);
    lines.push(line);
    bytes += line.length + 1;
  }
  await writeFile(path, `${lines.join('\n')}\n`);
  const bodies = source.make(files, (await stat(path)).size);
  await storeFiles(bodies, folder, path);
  await withListener(bench, 'both', async (server) => {
    const seconds: number[] = [];
    for (const body of bodies) {
      // The worker looks each half second: not always at the same moment before a message.
      await delay(100 + Math.random() * 500);
      const begin = performance.now();
      await postAll(server.port, [body], 1);
      await untilJudged(bench, 5);
      seconds.push((performance.now() - begin) / 1000);
    }
    const { rows: verdicts } = await database.query(
      `SELECT verdict, count(*)::integer FROM file_processing.runs
       WHERE size_bytes >= ${MEGABYTE} GROUP BY verdict`,
    );
    const [p50, p99] = percentiles(seconds.slice(Math.min(5, files - 1)));
    const { fileMs } = LIMITS;
    say(
      `a file of 1 MB from its message to its verdict: p50 ${p50.toFixed(0)} ms (below ${fileMs.p50}), p99 ${p99.toFixed(0)} ms (below ${fileMs.p99}) ` +
        `of ${files} (${verdicts.map(({ verdict, count }) => `${count} ${verdict}`).join(', ')})`,
    );
  });
}

/** Means of the second and of the last quarter of the time: in the first one a process warms up. */
async function measureMemory(bench: Bench, minutes: number): Promise<void> {
  const { source, folder } = bench;
  const sample = join(folder, 'sample.csv');
  const seconds = minutes * 60;
  const bodies = source.make(STEADY_PER_SECOND * (seconds + 60), (await stat(sample)).size);
  await storeFiles(bodies, folder, sample);
  await withListener(bench, 'both', async (server) => {
    const load = postAtPace(server.port, bodies, STEADY_PER_SECOND);
    const samples: number[] = [];
    for (let second = 0; second < seconds; second += 1) {
      await delay(1000);
      samples.push((await server.megabytes()) ?? Number.NaN);
    }
    await load.stop();
    const mean = (from: number) => {
      const part = samples.slice(seconds * from, seconds * (from + 0.25));
      return part.reduce((sum, one) => sum + one, 0) / part.length;
    };
    const [early, late] = [mean(0.25), mean(0.75)];
    const growth = (late / early - 1) * 100;
    say(
      `memory over ${minutes} minutes at ${STEADY_PER_SECOND} files/s: ${early.toFixed(0)} MB in the second quarter, ${late.toFixed(0)} MB in the last, ` +
        `${growth.toFixed(1)} % more (at most ${LIMITS.growthPercent} % over 10 minutes)`,
    );
  });
}

async function withListener(
  bench: Bench,
  role: 'intake' | 'both',
  work: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await serve(bench, role, HEAP_OF_POD);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

/** Waits until no run waits for its verdict, and looks so often. */
async function untilJudged({ database }: Bench, everyMs = 500): Promise<void> {
  for (;;) {
    const { rows } = await database.query(
      "SELECT EXISTS (SELECT FROM file_processing.runs WHERE status = 'pending') AS waits",
    );
    if (!rows[0].waits) return;
    await delay(everyMs);
  }
}

async function forget({ database }: Bench): Promise<void> {
  await database.query(`
    DELETE FROM file_processing_queue.job;
    DELETE FROM file_processing.runs WHERE status = 'pending';
  `);
}

/** In milliseconds: half and 99 of a hundred take no longer. */
function percentiles(seconds: readonly number[]): [number, number] {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 1000;
  return [at(0.5), at(0.99)];
}

/** A figure, with how busy the machine was. */
function say(line: string): void {
  console.log(`${line}  [load of the machine ${loadavg()[0]?.toFixed(0)}]`);
}
