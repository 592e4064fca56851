import type { ListMessageMoveTasksResultEntry, SQSClient } from '@aws-sdk/client-sqs';
import { topicIn } from '@file-processing/contract/arn.ts';
import {
  DRAIN_QUEUE,
  EXIT as LISTENER_EXIT,
} from '@file-processing/contract/listener-interface.ts';
import { InvalidArgumentError } from 'commander';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { secondsOption, waitOption, withConsentOptions } from '../command-options.ts';
import { type Operation, type OperationContext, SIGNAL_EXIT_CODES } from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import { refuse } from '../terraform/guards/refusals.ts';
import { textTable } from '../text-table.ts';
import {
  type DeadLetters,
  deadLettersOf,
  type QueueDepth,
  queueDepth,
} from '../topics/dead-letter-queue.ts';
import { type EventTarget, eventTarget } from '../topics/event-target.ts';
import { depthText, messagesIn, queueName } from '../topics/queue-drain.ts';
import { requireYes } from './db-state.ts';
import { EXEC_DEADLINE_SECONDS, type ExecOptions, runInJob } from './exec.ts';

interface Options extends ExecOptions {
  readonly queue?: string;
  readonly rate?: number;
  readonly cancel: boolean;
  readonly autoApprove: boolean;
  readonly dryRun: boolean;
}

/** A dead-letter queue, and how it stands. */
interface Found extends DeadLetters {
  readonly depth: QueueDepth;
  /** The move out of it that runs, or is being cancelled. */
  readonly move: MoveTask | undefined;
}

/** What became of a queue, for people and for `--json`. */
interface Outcome {
  readonly queue: string;
  readonly outcome: string;
  /** Messages that SQS moved; undefined where it moves none. */
  readonly moved?: number;
  readonly code: ExitCode;
}

type MoveTask = ListMessageMoveTasksResultEntry;

/** What SQS takes for a move (Amazon SQS API Reference, "StartMessageMoveTask"). */
const HIGHEST_RATE = 500;

const BETWEEN_LOOKS_SECONDS = 5;

/** Codes of a Job that a signal ended, and this command with it. */
const SIGNALLED: readonly ExitCode[] = Object.values(SIGNAL_EXIT_CODES);

/** `manage sqs-redrive`: has everything taken in again that waits in the dead-letter queues of the stack. */
export const sqsRedrive: Operation<Options> = {
  name: 'sqs-redrive',
  summary: "redrive the messages in the stack's dead-letter queues",
  describe: (command) =>
    withConsentOptions(command)
      .option('--queue <name>', 'only this dead-letter queue (default: all of the stack)')
      .option(
        '--rate <number>',
        `messages a second that SQS moves, 1 to ${HIGHEST_RATE} (default: SQS decides)`,
        rate,
      )
      .option('--cancel', 'cancel running moves; what was moved stays moved', false)
      .addOption(waitOption('how long to follow a move, and how long a pod may take to start'))
      .addOption(
        secondsOption(
          '--deadline <seconds>',
          'until the listener stops reading a queue',
          EXEC_DEADLINE_SECONDS,
        ),
      )
      .addHelpText(
        'after',
        `
With a queue between topic and listener SQS moves the messages back into it, and goes on by itself
when this command is ended: the same command follows on, and starts no second move. A dead-letter
queue that belongs to no source queue, as that of a subscription over HTTP or of a rule of EventBridge,
is read by the listener's program, in a Job (manage exec -- ${DRAIN_QUEUE} URL).
What is refused again comes back, or stays: the listener's log says why.`,
      ),
  execute: async (context, options) => {
    const target = await eventTarget(context, options, (settings) =>
      refuseUnknownQueue(options.queue, settings),
    );
    const queues = await find(target, options.queue);
    if (!options.cancel) await agreeTo(context, target, queues, options);
    const outcomes: Omit<Outcome, 'code'>[] = [];
    let worst: ExitCode = EXIT.ok;
    try {
      for (const queue of queues) {
        const work = options.cancel ? cancel : redrive;
        const { code, ...outcome } = await work(context, target, queue, options);
        outcomes.push(outcome);
        worst = Math.max(worst, code);
        if (SIGNALLED.includes(code)) break;
      }
    } finally {
      const rows = outcomes.map(({ queue, outcome }) => [queue, outcome]);
      if (options.json) context.stdout.write(`${JSON.stringify(outcomes)}\n`);
      else context.stdout.write(textTable(rows));
    }
    return worst;
  },
};

/** @throws OperationError (EXIT.refused) where it can't be done, or nobody says yes */
async function agreeTo(
  context: OperationContext,
  target: EventTarget,
  queues: readonly Found[],
  { dryRun, autoApprove }: Options,
): Promise<void> {
  await refuseImpossible(target, queues);
  const filled = queues.filter(({ move, depth }) => move === undefined && messagesIn(depth) > 0);
  if (filled.length === 0 || dryRun || autoApprove) return;
  const list = filled.map(({ arn, depth }) => `${queueName(arn)}, ${depthText(depth)}`);
  await requireYes(context, `Process again what waits in ${list.join('; ')}?`);
}

function rate(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= HIGHEST_RATE) return number;
  throw new InvalidArgumentError(`A whole number from 1 to ${HIGHEST_RATE} is needed.`);
}

/** @throws OperationError (usage) where the stack has no such dead-letter queue */
function refuseUnknownQueue(name: string | undefined, settings: FileProcessingSettings): void {
  // Their names are the same in every account.
  const { aws_region, sns_topic_name } = settings;
  const queues = deadLettersOf(settings, topicIn(aws_region, '', sns_topic_name));
  const names = queues.map(({ arn }) => queueName(arn));
  if (name === undefined || names.includes(name)) return;
  throw new OperationError(`--queue ${name} is not a dead-letter queue of the stack`, {
    next: `one of ${names.join(', ')} is needed`,
    code: EXIT.usage,
  });
}

/** @throws OperationError where the topic is not that of the stack, or a queue can't be read */
async function find(target: EventTarget, only: string | undefined): Promise<readonly Found[]> {
  const { clients, region, account, settings, topic, isOfStack } = target;
  if (!isOfStack) {
    throw new OperationError(`SNS_TOPIC_ARN names ${topic.arn}, which is not that of the stack`, {
      next: 'unset it: the dead-letter queues are those of the stack',
      code: EXIT.usage,
    });
  }
  const all = deadLettersOf(settings, topicIn(region, account, settings.sns_topic_name));
  const named = all.filter(({ arn }) => only === undefined || queueName(arn) === only);
  const sqs = await clients.sqs();
  const found: Found[] = [];
  for (const queue of named) {
    const depth = await queueDepth(sqs, queue.arn);
    if (depth === undefined) {
      throw new OperationError(`there is no ${queueName(queue.arn)}`, {
        next: 'npm run manage -- apply makes it',
      });
    }
    if (depth.problem !== undefined) {
      throw new OperationError(`${queueName(queue.arn)}: ${depthText(depth)}`, {
        next: 'npm run manage -- doctor shows who is signed in',
      });
    }
    const isMoved = queue.sourceArn !== undefined;
    found.push({ ...queue, depth, move: isMoved ? await runningMove(sqs, queue.arn) : undefined });
  }
  return found;
}

/** The latest moves out of a queue, the newest first. */
async function movesOf(sqs: SQSClient, arn: string): Promise<readonly MoveTask[]> {
  const { ListMessageMoveTasksCommand } = await import('@aws-sdk/client-sqs');
  const command = new ListMessageMoveTasksCommand({ SourceArn: arn, MaxResults: 10 });
  const { Results = [] } = await sqs.send(command);
  return Results.toSorted((one, other) => startOf(other) - startOf(one));
}

function startOf({ StartedTimestamp = 0 }: MoveTask): number {
  return StartedTimestamp;
}

async function runningMove(sqs: SQSClient, arn: string): Promise<MoveTask | undefined> {
  const moves = await movesOf(sqs, arn);
  return moves.find(({ Status }) => Status === 'RUNNING' || Status === 'CANCELLING');
}

/** SQS moves only out of the dead-letter queue of another queue, and says that less clearly. */
async function refuseImpossible(target: EventTarget, queues: readonly Found[]): Promise<void> {
  const { GetQueueUrlCommand, ListDeadLetterSourceQueuesCommand } = await import(
    '@aws-sdk/client-sqs'
  );
  const sqs = await target.clients.sqs();
  for (const { arn, sourceArn, move } of queues) {
    if (sourceArn === undefined) continue;
    const [name, source] = [queueName(arn), queueName(sourceArn)];
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    const { queueUrls = [] } = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl }));
    refuse([
      ...(queueUrls.some((url) => url.endsWith(`/${source}`))
        ? []
        : [
            {
              reason: `${name} is not the dead-letter queue of ${source}, so that SQS moves nothing back into it`,
              next: 'npm run manage -- apply makes what the tfvars say (delivery, both_deliveries)',
            },
          ]),
      ...(move?.Status === 'CANCELLING'
        ? [
            {
              reason: `a move out of ${name} is being cancelled`,
              next: 'wait until SQS is done with that, then run the command again',
            },
          ]
        : []),
    ]);
  }
}

async function redrive(
  context: OperationContext,
  target: EventTarget,
  queue: Found,
  options: Options,
): Promise<Outcome> {
  const { arn, depth, sourceArn, move } = queue;
  const name = queueName(arn);
  if (move === undefined && messagesIn(depth) === 0) {
    return { queue: name, outcome: 'nothing waits', code: EXIT.ok };
  }
  const way = sourceArn === undefined ? 'the listener reads it' : `to ${queueName(sourceArn)}`;
  if (options.dryRun) {
    const outcome = move ? `${progressOf(move)} already` : `${depthText(depth)}, ${way}`;
    return { queue: name, outcome: `${outcome}; dry run`, code: EXIT.ok };
  }
  if (sourceArn !== undefined) {
    return await moved(context, target, { ...queue, sourceArn }, options);
  }
  const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
  const sqs = await target.clients.sqs();
  const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  context.stderr.write(`${name}: ${depthText(depth)}, ${way}\n`);
  const code = await runInJob(context, target, [DRAIN_QUEUE, QueueUrl], {
    ...{ wait: options.wait, deadline: options.deadline },
    output: 'progress',
  });
  const outcome =
    code === EXIT.ok
      ? 'taken'
      : code === LISTENER_EXIT.bad
        ? 'processed, except what the listener refused: its log above says why'
        : `not everything was processed: the listener's ${DRAIN_QUEUE} ended with ${code}`;
  return { queue: name, outcome, code };
}

/** Has SQS move what is in a queue, or follows the move that does already. */
async function moved(
  context: OperationContext,
  target: EventTarget,
  { arn, sourceArn, move }: Found & { readonly sourceArn: string },
  { rate: perSecond, wait }: Options,
): Promise<Outcome> {
  const sqs = await target.clients.sqs();
  const name = queueName(arn);
  // What SQS lists is some seconds old: a move of before is not the one that is started here.
  let before = Number.NEGATIVE_INFINITY;
  if (move === undefined) {
    before = Math.max(before, ...(await movesOf(sqs, arn)).map(startOf));
    const { StartMessageMoveTaskCommand } = await import('@aws-sdk/client-sqs');
    const command = new StartMessageMoveTaskCommand({
      SourceArn: arn,
      DestinationArn: sourceArn,
      MaxNumberOfMessagesPerSecond: perSecond,
    });
    await sqs.send(command).catch(async (error) => {
      // Somebody else was quicker.
      if ((await runningMove(sqs, arn)) === undefined) throw error;
    });
  } else {
    context.stderr.write(`${name}: a move is already running, at its own rate; following it\n`);
  }
  const look = async () => (await movesOf(sqs, arn)).find((one) => startOf(one) > before) ?? {};
  return await followed(context, name, look, wait);
}

async function followed(
  { clock, stderr }: OperationContext,
  queue: string,
  look: () => Promise<MoveTask>,
  wait: number,
): Promise<Outcome> {
  let told = '';
  for (let waited = 0; ; waited += BETWEEN_LOOKS_SECONDS) {
    const move = await look();
    const progress = progressOf(move);
    const ended = { queue, outcome: progress, moved: move.ApproximateNumberOfMessagesMoved ?? 0 };
    if (move.Status === 'COMPLETED') return { ...ended, code: EXIT.ok };
    if (move.Status !== undefined && move.Status !== 'RUNNING') {
      const outcome = `${progress}; run the same command again to move the rest`;
      return { ...ended, outcome, code: EXIT.failed };
    }
    if (progress !== told) stderr.write(`${queue}: ${progress}\n`);
    told = progress;
    if (waited >= wait) {
      const outcome = `${progress}; SQS continues; the same command keeps following it, --cancel ends it`;
      return { ...ended, outcome, code: wait === 0 ? EXIT.ok : EXIT.unavailable };
    }
    await clock.sleep(BETWEEN_LOOKS_SECONDS * 1000);
  }
}

function progressOf(move: MoveTask): string {
  const { Status = 'STARTING', ApproximateNumberOfMessagesMoved: count = 0 } = move;
  const { ApproximateNumberOfMessagesToMove: all, FailureReason, StartedTimestamp } = move;
  const of = all === undefined ? '' : ` of ${all}`;
  const since = StartedTimestamp ? ` since ${new Date(StartedTimestamp).toISOString()}` : '';
  const why = FailureReason === undefined ? '' : `: ${FailureReason}`;
  return `move ${Status.toLowerCase()}${since}, ${count}${of} messages moved${why}`;
}

/** Ends the move that runs; one that is being ended is waited for. */
async function cancel(
  { clock, stderr }: OperationContext,
  { clients }: EventTarget,
  { arn, move }: Found,
  { wait, dryRun }: Options,
): Promise<Outcome> {
  const queue = queueName(arn);
  if (move === undefined) return { queue, outcome: 'no move runs', code: EXIT.ok };
  if (dryRun) return { queue, outcome: `${progressOf(move)}; dry run: it goes on`, code: EXIT.ok };
  const sqs = await clients.sqs();
  if (move.Status === 'RUNNING') {
    const { CancelMessageMoveTaskCommand } = await import('@aws-sdk/client-sqs');
    await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: move.TaskHandle }));
  }
  for (let waited = 0; ; waited += BETWEEN_LOOKS_SECONDS) {
    const [latest = {}] = await movesOf(sqs, arn);
    const { Status, ApproximateNumberOfMessagesMoved: moved = 0 } = latest;
    if (Status !== 'RUNNING' && Status !== 'CANCELLING') {
      return { queue, outcome: progressOf(latest), moved, code: EXIT.ok };
    }
    if (waited >= wait) {
      throw new OperationError(`${queue}: ${progressOf(latest)} after ${wait} s`, {
        next: 'SQS is still ending it; run the same command again to keep waiting',
        code: EXIT.unavailable,
      });
    }
    if (waited === 0) stderr.write(`${queue}: the move is being ended\n`);
    await clock.sleep(BETWEEN_LOOKS_SECONDS * 1000);
  }
}
