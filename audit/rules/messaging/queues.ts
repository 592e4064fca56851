import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical } from '../../policy/policies.ts';
import { parseJson } from '../../policy/policy-document.ts';
import {
  argumentRule,
  listOf,
  mayBeAtLeast,
  mayBeAtMost,
  mustBeWithin,
  neighbours,
  read,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

/** The longest that SQS keeps a message, in seconds. */
const FOURTEEN_DAYS = 1_209_600;
/** What SQS keeps a message if nothing else is said. */
const FOUR_DAYS = 345_600;

/** Resources whose redrive policy names a queue. */
function redriveSources(model: Model, queue: Resource): readonly Resource[] {
  const stack = model.stackOf(queue);
  const sources = ['aws_sqs_queue', 'aws_sns_topic_subscription', 'aws_cloudwatch_event_target'];
  return neighbours(model, queue, ...sources).filter(
    ({ attributes }) =>
      stack.target(valueAt(parseJson(attributes.redrive_policy), 'deadLetterTargetArn')) ===
        queue || stack.target(valueAt(attributes.dead_letter_config, 'arn')) === queue,
  );
}

/** Dead-letter queues: what others redrive to, or nothing else fits. */
export function isDeadLetterQueue(model: Model, queue: Resource): boolean {
  return queue.attributes.redrive_policy === undefined && !isSubscribed(model, queue);
}

/**
 * Whether the listener takes messages from a queue: one that it works off, and a dead-letter queue that is no source
 * queue's, since SQS moves nothing out of it by itself.
 */
export function isTakenFrom(model: Model, queue: Resource): boolean {
  return (
    !isDeadLetterQueue(model, queue) ||
    redriveSources(model, queue).every(({ type }) => type !== 'aws_sqs_queue')
  );
}

function isSubscribed(model: Model, queue: Resource): boolean {
  const stack = model.stackOf(queue);
  return neighbours(model, queue, 'aws_sns_topic_subscription').some(
    ({ attributes }) => stack.target(attributes.endpoint) === queue,
  );
}

/** Rules on queues. */
export const QUEUE_RULES: readonly Rule[] = [
  argumentRule({
    id: 'messages-are-kept',
    title:
      'Dead-letter queues keep messages for 14 days, other queues for at least 4 and no longer',
    reason:
      'SQS counts from the first arrival: a dead-letter queue that keeps less than its source can drop a message as it comes, and before anybody is back at work.',
    control: 'CP-10',
    severity: 'medium',
    must: {
      aws_sqs_queue: {
        delay_seconds: mayBeAtMost(0, 'it holds every message back'),
        max_message_size: mayBeAtLeast(262_144, 'SNS sends as much'),
      },
    },
    faults: (queue, { model }) => {
      const seconds = read(model, queue).number('message_retention_seconds');
      const kept = Number.isNaN(seconds) ? FOUR_DAYS : seconds;
      return [
        isDeadLetterQueue(model, queue) &&
          kept < FOURTEEN_DAYS &&
          `message_retention_seconds is ${kept}, must be ${FOURTEEN_DAYS} in a dead-letter queue`,
        kept < FOUR_DAYS && `message_retention_seconds is ${kept}, must be at least ${FOUR_DAYS}`,
      ];
    },
  }),
  argumentRule({
    id: 'queue-has-redrive',
    title: 'A queue that is worked off hands what fails repeatedly to a dead-letter queue',
    reason:
      'Without it one message that cannot be processed comes back until it expires; after a single failure a restart would already lose it.',
    control: 'CP-10',
    severity: 'high',
    must: {
      aws_sqs_queue: {
        visibility_timeout_seconds: mustBeWithin(
          ...([60, 7_200] as const),
          'below, a message comes back while it is worked on; above, one that failed waits for hours',
        ),
        receive_wait_time_seconds: mustBeWithin(1, 20, 'long polling'),
      },
    },
    where: (queue, { model }) => !isDeadLetterQueue(model, queue),
    faults: (queue, { model }) => {
      const policy = parseJson(queue.attributes.redrive_policy);
      const target = model.stackOf(queue).target(valueAt(policy, 'deadLetterTargetArn'));
      const count = Number(valueAt(policy, 'maxReceiveCount'));
      return [
        target?.type !== 'aws_sqs_queue' && 'redrive_policy must name a queue of the stack',
        target === queue && 'redrive_policy names the queue itself',
        target !== undefined &&
          target !== queue &&
          !isDeadLetterQueue(model, target) &&
          'redrive_policy names a queue that is worked off too',
        !(count >= 3 && count <= 20) && `maxReceiveCount is ${count}, must be 3 to 20`,
      ];
    },
  }),
  rule({
    id: 'dead-letter-queue-is-own',
    title:
      'A dead-letter queue takes messages only of the queues that name it, and something names it',
    reason:
      'By default every queue of the account may use it as its dead-letter queue, and flood what people look through.',
    control: 'AC-3',
    severity: 'medium',
    subjects: ({ model }) =>
      model.ofType('aws_sqs_queue').filter((queue) => isDeadLetterQueue(model, queue)),
    faults: (queue, { model }) => {
      const stack = model.stackOf(queue);
      const policy = parseJson(queue.attributes.redrive_allow_policy);
      const permission = valueAt(policy, 'redrivePermission');
      const sources = redriveSources(model, queue);
      const queues = sources
        .filter(({ type }) => type === 'aws_sqs_queue')
        .map((source) => arnOf(stack, source) ?? '');
      const allowed = listOf(valueAt(policy, 'sourceQueueArns')).map((arn) =>
        canonical(stack, arn),
      );
      return [
        sources.length === 0 &&
          neighbours(model, queue, 'aws_sns_topic_subscription').length > 0 &&
          'no redrive policy names it',
        queues.length === 0 &&
          permission !== 'denyAll' &&
          `redrive_allow_policy must be denyAll, not ${String(permission ?? 'missing')}: no queue redrives to it`,
        queues.length > 0 &&
          (permission !== 'byQueue' || [...queues].sort().join() !== [...allowed].sort().join()) &&
          `redrive_allow_policy must be byQueue for ${queues.join(', ')}`,
      ];
    },
  }),
];
