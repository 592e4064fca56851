import { describe, expect, test } from 'vitest';
import {
  refuseLastUnsubscribed,
  refuseLoadBalancerReplacement,
  refuseNetworkDeletion,
  refuseSilentBucket,
} from '../../../../../src/operations/terraform/guards/what-runs.ts';
import {
  HTTP_SUBSCRIPTION,
  QUEUE_SUBSCRIPTION,
} from '../../../../../src/operations/terraform/phases.ts';
import type { PlannedChange } from '../../../../../src/operations/terraform/plan-json.ts';
import type { FileProcessingSettings } from '../../../../../src/settings/file-processing-variables.ts';

type Values = NonNullable<PlannedChange['change']['before']>;

function change(address: string, actions: readonly string[], values: Values = {}): PlannedChange {
  const before = actions[0] === 'create' && actions.length === 1 ? null : values;
  const after = actions.join() === 'delete' ? null : values;
  return { address, type: address.split('.')[0] ?? '', change: { actions, before, after } };
}
const planOf = (...resource_changes: readonly PlannedChange[]) => ({ resource_changes });

describe('the network', () => {
  test.each([
    ['aws_vpc.main', ['delete', 'create']],
    ['aws_subnet.private_a', ['delete', 'create']],
    ['aws_subnet.public_b', ['delete']],
    ['aws_security_group.endpoints', ['delete', 'create']],
  ])('%s is not taken from what runs in it: %j', (address, actions) => {
    const [refusal, ...others] = refuseNetworkDeletion(planOf(change(address, actions)));
    expect(others).toEqual([]);
    expect(refusal?.reason).toContain(`would delete or replace ${address}:`);
    expect(refusal?.next).toContain('--allow-cluster-replacement');
  });

  test('all that goes is named in one refusal', () => {
    const gone = ['a', 'b'].map((zone) => change(`aws_subnet.private_${zone}`, ['delete']));
    expect(refuseNetworkDeletion(planOf(...gone))).toMatchObject([
      { reason: expect.stringContaining('aws_subnet.private_a, aws_subnet.private_b') },
    ]);
  });

  test.each([
    ['aws_subnet.private_a', ['update']],
    ['aws_subnet.private_c', ['create']],
    ['aws_nat_gateway.public_b', ['delete']],
    ['aws_security_group.endpoints', ['delete']],
  ])('%s may change: %j', (address, actions) => {
    expect(refuseNetworkDeletion(planOf(change(address, actions)))).toEqual([]);
  });
});

describe('the Service of the load balancer', () => {
  const service = (type: string, actions: readonly string[]) =>
    planOf(
      change('kubernetes_service_v1.sns_listener', actions, {
        metadata: [{ name: 'sns-listener' }],
        spec: [{ type }],
      }),
    );

  test('is not replaced: the new one has another host name', () => {
    expect(
      refuseLoadBalancerReplacement(service('LoadBalancer', ['delete', 'create'])),
    ).toMatchObject([
      {
        reason: expect.stringContaining('load balancer of sns-listener (kubernetes_service_v1'),
        next: expect.stringContaining('such as namespace'),
      },
    ]);
  });

  test('does not go for an Ingress in its place', () => {
    const [change] = service('LoadBalancer', ['update']).resource_changes;
    const after = { spec: [{ type: 'ClusterIP' }] };
    const plan = planOf({ ...change, change: { ...change?.change, after } } as PlannedChange);
    expect(refuseLoadBalancerReplacement(plan)).toHaveLength(1);
  });

  const ingress = change('kubernetes_ingress_v1.sns_listener', ['delete'], {
    metadata: [{ name: 'sns-listener' }],
  });

  test('nor an Ingress for it, while SNS posts there', () => {
    const subscribed = change(HTTP_SUBSCRIPTION, ['no-op']);
    expect(refuseLoadBalancerReplacement(planOf(ingress, subscribed))).toHaveLength(1);
    const unsubscribed = change(HTTP_SUBSCRIPTION, ['delete']);
    expect(refuseLoadBalancerReplacement(planOf(ingress, unsubscribed))).toEqual([]);
  });

  test.each([
    ['LoadBalancer', ['delete']],
    ['LoadBalancer', ['update']],
    ['ClusterIP', ['delete', 'create']],
  ])('of type %s may go by %j', (type, actions) => {
    expect(refuseLoadBalancerReplacement(service(type, actions))).toEqual([]);
  });
});

describe('the subscription of the endpoint', () => {
  const ENDPOINT = { endpoint: 'https://files.example.gov/' };
  const gone = change(HTTP_SUBSCRIPTION, ['delete'], ENDPOINT);

  test('does not go while nothing else is subscribed', () => {
    expect(refuseLastUnsubscribed(planOf(gone))).toMatchObject([
      {
        reason: expect.stringContaining('would unsubscribe https://files.example.gov/'),
        next: expect.stringContaining('--allow-message-loss'),
      },
    ]);
  });

  test.each([
    ['beside the queue', planOf(gone, change(QUEUE_SUBSCRIPTION, ['no-op']))],
    ['for the queue', planOf(gone, change(QUEUE_SUBSCRIPTION, ['create']))],
    [
      'that it never confirmed',
      planOf(change(HTTP_SUBSCRIPTION, ['delete'], { ...ENDPOINT, pending_confirmation: true })),
    ],
    ['that changes', planOf(change(HTTP_SUBSCRIPTION, ['update'], ENDPOINT))],
    [
      'of the queue, whose switch is looked at elsewhere',
      planOf(change(QUEUE_SUBSCRIPTION, ['delete'])),
    ],
    ['in a stack without one', planOf()],
  ])('%s may', (_, plan) => {
    expect(refuseLastUnsubscribed(plan)).toEqual([]);
  });
});

describe('the event notifications of a bucket', () => {
  const ADDRESS = 'aws_s3_bucket_notification.bucket';
  const settings = { bucket_name: 'etl-client', buckets: [] } as unknown as FileProcessingSettings;
  const plan = (actions: readonly string[], bucket = 'etl-client') =>
    planOf(change(ADDRESS, actions, { bucket }));

  test('do not go while the settings name it', () => {
    expect(refuseSilentBucket(plan(['delete']), settings)).toMatchObject([
      {
        reason: expect.stringContaining('event notifications of bucket etl-client'),
        next: expect.stringContaining(`terraform state rm ${ADDRESS}`),
      },
    ]);
  });

  test.each([
    ['of a bucket that they name no longer', plan(['delete'], 'etl-former')],
    ['that change', plan(['update'])],
    ['that are put at another bucket', plan(['delete', 'create'])],
  ])('%s may', (_, changed) => {
    expect(refuseSilentBucket(changed, settings)).toEqual([]);
  });
});
