import type { DeadLetter, Queue, RunJob } from './queue.ts';

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
  readonly queue: Pick<Queue, 'complete' | 'fail' | 'handBack' | 'heartbeat'>;
  readonly handle: JobHandler;
  /** Called with dead letters, once or more each: their judgements have failed for good. */
  readonly onDead: (
    dead: readonly Pick<DeadLetter, 'runId' | 'number' | 'error'>[],
  ) => Promise<void>;
  /** Called for each failed attempt. */
  readonly onFailure?: (job: RunJob, error: unknown, outcome: 'retry' | 'dead' | 'lost') => void;
  /** Called with failures of the queue itself, after which the worker tries again. */
  readonly onError: (error: unknown) => void;
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
}

/** @param onEnd called when a job has ended, with whatever outcome, or has made room for another one */
export function jobsInHand(options: JobsInHandOptions, onEnd: () => void): JobsInHand {
  const { queue } = options;
  const running = new Map<string, Running>();
  let completed = 0;

  return {
    get size() {
      return running.size;
    },
    get places() {
      return [...running.values()].filter(({ hasMadeRoom }) => !hasMadeRoom).length;
    },
    get completed() {
      return completed;
    },
    take(job) {
      const controller = new AbortController();
      const mine: Running = { job, controller, ended: Promise.resolve(), hasMadeRoom: false };
      running.set(job.id, mine);
      const makeRoom = () => {
        if (mine.hasMadeRoom) return;
        mine.hasMadeRoom = true;
        onEnd();
      };
      mine.ended = attempt(job, controller.signal, makeRoom, options)
        .then((isCompleted) => {
          if (isCompleted) completed += 1;
        })
        .finally(() => {
          running.delete(job.id);
          onEnd();
        });
    },
    async heartbeat() {
      const inHand = [...running.values()];
      if (inHand.length === 0) return;
      const ours = await queue.heartbeat(inHand.map(({ job }) => job));
      for (const { job, controller } of inHand) {
        if (!ours.has(job.id) && running.has(job.id)) abort(controller, 'claim lost');
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
  job: RunJob,
  signal: AbortSignal,
  makeRoom: () => void,
  { queue, handle, onDead, onFailure, onError }: JobsInHandOptions,
): Promise<boolean> {
  try {
    const failure = await failureOf(() => handle(job, signal, makeRoom));
    // Handed back, or another worker's by now: nothing of it is ours to settle.
    if (signal.aborted) return false;
    if (failure === undefined) {
      await queue.complete(job);
      return true;
    }
    if (failure.error instanceof PostponedError) {
      await queue.handBack(job, failure.error.waitSeconds);
      return false;
    }
    const outcome = await queue.fail(job, failure.error);
    onFailure?.(job, failure.error, outcome);
    if (outcome === 'dead') {
      await onDead([{ runId: job.runId, number: job.number, error: textOf(failure.error) }]);
    }
  } catch (error) {
    onError(error);
  }
  return false;
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

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
