import { blocksOf, type Model, type Resource } from '../../../src/synthesized/model/model.ts';
import { statementsOf } from '../../policy/policies.ts';
import { configured, jobOf } from '../identity/workload-role.ts';
import { every, faultsOf, neighbours, read } from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

/** What is announced. */
const newObjectsAnnounced: Rule = rule({
  id: 'new-objects-announced',
  title: 'A bucket announces every new object below named prefixes to a topic of the stack',
  reason:
    'Events that are left out are files that nobody checks; without a prefix every object of the bucket is announced.',
  control: 'SI-4',
  severity: 'high',
  subjects: every('aws_s3_bucket_notification'),
  faults: (notification, { model }) => {
    const { stack, at } = read(model, notification);
    const blocks = blocksOf(notification.attributes.topic);
    const resolved = blocksOf(at('topic'));
    const prefixes = resolved.map((block) => String(block.filter_prefix ?? ''));
    const ids = resolved.map((block) => String(block.id ?? ''));
    return [
      ...faultsOf(
        [blocks.length === 0, 'announces nothing to a topic'],
        [new Set(ids).size !== ids.length, `an id is there twice: ${ids.join(', ')}`],
      ),
      ...blocks.flatMap((block, index) => {
        const prefix = prefixes[index] ?? '';
        const events = textsOf(block.events);
        return faultsOf(
          [
            stack.target(block.topic_arn)?.type !== 'aws_sns_topic',
            'topic_arn is no topic of the stack',
          ],
          [
            events.join() !== 's3:ObjectCreated:*',
            `events are ${events.join(', ')}, must be s3:ObjectCreated:*`,
          ],
          [
            !/^[^/].*\/$/.test(prefix),
            `filter_prefix is ${prefix || 'missing'}: must be a folder, as aa/bb/`,
          ],
          ...prefixes
            .filter((_, other) => other !== index)
            .map(
              (other) =>
                [
                  other.startsWith(prefix),
                  `prefixes ${prefix} and ${other} overlap: S3 refuses them`,
                ] as const,
            ),
        );
      }),
    ];
  },
});

/** The pods must know what is announced, and the other way round. */
const announcementsAreKnown: Rule = rule({
  id: 'announcements-are-known',
  title: 'What a bucket announces is what the pods are configured for',
  reason:
    'The listener refuses what lies outside its bucket, prefixes and suffix; what is configured but not announced is never checked.',
  control: 'CM-6',
  severity: 'high',
  subjects: every('aws_s3_bucket_notification'),
  faults: (notification, { model }) => {
    const { at, text } = read(model, notification);
    const setting = (name: string) => configured(model, notification.stack, name);
    if (setting('S3_BUCKET') === '') return [];
    const blocks = blocksOf(at('topic'));
    const prefixes = blocks.map((block) => String(block.filter_prefix ?? ''));
    const known = setting('S3_PREFIXES').split(',').filter(Boolean);
    const suffixes = blocks.map((block) => String(block.filter_suffix ?? ''));
    return [
      ...faultsOf([
        text('bucket') !== setting('S3_BUCKET'),
        `announces ${text('bucket')}, S3_BUCKET is ${setting('S3_BUCKET')}`,
      ]),
      ...known
        .filter((prefix) => !prefixes.includes(prefix))
        .map((prefix) => `${prefix} of S3_PREFIXES is not announced`),
      ...prefixes
        .filter((prefix) => !known.includes(prefix))
        .map((prefix) => `${prefix} is announced, but not among S3_PREFIXES`),
      ...suffixes
        .filter((suffix) => suffix !== setting('S3_SUFFIX'))
        .map((suffix) => `announces *${suffix}, S3_SUFFIX is ${setting('S3_SUFFIX') || 'empty'}`),
    ];
  },
});

/** A report that is announced is checked, which makes a report, and so on. */
const reportsNotAnnounced: Rule = rule({
  id: 'reports-not-announced',
  title: 'Reports lie outside what is announced',
  reason:
    'A report below an announced prefix is announced as a new file, whose report is announced: a loop that costs until somebody notices.',
  control: 'SC-5',
  severity: 'high',
  subjects: every('aws_s3_bucket_notification'),
  faults: (notification, { model }) => {
    const prefixes = blocksOf(read(model, notification).at('topic')).map((block) =>
      String(block.filter_prefix ?? ''),
    );
    const written = new Set([
      configured(model, notification.stack, 'REPORT_PREFIX'),
      ...statementsOf(model, 'identity')
        .filter(
          ({ stack, statement }) =>
            stack === notification.stack && statement.actions.includes('s3:PutObject'),
        )
        .flatMap(({ statement }) => statement.resources)
        .map((resource) => /^arn:[^:]+:s3:::[^/]+\/(.*?)\*?$/.exec(resource)?.[1] ?? ''),
    ]);
    return [...written]
      .filter(Boolean)
      .flatMap((report) =>
        prefixes
          .filter((prefix) => report.startsWith(prefix) || prefix.startsWith(report))
          .map((prefix) => `${report} is written to, and ${prefix} is announced`),
      );
  },
});

/** A topic that a bucket may publish to, and none does. */
const bucketIsConnected: Rule = rule({
  id: 'bucket-is-connected',
  title: 'The bucket that may publish to a topic announces to it',
  reason: 'Without the notification nothing tells the topic about new objects, and nothing fails.',
  control: 'SI-4',
  severity: 'medium',
  subjects: ({ model }) =>
    statementsOf(model, 'topic').filter(({ statement }) =>
      statement.principals?.some(({ value }) => value === 's3.amazonaws.com'),
    ),
  faults: ({ stack, about }, { model }) => {
    const announced = neighbours(model, { stack }, 'aws_s3_bucket_notification').some(
      (notification) => topicsOf(model, notification).includes(about),
    );
    return announced ? [] : ['no aws_s3_bucket_notification announces to this topic'];
  },
});

/** The pods' bucket, where the stack does not announce itself. */
const policiesNameBucket: Rule = rule({
  id: 'policies-name-the-bucket',
  title: 'Policies that let a bucket in name the bucket that the pods read',
  reason: 'A slip in one of the places lets another bucket publish, and ours be silent.',
  control: 'AC-3',
  severity: 'high',
  subjects: ({ model }) =>
    statementsOf(model, 'topic', 'key').filter(({ statement }) =>
      statement.principals?.some(({ value }) => value === 's3.amazonaws.com'),
    ),
  faults: ({ stack, statement }, { model }) => {
    const job = jobOf(model, stack);
    if (job === undefined) return [];
    const sources = statement.conditions
      .filter(({ key }) => key.toLowerCase() === 'aws:sourcearn')
      .flatMap(({ values }) => values);
    return sources
      .filter((source) => !source.endsWith(`:s3:::${job.bucket}`))
      .map((source) => `${statement.sid}: ${source} is not the bucket ${job.bucket}`);
  },
});

function topicsOf(model: Model, notification: Resource): readonly (Resource | undefined)[] {
  const stack = model.stackOf(notification);
  return blocksOf(notification.attributes.topic).map((block) => stack.target(block.topic_arn));
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
}

/** Rules on event notifications of buckets. */
export const EVENT_NOTIFICATION_RULES: readonly Rule[] = [
  newObjectsAnnounced,
  announcementsAreKnown,
  reportsNotAnnounced,
  bucketIsConnected,
  policiesNameBucket,
];
