import { setTimeout as delay } from 'node:timers/promises';
import type { DeadLetter, Queue, RunJob } from './queue.ts';

/** Does the work of one job; what it throws is a technical failure, worth another attempt. */
export type JobHandler = (job: RunJob, signal: AbortSignal) => Promise<void>;

export interface WorkerOptions {
  readonly queue: Queue;
  /** Jobs at the same time, 1 or more. */
  readonly concurrency: number;
  readonly handle: JobHandler;
  /** Told of dead letters, once or more each: the runs they belong to have failed for good. */
  readonly onDead: (dead: readonly Pick<DeadLetter, 'runId' | 'error'>[]) => Promise<void>;
  /** Told of a failed attempt. */
  readonly onFailure?: (job: RunJob, error: unknown, outcome: 'retry' | 'dead' | 'lost') => void;
  /** Told of failures of the queue itself, which the worker gets over by trying again. */
  readonly onError: (error: unknown) => void;
  /** How often an idle worker looks. @default 500 */
  readonly pollMs?: number;
}

export interface Worker {
  /** Looks at once: a job was enqueued by this very process. */
  wake(): void;
  /** Jobs in hand. */
  readonly running: number;
  /**
   * Takes no more jobs, waits for those in hand up to the deadline, gives the rest back to the
   * queue and aborts their signals. A second call returns the first one's promise.
   */
  stop(deadlineMs: number): Promise<{ finished: number; handedBack: number }>;
}

/** A fifth of the heartbeat that the queue allows, so that one lost beat harms nobody. */
const BEAT_MS = 2_000;

/** How often dead letters are looked for that no worker was there to see. */
const DEAD_LETTER_MS = 5_000;
const DEAD_LETTER_PAGE = 1_000;

/** Pause after the queue could not be asked, so that an outage does not fill the log. */
const OUTAGE_PAUSE_MS = 2_000;

/** Why a job's signal was aborted. */
export type AbortReason = 'claim lost' | 'shutdown';

interface Running {
  readonly job: RunJob;
  readonly controller: AbortController;
  readonly settled: Promise<void>;
}

/**
 * Works on the queue: one loop that fetches what there is room for, one beat for all jobs in hand.
 *
 * pg-boss's own `work()` takes one batch a poll and settles a batch as a whole; this loop fetches
 * again as soon as a place is free.
 */
export function startWorker(options: WorkerOptions): Worker {
  const { queue, concurrency, onError, pollMs = 500 } = options;
  const running = new Map<string, Running>();
  const bell = doorbell();
  let lastReported: string | undefined;
  let stopping: Promise<{ finished: number; handedBack: number }> | undefined;
  let finished = 0;

  function take(job: RunJob): void {
    const controller = new AbortController();
    const settled = attempt(job, controller.signal).finally(() => {
      running.delete(job.id);
      bell.ring();
    });
    running.set(job.id, { job, controller, settled });
  }

  /** Never rejects: what goes wrong with the queue itself is left to the lapse of the heartbeat. */
  async function attempt(job: RunJob, signal: AbortSignal): Promise<void> {
    try {
      const failure = await outcomeOf(() => options.handle(job, signal));
      // Handed back, or another worker's by now: nothing of it is ours to settle.
      if (signal.aborted) return;
      if (failure === undefined) {
        await queue.complete(job);
        finished += 1;
        return;
      }
      const outcome = await queue.fail(job, failure.error);
      options.onFailure?.(job, failure.error, outcome);
      if (outcome === 'dead') {
        await options.onDead([{ runId: job.runId, error: textOf(failure.error) }]);
      }
    } catch (error) {
      onError(error);
    }
  }

  async function fetchLoop(): Promise<void> {
    while (!stopping) {
      const free = concurrency - running.size;
      const jobs = free > 0 ? await fetchJobs(free) : [];
      if (jobs === undefined) {
        await bell.wait(OUTAGE_PAUSE_MS);
        continue;
      }
      if (stopping) {
        await Promise.all(jobs.map(handBack));
        return;
      }
      for (const job of jobs) take(job);
      // A full haul means that there may be more; without room, a settled job rings.
      if (free > 0 && jobs.length === free && running.size < concurrency) continue;
      await bell.wait(pollMs);
    }
  }

  /** @returns undefined when the queue could not be asked */
  async function fetchJobs(limit: number): Promise<RunJob[] | undefined> {
    try {
      return await queue.fetch(limit);
    } catch (error) {
      onError(error);
      return undefined;
    }
  }

  async function beat(): Promise<void> {
    const inHand = [...running.values()];
    if (inHand.length === 0) return;
    const ours = await queue.beat(inHand.map(({ job }) => job));
    for (const { job, controller } of inHand) {
      if (!ours.has(job.id) && running.has(job.id)) abort(controller, 'claim lost');
    }
  }

  /** A job whose last process was killed dies without a worker; its run must not look alive. */
  async function reportDead(): Promise<void> {
    // The letter that was last reported may have been redriven: then all are reported once more.
    const dead = await queue
      .deadLetters(DEAD_LETTER_PAGE, lastReported)
      .catch(() => queue.deadLetters(DEAD_LETTER_PAGE));
    if (dead.length === 0) return;
    await options.onDead(dead);
    lastReported = dead.at(-1)?.id;
  }

  async function handBack(job: RunJob): Promise<void> {
    await queue.handBack(job).catch(onError);
  }

  async function stopWithin(deadlineMs: number): Promise<{ finished: number; handedBack: number }> {
    const finishedBefore = finished;
    bell.ring();
    await loop;
    await Promise.race([
      Promise.all([...running.values()].map(({ settled }) => settled)),
      delay(deadlineMs, undefined, { ref: false }),
    ]);
    const left = [...running.values()];
    for (const { controller } of left) abort(controller, 'shutdown');
    await Promise.all(left.map(({ job }) => handBack(job)));
    await beats.stop();
    await deadLetters.stop();
    return { finished: finished - finishedBefore, handedBack: left.length };
  }

  const beats = repeat(BEAT_MS, beat, onError);
  const deadLetters = repeat(DEAD_LETTER_MS, reportDead, onError);
  const loop = fetchLoop();

  return {
    wake: bell.ring,
    get running() {
      return running.size;
    },
    stop(deadlineMs) {
      // Set before the first await inside, so that the loop sees it.
      stopping ??= Promise.resolve().then(() => stopWithin(deadlineMs));
      return stopping;
    },
  };
}

function abort(controller: AbortController, reason: AbortReason): void {
  controller.abort(new Error(reason));
}

async function outcomeOf(work: () => Promise<void>): Promise<{ error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Something to wait at that a ring ends early; a ring while nobody waits is kept. */
function doorbell(): { ring(): void; wait(ms: number): Promise<void> } {
  let rung = false;
  let open: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      open?.();
    },
    async wait(ms) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          open = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        open = undefined;
      }
      rung = false;
    },
  };
}

/** Runs a task again and again, never twice at once; `stop` waits for the one that runs. */
function repeat(
  everyMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop(): Promise<void> } {
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
