import { writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { CONSOLE_RIGHTS } from '@file-processing/contract/console.ts';
import { type RoutingSettings, targetOf } from '@file-processing/contract/routing.ts';
import {
  type DeliveryFilter,
  objectCreatedEvent,
  readS3Event,
  S3_SUBJECT,
} from '@file-processing/contract/s3-event.ts';
import { printable } from '../src/cli/report-text.ts';
import type { DatabaseConfig } from '../src/config/database-config.ts';
import type { Environment } from '../src/config/read-variables.ts';
import { readConfig } from '../src/config.ts';
import { startConsole } from '../src/console/console.ts';
import { connect, type Database } from '../src/database/connection.ts';
import { migrate } from '../src/database/migrate.ts';
import { applyRuleSet } from '../src/database/rules.ts';
import { findRun, listRuns, type Run, type RunWithReport } from '../src/database/runs.ts';
import { checkSchema, SchemaOutdatedError } from '../src/database/schema-version.ts';
import { createEngine } from '../src/jobs/engine-ports.ts';
import { allowedRouting } from '../src/jobs/route-verdict.ts';
import { openQueue } from '../src/queue/queue.ts';
import type { LeftAlone } from '../src/rules/plan.ts';
import type { RuleSet } from '../src/rules/rule-set.ts';
import { openStore } from '../src/storage/open-store.ts';
import { type DroppedFile, droppedFile } from './dropped-file.ts';
import { startListenerProcess } from './listener-process.ts';
import { type Mailbox, openMailbox } from './mailbox.ts';
import { startLocalPostgres } from './postgres/local-postgres.ts';
import { type LocalSns, startLocalSns } from './sns/local-sns.ts';
import { isNotified, type LocalSettings } from './synthesized-settings.ts';
import { finishedRun, logLine, verdictLine } from './verdict-line.ts';

/** Settings of {@link startLocalFlow}. */
export interface LocalFlowOptions {
  readonly settings: LocalSettings;
  /** The drop folder: its first level is the bucket. */
  readonly dataFolder: string;
  /** For the database; git-ignored. */
  readonly stateFolder: string;
  /** Whether notices are sent to a mailbox in the state folder. */
  readonly keepsMail: boolean;
  /** What files are judged by. */
  readonly rules: RuleSet;
  /** Where the rules came from. */
  readonly rulesFolder: string;
  /** What takes precedence over the ConfigMap: ports, where the usual ones are taken. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Shows a line. */
  readonly print: (line: string) => void;
  /** Called when the flow can't go on. */
  readonly onGiveUp: (error: Error) => void;
}

/** What became of a file that was handed in. */
export type Submission =
  /** Judged before in this very state. */
  | { readonly kind: 'known'; readonly verdict: ShownVerdict }
  /** Its line is printed, and told here, once it is judged. */
  | { readonly kind: 'published'; readonly verdict: Promise<ShownVerdict> }
  /** S3 would send no event notification for it. */
  | { readonly kind: 'no-event'; readonly reason: string }
  /** The listener would ignore it. */
  | { readonly kind: 'ignored'; readonly reason: string };

/** A verdict as a line. */
export interface ShownVerdict {
  readonly text: string;
  /** Undefined where the listener did not take the message. */
  readonly runId?: string;
}

/** The whole flow on this machine. */
export interface LocalFlow {
  /** What was started and where, a line each. */
  readonly places: readonly string[];
  /** File that holds the database's address, for `DATABASE_URL_FILE`. */
  readonly databaseUrlFile: string;
  /** Address of the list of deliveries, with the token that opens it. */
  readonly pagesAt: string;
  /** Address of the page about a run, with the token that opens it. */
  readonly pageOf: (runId: string) => string;
  /** The listener's process id. */
  readonly listenerPid: () => number | undefined;
  /**
   * Does for a file what S3 does for a new object.
   *
   * @returns undefined where it is gone, or is a copy that the listener made
   */
  submit(path: string): Promise<Submission | undefined>;
  /** A run that has ended, with its report. */
  findRun(runId: string): Promise<RunWithReport | undefined>;
  /** Ends everything in order: the listener drains before its database goes. */
  stop(): Promise<void>;
  /** Ends what drains and does not wait. */
  kill(): void;
}

/** Faster than SNS, so that a listener that was started again has its messages soon. */
const RETRY_POLICY = { retries: 10, intervalMilliseconds: 2_000 };

/**
 * Starts database, topic and listener, and joins them as the deployed stack does: over a confirmed
 * subscription, signed messages and the listener's own process.
 */
export async function startLocalFlow(options: LocalFlowOptions): Promise<LocalFlow> {
  const { settings, print } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  const waiting = new Map<string, PromiseWithResolvers<ShownVerdict>>();

  const listener = startListenerProcess({
    onLine(line) {
      const run = finishedRun(line);
      if (run === undefined) {
        if (Number(line.level) >= 40) print(logLine(line));
        return;
      }
      print(run.text);
      waiting.get(identityOf(run))?.resolve(run);
      waiting.delete(identityOf(run));
    },
    onRestart: (reason) => print(`the listener ended (${reason}) and is started again`),
    onGiveUp: options.onGiveUp,
  });
  closers.push(() => listener.stop());

  try {
    const [postgres, sns] = await startTogether(
      startLocalPostgres({ folder: join(options.stateFolder, 'postgres') }),
      startLocalSns({ retryPolicy: RETRY_POLICY }),
    );
    // Below the listener, which is stopped first.
    closers.unshift(
      () => postgres.stop(),
      () => sns.close(),
    );
    const databaseUrlFile = join(options.stateFolder, 'database-url');
    await writeFile(databaseUrlFile, `${postgres.url}\n`, { mode: 0o600 });
    const { database, leftAlone } = await prepareDatabase(postgres.url, options);
    closers.splice(1, 0, () => database.destroy());
    const mailFolder = join(options.stateFolder, 'mail');
    const mailbox = options.keepsMail
      ? await openMailbox(mailFolder, ({ to, path }) =>
          print(`MAIL       to ${printable(to.join(', '))}: ${shownPath(path)}`),
        )
      : undefined;
    // Below the listener: what it still sends while it drains is kept.
    if (mailbox !== undefined) closers.unshift(() => mailbox.close());

    const environment = listenerEnvironment(options, postgres.url, sns, mailbox);
    // First: what it refuses of its settings it says in its own words.
    const { port, metricsPort } = await listener.serve(environment);
    const config = readConfig(environment, { database: false, httpIntake: true });
    const { s3: filter, maxFaults } = config;
    const queue = await openQueue(database, ({ message }) => print(`console: ${message}`));
    closers.push(() => queue.close());
    const store = openStore(config);
    const pages = await startConsole({
      database,
      port: 0,
      rights: CONSOLE_RIGHTS,
      acting: { queue, filter, rehearsing: { store, engine: createEngine(config), maxFaults } },
      onError: (error) => print(`console: ${error instanceof Error ? error.message : error}`),
    });
    closers.push(() => pages.close());

    sns.createTopic(settings.topicArn);
    await sns.subscribe(settings.topicArn, `http://127.0.0.1:${port}/`).confirmed;

    let stopped: Promise<void> | undefined;
    const onRefused = (line: string) => {
      // While it stops, deliveries are broken off; the next start publishes the event again.
      if (stopped === undefined) print(line);
    };
    return {
      pagesAt: pages.address,
      pageOf: pages.addressOf,
      places: [
        `listener    http://127.0.0.1:${port}/ (metrics: http://127.0.0.1:${metricsPort}/metrics)`,
        `SNS         ${sns.origin}/`,
        `PostgreSQL  ${shownPath(postgres.folder)} (its address: ${shownPath(databaseUrlFile)})`,
        ...(mailbox === undefined ? [] : [`mail        ${shownPath(mailFolder)}`]),
        `rules       ${shownPath(options.rulesFolder)}`,
        ...leftAlone.flatMap(({ name, winsOver }) =>
          winsOver === undefined
            ? []
            : [`            ${printable(`${name}: made by hand, counts in place of ${winsOver}`)}`],
        ),
      ],
      databaseUrlFile,
      listenerPid: () => listener.pid,
      async submit(path) {
        const root = resolve(options.dataFolder);
        if (dirname(resolve(path)) === root) {
          const reason = `${basename(path)}: it is in no bucket; drop it below ${settings.buckets.map(({ name }) => `${name}/`).join(' or ')}`;
          return { kind: 'no-event', reason };
        }
        const file = await droppedFile(root, path);
        // What the listener has put there itself is news to nobody.
        const isCopy =
          file && targetOf({ targets: filter.routingTargets }, { ...file, prefix: file.key });
        if (file === undefined || isCopy) return undefined;
        return submitFile(file, { settings, filter, sns, database, waiting, onRefused });
      },
      findRun: (runId) => findRun(database, runId),
      stop() {
        stopped ??= closeAll();
        return stopped;
      },
      kill: () => listener.kill(),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Both or neither: what started is stopped where the other failed. */
async function startTogether<
  A extends { stop(): Promise<void> },
  B extends { close(): Promise<void> },
>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  if (a.status === 'fulfilled') await a.value.stop();
  if (b.status === 'fulfilled') await b.value.close();
  throw a.status === 'rejected' ? a.reason : b.status === 'rejected' ? b.reason : undefined;
}

async function prepareDatabase(
  url: string,
  { rules, rulesFolder, settings, overrides }: LocalFlowOptions,
): Promise<{ readonly database: Database; readonly leftAlone: readonly LeftAlone[] }> {
  const config = databaseConfig(url);
  const database = connect(config, 'file-processing local');
  try {
    await checkSchema(database).catch(async (error: unknown) => {
      if (!(error instanceof SchemaOutdatedError)) throw error;
      await migrate(config);
    });
    const routing = deployedRouting({ ...settings.environment, ...overrides });
    const { leftAlone } = await applyRuleSet(database, rules, shownPath(rulesFolder), routing);
    return { database, leftAlone };
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

function databaseConfig(url: string): DatabaseConfig {
  return readConfig({ DATABASE_URL: url }, { database: true, httpIntake: false }).database;
}

/** What the deployed listener may do, so that its rules can be tried here; files of a folder have no tags. */
function deployedRouting({ ROUTING_TAGS, ROUTING_TARGETS }: Environment): RoutingSettings {
  const needs = { database: false, httpIntake: false };
  return allowedRouting(readConfig({ ROUTING_TAGS, ROUTING_TARGETS }, needs));
}

/** The deployed environment, with what only the cloud has replaced by what is here. */
function listenerEnvironment(
  { settings, dataFolder, overrides }: LocalFlowOptions,
  databaseUrl: string,
  sns: LocalSns,
  mailbox: Mailbox | undefined,
): Readonly<Record<string, string>> {
  return {
    ...settings.environment,
    // The verdict lines are made from its log.
    LOG_LEVEL: 'info',
    // The drop folder is the user's: nothing appears in it that the user did not put there.
    WRITE_REPORTS: 'false',
    ...mailbox?.environment,
    ...overrides,
    SNS_TOPIC_ARNS: settings.topicArn,
    DATABASE_URL: databaseUrl,
    LOCAL_S3_ROOT: resolve(dataFolder),
    // Files of a folder have none.
    ROUTING_TAGS: 'false',
    AWS_ENDPOINT_URL_SNS: sns.origin,
    // The local SNS wants a signed request and looks at no key.
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

interface SubmissionParts {
  readonly settings: LocalSettings;
  readonly sns: LocalSns;
  readonly database: Database;
  readonly waiting: Map<string, PromiseWithResolvers<ShownVerdict>>;
  readonly onRefused: (line: string) => void;
  /** Which objects the listener takes for deliveries. */
  readonly filter: DeliveryFilter;
}

async function submitFile(file: DroppedFile, parts: SubmissionParts): Promise<Submission> {
  const { settings, sns, database, waiting } = parts;
  const reason = reasonForNoEvent(file, settings);
  if (reason !== undefined) return { kind: 'no-event', reason };
  const message = JSON.stringify(
    objectCreatedEvent({ ...file, region: settings.region, time: new Date() }),
  );
  const event = readS3Event(message, parts.filter);
  if (event.kind !== 'objects') {
    return { kind: 'ignored', reason: `${file.bucket}/${file.key}: ${event.reason}` };
  }
  const identity = identityOf(file);
  const verdict = waiting.get(identity) ?? Promise.withResolvers<ShownVerdict>();
  waiting.set(identity, verdict);
  // Asked after the verdict is waited for, so that a run which ends just now is not missed.
  const known = await knownRun(database, file);
  if (known !== undefined && !['queued', 'running'].includes(known.status)) {
    waiting.delete(identity);
    return { kind: 'known', verdict: { text: lineOf(known), runId: known.id } };
  }
  if (known === undefined) {
    const { delivered } = sns.publish(settings.topicArn, {
      message,
      subject: S3_SUBJECT,
    });
    delivered.then((taken) => {
      if (taken) return;
      const refusal = `NOT ACCEPTED  ${file.bucket}/${file.key}: the listener did not accept the message`;
      waiting.delete(identity);
      verdict.resolve({ text: refusal });
      parts.onRefused(refusal);
    });
  }
  return { kind: 'published', verdict: verdict.promise };
}

function reasonForNoEvent(file: DroppedFile, settings: LocalSettings): string | undefined {
  const { bucket, key } = file;
  const own = settings.buckets.find(({ name }) => name === bucket);
  if (own === undefined) {
    const names = settings.buckets.map(({ name }) => name).join(', ');
    return settings.buckets.length === 1
      ? `${bucket}/${key}: the event notification is for bucket ${names}`
      : `${bucket}/${key}: the event notifications are for the buckets ${names}`;
  }
  if (isNotified(own.filters, key)) return undefined;
  const filters = own.filters.map(({ prefix, suffix }) => `${prefix}*${suffix}`).join(', ');
  return `${bucket}/${key}: the event notification covers only ${filters}`;
}

async function knownRun(database: Database, file: DroppedFile): Promise<Run | undefined> {
  const { bucket, key, eTag } = file;
  const runs = await listRuns(database, { bucket, keyPrefix: key, limit: 1000 });
  return runs.find((run) => run.key === key && run.eTag === eTag);
}

function lineOf({ id, bucket, key, status, verdict, rowCount, faultCount, error }: Run): string {
  return verdictLine({
    name: `${bucket}/${key}`,
    runId: id,
    status,
    verdict,
    rows: rowCount,
    faults: faultCount,
    remark: error ?? 'judged before',
  });
}

/** As a command of this folder takes it. */
export function shownPath(path: string): string {
  const fromHere = relative('', path);
  return fromHere.startsWith('..') ? resolve(path) : fromHere || '.';
}

function identityOf(file: { bucket: string; key: string; eTag: string | null }): string {
  return JSON.stringify([file.bucket, file.key, file.eTag]);
}
