import { DataAwsDbInstance } from '@cdktf/provider-aws/lib/data-aws-db-instance/index.js';
import { DataAwsDbInstances } from '@cdktf/provider-aws/lib/data-aws-db-instances/index.js';
import { DataAwsRdsCluster } from '@cdktf/provider-aws/lib/data-aws-rds-cluster/index.js';
import { DataAwsRdsClusters } from '@cdktf/provider-aws/lib/data-aws-rds-clusters/index.js';
import { Fn } from 'cdktf';
import { Construct } from 'constructs';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import {
  databaseIdentifier,
  type PostgresOnDemandSettings,
} from '../settings/postgres-on-demand-variables.ts';

/** What of a database only Terraform knows. */
export interface FoundDatabase {
  /** Takes the place of the settings of the same names. */
  readonly settings: Pick<
    FileProcessingSettings,
    'db_host' | 'db_resource_id' | 'db_security_group_id'
  >;
  /** Secret with the master user's password, and the key that encrypts it. */
  readonly masterSecret: { readonly arn: string; readonly keyArn: string };
}

/**
 * Finds the database of the stack postgres-on-demand by its name, which is known at synth as its engine is. The lists
 * find none without a fault, unlike the data source of one, so that the message can say what to do.
 */
export function databaseFinder(
  settings: PostgresOnDemandSettings,
): (scope: Construct) => FoundDatabase {
  return settings.engine === 'rds'
    ? (scope) => findInstance(new Construct(scope, 'database-lookup'), settings)
    : (scope) => findCluster(new Construct(scope, 'database-lookup'), settings);
}

function findInstance(scope: Construct, settings: PostgresOnDemandSettings): FoundDatabase {
  const name = databaseIdentifier(settings);
  const found = new DataAwsDbInstances(new Construct(scope, 'list'), 'database', {
    filter: [{ name: 'db-instance-id', values: [name] }],
    lifecycle: mustBeOne('instance_identifiers', settings),
  });
  const instance = new DataAwsDbInstance(scope, 'database', {
    dbInstanceIdentifier: Fn.one(found.instanceIdentifiers),
    lifecycle: mustListenOn(settings),
  });
  return {
    settings: {
      db_host: instance.address,
      db_resource_id: instance.resourceId,
      db_security_group_id: Fn.one(instance.vpcSecurityGroups),
    },
    masterSecret: masterSecret(instance.masterUserSecret),
  };
}

function findCluster(scope: Construct, settings: PostgresOnDemandSettings): FoundDatabase {
  const name = databaseIdentifier(settings);
  const found = new DataAwsRdsClusters(new Construct(scope, 'list'), 'database', {
    filter: [{ name: 'db-cluster-id', values: [name] }],
    lifecycle: mustBeOne('cluster_identifiers', settings),
  });
  const cluster = new DataAwsRdsCluster(scope, 'database', {
    clusterIdentifier: Fn.one(found.clusterIdentifiers),
    lifecycle: mustListenOn(settings),
  });
  return {
    settings: {
      db_host: cluster.endpoint,
      db_resource_id: cluster.clusterResourceId,
      db_security_group_id: Fn.one(cluster.vpcSecurityGroupIds),
    },
    masterSecret: masterSecret(cluster.masterUserSecret),
  };
}

function masterSecret(
  secrets: DataAwsDbInstance['masterUserSecret'] | DataAwsRdsCluster['masterUserSecret'],
): FoundDatabase['masterSecret'] {
  const { secretArn, kmsKeyId } = secrets.get(0);
  return { arn: secretArn, keyArn: kmsKeyId };
}

function mustBeOne(identifiers: string, settings: PostgresOnDemandSettings) {
  const name = databaseIdentifier(settings);
  return {
    postcondition: [
      {
        condition: `\${length(self.${identifiers}) == 1}`,
        errorMessage: `There is no database ${name} in ${settings.aws_region}: deploy postgres-on-demand first.`,
      },
    ],
  };
}

function mustListenOn({ db_port }: PostgresOnDemandSettings) {
  return {
    postcondition: [
      {
        condition: `\${self.port == ${db_port}}`,
        errorMessage: `The database does not listen on port ${db_port}, which postgres_on_demand.tfvars says: deploy postgres-on-demand first.`,
      },
    ],
  };
}
