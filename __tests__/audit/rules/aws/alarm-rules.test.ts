import { ALARM_RULES } from '../../../../audit/rules/aws/alarm-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const TYPE = 'aws_cloudwatch_metric_alarm';

describePlants(ALARM_RULES, {
  'losses-are-watched': [
    ['no alarm on dead letters', ({ remove }) => remove(TYPE, /MessagesVisible/)],
    ['no alarm on failures', ({ remove }) => remove(TYPE, /NotificationsFailed"/)],
    ['no alarm on losses', ({ remove }) => remove(TYPE, /RedriveToDlq/)],
    ['a threshold of a hundred', ({ set }) => set(TYPE, 'threshold', 100, /MessagesVisible/)],
    [
      'a threshold that is always passed',
      ({ set }) => set(TYPE, 'threshold', -1, /MessagesVisible/),
    ],
    ['the smallest number', ({ set }) => set(TYPE, 'statistic', 'Minimum', /MessagesVisible/)],
    [
      'the number of samples',
      ({ set }) => set(TYPE, 'statistic', 'SampleCount', /NotificationsFailed"/),
    ],
    ['another queue', ({ set }) => set(TYPE, 'dimensions.QueueName', 'another', /MessagesVisible/)],
    ['no dimension', ({ drop }) => drop(TYPE, 'dimensions', /MessagesVisible/)],
    [
      'the wrong dimension',
      ({ set, address }) =>
        set(
          TYPE,
          'dimensions',
          { TopicName: `\${${address('aws_sqs_queue')}.name}` },
          /MessagesVisible/,
        ),
    ],
    [
      'what was sent in place of what waits',
      ({ set }) => set(TYPE, 'metric_name', 'NumberOfMessagesSent', /MessagesVisible/),
    ],
    [
      'what was delivered in place of what failed',
      ({ set }) =>
        set(TYPE, 'metric_name', 'NumberOfNotificationsDelivered', /NotificationsFailed"/),
    ],
    [
      'fewer in place of more',
      ({ set }) => set(TYPE, 'comparison_operator', 'LessThanThreshold', /MessagesVisible/),
    ],
    ['an alarm that is off', ({ set }) => set(TYPE, 'actions_enabled', false, /MessagesVisible/)],
  ],
  'alarms-go-off': [
    [
      'an alarm that always rings',
      ({ set }) =>
        set(
          'aws_cloudwatch_metric_alarm',
          'comparison_operator',
          'GreaterThanOrEqualToThreshold',
          /MessagesVisible/,
        ),
    ],
    ['a unit without data', ({ set }) => set('aws_cloudwatch_metric_alarm', 'unit', 'Bytes')],
    [
      'more points than it looks at',
      ({ set }) => set('aws_cloudwatch_metric_alarm', 'datapoints_to_alarm', 3),
    ],

    ['seconds, for which SQS has no figures', ({ set }) => set(TYPE, 'period', 10)],
    ['an alarm on nothing of the stack', ({ set }) => set(TYPE, 'namespace', 'AWS/EC2')],
    ['an alarm that is off', ({ set }) => set(TYPE, 'actions_enabled', false)],
    ['a day', ({ set }) => set(TYPE, 'period', 86400)],
    ['many periods', ({ set }) => set(TYPE, 'evaluation_periods', 12)],
    ['silence as a breach', ({ set }) => set(TYPE, 'treat_missing_data', 'breaching')],
    ['silence that keeps what was', ({ set }) => set(TYPE, 'treat_missing_data', 'ignore')],
    ['silence as missing', ({ drop }) => drop(TYPE, 'treat_missing_data')],
  ],
  'alarms-call-somebody': [
    [
      'the topic of the messages, by an alarm on a queue',
      ({ set, address }) =>
        set(
          'aws_cloudwatch_metric_alarm',
          'alarm_actions',
          [`\${${address('aws_sns_topic')}.arn}`],
          /MessagesVisible/,
        ),
    ],

    ['nobody at the end of it', ({ set }) => set(TYPE, 'ok_actions', ['x'])],
    ['nobody', ({ set }) => set(TYPE, 'alarm_actions', [])],
    ['nothing said', ({ drop }) => drop(TYPE, 'alarm_actions')],
    [
      'something that is no topic',
      ({ set }) =>
        set(TYPE, 'alarm_actions', ['arn:aws-us-gov:swf:us-gov-west-1:123456789012:action/x']),
    ],
    [
      'the topic that it watches',
      ({ set, address }) =>
        set(TYPE, 'alarm_actions', [`\${${address('aws_sns_topic')}.arn}`], /TopicName/),
    ],
  ],
});

describePlants(
  ALARM_RULES,
  {
    'losses-are-watched': [
      ['no alarm on what waits too long', ({ remove }) => remove(TYPE, /AgeOfOldest/)],
      ['a day of waiting', ({ set }) => set(TYPE, 'threshold', 86400, /AgeOfOldest/)],
      [
        'the age in the dead-letter queue',
        ({ set, address }) =>
          set(
            TYPE,
            'dimensions.QueueName',
            `\${${address('aws_sqs_queue', /byQueue/)}.name}`,
            /AgeOfOldest/,
          ),
      ],
    ],
  },
  'queue',
);
