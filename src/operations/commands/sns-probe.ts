import type { SQSClient } from '@aws-sdk/client-sqs';
import {
  type LocalStackOption,
  localStackTarget,
  withLocalStackOption,
} from '../localstack/localstack-target.ts';
import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { textTable } from '../text-table.ts';
import {
  deadLetterQueueOf,
  type QueueDepth,
  queueDepth,
  redriveTarget,
} from '../topics/dead-letter-queue.ts';
import { type EventOptions, eventTarget, withTopicOption } from '../topics/event-target.ts';
import { problemsOf, SUBSCRIPTION_COLUMNS, subscriptionRow } from '../topics/probe.ts';
import { type Subscription, subscriptionsOf } from '../topics/subscriptions.ts';

/**
 * `manage sns-probe`: shows who is subscribed and what could not be delivered. It ends with 1 when
 * something keeps messages from arriving, so that a script can wait for it or call somebody.
 */
export const snsProbe: Operation<EventOptions & LocalStackOption> = {
  name: 'sns-probe',
  summary: 'show who is subscribed to the topic, in which state, and what could not be delivered',
  describe: (command) =>
    withLocalStackOption(withTopicOption(command)).addHelpText(
      'after',
      '\nEnds with 1 when nobody is subscribed, a subscription is pending or raw, or a dead-letter queue holds messages.',
    ),
  execute: async (context, options) => {
    const target = options.localstack
      ? await localStackTarget(context, options)
      : await eventTarget(context, options);
    const { clients, topic } = target;
    const subscriptions = await subscriptionsOf(await clients.sns(), topic.arn);
    const queues = await depths(await clients.sqs(), [
      'deadLetterArn' in target ? target.deadLetterArn : deadLetterQueueOf(topic),
      ...subscriptions.map(({ attributes }) => redriveTarget(attributes.RedrivePolicy)),
    ]);
    const problems = problemsOf(subscriptions, queues);
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ topicArn: topic.arn, subscriptions, queues, problems }, null, 2)}\n`
        : asText(topic.arn, subscriptions, queues),
    );
    if (!options.json) for (const problem of problems) context.stdout.write(`! ${problem}\n`);
    return problems.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

async function depths(
  sqs: SQSClient,
  arns: readonly (string | undefined)[],
): Promise<readonly QueueDepth[]> {
  const distinct = new Set(arns.filter((arn) => arn !== undefined));
  const read = await Promise.all([...distinct].map((arn) => queueDepth(sqs, arn)));
  return read.filter((depth) => depth !== undefined);
}

function asText(
  topicArn: string,
  subscriptions: readonly Subscription[],
  queues: readonly QueueDepth[],
): string {
  const queueRows = queues.map(({ arn, messages, inFlight }) => [
    ...[arn.split(':').at(-1) ?? arn, String(messages ?? '?'), String(inFlight ?? '?')],
  ]);
  return [
    `${topicArn}\n`,
    textTable([SUBSCRIPTION_COLUMNS, ...subscriptions.map(subscriptionRow)]),
    queueRows.length > 0
      ? textTable([['DEAD-LETTER QUEUE', 'MESSAGES', 'IN FLIGHT'], ...queueRows])
      : '',
  ].join('');
}
