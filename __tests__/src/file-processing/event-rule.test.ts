import { describe, expect, it } from 'vitest';
import { listedBucket } from '../../support/settings.ts';
import { dependenciesOf, namesOf, resourceAt, statementsAt } from '../../support/synthesized.ts';
import { ACCOUNT, synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const OWN = '123456789012';
const OTHER = '210987654321';
const BRIDGE = { notification: 'eventbridge', delivery: 'sqs', account_id: OWN } as const;

const pattern = (json: ReturnType<typeof synthesizeFileProcessing>) =>
  JSON.parse(String(resourceAt(json, 'aws_cloudwatch_event_rule.new_objects').event_pattern));
const keysOf = (settings: object) =>
  pattern(synthesizeFileProcessing({ ...BRIDGE, ...settings })).detail.object.key;

it('there is no rule by default, nor with a queue', () => {
  for (const json of [synthesizeFileProcessing(), synthesizeFileProcessing({ delivery: 'sqs' })]) {
    expect(namesOf(json, 'aws_cloudwatch_event_rule')).toEqual([]);
    expect(JSON.stringify(json)).not.toContain('events.amazonaws.com');
    expect(JSON.stringify(json)).not.toContain('undelivered');
  }
});

describe.each([
  ['us-east-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
])('The rule in %s', (aws_region, partition) => {
  const json = synthesizeFileProcessing({ ...BRIDGE, create_s3_notifications: true, aws_region });
  const ruleArn = `arn:${partition}:events:${aws_region}:${ACCOUNT}:rule/file-processing-topic-new-objects`;
  const condition = {
    StringEquals: { 'aws:SourceAccount': ACCOUNT },
    ArnEquals: { 'aws:SourceArn': ruleArn },
  };

  it('takes new objects of the bucket below its prefixes', () => {
    expect(pattern(json)).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      account: [ACCOUNT],
      detail: { bucket: { name: ['drop-box'] }, object: { key: [{ prefix: 'from_client/' }] } },
    });
  });

  it('sends them to the queue, and what fails to a queue of its own', () => {
    expect(resourceAt(json, 'aws_cloudwatch_event_target.deliveries')).toMatchObject({
      rule: '${aws_cloudwatch_event_rule.new_objects.name}',
      arn: '${aws_sqs_queue.deliveries.arn}',
      dead_letter_config: { arn: '${aws_sqs_queue.undelivered.arn}' },
    });
    expect(resourceAt(json, 'aws_cloudwatch_metric_alarm.undelivered_events')).toMatchObject({
      dimensions: { QueueName: '${aws_sqs_queue.undelivered.name}' },
    });
  });

  it.each(['deliveries', 'undelivered'])(
    'alone may send to the queue %s, beside the topic',
    (name) => {
      const byRule = statementsAt(json, `aws_sqs_queue.${name}`).filter(
        ({ Sid }) => Sid === 'RuleSends',
      );
      expect(byRule).toMatchObject([
        {
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Condition: condition,
        },
      ]);
    },
  );

  it('may use the key of the queues', () => {
    expect(statementsAt(json, 'aws_kms_key.events')).toContainEqual(
      expect.objectContaining({ Sid: 'RuleSendsWithKey', Condition: condition }),
    );
  });

  it('is there before the bucket sends it events', () => {
    expect(dependenciesOf(json, 'aws_s3_bucket_notification.bucket')).toEqual([
      'aws_cloudwatch_event_target.deliveries',
    ]);
  });
});

it('a prefix with a suffix is one wildcard, with keys as they are', () => {
  expect(keysOf({ s3_prefixes: ['a b/', 'back\\slash/'], s3_suffix: 'ü +.csv' })).toEqual([
    { wildcard: 'a b/*ü +.csv' },
    { wildcard: 'back\\\\slash/*ü +.csv' },
  ]);
});

it('the topic keeps the queue, for what others publish', () => {
  const json = synthesizeFileProcessing(BRIDGE);
  expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual(['queue']);
});

describe('Bucket notifications', () => {
  const bucket = (settings: object) =>
    resourceAt(
      synthesizeFileProcessing({ ...BRIDGE, create_s3_notifications: true, ...settings }),
      'aws_s3_bucket_notification.bucket',
    );

  it('go to EventBridge alone', () => {
    expect(bucket({})).toMatchObject({ eventbridge: true });
    expect(bucket({})).not.toHaveProperty('topic');
  });

  it.each(['eventbridge', 'sns'])('go both ways during a switch to %s', (notification) => {
    const both = bucket({ notification, both_notifications: true });
    expect(both).toMatchObject({
      eventbridge: true,
      topic: [{ id: 'file-processing:from_client/' }],
      depends_on: ['aws_sns_topic_policy.default', 'aws_cloudwatch_event_target.deliveries'],
    });
  });
});

describe('Several buckets, one of another account', () => {
  const json = synthesizeFileProcessing({
    ...BRIDGE,
    buckets: [
      listedBucket('one', { prefixes: ['a/'] }),
      listedBucket('two', { prefixes: ['a/'] }),
      listedBucket('three', { prefixes: ['b/'], suffix: '.csv' }),
      listedBucket('theirs', { prefixes: ['c/'], account_id: OTHER }),
    ],
  });

  it('share an alternative of the pattern where their keys are alike', () => {
    expect(pattern(json).detail).toEqual({
      $or: [
        { bucket: { name: ['one', 'two'] }, object: { key: [{ prefix: 'a/' }] } },
        { bucket: { name: ['three'] }, object: { key: [{ wildcard: 'b/*.csv' }] } },
      ],
    });
  });

  it('have a rule of each account that may send', () => {
    const theirRule = `arn:aws-us-gov:events:us-gov-west-1:${OTHER}:rule/file-processing-topic-new-objects`;
    for (const address of [
      'aws_sqs_queue.deliveries',
      'aws_sqs_queue.undelivered',
      'aws_kms_key.events',
    ]) {
      expect(statementsAt(json, address)).toContainEqual(
        expect.objectContaining({
          Condition: {
            StringEquals: { 'aws:SourceAccount': OTHER },
            ArnEquals: { 'aws:SourceArn': theirRule },
          },
        }),
      );
    }
  });

  it('tell the owner of the other which rule to make', () => {
    const output = json.output?.for_bucket_owners as { value: string };
    const part = JSON.parse(output.value).theirs;
    expect(part.notifications).toEqual({ EventBridgeConfiguration: {} });
    expect(part.eventRule.Name).toBe('file-processing-topic-new-objects');
    expect(part.eventRule.Targets).toEqual([
      {
        Id: 'file-processing',
        Arn: `arn:aws-us-gov:sqs:us-gov-west-1:${ACCOUNT}:file-processing-topic-deliveries`,
        DeadLetterConfig: {
          Arn: `arn:aws-us-gov:sqs:us-gov-west-1:${ACCOUNT}:file-processing-topic-undelivered`,
        },
      },
    ]);
    expect(JSON.parse(part.eventRule.EventPattern)).toMatchObject({
      account: [OTHER],
      detail: { bucket: { name: ['theirs'] } },
    });
  });
});

it('buckets of other accounts alone need no rule of the stack', () => {
  const json = synthesizeFileProcessing({
    ...BRIDGE,
    buckets: [listedBucket('theirs', { account_id: OTHER })],
  });
  expect(namesOf(json, 'aws_cloudwatch_event_rule')).toEqual([]);
  expect(namesOf(json, 'aws_sqs_queue').toSorted()).toEqual([
    'dead_letter',
    'deliveries',
    'undelivered',
  ]);
});
