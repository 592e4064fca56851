import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical } from '../../policy/arn.ts';
import { policiesOf, statementsAbout } from '../../policy/policies.ts';
import { allows, requiredValues } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours, read } from './attributes.ts';
import { deliveryLog } from './role-rules.ts';

/** Keys of AWS's own, whose policy cannot let S3 or SNS in. */
const AWS_KEY = /(^|:)alias\/aws\//;

/** Whether a resource is encrypted with a key of the account's own. */
export function ownKeyFaults(
  model: Model,
  resource: Resource,
  argument: string,
): readonly string[] {
  const { text, target } = read(model, resource);
  const key = text(argument);
  return faultsOf(
    [key === '', `${argument} is missing: not encrypted with a key of the account`],
    [
      AWS_KEY.test(key),
      `${argument} is ${key}: no policy lets other services use this key, and none can be revoked`,
    ],
    [
      key !== '' &&
        !AWS_KEY.test(key) &&
        target(argument)?.type !== 'aws_kms_key' &&
        !/^arn:[^:]+:kms:[^:]+:[^:]+:key\//.test(key),
      `${argument} is ${key}, no key of the stack`,
    ],
  );
}

/** Messages at rest. */
export const messagesEncrypted: Rule = rule({
  id: 'messages-encrypted',
  title: 'Topics and queues are encrypted with a key of the account',
  reason:
    "The messages name clients and their files; AWS's own keys can't be revoked, and S3 can't publish with them.",
  control: 'SC-28(1)',
  severity: 'high',
  subjects: every('aws_sns_topic', 'aws_sqs_queue'),
  faults: (resource, { model }) => {
    const { number } = read(model, resource);
    return [
      ...ownKeyFaults(model, resource, 'kms_master_key_id'),
      ...faultsOf([
        number('kms_data_key_reuse_period_seconds') > 3600,
        'kms_data_key_reuse_period_seconds must be at most 3600, so that a revoked key stops soon',
      ]),
    ];
  },
});

/** Signatures that the receiver checks. */
export const topicSignsSha256: Rule = rule({
  id: 'topic-signs-sha256',
  title: 'Every topic signs with SHA-256 (signature version 2)',
  reason:
    'The default is version 1, SHA-1, which can be forged; the receiver has nothing but the signature to go by.',
  control: 'SC-13',
  severity: 'high',
  subjects: every('aws_sns_topic'),
  faults: (topic, { model }) =>
    read(model, topic).number('signature_version') === 2 ? [] : ['signature_version must be 2'],
});

/** A topic's policy. */
export const topicHasPolicy: Rule = rule({
  id: 'topic-has-policy',
  title: 'Every topic has one policy, by which the bucket that announces to it may publish',
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
      ...faultsOf(
        [policies.length === 0, 'has no policy'],
        [policies.length > 1, `has ${policies.length} policies`],
        [policies.length > 0 && publishers.length === 0, 'nobody may publish to it'],
      ),
      ...buckets
        .filter(
          (bucket) =>
            !publishers.some((statement) =>
              requiredValues(statement, 'aws:SourceArn').includes(bucket),
            ),
        )
        .map((bucket) => `${bucket} may not publish to it`),
    ];
  },
});

/** Somebody must listen. */
export const topicHasSubscription: Rule = rule({
  id: 'topic-has-subscription',
  title: 'Every topic has one subscription',
  reason: 'SNS keeps nothing: what is published while nobody is subscribed is gone.',
  control: 'SI-4',
  severity: 'medium',
  subjects: every('aws_sns_topic'),
  faults: (topic, { model }) => {
    const stack = model.stackOf(topic);
    const subscriptions = neighbours(model, topic, 'aws_sns_topic_subscription').filter(
      ({ attributes }) => stack.target(attributes.topic_arn) === topic,
    );
    return faultsOf(
      [subscriptions.length === 0, 'nothing is subscribed to it: what is published is lost'],
      [
        subscriptions.length > 1,
        `${subscriptions.map(({ address }) => address).join(' and ')} are subscribed: every message goes to more than one place`,
      ],
    );
  },
});

/** How deliveries ended. */
export const deliveriesAreLogged: Rule = rule({
  id: 'deliveries-are-logged',
  title: 'Every topic logs how its deliveries ended, into log groups that exist',
  reason:
    'Without the log nobody can tell later whether a file was announced; SNS would make the groups itself, unencrypted and for ever.',
  control: 'AU-12',
  severity: 'medium',
  subjects: every('aws_sns_topic'),
  faults: (topic, { model }) => {
    const { target, number, stack } = read(model, topic);
    const base = deliveryLog(model, topic);
    const groups = neighbours(model, topic, 'aws_cloudwatch_log_group').map(({ attributes }) =>
      canonical(stack, attributes.name),
    );
    const isRole = (argument: string) => target(argument)?.type === 'aws_iam_role';
    return [
      ...['http', 'sqs'].flatMap((protocol) =>
        faultsOf(
          [
            !isRole(`${protocol}_failure_feedback_role_arn`),
            `${protocol}_failure_feedback_role_arn is no role of the stack`,
          ],
          [
            !isRole(`${protocol}_success_feedback_role_arn`),
            `${protocol}_success_feedback_role_arn is no role of the stack`,
          ],
          [
            number(`${protocol}_success_feedback_sample_rate`) !== 100,
            `${protocol}_success_feedback_sample_rate must be 100, so that every delivery is in the log`,
          ],
        ),
      ),
      ...[base, `${base}/Failure`]
        .filter((name) => !groups.includes(name))
        .map((name) => `log group ${name} is missing`),
    ];
  },
});

/** The ARN of a topic in its canonical spelling. */
export function topicArn(model: Model, topic: Resource): string {
  return arnOf(model.stackOf(topic), topic) ?? `\${${topic.address}.arn}`;
}

/** Rules on topics. */
export const TOPIC_RULES: readonly Rule[] = [
  messagesEncrypted,
  topicSignsSha256,
  topicHasPolicy,
  topicHasSubscription,
  deliveriesAreLogged,
];
