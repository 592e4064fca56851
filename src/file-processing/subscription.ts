import { SnsTopicSubscription } from '@cdktf/provider-aws/lib/sns-topic-subscription/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import { httpDeliveryPolicy } from '../policies/http-delivery-policy.ts';
import { hasEndpoint } from '../settings/file-processing/delivery.ts';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import { takeOver } from '../stack/addressed-stack.ts';
import type { DeadLetterQueue, DeliveryQueue } from './queue.ts';
import type { EventTopic } from './topic.ts';

/** What every subscription depends on. */
export interface SubscriptionProps {
  readonly topic: EventTopic;
  readonly deadLetterQueue: DeadLetterQueue;
}

/**
 * Subscribes the delivery queue to the topic. Where the endpoint was subscribed before, and is not any more, this takes
 * the place of its subscription, and is there before that one goes: SNS drops what comes while nobody is subscribed.
 *
 * While both are there, it must not be created before it is destroyed: that spreads to what it refers to, and Terraform
 * finds no order then in which to forget the queue.
 */
export function subscribeQueue(
  scope: Construct,
  {
    settings,
    topic,
    deadLetterQueue,
    queue,
  }: SubscriptionProps & {
    readonly settings: FileProcessingSettings;
    readonly queue: DeliveryQueue;
  },
): SnsTopicSubscription {
  const isAlone = !hasEndpoint(settings);
  if (isAlone) {
    takeOver(scope, 'aws_sns_topic_subscription.http', 'aws_sns_topic_subscription.queue');
  }
  return new SnsTopicSubscription(scope, 'queue', {
    topicArn: topic.arn,
    protocol: 'sqs',
    endpoint: queue.resource.arn,
    // The envelope carries the signature, which the listener checks.
    rawMessageDelivery: false,
    redrivePolicy: redriveTo(deadLetterQueue),
    ...(isAlone && { lifecycle: { createBeforeDestroy: true } }),
  });
}

/** What a subscription over HTTP depends on. */
export interface EndpointSubscriptionProps extends SubscriptionProps {
  readonly settings: FileProcessingSettings;
  /** What must be there for the endpoint to confirm: its right to, Deployment and Service. */
  readonly dependsOn: readonly ITerraformDependable[];
}

/** Subscribes the endpoint to the topic, and waits until the listener has confirmed it. */
export function subscribeEndpoint(
  scope: Construct,
  { settings, topic, deadLetterQueue, dependsOn }: EndpointSubscriptionProps,
): SnsTopicSubscription {
  const { protocol } = new URL(settings.sns_endpoint_url);
  return new SnsTopicSubscription(scope, 'http', {
    topicArn: topic.arn,
    protocol: protocol.slice(0, -1),
    endpoint: settings.sns_endpoint_url,
    endpointAutoConfirms: true,
    confirmationTimeoutInMinutes: settings.sns_confirmation_timeout_minutes,
    rawMessageDelivery: false,
    deliveryPolicy: JSON.stringify(
      httpDeliveryPolicy({
        minDelaySeconds: settings.sns_retry_min_delay_seconds,
        maxDelaySeconds: settings.sns_retry_max_delay_seconds,
        retries: settings.sns_retries,
        maxReceivesPerSecond: settings.sns_max_receives_per_second,
      }),
    ),
    redrivePolicy: redriveTo(deadLetterQueue),
    dependsOn: [...topic.dependsOn, ...dependsOn],
  });
}

function redriveTo({ resource }: DeadLetterQueue): string {
  return JSON.stringify({ deadLetterTargetArn: resource.arn });
}
