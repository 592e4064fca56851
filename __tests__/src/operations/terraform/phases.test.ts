import { describe, expect, test } from 'vitest';
import {
  DELIVERY_QUEUE,
  HTTP_SUBSCRIPTION,
  nextStepOf,
  phasesOf,
  QUEUE_SUBSCRIPTION,
} from '../../../../src/operations/terraform/phases.ts';
import { fileProcessingSettings } from '../../../support/settings.ts';

const AWS = ['aws_eks_cluster.this', 'aws_sns_topic.events'];
const KUBERNETES = ['kubernetes_namespace_v1.ns', 'kubernetes_service_v1.sns_listener'];
const ALL = [...AWS, ...KUBERNETES, HTTP_SUBSCRIPTION];

/** Titles of the phases, with an asterisk for those that are limited to some addresses. */
function titles(wanted: readonly string[], held: readonly string[]): readonly string[] {
  return phasesOf(wanted, held).map(({ title, targets }) => `${title}${targets ? '*' : ''}`);
}

test.each([
  ['a first run', ALL, [], ['AWS*', 'Kubernetes*', 'subscription']],
  ['a first run without an endpoint', [...AWS, ...KUBERNETES], [], ['AWS*', 'Kubernetes']],
  ['a first run of the AWS resources', AWS, [], ['all']],
  [
    'a first run of the AWS resources with an endpoint',
    [...AWS, HTTP_SUBSCRIPTION],
    [],
    ['AWS*', 'subscription'],
  ],
  [
    'after an interrupt in the AWS resources',
    ALL,
    [AWS[0] ?? ''],
    ['AWS*', 'Kubernetes*', 'subscription'],
  ],
  ['after the AWS resources', ALL, AWS, ['Kubernetes*', 'subscription']],
  [
    'after an interrupt in the Kubernetes objects',
    ALL,
    [...AWS, 'kubernetes_namespace_v1.ns'],
    ['Kubernetes*', 'subscription'],
  ],
  [
    'once everything but the subscription is there',
    ALL,
    [...AWS, ...KUBERNETES],
    ['Kubernetes*', 'subscription'],
  ],
  ['once everything is there', ALL, ALL, ['all']],
  ['another AWS resource later', [...ALL, 'aws_sqs_queue.more'], ALL, ['all']],
])('%s: %s', (_, wanted, held, expected) => {
  expect(titles(wanted, held)).toEqual(expected);
});

test('the AWS phase is limited to what is neither Kubernetes nor the subscription', () => {
  expect(phasesOf(ALL, [])[0]).toStrictEqual({
    title: 'AWS',
    targets: AWS,
    needsCluster: false,
    needsEndpoint: false,
    needsEmptyQueue: false,
  });
});

describe('a switch of delivery', () => {
  const queue = [DELIVERY_QUEUE, QUEUE_SUBSCRIPTION];
  const byQueue = [...AWS, ...queue, KUBERNETES[0] ?? ''];
  const both = [...ALL, ...queue];

  test.each([
    ['to the queue', byQueue, ALL, ['queue*', 'the rest']],
    ['to the queue, after an interrupt', byQueue, [...ALL, ...queue], ['all']],
    ['to both ways, from the queue', both, byQueue, ['Kubernetes*', 'subscription']],
    ['to both ways, from the endpoint', both, ALL, ['all']],
    ['from both ways to the queue', byQueue, both, ['all']],
    ['from both ways to the endpoint', ALL, both, ['end of the subscription*', 'the rest']],
    ['from both ways to the endpoint, after an interrupt', ALL, [...ALL, DELIVERY_QUEUE], ['all']],
  ])('%s', (_, wanted, held, expected) => {
    expect(titles(wanted, held)).toEqual(expected);
  });

  test('puts the queue in the place of the endpoint before anything goes', () => {
    const [phase] = phasesOf(byQueue, ALL);
    expect(phase?.targets).toEqual([...AWS, ...queue, HTTP_SUBSCRIPTION, KUBERNETES[0]]);
  });

  test('ends the subscription of the queue alone, and leaves the queue once it is empty', () => {
    const [first, last] = phasesOf(ALL, both);
    expect(first).toMatchObject({ targets: [QUEUE_SUBSCRIPTION], needsEmptyQueue: false });
    expect(last?.needsEmptyQueue).toBe(true);
    expect(phasesOf(ALL, [...ALL, DELIVERY_QUEUE])[0]?.needsEmptyQueue).toBe(true);
  });
});

test('the endpoint must answer before the subscription, and before nothing else', () => {
  expect(phasesOf(ALL, []).map(({ needsEndpoint }) => needsEndpoint)).toEqual([false, false, true]);
});

test('the API of the cluster is needed after the AWS phase', () => {
  expect(phasesOf(ALL, []).map(({ needsCluster }) => needsCluster)).toEqual([false, true, true]);
});

test('the API of the cluster is needed as long as the state holds a Kubernetes object', () => {
  expect(phasesOf(AWS, [...AWS, ...KUBERNETES])[0]?.needsCluster).toBe(true);
});

test('the AWS resources alone needs no API of a cluster', () => {
  expect(phasesOf(AWS, AWS)[0]?.needsCluster).toBe(false);
});

const IMAGE = `registry.example.gov/file-processing@sha256:${'a'.repeat(64)}`;

const output = (value: unknown) => ({ load_balancer_hostname: { value, sensitive: false } });

test('without a URL, a name must point at the load balancer', () => {
  const settings = fileProcessingSettings({ image: IMAGE });
  expect(nextStepOf(settings, output('a1-b2.elb.us-gov-west-1.amazonaws.com'))).toContain(
    'the load balancer a1-b2.elb.us-gov-west-1.amazonaws.com',
  );
});

test.each([[output('')], [{}]])('the load balancer may be that of others: %j', (outputs) => {
  const settings = fileProcessingSettings({ image: IMAGE });
  expect(nextStepOf(settings, outputs)).toContain('the load balancer in front of the listener');
});

test.each([
  ['with a URL', { sns_endpoint_url: 'https://files.example.gov/', image: IMAGE }],
  ['with a queue', { delivery: 'sqs' as const, image: IMAGE }],
])('%s nothing is left', (_, values) => {
  expect(nextStepOf(fileProcessingSettings(values), output('host'))).toBeUndefined();
});

test('without an image, the listener comes first', () => {
  expect(nextStepOf(fileProcessingSettings(), {})).toContain('update-image');
});

test('without an image and without our Kubernetes objects, that is the business of others', () => {
  const settings = fileProcessingSettings({ manage_kubernetes: false });
  expect(nextStepOf(settings, {})).not.toContain('update-image');
});
