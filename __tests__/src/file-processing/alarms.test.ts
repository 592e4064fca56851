import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt, type SynthesizedStack } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const ON_CALL = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call';

const alarmsOf = (json: SynthesizedStack) =>
  namesOf(json, 'aws_cloudwatch_metric_alarm').map(
    (name) => [name, resourceAt(json, `aws_cloudwatch_metric_alarm.${name}`)] as const,
  );

describe('Alarms', () => {
  const json = synthesizeFileProcessing({
    alarm_topic_arn: ON_CALL,
    sns_topic_name: 'drops',
    delivery: 'sqs',
  });

  it.each([
    [
      'dead_letters',
      'AWS/SQS',
      'ApproximateNumberOfMessagesVisible',
      'Maximum',
      { QueueName: '${aws_sqs_queue.dead_letter.name}' },
    ],
    [
      'failed_deliveries',
      'AWS/SNS',
      'NumberOfNotificationsFailed',
      'Sum',
      { TopicName: '${aws_sns_topic.file_processing.name}' },
    ],
    [
      'lost_messages',
      'AWS/SNS',
      'NumberOfNotificationsFailedToRedriveToDlq',
      'Sum',
      { TopicName: '${aws_sns_topic.file_processing.name}' },
    ],
  ])('tell at the first one that %s: %s %s', (name, namespace, metric, statistic, dimensions) => {
    expect(resourceAt(json, `aws_cloudwatch_metric_alarm.${name}`)).toMatchObject({
      namespace,
      metric_name: metric,
      statistic,
      dimensions,
      comparison_operator: 'GreaterThanThreshold',
      threshold: 0,
      evaluation_periods: 1,
      period: 300,
    });
  });

  it('tell of messages that wait for a quarter of an hour in a delivery queue', () => {
    expect(resourceAt(json, 'aws_cloudwatch_metric_alarm.stuck_messages')).toMatchObject({
      metric_name: 'ApproximateAgeOfOldestMessage',
      threshold: 900,
      dimensions: { QueueName: '${aws_sqs_queue.deliveries.name}' },
    });
  });

  it('on dead-letter queues name the command that takes in again what waits there', () => {
    const bridge = synthesizeFileProcessing({
      ...{ delivery: 'sqs', notification: 'eventbridge', account_id: '123456789012' },
    });
    for (const name of ['dead_letters', 'undelivered_events']) {
      expect(resourceAt(bridge, `aws_cloudwatch_metric_alarm.${name}`)).toMatchObject({
        alarm_description: expect.stringContaining('npm run manage -- sqs-redrive'),
      });
    }
  });

  it('of a delivery queue are not made without one', () => {
    const names = namesOf(synthesizeFileProcessing(), 'aws_cloudwatch_metric_alarm');
    expect(names).not.toContain('stuck_messages');
    expect(names).toContain('dead_letters');
  });

  it.each(alarmsOf(json))('do not go off for want of data: %s', (_, alarm) => {
    expect(alarm).toMatchObject({ treat_missing_data: 'notBreaching' });
  });

  it.each(alarmsOf(json))('tell the given topic when %s begins and when it ends', (_, alarm) => {
    expect(alarm).toMatchObject({ alarm_actions: [ON_CALL], ok_actions: [ON_CALL] });
  });

  it.each(alarmsOf(json))(
    'are named after the topic, so that those of a second one do not overwrite %s',
    (name, alarm) => {
      expect(alarm.alarm_name).toBe(`drops-${name.replaceAll('_', '-')}`);
    },
  );

  it.each(alarmsOf(synthesizeFileProcessing()))(
    'without a topic to go to can still be seen, but call nobody: %s',
    (_, alarm) => {
      expect(alarm).toMatchObject({ alarm_actions: [], ok_actions: [] });
    },
  );
});
