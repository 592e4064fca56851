import { CloudwatchEventRule } from '@cdktf/provider-aws/lib/cloudwatch-event-rule/index.js';
import type { CloudwatchEventTargetConfig } from '@cdktf/provider-aws/lib/cloudwatch-event-target/index.js';
import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { queuePolicy, type RuleSender } from '../policies/messaging-policies.ts';
import { policyJson } from '../policies/policy-document.ts';
import { type Bucket, bucketsOf, newObjectPattern } from '../settings/buckets.ts';
import { usesEventBridge } from '../settings/file-processing/delivery.ts';
import { LightResource } from '../stack/light-resource.ts';
import { type Context, regionalArn } from './context.ts';
import { type DeliveryQueue, FOURTEEN_DAYS } from './queue.ts';

/** Name of the rule, in each account that owns buckets. */
export function ruleName({ settings }: Context): string {
  return `${settings.sns_topic_name}-new-objects`;
}

/** ARN of the queue of events that EventBridge could not deliver. */
export function undeliveredQueueArn(context: Context): string {
  return regionalArn(context, 'sqs', undeliveredQueueName(context));
}

function undeliveredQueueName({ settings }: Context): string {
  return `${settings.sns_topic_name}-undelivered`;
}

/** The rules that may send: one of each account that owns buckets; none without EventBridge. */
export function ruleSenders(context: Context): readonly RuleSender[] {
  if (!usesEventBridge(context.settings)) return [];
  return [...bucketsByOwner(context).keys()].map((owner) => {
    const account = owner || context.account;
    const ruleArn = regionalArn({ ...context, account }, 'events', `rule/${ruleName(context)}`);
    return { account, ruleArn, sid: owner };
  });
}

/** The buckets of each account; `''` is that of the stack. */
export function bucketsByOwner({ settings }: Context): ReadonlyMap<string, readonly Bucket[]> {
  return Map.groupBy(bucketsOf(settings), ({ account }) => account);
}

/**
 * Sends events of new objects from the default event bus to the queue that the listener fetches from, and to a
 * dead-letter queue of its own where that fails (Amazon EventBridge User Guide, "Using dead-letter queues").
 */
export class EventRule extends Construct {
  readonly undelivered: SqsQueue;
  /** A bucket that sends events before its rule has a target tells nobody. */
  readonly dependsOn: readonly ITerraformDependable[];

  constructor(
    scope: Construct,
    {
      context,
      queue,
      keyArn,
    }: { readonly context: Context; readonly queue: DeliveryQueue; readonly keyArn: string },
  ) {
    super(scope, 'event-rule');
    this.undelivered = new SqsQueue(this, 'undelivered', {
      name: undeliveredQueueName(context),
      kmsMasterKeyId: keyArn,
      policy: policyJson(
        queuePolicy(undeliveredQueueArn(context), { rules: ruleSenders(context) }),
      ),
      messageRetentionSeconds: FOURTEEN_DAYS,
      redriveAllowPolicy: JSON.stringify({ redrivePermission: 'denyAll' }),
    });
    const own = bucketsByOwner(context).get('');
    this.dependsOn = own === undefined ? [] : [this.#ownRule(context, own, queue)];
  }

  #ownRule(context: Context, buckets: readonly Bucket[], queue: DeliveryQueue) {
    const rule = new CloudwatchEventRule(this, 'new_objects', {
      name: ruleName(context),
      description: 'New objects of the buckets, to the queue that the listener fetches from',
      eventPattern: JSON.stringify(newObjectPattern(buckets, context.account)),
    });
    return new LightResource<CloudwatchEventTargetConfig>(
      this,
      'deliveries',
      'aws_cloudwatch_event_target',
      {
        rule: rule.name,
        arn: queue.resource.arn,
        deadLetterConfig: { arn: this.undelivered.arn },
      },
    );
  }
}
