import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../database/errors.ts';
import { type DeadLetter, LONGEST_ATTEMPT_SECONDS, type Queue, type RunJob } from './queue.ts';

/**
 * Does the work of one job; what it throws is a technical failure, worth another attempt.
 *
 * @param makeRoom says that what is left takes no place of another job any more
 */
export type JobHandler = (job: RunJob, signal: AbortSignal, makeRoom: () => void) => Promise<void>;

/** There is no sense in this job now: it goes back, waits, and uses up no attempt. */
export class PostponedError extends Error {
  override readonly name = 'PostponedError';
  readonly waitSeconds: number;

  constructor(reason: string, waitSeconds: number) {
    super(reason);
    this.waitSeconds = waitSeconds;
  }
}

/** Why a job's signal was aborted. */
export type AbortReason = 'claim lost' | 'shutdown';

/** What {@link jobsInHand} works with. */
export interface JobsInHandOptions {
  readonly queue: Pick<Queue, 'complete' | 'fail' | 'forgive' | 'handBack' | 'heartbeat'>;
  readonly handle: JobHandler;
  /** Called with dead letters, once or more each: their judgements have failed for good. */
  readonly onDead: (
    dead: readonly Pick<DeadLetter, 'runId' | 'number' | 'error'>[],
  ) => Promise<void>;
  /** Called for each failed attempt. */
  readonly onFailure?: (job: RunJob, error: unknown, outcome: 'retry' | 'dead' | 'lost') => void;
  /** Called with failures of the queue itself, after which the worker tries again. */
  readonly onError: (error: unknown) => void;
  /** Time that has passed, and time of the processor that this process had of it, in milliseconds. @default the process's */
  readonly usage?: () => Usage;
  /** Between two tries to give a job back while the database is away. @default 2000 */
  readonly pauseMs?: number;
}

/** See {@link JobsInHandOptions.usage}. */
export interface Usage {
  readonly passedMs: number;
  readonly processorMs: number;
}

/** The jobs that a worker has fetched and not settled yet. */
export interface JobsInHand {
  readonly size: number;
  /** Those that take a place: no other job can have it. */
  readonly places: number;
  /** Jobs that were completed since the start. */
  readonly completed: number;
  /** Begins to work on a job. */
  take(job: RunJob): void;
  /** Says that all are still worked on, and aborts those that are another worker's by now. */
  heartbeat(): Promise<void>;
  /** Settles when those that are in hand now have ended. */
  ended(): Promise<void>;
  /** Aborts all that is left and gives it back to the queue. @returns how many */
  handBackAll(): Promise<number>;
}

interface Running {
  readonly job: RunJob;
  readonly controller: AbortController;
  ended: Promise<void>;
  hasMadeRoom: boolean;
  /** Whether its work is done, and the queue is to be told. */
  isSettling: boolean;
  /** Called when the job turns out to be another worker's. @param isToBlame see `wasBusy` */
  readonly lost: (isToBlame?: boolean) => Promise<void>;
}

/** Jobs that may wait at the same time until the queue has been told, beside those that take a place. */
const SETTLED_AT_ONCE = 16;

/** Just less than the silence after which others take a job. */
const BUSY_MS = 4_000;

/** @param onEnd called when a job has ended, with whatever outcome, or has made room for another one */
export function jobsInHand(options: JobsInHandOptions, onEnd: () => void): JobsInHand {
  const { queue, usage = usageOfProcess } = options;
  const running = new Map<string, Running>();
  let completed = 0;
  let said = usage();

  /** Whether nothing could be said for so long since this very process computed: a file may have kept it from all else. */
  const wasBusy = () => {
    const now = usage();
    const silentMs = now.passedMs - said.passedMs;
    return silentMs > BUSY_MS && now.processorMs - said.processorMs > silentMs / 2;
  };

  /** An attempt that was taken from a process which lives counts against its file only where that is to blame. */
  const forgiving = (job: RunJob) => {
    const takenAt = usage().passedMs;
    let isForgiven = false;
    return async (isToBlame = wasBusy()) => {
      const hasHung = usage().passedMs - takenAt >= LONGEST_ATTEMPT_SECONDS * 1000;
      if (isForgiven || hasHung || isToBlame) return;
      isForgiven = true;
      await queue.forgive(job);
    };
  };

  return {
    get size() {
      return running.size;
    },
    get places() {
      const besides = [...running.values()].filter(({ hasMadeRoom }) => hasMadeRoom);
      const settling = besides.filter(({ isSettling }) => isSettling).length;
      return running.size - besides.length + Math.max(0, settling - SETTLED_AT_ONCE);
    },
    get completed() {
      return completed;
    },
    take(job) {
      const controller = new AbortController();
      const mine: Running = {
        ...{ job, controller, ended: Promise.resolve(), hasMadeRoom: false, isSettling: false },
        lost: forgiving(job),
      };
      const before = running.get(job.id);
      if (before !== undefined) {
        // It has come round again before a heartbeat said that it was lost.
        abort(before.controller, 'claim lost');
        before.lost().catch(options.onError);
      }
      running.set(job.id, mine);
      const makeRoom = () => {
        if (mine.hasMadeRoom) return;
        mine.hasMadeRoom = true;
        onEnd();
      };
      mine.ended = attempt(mine, makeRoom, options)
        .then((isCompleted) => {
          if (isCompleted) completed += 1;
        })
        .finally(() => {
          if (running.get(job.id) === mine) running.delete(job.id);
          onEnd();
        });
    },
    async heartbeat() {
      const inHand = [...running.values()];
      const isToBlame = wasBusy();
      try {
        const ours = await queue.heartbeat(inHand.map(({ job }) => job));
        const others = inHand.filter(({ job }) => !ours.has(job.id) && running.has(job.id));
        for (const { controller } of others) abort(controller, 'claim lost');
        for (const { lost } of others) await lost(isToBlame);
      } finally {
        said = usage();
      }
    },
    async ended() {
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    async handBackAll() {
      const left = [...running.values()];
      for (const { controller } of left) abort(controller, 'shutdown');
      await Promise.all(left.map(({ job }) => queue.handBack(job).catch(options.onError)));
      return left.length;
    },
  };
}

/**
 * Works on a job and settles it. Never rejects: what goes wrong with the queue itself is left to the
 * lapse of the heartbeat.
 *
 * @returns whether the job is completed
 */
async function attempt(
  running: Running,
  makeRoom: () => void,
  options: JobsInHandOptions,
): Promise<boolean> {
  const { queue, handle, onDead, onFailure, onError } = options;
  const { job, controller, lost } = running;
  const { signal } = controller;
  try {
    const failure = await failureOf(() => handle(job, signal, makeRoom));
    running.isSettling = true;
    // Handed back, or another worker's by now: nothing of it is ours to settle.
    if (signal.aborted) return false;
    if (failure === undefined) {
      await queue.complete(job);
      return true;
    }
    const { error } = failure;
    if (error instanceof PostponedError) {
      if (!(await handBack(job, error.waitSeconds, signal, options))) await lost();
      return false;
    }
    const outcome = await queue.fail(job, error);
    onFailure?.(job, error, outcome);
    if (outcome === 'lost') await lost();
    if (outcome === 'dead') {
      await onDead([{ runId: job.runId, number: job.number, error: reasonOf(error) }]);
    }
  } catch (error) {
    onError(error);
  }
  return false;
}

/**
 * As long as the database is away the job stays in hand, so that it says that it is worked on as soon as it can.
 *
 * @returns whether the job was still ours
 */
async function handBack(
  job: RunJob,
  waitSeconds: number,
  signal: AbortSignal,
  { queue, onError, pauseMs = 2_000 }: JobsInHandOptions,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      return await queue.handBack(job, waitSeconds);
    } catch (error) {
      onError(error);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  // Whoever aborted it has seen to it.
  return true;
}

function usageOfProcess(): Usage {
  const { user, system } = process.cpuUsage();
  return { passedMs: performance.now(), processorMs: (user + system) / 1000 };
}

function abort(controller: AbortController, reason: AbortReason): void {
  controller.abort(new Error(reason));
}

async function failureOf(work: () => Promise<void>): Promise<{ error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}
