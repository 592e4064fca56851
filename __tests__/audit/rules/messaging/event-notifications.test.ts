import { EVENT_NOTIFICATION_RULES } from '../../../../audit/rules/messaging/event-notifications.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { CONFIG_MAP } from '../../support/kubernetes-paths.ts';
import { alter, type Change, drop, set } from '../../support/kubernetes-plants.ts';

const TYPE = 'aws_s3_bucket_notification';

const NOTIFICATION = 'aws_s3_bucket_notification';
const setting = (name: string, value: string): Change => set(CONFIG_MAP, `data.${name}`, value);

const RULE = 'aws_cloudwatch_event_rule';
const TARGET = 'aws_cloudwatch_event_target';
type Pattern = Record<string, unknown> & { detail: Record<string, Record<string, unknown>> };
const pattern = (alter: (pattern: Pattern) => object) => (text: unknown) =>
  JSON.stringify(alter(JSON.parse(String(text)) as Pattern));

describeRules(EVENT_NOTIFICATION_RULES, {
  bridge: {
    'event-rule-reaches-queue': [
      ['no queue for what fails', ({ drop }) => drop(TARGET, 'dead_letter_config')],
      [
        'the same queue for what fails',
        ({ change, set }) =>
          change(TARGET, 'arn', (arn) => {
            set(TARGET, 'dead_letter_config', { arn });
            return arn;
          }),
      ],
      [
        'another target',
        ({ set, address }) => set(TARGET, 'arn', `\${${address('aws_sns_topic')}.arn}`),
      ],
      [
        'queues that do not let it send',
        ({ change }) =>
          change(
            'aws_sqs_queue',
            'policy',
            (text) => String(text).replaceAll('events.amazonaws.com', 'sns.amazonaws.com'),
            /events\.amazonaws/,
          ),
      ],
      ['a rule of others', ({ set }) => set(TARGET, 'rule', 'theirs')],
    ],
    'event-rule-matches-listener': [
      ['no pattern', ({ drop }) => drop(RULE, 'event_pattern')],
      [
        'events of every account',
        ({ change }) =>
          change(
            RULE,
            'event_pattern',
            pattern(({ account, ...others }) => others),
          ),
      ],
      [
        'objects that are deleted too',
        ({ change }) =>
          change(
            RULE,
            'event_pattern',
            pattern((all) => ({ ...all, 'detail-type': ['Object Created', 'Object Deleted'] })),
          ),
      ],
      [
        'other keys',
        ({ change }) =>
          change(
            RULE,
            'event_pattern',
            pattern((all) => ({
              ...all,
              detail: { ...all.detail, object: { key: [{ prefix: 'other/' }] } },
            })),
          ),
      ],
      [
        'every key',
        ({ change }) =>
          change(
            RULE,
            'event_pattern',
            pattern((all) => ({ ...all, detail: { bucket: all.detail.bucket } })),
          ),
      ],
    ],
  },
  plants: {
    'event-notification-for-new-objects': [
      ['only what is put', ({ set }) => set(TYPE, 'topic.events', ['s3:ObjectCreated:Put'])],
      ['what is removed', ({ set }) => set(TYPE, 'topic.events', ['s3:ObjectRemoved:*'])],
      [
        'what is removed too',
        ({ set }) => set(TYPE, 'topic.events', ['s3:ObjectCreated:*', 's3:ObjectRemoved:*']),
      ],
      ['everything in the bucket', ({ drop }) => drop(TYPE, 'topic.filter_prefix')],
      ['an empty prefix', ({ set }) => set(TYPE, 'topic.filter_prefix', '')],
      [
        'a prefix that is not a folder',
        ({ set }) => set(TYPE, 'topic.filter_prefix', 'from_client'),
      ],
      [
        'a prefix with a slash before it',
        ({ change }) => change(TYPE, 'topic.filter_prefix', (prefix) => `/${prefix}`),
      ],
      [
        'a prefix that is not percent-encoded',
        ({ set }) => set(TYPE, 'topic.filter_prefix', 'from_client/year=2026/'),
      ],
      [
        'prefixes that overlap',
        ({ change }) =>
          change(TYPE, 'topic', (list) => {
            const [first, second] = list as Record<string, unknown>[];
            return [first, { ...second, filter_prefix: `${first?.filter_prefix}more/` }];
          }),
      ],
      [
        'a topic of somebody else',
        ({ set }) =>
          set(TYPE, 'topic.topic_arn', 'arn:aws-us-gov:sns:us-gov-west-1:210987654321:x'),
      ],
      [
        'two notifications of one name',
        ({ change }) =>
          change(TYPE, 'topic', (list) => (list as object[]).map((one) => ({ ...one, id: 'x' }))),
      ],
      ['nothing', ({ set }) => set(TYPE, 'topic', [])],
    ],
    'event-notification-matches-listener': [
      [
        'a prefix less',
        ({ change }) => change(TYPE, 'topic', (list) => (list as object[]).slice(1)),
      ],
      ['another prefix', ({ set }) => set(TYPE, 'topic.filter_prefix', 'another/')],
      ['another suffix', ({ set }) => set(TYPE, 'topic.filter_suffix', '.txt')],
      ['no suffix', ({ drop }) => drop(TYPE, 'topic.filter_suffix')],
      ['another bucket', ({ set }) => set(TYPE, 'bucket', 'another')],
      [
        'another bucket in the settings',
        ({ set }) => set('kubernetes_config_map_v1', 'data.S3_BUCKET', 'another'),
      ],
    ],
    'event-notification-excludes-reports': [
      [
        'reports below a notified prefix',
        ({ change, stackWith }) => {
          const [first] = Object.values(Object(Object(stackWith(TYPE).resource)[TYPE])) as {
            topic: { filter_prefix: string }[];
          }[];
          change(
            'kubernetes_config_map_v1',
            'data.REPORT_PREFIX',
            () => `${first?.topic[0]?.filter_prefix}reports/`,
          );
        },
      ],
      [
        'a right to write below a notified prefix',
        ({ statement, stackWith }) => {
          const [first] = Object.values(Object(Object(stackWith(TYPE).resource)[TYPE])) as {
            topic: { filter_prefix: string }[];
          }[];
          statement(/s3:PutObject/, (s) =>
            Object.assign(s, {
              Resource: String(s.Resource).replace(/\/.*/, `/${first?.topic[0]?.filter_prefix}*`),
            }),
          );
        },
      ],
      [
        'the notified prefix above the reports',
        ({ change, set }) => {
          let report = '';
          change('kubernetes_config_map_v1', 'data.REPORT_PREFIX', (prefix) => {
            report = String(prefix);
            return prefix;
          });
          set(TYPE, 'topic.filter_prefix', report);
        },
      ],
    ],
    'bucket-has-event-notification': [
      ['no notification', ({ remove }) => remove(TYPE)],
      [
        'a notification to another topic',
        ({ change }) =>
          change(TYPE, 'topic', (list) =>
            (list as object[]).map((one) => ({
              ...one,
              topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:x',
            })),
          ),
      ],
    ],
  },
  objects: {
    'event-notification-matches-listener': [
      ['another bucket', setting('S3_BUCKET', 'another-bucket')],
      ['another prefix', setting('S3_PREFIXES', 'outgoing_files/')],
      ['one prefix more', alter(CONFIG_MAP, 'data.S3_PREFIXES', (text) => `${text},more/`)],
      ['another suffix', setting('S3_SUFFIX', '.txt')],
      ['no suffix', drop(CONFIG_MAP, 'data.S3_SUFFIX')],
      ['another prefix that is notified', set(NOTIFICATION, 'topic.0.filter_prefix', 'other/')],
      ['another bucket that notifies', set(NOTIFICATION, 'bucket', 'another-bucket')],
      ['everything notified', drop(NOTIFICATION, 'topic.0.filter_prefix')],
    ],
  },
  buckets: {
    'event-notification-matches-listener': [
      [
        'the notifications of one bucket for another',
        ({ set }) => set(TYPE, 'bucket', 'their-boxes'),
      ],
      [
        'a key prefix of another bucket',
        ({ json }) =>
          json('kubernetes_config_map_v1', 'data.S3_BUCKETS', (list) => {
            const [one, other] = list as unknown as Record<string, unknown>[];
            Object.assign(one ?? {}, { prefixes: other?.prefixes });
          }),
      ],
      [
        'the suffix of one bucket for all',
        ({ json }) =>
          json('kubernetes_config_map_v1', 'data.S3_BUCKETS', (list) => {
            for (const bucket of list as unknown as object[])
              Object.assign(bucket, { suffix: '.csv' });
          }),
      ],
    ],
    'bucket-has-event-notification': [
      ['a bucket that nobody is notified of', ({ remove }) => remove(TYPE, /suffix/)],
    ],
  },
});
