import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { objectCreatedEvent } from '@file-processing/contract/s3-event.ts';
import pg from 'pg';
import { type LocalSns, startLocalSns } from '../../listener/local/sns/local-sns.ts';
import {
  type ErrorAnswer,
  type ServedListing,
  type ServedObject,
  startS3Server,
} from '../listener/support/s3-server.ts';
import { type SqsServer, startSqsServer } from '../listener/support/sqs-server.ts';
import { type Gate, startGate } from './gate.ts';
import type {
  Asked,
  Change,
  Evidence,
  Published,
  PutObject,
  Told,
  ToldByCommand,
} from './invariant.ts';
import type { Random } from './random.ts';
import { type FaultyServer, startFaultyServer } from './server.ts';

const MAIN = fileURLToPath(new URL('../../listener/src/main.ts', import.meta.url));

/** What Debian's package faketime brings. */
const FAKETIME = `/usr/lib/${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch as string]}-linux-gnu/faketime/libfaketimeMT.so.1`;

const BUCKET = 'etl-ba-research-client-etl';

/** By which way their messages come. */
export const TOPICS = {
  http: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files-by-http',
  sqs: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files-by-sqs',
} as const;

/**
 * As the outages of many faults last seconds, and not minutes, so does the time after which SQS hands out again; they
 * follow each other in seconds, and each may fail a delivery: that may happen more often than the 5 times of the stack.
 */
const QUEUE_OF_MANY_FAULTS = { visibilityMs: 16_000, maxReceives: 15 };

/** The stack's defaults. */
const QUEUE_OF_ONE_OUTAGE = { visibilityMs: 300_000, maxReceives: 5 };

/** How many attempts SNS makes: an answer that it may try again is one that it does try again. */
const SNS_RETRIES = { retries: 100_000, intervalMilliseconds: 700 };

/** What a file answers that can't be read, and for which nothing but the file is to blame. */
const BROKEN: ErrorAnswer = { status: 400, code: 'InvalidRequest' };

/** A line of the history, with the ids that it is about. */
export interface HistoryLine {
  readonly seconds: number;
  readonly text: string;
}

/** A process of the listener's program. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Settles when it listens, with its port where its role has one; with undefined when it ends before. */
  readonly listening: Promise<{ readonly port?: number } | undefined>;
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly output: () => string;
  signal(signal: NodeJS.Signals): void;
  /** Moves its clock; undefined where clocks can't be moved. */
  readonly moveClock: ((seconds: number) => void) | undefined;
}

/** One of the listener's replicas, which is started again when it ends. */
export interface Replica {
  readonly role: string;
  /** Between it and the database. */
  readonly gate: Gate;
  /** Undefined between its end and its next start. */
  readonly child: () => Child | undefined;
  /** Starts another one, and ends this one in good order when the other one listens. */
  replace(): Promise<void>;
}

/** What becomes of a command the first time that it is tried. */
export const FATES = ['left alone', 'killed', 'frozen'] as const;

/** One of {@link FATES}. */
export type Fate = (typeof FATES)[number];

/** Has a command's process killed, or frozen for a while, at some point of its work. */
export async function meet(fate: Fate, child: Child, random: Random): Promise<void> {
  if (fate === 'left alone') return;
  await Promise.race([child.ended, delay(random.between(300, 2_500))]);
  child.signal(fate === 'killed' ? 'SIGKILL' : 'SIGSTOP');
  if (fate === 'killed') return;
  await delay(random.between(3_000, 18_000));
  child.signal('SIGCONT');
}

/** Everything that faults happen to. */
export interface World {
  readonly random: Random;
  readonly server: FaultyServer;
  /** Before the database: one for each replica, and one for the commands. */
  readonly gates: readonly Gate[];
  /** Before the listener. */
  readonly door: Gate;
  readonly replicas: readonly Replica[];
  /** Where the replicas that have a door take messages. */
  doors(): readonly number[];
  /** What all requests to S3 are answered with from now on. */
  failS3(answer: ErrorAnswer | undefined): void;
  /** Moves the database's clock; undefined where clocks can't be moved. */
  readonly moveDatabaseClock: ((seconds: number) => void) | undefined;
  /** Starts a command, which reads S3. @param environment beside what all have */
  command(name: string, parameters: readonly string[], environment?: Record<string, string>): Child;
  /** An address of the database for commands. */
  databaseUrl(database?: string): string;
  /** Runs a statement, past all gates. */
  query<Row extends pg.QueryResultRow>(text: string, database?: string): Promise<Row[]>;
  say(text: string): void;
  readonly history: readonly HistoryLine[];
  readonly published: readonly Published[];
  /** Messages of which nobody has said yet that they were taken. */
  undelivered(): number;
  readonly sns: LocalSns;
  readonly sqs: SqsServer;
  /** Puts a file, and publishes its event. @param readingMs it takes so long to be read. @default some take seconds */
  deliver(readingMs?: number): void;
  /** Puts a file of which a listing tells alone. @param lastModified long before the listing */
  putUnannounced(prefix: string, lastModified: Date): PutObject;
  /** Publishes the event of a file that is there. */
  announce(object: PutObject): void;
  /** Puts a file below a prefix, and publishes its event. @param isBroken nobody can read it until it is mended */
  deliverBelow(
    prefix: string,
    isBroken: boolean,
  ): { readonly object: PutObject; readonly messageId: string };
  /** Lets a file be read that was broken. */
  mend(object: PutObject): void;
  /** Judges an object by `run`, as a person would. @param object @default any */
  runByHand(fate: Fate, object?: PutObject): Promise<void>;
  /** Notes that a command has asked for judgements of runs, for the invariant. */
  readonly asked: Asked[];
  /** Notes what a command has settled without another attempt: ids of messages, and of runs. */
  readonly discarded: { readonly id: string; readonly reason: string }[];
  /** Notes what was made older than the retention: ids of messages, and of runs. */
  readonly aged: string[];
  evidence(): Promise<Evidence>;
  /** What nobody foresaw, such as a process that ended with 70. */
  readonly unforeseen: string[];
  /** Ends the replicas in good order. */
  stopReplicas(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param folder for temporary files
 * @param isOneOutage the queue is as patient as the stack's
 */
export async function startWorld(
  folder: string,
  random: Random,
  isOneOutage = false,
): Promise<World> {
  const startedAt = performance.now();
  const history: HistoryLine[] = [];
  const say = (text: string) => {
    history.push({ seconds: Math.round(performance.now() - startedAt) / 1000, text });
  };
  const clocks = existsSync(FAKETIME) ? clocksIn(join(folder, 'clocks')) : undefined;
  const server = await startFaultyServer(
    join(folder, 'postgres'),
    clocks?.environment('database') ?? {},
  );
  const commandGate = await startGate(() => server.port);
  const urlThrough = (gate: Gate, database = 'postgres') => {
    const url = new URL(server.url);
    url.port = String(gate.port);
    url.pathname = `/${database}`;
    return url.href;
  };
  const databaseUrl = (database?: string) => urlThrough(commandGate, database);
  const query = async <Row extends pg.QueryResultRow>(text: string, database = 'postgres') => {
    const url = new URL(server.url);
    url.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  };

  let outage: ErrorAnswer | undefined;
  const objects: Record<string, ServedObject> = {};
  // Several pages, each after a moment, so that a fault finds a listing half read.
  const listing: ServedListing = {
    versions: {},
    pageSize: 3,
    onPage: () => delay(random.between(20, 500)),
  };
  const s3 = await startS3Server(objects, { listing, outage: () => outage });
  const sqs = await startSqsServer(isOneOutage ? QUEUE_OF_ONE_OUTAGE : QUEUE_OF_MANY_FAULTS);
  const sns = await startLocalSns({ retryPolicy: SNS_RETRIES });
  const intoQueue = await startQueueSubscriber(sqs);

  const told: Told[] = [];
  const toldByCommands: ToldByCommand[] = [];
  const unforeseen: string[] = [];
  let isClosing = false;
  let started = 0;

  const start = (
    name: string,
    parameters: readonly string[],
    environment: Record<string, string> = {},
  ): Child => {
    started += 1;
    const clock = `${started}`;
    const child = spawn(process.execPath, [MAIN, ...parameters], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(folder, 'compile-cache'),
        DATABASE_URL: databaseUrl(),
        UNMONITORED: 'judge',
        AWS_REGION: 'us-gov-west-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        S3_BUCKET: BUCKET,
        S3_PREFIXES: 'in/',
        WRITE_REPORTS: 'true',
        REPORT_PREFIX: 'reports/',
        ...clocks?.environment(clock),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const id = `${name} (${child.pid})`;
    const listening = Promise.withResolvers<{ readonly port?: number } | undefined>();
    const output: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.push(line);
      if (!line.startsWith('{"level"')) return;
      const { level: _level, time: _time, pid: _pid, hostname: _host, ...entry } = JSON.parse(line);
      if (entry.msg === 'listening') listening.resolve({ port: entry.port });
      // A failed attempt leaves the judgement open.
      if (entry.msg === 'run finished' && entry.err === undefined) {
        const { runId, judgement: number, status, verdict, attempts } = entry;
        told.push({ by: id, runId, number, status, verdict, attempts });
      }
      say(`${id}: ${shortened(entry)}`);
      output.length = 0;
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      output.push(line);
      say(`${id}: ${line}`);
    });
    const ended = once(child, 'close').then(([code, signal]) => {
      say(`${id} ended with ${code ?? signal}`);
      if (code === 70) unforeseen.push(`${id} ended with 70: ${output.join('\n')}`);
      listening.resolve(undefined);
      return code ?? signal;
    });
    say(`${id} starts: ${parameters[0]}`);
    children.add(child);
    child.once('close', () => children.delete(child));
    return {
      name: id,
      pid: child.pid ?? 0,
      listening: listening.promise,
      ended,
      output: () => output.join('\n'),
      signal: (signal) => child.kill(signal),
      moveClock: clocks && ((seconds) => clocks.move(clock, seconds)),
    };
  };
  const children = new Set<ChildProcess>();

  const serving = {
    SNS_TOPIC_ARNS: Object.values(TOPICS).join(),
    PORT: '0',
    METRICS_PORT: '0',
    UNMONITORED: 'judge',
  };
  const ports = new Map<string, number>();
  const replica = (role: string, gate: Gate, environment: Record<string, string>): Replica => {
    let current: Child | undefined;
    const begin = () => {
      const child = start(role, ['serve', '--role', role], {
        ...{ ...serving, DATABASE_URL: urlThrough(gate), ...environment },
      });
      child.listening.then((listening) => {
        if (listening?.port !== undefined) ports.set(child.name, listening.port);
      });
      child.ended.then(async () => {
        ports.delete(child.name);
        if (current !== child) return;
        current = undefined;
        // Kubernetes waits longer and longer; the suite has no time for that.
        await delay(500);
        // A rolling restart may have begun one meanwhile: two would be one too many, which nothing ends.
        if (!isClosing && current === undefined) current = begin();
      });
      return child;
    };
    current = begin();
    return {
      role,
      gate,
      child: () => current,
      async replace() {
        const old = current;
        const next = begin();
        current = next;
        await Promise.race([next.listening, delay(30_000)]);
        old?.signal('SIGTERM');
        await Promise.race([old?.ended, delay(40_000)]);
        old?.signal('SIGKILL');
      },
    };
  };

  const migration = start('migrate', ['migrate']);
  if ((await migration.ended) !== 0) throw new Error(`migrate failed: ${migration.output()}`);
  await query(RECORD_CHANGES);
  const ofS3 = { AWS_ENDPOINT_URL: s3.endpoint };
  const ofSns = { AWS_ENDPOINT_URL_SNS: sns.origin };
  const roles: readonly (readonly [string, Record<string, string>])[] = [
    ['both', { ...ofS3, ...ofSns }],
    ['worker', ofS3],
    ['intake', { ...ofSns, SQS_QUEUE_URL: sqs.queueUrl }],
  ];
  const replicas = await Promise.all(
    roles.map(async ([role, environment]) =>
      replica(role, await startGate(() => server.port), environment),
    ),
  );
  const gates = [commandGate, ...replicas.map(({ gate }) => gate)];
  const door = await startGate(() => random.pick([...ports.values()]));
  await Promise.all(replicas.map((one) => one.child()?.listening));
  for (const [kind, topic] of Object.entries(TOPICS)) {
    sns.createTopic(topic);
    const port = kind === 'http' ? door.port : intoQueue.port;
    await sns.subscribe(topic, `http://127.0.0.1:${port}/`).confirmed;
  }

  const published: Published[] = [];
  const put: PutObject[] = [];
  const undelivered = new Set<string>();
  const publish = (message: string, of: readonly PutObject[]) => {
    const { messageId, delivered } = sns.publish(TOPICS[random.chance(0.7) ? 'http' : 'sqs'], {
      message,
    });
    published.push({ messageId, objects: of });
    undelivered.add(messageId);
    delivered.then(() => undelivered.delete(messageId));
    const keys = of.map(({ key, versionId, eTag }) => `${key} (${versionId ?? eTag})`);
    say(`published ${messageId}: ${keys.join(', ') || 'what nobody can read'}`);
    return messageId;
  };
  const unannounced: PutObject[] = [];
  const putObject = ({
    readingMs = random.chance(0.15) ? random.between(1_000, 9_000) : 0,
    overwritten,
    prefix = 'in/',
    lastModified,
    isBroken = false,
  }: Putting = {}): PutObject => {
    const isVersioned = overwritten === undefined && random.chance(0.5);
    const isGood = random.chance(0.7);
    const rows = random.between(1, random.chance(0.05) ? 20_000 : 60);
    const good = Array.from({ length: rows }, (_, row) => `${row},${random.hex(4)}\n`).join('');
    const body = `n,text\n${good}${isGood ? '' : '1,2,3\n'}`;
    const object: PutObject = {
      bucket: BUCKET,
      key: overwritten?.key ?? `${prefix}${random.hex(10)}.csv`,
      ...(isVersioned ? { versionId: random.hex(16) } : {}),
      eTag: createHash('md5').update(body).digest('hex'),
      sequencer: random.hex(16).toUpperCase(),
      body,
      verdict: isGood ? 'passed' : 'failed',
      ...(lastModified && { lastModified }),
      ...(isBroken && { fate: 'dead' }),
    };
    objects[`${BUCKET}/${object.key}`] = {
      body,
      eTag: object.eTag,
      ...(isVersioned ? { versionId: object.versionId } : {}),
      // Read slowly, so that a fault finds a judgement in hand.
      ...(readingMs > 0 ? { gate: delay(readingMs, undefined, { ref: false }) } : {}),
      ...(random.chance(0.05) ? { faults: ['cut'] } : {}),
      ...(isBroken ? { fault: BROKEN } : {}),
    };
    // What is broken is done again by other commands than `run`.
    if (!isBroken) put.push(object);
    return object;
  };

  const command: World['command'] = (name, parameters, environment) =>
    start(name, parameters, { AWS_ENDPOINT_URL: s3.endpoint, ...environment });
  const asked: Asked[] = [];
  const discarded: World['discarded'] = [];
  const aged: string[] = [];

  return {
    random,
    server,
    gates,
    door,
    replicas,
    doors: () => [...ports.values()],
    failS3(answer) {
      outage = answer;
    },
    moveDatabaseClock: clocks && ((seconds) => clocks.move('database', seconds)),
    command,
    databaseUrl,
    query,
    say,
    history,
    published,
    undelivered: () => undelivered.size,
    sns,
    sqs,
    deliver(readingMs) {
      if (random.chance(0.02)) {
        publish(`{"Records": "${random.hex(4)}"}`, []);
        return;
      }
      const count = random.chance(0.1) ? 3 : 1;
      const objectsOfOne = Array.from({ length: count }, () =>
        putObject(readingMs === undefined ? {} : { readingMs }),
      );
      const event = eventOf(objectsOfOne);
      publish(event, objectsOfOne);
      // S3 tells at least once, and a key may be written or deleted again before it was read.
      if (random.chance(0.1)) publish(event, objectsOfOne);
      const [first] = objectsOfOne;
      if (first === undefined || first.versionId !== undefined) return;
      const fate = random.between(1, 20);
      if (fate === 1) {
        first.fate = 'gone';
        delete objects[`${BUCKET}/${first.key}`];
      } else if (fate === 2) {
        first.fate = 'replaced';
        const next = putObject({ readingMs: 0, overwritten: first });
        publish(eventOf([next]), [next]);
      }
    },
    putUnannounced(prefix, lastModified) {
      const object = putObject({ prefix, lastModified });
      unannounced.push(object);
      list(listing, object, lastModified);
      say(`put ${object.key} (${object.versionId ?? object.eTag}), and told nobody`);
      return object;
    },
    announce: (object) => publish(eventOf([object]), [object]),
    deliverBelow(prefix, isBroken) {
      const object = putObject({ readingMs: 0, prefix, isBroken });
      return { object, messageId: publish(eventOf([object]), [object]) };
    },
    mend({ bucket, key }) {
      const path = `${bucket}/${key}`;
      const { fault: _, ...mended } = objects[path] ?? { body: '', eTag: '' };
      objects[path] = mended;
      say(`${key} can be read`);
    },
    asked,
    discarded,
    aged,
    async runByHand(fate, object = random.pick(put)) {
      if (object === undefined) return;
      const invocation = `by-hand-${random.hex(8)}`;
      const parameters = [
        ...['run', 's3_data_quality_job', '--event-json', eventOf([object]), '--json'],
        ...['--invocation', invocation, '--reason', 'the suite asks'],
      ];
      for (let tries = 0; ; tries += 1) {
        const child = command(`run ${invocation}`, parameters);
        if (tries === 0) await meet(fate, child, random);
        const code = await child.ended;
        const report = /^\{"verdict.*|^\{.*"verdict":.*/m.exec(child.output())?.[0];
        const verdict = report === undefined ? undefined : JSON.parse(report).verdict;
        if (typeof code === 'number' && (code === 0 || code === 66 || verdict !== undefined)) {
          toldByCommands.push({ invocation, exitCode: code, verdict });
        }
        // As the Job of a pod does: what is worth another try gets one.
        if (code === 0 || code === 66 || isClosing || tries === 20) return;
        await delay(1_000);
      }
    },
    unforeseen,
    async evidence() {
      const [messages, runs, judgements, jobs, changes] = [
        await query<Evidence['messages'][number]>('SELECT * FROM file_processing.sns_messages'),
        await query<Evidence['runs'][number]>('SELECT * FROM file_processing.runs'),
        await query<Evidence['judgements'][number]>('SELECT * FROM file_processing.judgements'),
        await query<{ name: string; state: string; runId: string; number: number }>(
          `SELECT name, state, data->>'runId' AS "runId", (data->>'number')::int AS number
           FROM file_processing_queue.job WHERE state IN ('created', 'retry', 'active')`,
        ),
        await query<{ at: Date; change: Change }>(
          'SELECT at, change FROM suite.changes ORDER BY id',
        ),
      ];
      return {
        published,
        unannounced,
        givenUp: sns.deadLetters.map(({ message }) => message.MessageId),
        leftInQueue: sqs.waiting().length,
        queueDead: sqs.dead().length,
        messages: messages.filter(({ outcome }) => !/confirm|unsub/.test(outcome)),
        runs,
        judgements,
        openJobs: jobs.filter(({ name }) => name === 'runs').length,
        deadLetters: jobs.filter(({ name }) => name === 'runs_dead_letter'),
        changes: changes.map(({ at, change }) => ({ ...change, at })),
        told,
        toldByCommands,
        asked,
        discarded,
        aged,
        at: new Date(),
        stored: (path) => objects[path]?.body.toString(),
      };
    },
    async stopReplicas() {
      isClosing = true;
      for (const { child } of replicas) {
        const stopping = child();
        // One that was being started ends as any other command does; here nobody starts it anew.
        if ((await stopping?.listening) === undefined) continue;
        stopping?.signal('SIGTERM');
        const code = await stopping?.ended;
        if (code !== 0) unforeseen.push(`${stopping?.name} ended with ${code} after SIGTERM`);
      }
    },
    async close() {
      isClosing = true;
      const all = [...children];
      for (const child of all) child.kill('SIGKILL');
      await Promise.all(
        all.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'close')),
      );
      await Promise.all([sns.close(), sqs.close(), s3.close(), intoQueue.close()]);
      for (const gate of [...gates, door]) gate.close();
      await server.remove();
    },
  };
}

/** How a file is put. */
interface Putting {
  /** It takes so long to be read. @default some take seconds */
  readonly readingMs?: number;
  /** What it takes the place of. */
  readonly overwritten?: PutObject;
  /** @default in/ */
  readonly prefix?: string;
  /** @default now */
  readonly lastModified?: Date;
  /** @default false */
  readonly isBroken?: boolean;
}

/** Lets listings of the bucket tell of an object. */
function list({ versions }: ServedListing, object: PutObject, lastModified: Date): void {
  const { bucket, key, versionId, eTag, body } = object;
  const version = { key, eTag, lastModified, size: Buffer.byteLength(body) };
  const others = versions[bucket] ?? [];
  versions[bucket] = [...others, versionId === undefined ? version : { ...version, versionId }];
}

function eventOf(objects: readonly PutObject[]): string {
  const records = objects.flatMap((object) => {
    const { Records } = objectCreatedEvent({
      ...object,
      sizeBytes: Buffer.byteLength(object.body),
      region: 'us-gov-west-1',
      time: object.lastModified ?? new Date(),
    }) as { Records: object[] };
    return Records;
  });
  return JSON.stringify({ Records: records });
}

/** A log line without what makes a history long: of an error its end, as a statement comes before what is wrong. */
function shortened({ err, faultCounts: _, ...entry }: Record<string, unknown>): string {
  if (err === undefined || err === null) return JSON.stringify(entry);
  const { message = '', code } = err as { message?: string; code?: string };
  return JSON.stringify({ ...entry, err: message.replaceAll(/\s+/g, ' ').slice(-200), code });
}

/** Every change of runs, judgements and messages, as the database itself sees it; contents and heartbeats left out. */
const RECORD_CHANGES = `
  CREATE SCHEMA suite;
  CREATE TABLE suite.changes (
    id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT clock_timestamp(), change jsonb
  );
  CREATE FUNCTION suite.record() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO suite.changes (change) VALUES (jsonb_build_object(
      'table', TG_TABLE_NAME,
      'before', CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - '{report,message}'::text[] END,
      'after', CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - '{report,message}'::text[] END
    ));
    RETURN NULL;
  END $$;
  CREATE TRIGGER record AFTER INSERT OR UPDATE OF
      status, verdict, sha256, attempts, error, job_id, finished_at, settled_at, details_deleted_at
    OR DELETE
    ON file_processing.judgements FOR EACH ROW EXECUTE FUNCTION suite.record();
  CREATE TRIGGER record AFTER UPDATE OF outcome, settled_at OR DELETE
    ON file_processing.sns_messages FOR EACH ROW EXECUTE FUNCTION suite.record();
  CREATE TRIGGER record AFTER UPDATE OF status, verdict, verdict_number, last_number OR DELETE
    ON file_processing.runs FOR EACH ROW EXECUTE FUNCTION suite.record();`;

/** The subscription of the SQS queue: what SNS sends is put into it, signature and all. */
async function startQueueSubscriber(sqs: SqsServer) {
  const server = createServer(async (request, response) => {
    const message = (await json(request).catch(() => undefined)) as
      | { readonly Type: string; readonly SubscribeURL: string }
      | undefined;
    // SNS has broken the request off, and comes again.
    if (message === undefined) return;
    if (message.Type === 'Notification') sqs.send(JSON.stringify(message));
    else await fetch(message.SubscribeURL);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Clocks of processes that can be moved while these run (libfaketime). */
function clocksIn(folder: string) {
  mkdirSync(folder);
  const move = (name: string, seconds: number) => {
    // The server's user reads it too.
    writeFileSync(join(folder, name), `${seconds < 0 ? '' : '+'}${seconds}s`, { mode: 0o644 });
  };
  return {
    move,
    environment(name: string): Record<string, string> {
      move(name, 0);
      return {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: join(folder, name),
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_NO_CACHE: '0',
        // Timers and time-outs measure by another clock than that of the day.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        FAKETIME_DONT_RESET: '1',
        NO_FAKE_STAT: '1',
      };
    },
  };
}
