import { blocksOf, type Model, type Resource } from '../../../src/synthesized/model/model.ts';
import { subnetFaults } from '../cluster/cluster.ts';
import { argumentRule, every, neighbours, read, referring } from '../readers/resources.ts';
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

/** Values of parameters by name; undefined where the group is not of the stack. */
function parametersOf(model: Model, database: Resource): ReadonlyMap<string, string> | undefined {
  const [argument = '', type = ''] = PARAMETERS[database.type] ?? [];
  const group = read(model, database).target(argument);
  if (group?.type !== type) return undefined;
  return new Map(
    blocksOf(group.attributes.parameter).map(({ name, value }) => [String(name), String(value)]),
  );
}

/** What every database is watched for, by the metric of CloudWatch; one of a row is enough. */
const WATCHED: readonly (readonly string[])[] = [
  ['CPUUtilization'],
  ['DatabaseConnections'],
  ['FreeStorageSpace', 'ACUUtilization'],
];

/** Rules on databases of RDS and Aurora. */
export const DATABASE_RULES: readonly Rule[] = [
  argumentRule({ id: 'database-is-encrypted' }),
  argumentRule({
    id: 'database-is-private',
    faults: (database, { model }) => {
      if (database.type === 'aws_rds_cluster_instance') return [];
      const { list, stack, target } = read(model, database);
      const groups = list('vpc_security_group_ids').map((group) => stack.target(group));
      const subnets = target('db_subnet_group_name');
      return [
        ...(subnets?.type === 'aws_db_subnet_group'
          ? subnetFaults(model, stack, subnets.attributes.subnet_ids)
          : ['db_subnet_group_name is not a subnet group of the stack']),
        (groups.length === 0 || groups.some((group) => group?.type !== 'aws_security_group')) &&
          'vpc_security_group_ids must be security groups of the stack',
      ];
    },
  }),
  argumentRule({ id: 'database-has-no-known-password' }),
  rule({
    id: 'database-parameters-are-safe',
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
  argumentRule({ id: 'database-can-be-restored' }),
  rule({
    id: 'database-logs-are-kept',
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
    faults: (database, { model }) => [
      database.type === 'aws_rds_cluster' &&
        referring(model, database, 'aws_rds_cluster_instance', 'cluster_identifier').length < 2 &&
        'has fewer than two instances: nothing takes over when the zone of one fails',
    ],
  }),
  rule({
    id: 'database-has-alarms',
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
