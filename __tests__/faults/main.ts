/**
 * Real processes, a real PostgreSQL, and faults at random points; in the end, what was seen is checked
 * against one invariant. A run that breaks it prints the history of what it is about, and the seed.
 *
 *     npm run test:faults -- [--minutes 1.5] [--seed N] [--history FILE] [--only PATTERN] [--outage NAME]
 *
 * With --only, nothing is played but the faults whose names the regular expression fits; with --outage, nothing goes wrong but this
 * one thing, for all the minutes.
 *
 * The seed decides which faults come in which order and how long they last, and what is delivered; at
 * what point of the work a fault finds a process, and how much is delivered, is decided by the machine. Needs Linux; a disk that is full takes
 * root, clocks that jump take Debian's package faketime: without them these faults are left out.
 */
import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startRunFolder } from '../support/run-folder.ts';
import { FAULTS, type Fault, LANES, OUTAGES } from './faults.ts';
import { type Violation, violationsOf } from './invariant.ts';
import { type Random, randomOf } from './random.ts';
import { startWorld, type World } from './world.ts';

/** How long nothing may come to its end after the last fault, while anything is left; after one outage, SQS hands out again in five minutes. */
const CALM_MS = { faults: 180_000, outage: 900_000 };

/**
 * Deliveries pause while more than this is open. A machine that is busy with other work judges fewer files between the
 * faults than come, and what gathers in two hours would test its speed, not the invariant.
 */
const MOST_OPEN = 300;

/** How long all is well before an outage. */
const WELL_MS = 20_000;

/** As much of it as a person reads. */
const VIOLATIONS_SHOWN = 10;
const LINES_SHOWN = 80;

const { minutes, seed, historyFile, isAsked, only, outage } = options();
console.log(`seed ${seed}, ${minutes} minutes of ${outage ?? 'faults'}`);
const folder = await startRunFolder(tmpdir());
const world = await startWorld(folder.path, randomOf(seed), outage !== undefined).catch(
  async (error: unknown) => {
    await folder.remove();
    throw error;
  },
);
let tidying: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'uncaughtException'] as const) {
  process.once(signal, async (cause) => {
    console.error(cause);
    await tidyUp();
    process.exit(1);
  });
}
let code = 1;
try {
  code = await play(world);
} finally {
  await tidyUp();
}
process.exit(code);

function options() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1.5' },
      seed: { type: 'string', default: String(randomInt(1e9)) },
      history: { type: 'string' },
      only: { type: 'string', default: '' },
      outage: { type: 'string' },
    },
  });
  const chosen = {
    minutes: Number(values.minutes),
    seed: Number(values.seed),
    historyFile: values.history ?? join(tmpdir(), `file-processing-faults-${values.seed}.log`),
    isAsked: values.history !== undefined,
    only: new RegExp(values.only),
    outage: values.outage,
  };
  if (chosen.outage !== undefined && !Object.hasOwn(OUTAGES, chosen.outage)) {
    console.error(`--outage takes one of ${Object.keys(OUTAGES).join(', ')}`);
    process.exit(2);
  }
  if (FAULTS.every(({ name }) => !chosen.only.test(name))) {
    console.error(`--only must fit one of ${FAULTS.map(({ name }) => name).join(', ')}`);
    process.exit(2);
  }
  if (!(chosen.minutes > 0) || !Number.isInteger(chosen.seed)) {
    console.error('--minutes takes a number above 0, --seed a whole number');
    process.exit(2);
  }
  if (process.platform !== 'linux') {
    console.error(
      'the suite finds and freezes the processes of PostgreSQL by /proc: it needs Linux',
    );
    process.exit(2);
  }
  return chosen;
}

function tidyUp(): Promise<void> {
  tidying ??= world.close().then(() => folder.remove());
  return tidying;
}

/** @returns the exit code */
async function play(world: World): Promise<number> {
  const startedAt = performance.now();
  const passed = () => Math.round((performance.now() - startedAt) / 1000);
  const end = new AbortController();
  // Each lane waits for it.
  setMaxListeners(0, end.signal);
  setTimeout(() => end.abort(), minutes * 60_000 + (outage === undefined ? 0 : WELL_MS));
  const counts = new Map<string, number>();
  const leftOut = new Set<string>();
  const progress = setInterval(() => {
    const faults = [...counts.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${passed()} s: ${faults} faults, ${world.published.length} messages`);
  }, 30_000);

  if (outage === undefined) await playFaults(world, end.signal, counts, leftOut);
  else await playOutage(world, outage, end.signal);
  clearInterval(progress);
  world.say('FAULT none any more');
  world.sns.injectFaults(() => undefined);
  const calm = await untilCalm(world);
  await world.stopReplicas();

  const evidence = await world.evidence();
  const violations = [
    ...world.unforeseen.map((text) => ({ text, about: [] })),
    ...(calm === undefined ? [] : [{ text: calm, about: [] }]),
    ...violationsOf(evidence),
  ];
  const { published, runs, judgements, told, toldByCommands } = evidence;
  console.log(`\nseed ${seed}: ${violations.length === 0 ? 'the invariant holds' : 'BROKEN'}`);
  console.log(
    table([
      ['seconds, until all was calm', passed()],
      ['messages', published.length],
      ['attempts of SNS to deliver', world.sns.attempts.length],
      [
        'those that were not answered with 200',
        world.sns.attempts.filter(({ status }) => status !== 200).length,
      ],
      ['messages by SQS handed out at most', world.sqs.mostReceives()],
      ['runs', runs.length],
      ['judgements', judgements.length],
      ['verdicts', judgements.filter(({ verdict }) => verdict !== null).length],
      ...['gone', 'replaced', 'error'].map((status): [string, number] => [
        `judgements ${status}`,
        judgements.filter((judgement) => judgement.status === status).length,
      ]),
      ['judgements of more than one attempt', judgements.filter((one) => one.attempts > 1).length],
      ['dead letters', evidence.deadLetters.length],
      ['ends told by logs and commands', told.length + toldByCommands.length],
      ...FAULTS.filter(({ name }) => counts.has(name)).map(({ name }): [string, number] => [
        `fault: ${name}`,
        counts.get(name) ?? 0,
      ]),
    ]),
  );
  for (const name of leftOut) console.log(`left out, since it can't be done here: ${name}`);
  const lines = world.history.map(
    ({ seconds, text }) => `${seconds.toFixed(3).padStart(9)}  ${text}\n`,
  );
  if (violations.length > 0 || isAsked) writeFileSync(historyFile, lines.join(''));
  if (violations.length > 0) report(world, violations, lines);
  return violations.length === 0 ? 0 : 1;
}

/** Several faults at a time, from all lanes. */
async function playFaults(
  world: World,
  end: AbortSignal,
  counts: Map<string, number>,
  leftOut: Set<string>,
): Promise<void> {
  misdeliver(world, randomOf(seed + 1));
  let open = 0;
  const look = async () => {
    // Where the database is away, what was seen last counts.
    open = await openWork(world).then(sumOf, () => open);
  };
  const deliver = () => {
    if (open < MOST_OPEN) world.deliver();
  };
  await Promise.all([
    ...LANES.map((lane, index) =>
      playLane(world, lane, randomOf(seed + 2 + index), end, (name, isPlayed) => {
        if (isPlayed) counts.set(name, (counts.get(name) ?? 0) + 1);
        else leftOut.add(name);
      }),
    ),
    until(end, look, randomOf(seed), [2_000, 2_000]),
    until(end, deliver, world.random, [20, 500]),
    until(end, () => world.runByHand('left alone'), world.random, [2_000, 6_000]),
  ]);
}

/** One fault, in the middle of deliveries at a steady pace. */
async function playOutage(world: World, name: string, end: AbortSignal): Promise<void> {
  const delivering = until(end, () => world.deliver(), world.random, [500, 1_500]);
  await delay(WELL_MS, undefined, { signal: end }).catch(() => undefined);
  world.say(`FAULT ${name}: begins`);
  const stop = await OUTAGES[name]?.(world);
  await delivering;
  await stop?.();
}

/** Plays the faults of a lane one after the other, all of them before one comes again. */
async function playLane(
  world: World,
  lane: Fault['lane'],
  random: Random,
  end: AbortSignal,
  count: (name: string, isPlayed: boolean) => void,
): Promise<void> {
  const faults = FAULTS.filter((one) => one.lane === lane && only.test(one.name));
  while (!end.aborted && faults.length > 0) {
    for (const fault of random.shuffled(faults)) {
      await delay(random.between(200, 2_500), undefined, { signal: end }).catch(() => undefined);
      if (end.aborted) return;
      world.say(`FAULT ${fault.name}: begins`);
      try {
        const played = await fault.play(world, random);
        count(fault.name, played !== undefined);
        world.say(`FAULT ${fault.name}: ${played ?? "can't be done here"}`);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        world.unforeseen.push(`${fault.name} could not be played: ${text}`);
        world.say(`FAULT ${fault.name}: ${text}`);
      }
    }
  }
}

/** Some of what SNS sends comes twice, late, or is lost on its way or back. */
function misdeliver({ sns }: World, random: Random): void {
  sns.injectFaults(() => {
    if (random.chance(0.85)) return undefined;
    return random.pick([
      { kind: 'drop-request' },
      { kind: 'drop-answer' },
      { kind: 'duplicate' },
      { kind: 'delay', milliseconds: random.between(100, 3_000) },
    ]);
  });
}

async function until(
  end: AbortSignal,
  work: () => void | Promise<void>,
  random: Random,
  [least, most]: readonly [number, number],
): Promise<void> {
  while (!end.aborted) {
    await work();
    await delay(random.between(least, most), undefined, { signal: end }).catch(() => undefined);
  }
}

/** Waits until nothing is left to do, as long as there is less and less. @returns what is left when there is not */
async function untilCalm(world: World): Promise<string | undefined> {
  const patienceMs = outage === undefined ? CALM_MS.faults : CALM_MS.outage;
  let end = performance.now() + patienceMs;
  let fewest = Number.POSITIVE_INFINITY;
  for (;;) {
    const open = await hurryRetries(world)
      .then(() => openWork(world))
      .catch((error: Error) => error.message);
    if (typeof open === 'object') {
      const left = sumOf(open);
      if (left === 0) return undefined;
      // A machine that is busy with other work takes its time for what has gathered.
      if (left < fewest) end = performance.now() + patienceMs;
      fewest = Math.min(left, fewest);
    }
    if (performance.now() > end) {
      return `no progress for ${patienceMs / 1000} s: ${typeof open === 'object' ? JSON.stringify(open) : open}`;
    }
    await delay(500);
  }
}

/** A retry may be due in minutes: that time passes here. */
async function hurryRetries({ query }: World): Promise<void> {
  await query(
    `UPDATE file_processing_queue.job SET start_after = now() WHERE name = 'runs' AND state = 'retry'`,
  );
}

function sumOf(open: Readonly<Record<string, number>>): number {
  return Object.values(open).reduce((sum, count) => sum + count, 0);
}

async function openWork({
  undelivered,
  sqs,
  query,
}: World): Promise<Readonly<Record<string, number>>> {
  const [open] = await query<{ runs: string; jobs: string }>(
    `SELECT (SELECT count(*) FROM file_processing.runs WHERE status = 'pending') AS runs,
       (SELECT count(*) FROM file_processing.judgements WHERE status IN ('queued', 'running')) AS judgements,
       (SELECT count(*) FROM file_processing_queue.job
        WHERE name = 'runs' AND state IN ('created', 'retry', 'active')) AS jobs`,
  );
  const counts = Object.entries(open ?? {}).map(([name, count]) => [name, Number(count)] as const);
  return {
    ...Object.fromEntries(counts),
    undelivered: undelivered(),
    sqs: sqs.waiting().length,
  };
}

function table(rows: readonly (readonly [string, number])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

function report(
  { history }: World,
  violations: readonly Violation[],
  lines: readonly string[],
): void {
  for (const { text, about } of violations.slice(0, VIOLATIONS_SHOWN)) {
    console.log(`\nVIOLATION: ${text}`);
    const own = history.flatMap((line, index) =>
      about.some((id) => line.text.includes(id)) ? [index] : [],
    );
    const [first = 0, last = -1] = [own[0], own.at(-1)];
    const shown = lines.filter(
      (_, index) =>
        own.includes(index) ||
        (index > first && index < last && history[index]?.text.startsWith('FAULT')),
    );
    process.stdout.write(shown.slice(0, LINES_SHOWN).join(''));
  }
  for (const { text } of violations.slice(VIOLATIONS_SHOWN)) console.log(`VIOLATION: ${text}`);
  console.log(`\n${violations.length} violations; the whole history is in ${historyFile}`);
  const part = only.source === '(?:)' ? '' : ` --only '${only.source}'`;
  console.log(`again: npm run test:faults -- --minutes ${minutes} --seed ${seed}${part}`);
}
