import { describe, expect, it } from 'vitest';
import { dependenciesOf, namesOf, resourceAt } from '../../support/synthesized.ts';
import { IMAGE, synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const HTTPS = 'https://files.example.gov/';

describe('Without an endpoint', () => {
  it('nothing is subscribed: the load balancer must exist before a name can point at it', () => {
    const json = synthesizeFileProcessing({ image: IMAGE });
    expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual([]);
  });
});

describe('The subscription of an https endpoint', () => {
  const json = synthesizeFileProcessing({
    image: IMAGE,
    sns_endpoint_url: HTTPS,
    sns_confirmation_timeout_minutes: 10,
  });
  const subscription = resourceAt(json, 'aws_sns_topic_subscription.http');

  it('posts to the endpoint, signed, as soon as the listener has confirmed', () => {
    expect(subscription).toMatchObject({
      topic_arn: '${aws_sns_topic.file_processing.arn}',
      protocol: 'https',
      endpoint: HTTPS,
      endpoint_auto_confirms: true,
      confirmation_timeout_in_minutes: 10,
      raw_message_delivery: false,
    });
  });

  it('retries for most of the hour that SNS allows', () => {
    expect(JSON.parse(String(subscription.delivery_policy))).toStrictEqual({
      healthyRetryPolicy: {
        minDelayTarget: 5,
        maxDelayTarget: 60,
        numRetries: 65,
        numNoDelayRetries: 0,
        numMinDelayRetries: 5,
        numMaxDelayRetries: 50,
        backoffFunction: 'linear',
      },
    });
  });

  it('hands what could not be delivered to the dead-letter queue', () => {
    expect(JSON.parse(String(subscription.redrive_policy))).toStrictEqual({
      deadLetterTargetArn: '${aws_sqs_queue.dead_letter.arn}',
    });
  });

  it('comes after the policy of the topic, what answers it, and its right to confirm', () => {
    expect(dependenciesOf(json, 'aws_sns_topic_subscription.http')).toEqual([
      'aws_iam_role_policy_attachment.file_processing_delivery',
      'aws_sns_topic_policy.default',
      'kubernetes_deployment_v1.sns_listener',
      'kubernetes_service_v1.sns_listener',
    ]);
  });
});

describe('The subscription of an http endpoint', () => {
  const json = synthesizeFileProcessing({
    image: IMAGE,
    sns_endpoint_url: 'http://files.example.gov/',
    sns_retries: 10,
    sns_retry_min_delay_seconds: 2,
    sns_retry_max_delay_seconds: 30,
    sns_max_receives_per_second: 200,
  });
  const subscription = resourceAt(json, 'aws_sns_topic_subscription.http');

  it('has the protocol of the URL, at the address that https has too', () => {
    expect(subscription).toMatchObject({
      protocol: 'http',
      endpoint: 'http://files.example.gov/',
    });
  });

  it('retries and throttles as the settings say', () => {
    expect(JSON.parse(String(subscription.delivery_policy))).toStrictEqual({
      healthyRetryPolicy: expect.objectContaining({
        minDelayTarget: 2,
        maxDelayTarget: 30,
        numRetries: 10,
      }),
      throttlePolicy: { maxReceivesPerSecond: 200 },
    });
  });
});

describe('The subscription of an endpoint behind an Ingress', () => {
  it('comes after the Ingress as well', () => {
    const json = synthesizeFileProcessing({
      image: IMAGE,
      sns_endpoint_url: HTTPS,
      ingress_class_name: 'alb',
    });
    expect(dependenciesOf(json, 'aws_sns_topic_subscription.http')).toEqual([
      'aws_iam_role_policy_attachment.file_processing_delivery',
      'aws_sns_topic_policy.default',
      'kubernetes_deployment_v1.sns_listener',
      'kubernetes_ingress_v1.sns_listener',
      'kubernetes_service_v1.sns_listener',
    ]);
  });
});

describe('The subscription of an endpoint that others deploy', () => {
  it('waits for no Kubernetes object', () => {
    const json = synthesizeFileProcessing({ sns_endpoint_url: HTTPS, manage_kubernetes: false });
    expect(dependenciesOf(json, 'aws_sns_topic_subscription.http')).toEqual([
      'aws_iam_role_policy_attachment.file_processing_delivery',
      'aws_sns_topic_policy.default',
    ]);
  });
});

describe('The subscription of the delivery queue', () => {
  const json = synthesizeFileProcessing({ image: IMAGE, delivery: 'sqs' });

  it('is the only one, keeps the signed envelope, and waits for nothing in Kubernetes', () => {
    expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual(['queue']);
    expect(resourceAt(json, 'aws_sns_topic_subscription.queue')).toStrictEqual({
      topic_arn: '${aws_sns_topic.file_processing.arn}',
      protocol: 'sqs',
      endpoint: '${aws_sqs_queue.deliveries.arn}',
      raw_message_delivery: false,
      redrive_policy: '{"deadLetterTargetArn":"${aws_sqs_queue.dead_letter.arn}"}',
      lifecycle: { create_before_destroy: true },
    });
  });

  it("takes the place of the endpoint's, and is there before that one goes", () => {
    expect(json.moved).toStrictEqual([
      { from: 'aws_sns_topic_subscription.http', to: 'aws_sns_topic_subscription.queue' },
    ]);
  });

  it('comes before the listener is told of the queue, so that both ways are open meanwhile', () => {
    expect(dependenciesOf(json, 'kubernetes_deployment_v1.sns_listener')).toContain(
      'aws_sns_topic_subscription.queue',
    );
  });
});

describe('The subscriptions while both ways are open', () => {
  const handover = { image: IMAGE, sns_endpoint_url: HTTPS, both_deliveries: true };

  it.each(['http', 'sqs'] as const)('are both there, whichever delivery stays: %s', (delivery) => {
    const json = synthesizeFileProcessing({ ...handover, delivery });
    expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual(['http', 'queue']);
    expect(resourceAt(json, 'aws_sns_topic_subscription.queue')).not.toHaveProperty('lifecycle');
    expect(json).not.toHaveProperty('moved');
    expect(json).not.toHaveProperty('removed');
  });

  it('are that of the queue alone as long as there is no endpoint', () => {
    const json = synthesizeFileProcessing({ ...handover, sns_endpoint_url: '' });
    expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual(['queue']);
    expect(namesOf(json, 'kubernetes_service_v1')).toEqual(['sns_listener']);
  });
});
