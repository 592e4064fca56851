import { referenceOf } from '../../../src/synthesized/model/expression.ts';
import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, isTopicOf, policiesOf, statementsAbout } from '../../policy/policies.ts';
import { allows, parseJson, requiredValues } from '../../policy/policy-document.ts';
import { deliveryLog } from '../identity/roles.ts';
import { toldBuckets } from '../identity/workload-role.ts';
import { isHttp } from '../readers/listeners.ts';
import { argumentRule, every, neighbours, read, referring } from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';
import { letsSend } from './queues.ts';

/** Longest that SNS retries over HTTP, in seconds (Amazon SNS Developer Guide, "Message delivery retries"). */
const LONGEST_RETRY = 3600;
/** A rollout, a lost node or a failover of the database takes minutes. */
const SHORTEST_RETRY = 300;

/** Slower than this, an hour takes less than a large delivery has. */
const FEWEST_PER_SECOND = 10;

const RETRY_KEYS = [
  ...['minDelayTarget', 'maxDelayTarget', 'numRetries', 'numNoDelayRetries'],
  ...['numMinDelayRetries', 'numMaxDelayRetries', 'backoffFunction'],
];

function isOverHttp({ attributes }: Resource): boolean {
  return String(attributes.protocol).startsWith('http');
}

function queueFaults(model: Model, queue: Resource, source: string): readonly string[] {
  const stack = model.stackOf(queue);
  return letsSend(model, queue, 'sns.amazonaws.com', source)
    ? []
    : [
        `${arnOf(stack, queue) ?? canonical(stack, queue.attributes.name)} does not allow ${source} to send`,
      ];
}

/** Whether a URL names a host that can be in the public DNS, and nothing that is meant to be secret. */
function isPublicName(endpoint: string): boolean {
  if (endpoint.includes('${')) return true;
  const url = URL.parse(endpoint);
  if (url === null) return false;
  const isAddress = /^[\d.]+$|^\[/.test(url.hostname);
  const isLocal = !url.hostname.includes('.') || /\.(local|internal|localhost)$/.test(url.hostname);
  return !isAddress && !isLocal && url.search === '' && url.username === '';
}

const wayOf = ({ attributes }: Resource) =>
  isHttp(attributes.protocol) ? 'http' : String(attributes.endpoint);

/** Rules on topics and subscriptions. */
export const TOPIC_RULES: readonly Rule[] = [
  argumentRule({ id: 'messages-encrypted' }),
  argumentRule({ id: 'topic-signs-sha256' }),
  rule({
    id: 'topic-has-policy',
    subjects: every('aws_sns_topic'),
    faults: (topic, { model }) => {
      const stack = model.stackOf(topic);
      const policies = policiesOf(model).filter(({ about }) => about === topic);
      const buckets = neighbours(model, topic, 'aws_s3_bucket_notification')
        .filter(({ attributes }) => JSON.stringify(attributes).includes(`\${${topic.address}.arn}`))
        .map(
          ({ attributes }) => `arn:${stack.partition}:s3:::${canonical(stack, attributes.bucket)}`,
        );
      const publishers = statementsAbout(model, topic).filter((statement) =>
        allows(statement, 'sns:Publish'),
      );
      return [
        policies.length === 0 && 'has no policy',
        policies.length > 1 && `has ${policies.length} policies`,
        policies.length > 0 && publishers.length === 0 && 'nobody may publish to it',
        ...[...new Set([...buckets, ...toldBuckets(model, topic.stack).keys()])]
          .filter(
            (bucket) =>
              !publishers.some((statement) =>
                requiredValues(statement, 'aws:SourceArn').includes(bucket),
              ),
          )
          .map((bucket) => `${bucket} may not publish to it`),
      ];
    },
  }),
  rule({
    id: 'topic-has-subscription',
    subjects: every('aws_sns_topic'),
    faults: (topic, { model }) => {
      const subscriptions = referring(model, topic, 'aws_sns_topic_subscription', 'topic_arn');
      return [
        subscriptions.length === 0 && 'nothing is subscribed to it: what is published is lost',
        subscriptions.length > new Set(subscriptions.map(wayOf)).size &&
          `${subscriptions.map(({ address }) => address).join(' and ')} are subscribed: every message goes to more than one place`,
      ];
    },
  }),
  argumentRule({
    id: 'deliveries-are-logged',
    faults: (topic, { model }) => {
      const stack = model.stackOf(topic);
      const base = deliveryLog(model, topic);
      const groups = neighbours(model, topic, 'aws_cloudwatch_log_group').map(({ attributes }) =>
        canonical(stack, attributes.name),
      );
      return [base, `${base}/Failure`]
        .filter((name) => !groups.includes(name))
        .map((name) => `log group ${name} is missing`);
    },
  }),
  argumentRule({
    id: 'delivery-is-encrypted',
    faults: (subscription, { model }) => {
      const { text, target, stack, at } = read(model, subscription);
      const protocol = text('protocol');
      return [
        !isTopicOf(stack, at('topic_arn')) &&
          'topic_arn must be the ARN of a topic of the stack, or of its one of others',
        !['https', 'sqs'].includes(protocol) && `protocol is ${protocol || 'missing'}`,
        protocol.startsWith('http') &&
          !text('endpoint').startsWith('https://') &&
          `endpoint is ${text('endpoint')}: without https`,
        protocol === 'sqs' &&
          (target('endpoint')?.type !== 'aws_sqs_queue' ||
            referenceOf(subscription.attributes.endpoint)?.attribute !== 'arn') &&
          `endpoint is ${text('endpoint')}, not the ARN of a queue of the stack`,
        protocol.startsWith('http') &&
          !isPublicName(text('endpoint')) &&
          `endpoint is ${text('endpoint')}: SNS posts to public names, and a query is not secret`,
      ];
    },
  }),
  argumentRule({ id: 'delivery-is-signed' }),
  rule({
    id: 'delivery-has-redrive',
    subjects: every('aws_sns_topic_subscription'),
    faults: (subscription, { model }) => {
      const { stack, target } = read(model, subscription);
      const policy = parseJson(subscription.attributes.redrive_policy);
      const queue = stack.target(valueAt(policy, 'deadLetterTargetArn'));
      if (queue?.type !== 'aws_sqs_queue') {
        return ['redrive_policy must name a queue of the stack as deadLetterTargetArn'];
      }
      return [
        queue === target('endpoint') && 'its dead-letter queue is the queue that it delivers to',
        Object.keys(Object(policy)).join() !== 'deadLetterTargetArn' &&
          'redrive_policy has more than deadLetterTargetArn',
        ...queueFaults(model, queue, canonical(stack, subscription.attributes.topic_arn)),
      ];
    },
  }),
  rule({
    id: 'subscribed-queue-allows-topic',
    subjects: every('aws_sqs_queue'),
    faults: (queue, { model }) => {
      const stack = model.stackOf(queue);
      const subscriptions = referring(model, queue, 'aws_sns_topic_subscription', 'endpoint');
      const isWork = queue.attributes.redrive_policy !== undefined;
      return [
        isWork && subscriptions.length === 0 && 'no topic delivers to it',
        ...subscriptions.flatMap(({ attributes }) =>
          queueFaults(model, queue, canonical(stack, attributes.topic_arn)),
        ),
      ];
    },
  }),
  rule({
    id: 'delivery-is-retried',
    subjects: ({ model }) => model.ofType('aws_sns_topic_subscription').filter(isOverHttp),
    faults: (subscription) => {
      const policy = parseJson(subscription.attributes.delivery_policy);
      const retry = valueAt(policy, 'healthyRetryPolicy');
      if (retry === undefined) return ['delivery_policy has no healthyRetryPolicy'];
      const number = (name: string) => Number(valueAt(retry, name) ?? 0);
      const [min, max, all] = [
        number('minDelayTarget'),
        number('maxDelayTarget'),
        number('numRetries'),
      ];
      const phases = ['numNoDelayRetries', 'numMinDelayRetries', 'numMaxDelayRetries'].map(number);
      const [none = 0, atMin = 0, atMax = 0] = phases;
      const total = atMin * min + atMax * max + (all - none - atMin - atMax) * ((min + max) / 2);
      const perSecond = valueAt(policy, 'throttlePolicy.maxReceivesPerSecond');
      return [
        !(min >= 1 && min <= max && max <= 3600) &&
          `waits of ${min} to ${max} seconds: must be 1 to 3600, the shorter first`,
        !(all >= 1 && all <= 100) && `numRetries is ${all}: must be 1 to 100`,
        none + atMin + atMax > all && 'the phases have more retries than numRetries',
        phases.some((count) => count < 0) && 'a phase has fewer than no retries',
        total > LONGEST_RETRY && `retries take ${total} seconds: SNS ends them at ${LONGEST_RETRY}`,
        total < SHORTEST_RETRY &&
          `retries end after ${total} seconds: a rollout takes longer, ${SHORTEST_RETRY} are needed`,
        !['linear', 'arithmetic', 'geometric', 'exponential'].includes(
          String(valueAt(retry, 'backoffFunction')),
        ) && `backoffFunction is ${String(valueAt(retry, 'backoffFunction'))}`,
        perSecond !== undefined &&
          !(Number(perSecond) >= FEWEST_PER_SECOND) &&
          `maxReceivesPerSecond is ${String(perSecond)}: must be at least ${FEWEST_PER_SECOND}, or a delivery of many files outlasts the retries`,
        ...[...Object.keys(Object(retry)), ...Object.keys(Object(policy))]
          .filter(
            (key) =>
              ![...RETRY_KEYS, 'healthyRetryPolicy', 'throttlePolicy', 'requestPolicy'].includes(
                key,
              ),
          )
          .map((key) => `delivery_policy: ${key} has not been reviewed`),
      ];
    },
  }),
  argumentRule({
    id: 'subscription-is-confirmed',
    where: isOverHttp,
  }),
];
