import { LOG_GROUP_RULES } from '../../../../audit/rules/aws/log-group-rules.ts';
import { describePlants } from '../../support/describe-plants.ts';

const TYPE = 'aws_cloudwatch_log_group';

describePlants(LOG_GROUP_RULES, {
  'logs-encrypted': [
    ['a log group without a key', ({ drop }) => drop(TYPE, 'kms_key_id')],
    ['a delivery log without a key', ({ drop }) => drop(TYPE, 'kms_key_id', /Failure/)],
    ['a key by its name', ({ set }) => set(TYPE, 'kms_key_id', 'alias/logs')],
  ],
  'logs-are-kept': [
    ['for ever', ({ drop }) => drop(TYPE, 'retention_in_days')],
    ['for ever, said so', ({ set }) => set(TYPE, 'retention_in_days', 0)],
    ['a week', ({ set }) => set(TYPE, 'retention_in_days', 7)],
    ['left behind', ({ set }) => set(TYPE, 'skip_destroy', true)],
    [
      'a class without subscriptions',
      ({ set }) => set(TYPE, 'log_group_class', 'INFREQUENT_ACCESS'),
    ],
  ],
  'log-group-is-written': [
    ['another name for the cluster', ({ set }) => set(TYPE, 'name', '/aws/eks/another', /eks/)],
    ['another name for the topic', ({ set }) => set(TYPE, 'name', 'sns/another', /Failure/)],
    [
      'a flow log that goes elsewhere',
      ({ set }) =>
        set(
          'aws_flow_log',
          'log_destination',
          'arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:x',
        ),
    ],
    ['a topic of another name', ({ set }) => set('aws_sns_topic', 'name', 'another')],
  ],
});
