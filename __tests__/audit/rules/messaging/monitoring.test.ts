import { describe, expect, test } from 'vitest';
import { MONITORING_RULES } from '../../../../audit/rules/messaging/monitoring.ts';
import { describeRules, type Plant } from '../../support/describe-rules.ts';
import { findings } from '../../support/findings.ts';
import { planterFor } from '../../support/planter.ts';
import { auditedOf, environmentStacks } from '../../support/stacks.ts';

const ALARM = 'aws_cloudwatch_metric_alarm';

const LOG_GROUP = 'aws_cloudwatch_log_group';

const DATABASE = /CPUUtilization/;
const alarm =
  (argument: string, value: unknown, where: RegExp): Plant[1] =>
  ({ set }) =>
    set(ALARM, argument, value, where);

/** What a watch on a figure of a database is, and never goes off. */
const DEAF: readonly Plant[] = [
  ['a processor in bytes', alarm('unit', 'Bytes', DATABASE)],
  ['a number in seconds', alarm('unit', 'Seconds', /DatabaseConnections/)],
  ['dead letters in seconds', alarm('unit', 'Seconds', /MessagesVisible/)],
  ['a processor that idles', alarm('comparison_operator', 'LessThanThreshold', DATABASE)],
  ['a processor above all it has', alarm('threshold', 100, DATABASE)],
  ['more than nothing at all', alarm('threshold', -1, DATABASE)],
  ['a processor, added up', alarm('statistic', 'Sum', DATABASE)],
  ['how often it was measured', alarm('statistic', 'SampleCount', DATABASE)],
  ['the best moment', alarm('statistic', 'Minimum', /DatabaseConnections/)],
  ['no statistic', ({ drop }) => drop(ALARM, 'statistic', DATABASE)],
  ['a word for a comparison', alarm('comparison_operator', 'MoreThan', DATABASE)],
  ['what stays as it was', alarm('treat_missing_data', 'ignore', DATABASE)],
  [
    'an instance by the name of its cluster',
    ({ change }) =>
      change(
        ALARM,
        'dimensions',
        (value) => ({ DBInstanceIdentifier: Object.values(Object(value))[0] }),
        DATABASE,
      ),
  ],
  [
    'an ARN in place of a name',
    ({ change }) =>
      change(
        ALARM,
        'dimensions',
        (value) => JSON.parse(JSON.stringify(value).replace('.cluster_identifier', '.arn')),
        DATABASE,
      ),
  ],
  [
    'a dimension that nobody publishes',
    ({ set }) => set(ALARM, 'dimensions.EngineName', 'postgres', DATABASE),
  ],
];

describeRules(MONITORING_RULES, {
  configured: { complete: { 'alarms-go-off': DEAF } },
  harmless: {
    complete: [
      ['the unit that a metric has', alarm('unit', 'Percent', DATABASE)],
      ['the unit of what is counted', alarm('unit', 'Count', /MessagesVisible/)],
      ['the writer of a cluster alone', alarm('dimensions.Role', 'WRITER', DATABASE)],
      ['silence of a database as a breach', alarm('treat_missing_data', 'breaching', DATABASE)],
      [
        'memory that runs out',
        ({ copy }) =>
          copy(
            ALARM,
            {
              ...{ metric_name: 'FreeableMemory', comparison_operator: 'LessThanThreshold' },
              ...{ statistic: 'Minimum', threshold: 268435456, unit: 'Bytes' },
            },
            DATABASE,
          ),
      ],
      [
        'a percentile',
        ({ copy }) =>
          copy(
            ALARM,
            { metric_name: 'ReadLatency', extended_statistic: 'p99', statistic: '', threshold: 1 },
            DATABASE,
          ),
      ],
    ],
    government: [['less space than there is', alarm('threshold', 2147483648, /FreeStorageSpace/)]],
  },
  plants: {
    'losses-have-alarms': [
      ['no alarm on dead letters', ({ remove }) => remove(ALARM, /MessagesVisible/)],
      ['no alarm on failures', ({ remove }) => remove(ALARM, /NotificationsFailed"/)],
      ['no alarm on losses', ({ remove }) => remove(ALARM, /RedriveToDlq/)],
      ['a threshold of a hundred', ({ set }) => set(ALARM, 'threshold', 100, /MessagesVisible/)],
      [
        'a threshold that is always passed',
        ({ set }) => set(ALARM, 'threshold', -1, /MessagesVisible/),
      ],
      ['the smallest number', ({ set }) => set(ALARM, 'statistic', 'Minimum', /MessagesVisible/)],
      [
        'the number of samples',
        ({ set }) => set(ALARM, 'statistic', 'SampleCount', /NotificationsFailed"/),
      ],
      [
        'another queue',
        ({ set }) => set(ALARM, 'dimensions.QueueName', 'another', /MessagesVisible/),
      ],
      ['no dimension', ({ drop }) => drop(ALARM, 'dimensions', /MessagesVisible/)],
      [
        'the wrong dimension',
        ({ set, address }) =>
          set(
            ALARM,
            'dimensions',
            { TopicName: `\${${address('aws_sqs_queue')}.name}` },
            /MessagesVisible/,
          ),
      ],
      [
        'what was sent in place of what waits',
        ({ set }) => set(ALARM, 'metric_name', 'NumberOfMessagesSent', /MessagesVisible/),
      ],
      [
        'what was delivered in place of what failed',
        ({ set }) =>
          set(ALARM, 'metric_name', 'NumberOfNotificationsDelivered', /NotificationsFailed"/),
      ],
      [
        'fewer in place of more',
        ({ set }) => set(ALARM, 'comparison_operator', 'LessThanThreshold', /MessagesVisible/),
      ],
      [
        'an alarm that is off',
        ({ set }) => set(ALARM, 'actions_enabled', false, /MessagesVisible/),
      ],
    ],
    'alarms-go-off': [
      [
        'no period',
        ({ set }) => set('aws_cloudwatch_metric_alarm', 'evaluation_periods', 0, /CPUUtilization/),
      ],
      [
        'more than zero percent',
        ({ set }) => set('aws_cloudwatch_metric_alarm', 'threshold', 0, /CPUUtilization/),
      ],
      [
        'more connections than there can be',
        ({ set }) => set('aws_cloudwatch_metric_alarm', 'threshold', 1e7, /DatabaseConnections/),
      ],
      [
        'a word on missing data that is none',
        ({ set }) =>
          set('aws_cloudwatch_metric_alarm', 'treat_missing_data', 'never', /CPUUtilization/),
      ],
      [
        'a statistic that is none',
        ({ set }) => set('aws_cloudwatch_metric_alarm', 'statistic', 'Mean', /CPUUtilization/),
      ],

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
        ({ set }) => set(ALARM, 'metric_name', 'MessagesVisible', /MessagesVisible/),
      ],
      [
        'another figure in a unit without data',
        ({ set }) => {
          set(ALARM, 'unit', 'Bytes', /MessagesVisible/);
          set(ALARM, 'metric_name', 'NumberOfMessagesSent', /MessagesVisible/);
        },
      ],
      [
        'a figure of another service for a queue',
        ({ set }) => set(ALARM, 'namespace', 'file-processing', /MessagesVisible/),
      ],
      [
        'a figure of something that is not of the stack',
        ({ set }) => {
          set(ALARM, 'dimensions', { ClusterName: 'another' }, /MessagesVisible/);
          set(ALARM, 'namespace', 'AWS/EKS', /MessagesVisible/);
        },
      ],
      ['seconds, for which SQS has no figures', ({ set }) => set(ALARM, 'period', 10)],
      ['an alarm on nothing of the stack', ({ set }) => set(ALARM, 'namespace', 'AWS/EC2')],
      ['an alarm that is off', ({ set }) => set(ALARM, 'actions_enabled', false)],
      ['a day', ({ set }) => set(ALARM, 'period', 86400)],
      ['many periods', ({ set }) => set(ALARM, 'evaluation_periods', 12)],
      ['silence as a breach', ({ set }) => set(ALARM, 'treat_missing_data', 'breaching')],
      ['silence that keeps what was', ({ set }) => set(ALARM, 'treat_missing_data', 'ignore')],
      ['silence as missing', ({ drop }) => drop(ALARM, 'treat_missing_data')],
    ],
    'alarms-have-actions': [
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

      ['nobody at the end of it', ({ set }) => set(ALARM, 'ok_actions', ['x'])],
      ['nobody', ({ set }) => set(ALARM, 'alarm_actions', [])],
      ['nothing said', ({ drop }) => drop(ALARM, 'alarm_actions')],
      [
        'something that is not a topic',
        ({ set }) =>
          set(ALARM, 'alarm_actions', ['arn:aws-us-gov:swf:us-gov-west-1:123456789012:action/x']),
      ],
      [
        'the topic that it watches',
        ({ set, address }) =>
          set(ALARM, 'alarm_actions', [`\${${address('aws_sns_topic')}.arn}`], /TopicName/),
      ],
    ],
    'logs-encrypted': [
      ['a log group without a key', ({ drop }) => drop(LOG_GROUP, 'kms_key_id')],
      ['a delivery log without a key', ({ drop }) => drop(LOG_GROUP, 'kms_key_id', /Failure/)],
      ['a key by its name', ({ set }) => set(LOG_GROUP, 'kms_key_id', 'alias/logs')],
    ],
    'logs-are-kept': [
      ['for ever', ({ drop }) => drop(LOG_GROUP, 'retention_in_days')],
      ['for ever, said so', ({ set }) => set(LOG_GROUP, 'retention_in_days', 0)],
      ['a week', ({ set }) => set(LOG_GROUP, 'retention_in_days', 7)],
      ['left behind', ({ set }) => set(LOG_GROUP, 'skip_destroy', true)],
      [
        'a class without subscriptions',
        ({ set }) => set(LOG_GROUP, 'log_group_class', 'INFREQUENT_ACCESS'),
      ],
    ],
    'log-group-is-written': [
      [
        'another name for the cluster',
        ({ set }) => set(LOG_GROUP, 'name', '/aws/eks/another', /eks/),
      ],
      ['another name for the topic', ({ set }) => set(LOG_GROUP, 'name', 'sns/another', /Failure/)],
      [
        'a flow log that goes elsewhere',
        ({ set }) =>
          set(
            'aws_flow_log',
            'log_destination',
            'arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:x',
          ),
      ],
      ['a topic of another name', ({ set }) => set('aws_sns_topic', 'name', 'another')],
    ],
  },
  queue: {
    'losses-have-alarms': [
      ['no alarm on what waits too long', ({ remove }) => remove(ALARM, /AgeOfOldest/)],
      ['a day of waiting', ({ set }) => set(ALARM, 'threshold', 86400, /AgeOfOldest/)],
      [
        'the age in the dead-letter queue',
        ({ set, address }) =>
          set(
            ALARM,
            'dimensions.QueueName',
            `\${${address('aws_sqs_queue', /byQueue/)}.name}`,
            /AgeOfOldest/,
          ),
      ],
    ],
  },
});

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
    const before = findings(MONITORING_RULES, auditedOf(stacks));
    planterFor(stacks).copy(ALARM, changes, /NotificationsFailed"/);
    expect(findings(MONITORING_RULES, auditedOf(stacks))).toEqual(before);
  });
});
