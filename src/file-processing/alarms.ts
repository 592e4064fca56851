import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Construct } from 'constructs';
import type { Context } from './context.ts';

/** What is watched. */
export interface AlarmsProps {
  readonly context: Context;
  readonly topicName: string;
  readonly deadLetterQueueName: string;
  /** The queue that the listener fetches from, in queue mode. */
  readonly deliveryQueueName?: string;
}

/** A message older than this waits for a listener that is away or too slow. */
const STUCK_SECONDS = 900;

/** Alarms on messages that did not arrive; all but that on the age go off at the first one. */
export class Alarms extends Construct {
  constructor(scope: Construct, props: AlarmsProps) {
    super(scope, 'alarms');
    const { context, topicName, deadLetterQueueName, deliveryQueueName } = props;
    const { settings } = context;
    const actions = settings.alarm_topic_arn ? [settings.alarm_topic_arn] : [];
    const alarm = (
      id: string,
      config: Partial<CloudwatchMetricAlarmConfig> & { alarmDescription: string },
    ) =>
      new CloudwatchMetricAlarm(this, id, {
        alarmName: `${settings.sns_topic_name}-${id.replaceAll('_', '-')}`,
        comparisonOperator: 'GreaterThanThreshold',
        threshold: 0,
        evaluationPeriods: 1,
        period: 300,
        treatMissingData: 'notBreaching',
        alarmActions: actions,
        okActions: actions,
        ...config,
      });

    alarm('dead_letters', {
      alarmDescription:
        'Messages wait in the dead-letter queue: files that were announced but not checked.',
      namespace: 'AWS/SQS',
      metricName: 'ApproximateNumberOfMessagesVisible',
      statistic: 'Maximum',
      dimensions: { QueueName: deadLetterQueueName },
    });
    alarm('failed_deliveries', {
      alarmDescription: 'SNS gave up on delivering messages to a subscription.',
      namespace: 'AWS/SNS',
      metricName: 'NumberOfNotificationsFailed',
      statistic: 'Sum',
      dimensions: { TopicName: topicName },
    });
    alarm('lost_messages', {
      alarmDescription:
        'SNS could not put messages into the dead-letter queue either: they are lost.',
      namespace: 'AWS/SNS',
      metricName: 'NumberOfNotificationsFailedToRedriveToDlq',
      statistic: 'Sum',
      dimensions: { TopicName: topicName },
    });
    if (deliveryQueueName !== undefined) {
      alarm('stuck_messages', {
        alarmDescription: `Messages wait for the listener for over ${STUCK_SECONDS / 60} minutes.`,
        namespace: 'AWS/SQS',
        metricName: 'ApproximateAgeOfOldestMessage',
        statistic: 'Maximum',
        threshold: STUCK_SECONDS,
        dimensions: { QueueName: deliveryQueueName },
      });
    }
  }
}
