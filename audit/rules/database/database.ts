import { blocksOf, type Model, type Resource } from '../../../src/synthesized/model/model.ts';
import {
  argumentRule,
  every,
  mayBe,
  mustBeAbsent,
  mustBeAtLeast,
  mustBeFalse,
  mustBeOwnKey,
  mustBeSet,
  mustBeTrue,
  mustBeWithin,
  mustReferTo,
  neighbours,
  read,
} from '../readers/resources.ts';
import { type Rule, rule, shown } from '../rule.ts';

/** A whole database: an instance of its own, or a cluster of Aurora. */
const DATABASES = ['aws_db_instance', 'aws_rds_cluster'] as const;

/** Where each keeps its parameters, and what they are. */
const PARAMETERS: Readonly<Record<string, readonly [argument: string, type: string]>> = {
  aws_db_instance: ['parameter_group_name', 'aws_db_parameter_group'],
  aws_rds_cluster: ['db_cluster_parameter_group_name', 'aws_rds_cluster_parameter_group'],
};

/** The name of a database in RDS, and the folder of its log groups. */
function nameOf(model: Model, database: Resource): { readonly id: string; readonly logs: string } {
  const isCluster = database.type === 'aws_rds_cluster';
  const id = read(model, database).text(isCluster ? 'cluster_identifier' : 'identifier');
  return { id, logs: `/aws/rds/${isCluster ? 'cluster' : 'instance'}/${id}/` };
}

/** Names of the log groups that RDS writes to, of all databases of a stack. */
export function databaseLogs(model: Model, near: { readonly stack: string }): readonly string[] {
  return neighbours(model, near, ...DATABASES).flatMap((database) =>
    read(model, database)
      .list('enabled_cloudwatch_logs_exports')
      .map((log) => `${nameOf(model, database).logs}${String(log)}`),
  );
}

/** Instances of a cluster. */
function membersOf(model: Model, cluster: Resource): readonly Resource[] {
  return neighbours(model, cluster, 'aws_rds_cluster_instance').filter(
    (member) => read(model, member).target('cluster_identifier') === cluster,
  );
}

/** Values of parameters by name; undefined where the group is not of the stack. */
function parametersOf(model: Model, database: Resource): ReadonlyMap<string, string> | undefined {
  const [argument = '', type = ''] = PARAMETERS[database.type] ?? [];
  const group = read(model, database).target(argument);
  if (group?.type !== type) return undefined;
  return new Map(
    blocksOf(group.attributes.parameter).map(({ name, value }) => [String(name), String(value)]),
  );
}

const both = <T>(checks: T): Readonly<Record<string, T>> =>
  Object.fromEntries(DATABASES.map((type) => [type, checks]));

const INSIGHTS = { performance_insights_kms_key_id: mustBeOwnKey };

/** What every database is watched for, by the metric of CloudWatch; one of a row is enough. */
const WATCHED: readonly (readonly string[])[] = [
  ['CPUUtilization'],
  ['DatabaseConnections'],
  ['FreeStorageSpace', 'ACUUtilization'],
];

/** Rules on databases of RDS and Aurora. */
export const DATABASE_RULES: readonly Rule[] = [
  argumentRule({
    id: 'database-is-encrypted',
    title: 'A database, its insights and its master password are encrypted with a key of the stack',
    reason:
      'Storage can be encrypted at creation only, and a snapshot or a secret under a key of AWS can be shared with nobody and taken back from nobody.',
    control: 'SC-28(1)',
    severity: 'high',
    must: {
      ...both({
        storage_encrypted: mustBeTrue,
        kms_key_id: mustBeOwnKey,
        master_user_secret_kms_key_id: mustBeOwnKey,
        ...INSIGHTS,
      }),
      aws_rds_cluster_instance: INSIGHTS,
    },
  }),
  argumentRule({
    id: 'database-is-private',
    title: 'A database has no public address, and its subnets and security group are of the stack',
    reason:
      'Without them RDS takes the default VPC, whose subnets are public, and a group of others.',
    control: 'SC-7',
    severity: 'high',
    must: {
      aws_db_instance: { publicly_accessible: mustBeFalse },
      aws_rds_cluster: {},
      aws_rds_cluster_instance: { publicly_accessible: mustBeFalse },
    },
    faults: (database, { model }) => {
      if (database.type === 'aws_rds_cluster_instance') return [];
      const { list, stack, target } = read(model, database);
      const groups = list('vpc_security_group_ids').map((group) => stack.target(group));
      return [
        target('db_subnet_group_name')?.type !== 'aws_db_subnet_group' &&
          'db_subnet_group_name is not a subnet group of the stack',
        (groups.length === 0 || groups.some((group) => group?.type !== 'aws_security_group')) &&
          'vpc_security_group_ids must be security groups of the stack',
      ];
    },
  }),
  argumentRule({
    id: 'database-has-no-known-password',
    title: 'RDS makes and rotates the master password, and users sign in by IAM',
    reason:
      'A password that Terraform knows is in its state for ever; one that RDS manages is in Secrets Manager alone, and IAM needs none.',
    control: 'IA-5(7)',
    severity: 'high',
    must: both({
      manage_master_user_password: mustBeTrue,
      iam_database_authentication_enabled: mustBeTrue,
      ...Object.fromEntries(
        ['password', 'password_wo', 'master_password', 'master_password_wo'].map((name) => [
          name,
          mustBeAbsent('is a password that is known outside Secrets Manager'),
        ]),
      ),
    }),
  }),
  rule({
    id: 'database-parameters-are-safe',
    title:
      'A database refuses connections without TLS, and logs sessions, changes and slow statements',
    reason:
      'The default group of a version may let clients in without TLS, and logs neither who was there nor what was changed.',
    control: 'SC-8(1)',
    severity: 'high',
    subjects: every(...DATABASES),
    faults: (database, { model }) => {
      const parameters = parametersOf(model, database);
      if (parameters === undefined) return ['has no parameter group of the stack'];
      const at = (name: string) => parameters.get(name);
      return [
        at('rds.force_ssl') !== '1' && `rds.force_ssl is ${shown(at('rds.force_ssl'))}, must be 1`,
        at('log_disconnections') !== '1' && 'log_disconnections must be 1',
        !['ddl', 'mod', 'all'].includes(at('log_statement') ?? '') &&
          `log_statement is ${shown(at('log_statement'))}, must be ddl or more`,
        !(Number(at('log_min_duration_statement') ?? -1) >= 0) &&
          'log_min_duration_statement must be a number of milliseconds',
      ];
    },
  }),
  argumentRule({
    id: 'database-can-be-restored',
    title: 'A database cannot be deleted by a slip, and leaves backups and a last snapshot',
    reason:
      'A plan that replaces it, or a destroy of the wrong environment, is the end of everything in it that no backup holds.',
    control: 'CP-9',
    severity: 'high',
    must: both({
      deletion_protection: mustBeTrue,
      skip_final_snapshot: mustBeFalse,
      final_snapshot_identifier: mustBeSet('RDS refuses to delete it, or leaves no last snapshot'),
      backup_retention_period: mustBeWithin(7, 35, 'AWS keeps no backup for longer'),
      delete_automated_backups: mustBeFalse,
      copy_tags_to_snapshot: mustBeTrue,
    }),
  }),
  rule({
    id: 'database-logs-are-kept',
    title: 'A database exports its log to encrypted log groups of the stack',
    reason:
      'On its own disk a log is gone within days; a log group that RDS makes has no key and keeps everything for ever.',
    control: 'AU-4(1)',
    severity: 'medium',
    subjects: every(...DATABASES),
    faults: (database, { model }) => {
      const { list } = read(model, database);
      const exported = list('enabled_cloudwatch_logs_exports').map(String);
      const groups = neighbours(model, database, 'aws_cloudwatch_log_group').map((group) =>
        read(model, group).text('name'),
      );
      const { logs } = nameOf(model, database);
      return [
        !exported.includes('postgresql') && 'enabled_cloudwatch_logs_exports lacks postgresql',
        ...exported
          .filter((log) => !groups.includes(`${logs}${log}`))
          .map((log) => `the stack makes no log group ${logs}${log}`),
      ];
    },
  }),
  argumentRule({
    id: 'database-is-maintained',
    title: 'A database gets minor versions by itself, and lasts when a zone fails',
    reason:
      'Minor versions are security fixes; an instance in one zone is away for as long as AWS needs to bring that back.',
    control: 'SI-2(5)',
    severity: 'medium',
    must: {
      aws_db_instance: {
        auto_minor_version_upgrade: mustBeTrue,
        multi_az: mustBeTrue,
        max_allocated_storage: mustBeAtLeast(1, 'storage that does not grow stops it when full'),
        storage_type: mayBe('gp3', 'io2'),
      },
      aws_rds_cluster: { engine_mode: mayBe('provisioned') },
      aws_rds_cluster_instance: {
        auto_minor_version_upgrade: mustBeTrue,
        cluster_identifier: mustReferTo('aws_rds_cluster', 'a cluster'),
      },
    },
    faults: (database, { model }) => [
      database.type === 'aws_rds_cluster' &&
        membersOf(model, database).length < 2 &&
        'has fewer than two instances: nothing takes over when the zone of one fails',
    ],
  }),
  rule({
    id: 'database-has-alarms',
    title: 'Alarms watch processor, connections and storage or capacity of every database',
    reason:
      'A database that runs out of one of them refuses work, and deliveries end up as dead letters.',
    control: 'SI-4(5)',
    severity: 'medium',
    subjects: every(...DATABASES),
    faults: (database, { model }) => {
      const metrics = neighbours(model, database, 'aws_cloudwatch_metric_alarm')
        .map((alarm) => read(model, alarm))
        .filter(({ text, target }) =>
          ['DBInstanceIdentifier', 'DBClusterIdentifier'].some(
            (dimension) =>
              text('namespace') === 'AWS/RDS' && target(`dimensions.${dimension}`) === database,
          ),
        )
        .map(({ text }) => text('metric_name'));
      return WATCHED.filter((names) => !names.some((name) => metrics.includes(name))).map(
        (names) => `no alarm on ${names.join(' or ')} of it`,
      );
    },
  }),
];
