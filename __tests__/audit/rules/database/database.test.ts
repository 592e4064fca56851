import { DATABASE_RULES } from '../../../../audit/rules/database/database.ts';
import { describeRules, type Plant } from '../../support/describe-rules.ts';

const CLUSTER = 'aws_rds_cluster';
const MEMBER = 'aws_rds_cluster_instance';
const INSTANCE = 'aws_db_instance';

const parameter =
  (name: string, value: string): Plant[1] =>
  ({ change }) =>
    change('aws_rds_cluster_parameter_group', 'parameter', (list) =>
      (list as { name: string }[]).map((one) => (one.name === name ? { ...one, value } : one)),
    );
const withoutParameter =
  (name: string): Plant[1] =>
  ({ change }) =>
    change('aws_rds_cluster_parameter_group', 'parameter', (list) =>
      (list as { name: string }[]).filter((one) => one.name !== name),
    );

/** A lookup with filters. */
interface Filtered {
  readonly filter: { name: string; values: readonly string[] }[];
}

describeRules(DATABASE_RULES, {
  plants: {
    'database-is-encrypted': [
      ['storage in clear', ({ set }) => set(CLUSTER, 'storage_encrypted', false)],
      ['no word on storage', ({ drop }) => drop(CLUSTER, 'storage_encrypted')],
      ['the key of AWS', ({ drop }) => drop(CLUSTER, 'kms_key_id')],
      [
        'a secret under the key of AWS',
        ({ drop }) => drop(CLUSTER, 'master_user_secret_kms_key_id'),
      ],
      [
        'insights under the key of AWS',
        ({ set }) => set(CLUSTER, 'performance_insights_kms_key_id', 'alias/aws/rds'),
      ],
      [
        "a member's insights under the key of AWS",
        ({ drop }) => drop(MEMBER, 'performance_insights_kms_key_id'),
      ],
    ],
    'database-is-private': [
      [
        'public subnets',
        ({ stackWith }) => {
          const { data } = stackWith(CLUSTER) as {
            data: { aws_subnets: Record<string, Filtered> };
          };
          const { resource } = stackWith('aws_vpc') as {
            resource: { aws_subnet: Record<string, { tags: Record<string, string> }> };
          };
          const open = Object.values(resource.aws_subnet).find(
            ({ tags }) => tags['kubernetes.io/role/elb'] !== undefined,
          );
          for (const { filter } of Object.values(data.aws_subnets)) {
            filter.splice(1, 1, { name: 'tag:Name', values: [String(open?.tags.Name)] });
          }
        },
      ],
      ['a public address', ({ set }) => set(MEMBER, 'publicly_accessible', true)],
      ['no word on addresses', ({ drop }) => drop(MEMBER, 'publicly_accessible')],
      ['the default subnets', ({ drop }) => drop(CLUSTER, 'db_subnet_group_name')],
      ['subnets of others', ({ set }) => set(CLUSTER, 'db_subnet_group_name', 'default')],
      ['the default group', ({ drop }) => drop(CLUSTER, 'vpc_security_group_ids')],
      [
        'a group of others beside its own',
        ({ change }) =>
          change(CLUSTER, 'vpc_security_group_ids', (ids) => [
            ...(ids as string[]),
            'sg-0a1b2c3d4e5f67890',
          ]),
      ],
    ],
    'database-has-no-known-password': [
      ['a password of its own', ({ set }) => set(CLUSTER, 'master_password', 'hunter2hunter2')],
      ['no managed password', ({ drop }) => drop(CLUSTER, 'manage_master_user_password')],
      ['no IAM', ({ set }) => set(CLUSTER, 'iam_database_authentication_enabled', false)],
    ],
    'database-parameters-are-safe': [
      ['connections without TLS', parameter('rds.force_ssl', '0')],
      ['no word on TLS', withoutParameter('rds.force_ssl')],
      ['no log of sessions', withoutParameter('log_disconnections')],
      ['no log of changes', parameter('log_statement', 'none')],
      ['no log of slow statements', parameter('log_min_duration_statement', '-1')],
      [
        'the default parameters',
        ({ set }) => set(CLUSTER, 'db_cluster_parameter_group_name', 'default.aurora-postgresql17'),
      ],
    ],
    'database-can-be-restored': [
      ['no protection', ({ set }) => set(CLUSTER, 'deletion_protection', false)],
      ['no last snapshot', ({ set }) => set(CLUSTER, 'skip_final_snapshot', true)],
      ['a last snapshot without a name', ({ drop }) => drop(CLUSTER, 'final_snapshot_identifier')],
      ['a day of backups', ({ set }) => set(CLUSTER, 'backup_retention_period', 1)],
      ['the default backups', ({ drop }) => drop(CLUSTER, 'backup_retention_period')],
      ['backups that go with it', ({ set }) => set(CLUSTER, 'delete_automated_backups', true)],
      ['snapshots without tags', ({ drop }) => drop(CLUSTER, 'copy_tags_to_snapshot')],
    ],
    'database-logs-are-kept': [
      ['no log', ({ drop }) => drop(CLUSTER, 'enabled_cloudwatch_logs_exports')],
      [
        'a log group that RDS makes',
        ({ remove }) => remove('aws_cloudwatch_log_group', /aws\/rds/),
      ],
      [
        'a log group of another name',
        ({ set }) =>
          set('aws_cloudwatch_log_group', 'name', '/aws/rds/cluster/other/postgresql', /aws\/rds/),
      ],
    ],
    'database-is-maintained': [
      ['minor versions by hand', ({ set }) => set(MEMBER, 'auto_minor_version_upgrade', false)],
      ['one instance', ({ remove }) => remove(MEMBER)],
      ['serverless v1', ({ set }) => set(CLUSTER, 'engine_mode', 'serverless')],
    ],
    'database-has-alarms': [
      ['no alarm on capacity', ({ remove }) => remove('aws_cloudwatch_metric_alarm', /ACUUtil/)],
      [
        'no alarm on the processor',
        ({ remove }) => remove('aws_cloudwatch_metric_alarm', /CPUUtil/),
      ],
      [
        'an alarm on connections of another database',
        ({ set }) =>
          set(
            'aws_cloudwatch_metric_alarm',
            'dimensions',
            { DBClusterIdentifier: 'other' },
            /DatabaseConnections/,
          ),
      ],
    ],
  },
  instance: {
    'database-is-encrypted': [
      ['storage in clear', ({ set }) => set(INSTANCE, 'storage_encrypted', false)],
    ],
    'database-is-private': [
      ['a public address', ({ set }) => set(INSTANCE, 'publicly_accessible', true)],
    ],
    'database-has-no-known-password': [
      ['a password of its own', ({ set }) => set(INSTANCE, 'password', 'hunter2hunter2')],
    ],
    'database-parameters-are-safe': [
      ['the default parameters', ({ drop }) => drop(INSTANCE, 'parameter_group_name')],
    ],
    'database-logs-are-kept': [
      [
        'a log that it makes a group for',
        ({ remove }) => remove('aws_cloudwatch_log_group', /upgrade/),
      ],
    ],
    'database-is-maintained': [
      ['one zone', ({ set }) => set(INSTANCE, 'multi_az', false)],
      ['storage that does not grow', ({ drop }) => drop(INSTANCE, 'max_allocated_storage')],
      ['slow disks', ({ set }) => set(INSTANCE, 'storage_type', 'standard')],
    ],
    'database-has-alarms': [
      ['no alarm on storage', ({ remove }) => remove('aws_cloudwatch_metric_alarm', /FreeStorage/)],
    ],
  },
});
