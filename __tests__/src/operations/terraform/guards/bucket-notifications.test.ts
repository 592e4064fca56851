import type { NotificationConfiguration } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import {
  bucketsWithPlannedNotifications,
  refuseNotificationGap,
  refuseNotificationsOfOthers,
  refuseNotificationsUnderNewAddress,
} from '../../../../../src/operations/terraform/guards/bucket-notifications.ts';
import type { PlanJson } from '../../../../../src/operations/terraform/plan-json.ts';

const BUCKET = 'etl-client';
const TOPIC_NAME = 'file-processing-topic';
const TOPIC = `arn:aws-us-gov:sns:us-gov-west-1:123456789012:${TOPIC_NAME}`;
const QUEUE = 'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:reports';
const FUNCTION = 'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:thumbnails';

const CREATED = ['s3:ObjectCreated:*'] as const;
const OURS = { topic_arn: TOPIC, events: CREATED, filter_prefix: 'in/', filter_suffix: '.csv' };

/** A plan that writes the notifications of the bucket. */
function plan(
  actions: readonly string[],
  values: {
    readonly before?: Readonly<Record<string, unknown>>;
    readonly after?: Readonly<Record<string, unknown>>;
  },
): PlanJson {
  const withBucket = (value?: Readonly<Record<string, unknown>>) =>
    value === undefined ? null : { bucket: BUCKET, ...value };
  return {
    resource_changes: [
      {
        address: 'aws_s3_bucket_notification.bucket',
        type: 'aws_s3_bucket_notification',
        change: {
          actions,
          before: withBucket(values.before),
          after: withBucket(values.after),
        },
      },
    ],
  };
}

const created = plan(['create'], { after: { topic: [OURS] } });

/** As S3 answers. */
const entry = (prefix: string, suffix = '') => ({
  Events: [...CREATED],
  Filter: {
    Key: {
      FilterRules: [
        { Name: 'Prefix' as 'prefix', Value: prefix },
        { Name: 'Suffix' as 'suffix', Value: suffix },
      ],
    },
  },
});

function refusals(planned: PlanJson, configured: NotificationConfiguration): readonly string[] {
  return refuseNotificationsOfOthers(planned, new Map([[BUCKET, configured]]), TOPIC_NAME).map(
    ({ reason }) => reason,
  );
}

describe('a plan that creates the configuration', () => {
  test('is fine on a bucket without one', () => {
    expect(refusals(created, {})).toEqual([]);
  });

  test('is fine where exactly its own entry is there already', () => {
    expect(
      refusals(created, { TopicConfigurations: [{ TopicArn: TOPIC, ...entry('in/', '.csv') }] }),
    ).toEqual([]);
  });

  test("is fine where the topic's ARN is not known yet but an entry for its name is there", () => {
    const { topic_arn: _, ...unknownTopic } = OURS;
    expect(
      refusals(plan(['create'], { after: { topic: [unknownTopic] } }), {
        TopicConfigurations: [{ TopicArn: TOPIC, ...entry('in/', '.csv') }],
      }),
    ).toEqual([]);
  });

  test.each<[string, NotificationConfiguration, string]>([
    [
      'a queue',
      { QueueConfigurations: [{ QueueArn: QUEUE, ...entry('r/') }] },
      `s3:ObjectCreated:* of r/* to ${QUEUE}`,
    ],
    [
      'a function',
      {
        LambdaFunctionConfigurations: [
          { LambdaFunctionArn: FUNCTION, Events: ['s3:ObjectRemoved:*'] },
        ],
      },
      `s3:ObjectRemoved:* of * to ${FUNCTION}`,
    ],
    ['EventBridge', { EventBridgeConfiguration: {} }, 'all events to EventBridge'],
    [
      'its own topic for another prefix',
      { TopicConfigurations: [{ TopicArn: TOPIC, ...entry('by-hand/') }] },
      `of by-hand/* to ${TOPIC}`,
    ],
    [
      'another topic',
      { TopicConfigurations: [{ TopicArn: `${TOPIC}-2`, ...entry('in/', '.csv') }] },
      `to ${TOPIC}-2`,
    ],
  ])('is refused where the bucket notifies %s', (_, configured, named) => {
    expect(refusals(created, configured)).toEqual([expect.stringContaining(named)]);
  });

  test('names every entry that would be lost, and no other', () => {
    const [reason] = refusals(created, {
      TopicConfigurations: [{ TopicArn: TOPIC, ...entry('in/', '.csv') }],
      QueueConfigurations: [
        { QueueArn: QUEUE, ...entry('a/') },
        { QueueArn: QUEUE, ...entry('b/') },
      ],
    });
    expect(reason).toContain('a/*');
    expect(reason).toContain('b/*');
    expect(reason).not.toContain('in/*');
  });
});

describe('a plan that updates the configuration', () => {
  const updated = plan(['update'], {
    before: { topic: [{ ...OURS, filter_prefix: 'old/' }] },
    after: { topic: [OURS] },
  });

  test('may replace what the stack itself had set', () => {
    expect(
      refusals(updated, { TopicConfigurations: [{ TopicArn: TOPIC, ...entry('old/', '.csv') }] }),
    ).toEqual([]);
  });

  test('may replace its own entry for the topic that it had before', () => {
    const id = 'file-processing:in/';
    const before = { topic: [{ ...OURS, id, topic_arn: `${TOPIC}-old` }] };
    expect(
      refusals(plan(['update'], { before, after: { topic: [OURS] } }), {
        TopicConfigurations: [{ TopicArn: `${TOPIC}-old`, ...entry('in/', '.csv') }],
      }),
    ).toEqual([]);
  });

  test('is refused where others have added theirs since', () => {
    expect(
      refusals(updated, { QueueConfigurations: [{ QueueArn: QUEUE, ...entry('r/') }] }),
    ).toHaveLength(1);
  });
});

describe('a plan that removes the configuration', () => {
  test('is refused where the state has seen the entries of others by its refresh', () => {
    const theirs = { id: 'their-exports', queue_arn: QUEUE, events: CREATED, filter_prefix: 'r/' };
    expect(
      refusals(plan(['delete'], { before: { topic: [OURS], queue: [theirs] } }), {
        QueueConfigurations: [{ QueueArn: QUEUE, ...entry('r/') }],
      }),
    ).toHaveLength(1);
  });

  const removed = plan(['delete'], { before: { topic: [OURS] } });

  test("is fine where only the stack's own entry is there", () => {
    expect(
      refusals(removed, { TopicConfigurations: [{ TopicArn: TOPIC, ...entry('in/', '.csv') }] }),
    ).toEqual([]);
  });

  test('is refused where it would take the entries of others along', () => {
    expect(
      refusals(removed, { QueueConfigurations: [{ QueueArn: QUEUE, ...entry('r/') }] }),
    ).toHaveLength(1);
  });
});

test('a plan that leaves the notifications alone asks about no bucket', () => {
  expect(bucketsWithPlannedNotifications(plan(['no-op'], { before: {}, after: {} }))).toEqual([]);
});

test('a plan that writes them asks about their bucket', () => {
  expect(bucketsWithPlannedNotifications(created)).toEqual([BUCKET]);
});

describe('a bucket whose configuration gets another address', () => {
  const change = (name: string, before: string | null, after: string | null) => ({
    address: `aws_s3_bucket_notification.${name}`,
    type: 'aws_s3_bucket_notification',
    change: {
      actions: ['update'],
      before: before && { bucket: before },
      after: after && { bucket: after },
    },
  });
  const reasons = (...changes: readonly ReturnType<typeof change>[]) =>
    refuseNotificationsUnderNewAddress({ resource_changes: changes } as PlanJson).map(
      ({ reason }) => reason,
    );

  test('is refused, with both addresses', () => {
    expect(reasons(change('bucket_one', 'one', null), change('bucket', null, 'one'))).toEqual([
      'the plan would remove the event notifications of bucket one as aws_s3_bucket_notification.bucket_one and put them as aws_s3_bucket_notification.bucket at the same time',
    ]);
  });

  test('is refused where its old address passes to another bucket', () => {
    expect(
      reasons(change('bucket_two', 'one', 'two'), change('bucket_one', null, 'one')),
    ).toHaveLength(1);
  });

  test('is fine where Terraform moves it, whatever else comes or goes', () => {
    expect(
      reasons(
        change('bucket_one', 'one', 'one'),
        change('bucket_two', null, 'two'),
        change('bucket_three', 'three', null),
      ),
    ).toEqual([]);
  });
});

describe('the end of the rule of EventBridge', () => {
  const RULE = 'aws_cloudwatch_event_rule.new_objects';
  const takes = (bucket: string) => ({
    event_pattern: JSON.stringify({ detail: { bucket: { name: [bucket] } } }),
  });
  const gone = (address: string, before = {}) => ({
    address,
    type: address.split('.')[0] ?? '',
    change: { actions: ['delete'], before, after: null },
  });
  const rule = gone('aws_cloudwatch_event_target.deliveries');
  const told = { TopicConfigurations: [{ TopicArn: TOPIC, ...entry('in/', '.csv') }] };
  const gap = (changes: PlanJson['resource_changes'], configured: NotificationConfiguration) =>
    refuseNotificationGap(
      { resource_changes: changes ?? [] },
      new Map([[BUCKET, configured]]),
      TOPIC_NAME,
    );

  test('is refused while the bucket tells no topic', () => {
    expect(gap([rule], { EventBridgeConfiguration: {} })).toMatchObject([
      { reason: expect.stringContaining(`bucket ${BUCKET} tells no topic`) },
    ]);
  });

  test('is fine where the bucket tells the topic, and with the queue it sends to', () => {
    expect(gap([rule], told)).toEqual([]);
    expect(gap([rule, gone('aws_sqs_queue.deliveries')], {})).toEqual([]);
    expect(gap([], {})).toEqual([]);
  });

  test('lets the stack switch EventBridge off in the bucket, which it may not otherwise', () => {
    const off = plan(['update'], {
      before: { eventbridge: true, topic: [OURS] },
      after: { topic: [OURS] },
    });
    const both = { ...told, EventBridgeConfiguration: {} };
    expect(refusals(off, both)).toEqual([expect.stringContaining('EventBridge')]);
    const changes = [...(off.resource_changes ?? []), gone(RULE, takes(BUCKET))];
    expect(refusals({ resource_changes: changes }, both)).toEqual([]);
  });

  test('is not needed to switch EventBridge off in a bucket that leaves the stack', () => {
    const left = plan(['delete'], { before: { eventbridge: true } });
    const told = { EventBridgeConfiguration: {} };
    const withRule = (bucket: string) => {
      const change = { actions: ['update'], before: takes(bucket), after: takes('another') };
      const rule = { address: RULE, type: 'aws_cloudwatch_event_rule', change };
      return { resource_changes: [...(left.resource_changes ?? []), rule] };
    };
    expect(refusals(withRule(BUCKET), told)).toEqual([]);
    expect(refusals(withRule('another'), told)).toEqual([expect.stringContaining('EventBridge')]);
  });
});
