import { parseTopicArn } from '@file-processing/contract/arn.ts';
import { referenceOf } from '../../../src/synthesized/model/expression.ts';
import {
  blocksOf,
  type Model,
  type Resource,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { databaseLogs } from '../database/database.ts';
import { deliveryLog } from '../identity/roles.ts';
import { argumentRule, every, neighbours, read, referring } from '../readers/resources.ts';
import type { Faults } from '../rule.ts';
import { type Rule, rule } from '../rule.ts';
import metrics from './metrics.json' with { type: 'json' };
import { isDeadLetterQueue } from './queues.ts';

interface Watch {
  readonly namespace: string;
  readonly metric: string;
  readonly dimension: string;
  readonly statistic: string;
  /** The highest threshold that still tells in time. */
  readonly threshold: number;
}

const { deadLetters: DEAD_LETTERS, waiting: WAITING, failed: FAILED, lost: LOST } = metrics.losses;
const LOSSES: readonly Watch[] = Object.values(metrics.losses);

/** What AWS publishes of a service, see metrics.json. */
interface Figures {
  /** Whether no other metric is published: one by another name has no data. */
  readonly complete?: boolean;
  /** Whether nothing is published while nothing happens. */
  readonly quiet?: boolean;
  /** What each dimension names: types of resources, with the argument that is in it. */
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, Figure>>;
}

/** A metric: a level is measured again and again, events are counted as they come. */
interface Figure {
  readonly unit: string;
  readonly kind: string;
  /** Which end of it is bad. */
  readonly worse: string;
  /** The highest that it can be. @default 100 of a percentage, else none */
  readonly most?: number;
}

const FIGURES: Readonly<Record<string, Figures>> = metrics.namespaces;

const MORE = ['GreaterThanThreshold', 'GreaterThanOrEqualToThreshold'];
const LESS = ['LessThanThreshold', 'LessThanOrEqualToThreshold'];

/** What is wrong with an alarm on a loss. */
function lossFaults(model: Model, alarm: Resource): Faults {
  const { text } = read(model, alarm);
  const told = (other: Resource) =>
    neighbours(model, other, 'aws_sqs_queue', 'aws_sns_topic').filter((resource) =>
      LOSSES.some((watch) => watches(model, other, watch, resource)),
    );
  // A further one may tell later, where another one of the same resource tells in time.
  const elsewhere = neighbours(model, alarm, alarm.type).flatMap((other) => told(other));
  const useful =
    told(alarm).length > 0 || watchedBy(model, alarm).some((one) => elsewhere.includes(one));
  return [
    ...metricFaults(model, alarm),
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
  // Buckets are made by others, and are of the stack all the same.
  const buckets = neighbours(model, alarm, 'aws_s3_bucket_notification').map((notification) =>
    read(model, notification).text('bucket'),
  );
  const ofAnother = Object.entries(FIGURES).flatMap(([service, { dimensions: theirs = {} }]) =>
    service !== namespace && dimensions.some((dimension) => dimension in theirs)
      ? [`${namespace} has no dimension ${dimensions.join(', ')}`]
      : [],
  );
  return [
    ...ofAnother,
    ...metricFaults(model, alarm),
    known?.complete === true &&
      !(metric in known.metrics) &&
      `${namespace} publishes no ${metric || 'metric without a name'}`,
    namespace.startsWith('AWS/') &&
      !dimensions.some((name) => target(`dimensions.${name}`)) &&
      !buckets.includes(text('dimensions.BucketName')) &&
      'its dimensions name nothing of the stack',
    Number.isNaN(number('threshold')) && 'has no threshold',
    !(number('period') >= 60 && number('period') % 60 === 0) &&
      'period must be whole minutes: AWS has no figures of seconds',
    number('datapoints_to_alarm') > number('evaluation_periods') &&
      'datapoints_to_alarm must not be more than evaluation_periods',
  ];
}

/** What keeps an alarm from ever having data of a metric that is known, or from going off by it. */
function metricFaults(model: Model, alarm: Resource): Faults {
  const { text, number, at } = read(model, alarm);
  const [namespace, metric] = [text('namespace'), text('metric_name')];
  const figures = FIGURES[namespace];
  const figure = figures?.metrics[metric];
  const name = `${namespace} ${metric}`;
  const dimensions = Object.keys(Object(at('dimensions')));
  const faults = [
    ...(figures?.dimensions === undefined
      ? []
      : dimensions.flatMap((dimension) => dimensionFaults(model, alarm, dimension))),
    figures?.dimensions !== undefined &&
      !dimensions.some((dimension) => dimension in (figures.dimensions ?? {})) &&
      `${namespace} has the dimension ${Object.keys(figures.dimensions).join(' or ')} here`,
    text('treat_missing_data') === 'ignore' &&
      'treat_missing_data is ignore: it stays as it was when its figures end',
    !metrics.missing.includes(text('treat_missing_data')) &&
      `treat_missing_data is ${text('treat_missing_data')}, may be ${metrics.missing.filter(Boolean).join(', ')}`,
    !metrics.statistics.includes(text('statistic')) &&
      `statistic is ${text('statistic')}, may be ${metrics.statistics.filter(Boolean).join(', ')}`,
    !(number('evaluation_periods') >= 1) && 'evaluation_periods must be 1 or more',
  ];
  if (figure === undefined) return faults;
  const [operator, statistic] = [text('comparison_operator'), text('statistic')];
  const threshold = number('threshold');
  const most = figure.most ?? (figure.unit === 'Percent' ? 100 : Number.POSITIVE_INFINITY);
  // An idle service uses a few percent too.
  const least = figure.unit === 'Percent' && figure.worse === 'high' ? 10 : 0;
  const never = {
    GreaterThanThreshold: threshold >= most,
    GreaterThanOrEqualToThreshold: threshold > most,
    LessThanThreshold: threshold <= 0,
    LessThanOrEqualToThreshold: threshold < 0,
  }[operator];
  const always = {
    GreaterThanThreshold: threshold < least,
    GreaterThanOrEqualToThreshold: threshold <= least,
    LessThanThreshold: threshold > most,
    LessThanOrEqualToThreshold: threshold >= most,
  }[operator];
  const condition = `${operator} ${text('threshold')}`;
  return [
    ...faults,
    !['', figure.unit].includes(text('unit')) &&
      `unit is ${text('unit')}: ${name} is published in ${figure.unit} alone`,
    ![...MORE, ...LESS].includes(operator) && `comparison_operator is ${operator || 'missing'}`,
    never === true && `${name} is never ${condition}`,
    always === true && `${name} is always ${condition}`,
    figure.worse === 'high' &&
      LESS.includes(operator) &&
      `goes off while ${name} is low, and never when it is too high`,
    figure.worse === 'low' &&
      MORE.includes(operator) &&
      `goes off while ${name} is high, and never when it is too low`,
    statistic === '' &&
      text('extended_statistic') === '' &&
      'has no statistic, without which it has no data',
    (statistic === 'SampleCount' || (statistic === 'Sum' && figure.kind === 'level')) &&
      `statistic is ${statistic}, which counts how often ${name} was measured`,
    ((statistic === 'Minimum' && figure.worse === 'high') ||
      (statistic === 'Maximum' && figure.worse === 'low')) &&
      `statistic is ${statistic}, the best moment of each period`,
  ];
}

/** What a dimension has to name: `aws_sqs_queue.name`, say. */
function dimensionFaults(model: Model, alarm: Resource, dimension: string): Faults {
  const { text, stack, target } = read(model, alarm);
  const namespace = text('namespace');
  const allowed = FIGURES[namespace]?.dimensions?.[dimension]?.split('|');
  if (allowed === undefined) {
    // What narrows the figures of a cluster to its writer or its readers.
    return [
      !(namespace === 'AWS/RDS' && dimension === 'Role') &&
        `${namespace} has no dimension ${dimension} here`,
    ];
  }
  const reference = referenceOf(valueAt(alarm.attributes.dimensions, dimension));
  const resource = target(`dimensions.${dimension}`);
  if (reference === undefined || resource === undefined) return [];
  const named = `${resource.type}.${reference.attribute}`;
  const isSame = allowed.some((one) => {
    const [type = '', argument = ''] = one.split('.');
    return (
      type === resource.type &&
      stack.resolve(`\${${resource.address}.${argument}}`) === text(`dimensions.${dimension}`)
    );
  });
  return [
    !allowed.includes(named) &&
      !isSame &&
      `${dimension} is ${named}, must be ${allowed.join(' or ')}`,
  ];
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
    ['', FIGURES[watch.namespace]?.metrics[watch.metric]?.unit].includes(text('unit')) &&
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

/** Rules on alarms and log groups. */
export const MONITORING_RULES: readonly Rule[] = [
  rule({
    id: 'losses-have-alarms',
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
    subjects: every('aws_cloudwatch_metric_alarm'),
    faults: (alarm, { model }) => {
      const { isFalse, text, number, list } = read(model, alarm);
      if (list('metric_query').length > 0) {
        return [isFalse('actions_enabled') && 'actions_enabled must not be false'];
      }
      const isLoss = LOSSES.some(
        ({ namespace, metric }) =>
          namespace === text('namespace') && metric === text('metric_name'),
      );
      const minutes = (number('period') * number('evaluation_periods')) / 60;
      return [
        ...(isLoss ? lossFaults(model, alarm) : figureFaults(model, alarm)),
        isFalse('actions_enabled') && 'actions_enabled must not be false',
        (isLoss || text('namespace') === 'AWS/RDS') &&
          !(minutes <= 15) &&
          `goes off after ${minutes} minutes, must be within 15`,
        FIGURES[text('namespace')]?.quiet === true &&
          text('treat_missing_data') !== 'notBreaching' &&
          !LESS.includes(text('comparison_operator')) &&
          `treat_missing_data must be notBreaching: ${text('namespace')} publishes nothing while nothing happens`,
      ];
    },
  }),
  rule({
    id: 'alarms-have-actions',
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
  argumentRule({ id: 'logs-encrypted' }),
  argumentRule({ id: 'logs-are-kept' }),
  rule({
    id: 'log-group-is-written',
    subjects: every('aws_cloudwatch_log_group'),
    faults: (group, { model }) => {
      const { text } = read(model, group);
      const name = text('name');
      const byCluster = neighbours(model, group, 'aws_eks_cluster').some(
        (cluster) => `/aws/eks/${read(model, cluster).text('name')}/cluster` === name,
      );
      const byTopic = neighbours(model, group, 'aws_sns_topic').some((topic) =>
        [deliveryLog(model, topic), `${deliveryLog(model, topic)}/Failure`].includes(name),
      );
      const byFlowLog = referring(model, group, 'aws_flow_log', 'log_destination').length > 0;
      const byDatabase = databaseLogs(model, group).includes(name);
      return byCluster || byTopic || byFlowLog || byDatabase
        ? []
        : [`no cluster, topic, flow log or database writes to ${name}`];
    },
  }),
];
