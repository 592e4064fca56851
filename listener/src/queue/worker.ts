import { setTimeout as delay } from 'node:timers/promises';
import { type JobsInHand, type JobsInHandOptions, jobsInHand } from './jobs-in-hand.ts';
import type { Queue, RunJob } from './queue.ts';

/** What {@link startWorker} works with. */
export interface WorkerOptions extends JobsInHandOptions {
  readonly queue: Queue;
  /** Jobs at the same time, 1 or more. */
  readonly concurrency: number;
  /** How often an idle worker looks. @default 500 */
  readonly pollMs?: number;
}

/** A worker that works until it is stopped. */
export interface Worker {
  /** Looks at once: a job was enqueued by this very process. */
  wake(): void;
  /** Jobs in hand. */
  readonly running: number;
  /**
   * Takes no more jobs, waits for those in hand up to the deadline, gives the rest back to the
   * queue and aborts their signals. A second call returns the first one's promise.
   */
  stop(deadlineMs: number): Promise<Stopped>;
}

/** What became of the jobs in hand when a worker was stopped. */
export interface Stopped {
  readonly finished: number;
  readonly handedBack: number;
}

/** A fifth of the silence after which others take a job, so that one that is lost does no harm. */
const HEARTBEAT_MS = 1_000;

/** For how long a worker with more than half of its places taken waits for others to become free before it fetches. */
const GATHER_MS = 5;

/** Pause after the queue could not be asked, so that an outage does not fill the log. */
const OUTAGE_PAUSE_MS = 2_000;

/**
 * Works on the queue: one loop that fetches what there is room for, one heartbeat for all jobs in
 * hand.
 *
 * pg-boss's own `work()` takes one batch a poll and settles a batch as a whole; this loop fetches
 * again as soon as a place is free.
 */
export function startWorker(options: WorkerOptions): Worker {
  const pause = wakeablePause();
  const inHand = jobsInHand(options, pause.wake);
  let stopping: Promise<Stopped> | undefined;

  const heartbeats = repeat(HEARTBEAT_MS, inHand.heartbeat, options.onError);
  const loop = fetchJobs(options, inHand, pause, () => stopping !== undefined);

  async function stopWithin(deadlineMs: number): Promise<Stopped> {
    const completedBefore = inHand.completed;
    pause.wake();
    await loop;
    await Promise.race([inHand.ended(), delay(deadlineMs, undefined, { ref: false })]);
    const handedBack = await inHand.handBackAll();
    await heartbeats.stop();
    return { finished: inHand.completed - completedBefore, handedBack };
  }

  return {
    wake: pause.wake,
    get running() {
      return inHand.size;
    },
    stop(deadlineMs) {
      // Set before the first await inside, so that the loop sees it.
      stopping ??= Promise.resolve().then(() => stopWithin(deadlineMs));
      return stopping;
    },
  };
}

/** Fetches jobs for the places that are free until the worker stops. */
async function fetchJobs(
  { queue, concurrency, onError, pollMs = 500 }: WorkerOptions,
  inHand: JobsInHand,
  pause: WakeablePause,
  isStopping: () => boolean,
): Promise<void> {
  /** @returns undefined when the queue could not be asked */
  const fetch = (limit: number): Promise<RunJob[] | undefined> =>
    queue.fetch(limit).catch((error: unknown) => {
      onError(error);
      return undefined;
    });

  while (!isStopping()) {
    // Jobs that are fetched together go on to share statements; small ones end within this time.
    if (inHand.places > concurrency / 2) await delay(GATHER_MS);
    const free = concurrency - inHand.places;
    const jobs = free > 0 ? await fetch(free) : [];
    if (jobs === undefined) {
      await pause.wait(OUTAGE_PAUSE_MS);
      continue;
    }
    if (isStopping()) {
      await Promise.all(jobs.map((job) => queue.handBack(job).catch(onError)));
      return;
    }
    for (const job of jobs) inHand.take(job);
    // As many as asked for means that there may be more; without room, a job that ends wakes us.
    if (free > 0 && jobs.length === free && inHand.places < concurrency) continue;
    await pause.wait(pollMs);
  }
}

/** A pause that can be ended early; a wake-up without a pause ends the next one at once. */
interface WakeablePause {
  wake(): void;
  wait(ms: number): Promise<void>;
}

function wakeablePause(): WakeablePause {
  let woken = false;
  let end: (() => void) | undefined;
  return {
    wake() {
      woken = true;
      end?.();
    },
    async wait(ms) {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        end = undefined;
      }
      woken = false;
    },
  };
}

/** A task that is repeated until it is stopped. */
export interface Repeated {
  /** Waits for the one that runs. */
  stop(): Promise<void>;
}

/** Runs a task again and again, never twice at once; the first time after one interval. */
export function repeat(
  everyMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): Repeated {
  let current: Promise<void> | undefined;
  const timer = setInterval(() => {
    current ??= task()
      .catch(onError)
      .finally(() => {
        current = undefined;
      });
  }, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await current;
    },
  };
}
