import { referenceOf } from '../../../src/synthesized/model/expression.ts';
import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, isTopicOf, policiesOf, statementsAbout } from '../../policy/policies.ts';
import { allows, parseJson, requiredValues } from '../../policy/policy-document.ts';
import { deliveryLog } from '../identity/roles.ts';
import { toldBuckets } from '../identity/workload-role.ts';
import { isHttp } from '../readers/listeners.ts';
import {
  argumentRule,
  every,
  mayBe,
  mayBeAtMost,
  mustBe,
  mustBeAbsent,
  mustBeAtLeast,
  mustBeOwnKey,
  mustBeTrue,
  mustNotBeTrue,
  mustReferTo,
  neighbours,
  read,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

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
  const allowed = statementsAbout(model, queue).some(
    (statement) =>
      allows(statement, 'sqs:SendMessage') &&
      statement.principals?.some(({ value }) => value === 'sns.amazonaws.com') &&
      requiredValues(statement, 'aws:SourceArn').includes(source),
  );
  return allowed
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
  argumentRule({
    id: 'messages-encrypted',
    title: 'Topics and queues are encrypted with a key of the account',
    reason:
      "The messages name clients and their files; AWS's own keys can't be revoked, and S3 can't publish with them.",
    control: 'SC-28(1)',
    severity: 'high',
    must: {
      aws_sns_topic: { kms_master_key_id: mustBeOwnKey },
      aws_sqs_queue: {
        kms_master_key_id: mustBeOwnKey,
        kms_data_key_reuse_period_seconds: mayBeAtMost(3600, 'a revoked key must stop soon'),
      },
    },
  }),
  argumentRule({
    id: 'topic-signs-sha256',
    title: 'Every topic signs with SHA-256 (signature version 2)',
    reason:
      'The default is version 1, SHA-1, which can be forged; the receiver has nothing but the signature to go by.',
    control: 'SC-13',
    severity: 'high',
    must: { aws_sns_topic: { signature_version: mustBe('2') } },
  }),
  rule({
    id: 'topic-has-policy',
    title: 'Every topic has one policy, which allows the buckets that notify it to publish',
    reason:
      'S3 checks the right to publish when the notification is made and at each file; a topic without it stays silent.',
    control: 'AC-3',
    severity: 'high',
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
    title: 'Every topic has a subscription, and none twice: one over HTTP, or one to each queue',
    reason: 'SNS keeps nothing: what is published while nobody is subscribed is gone.',
    control: 'SI-4',
    severity: 'medium',
    subjects: every('aws_sns_topic'),
    faults: (topic, { model }) => {
      const stack = model.stackOf(topic);
      const subscriptions = neighbours(model, topic, 'aws_sns_topic_subscription').filter(
        ({ attributes }) => stack.target(attributes.topic_arn) === topic,
      );
      return [
        subscriptions.length === 0 && 'nothing is subscribed to it: what is published is lost',
        subscriptions.length > new Set(subscriptions.map(wayOf)).size &&
          `${subscriptions.map(({ address }) => address).join(' and ')} are subscribed: every message goes to more than one place`,
      ];
    },
  }),
  argumentRule({
    id: 'deliveries-are-logged',
    title: 'Every topic logs how its deliveries ended, into log groups that exist',
    reason:
      'Without the log nobody can tell later whether the notification of a file was delivered; SNS would make the groups itself, unencrypted and for ever.',
    control: 'AU-12',
    severity: 'medium',
    must: {
      aws_sns_topic: Object.fromEntries(
        ['http', 'sqs'].flatMap((protocol) => [
          [`${protocol}_failure_feedback_role_arn`, mustReferTo('aws_iam_role', 'a role')],
          [`${protocol}_success_feedback_role_arn`, mustReferTo('aws_iam_role', 'a role')],
          [
            `${protocol}_success_feedback_sample_rate`,
            mustBe('100', 'every delivery is in the log'),
          ],
        ]),
      ),
    },
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
    title: 'Messages are delivered over HTTPS or to a queue of the stack',
    reason:
      'Over http anybody on the way reads which file of which client arrived; another protocol takes it out of the system.',
    control: 'SC-8(1)',
    severity: 'high',
    must: {
      aws_sns_topic_subscription: {
        topic_arn: ({ stack, at, path }) =>
          isTopicOf(stack, at(path))
            ? []
            : [`${path} must be the ARN of a topic of the stack, or of its one of others`],
      },
    },
    faults: (subscription, { model }) => {
      const { text, target } = read(model, subscription);
      const protocol = text('protocol');
      return [
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
  argumentRule({
    id: 'delivery-is-signed',
    title: 'Messages are delivered in their signed envelope, all of them',
    reason:
      'Raw delivery leaves the signature out, so anybody can post; a filter drops what it does not match.',
    control: 'SC-8(1)',
    severity: 'high',
    must: {
      aws_sns_topic_subscription: {
        raw_message_delivery: mustNotBeTrue('leaves the signature out'),
        filter_policy: mustBeAbsent('drops messages'),
        filter_policy_scope: mayBe('MessageAttributes'),
      },
    },
  }),
  rule({
    id: 'delivery-has-redrive',
    title: 'What cannot be delivered goes to a dead-letter queue that takes it',
    reason:
      'SNS drops a message after its retries, unless the subscription has a redrive policy whose queue lets the topic send.',
    control: 'CP-10',
    severity: 'high',
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
    title: 'A subscribed queue allows the topic to send, and a queue that allows it is subscribed',
    reason:
      'SNS subscribes a queue that refuses it without a complaint; a queue that nothing sends to keeps the listener waiting.',
    control: 'AC-3',
    severity: 'high',
    subjects: every('aws_sqs_queue'),
    faults: (queue, { model }) => {
      const stack = model.stackOf(queue);
      const subscriptions = neighbours(model, queue, 'aws_sns_topic_subscription').filter(
        ({ attributes }) => stack.target(attributes.endpoint) === queue,
      );
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
    title: 'Deliveries over HTTPS are retried for minutes, within the bounds of SNS',
    reason:
      'The default gives up after a minute, shorter than a rollout takes; SNS refuses or cuts what is beyond its bounds.',
    control: 'CP-10',
    severity: 'medium',
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
    title: 'Terraform waits until the endpoint has confirmed its subscription',
    reason: 'A pending subscription delivers nothing, and cannot be destroyed for three days.',
    control: 'CM-3',
    severity: 'medium',
    must: {
      aws_sns_topic_subscription: {
        endpoint_auto_confirms: mustBeTrue,
        confirmation_timeout_in_minutes: mustBeAtLeast(2, 'for one message and its retry'),
      },
    },
    where: isOverHttp,
  }),
];
