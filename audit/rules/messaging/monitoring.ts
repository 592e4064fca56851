import { parseTopicArn } from '@file-processing/contract/arn.ts';
import { blocksOf, type Model, type Resource } from '../../../src/synthesized/model/model.ts';
import { databaseLogs } from '../database/database.ts';
import { deliveryLog } from '../identity/roles.ts';
import {
  argumentRule,
  every,
  mayBe,
  mustBeAtLeast,
  mustBeOwnKey,
  mustNotBeTrue,
  neighbours,
  read,
} from '../readers/resources.ts';
import type { Faults } from '../rule.ts';
import { type Rule, rule } from '../rule.ts';
import { isDeadLetterQueue } from './queues.ts';

interface Watch {
  readonly namespace: string;
  readonly metric: string;
  readonly dimension: string;
  readonly statistic: string;
  /** The highest threshold that still tells in time. */
  readonly threshold: number;
}

const DEAD_LETTERS: Watch = {
  namespace: 'AWS/SQS',
  metric: 'ApproximateNumberOfMessagesVisible',
  dimension: 'QueueName',
  statistic: 'Maximum',
  threshold: 0,
};
const WAITING: Watch = {
  namespace: 'AWS/SQS',
  metric: 'ApproximateAgeOfOldestMessage',
  dimension: 'QueueName',
  statistic: 'Maximum',
  threshold: 3600,
};
const FAILED: Watch = {
  namespace: 'AWS/SNS',
  metric: 'NumberOfNotificationsFailed',
  dimension: 'TopicName',
  statistic: 'Sum',
  threshold: 0,
};
const LOST: Watch = { ...FAILED, metric: 'NumberOfNotificationsFailedToRedriveToDlq' };
const LOSSES: readonly Watch[] = [DEAD_LETTERS, WAITING, FAILED, LOST];

/**
 * Figures of the services that carry the messages: the dimension that they have here, and their names
 * (Amazon SQS Developer Guide, "Available CloudWatch metrics"; Amazon SNS Developer Guide, "Monitoring
 * topics using CloudWatch"). A name that is not published has no data.
 */
const FIGURES: Readonly<
  Record<string, { readonly dimension: string; readonly metrics: readonly string[] }>
> = {
  'AWS/SQS': {
    dimension: 'QueueName',
    metrics: [
      ...['ApproximateAgeOfOldestMessage', 'ApproximateNumberOfMessagesDelayed'],
      ...['ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesVisible'],
      ...['NumberOfEmptyReceives', 'NumberOfMessagesDeleted', 'NumberOfMessagesReceived'],
      ...['NumberOfMessagesSent', 'SentMessageSize'],
    ],
  },
  'AWS/SNS': {
    dimension: 'TopicName',
    metrics: [
      ...['NumberOfMessagesPublished', 'NumberOfNotificationsDelivered'],
      ...['NumberOfNotificationsFailed', 'NumberOfNotificationsFailedToRedriveToDlq'],
      ...['NumberOfNotificationsFilteredOut', 'NumberOfNotificationsRedrivenToDlq', 'PublishSize'],
    ],
  },
};

/** What is wrong with an alarm on a loss. */
function lossFaults(model: Model, alarm: Resource): Faults {
  const { text } = read(model, alarm);
  const useful = LOSSES.some((watch) =>
    neighbours(model, alarm, 'aws_sqs_queue', 'aws_sns_topic').some((resource) =>
      watches(model, alarm, watch, resource),
    ),
  );
  return [
    !useful &&
      `${text('namespace')} ${text('metric_name')} ${text('statistic')} ${text('comparison_operator')} ${text('threshold')} for what it names does not detect a loss`,
  ];
}

/** What is wrong with an alarm on any other figure: it has no data, or nothing of the stack is watched. */
function figureFaults(model: Model, alarm: Resource): Faults {
  const { text, number, at, target } = read(model, alarm);
  const namespace = text('namespace');
  const metric = text('metric_name');
  const dimensions = Object.keys(Object(at('dimensions')));
  const known = FIGURES[namespace];
  const ofAnother = Object.entries(FIGURES).flatMap(([service, { dimension }]) =>
    service !== namespace && dimensions.includes(dimension)
      ? [`${namespace} has no dimension ${dimension}`]
      : [],
  );
  return [
    ...ofAnother,
    known !== undefined &&
      dimensions.join() !== known.dimension &&
      `${namespace} has the dimension ${known?.dimension} alone here`,
    known !== undefined &&
      !known.metrics.includes(metric) &&
      `${namespace} publishes no ${metric || 'metric without a name'}`,
    known !== undefined &&
      !['', unitOf(metric)].includes(text('unit')) &&
      `${namespace} publishes ${metric} in ${unitOf(metric)}, not in ${text('unit')}`,
    namespace.startsWith('AWS/') &&
      !dimensions.some((name) => target(`dimensions.${name}`)) &&
      'its dimensions name nothing of the stack',
    Number.isNaN(number('threshold')) && 'has no threshold',
    !(number('period') >= 60 && number('period') % 60 === 0) &&
      'period must be whole minutes: AWS has no figures of seconds',
    number('datapoints_to_alarm') > number('evaluation_periods') &&
      'datapoints_to_alarm must not be more than evaluation_periods',
  ];
}

/** The unit that SQS and SNS publish a metric in: with another one there is no data. */
function unitOf(metric: string): string {
  if (metric.endsWith('Size')) return 'Bytes';
  return metric.includes('Age') ? 'Seconds' : 'Count';
}

function watchesOf(model: Model, resource: Resource): readonly Watch[] {
  if (resource.type === 'aws_sns_topic') return [FAILED, LOST];
  return isDeadLetterQueue(model, resource) ? [DEAD_LETTERS] : [WAITING];
}

function watches(model: Model, alarm: Resource, watch: Watch, resource: Resource): boolean {
  const { text, number, at, isFalse } = read(model, alarm);
  const dimensions = Object.keys(Object(at('dimensions')));
  const operator = text('comparison_operator');
  const highest =
    operator === 'GreaterThanOrEqualToThreshold' ? watch.threshold + 1 : watch.threshold;
  return (
    text('namespace') === watch.namespace &&
    text('metric_name') === watch.metric &&
    text('statistic') === watch.statistic &&
    ['GreaterThanThreshold', 'GreaterThanOrEqualToThreshold'].includes(operator) &&
    number('threshold') >= (operator === 'GreaterThanThreshold' ? 0 : 1) &&
    number('threshold') <= highest &&
    number('period') >= 60 &&
    number('period') % 60 === 0 &&
    number('evaluation_periods') >= 1 &&
    !(number('datapoints_to_alarm') > number('evaluation_periods')) &&
    // SQS and SNS publish these metrics as numbers and seconds: with another unit there is no data.
    ['', 'Count', 'Seconds'].includes(text('unit')) &&
    dimensions.join() === watch.dimension &&
    !isFalse('actions_enabled') &&
    text(`dimensions.${watch.dimension}`) === read(model, resource).text('name')
  );
}

function watchedBy(model: Model, alarm: Resource): readonly Resource[] {
  const { target } = read(model, alarm);
  return ['QueueName', 'TopicName']
    .map((dimension) => target(`dimensions.${dimension}`))
    .filter((resource) => resource !== undefined);
}

/** Topics that buckets notify: whoever is subscribed there reads no alarms. */
function notifiedTopics(model: Model, alarm: Resource): readonly Resource[] {
  const stack = model.stackOf(alarm);
  return neighbours(model, alarm, 'aws_s3_bucket_notification')
    .flatMap(({ attributes }) => blocksOf(attributes.topic))
    .map(({ topic_arn }) => stack.target(topic_arn))
    .filter((topic) => topic !== undefined);
}

/** CloudWatch takes these numbers of days only; the first that is a year. */
const A_YEAR = 365;

/** Rules on alarms and log groups. */
export const MONITORING_RULES: readonly Rule[] = [
  rule({
    id: 'losses-have-alarms',
    title: 'Alarms watch every dead-letter queue, working queue and topic for what did not arrive',
    reason: 'A dead-letter queue that nobody looks at loses its messages too, two weeks later.',
    control: 'SI-4(5)',
    severity: 'medium',
    subjects: every('aws_sqs_queue', 'aws_sns_topic'),
    faults: (resource, { model }) =>
      watchesOf(model, resource)
        .filter(
          (watch) =>
            !neighbours(model, resource, 'aws_cloudwatch_metric_alarm').some((alarm) =>
              watches(model, alarm, watch, resource),
            ),
        )
        .map(({ metric }) => `no alarm on ${metric} of it that goes off in time`),
  }),
  rule({
    id: 'alarms-go-off',
    title: 'Every alarm watches a metric of a resource of the stack, and goes off within minutes',
    reason:
      'A wrong dimension, statistic or comparison leaves an alarm in OK or INSUFFICIENT_DATA for ever.',
    control: 'SI-4(5)',
    severity: 'medium',
    subjects: every('aws_cloudwatch_metric_alarm'),
    faults: (alarm, { model }) => {
      const { isFalse, text, number } = read(model, alarm);
      const isLoss = LOSSES.some(
        ({ namespace, metric }) =>
          namespace === text('namespace') && metric === text('metric_name'),
      );
      const minutes = (number('period') * number('evaluation_periods')) / 60;
      return [
        ...(isLoss ? lossFaults(model, alarm) : figureFaults(model, alarm)),
        isFalse('actions_enabled') && 'actions_enabled must not be false',
        !(minutes <= 15) && `goes off after ${minutes} minutes, must be within 15`,
        FIGURES[text('namespace')] !== undefined &&
          text('treat_missing_data') !== 'notBreaching' &&
          `treat_missing_data must be notBreaching: SQS and SNS send nothing while nothing happens`,
      ];
    },
  }),
  rule({
    id: 'alarms-have-actions',
    title: 'Every alarm has an action',
    reason: 'An alarm without an action is a colour on a page that nobody has open.',
    control: 'SI-4(5)',
    severity: 'low',
    subjects: every('aws_cloudwatch_metric_alarm'),
    faults: (alarm, { model }) => {
      const { list, stack } = read(model, alarm);
      const actions = list('alarm_actions').map(String);
      const others = [...actions, ...list('ok_actions').map(String)];
      return [
        actions.length === 0 && 'alarm_actions is empty: set alarm_topic_arn',
        ...others.map(
          (action) =>
            stack.target(action)?.type !== 'aws_sns_topic' &&
            parseTopicArn(action) === undefined &&
            `${action} is not a topic`,
        ),
        ...actions.map(
          (action) =>
            [...watchedBy(model, alarm), ...notifiedTopics(model, alarm)].some(
              (resource) => stack.target(action) === resource,
            ) && `${action} is a topic for messages, which it watches or which a bucket notifies`,
        ),
      ];
    },
  }),
  argumentRule({
    id: 'logs-encrypted',
    title: 'Log groups are encrypted with a key of the account',
    reason:
      'They tell who talked to whom and what was delivered where; with a key of the account that can be taken back.',
    control: 'AU-9(3)',
    severity: 'high',
    must: { aws_cloudwatch_log_group: { kms_key_id: mustBeOwnKey } },
  }),
  argumentRule({
    id: 'logs-are-kept',
    title: 'Log groups keep a year at least, and not for ever',
    reason:
      'Break-ins are found after months. Without a number CloudWatch keeps everything, personal data too.',
    control: 'AU-11',
    severity: 'medium',
    must: {
      aws_cloudwatch_log_group: {
        retention_in_days: mustBeAtLeast(A_YEAR),
        skip_destroy: mustNotBeTrue('leaves it behind'),
        log_group_class: mayBe('STANDARD'),
      },
    },
  }),
  rule({
    id: 'log-group-is-written',
    title: 'Something of the stack writes to every log group',
    reason:
      'AWS finds these log groups by their names alone: with a slip the service makes its own, without key and retention.',
    control: 'AU-12',
    severity: 'medium',
    subjects: every('aws_cloudwatch_log_group'),
    faults: (group, { model }) => {
      const { text, stack } = read(model, group);
      const name = text('name');
      const byCluster = neighbours(model, group, 'aws_eks_cluster').some(
        (cluster) => `/aws/eks/${read(model, cluster).text('name')}/cluster` === name,
      );
      const byTopic = neighbours(model, group, 'aws_sns_topic').some((topic) =>
        [deliveryLog(model, topic), `${deliveryLog(model, topic)}/Failure`].includes(name),
      );
      const byFlowLog = neighbours(model, group, 'aws_flow_log').some(
        ({ attributes }) => stack.target(attributes.log_destination) === group,
      );
      const byDatabase = databaseLogs(model, group).includes(name);
      return byCluster || byTopic || byFlowLog || byDatabase
        ? []
        : [`no cluster, topic, flow log or database writes to ${name}`];
    },
  }),
];
