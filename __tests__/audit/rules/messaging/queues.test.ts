import { QUEUE_RULES } from '../../../../audit/rules/messaging/queues.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';

const TYPE = 'aws_sqs_queue';
const WORK = /maxReceiveCount/;
const redrive =
  (changes: Record<string, unknown>): Plant[1] =>
  ({ json }) =>
    json(TYPE, 'redrive_policy', (policy) => Object.assign(policy, changes), WORK);

describeRules(QUEUE_RULES, {
  plants: {
    'messages-are-kept': [
      ['a dead-letter queue of a day', ({ set }) => set(TYPE, 'message_retention_seconds', 86400)],
      ['the default', ({ drop }) => drop(TYPE, 'message_retention_seconds')],
      ['messages that are held back', ({ set }) => set(TYPE, 'delay_seconds', 900)],
      ['messages that are cut', ({ set }) => set(TYPE, 'max_message_size', 1024)],
    ],
    'dead-letter-queue-is-own': [
      [
        'every queue of the account',
        ({ set }) => set(TYPE, 'redrive_allow_policy', '{"redrivePermission":"allowAll"}'),
      ],
      ['the default', ({ drop }) => drop(TYPE, 'redrive_allow_policy')],
      [
        'a queue of somebody else',
        ({ set }) =>
          set(
            TYPE,
            'redrive_allow_policy',
            '{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws-us-gov:sqs:us-gov-west-1:123456789012:x"]}',
          ),
      ],
      [
        'no subscription that names it',
        ({ drop }) => drop('aws_sns_topic_subscription', 'redrive_policy'),
      ],
    ],
  },
  queue: {
    'messages-are-kept': [
      ['a queue of a minute', ({ set }) => set(TYPE, 'message_retention_seconds', 60, WORK)],
      [
        'a dead-letter queue that keeps less than its source',
        ({ set }) => set(TYPE, 'message_retention_seconds', 345600, /byQueue/),
      ],
    ],
    'queue-has-redrive': [
      [
        'half a day until a message comes back',
        ({ set }) => set(TYPE, 'visibility_timeout_seconds', 43_200, WORK),
      ],

      ['no redrive policy', ({ drop }) => drop(TYPE, 'redrive_policy', WORK)],
      [
        'itself for its dead letters',
        ({ change, address }) =>
          change(
            TYPE,
            'redrive_policy',
            (text) => String(text).replace(/\$\{[^}]*\}/, `\${${address(TYPE, WORK)}.arn}`),
            WORK,
          ),
      ],
      ['a single attempt', redrive({ maxReceiveCount: 1 })],
      ['attempts for ever', redrive({ maxReceiveCount: 1000 })],
      [
        'a message that comes back at once',
        ({ set }) => set(TYPE, 'visibility_timeout_seconds', 0, WORK),
      ],
      [
        'a message that comes back while it is worked on',
        ({ drop }) => drop(TYPE, 'visibility_timeout_seconds', WORK),
      ],
      ['polling without a pause', ({ drop }) => drop(TYPE, 'receive_wait_time_seconds', WORK)],
    ],
    'dead-letter-queue-is-own': [
      [
        'a denial of the queue that redrives',
        ({ set }) =>
          set(TYPE, 'redrive_allow_policy', '{"redrivePermission":"denyAll"}', /byQueue/),
      ],
      [
        'another queue',
        ({ change }) =>
          change(
            TYPE,
            'redrive_allow_policy',
            (text) => String(text).replace(/:[^:"]+"\]/, ':x"]'),
            /byQueue/,
          ),
      ],
    ],
  },
});
