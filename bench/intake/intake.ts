/**
 * What intake does per second, signature and durable transaction included, against the least that such a
 * listener could do and against a Python script that connects per message. Each server is a process of
 * its own on loopback, with the same embedded PostgreSQL (flushing to disk, as in production) and the same
 * load. They take turns, so that a machine whose speed drifts treats them alike; quote the ratios.
 *
 *     npm run bench -- intake [--messages 3000] [--connections 32] [--rounds 3]
 *
 * psycopg2 goes into a virtual environment in the system's temporary folder, where it is found again; when
 * it can't be installed, the Python script is left out and named.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { FLOODS, startFlood } from './flood.ts';
import { postAll, postOneByOne } from './load.ts';
import { type MeasuredPostgres, startMeasuredPostgres } from './measured-postgres.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { type MessageSource, openMessageSource, TOPIC_ARN } from './signed-messages.ts';

const PSYCOPG = 'psycopg2-binary==2.9.13';
const POOL_SIZE = '10';
const DELIVERIES_UNDER_FLOOD = 1000;
/** As many as the listener holds. */
const CONNECTIONS_OF_A_FLOOD = 1000;

/** What one server did in one round. */
interface Figure {
  readonly perSecond: number;
  /** Messages per second of CPU time of the server and of PostgreSQL together; NaN where there is no /proc. */
  readonly perCpuSecond: number;
  /** Microseconds of CPU a message, of each. */
  readonly serverMicroseconds: number;
  readonly databaseMicroseconds: number;
}

interface Candidate {
  readonly name: string;
  /** Where its work is found, a row for each message. */
  readonly table: string;
  readonly server: ServerProcess;
  /** Messages in a round: fewer for one that is slow, so that a round is seconds long. */
  readonly messages: number;
  readonly figures: Figure[];
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '3000' },
    connections: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
  },
});
const messages = Number(values.messages);
const connections = Number(values.connections);
const rounds = Number(values.rounds);

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

async function measureAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-intake-'));
  closers.push(() => rm(folder, { recursive: true }));
  // As root, PostgreSQL runs as another user, who has to get to its data.
  await chmod(folder, 0o711);
  const postgres = await startMeasuredPostgres(folder);
  closers.push(() => postgres.stop());
  await createPeerTables(postgres.url);
  const source = await openMessageSource();
  closers.push(() => source.close());

  const ours = await candidate('listener', 'file_processing.runs', messages, {
    args: [sibling('../../listener/src/main.ts'), 'serve', '--role', 'intake', '--migrate'],
    folder,
    environment: {
      PORT: '0',
      METRICS_PORT: '0',
      DATABASE_URL: postgres.url,
      DB_POOL_SIZE: POOL_SIZE,
      SNS_TOPIC_ARNS: TOPIC_ARN,
      AWS_ENDPOINT_URL_SNS: source.origin,
      // As behind a network load balancer.
      KEEP_ALIVE_SECONDS: '5',
      AWS_REGION: 'us-gov-west-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
    },
  });
  const bare = await candidate('node:http, verify, one INSERT', 'bare_messages', messages, {
    args: [sibling('./bare-listener.ts')],
    folder,
    environment: {
      DATABASE_URL: postgres.url,
      DB_POOL_SIZE: POOL_SIZE,
      CERTIFICATE: source.certificate,
    },
  });
  const python = pythonWithPsycopg();
  const connecting =
    python &&
    (await candidate('http.server that connects', 'python_messages', Math.ceil(messages / 6), {
      command: python,
      args: [sibling('./connecting_listener.py')],
      folder,
      environment: { DATABASE_URL: postgres.url },
    }));

  const candidates = connecting ? [ours, bare, connecting] : [ours, bare];
  // The first round warms up, as a server that has been running for a while is.
  for (let round = -1; round < rounds; round += 1) {
    for (const each of candidates) {
      const figure = await measure(each, source, postgres);
      if (round >= 0) each.figures.push(figure);
    }
  }
  await checkRows(postgres.url, candidates);
  await measureFloods(ours.server.port, source);
  for (const each of candidates) print(each);
  printRatio(ours, bare, 'at least 0.6');
  if (connecting) printRatio(ours, connecting, 'at least 5');
  else console.log(`${PSYCOPG} could not be installed: no ratio to http.server`);
}

/** How long deliveries take while a client holds as many connections as the listener has. */
async function measureFloods(port: number, source: MessageSource): Promise<void> {
  const latencies = async () => {
    const seconds = await postOneByOne(port, source.make(DELIVERIES_UNDER_FLOOD));
    const sorted = seconds.toSorted((a, b) => a - b);
    return { p50: median(seconds), p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN };
  };
  const shown = ({ p50, p99 }: Awaited<ReturnType<typeof latencies>>) =>
    `p50 ${(p50 * 1000).toFixed(1)} ms, p99 ${(p99 * 1000).toFixed(1)} ms`;
  console.log(`${shown(await latencies())} of a delivery by a new connection`);
  for (const kind of Object.keys(FLOODS) as (keyof typeof FLOODS)[]) {
    const flood = await startFlood(port, kind, CONNECTIONS_OF_A_FLOOD);
    try {
      console.log(
        `${shown(await latencies())} while a client holds ${CONNECTIONS_OF_A_FLOOD}: ${kind}`,
      );
    } finally {
      flood.stop();
    }
  }
}

async function createPeerTables(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const name of ['bare_messages', 'python_messages']) {
      await client.query(
        `CREATE TABLE ${name} (message_id text PRIMARY KEY, message text NOT NULL)`,
      );
    }
  });
}

/** A figure counts only when all the work was done. */
async function checkRows(url: string, candidates: readonly Candidate[]): Promise<void> {
  await withClient(url, async (client) => {
    for (const { name, table, messages } of candidates) {
      const { rows } = await client.query(`SELECT count(*)::int AS count FROM ${table}`);
      const expected = messages * (rounds + 1);
      if (rows[0].count !== expected) {
        throw new Error(`${name} left ${rows[0].count} rows for ${expected} messages`);
      }
    }
  });
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function candidate(
  name: string,
  table: string,
  count: number,
  options: Omit<Parameters<typeof startServer>[0], 'command'> & { readonly command?: string },
): Promise<Candidate> {
  const server = await startServer({ command: process.execPath, ...options });
  closers.push(() => server.stop());
  return { name, table, server, messages: count, figures: [] };
}

async function measure(
  { server, messages }: Candidate,
  source: MessageSource,
  postgres: MeasuredPostgres,
): Promise<Figure> {
  const bodies = source.make(messages);
  const cpu = () => Promise.all([server.cpuSeconds(), postgres.cpuSeconds()]);
  const before = await cpu();
  const seconds = await postAll(server.port, bodies, connections);
  const after = await cpu();
  const [ofServer, ofDatabase] = after.map(
    (value, index) => (value ?? Number.NaN) - (before[index] ?? Number.NaN),
  ) as [number, number];
  return {
    perSecond: messages / seconds,
    perCpuSecond: messages / (ofServer + ofDatabase),
    serverMicroseconds: (ofServer / messages) * 1e6,
    databaseMicroseconds: (ofDatabase / messages) * 1e6,
  };
}

function pythonWithPsycopg(): string | undefined {
  const place = join(tmpdir(), 'file-processing-bench-intake');
  const python = join(place, 'bin', 'python');
  const isThere = () => existsSync(python) && runs(python, ['-c', 'import psycopg2']);
  if (isThere()) return python;
  const installed =
    runs('python3', ['-m', 'venv', place]) &&
    runs(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', PSYCOPG]);
  return installed && isThere() ? python : undefined;
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;
}

function sibling(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

function print({ name, messages, figures }: Candidate): void {
  const of = (value: (figure: Figure) => number) => median(figures.map(value)).toFixed(0);
  console.log(
    `${of(({ perSecond }) => perSecond).padStart(6)} messages/s, ` +
      `${of(({ perCpuSecond }) => perCpuSecond).padStart(5)} per CPU-s ` +
      `(${of(({ serverMicroseconds }) => serverMicroseconds)} microseconds of the server and ` +
      `${of(({ databaseMicroseconds }) => databaseMicroseconds)} of the database each)  ` +
      `${name} (${rounds} rounds of ${messages}, ${connections} connections)`,
  );
}

/** The targets are by CPU of server and database together: on another machine, throughput is what the disk allows. */
function printRatio(ours: Candidate, peer: Candidate, target: string): void {
  const ratio = ratioOf(ours, peer, ({ perSecond }) => perSecond);
  const byCpu = ratioOf(ours, peer, ({ perCpuSecond }) => perCpuSecond);
  const shown = Number.isNaN(byCpu)
    ? 'CPU is told on Linux alone'
    : `${byCpu.toFixed(2)} times the messages per CPU-s of ${peer.name} (${target})`;
  console.log(`${shown}; throughput ${ratio.toFixed(2)} times`);
}

/** Median of the ratios round by round. */
function ratioOf(ours: Candidate, peer: Candidate, value: (figure: Figure) => number): number {
  return median(
    ours.figures.map((figure, round) => {
      const other = peer.figures[round];
      return other === undefined ? Number.NaN : value(figure) / value(other);
    }),
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
