import type { DbInstanceConfig } from '@cdktf/provider-aws/lib/db-instance/index.js';
import { DbParameterGroup } from '@cdktf/provider-aws/lib/db-parameter-group/index.js';
import type { RdsClusterConfig } from '@cdktf/provider-aws/lib/rds-cluster/index.js';
import type { RdsClusterInstanceConfig } from '@cdktf/provider-aws/lib/rds-cluster-instance/index.js';
import { RdsClusterParameterGroup } from '@cdktf/provider-aws/lib/rds-cluster-parameter-group/index.js';
import type { ITerraformDependable, TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import {
  finalSnapshotIdentifier,
  instanceIdentifiers,
  MASTER_USER,
  type PostgresOnDemandSettings,
} from '../settings/postgres-on-demand-variables.ts';
import { LightResource } from '../stack/light-resource.ts';

/** What a database of either engine is made from. */
export interface DatabaseProps {
  readonly settings: PostgresOnDemandSettings;
  /** Its identifier. */
  readonly name: string;
  /** Key of storage, backups, master password and insights. */
  readonly keyArn: string;
  readonly subnetGroupName: string;
  readonly securityGroupId: string;
  /** Logs that go to CloudWatch. */
  readonly logs: readonly string[];
  /** Absent where figures of the operating system are off. */
  readonly monitoringRoleArn?: string;
  readonly dependsOn: ITerraformDependable[];
}

/** A database of either engine, as others need it. */
export interface Database {
  readonly host: string;
  readonly resourceId: string;
  readonly masterSecretArn: string;
  /** Dimensions in CloudWatch of what is about the whole of it. */
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Retention of Database Insights in standard mode, in days (Amazon RDS User Guide, "Turning on the Standard mode"). */
const INSIGHTS_RETENTION_DAYS = 7;

/** A statement that takes longer is logged, in milliseconds. */
const SLOW_STATEMENT = 1000;

/** Makes the database that `engine` names. */
export function createDatabase(scope: Construct, props: DatabaseProps): Database {
  return props.settings.engine === 'rds' ? instance(scope, props) : cluster(scope, props);
}

/** RDS for PostgreSQL on an instance of a fixed size, with `multi_az` on two. */
function instance(scope: Construct, props: DatabaseProps): Database {
  const { settings, name } = props;
  const parameters = new DbParameterGroup(new Construct(scope, 'parameters'), 'database', {
    ...parameterGroup(props, 'postgres'),
    lifecycle: { createBeforeDestroy: true },
  });
  const database = new LightResource<DbInstanceConfig>(scope, 'database', 'aws_db_instance', {
    identifier: name,
    engine: 'postgres',
    instanceClass: settings.instance_class,
    multiAz: settings.multi_az,
    storageType: 'gp3',
    allocatedStorage: settings.allocated_storage_gib,
    ...(settings.max_allocated_storage_gib > 0 && {
      maxAllocatedStorage: settings.max_allocated_storage_gib,
    }),
    dbName: settings.db_name,
    username: MASTER_USER,
    parameterGroupName: parameters.name,
    ...shared(props),
    ...ofInstance(props),
    ...insights(props),
    backupWindow: settings.backup_window,
    maintenanceWindow: settings.maintenance_window,
    // They are read when the database is made, and would replace it.
    lifecycle: { ignoreChanges: ['db_name', 'snapshot_identifier'] },
    dependsOn: props.dependsOn,
  });
  return {
    host: database.getStringAttribute('address'),
    resourceId: database.getStringAttribute('resource_id'),
    masterSecretArn: masterSecretArn(database),
    dimensions: { DBInstanceIdentifier: database.getStringAttribute('identifier') },
  };
}

/** Aurora PostgreSQL Serverless v2: one instance, with `multi_az` two. */
function cluster(scope: Construct, props: DatabaseProps): Database {
  const { settings, name } = props;
  const parameters = new RdsClusterParameterGroup(new Construct(scope, 'parameters'), 'database', {
    ...parameterGroup(props, 'aurora-postgresql'),
    lifecycle: { createBeforeDestroy: true },
  });
  const pauses = settings.min_capacity_acu === 0;
  const database = new LightResource<RdsClusterConfig>(scope, 'database', 'aws_rds_cluster', {
    clusterIdentifier: name,
    engine: 'aurora-postgresql',
    serverlessv2ScalingConfiguration: {
      minCapacity: settings.min_capacity_acu,
      maxCapacity: settings.max_capacity_acu,
      ...(pauses && { secondsUntilAutoPause: settings.seconds_until_auto_pause }),
    },
    databaseName: settings.db_name,
    masterUsername: MASTER_USER,
    dbClusterParameterGroupName: parameters.name,
    ...shared(props),
    ...insights(props),
    preferredBackupWindow: settings.backup_window,
    preferredMaintenanceWindow: settings.maintenance_window,
    lifecycle: { ignoreChanges: ['database_name', 'snapshot_identifier'] },
    dependsOn: props.dependsOn,
  });
  for (const [index, identifier] of instanceIdentifiers(settings).entries()) {
    new LightResource<RdsClusterInstanceConfig>(
      scope,
      `database_${index + 1}`,
      'aws_rds_cluster_instance',
      {
        identifier,
        clusterIdentifier: database.getStringAttribute('cluster_identifier'),
        engine: database.getStringAttribute('engine'),
        instanceClass: 'db.serverless',
        copyTagsToSnapshot: true,
        applyImmediately: settings.apply_immediately,
        preferredMaintenanceWindow: settings.maintenance_window,
        ...ofInstance(props),
        performanceInsightsEnabled: true,
        performanceInsightsKmsKeyId: props.keyArn,
        performanceInsightsRetentionPeriod: INSIGHTS_RETENTION_DAYS,
      },
    );
  }
  return {
    host: database.getStringAttribute('endpoint'),
    resourceId: database.getStringAttribute('cluster_resource_id'),
    masterSecretArn: masterSecretArn(database),
    dimensions: { DBClusterIdentifier: database.getStringAttribute('cluster_identifier') },
  };
}

function masterSecretArn(database: TerraformResource): string {
  return database.getStringAttribute('master_user_secret[0].secret_arn');
}

/** A new major version needs a group of its family while the database still uses the old one, and so another name. */
function parameterGroup({ settings, name }: DatabaseProps, engine: string) {
  const [major] = settings.engine_version.split('.');
  const family = `${engine}${major}`;
  return {
    namePrefix: `${name}-${family}-`,
    family,
    description: `Parameters of ${name}`,
    parameter: [
      { name: 'rds.force_ssl', value: '1' },
      { name: 'log_disconnections', value: '1' },
      { name: 'log_statement', value: 'ddl' },
      { name: 'log_min_duration_statement', value: `${SLOW_STATEMENT}` },
    ],
  };
}

/** The arguments that both engines have under the same name. */
function shared({ settings, keyArn, subnetGroupName, securityGroupId, logs }: DatabaseProps) {
  return {
    engineVersion: settings.engine_version,
    allowMajorVersionUpgrade: settings.allow_major_version_upgrade,
    applyImmediately: settings.apply_immediately,
    port: settings.db_port,
    dbSubnetGroupName: subnetGroupName,
    vpcSecurityGroupIds: [securityGroupId],
    storageEncrypted: true,
    kmsKeyId: keyArn,
    // RDS makes the password and keeps it in Secrets Manager: neither JSON nor plan nor state ever holds it.
    manageMasterUserPassword: true,
    masterUserSecretKmsKeyId: keyArn,
    iamDatabaseAuthenticationEnabled: true,
    backupRetentionPeriod: settings.backup_retention_days,
    copyTagsToSnapshot: true,
    deleteAutomatedBackups: false,
    deletionProtection: settings.deletion_protection,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: finalSnapshotIdentifier(settings),
    enabledCloudwatchLogsExports: [...logs],
    ...(settings.restore_from_snapshot && { snapshotIdentifier: settings.restore_from_snapshot }),
  };
}

function insights({ keyArn }: DatabaseProps) {
  return {
    databaseInsightsMode: 'standard',
    performanceInsightsEnabled: true,
    performanceInsightsKmsKeyId: keyArn,
    performanceInsightsRetentionPeriod: INSIGHTS_RETENTION_DAYS,
  };
}

function ofInstance({ settings, monitoringRoleArn }: DatabaseProps) {
  return {
    publiclyAccessible: false,
    autoMinorVersionUpgrade: true,
    monitoringInterval: settings.monitoring_interval_seconds,
    ...(monitoringRoleArn !== undefined && { monitoringRoleArn }),
  };
}
