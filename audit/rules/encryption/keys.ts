import { partitionOf } from '@file-processing/contract/partition.ts';
import { graphOf, type Model, type Resource } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, statementsAbout, topicsOfOthers } from '../../policy/policies.ts';
import { allows, type PolicyStatement, requiredValues } from '../../policy/policy-document.ts';
import {
  argumentRule,
  every,
  mayBeAtLeast,
  mayBeAtMost,
  mustBeTrue,
  mustNotBeFalse,
  mustNotBeTrue,
  mustReferTo,
  neighbours,
  read,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

/** A service that has to use a key, for one source. */
interface KeyUse {
  readonly key: Resource;
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
  const stack = model.stackOf(key);
  return (
    service === 's3.amazonaws.com' &&
    neighbours(model, key, 'aws_sns_topic').some(
      ({ attributes }) => stack.target(attributes.kms_master_key_id) === key,
    )
  );
}

function keyUses(model: Model, key: Resource): readonly KeyUse[] {
  const stack = model.stackOf(key);
  const uses = (resource: Resource, argument: string) =>
    stack.target(resource.attributes[argument]) === key;
  const logs = neighbours(model, key, 'aws_cloudwatch_log_group')
    .filter((group) => uses(group, 'kms_key_id'))
    .map((group) => ({
      key,
      service: `logs.${stack.region}.${partitionOf(stack.region).dnsSuffix}`,
      condition: 'kms:EncryptionContext:aws:logs:arn',
      source: arnOf(stack, group) ?? `\${${group.address}.arn}`,
      actions: LOG,
      why: `${group.address} is encrypted with it`,
    }));
  const topics = neighbours(model, key, 'aws_sns_topic').filter((t) =>
    uses(t, 'kms_master_key_id'),
  );
  const queues = neighbours(model, key, 'aws_sqs_queue').filter((q) =>
    uses(q, 'kms_master_key_id'),
  );
  const notifications = neighbours(model, key, 'aws_s3_bucket_notification').filter(
    (notification) =>
      topics.some((topic) => graphOf(stack).users(topic.address).includes(notification)),
  );
  // A bucket that a topic lets publish notifies it, whoever configures that.
  const publishers = topics
    .flatMap((topic) => statementsAbout(model, topic).map((statement) => ({ topic, statement })))
    .filter(({ statement }) =>
      statement.principals?.some(({ value }) => value === 's3.amazonaws.com'),
    )
    .flatMap(({ topic, statement }) =>
      requiredValues(statement, 'aws:SourceArn').map((source) => [source, topic.address] as const),
    );
  const notifying = notifications.map(
    ({ address, attributes }) =>
      [`arn:${stack.partition}:s3:::${canonical(stack, attributes.bucket)}`, address] as const,
  );
  const buckets = [...new Map([...publishers, ...notifying])].map(([source, address]) => ({
    key,
    service: 's3.amazonaws.com',
    condition: 'aws:SourceArn',
    source,
    actions: SEND,
    why: `${address} ${address.startsWith('aws_s3') ? 'notifies a topic' : `takes events of ${source}, and is`} encrypted with it`,
  }));
  const subscriptions = neighbours(model, key, 'aws_sns_topic_subscription').filter(
    (subscription) =>
      queues.some((queue) => graphOf(stack).users(queue.address).includes(subscription)),
  );
  const sends = subscriptions.map(({ address, attributes }) => ({
    source: canonical(stack, attributes.topic_arn),
    because: address,
  }));
  // A queue that a topic may send to is for its messages, also as long as nothing is subscribed.
  const sources = [
    ...neighbours(model, key, 'aws_sns_topic').map((topic) => arnOf(stack, topic) ?? ''),
    ...topicsOfOthers(stack),
  ];
  const allowed = queues.flatMap((queue) =>
    sources
      .filter((source) =>
        statementsAbout(model, queue).some((statement) =>
          requiredValues(statement, 'aws:SourceArn').includes(source),
        ),
      )
      .map((source) => ({ source, because: queue.address })),
  );
  const rules = queues.flatMap((queue) =>
    statementsAbout(model, queue)
      .filter(({ principals = [] }) =>
        principals.some(({ value }) => value === 'events.amazonaws.com'),
      )
      .flatMap((statement) => requiredValues(statement, 'aws:SourceArn'))
      .map((source) => ({ source, because: queue.address, service: 'events.amazonaws.com' })),
  );
  const senders = new Map([...allowed, ...sends].map((sender) => [sender.source, sender]));
  return [
    ...logs,
    ...buckets,
    ...[
      ...[...senders.values()].map((sender) => ({ ...sender, service: 'sns.amazonaws.com' })),
      ...rules,
    ].map(({ source, because, service }) => ({
      key,
      service,
      condition: 'aws:SourceArn',
      source,
      actions: SEND,
      why: `${source} sends to a queue encrypted with it (${because})`,
    })),
  ];
}

/** Rules on keys. */
export const KEY_RULES: readonly Rule[] = [
  argumentRule({
    id: 'key-rotates',
    title:
      'Every key rotates within a year, is on, and can be saved for 30 days after its deletion',
    reason:
      'A key that is deleted takes all that it encrypted with it; 30 days are the longest that KMS waits.',
    control: 'SC-12',
    severity: 'medium',
    must: {
      aws_kms_key: {
        enable_key_rotation: mustBeTrue,
        rotation_period_in_days: mayBeAtMost(366),
        deletion_window_in_days: mayBeAtLeast(30),
        is_enabled: mustNotBeFalse,
        bypass_policy_lockout_safety_check: mustNotBeTrue('bypasses the lockout check'),
        multi_region: mustNotBeTrue('lets copies of the key leave the region'),
      },
    },
  }),
  rule({
    id: 'key-is-administered',
    title: 'The account administers every key, by a policy in the stack',
    reason:
      'Without the statement for the account nobody can change the key any more, not even to delete it.',
    control: 'SC-12',
    severity: 'high',
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
    title: 'Every key has an alias, and every alias a key',
    reason: 'In an incident somebody has to find the key by what it is for, not by its id.',
    control: 'CM-8',
    severity: 'low',
    must: {
      aws_kms_key: {},
      aws_kms_alias: { target_key_id: mustReferTo('aws_kms_key', 'a key') },
    },
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
    title: "A key's policy allows every service that encrypts with it in the stack",
    reason:
      'S3 that may not use the key of an encrypted topic, or SNS that of a queue, drops the message without a trace in the stack.',
    control: 'SC-12',
    severity: 'high',
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
    title: "A key's policy allows no service that does not encrypt with it",
    reason: 'A right on a key that nothing needs is a way to what the key protects.',
    control: 'AC-6',
    severity: 'medium',
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
