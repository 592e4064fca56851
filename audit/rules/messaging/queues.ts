import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, statementsAbout } from '../../policy/policies.ts';
import { allows, parseJson, requiredValues } from '../../policy/policy-document.ts';
import { isHttp } from '../readers/listeners.ts';
import { argumentRule, listOf, neighbours, read, referring } from '../readers/resources.ts';
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
 * Whether the listener takes messages from a queue: one that it works off, and a dead-letter queue that belongs to no source
 * queue, since SQS moves nothing out of it by itself.
 */
export function isTakenFrom(model: Model, queue: Resource): boolean {
  return (
    !isDeadLetterQueue(model, queue) ||
    redriveSources(model, queue).every(({ type }) => type !== 'aws_sqs_queue')
  );
}

/** Whether a queue has for others what SNS posts to the listener: a second subscription, whose URL nothing of the stack knows. */
export function isOfOthers(model: Model, queue: Resource): boolean {
  const isPosted = neighbours(model, queue, 'aws_sns_topic_subscription').some(({ attributes }) =>
    isHttp(attributes.protocol),
  );
  const { json } = model.stackOf(queue);
  const isKnown = JSON.stringify(json).includes(`\${${queue.address}.url}`);
  return isPosted && isSubscribed(model, queue) && !isKnown;
}

function isSubscribed(model: Model, queue: Resource): boolean {
  return referring(model, queue, 'aws_sns_topic_subscription', 'endpoint').length > 0;
}

/** Whether the policy of a queue lets a service send messages for one source. */
export function letsSend(model: Model, queue: Resource, service: string, source: string): boolean {
  return statementsAbout(model, queue).some(
    (statement) =>
      allows(statement, 'sqs:SendMessage') &&
      statement.principals?.some(({ value }) => value === service) &&
      requiredValues(statement, 'aws:SourceArn').includes(source),
  );
}

/** Rules on queues. */
export const QUEUE_RULES: readonly Rule[] = [
  argumentRule({
    id: 'messages-are-kept',
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
          'redrive_policy names a working queue',
        !(count >= 3 && count <= 20) && `maxReceiveCount is ${count}, must be 3 to 20`,
      ];
    },
  }),
  rule({
    id: 'dead-letter-queue-is-own',
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
