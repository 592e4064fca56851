import type { VariableName } from '@file-processing/contract/listener-variables.ts';
import { decodeKeyFilter, encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import {
  blocksOf,
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, isTopicOf, OWN_ACCOUNT, statementsOf } from '../../policy/policies.ts';
import { parseJson, requiredValues } from '../../policy/policy-document.ts';
import { configured } from '../identity/workload-role.ts';
import { bucketsIn, listenersOf } from '../readers/listeners.ts';
import { argumentRule, every, listOf, neighbours, read } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import { letsSend } from './queues.ts';

/** What the pods of a stack are configured for: its listeners, or its ConfigMap where there is none yet. */
function settingsOf(audited: Audited, stack: string): readonly ((name: VariableName) => string)[] {
  const listeners = listenersOf(audited).filter((listener) => listener.stack === stack);
  if (listeners.length > 0)
    return listeners.map(
      ({ setting }) =>
        (name: VariableName) =>
          setting(name) ?? '',
    );
  const setting = (name: VariableName) => configured(audited.model, stack, name);
  return bucketsIn(setting).length === 0 ? [] : [setting];
}

function topicsOf(model: Model, notification: Resource): readonly (Resource | undefined)[] {
  const stack = model.stackOf(notification);
  return blocksOf(notification.attributes.topic).map((block) => stack.target(block.topic_arn));
}

/** The buckets of a pattern of events, each with a kind of keys. */
function patternPairs(stack: StackModel, detail: unknown): readonly string[] {
  const alternatives = valueAt(detail, '$or') ?? [detail];
  return listOf(alternatives).flatMap((one) =>
    listOf(valueAt(valueAt(one, 'bucket'), 'name')).flatMap((name) =>
      listOf(valueAt(valueAt(one, 'object'), 'key')).map(
        (key) => `${canonical(stack, name)} ${JSON.stringify(key)}`,
      ),
    ),
  );
}

/** What a listener's buckets of the stack's account are in such a pattern. */
function wantedPairs(setting: (name: VariableName) => string): readonly string[] {
  return bucketsIn(setting)
    .filter(({ account }) => account === undefined)
    .flatMap(({ name, prefixes, suffix = '' }) =>
      prefixes.map((prefix) => {
        const wildcard = `${prefix}*${suffix}`.replaceAll('\\', '\\\\');
        return `${name} ${JSON.stringify(suffix === '' ? { prefix } : { wildcard })}`;
      }),
    );
}

/** Rules on events of buckets that come by EventBridge. */
const EVENT_RULE_RULES: readonly Rule[] = [
  argumentRule({
    id: 'event-rule-reaches-queue',
    faults: (resource, { model }) => {
      const { target, stack } = read(model, resource);
      const rule = target('rule');
      const arn = (rule && arnOf(stack, rule)) ?? '';
      const [queue, undelivered] = [target('arn'), target('dead_letter_config.arn')];
      return [
        queue !== undefined && queue === undelivered && 'what fails goes to the same queue',
        ...[queue, undelivered].map(
          (one) =>
            !(one && letsSend(model, one, 'events.amazonaws.com', arn)) &&
            `${one?.address} does not let ${arn} send`,
        ),
      ];
    },
  }),
  argumentRule({
    id: 'event-rule-matches-listener',
    faults: (resource, audited) => {
      const stack = audited.model.stackOf(resource);
      const pattern = parseJson(resource.attributes.event_pattern);
      const { detail, ...others } = Object(pattern) as Record<string, unknown>;
      const about = JSON.stringify(others);
      const wanted = {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        account: [OWN_ACCOUNT],
      };
      const account = listOf(others.account).map((one) => canonical(stack, one));
      const pairs = patternPairs(stack, detail);
      return [
        JSON.stringify({ ...others, account }) !== JSON.stringify(wanted) &&
          `event_pattern is about ${about}, must be ${JSON.stringify(wanted)}`,
        ...settingsOf(audited, resource.stack).flatMap((setting) => {
          const known = wantedPairs(setting);
          const trusted = setting('SQS_TRUSTED_SOURCES').split(',');
          return [
            ...known
              .filter((pair) => !pairs.includes(pair))
              .map((pair) => `event_pattern lacks ${pair} of the listener`),
            ...pairs
              .filter((pair) => !known.includes(pair))
              .map((pair) => `event_pattern has ${pair}, which is none of the listener's`),
            ...bucketsIn(setting)
              .filter(({ name }) => !trusted.some((one) => one.startsWith(`${name}@`)))
              .map(({ name }) => `SQS_TRUSTED_SOURCES lacks ${name}`),
          ];
        }),
      ];
    },
  }),
];

/** Rules on event notifications of buckets. */
export const EVENT_NOTIFICATION_RULES: readonly Rule[] = [
  ...EVENT_RULE_RULES,
  rule({
    id: 'event-notification-for-new-objects',
    subjects: every('aws_s3_bucket_notification'),
    faults: (notification, { model }) => {
      const { stack, at } = read(model, notification);
      const blocks = blocksOf(notification.attributes.topic);
      const resolved = blocksOf(at('topic'));
      const prefixes = resolved.map((block) => decodeKeyFilter(String(block.filter_prefix ?? '')));
      const ids = resolved.map((block) => String(block.id ?? ''));
      return [
        blocks.length === 0 &&
          at('eventbridge') !== true &&
          'has no event notification, neither to a topic nor to EventBridge',
        new Set(ids).size !== ids.length && `an id is there twice: ${ids.join(', ')}`,
        ...blocks.flatMap((block, index) => {
          const prefix = prefixes[index] ?? '';
          const events = listOf(block.events).map(String);
          return [
            !isTopicOf(stack, block.topic_arn) && 'topic_arn is not a topic of the stack',
            events.join() !== 's3:ObjectCreated:*' &&
              `events are ${events.join(', ')}, must be s3:ObjectCreated:*`,
            ...['filter_prefix', 'filter_suffix'].map((argument) => {
              const filter = String(resolved[index]?.[argument] ?? '');
              const encoded = encodeKeyFilter(decodeKeyFilter(filter));
              return (
                filter !== encoded &&
                `${argument} is ${filter}: S3 wants it percent-encoded, ${encoded}`
              );
            }),
            !/^[^/].*\/$/.test(prefix) &&
              `filter_prefix is ${prefix || 'missing'}: must be a folder, as aa/bb/`,
            ...prefixes
              .filter((_, other) => other !== index)
              .map(
                (other) =>
                  other.startsWith(prefix) &&
                  `prefixes ${prefix} and ${other} overlap: S3 refuses them`,
              ),
          ];
        }),
      ];
    },
  }),
  rule({
    id: 'event-notification-matches-listener',
    subjects: every('aws_s3_bucket_notification'),
    faults: (notification, audited) => {
      const { at, text, stack } = read(audited.model, notification);
      const blocks = blocksOf(at('topic'));
      const prefixes = blocks.map((block) => decodeKeyFilter(String(block.filter_prefix ?? '')));
      const suffixes = blocks.map((block) => decodeKeyFilter(String(block.filter_suffix ?? '')));
      // Of EventBridge, its rule says which.
      if (blocks.length === 0 && at('eventbridge') === true) return [];
      const faults = settingsOf(audited, notification.stack).flatMap((setting) => {
        const buckets = bucketsIn(setting);
        const names = buckets.map(({ name }) => canonical(stack, name));
        const own = buckets[names.indexOf(text('bucket'))];
        if (own === undefined)
          return [
            `is for ${text('bucket')}, the listener's bucket is ${names.join(', ') || 'empty'}`,
          ];
        const { prefixes: known, suffix: wanted = '' } = own;
        return [
          ...known
            .filter((prefix) => !prefixes.includes(prefix))
            .map((prefix) => `${prefix} of the listener has no event notification`),
          ...prefixes
            .filter((prefix) => !known.includes(prefix))
            .map((prefix) => `${prefix} has an event notification, but is none of the listener's`),
          ...suffixes
            .filter((suffix) => suffix !== wanted)
            .map((suffix) => `has the suffix *${suffix}, the listener's is ${wanted || 'empty'}`),
        ];
      });
      return [...new Set(faults)];
    },
  }),
  rule({
    id: 'event-notification-excludes-reports',
    subjects: every('aws_s3_bucket_notification'),
    faults: (notification, { model }) => {
      const prefixes = blocksOf(read(model, notification).at('topic')).map((block) =>
        decodeKeyFilter(String(block.filter_prefix ?? '')),
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
            .map((prefix) => `${report} is written to, and ${prefix} has an event notification`),
        );
    },
  }),
  rule({
    id: 'bucket-has-event-notification',
    subjects: ({ model }) =>
      statementsOf(model, 'topic').filter(({ statement }) =>
        statement.principals?.some(({ value }) => value === 's3.amazonaws.com'),
      ),
    faults: ({ stack, about, statement }, { model }) => {
      if (requiredValues(statement, 'aws:SourceAccount').join() !== OWN_ACCOUNT) return [];
      const place = model.stackOf({ stack });
      const notified = neighbours(model, { stack }, 'aws_s3_bucket_notification')
        .filter(
          (notification) =>
            topicsOf(model, notification).includes(about) ||
            notification.attributes.eventbridge === true,
        )
        .map(
          ({ attributes }) => `arn:${place.partition}:s3:::${canonical(place, attributes.bucket)}`,
        );
      return requiredValues(statement, 'aws:SourceArn')
        .filter((bucket) => !notified.includes(bucket))
        .map((bucket) => `no aws_s3_bucket_notification of ${bucket} names this topic`);
    },
  }),
];
