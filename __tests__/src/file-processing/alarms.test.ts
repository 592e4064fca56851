import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const ON_CALL = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call';
const ALARMS = ['dead_letters', 'failed_deliveries', 'lost_messages'];

describe('Alarms', () => {
  const json = synthesizeFileProcessing({ alarm_topic_arn: ON_CALL, sns_topic_name: 'drops' });

  it('are these three', () => {
    expect(namesOf(json, 'aws_cloudwatch_metric_alarm')).toEqual(ALARMS);
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
  ])('watch %s by %s %s', (name, namespace, metric, statistic, dimensions) => {
    expect(resourceAt(json, `aws_cloudwatch_metric_alarm.${name}`)).toMatchObject({
      namespace,
      metric_name: metric,
      statistic,
      dimensions,
    });
  });

  it.each(ALARMS)('go off at the first message for %s, and not for want of data', (name) => {
    expect(resourceAt(json, `aws_cloudwatch_metric_alarm.${name}`)).toMatchObject({
      comparison_operator: 'GreaterThanThreshold',
      threshold: 0,
      evaluation_periods: 1,
      period: 300,
      treat_missing_data: 'notBreaching',
    });
  });

  it.each(ALARMS)('tell the given topic when %s begins and when it ends', (name) => {
    expect(resourceAt(json, `aws_cloudwatch_metric_alarm.${name}`)).toMatchObject({
      alarm_actions: [ON_CALL],
      ok_actions: [ON_CALL],
    });
  });

  it('are named after the topic, so that those of a second one do not overwrite them', () => {
    const names = ALARMS.map(
      (name) => resourceAt(json, `aws_cloudwatch_metric_alarm.${name}`).alarm_name,
    );
    expect(names).toEqual(['drops-dead-letters', 'drops-failed-deliveries', 'drops-lost-messages']);
  });
});

describe('Alarms without a topic to go to', () => {
  const json = synthesizeFileProcessing();

  it.each(ALARMS)('can still be seen for %s, but call nobody', (name) => {
    expect(resourceAt(json, `aws_cloudwatch_metric_alarm.${name}`)).toMatchObject({
      alarm_actions: [],
      ok_actions: [],
    });
  });
});

describe('The alarm on messages that wait', () => {
  it('is there with a delivery queue, and goes off after a quarter of an hour', () => {
    const json = synthesizeFileProcessing({ delivery: 'sqs' });
    expect(resourceAt(json, 'aws_cloudwatch_metric_alarm.stuck_messages')).toMatchObject({
      metric_name: 'ApproximateAgeOfOldestMessage',
      threshold: 900,
      dimensions: { QueueName: '${aws_sqs_queue.deliveries.name}' },
    });
  });
});
