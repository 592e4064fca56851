import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours, read } from './attributes.ts';
import { deliveryLog } from './role-rules.ts';
import { ownKeyFaults } from './topic-rules.ts';

/** Logs at rest. */
export const logsEncrypted: Rule = rule({
  id: 'logs-encrypted',
  title: 'Log groups are encrypted with a key of the account',
  reason:
    'They tell who talked to whom and what was delivered where; with a key of the account that can be taken back.',
  control: 'AU-9(3)',
  severity: 'high',
  subjects: every('aws_cloudwatch_log_group'),
  faults: (group, { model }) => ownKeyFaults(model, group, 'kms_key_id'),
});

/** CloudWatch takes these numbers of days only; the first that is a year. */
const A_YEAR = 365;

/** How long logs are kept. */
export const logsAreKept: Rule = rule({
  id: 'logs-are-kept',
  title: 'Log groups keep a year at least, and not for ever',
  reason:
    'Break-ins are found after months. Without a number CloudWatch keeps everything, personal data too.',
  control: 'AU-11',
  severity: 'medium',
  subjects: every('aws_cloudwatch_log_group'),
  faults: (group, { model }) => {
    const { number, text, isTrue } = read(model, group);
    const days = number('retention_in_days');
    return faultsOf(
      [
        !(days >= A_YEAR),
        `retention_in_days is ${Number.isNaN(days) ? 'missing' : days}, must be at least ${A_YEAR}`,
      ],
      [isTrue('skip_destroy'), 'skip_destroy leaves it behind'],
      [
        !['', 'STANDARD'].includes(text('log_group_class')),
        `log_group_class is ${text('log_group_class')}`,
      ],
    );
  },
});

/** A log group that nothing writes to. */
export const logGroupIsWritten: Rule = rule({
  id: 'log-group-is-written',
  title: 'Something of the stack writes to every log group',
  reason:
    'AWS finds these log groups by their names alone: with a slip the service makes its own, without key and retention.',
  control: 'AU-12',
  severity: 'medium',
  subjects: every('aws_cloudwatch_log_group'),
  faults: (group, { model }) => {
    const { text, stack } = read(model, group);
    const name = text('name');
    const byCluster = neighbours(model, group, 'aws_eks_cluster').some(
      (cluster) => `/aws/eks/${read(model, cluster).text('name')}/cluster` === name,
    );
    const byTopic = neighbours(model, group, 'aws_sns_topic').some((topic) =>
      [deliveryLog(model, topic), `${deliveryLog(model, topic)}/Failure`].includes(name),
    );
    const byFlowLog = neighbours(model, group, 'aws_flow_log').some(
      ({ attributes }) => stack.target(attributes.log_destination) === group,
    );
    return byCluster || byTopic || byFlowLog
      ? []
      : [`no cluster, topic or flow log writes to ${name}`];
  },
});

/** Rules on log groups. */
export const LOG_GROUP_RULES: readonly Rule[] = [logsEncrypted, logsAreKept, logGroupIsWritten];
