import type { CloudwatchMetricAlarmConfig } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { Construct } from 'constructs';
import { LightResource } from '../stack/light-resource.ts';
import type { Context } from './context.ts';

/** Names of what is watched, as CloudWatch's dimensions want them. */
export interface Watched {
  /** The stack's own topic; the figures of another are its owner's. */
  readonly topicName?: string;
  readonly deadLetterQueueName: string;
  /** The queue that the listener fetches from, in queue mode. */
  readonly deliveryQueueName?: string;
  /** The queue of events that EventBridge could not deliver. */
  readonly undeliveredQueueName?: string;
}

/** What the alarms are made from. */
export interface AlarmsProps extends Watched {
  readonly context: Context;
}

type Alarm = Partial<Omit<CloudwatchMetricAlarmConfig, 'dimensions'>> & {
  readonly alarmDescription: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly statistic: string;
  /** Undefined where the stack does not have what the alarm watches; there is no alarm then. */
  readonly dimensions: (watched: Watched) => Record<string, string> | undefined;
};

/** What an alarm has unless its row says otherwise: it goes off at the first one within five minutes. */
const DEFAULTS = {
  comparisonOperator: 'GreaterThanThreshold',
  threshold: 0,
  evaluationPeriods: 1,
  period: 300,
  treatMissingData: 'notBreaching',
};

/** What to do about what waits in a dead-letter queue. */
const REDRIVE = 'To take it in again: npm run manage -- sqs-redrive';

/** A message older than this waits for a listener that is unavailable or too slow. */
const STUCK_SECONDS = 900;

function ofTopic({ topicName }: Watched): Record<string, string> | undefined {
  return topicName === undefined ? undefined : { TopicName: topicName };
}

/** Every alarm, by its name in Terraform; the addresses are an interface. */
const ALARMS: Readonly<Record<string, Alarm>> = {
  dead_letters: {
    alarmDescription: `Messages wait in the dead-letter queue: files that arrived but were not checked. ${REDRIVE}`,
    namespace: 'AWS/SQS',
    metricName: 'ApproximateNumberOfMessagesVisible',
    statistic: 'Maximum',
    dimensions: ({ deadLetterQueueName }) => ({ QueueName: deadLetterQueueName }),
  },
  failed_deliveries: {
    alarmDescription: 'SNS gave up on delivering messages to a subscription.',
    namespace: 'AWS/SNS',
    metricName: 'NumberOfNotificationsFailed',
    statistic: 'Sum',
    dimensions: ofTopic,
  },
  lost_messages: {
    alarmDescription:
      'SNS could not put messages into the dead-letter queue either: they are lost.',
    namespace: 'AWS/SNS',
    metricName: 'NumberOfNotificationsFailedToRedriveToDlq',
    statistic: 'Sum',
    dimensions: ofTopic,
  },
  stuck_messages: {
    alarmDescription: `Messages wait for the listener for over ${STUCK_SECONDS / 60} minutes.`,
    namespace: 'AWS/SQS',
    metricName: 'ApproximateAgeOfOldestMessage',
    statistic: 'Maximum',
    threshold: STUCK_SECONDS,
    dimensions: ({ deliveryQueueName }) =>
      deliveryQueueName === undefined ? undefined : { QueueName: deliveryQueueName },
  },
  undelivered_events: {
    alarmDescription: `EventBridge could not deliver events of new objects to the queue: files that arrived but were not checked. ${REDRIVE}`,
    namespace: 'AWS/SQS',
    metricName: 'ApproximateNumberOfMessagesVisible',
    statistic: 'Maximum',
    dimensions: ({ undeliveredQueueName }) =>
      undeliveredQueueName === undefined ? undefined : { QueueName: undeliveredQueueName },
  },
};

/** Makes an alarm of each row whose subject the stack has. */
export class Alarms extends Construct {
  constructor(scope: Construct, { context: { settings }, ...watched }: AlarmsProps) {
    super(scope, 'alarms');
    const actions = settings.alarm_topic_arn ? [settings.alarm_topic_arn] : [];
    for (const [id, alarm] of Object.entries(ALARMS)) {
      const dimensions = alarm.dimensions(watched);
      if (dimensions === undefined) continue;
      new LightResource<CloudwatchMetricAlarmConfig>(this, id, 'aws_cloudwatch_metric_alarm', {
        alarmName: `${settings.sns_topic_name}-${id.replaceAll('_', '-')}`,
        ...DEFAULTS,
        alarmActions: actions,
        okActions: actions,
        ...alarm,
        dimensions,
      });
    }
  }
}
