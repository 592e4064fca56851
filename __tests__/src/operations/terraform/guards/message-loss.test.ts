import { describe, expect, test } from 'vitest';
import {
  queuesThatGo,
  refuseMessageLoss,
  refuseSelfReplacement,
  refuseSubscriptionGap,
  refuseTopicReplacement,
  refuseUnreadySwitch,
} from '../../../../../src/operations/terraform/guards/message-loss.ts';
import {
  DELIVERY_QUEUE,
  HTTP_SUBSCRIPTION,
  QUEUE_SUBSCRIPTION,
} from '../../../../../src/operations/terraform/phases.ts';
import type { PlannedChange } from '../../../../../src/operations/terraform/plan-json.ts';

const ARN = 'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:drops-deliveries';
type Values = PlannedChange['change']['before'];

function change(
  address: string,
  actions: readonly string[],
  before: Values,
  after: Values = before,
): PlannedChange {
  return { address, type: address.split('.')[0] ?? '', change: { actions, before, after } };
}
const planOf = (...resource_changes: readonly PlannedChange[]) => ({ resource_changes });

describe('a queue goes', () => {
  test.each([
    ['that is deleted', ['delete']],
    ['that is replaced', ['create', 'delete']],
    ['that is left to nobody', ['forget']],
  ])('%s', (_, actions) => {
    expect(queuesThatGo(planOf(change(DELIVERY_QUEUE, actions, { arn: ARN })))).toEqual([ARN]);
  });

  test('which one that is changed in place does not', () => {
    expect(queuesThatGo(planOf(change(DELIVERY_QUEUE, ['update'], { arn: ARN })))).toEqual([]);
  });

  test('nor one whose subscription goes in the same plan: an apply takes that first, and waits', () => {
    const unsubscribed = change(QUEUE_SUBSCRIPTION, ['delete'], { endpoint: ARN });
    const left = change(DELIVERY_QUEUE, ['forget'], { arn: ARN });
    expect(queuesThatGo(planOf(left, unsubscribed))).toEqual([]);
  });
});

const EMPTY = { arn: ARN, messages: 0, inFlight: 0, delayed: 0, problem: undefined };

test.each([
  ['wait', { messages: 2 }, '2 messages (2 waiting, 0 in flight, 0 delayed)'],
  ['are in flight', { inFlight: 1 }, '1 messages (0 waiting, 1 in flight, 0 delayed)'],
  ['are delayed', { delayed: 3 }, '3 messages (0 waiting, 0 in flight, 3 delayed)'],
  ["can't be counted", { problem: 'AccessDenied' }, 'could not be counted: AccessDenied'],
])('a queue whose messages %s is not taken away', (_, counts, text) => {
  const [refusal, ...others] = refuseMessageLoss([{ ...EMPTY, ...counts }]);
  expect(others).toEqual([]);
  expect(refusal?.reason).toContain('take the queue drops-deliveries away');
  expect(refusal?.reason).toContain(text);
  expect(refusal?.next).toContain('--allow-message-loss');
});

test('an empty queue may go', () => {
  expect(refuseMessageLoss([EMPTY])).toEqual([]);
});

test.each([
  ['before the new one is made', ['delete', 'create']],
  ['after', ['create', 'delete']],
])('a topic under another name is refused, where the old one goes %s', (_, actions) => {
  const plan = planOf(change('aws_sns_topic.t', actions, { name: 'drops' }, { name: 'other' }));
  const [refusal] = refuseTopicReplacement(plan);
  expect(refusal?.reason).toContain('replace the topic drops with its queues');
});

test('a topic that is changed in place is not', () => {
  expect(refuseTopicReplacement(planOf(change('aws_sns_topic.t', ['update'], {})))).toEqual([]);
});

describe('another endpoint', () => {
  const endpoint = change(
    HTTP_SUBSCRIPTION,
    ['delete', 'create'],
    { endpoint: 'https://old.example/', pending_confirmation: false },
    { endpoint: 'https://new.example/' },
  );

  test('is refused while nothing else is subscribed', () => {
    const [refusal] = refuseSubscriptionGap(planOf(endpoint));
    expect(refusal?.reason).toContain('unsubscribe https://old.example/ before another');
    expect(refusal?.next).toContain('both_deliveries = true');
  });

  test('is not while the queue stays subscribed', () => {
    const queue = change(QUEUE_SUBSCRIPTION, ['no-op'], { endpoint: ARN });
    expect(refuseSubscriptionGap(planOf(endpoint, queue))).toEqual([]);
  });

  test('is not where the old one never confirmed', () => {
    const pending = { endpoint: 'https://old.example/', pending_confirmation: true };
    const plan = planOf(change(HTTP_SUBSCRIPTION, ['delete', 'create'], pending));
    expect(refuseSubscriptionGap(plan)).toEqual([]);
  });
});

describe('a resource that would be deleted as soon as it is made', () => {
  test.each([
    ['aws_sns_topic.t', { name: 'drops' }],
    ['aws_sqs_queue.q', { name: 'drops-deliveries' }],
    [QUEUE_SUBSCRIPTION, { topic_arn: 'topic', protocol: 'sqs', endpoint: ARN }],
  ])('is refused: %s', (address, values) => {
    const plan = planOf(change(address, ['create', 'delete'], values));
    expect(refuseSelfReplacement(plan, 'stack')).toMatchObject([
      { next: expect.stringContaining(`terraform -chdir=stack untaint ${address}`) },
    ]);
  });

  test.each([
    ['deletes it first', ['delete', 'create'], { name: 'drops' }],
    ['makes another one', ['create', 'delete'], { name: 'other' }],
  ])('is not where the plan %s', (_, actions, after) => {
    const plan = planOf(change('aws_sns_topic.t', actions, { name: 'drops' }, after));
    expect(refuseSelfReplacement(plan, 'stack')).toEqual([]);
  });
});

describe('the queue may be left', () => {
  const held = (...addresses: readonly string[]) =>
    addresses.map((address) => ({ address, type: '', values: {}, tainted: false }));

  test('once the endpoint is subscribed', () => {
    const all = held(DELIVERY_QUEUE, QUEUE_SUBSCRIPTION, HTTP_SUBSCRIPTION);
    expect(refuseUnreadySwitch([HTTP_SUBSCRIPTION], all)).toEqual([]);
  });

  test.each([
    ['before it is', [HTTP_SUBSCRIPTION], held(DELIVERY_QUEUE)],
    ['where it goes as well', [], held(DELIVERY_QUEUE, HTTP_SUBSCRIPTION)],
    [
      'where it has not confirmed',
      [HTTP_SUBSCRIPTION],
      [
        ...held(DELIVERY_QUEUE),
        { address: HTTP_SUBSCRIPTION, type: '', values: {}, tainted: true },
      ],
    ],
  ])('and not %s', (_, wanted, state) => {
    const [refusal] = refuseUnreadySwitch(wanted, state);
    expect(refusal?.reason).toContain('the listener would lose its queue');
    expect(refusal?.next).toContain('both_deliveries = true');
  });

  test('by nobody who keeps it', () => {
    expect(refuseUnreadySwitch([DELIVERY_QUEUE], held(DELIVERY_QUEUE))).toEqual([]);
  });
});
