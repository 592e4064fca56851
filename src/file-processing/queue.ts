import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import { Construct } from 'constructs';
import { queuePolicy, type RuleSender } from '../policies/messaging-policies.ts';
import { policyJson } from '../policies/policy-document.ts';
import { hasQueue } from '../settings/file-processing/delivery.ts';
import { type Context, regionalArn } from './context.ts';

/** The longest that SQS keeps a message. */
export const FOURTEEN_DAYS = 14 * 24 * 3600;

/** What a queue depends on. */
export interface QueueProps {
  readonly context: Context;
  /** Topic that sends to the queue. */
  readonly topicArn: string;
  readonly keyArn: string;
}

/** Keeps what could not be delivered, until somebody has looked at it and sent it again. */
export class DeadLetterQueue extends Construct {
  readonly resource: SqsQueue;

  constructor(scope: Construct, { context, topicArn, keyArn }: QueueProps) {
    super(scope, 'dead-letter-queue');
    const { settings } = context;
    const name = `${settings.sns_topic_name}-dead-letter`;
    this.resource = new SqsQueue(this, 'dead_letter', {
      name,
      kmsMasterKeyId: keyArn,
      policy: policyJson(queuePolicy(queueArn(context, name), { topicArn })),
      messageRetentionSeconds: FOURTEEN_DAYS,
      // SNS is not a source queue: it needs the policy above, and no permission here.
      redriveAllowPolicy: JSON.stringify(
        hasQueue(settings)
          ? {
              redrivePermission: 'byQueue',
              sourceQueueArns: [deliveryQueueArn(context)],
            }
          : { redrivePermission: 'denyAll' },
      ),
    });
  }
}

/** Holds the messages of topic and rule until the listener fetches them (`delivery = "sqs"`, or both ways). */
export class DeliveryQueue extends Construct {
  readonly resource: SqsQueue;

  constructor(
    scope: Construct,
    props: QueueProps & { readonly deadLetterArn: string; readonly rules: readonly RuleSender[] },
  ) {
    super(scope, 'delivery-queue');
    const { context, topicArn, keyArn, deadLetterArn, rules } = props;
    const { settings } = context;
    const name = deliveryQueueName(context);
    this.resource = new SqsQueue(this, 'deliveries', {
      name,
      kmsMasterKeyId: keyArn,
      policy: policyJson(queuePolicy(queueArn(context, name), { topicArn, rules })),
      messageRetentionSeconds: FOURTEEN_DAYS,
      visibilityTimeoutSeconds: settings.queue_visibility_timeout_seconds,
      receiveWaitTimeSeconds: 20,
      redrivePolicy: JSON.stringify({
        deadLetterTargetArn: deadLetterArn,
        maxReceiveCount: settings.queue_max_receive_count,
      }),
    });
  }
}

/** ARN of the queue that the listener fetches from, for what others name. */
export function deliveryQueueArn(context: Context): string {
  return queueArn(context, deliveryQueueName(context));
}

function deliveryQueueName({ settings }: Context): string {
  return `${settings.sns_topic_name}-deliveries`;
}

/** Made from the name: a reference to the queue in its own policy would be a cycle. */
function queueArn(context: Context, name: string): string {
  return regionalArn(context, 'sqs', name);
}
