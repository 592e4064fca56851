import { partitionOf } from '@file-processing/contract/partition.ts';
import { graphOf, type Model, type Resource } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, statementsAbout, topicsOfOthers } from '../../policy/policies.ts';
import { allows, type PolicyStatement, requiredValues } from '../../policy/policy-document.ts';
import { argumentRule, every, neighbours, read, referring } from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

/** A service that has to use a key, for one source. */
interface KeyUse {
  readonly service: string;
  readonly condition: string;
  readonly source: string;
  readonly actions: readonly string[];
  readonly why: string;
}

const SEND = ['kms:Decrypt', 'kms:GenerateDataKey'];
const LOG = [
  ...['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  ...['kms:GenerateDataKey', 'kms:DescribeKey'],
];

/** With `create_s3_notifications = false` somebody else configures the event notifications, with the same right. */
function isForOtherNotifications(model: Model, key: Resource, service: string): boolean {
  return (
    service === 's3.amazonaws.com' &&
    referring(model, key, 'aws_sns_topic', 'kms_master_key_id').length > 0
  );
}

/** What statements about a topic or queue let a service do something for. */
function sourcesFor(model: Model, resource: Resource, service: string): readonly string[] {
  return statementsAbout(model, resource)
    .filter(({ principals = [] }) => principals.some(({ value }) => value === service))
    .flatMap((statement) => requiredValues(statement, 'aws:SourceArn'));
}

function keyUses(model: Model, key: Resource): readonly KeyUse[] {
  const stack = model.stackOf(key);
  const topics = referring(model, key, 'aws_sns_topic', 'kms_master_key_id');
  const queues = referring(model, key, 'aws_sqs_queue', 'kms_master_key_id');
  /** Resources of a type that name one of some others. */
  const naming = (type: string, others: readonly Resource[]) =>
    neighbours(model, key, type).filter((one) =>
      others.some(({ address }) => graphOf(stack).users(address).includes(one)),
    );
  const logs = referring(model, key, 'aws_cloudwatch_log_group', 'kms_key_id').map((group) => ({
    service: `logs.${stack.region}.${partitionOf(stack.region).dnsSuffix}`,
    condition: 'kms:EncryptionContext:aws:logs:arn',
    source: arnOf(stack, group) ?? `\${${group.address}.arn}`,
    actions: LOG,
    why: `${group.address} is encrypted with it`,
  }));
  // A bucket that a topic lets publish notifies it, whoever configures that.
  const publishers = topics.flatMap((topic) =>
    sourcesFor(model, topic, 's3.amazonaws.com').map((source) => ({
      source,
      why: `${topic.address} takes events of ${source}, and is encrypted with it`,
    })),
  );
  const notifying = naming('aws_s3_bucket_notification', topics).map(({ address, attributes }) => ({
    source: `arn:${stack.partition}:s3:::${canonical(stack, attributes.bucket)}`,
    why: `${address} notifies a topic encrypted with it`,
  }));
  const sends = naming('aws_sns_topic_subscription', queues).map(({ address, attributes }) => ({
    source: canonical(stack, attributes.topic_arn),
    why: sending(canonical(stack, attributes.topic_arn), address),
  }));
  // A queue that a topic may send to is for its messages, also as long as nothing is subscribed.
  const ours = [
    ...neighbours(model, key, 'aws_sns_topic').map((topic) => arnOf(stack, topic) ?? ''),
    ...topicsOfOthers(stack),
  ];
  const allowed = (service: string) =>
    queues.flatMap((queue) =>
      sourcesFor(model, queue, service).map((source) => ({
        source,
        why: sending(source, queue.address),
      })),
    );
  const fromTopics = allowed('sns.amazonaws.com').filter(({ source }) => ours.includes(source));
  const bySource = (uses: readonly { readonly source: string; readonly why: string }[]) => [
    ...new Map(uses.map((use) => [use.source, use])).values(),
  ];
  return [
    ...logs,
    ...Object.entries({
      's3.amazonaws.com': bySource([...publishers, ...notifying]),
      'sns.amazonaws.com': bySource([...fromTopics, ...sends]),
      'events.amazonaws.com': allowed('events.amazonaws.com'),
    }).flatMap(([service, uses]) =>
      uses.map((use) => ({ ...use, service, condition: 'aws:SourceArn', actions: SEND })),
    ),
  ];
}

function sending(source: string, because: string): string {
  return `${source} sends to a queue encrypted with it (${because})`;
}

/** Rules on keys. */
export const KEY_RULES: readonly Rule[] = [
  argumentRule({ id: 'key-rotates' }),
  rule({
    id: 'key-is-administered',
    subjects: every('aws_kms_key'),
    faults: (key, { model }) => {
      const statements = statementsAbout(model, key);
      const administers = ({ effect, actions, principals = [], conditions }: PolicyStatement) =>
        effect === 'Allow' &&
        actions.includes('kms:*') &&
        conditions.length === 0 &&
        principals.some(({ type, value }) => type === 'AWS' && /::<account>:root$/.test(value));
      return statements.some(administers)
        ? []
        : [
            'no statement allows the account (arn:…:iam::<account>:root) to do kms:* without a condition',
          ];
    },
  }),
  argumentRule({
    id: 'key-has-alias',
    faults: (resource, { model }) => {
      const { stack, text } = read(model, resource);
      if (resource.type === 'aws_kms_alias') {
        return [/^alias\/aws\//.test(text('name')) && 'alias/aws/ is for keys of AWS'];
      }
      const users = graphOf(stack).users(resource.address);
      return [!users.some(({ type }) => type === 'aws_kms_alias') && 'has no alias'];
    },
  }),
  rule({
    id: 'key-allows-its-users',
    subjects: every('aws_kms_key'),
    faults: (key, { model }) => {
      const statements = statementsAbout(model, key);
      return keyUses(model, key).flatMap(({ service, condition, source, actions, why }) =>
        actions
          .filter(
            (action) =>
              !statements.some(
                (statement) =>
                  allows(statement, action) &&
                  statement.principals?.some(({ value }) => value === service) &&
                  (requiredValues(statement, condition).includes(source) ||
                    statement.conditions.length === 0),
              ),
          )
          .map((action) => `${why}, but ${service} may not ${action} for ${source}`),
      );
    },
  }),
  rule({
    id: 'key-allows-nobody-else',
    subjects: every('aws_kms_key'),
    faults: (key, { model }) => {
      const uses = keyUses(model, key);
      return statementsAbout(model, key)
        .filter(({ effect }) => effect === 'Allow')
        .flatMap((statement) =>
          (statement.principals ?? [])
            .filter(({ type }) => type === 'Service')
            .filter(
              ({ value }) =>
                !uses.some(({ service }) => service === value) &&
                !isForOtherNotifications(model, key, value),
            )
            .map(({ value }) => `${statement.sid}: nothing of ${value} is encrypted with it`),
        );
    },
  }),
];
