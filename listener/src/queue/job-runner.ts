import { readFile } from 'node:fs/promises';
import { EXIT, JUDGE } from '@file-processing/contract/listener-interface.ts';
import type { Logger } from 'pino';
import type { Database } from '../database/connection.ts';
import { failJudgements, type JudgementReference } from '../database/judgements.ts';
import {
  noteMade,
  noteProblem,
  type Sharing,
  type SubmittedJudgement,
  submitAgain,
  submitJudgements,
  submittedJudgements,
  takeBack,
  takeOut,
} from '../database/kubernetes-jobs.ts';
import { KubernetesError, type KubernetesJob, type KubernetesJobs } from './kubernetes-api.ts';
import type { JobRequest, Queue } from './queue.ts';

/** What the stack writes for JOB_TEMPLATE: a Job without what depends on the judgement. */
export interface JobTemplate {
  /** Of batch/v1, with one container and a volume `tmp`. */
  readonly job: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly template: {
        readonly spec: {
          readonly [field: string]: unknown;
          readonly containers: readonly [Fields];
          readonly volumes: readonly Fields[];
        };
      } & Fields;
    } & Fields;
  } & Fields;
  /** Most MiB of disk that a Job may ask for beside its image. */
  readonly mostScratchMib: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** A whole Job. */
export interface JobManifest {
  readonly [field: string]: unknown;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: JobTemplate['job']['spec'];
}

/** The label that all Jobs of the runner have. */
export const JUDGEMENT_LABEL = 'file-processing/judgement';

const GIB = 2 ** 30;

/**
 * What a Job asks for by the size of its object. The engine takes constant memory beside the keys and its threads, which are
 * what more than two processors are for.
 */
const CLASSES = [
  { below: 8 * GIB, cpu: '1', memoryMib: 1024 },
  { below: 64 * GIB, cpu: '2', memoryMib: 2048 },
  { below: Number.POSITIVE_INFINITY, cpu: '4', memoryMib: 4096 },
] as const;

/** Of an object's bytes one in so many may be hashes of keys: 16 bytes a row of 128. */
const SCRATCH_SHARE = 8;
/** As the stack has it for the listener: other temporary files, logs. */
const OTHER_DISK_MIB = 1024;
const TEMPORARY_MIB = 256;

/**
 * How long a Job may take: a tenth of what one thread judges (60 to 130 MB/s), so that a slow node is none that hangs, and
 * half an hour for a node that has yet to come and for attempts that fail.
 */
export const DEADLINE = { base: 1_800, bytesPerSecond: 6 * 2 ** 20 } as const;

/** Pods of one Job that may fail, but for disruptions; then it has failed. */
const RETRIES = 3;

/** Jobs of one judgement; the last one that fails makes it a dead letter. */
const SUBMISSIONS = 3;

/** Until a judgement gets another Job, by how many it had. */
const RESUBMIT_SECONDS = 30;

/** Codes with which no other attempt ends otherwise: settings, and an object that is gone. */
const FINAL_EXIT_CODES = [EXIT.usage, EXIT.noInput];

/**
 * The Job of a submission. Its name is made of the judgement and of how many Jobs it had before, so that whoever makes it a
 * second time is refused.
 */
export function jobOf(
  { job, mostScratchMib }: JobTemplate,
  {
    runId,
    number,
    submission,
    sizeBytes,
  }: Pick<SubmittedJudgement, 'runId' | 'number' | 'submission' | 'sizeBytes'>,
): JobManifest {
  const { template, ...spec } = job.spec;
  const [container] = template.spec.containers;
  const { cpu, memoryMib } = CLASSES.find(({ below }) => sizeBytes < below) ?? CLASSES[2];
  const wanted = Math.ceil(sizeBytes / SCRATCH_SHARE / 2 ** 20);
  const scratchMib = Math.max(Math.min(wanted, mostScratchMib), Math.min(1024, mostScratchMib));
  const disk = `${scratchMib + OTHER_DISK_MIB}Mi`;
  return {
    ...job,
    metadata: {
      ...job.metadata,
      name: jobName({ runId, number, submission }),
      labels: { ...job.metadata.labels, [JUDGEMENT_LABEL]: 'true' },
    },
    spec: {
      ...spec,
      backoffLimit: RETRIES,
      activeDeadlineSeconds: DEADLINE.base + Math.ceil(sizeBytes / DEADLINE.bytesPerSecond),
      podFailurePolicy: {
        rules: [
          {
            action: 'FailJob',
            onExitCodes: {
              containerName: container.name,
              operator: 'In',
              values: FINAL_EXIT_CODES,
            },
          },
          // A node that is drained, or lost, is nobody's fault.
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      template: {
        ...template,
        spec: {
          ...template.spec,
          restartPolicy: 'Never',
          containers: [
            {
              ...container,
              args: [JUDGE, runId, `${number}`],
              env: [
                { name: 'WORKER_CONCURRENCY', value: '1' },
                { name: 'KEY_MEMORY_MIB', value: `${memoryMib / 4}` },
                { name: 'SCRATCH_MIB', value: `${scratchMib}` },
              ],
              resources: {
                requests: { cpu, memory: `${memoryMib}Mi`, 'ephemeral-storage': disk },
                limits: { memory: `${memoryMib}Mi`, 'ephemeral-storage': disk },
              },
            },
          ],
          volumes: template.spec.volumes.map((volume) =>
            volume.emptyDir === undefined
              ? volume
              : { ...volume, emptyDir: { sizeLimit: `${scratchMib + TEMPORARY_MIB}Mi` } },
          ),
        },
      },
    },
  };
}

/** At most 60 characters, as the name is also a label of its pods. */
export function jobName({
  runId,
  number,
  submission,
}: Pick<SubmittedJudgement, 'runId' | 'number' | 'submission'>): string {
  return `judge-${runId}-${number}-${submission}`;
}

/** What {@link jobRunner} works with. */
export interface JobRunnerOptions extends Sharing {
  readonly database: Database;
  readonly queue: Pick<Queue, 'enqueue' | 'bury'>;
  readonly jobs: KubernetesJobs;
  /** JOB_TEMPLATE; read anew for each Job, since a new image changes it. */
  readonly templateFile: string;
  /** JOB_LIMIT. */
  readonly limit: number;
  readonly logger: Logger;
  /** Called for each judgement that is a dead letter now. */
  readonly onDead: (count: number) => void;
  /** How often the API server is asked how so many Jobs stand. @default every 2 to 10 s */
  readonly listMs?: (jobs: number) => number;
  /** In milliseconds. @default performance.now */
  readonly now?: () => number;
}

/**
 * Until the Jobs are listed again. One has 6 KB in an answer: the fewer there are, the sooner it is seen that one died, at the
 * same cost of 120 KB a second.
 */
const listPauseMs = (jobs: number) => Math.min(Math.max(jobs * 50, 2_000), 10_000);

/** Jobs that are made at the same time. */
const MADE_AT_ONCE = 10;

/**
 * Makes the look of the runner: gives judgements that wait their places, makes their Jobs, takes out what has ended, and sees
 * to those whose Job died: it waits for another Job, or is a dead letter. All that it knows is in PostgreSQL, so that it may
 * be ended at any time, and any number of processes may look at once: a Job is made once by its name, and only one process
 * takes a judgement out.
 *
 * It never asks the API server where there is nothing to do.
 */
export function jobRunner(options: JobRunnerOptions): () => Promise<void> {
  const { database, jobs, limit, listMs = listPauseMs, now = () => performance.now() } = options;
  let listedAt = Number.NEGATIVE_INFINITY;
  let limitedAt = Number.NEGATIVE_INFINITY;
  const refusal = async (): Promise<string | undefined> => {
    if (now() - limitedAt < CONFIRMED_MS) return undefined;
    try {
      if (!(await isLimited(jobs, options.templateFile))) return UNLIMITED;
      limitedAt = now();
      return undefined;
    } catch (error) {
      if (error instanceof KubernetesError) return error.message;
      throw error;
    }
  };
  return async () => {
    await submitJudgements(database, limit, options);
    // Read before the Jobs are listed: of those that were made by then the list lacks only what is gone.
    const submitted = await submittedJudgements(database);
    const open: SubmittedJudgement[] = [];
    for (const judgement of submitted) {
      if (hasEnded(judgement)) await settle(options, judgement);
      else open.push(judgement);
    }
    const unmade = open.filter(({ madeAt }) => madeAt === null);
    if (unmade.length > 0) await make(options, unmade, await refusal());
    const made = open.filter(({ madeAt }) => madeAt !== null);
    if (made.length === 0 || now() - listedAt < listMs(made.length)) return;
    listedAt = now();
    const found = await jobs.list(`${JUDGEMENT_LABEL}=true`);
    const byName = new Map(found.map((job) => [job.metadata.name, job]));
    for (const judgement of made) {
      const end = endOf(byName.get(jobName(judgement)));
      // A node that only is cut off from its control plane may still work on it.
      if (end !== undefined && !judgement.isWorkedOn) await died(options, judgement, end);
    }
  };
}

function hasEnded({ status }: SubmittedJudgement): boolean {
  return status !== 'queued' && status !== 'running';
}

/** What is left to do after a verdict, its report above all, is for the pool. */
async function settle(
  { database, queue, jobs, logger }: JobRunnerOptions,
  judgement: SubmittedJudgement,
): Promise<void> {
  const { runId, number, status } = judgement;
  const isOurs = await database.transaction(async (transaction) => {
    if (!(await takeOut(transaction, judgement))) return false;
    if (status === 'finished') await queue.enqueue([requestOf(judgement)], transaction);
    return true;
  });
  if (!isOurs) return;
  logger.info({ runId, judgement: number, status, job: jobName(judgement) }, 'job is done');
  // Ended by somebody else, perhaps before its pod has begun.
  if (status === 'error') await jobs.delete(jobName(judgement)).catch(() => undefined);
}

/** What the pool is to do with it, in the trace that it is part of. */
function requestOf({
  runId,
  number,
  traceparent,
}: JudgementReference & Pick<SubmittedJudgement, 'traceparent'>): JobRequest {
  return { runId, number, jobId: crypto.randomUUID(), traceparent: traceparent ?? undefined };
}

/** How long it counts that a policy was seen to limit what Jobs are made. */
const CONFIRMED_MS = 10 * 60_000;

const UNLIMITED =
  'no admission policy limits the Jobs that this ServiceAccount may make: manage apply puts it in place';

/** @param refusal why none of them can be made */
async function make(
  options: JobRunnerOptions,
  judgements: readonly SubmittedJudgement[],
  refusal: string | undefined,
): Promise<void> {
  if (refusal !== undefined) {
    const [first] = judgements;
    if (first !== undefined) await noteRefusal(options, first, new KubernetesError(refusal));
    return;
  }
  const template = JSON.parse(await readFile(options.templateFile, 'utf8')) as JobTemplate;
  for (let start = 0; start < judgements.length; start += MADE_AT_ONCE) {
    const some = judgements.slice(start, start + MADE_AT_ONCE);
    const made = await Promise.all(some.map((one) => makeOne(options, template, one)));
    // Where the quota is used up, or a policy refuses, the others are refused as well: they wait.
    if (made.includes(false)) return;
  }
}

/** @returns whether the API server holds it now */
async function makeOne(
  options: JobRunnerOptions,
  template: JobTemplate,
  judgement: SubmittedJudgement,
): Promise<boolean> {
  const { database, jobs, logger } = options;
  const { runId, number, sizeBytes, submission } = judgement;
  const job = jobName(judgement);
  const line = { runId, judgement: number, job, sizeBytes, submission };
  try {
    await jobs.create(jobOf(template, judgement));
    logger.info(line, 'job was made');
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.reason !== 'AlreadyExists') {
      await noteRefusal(options, judgement, error);
      return false;
    }
  }
  await noteMade(database, judgement);
  return true;
}

/** Says it once, as long as the reason is the same. */
async function noteRefusal(
  { database, logger }: JobRunnerOptions,
  judgement: SubmittedJudgement,
  error: KubernetesError,
): Promise<void> {
  if (!(await noteProblem(database, judgement, error.message))) return;
  const { runId, number } = judgement;
  const line = { runId, judgement: number, job: jobName(judgement), err: error };
  logger.error(line, 'job cannot be made, the file waits');
}

/** How a Job that is not at work came to its end. */
interface JobEnd {
  readonly text: string;
  /** Nothing gets better by another one. */
  readonly isFinal: boolean;
}

/** @returns undefined for one that is at work, or waits for a node */
function endOf(job: KubernetesJob | undefined): JobEnd | undefined {
  if (job === undefined) return { text: 'it is gone', isFinal: false };
  const conditions = job.status?.conditions ?? [];
  // Failed only once its last pod has ended, which nobody says of one on a node that is lost: FailureTarget says so before.
  const end = ['Failed', 'Complete', 'FailureTarget'].flatMap((ended) =>
    conditions.filter(({ type, status }) => type === ended && status === 'True'),
  )[0];
  if (end === undefined) return undefined;
  if (end.type === 'Complete') return { text: 'it ended without a verdict', isFinal: false };
  const text = [end.reason, end.message].filter(Boolean).join(': ') || 'it failed';
  return { text, isFinal: end.reason === 'PodFailurePolicy' };
}

async function died(
  options: JobRunnerOptions,
  judgement: SubmittedJudgement,
  { text, isFinal }: JobEnd,
): Promise<void> {
  const { database, queue, logger, onDead } = options;
  const { runId, number, submission, attempts, error } = judgement;
  const job = jobName(judgement);
  const why = error ?? (attempts === 0 ? 'none of its pods has begun to judge the file' : '');
  const problem = [`Job ${job}: ${text}`, why].filter(Boolean).join('; ');
  const line = { runId, judgement: number, job, submission, problem };
  if (!isFinal && submission < SUBMISSIONS) {
    const waitSeconds = RESUBMIT_SECONDS * submission;
    if (await submitAgain(database, judgement, { problem, waitSeconds })) {
      logger.warn(line, 'job has died without a verdict, another one is made');
    }
    return;
  }
  const ended = await database.transaction(async (transaction) => {
    if (!(await takeOut(transaction, judgement))) return undefined;
    const letter = { runId, number, attempts: Math.max(attempts, submission), error: problem };
    const failed = await failJudgements(transaction, [letter]);
    if (failed.length > 0) await queue.bury([letter], transaction);
    // It got its verdict between the look and now.
    else await queue.enqueue([requestOf(judgement)], transaction);
    return failed.length;
  });
  if (ended === undefined) return;
  if (ended > 0) logger.error(line, 'job has died without a verdict, no other one is made');
  onDead(ended);
}

/**
 * Gives judgements back to the pool that wait for a Job, where JOB_RUNNER is `pool` again.
 *
 * @returns how many
 */
export function returnToPool(database: Database, queue: Pick<Queue, 'enqueue'>): Promise<number> {
  return database.transaction(async (transaction) => {
    const taken = await takeBack(transaction, DEADLINE);
    await queue.enqueue(taken.map(requestOf), transaction);
    return taken.length;
  });
}

/**
 * Sees whether the admission policy limits the Jobs that this identity makes: it tries to make one, as a dry run, that no
 * policy of the stack lets pass.
 *
 * @returns whether it was refused by a policy; false where it would be made
 * @throws {KubernetesError} where nobody can tell
 */
export async function isLimited(
  jobs: Pick<KubernetesJobs, 'create'>,
  templateFile: string,
): Promise<boolean> {
  const template = JSON.parse(await readFile(templateFile, 'utf8')) as JobTemplate;
  const reference = { runId: '00000000-0000-0000-0000-000000000000', number: 1, submission: 1 };
  const job = jobOf(template, { ...reference, sizeBytes: 0 });
  const { template: pods } = job.spec;
  const [container] = pods.spec.containers;
  const containers = [{ ...container, image: 'registry.invalid/not-the-listener' }];
  const spec = { ...job.spec, template: { ...pods, spec: { ...pods.spec, containers } } };
  try {
    await jobs.create({ ...job, spec }, true);
    return false;
  } catch (error) {
    if (error instanceof KubernetesError && /ValidatingAdmissionPolicy/.test(error.message)) {
      return true;
    }
    throw error;
  }
}
