import { setTimeout as delay } from 'node:timers/promises';
import type { PutObject } from './invariant.ts';
import type { Random } from './random.ts';
import { FATES, meet, type World } from './world.ts';

/** What an operator does meanwhile; its commands are killed, frozen and called twice at once. */
export interface Operation {
  readonly name: string;
  /** Ends when it is done. @returns what was done */
  play(world: World, random: Random): Promise<string>;
}

/** Every one of them. */
export const OPERATIONS: readonly Operation[] = [
  { name: 'backfill', play: backfill },
  { name: 'runs rejudge', play: rejudge },
  { name: 'runs retry', play: retryRuns },
  { name: 'dead retry of a run', play: (world, random) => settleDead(world, random, retryDead) },
  {
    name: 'dead discard of a run',
    play: (world, random) => settleDead(world, random, discardDead),
  },
  { name: 'dead retry of an ignored message', play: retryIgnored },
  { name: 'dead discard of a message', play: discardMessage },
  { name: 'retention', play: retain },
];

/** Objects of which some have a message as well, or are judged by `run`, before, after or while the bucket is listed. */
async function backfill(world: World, random: Random): Promise<string> {
  const prefix = `in/${random.hex(6)}/`;
  // What is younger than an hour is left to its message; a listing has whole seconds.
  const time = () =>
    new Date((Math.floor(Date.now() / 1000) - random.between(5_400, 9_000)) * 1000);
  const objects = Array.from({ length: random.between(1, 10) }, () =>
    world.putUnannounced(prefix, time()),
  );
  const announced = objects.filter(() => random.chance(0.5));
  const announcing = announced.map(async (object) => {
    await delay(random.between(0, 8_000));
    world.announce(object);
  });
  const byHand = objects
    .filter(() => random.chance(0.1))
    .map(async (object) => {
      await delay(random.between(0, 8_000));
      await world.runByHand('left alone', object);
    });
  const how = await operate(world, random, [
    ...['backfill', '--prefix', prefix, '--since', '3h', '--reason', 'the suite asks'],
  ]);
  await Promise.all([...announcing, ...byHand]);
  return `${objects.length} objects, ${announced.length} of them with a message; ${how}`;
}

interface LatestJudgement {
  readonly runId: string;
  readonly number: number;
}

/** The latest deliveries alone: all of a long history would be too many. */
const LATEST_MS = 40_000;

async function rejudge(world: World, random: Random): Promise<string> {
  const reason = `rejudge ${random.hex(8)}`;
  const [since, until] = [new Date(Date.now() - LATEST_MS), new Date()].map((time) =>
    time.toISOString(),
  );
  const runs = await lookUp<LatestJudgement>(
    world,
    `SELECT id AS "runId", last_number AS number FROM file_processing.runs
     WHERE unmonitored AND status IN ('finished', 'gone', 'replaced')
       AND created_at >= '${since}' AND created_at < '${until}'`,
  );
  const how = await operate(world, random, [
    ...['runs', 'rejudge', '--unmonitored', '--since', `${since}`, '--until', `${until}`],
    ...['--reason', reason],
  ]);
  world.asked.push({ command: 'runs rejudge', reason, isOnce: true, runs });
  return `${runs.length} runs; ${how}`;
}

async function retryRuns(world: World, random: Random): Promise<string> {
  const reason = `retry ${random.hex(8)}`;
  const runs = await lookUp<LatestJudgement>(
    world,
    `SELECT id AS "runId", last_number AS number FROM file_processing.runs
     WHERE status IN ('gone', 'replaced') ORDER BY random() LIMIT 3`,
  );
  const [first] = runs;
  if (first === undefined || random.chance(0.3)) {
    // The judgements of commands that ended in an error; of others, other operations look after.
    return operate(world, random, [
      ...['runs', 'retry', '--status', 'error', '--since', '5m', '--key', 'in/*.csv'],
      ...['--reason', reason],
    ]);
  }
  const ids = runs.map(({ runId }) => runId);
  const how = await operate(world, random, ['runs', 'retry', ...ids, '--reason', reason]);
  world.asked.push({ command: 'runs retry', reason, isOnce: false, runs });
  return `${ids.join(', ')}; ${how}`;
}

/** A file that nobody can read uses up its attempts, is listed, and is settled. */
async function settleDead(
  world: World,
  random: Random,
  settle: (
    world: World,
    random: Random,
    object: PutObject,
    dead: LatestJudgement,
  ) => Promise<string>,
): Promise<string> {
  const { object } = world.deliverBelow(`in/dead/`, true);
  const dead = await deathOf(world, object);
  if (dead === undefined) {
    world.mend(object);
    return `${object.key} did not die in time`;
  }
  const list = world.command('dead list', ['dead', 'list', '--since', '1h', '--json']);
  if ((await list.ended) === 0 && !list.output().includes(dead.runId)) {
    world.unforeseen.push(`dead list does not show run ${dead.runId}`);
  }
  const show = world.command('dead show', ['dead', 'show', dead.runId]);
  if ((await show.ended) === 0 && !/^status: +error,/m.test(show.output())) {
    world.unforeseen.push(`dead show ${dead.runId} does not show that it failed`);
  }
  return random.chance(0.2) ? 'left as it is' : settle(world, random, object, dead);
}

async function retryDead(
  world: World,
  random: Random,
  object: PutObject,
  dead: LatestJudgement,
): Promise<string> {
  const reason = `dead retry ${random.hex(8)}`;
  world.mend(object);
  const how = await operate(world, random, ['dead', 'retry', dead.runId, '--reason', reason]);
  world.asked.push({ command: 'dead retry', reason, isOnce: true, runs: [dead] });
  return `${dead.runId}; ${how}`;
}

async function discardDead(
  world: World,
  random: Random,
  _: PutObject,
  { runId }: LatestJudgement,
): Promise<string> {
  const reason = `dead discard ${random.hex(8)}`;
  const how = await operate(world, random, ['dead', 'discard', runId, '--reason', reason]);
  world.discarded.push({ id: runId, reason });
  return `${runId}; ${how}`;
}

/** Attempts that a broken file gets here, where time is shorter. */
const ATTEMPTS_OF_BROKEN = 3;

/** How long a file may take to use them up, while other things go wrong as well. */
const DEATH_MS = 90_000;

async function deathOf(world: World, { key }: PutObject): Promise<LatestJudgement | undefined> {
  const end = performance.now() + DEATH_MS;
  while (performance.now() < end) {
    const [run] = await lookUp<LatestJudgement & { readonly status: string }>(
      world,
      `SELECT id AS "runId", last_number AS number, status FROM file_processing.runs
       WHERE key = '${key}'`,
    );
    if (run?.status === 'error') return run;
    await lookUp(
      world,
      `UPDATE file_processing_queue.job
       SET start_after = now(), retry_limit = least(retry_limit, ${ATTEMPTS_OF_BROKEN - 1})
       WHERE name = 'runs' AND state IN ('created', 'retry') AND data ->> 'runId' = '${run?.runId}'`,
    );
    await delay(500);
  }
  return undefined;
}

/** The settings of its day left a delivery aside; those of today do not. */
async function retryIgnored(world: World, random: Random): Promise<string> {
  const { messageId } = world.deliverBelow('elsewhere/', false);
  const isIgnored = async () => {
    const [message] = await lookUp<{ outcome: string }>(
      world,
      `SELECT outcome FROM file_processing.sns_messages WHERE message_id = '${messageId}'`,
    );
    return message?.outcome === 'ignored';
  };
  while (!(await isIgnored())) await delay(500);
  const reason = `ignored ${random.hex(8)}`;
  return operate(world, random, ['dead', 'retry', messageId, '--reason', reason], {
    environment: { S3_PREFIXES: 'in/,elsewhere/' },
  });
}

async function discardMessage(world: World, random: Random): Promise<string> {
  const [message] = await lookUp<{ id: string }>(
    world,
    `SELECT message_id AS id FROM file_processing.sns_messages
     WHERE outcome = 'dead' AND settled_at IS NULL ORDER BY random() LIMIT 1`,
  );
  if (message === undefined) return 'none was there';
  const { id } = message;
  const reason = `discard ${random.hex(8)}`;
  const retry = ['dead', 'retry', id, '--reason', reason];
  // Nobody can read it today either.
  const isRead = random.chance(0.5) && (await operate(world, random, retry, { code: 1 }));
  const how = await operate(world, random, ['dead', 'discard', id, '--reason', reason]);
  world.discarded.push({ id, reason });
  return `${id}; ${isRead ? `retried, ${isRead}; ` : ''}${how}`;
}

/** How long the retention may take, while other things go wrong as well. */
const RETENTION_MS = 120_000;

/** Lets some of what is recorded be older than the retention, of which a listener takes care when it starts. */
async function retain(world: World, random: Random): Promise<string> {
  const messages = await lookUp<{ id: string }>(
    world,
    `SELECT message_id AS id FROM file_processing.sns_messages
     WHERE outcome = 'accepted' OR settled_at IS NOT NULL ORDER BY random() LIMIT 10`,
  );
  const runs = await lookUp<{ id: string }>(
    world,
    `SELECT run_id AS id FROM file_processing.judgements
     WHERE details_deleted_at IS NULL AND (
       report_key IS NOT NULL OR status IN ('gone', 'replaced')
       OR (status = 'error' AND invocation IS NULL)
     )
     ORDER BY random() LIMIT 10`,
  );
  const [messageIds, runIds] = [messages, runs].map(textOfIds);
  await untilDone(() =>
    // Triggers, which record changes, are not called in this role (PostgreSQL manual, "session_replication_role").
    world.query(
      `SET session_replication_role = replica;
       UPDATE file_processing.sns_messages SET received_at = received_at - interval '500 days'
       WHERE message_id IN (${messageIds}) AND received_at > now() - interval '100 days';
       WITH aged AS (
         UPDATE file_processing.judgements SET finished_at = finished_at - interval '500 days',
           reported_at = reported_at - interval '500 days'
         WHERE run_id::text IN (${runIds}) AND finished_at > now() - interval '100 days'
           AND (report_key IS NOT NULL OR (verdict IS NULL AND invocation IS NULL))
         RETURNING run_id, number, reported_at
       )
       UPDATE file_processing.reports AS report SET recorded_at = aged.reported_at
       FROM aged WHERE (report.run_id, report.number) = (aged.run_id, aged.number);
       UPDATE file_processing_queue.job SET created_on = created_on - interval '500 days'
       WHERE name = 'runs_dead_letter' AND data ->> 'runId' IN (${runIds})`,
    ),
  );
  const isDone = async () => {
    const left = await lookUp(
      world,
      `SELECT FROM file_processing.sns_messages
       WHERE message_id IN (${messageIds}) AND received_at < now() - interval '400 days'
       UNION ALL SELECT FROM file_processing.judgements
       WHERE run_id::text IN (${runIds}) AND finished_at < now() - interval '400 days'
         AND details_deleted_at IS NULL
       UNION ALL SELECT FROM file_processing_queue.job
       WHERE name = 'runs_dead_letter' AND created_on < now() - interval '400 days'`,
    );
    return left.length === 0;
  };
  const judging = world.replicas.filter(({ role }) => role !== 'intake');
  const end = performance.now() + RETENTION_MS;
  for (let second = 0; performance.now() < end && !(await isDone()); second += 1) {
    const signal = random.pick(['SIGTERM', 'SIGKILL'] as const);
    if (second % 15 === 0) random.pick(judging)?.child()?.signal(signal);
    await delay(1_000);
  }
  world.aged.push(...[...messages, ...runs].map(({ id }) => id));
  return `${messages.length} messages, ${runs.length} runs`;
}

function textOfIds(rows: readonly { readonly id: string }[]): string {
  return rows.map(({ id }) => `'${id}'`).join() || 'NULL';
}

/** What is worth another try: no database, no S3. */
const TRY_AGAIN: readonly (number | NodeJS.Signals)[] = [69, 75, 'SIGKILL'];

/** As many tries as the longest outage takes, and some more. */
const MOST_TRIES = 40;

/**
 * Calls a command until it has done what it is for: the first time it is killed, frozen, left alone, or twice at once.
 *
 * @param options.code with which it ends then. @default 0
 * @returns what happened to it
 */
async function operate(
  world: World,
  random: Random,
  parameters: readonly string[],
  { code = 0, environment = {} }: { code?: number; environment?: Record<string, string> } = {},
): Promise<string> {
  const name = parameters.slice(0, 2).join(' ');
  const start = () => world.command(name, parameters, environment);
  const fate = random.pick([...FATES, 'twice at once'] as const);
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const children = fate === 'twice at once' ? [start(), start()] : [start()];
    const [first] = children;
    if (tries === 1 && fate !== 'twice at once' && first) await meet(fate, first, random);
    const ends = await Promise.all(children.map(({ ended }) => ended));
    for (const child of children) {
      const end = await child.ended;
      if (end === code || TRY_AGAIN.includes(end)) continue;
      world.unforeseen.push(`${child.name} ended with ${end}: ${child.output()}`);
      return `${fate}, ended with ${end}`;
    }
    if (ends.every((end) => end === code)) return `${fate}, done in try ${tries}`;
    await delay(1_000);
  }
  world.unforeseen.push(`${parameters.join(' ')} was not done in ${MOST_TRIES} tries`);
  return `${fate}, not done`;
}

function lookUp<Row extends object>(world: World, text: string): Promise<Row[]> {
  return untilDone(() => world.query<Row>(text));
}

/** Tries until it succeeds, as the database may be away. */
export async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 150) throw error;
      await delay(1_000);
    }
  }
}
