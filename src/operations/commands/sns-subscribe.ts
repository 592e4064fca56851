import type { SNSClient } from '@aws-sdk/client-sns';
import { Option } from 'commander';
import { hasEndpoint } from '../../settings/file-processing/delivery.ts';
import { wholeSeconds } from '../command-options.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import { checkQueueArn, queueDepth } from '../topics/dead-letter-queue.ts';
import {
  type EventOptions,
  type EventTarget,
  eventTarget,
  withTopicOption,
} from '../topics/event-target.ts';
import { isConfirmedWithin, subscriptionsOf } from '../topics/subscriptions.ts';
import {
  attributesToSet,
  checkEndpoint,
  checkFilterPolicy,
  NOT_RAW,
  redriveTo,
  type WantedSubscription,
} from '../topics/wanted-subscription.ts';

interface Options extends EventOptions {
  readonly wait: number;
  /** False for `--no-dead-letter`. */
  readonly deadLetter: boolean;
  readonly deadLetterArn?: string;
  readonly filterPolicy?: string;
  readonly filterScope: string;
  readonly dryRun: boolean;
}

/** `manage sns-subscribe`: subscribes an endpoint over HTTP and waits until it has confirmed. */
export const snsSubscribe: Operation<Options> = {
  name: 'sns-subscribe',
  summary: 'subscribe an HTTP endpoint to the topic and wait for its confirmation',
  describe: (command) =>
    withTopicOption(command.argument('[endpoint]', 'its URL, preferably https (default: ENDPOINT)'))
      .addOption(
        new Option('--wait <seconds>', 'how long to wait for the confirmation')
          .default(60)
          .argParser(wholeSeconds),
      )
      .option(
        '--dead-letter-arn <arn>',
        "queue for messages that cannot be delivered (default: the stack's)",
      )
      .option('--no-dead-letter', 'without such a queue: messages that SNS gives up on are lost')
      .option('--filter-policy <json>', 'deliver only what this filter policy allows')
      .addOption(
        new Option('--filter-scope <scope>', 'what the filter policy applies to')
          .choices(['MessageAttributes', 'MessageBody'])
          .default('MessageBody'),
      )
      .option('--dry-run', 'show what would be done, do nothing', false),
  execute: async (context, options, endpoint) => {
    const checked = {
      ...checkEndpoint(endpoint ?? context.env.ENDPOINT),
      asked: askedAttributes(options),
    };
    const target = await eventTarget(context, options);
    refuseEndpointOfStack(checked.endpoint, target);
    if (checked.protocol === 'http') {
      context.stderr.write(
        'warning: over http everybody on the way can read the messages; prefer https\n',
      );
    }
    const wanted = { ...checked, defaults: await defaultAttributes(context, options, target) };
    return subscribe(context, options, { target, wanted });
  },
};

function refuseEndpointOfStack(endpoint: string, { isOfStack, settings }: EventTarget): void {
  if (!isOfStack || !hasEndpoint(settings) || endpoint !== settings.sns_endpoint_url) return;
  throw new OperationError(`the stack owns the subscription of ${endpoint} (sns_endpoint_url)`, {
    code: EXIT.refused,
    next: 'npm run manage -- apply makes it, with the retries and the dead-letter queue of the tfvars',
  });
}

function askedAttributes({ deadLetterArn, filterPolicy, filterScope }: Options) {
  return {
    ...NOT_RAW,
    ...(deadLetterArn && redriveTo(checkQueueArn(deadLetterArn))),
    ...(filterPolicy && {
      FilterPolicyScope: filterScope,
      FilterPolicy: checkFilterPolicy(filterPolicy),
    }),
  };
}

/** The stack's dead-letter queue, if it is there and nothing else was asked for. */
async function defaultAttributes(
  { stderr }: OperationContext,
  { deadLetter, deadLetterArn }: Options,
  { clients, deadLetterArn: queueArn }: EventTarget,
): Promise<Readonly<Record<string, string>>> {
  if (deadLetterArn || !deadLetter) return {};
  if (await queueDepth(await clients.sqs(), queueArn)) return redriveTo(queueArn);
  stderr.write(
    `warning: there is no queue ${queueArn}; messages that SNS gives up on are lost. Name one by --dead-letter-arn\n`,
  );
  return {};
}

interface Work {
  readonly target: EventTarget;
  readonly wanted: WantedSubscription;
}

async function subscribe(
  context: OperationContext,
  options: Options,
  { target: { clients, topic }, wanted }: Work,
): Promise<ExitCode> {
  const sns = await clients.sns();
  const { protocol, endpoint, asked, defaults } = wanted;
  const existing = (await subscriptionsOf(sns, topic.arn)).find(
    (one) => one.endpoint === endpoint && one.protocol === protocol && one.state !== 'deleted',
  );
  const result = (outcome: object, text: string) =>
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ topicArn: topic.arn, endpoint, dryRun: options.dryRun, ...outcome }, null, 2)}\n`
        : `${text}\n`,
    );

  if (existing?.arn !== undefined && existing.state === 'confirmed') {
    const set = attributesToSet(existing.attributes, wanted);
    if (!options.dryRun) await setAttributes(sns, existing.arn, set);
    const changed = Object.keys(set).length > 0;
    const outcome = options.dryRun ? 'would be changed (dry run)' : 'changed';
    result(
      { subscriptionArn: existing.arn, state: 'confirmed', changed, attributes: set },
      [
        ...Object.entries(set).map(([name, value]) => `+ ${name} = ${value}`),
        `${endpoint}: subscribed already, ${changed ? outcome : 'unchanged'} (${existing.arn})`,
      ].join('\n'),
    );
    return EXIT.ok;
  }

  const attributes = { ...defaults, ...asked };
  if (options.dryRun) {
    result(
      { changed: true, attributes },
      `${endpoint}: would be ${existing ? 'asked again to confirm' : `subscribed to ${topic.arn}`} (dry run)`,
    );
    return EXIT.ok;
  }
  const { SubscribeCommand } = await import('@aws-sdk/client-sns');
  const { SubscriptionArn: arn } = await sns.send(
    new SubscribeCommand({
      TopicArn: topic.arn,
      Protocol: protocol,
      Endpoint: endpoint,
      Attributes: attributes,
      ReturnSubscriptionArn: true,
    }),
  );
  if (arn === undefined) throw new OperationError('SNS names no subscription');
  context.stderr.write(`waiting up to ${options.wait} s for ${endpoint} to confirm\n`);
  const isConfirmed = await isConfirmedWithin(sns, arn, context.clock, options.wait);
  const state = isConfirmed ? 'confirmed' : 'pending';
  result(
    { subscriptionArn: arn, state, changed: true, attributes },
    `${endpoint}: ${state} (${arn})`,
  );
  if (isConfirmed) return EXIT.ok;
  throw new OperationError(`${endpoint} did not confirm within ${options.wait} s`, {
    next: `does POST ${endpoint} reach the listener from the internet, and does its SNS_TOPIC_ARNS hold ${topic.arn}? Its log names every message that it refused. Running this again asks it again; SNS forgets an unconfirmed subscription after two days`,
  });
}

async function setAttributes(
  sns: SNSClient,
  arn: string,
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  const { SetSubscriptionAttributesCommand } = await import('@aws-sdk/client-sns');
  for (const [AttributeName, AttributeValue] of Object.entries(attributes)) {
    await sns.send(
      new SetSubscriptionAttributesCommand({ SubscriptionArn: arn, AttributeName, AttributeValue }),
    );
  }
}
