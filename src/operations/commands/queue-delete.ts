import { hasQueue } from '../../settings/file-processing/delivery.ts';
import { allowMessageLossOption, waitOption, withConsentOptions } from '../command-options.ts';
import type { CommonOptions, Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { refuse } from '../terraform/guards/refusals.ts';
import { type QueueDepth, queueDepth } from '../topics/dead-letter-queue.ts';
import { type EventTarget, eventTarget } from '../topics/event-target.ts';
import { depthText, messagesIn, queueName, waitUntilEmpty } from '../topics/queue-drain.ts';
import { subscriptionsOf } from '../topics/subscriptions.ts';

interface Options {
  readonly queue?: string;
  readonly allowMessageLoss: boolean;
  readonly autoApprove: boolean;
  readonly dryRun: boolean;
  readonly wait: number;
}

/** `manage queue-delete`: deletes a queue that the stack has left, once it is empty. */
export const queueDelete: Operation<Options> = {
  name: 'queue-delete',
  summary: 'delete the queue left by a switch of delivery, once it is empty',
  describe: (command) =>
    withConsentOptions(command)
      .option(
        '--queue <name>',
        'the queue (default: the one that the stack made for delivery = "sqs")',
      )
      .addOption(waitOption('how long to wait for the queue to become empty'))
      .addOption(allowMessageLossOption()),
  execute: async (context, options) => {
    refuseBadName(options.queue);
    const target = await eventTarget(context, options);
    const arn = queueArn(target, options.queue);
    refuseQueueOfStack(arn, target);
    const sqs = await target.clients.sqs();
    const depth = await queueDepth(sqs, arn);
    if (depth === undefined) return report(options, { arn, deleted: false }, 'there is none');
    await refuseSubscribed(arn, target);
    if (!options.allowMessageLoss) refuseFilled(depth);
    if (options.dryRun) {
      return report(options, { arn, deleted: false }, `${depthText(depth)}; dry run: it stays`);
    }
    const question = `Delete ${arn} with its ${depthText(depth)}?`;
    if (!options.autoApprove && !(await context.confirm(question))) {
      throw new OperationError('declined; the queue was not deleted', {
        next: '--auto-approve goes on without asking',
        code: EXIT.refused,
      });
    }
    if (!options.allowMessageLoss) {
      await waitUntilEmpty(context, () => queueDepth(sqs, arn), options.wait);
    }
    const { DeleteQueueCommand, GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueName(arn) }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    return report(options, { arn, deleted: true }, 'deleted');

    function report(
      { json }: CommonOptions,
      result: { readonly arn: string; readonly deleted: boolean },
      outcome: string,
    ) {
      context.stdout.write(
        json ? `${JSON.stringify(result)}\n` : `${queueName(result.arn)}: ${outcome}\n`,
      );
      return EXIT.ok;
    }
  },
};

function refuseBadName(name: string | undefined): void {
  if (name === undefined || /^[\w-]{1,80}$/.test(name)) return;
  throw new OperationError(
    `--queue ${JSON.stringify(name)} is not the name of a queue: 1 to 80 letters, digits, hyphens and underscores`,
    { code: EXIT.usage },
  );
}

function queueArn({ deliveryQueueArn }: EventTarget, name: string | undefined): string {
  return name === undefined ? deliveryQueueArn : deliveryQueueArn.replace(/[^:]+$/, name);
}

function refuseQueueOfStack(arn: string, target: EventTarget): void {
  const { isOfStack, deadLetterArn, deliveryQueueArn, settings } = target;
  const isItsOwn = arn === deadLetterArn || (arn === deliveryQueueArn && hasQueue(settings));
  if (!isOfStack || !isItsOwn) return;
  refuse([
    {
      reason: `the stack has the queue ${queueName(arn)}, by its tfvars`,
      next: 'delivery = "http" without both_deliveries leaves the delivery queue: apply that first',
    },
  ]);
}

async function refuseSubscribed(arn: string, { clients, topic }: EventTarget): Promise<void> {
  const subscriptions = await subscriptionsOf(await clients.sns(), topic.arn).catch((error) => {
    // A destroy takes the topic, but not the queue, which it does not know.
    if (error.cause?.name === 'NotFoundException') return [];
    throw error;
  });
  if (!subscriptions.some(({ endpoint, state }) => endpoint === arn && state !== 'deleted')) return;
  refuse([
    {
      reason: `${queueName(arn)} is subscribed to ${topic.arn}: messages come to it`,
      next: 'npm run manage -- apply takes the subscription away; one of others is for them to end',
    },
  ]);
}

function refuseFilled(depth: QueueDepth): void {
  if (depth.problem === undefined && messagesIn(depth) === 0) return;
  refuse([
    {
      reason: `${queueName(depth.arn)}: ${depthText(depth)}`,
      next: 'set both_deliveries = true and apply, so that the listener fetches them; or go on with --allow-message-loss',
    },
  ]);
}
