import { describe, expect, test } from 'vitest';
import { ALARM_RULES } from '../../../../audit/rules/aws/alarm-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';
import { findings } from '../../support/findings.ts';
import { planterFor } from '../../support/planter.ts';
import { auditedOf, environmentStacks } from '../../support/stacks.ts';

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

    [
      'a figure that SQS does not publish',
      ({ set }) => set(TYPE, 'metric_name', 'MessagesVisible', /MessagesVisible/),
    ],
    [
      'another figure in a unit without data',
      ({ set }) => {
        set(TYPE, 'unit', 'Bytes', /MessagesVisible/);
        set(TYPE, 'metric_name', 'NumberOfMessagesSent', /MessagesVisible/);
      },
    ],
    [
      'a figure of another service for a queue',
      ({ set }) => set(TYPE, 'namespace', 'file-processing', /MessagesVisible/),
    ],
    [
      'a figure of something that is not of the stack',
      ({ set }) => {
        set(TYPE, 'dimensions', { ClusterName: 'another' }, /MessagesVisible/);
        set(TYPE, 'namespace', 'AWS/EKS', /MessagesVisible/);
      },
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

describe('an alarm on a figure that tells of no loss', () => {
  test.each([
    ['of a topic', { metric_name: 'NumberOfMessagesPublished', threshold: 10_000 }],
    [
      'of the cluster',
      {
        namespace: 'AWS/EKS',
        metric_name: 'apiserver_request_total_5XX',
        dimensions: { ClusterName: '${aws_eks_cluster.this.name}' },
        treat_missing_data: 'breaching',
      },
    ],
    [
      'of a program of our own',
      {
        namespace: 'file-processing',
        metric_name: 'heartbeat',
        comparison_operator: 'LessThanThreshold',
        threshold: 1,
        dimensions: { Environment: 'complete' },
        treat_missing_data: 'breaching',
      },
    ],
  ])('%s is as good as any', (_, changes) => {
    const stacks = environmentStacks('complete');
    const before = findings(ALARM_RULES, auditedOf(stacks));
    planterFor(stacks).copy(TYPE, changes, /NotificationsFailed"/);
    expect(findings(ALARM_RULES, auditedOf(stacks))).toEqual(before);
  });
});
