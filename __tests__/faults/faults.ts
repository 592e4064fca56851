import { setTimeout as delay } from 'node:timers/promises';
import { SNS_HEADERS } from '@file-processing/contract/sns-envelope.ts';
import { startFlood } from '../../bench/intake/flood.ts';
import { SLOW_DOWN } from '../listener/support/s3-server.ts';
import { OPERATIONS, untilDone } from './operations.ts';
import type { Random } from './random.ts';
import { type Child, type Replica, TOPICS, type World } from './world.ts';

/** What faults happen to. */
export const LANES = ['replicas', 'database', 'commands', 'operator', 'surroundings'] as const;

/** Something that goes wrong. */
export interface Fault {
  readonly name: string;
  /** Faults of one lane come one after the other, those of several at the same time. */
  readonly lane: (typeof LANES)[number];
  /** Ends when all is as it was. @returns what was done; undefined where it can't be done here */
  play(world: World, random: Random): Promise<string | undefined>;
}

/** Every fault. What one needs that a machine lacks is left out there, and said. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of a replica',
    lane: 'replicas',
    async play(world, random) {
      const child = replicaOf(world, random);
      child?.signal('SIGKILL');
      return child?.name ?? 'none was there';
    },
  },
  {
    name: 'kill -9 of all replicas',
    lane: 'replicas',
    async play({ replicas }) {
      for (const replica of replicas) replica.child()?.signal('SIGKILL');
      return 'all';
    },
  },
  {
    name: 'replica frozen',
    lane: 'replicas',
    async play(world, random) {
      const milliseconds = await longPause(world, random);
      const child = pausedOf(world, random)?.child();
      child?.signal('SIGSTOP');
      await delay(milliseconds);
      child?.signal('SIGCONT');
      return `${child?.name} for ${milliseconds} ms`;
    },
  },
  {
    name: 'rolling restart',
    lane: 'surroundings',
    async play({ replicas }) {
      for (const replica of replicas) await replica.replace();
      return replicas.map((replica) => replica.child()?.name).join(', ');
    },
  },
  {
    name: 'network between a replica and the database stands still',
    lane: 'replicas',
    async play(world, random) {
      const milliseconds = await longPause(world, random);
      const replica = pausedOf(world, random);
      replica?.gate.stall(true);
      await delay(milliseconds);
      replica?.gate.stall(false);
      return `${replica?.child()?.name} for ${milliseconds} ms`;
    },
  },
  {
    // The process works on, and nobody can see that: what it ends late is kept out by the fencing number alone.
    name: 'heartbeats of a replica held up',
    lane: 'replicas',
    async play(world, random) {
      for (let count = 0; count < 3; count += 1) world.deliver(random.between(15_000, 20_000));
      await delay(random.between(1_000, 2_500));
      const milliseconds = random.between(16_000, 22_000);
      const replica = random.pick(judging(world));
      replica?.gate.holdBack(HEARTBEATS);
      await delay(milliseconds);
      replica?.gate.holdBack(undefined);
      return `${replica?.child()?.name} for ${milliseconds} ms`;
    },
  },
  {
    name: 'clock of a replica jumps',
    lane: 'replicas',
    async play(world, random) {
      const child = replicaOf(world, random);
      if (child === undefined) return 'none was there';
      if (child.moveClock === undefined) return undefined;
      const seconds = random.pick([-3_600, -240, -30, 30, 240, 3_600, 72_000]);
      child.moveClock(seconds);
      await delay(random.between(2_000, 6_000));
      child.moveClock(0);
      return `${child.name} by ${seconds} s and back`;
    },
  },
  {
    name: 'kill -9 of the database',
    lane: 'database',
    async play({ server }, random) {
      const milliseconds = random.between(0, 5_000);
      server.kill();
      await delay(milliseconds);
      await server.start();
      return `away for ${milliseconds} ms`;
    },
  },
  {
    name: 'kill -9 of one process of the database',
    lane: 'database',
    play: async ({ server }, random) =>
      server.killOne((from) => random.pick(from)) ? 'one connection' : 'none was there',
  },
  {
    name: 'database frozen',
    lane: 'database',
    async play({ server }, random) {
      const milliseconds = random.between(1_000, 12_000);
      server.signal('SIGSTOP');
      await delay(milliseconds);
      server.signal('SIGCONT');
      return `for ${milliseconds} ms`;
    },
  },
  {
    name: 'database away',
    lane: 'database',
    async play({ server }, random) {
      const milliseconds = random.between(8_000, 16_000);
      await server.stop();
      await delay(milliseconds);
      await server.start();
      return `for ${milliseconds} ms`;
    },
  },
  {
    name: 'connections to the database cut',
    lane: 'database',
    play: async ({ gates }) => `${gates.map((gate) => gate.cut()).join(' and ')} connections`,
  },
  {
    name: 'connection cut before COMMIT',
    lane: 'database',
    play: (world, random) => breakCommits(world, 'before', random),
  },
  {
    name: 'connection cut after COMMIT',
    lane: 'database',
    play: (world, random) => breakCommits(world, 'after', random),
  },
  {
    name: 'network to the database stands still',
    lane: 'database',
    async play({ gates }, random) {
      const milliseconds = random.between(1_000, 12_000);
      for (const gate of gates) gate.stall(true);
      await delay(milliseconds);
      for (const gate of gates) gate.stall(false);
      return `for ${milliseconds} ms`;
    },
  },
  {
    name: 'disk of the database full',
    lane: 'database',
    async play({ server }, random) {
      if (server.fillDisk === undefined) return undefined;
      const milliseconds = random.between(2_000, 8_000);
      server.fillDisk();
      await delay(milliseconds);
      server.freeDisk();
      await server.start();
      return `for ${milliseconds} ms`;
    },
  },
  {
    name: 'clock of the database jumps',
    lane: 'database',
    async play({ moveDatabaseClock }, random) {
      if (moveDatabaseClock === undefined) return undefined;
      // What was dated ahead meanwhile waits as long: a retry, and a heartbeat that lapses.
      const seconds = random.pick([-20, -5, 5, 20]);
      moveDatabaseClock(seconds);
      await delay(random.between(2_000, 6_000));
      moveDatabaseClock(0);
      return `by ${seconds} s and back`;
    },
  },
  {
    name: 'S3 answers with errors',
    lane: 'surroundings',
    async play(world, random) {
      const answer = random.pick([
        SLOW_DOWN,
        { status: 403, code: 'AccessDenied' },
        { status: 500, code: 'InternalError' },
      ]);
      const milliseconds = random.between(3_000, 20_000);
      world.failS3(answer);
      await delay(milliseconds);
      world.failS3(undefined);
      return `${answer.code} for ${milliseconds} ms`;
    },
  },
  {
    name: 'connections from SNS cut',
    lane: 'surroundings',
    play: async ({ door }) => `${door.cut()} connections`,
  },
  {
    name: 'run killed',
    lane: 'commands',
    async play(world) {
      await world.runByHand('killed');
      return 'and run again';
    },
  },
  {
    name: 'run frozen',
    lane: 'commands',
    async play(world) {
      await world.runByHand('frozen');
      return 'and woken';
    },
  },
  {
    name: 'migrate killed, on the database that is served',
    lane: 'commands',
    play: (world, random) => killMigrate(world, random, undefined),
  },
  {
    name: 'migrate killed, on an empty database',
    lane: 'commands',
    async play(world, random) {
      const name = `empty_${random.hex(8)}`;
      await untilDone(() => world.query(`CREATE DATABASE ${name}`));
      const played = await killMigrate(world, random, name);
      await untilDone(() => world.query(`DROP DATABASE ${name} WITH (FORCE)`));
      return played;
    },
  },
  ...OPERATIONS.map((operation) => ({ ...operation, lane: 'operator' as const })),
];

/** A fault that lasts, with nothing else going wrong meanwhile. @returns what ends it */
export type Outage = (world: World) => Promise<() => Promise<void>>;

/** As many as a process holds. */
const CONNECTIONS_OF_A_FLOOD = 1_000;

/** As many certificates as a process fetches in a minute that have verified nothing yet. */
const FORGERIES_A_MINUTE = 120;

/** Faults that are played alone, for minutes, by their names on the command line. */
export const OUTAGES: Readonly<Record<string, Outage>> = {
  async s3(world) {
    world.failS3({ status: 503, code: 'ServiceUnavailable' });
    return async () => world.failS3(undefined);
  },
  async database({ server }) {
    await server.stop();
    return () => server.start();
  },
  async connections({ doors }) {
    const floods = await Promise.all(
      doors().map((port) => startFlood(port, 'idle', CONNECTIONS_OF_A_FLOOD)),
    );
    return async () => {
      for (const flood of floods) flood.stop();
    };
  },
  /** At pods that have just started, and so know no certificate. */
  async forgeries({ doors, sns, replicas, say }) {
    const forging = setInterval(() => {
      for (const port of doors()) forge(port, sns.certificateUrl).then(say, () => undefined);
    }, 60_000 / FORGERIES_A_MINUTE);
    for (const replica of replicas) await replica.replace();
    return async () => clearInterval(forging);
  },
};

/** Posts what nobody has signed, with the address of a certificate that is not there. */
async function forge(port: number, certificateUrl: string): Promise<string> {
  const messageId = crypto.randomUUID();
  const hex = messageId.replaceAll('-', '');
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { [SNS_HEADERS.type]: 'Notification' },
    body: JSON.stringify({
      Type: 'Notification',
      MessageId: messageId,
      TopicArn: TOPICS.http,
      Message: '{}',
      Timestamp: new Date().toISOString(),
      SignatureVersion: '2',
      Signature: 'AAAA',
      SigningCertURL: certificateUrl.replace(
        /SimpleNotificationService-.*/,
        `SimpleNotificationService-${hex}.pem`,
      ),
    }),
  });
  return `a forgery is answered with ${response.status}: ${await response.text()}`;
}

function replicaOf({ replicas }: World, random: Random): Child | undefined {
  return random.pick(replicas)?.child();
}

/** What says to queue and judgement that a process works. */
const HEARTBEATS = /SET heartbeat_(on|at)\b/;

function judging({ replicas }: World): readonly Replica[] {
  return replicas.filter(({ role }) => role !== 'intake');
}

/** Mostly one that judges files: there a pause is long enough to matter. */
function pausedOf(world: World, random: Random): Replica | undefined {
  return random.pick(random.chance(0.8) ? judging(world) : world.replicas);
}

/**
 * Gives the workers files that take seconds, so that they are in the middle of some, and says for how long they are to
 * be stopped: mostly longer than the 10 s after which another worker takes their jobs, and begins what they will end
 * late.
 */
async function longPause(world: World, random: Random): Promise<number> {
  for (let count = 0; count < 6; count += 1) world.deliver(random.between(1_000, 9_000));
  await delay(random.between(500, 2_500));
  return random.chance(0.7) ? random.between(13_000, 20_000) : random.between(2_000, 8_000);
}

async function breakCommits(
  { gates }: World,
  moment: 'before' | 'after',
  random: Random,
): Promise<string> {
  const broken = () => gates.reduce((sum, gate) => sum + gate.brokenCommits, 0);
  const before = broken();
  for (const gate of gates) gate.breakCommits(moment, random.between(1, 3));
  await delay(random.between(1_000, 3_000));
  for (const gate of gates) gate.breakCommits(moment, 0);
  return `${broken() - before} times`;
}

/** Several in a row, and two at a time: the last ones come to their end. */
async function killMigrate(
  world: World,
  random: Random,
  database: string | undefined,
): Promise<string> {
  const start = () =>
    world.command('migrate', ['migrate'], { DATABASE_URL: world.databaseUrl(database) });
  const kills = random.between(1, 3);
  for (let count = 0; count < kills; count += 1) {
    const child = start();
    await Promise.race([child.ended, delay(random.between(200, 2_500))]);
    child.signal('SIGKILL');
    await child.ended;
  }
  // The database may be away, as for a Job of Kubernetes, which then starts another pod.
  await untilDone(async () => {
    const codes = await Promise.all([start().ended, start().ended]);
    if (codes.includes(2))
      world.unforeseen.push(`migrate ended with ${codes}, as if misconfigured`);
    if (codes.some((code) => code !== 0)) throw new Error(`migrate ended with ${codes}`);
  });
  return `${kills} times, then two at once`;
}
