import { referenceOf } from '../../../src/synthesized/model/expression.ts';
import { type Model, type Resource, valueAt } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical } from '../../policy/arn.ts';
import { statementsAbout } from '../../policy/policies.ts';
import { allows, parseJson, requiredValues } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours, read } from './attributes.ts';
import { topicArn } from './topic-rules.ts';

/** How a message travels. */
export const deliveryIsEncrypted: Rule = rule({
  id: 'delivery-is-encrypted',
  title: 'Messages are delivered over HTTPS or to a queue of the stack',
  reason:
    'Over http anybody on the way reads which file of which client arrived; another protocol takes it out of the system.',
  control: 'SC-8(1)',
  severity: 'high',
  subjects: every('aws_sns_topic_subscription'),
  faults: (subscription, { model }) => {
    const { text, target } = read(model, subscription);
    const protocol = text('protocol');
    return faultsOf(
      [!['https', 'sqs'].includes(protocol), `protocol is ${protocol || 'missing'}`],
      [
        protocol.startsWith('http') && !text('endpoint').startsWith('https://'),
        `endpoint is ${text('endpoint')}: without https`,
      ],
      [
        protocol === 'sqs' &&
          (target('endpoint')?.type !== 'aws_sqs_queue' ||
            referenceOf(subscription.attributes.endpoint)?.attribute !== 'arn'),
        `endpoint is ${text('endpoint')}, no ARN of a queue of the stack`,
      ],
      [
        protocol.startsWith('http') && !isPublicName(text('endpoint')),
        `endpoint is ${text('endpoint')}: SNS posts to public names, and a query is no secret`,
      ],
      [target('topic_arn')?.type !== 'aws_sns_topic', 'topic_arn is no topic of the stack'],
    );
  },
});

/** The envelope carries the signature. */
export const deliveryIsSigned: Rule = rule({
  id: 'delivery-is-signed',
  title: 'Messages are delivered in their signed envelope, all of them',
  reason:
    'Raw delivery leaves the signature out, so anybody can post; a filter drops what it does not match.',
  control: 'SC-8(1)',
  severity: 'high',
  subjects: every('aws_sns_topic_subscription'),
  faults: (subscription, { model }) => {
    const { isTrue, text, at } = read(model, subscription);
    return faultsOf(
      [isTrue('raw_message_delivery'), 'raw_message_delivery leaves the signature out'],
      [
        at('filter_policy') !== undefined || text('filter_policy_scope') !== '',
        'a filter policy drops messages',
      ],
    );
  },
});

/** The queue of last resort. */
export const deliveryHasRedrive: Rule = rule({
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
    const topic = target('topic_arn');
    if (queue?.type !== 'aws_sqs_queue') {
      return ['redrive_policy must name a queue of the stack as deadLetterTargetArn'];
    }
    return [
      ...faultsOf(
        [queue === target('endpoint'), 'its dead-letter queue is the queue that it delivers to'],
        [
          Object.keys(Object(policy)).join() !== 'deadLetterTargetArn',
          'redrive_policy has more than deadLetterTargetArn',
        ],
      ),
      ...(topic === undefined ? [] : queueAdmits(model, queue, topic)),
    ];
  },
});

/** A queue that is subscribed must let the topic in. */
export const subscribedQueueAdmits: Rule = rule({
  id: 'subscribed-queue-admits-topic',
  title: 'A queue that is subscribed lets the topic send, and a queue that lets it send is used',
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
      ...faultsOf([isWork && subscriptions.length === 0, 'no topic delivers to it']),
      ...subscriptions.flatMap(({ attributes }) => {
        const topic = stack.target(attributes.topic_arn);
        return topic === undefined ? [] : queueAdmits(model, queue, topic);
      }),
    ];
  },
});

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

/** Retries over HTTP. */
export const deliveryIsRetried: Rule = rule({
  id: 'delivery-is-retried',
  title: 'Deliveries over HTTPS are retried for minutes, within the bounds of SNS',
  reason:
    'The default gives up after a minute, shorter than a rollout takes; SNS refuses or cuts what is beyond its bounds.',
  control: 'CP-10',
  severity: 'medium',
  subjects: (audited) => overHttp(audited.model),
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
      ...faultsOf(
        [
          !(min >= 1 && min <= max && max <= 3600),
          `waits of ${min} to ${max} seconds: must be 1 to 3600, the shorter first`,
        ],
        [!(all >= 1 && all <= 100), `numRetries is ${all}: must be 1 to 100`],
        [none + atMin + atMax > all, 'the phases have more retries than numRetries'],
        [phases.some((count) => count < 0), 'a phase has fewer than no retries'],
        [total > LONGEST_RETRY, `retries take ${total} seconds: SNS ends them at ${LONGEST_RETRY}`],
        [
          total < SHORTEST_RETRY,
          `retries end after ${total} seconds: a rollout takes longer, ${SHORTEST_RETRY} are needed`,
        ],
        [
          !['linear', 'arithmetic', 'geometric', 'exponential'].includes(
            String(valueAt(retry, 'backoffFunction')),
          ),
          `backoffFunction is ${String(valueAt(retry, 'backoffFunction'))}`,
        ],
        [
          perSecond !== undefined && !(Number(perSecond) >= FEWEST_PER_SECOND),
          `maxReceivesPerSecond is ${String(perSecond)}: must be at least ${FEWEST_PER_SECOND}, or a delivery of many files outlasts the retries`,
        ],
      ),
      ...[...Object.keys(Object(retry)), ...Object.keys(Object(policy))]
        .filter(
          (key) =>
            ![...RETRY_KEYS, 'healthyRetryPolicy', 'throttlePolicy', 'requestPolicy'].includes(key),
        )
        .map((key) => `delivery_policy: ${key} has not been reviewed`),
    ];
  },
});

/** A subscription over HTTP stays pending until the endpoint has confirmed it. */
export const subscriptionIsConfirmed: Rule = rule({
  id: 'subscription-is-confirmed',
  title: 'Terraform waits until the endpoint has confirmed its subscription',
  reason: 'A pending subscription delivers nothing, and cannot be destroyed for three days.',
  control: 'CM-3',
  severity: 'medium',
  subjects: (audited) => overHttp(audited.model),
  faults: (subscription, { model }) => {
    const { isTrue, number } = read(model, subscription);
    const minutes = number('confirmation_timeout_in_minutes');
    return faultsOf(
      [!isTrue('endpoint_auto_confirms'), 'endpoint_auto_confirms must be true'],
      [
        !(minutes >= 2),
        `confirmation_timeout_in_minutes is ${minutes}: one message and its retry need 2`,
      ],
    );
  },
});

function overHttp(model: Model): readonly Resource[] {
  return model
    .ofType('aws_sns_topic_subscription')
    .filter(({ attributes }) => String(attributes.protocol).startsWith('http'));
}

function queueAdmits(model: Model, queue: Resource, topic: Resource): readonly string[] {
  const stack = model.stackOf(queue);
  const source = topicArn(model, topic);
  const admitted = statementsAbout(model, queue).some(
    (statement) =>
      allows(statement, 'sqs:SendMessage') &&
      statement.principals?.some(({ value }) => value === 'sns.amazonaws.com') &&
      requiredValues(statement, 'aws:SourceArn').includes(source),
  );
  return admitted
    ? []
    : [
        `${arnOf(stack, queue) ?? canonical(stack, queue.attributes.name)} does not let ${source} send`,
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

/** Rules on subscriptions. */
export const SUBSCRIPTION_RULES: readonly Rule[] = [
  deliveryIsEncrypted,
  deliveryIsSigned,
  deliveryHasRedrive,
  subscribedQueueAdmits,
  deliveryIsRetried,
  subscriptionIsConfirmed,
];
