import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { DataAwsCallerIdentity } from '@cdktf/provider-aws/lib/data-aws-caller-identity/index.js';
import { DbSubnetGroup } from '@cdktf/provider-aws/lib/db-subnet-group/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js';
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js';
import { partitionOf } from '@file-processing/contract/partition.ts';
import { type ITerraformDependable, TerraformOutput } from 'cdktf';
import { Construct } from 'constructs';
import { type KeyScope, logsUseKey } from '../policies/key-policies.ts';
import { policyJson } from '../policies/policy-document.ts';
import { trustServiceFor } from '../policies/trust-policies.ts';
import { monitoringRoleName } from '../settings/check-postgres-on-demand.ts';
import {
  databaseIdentifier,
  finalSnapshotIdentifier,
  instanceIdentifiers,
  type PostgresOnDemandSettings,
} from '../settings/postgres-on-demand-variables.ts';
import { AddressedStack } from '../stack/addressed-stack.ts';
import { configureAwsProvider, defaultTags } from '../stack/aws-provider.ts';
import { Key } from '../stack/key.ts';
import { NetworkLookup } from '../stack/network-lookup.ts';
import { roleIdentity } from '../stack/role-identity.ts';
import { templateLiteral } from '../stack/template-literal.ts';
import { configureTerraform } from '../stack/terraform-settings.ts';
import { createAlarms } from './alarms.ts';
import { createDatabase, type Database } from './database.ts';

/** What the postgres-on-demand stack is made from. */
export interface PostgresOnDemandProps {
  /** Name of the environment, for tags and state. */
  readonly environment: string;
  /** Checked settings; the stack does not check them again. */
  readonly settings: PostgresOnDemandSettings;
}

/** Logs that each engine exports, and the folder of their groups (Amazon RDS User Guide, "Publishing PostgreSQL logs"). */
const LOGS = {
  rds: { folder: 'instance', exports: ['postgresql', 'upgrade'] },
  aurora: { folder: 'cluster', exports: ['postgresql'] },
} as const;

/**
 * The database of the listener: RDS for PostgreSQL or Aurora PostgreSQL Serverless v2 in the private subnets of the
 * network, which is found by name. Other stacks find it by its identifier, and let themselves in.
 */
export class PostgresOnDemandStack extends AddressedStack {
  constructor(
    scope: Construct,
    id: string,
    { environment, settings: given }: PostgresOnDemandProps,
  ) {
    super(scope, id);
    const settings = templateLiteral(given);
    configureTerraform(this, environment, settings);
    const tags = defaultTags(environment, id, settings.tags);
    configureAwsProvider(this, { ...settings, tags });

    const at = (kind: string): Construct => new Construct(this, kind);
    const name = databaseIdentifier(settings);
    const account = new DataAwsCallerIdentity(this, 'current').accountId;
    const region = settings.aws_region;
    const owner: KeyScope = { partition: partitionOf(region), region, account };
    const network = new NetworkLookup(this, settings);
    const { folder, exports: logs } = LOGS[settings.engine];
    const logGroupNames = logs.map((log) => `/aws/rds/${folder}/${name}/${log}`);
    const key = new Key(this, {
      context: { ...owner, settings, keyPrefix: name },
      purpose: 'database',
      description: `Encrypts the database ${name}: storage, backups, master password, insights and logs`,
      users: [logsUseKey(owner, logGroupNames)],
    });
    // RDS would make them without a key, and keep what they hold for ever.
    const logGroups = logGroupNames.map(
      (logGroupName, index) =>
        new CloudwatchLogGroup(this, `database_${logs[index]}`, {
          name: logGroupName,
          retentionInDays: settings.log_retention_days,
          kmsKeyId: key.arn,
        }),
    );
    const securityGroup = new SecurityGroup(at('security-group'), 'database', {
      name,
      description: `Database ${name}; whoever connects brings a rule of its own`,
      vpcId: network.vpcId,
      tags: { Name: name },
    });
    const subnetGroup = new DbSubnetGroup(at('subnet-group'), 'database', {
      name,
      description: `Private subnets of ${settings.foundation_name_prefix}`,
      subnetIds: network.privateSubnetIds,
    });
    const monitoring =
      settings.monitoring_interval_seconds > 0 ? monitoringRole(this, settings, owner) : undefined;
    const database = createDatabase(at('engine'), {
      settings,
      name,
      keyArn: key.arn,
      subnetGroupName: subnetGroup.name,
      securityGroupId: securityGroup.id,
      logs,
      ...(monitoring && { monitoringRoleArn: monitoring.arn }),
      // RDS would make the log groups itself, and it tries the role when it makes the database.
      dependsOn: [...logGroups, ...(monitoring ? [monitoring.attachment] : [])],
    });
    createAlarms(at('alarms'), { settings, name, dimensions: database.dimensions });
    this.#outputs(settings, { ...database, name, securityGroupId: securityGroup.id });
  }

  #outputs(
    settings: PostgresOnDemandSettings,
    database: Database & { readonly name: string; readonly securityGroupId: string },
  ): void {
    const scope = new Construct(this, 'outputs');
    const outputs = {
      database_identifier: [database.name, 'Name of the database in RDS'],
      database_host: [database.host, 'Host that clients connect to'],
      database_port: [settings.db_port, 'Port of the database'],
      database_name: [settings.db_name, 'Name of the database that was made with it'],
      database_resource_id: [database.resourceId, 'Resource id, for rights of rds-db:connect'],
      database_security_group_id: [
        database.securityGroupId,
        'Security group of the database; whoever connects adds a rule to it',
      ],
      master_user_secret_arn: [
        database.masterSecretArn,
        'ARN of the secret that RDS keeps the master password in',
      ],
      final_snapshot_identifier: [
        finalSnapshotIdentifier(settings),
        'Snapshot that is left when the database is destroyed',
      ],
    } as const;
    for (const [name, [value, description]] of Object.entries(outputs)) {
      new TerraformOutput(scope, name, { value, description });
    }
  }
}

/** The role by which RDS writes figures of the operating system (Amazon RDS User Guide, "Enhanced Monitoring"). */
function monitoringRole(
  scope: Construct,
  settings: PostgresOnDemandSettings,
  { partition, region, account }: KeyScope,
): { readonly arn: string; readonly attachment: ITerraformDependable } {
  const name = databaseIdentifier(settings);
  const role = new IamRole(scope, 'database_monitoring', {
    ...roleIdentity(settings, monitoringRoleName(settings)),
    description: `Writes figures of the operating system of ${name}`,
    assumeRolePolicy: policyJson(
      trustServiceFor(
        'monitoring.rds.amazonaws.com',
        account,
        instanceIdentifiers(settings).map(
          (instance) => `arn:${partition.name}:rds:${region}:${account}:db:${instance}`,
        ),
      ),
    ),
  });
  const attachment = new IamRolePolicyAttachment(role, 'database_monitoring', {
    role: role.name,
    policyArn: `arn:${partition.name}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole`,
  });
  return { arn: role.arn, attachment };
}
