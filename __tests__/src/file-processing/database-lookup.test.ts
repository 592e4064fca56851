import { App, Testing } from 'cdktf';
import { describe, expect, it } from 'vitest';
import { databaseFinder } from '../../../src/file-processing/database-lookup.ts';
import { FileProcessingStack } from '../../../src/file-processing/stack.ts';
import type { PostgresOnDemandSettings } from '../../../src/settings/postgres-on-demand-variables.ts';
import { fileProcessingSettings, postgresOnDemandSettings } from '../../support/settings.ts';
import { resourceAt, type SynthesizedStack, statementsAt } from '../../support/synthesized.ts';
import { ACCOUNT, IMAGE } from '../../support/synthesized-file-processing.ts';

const REGIONS = [
  ['aws', 'us-east-1'],
  ['aws-us-gov', 'us-gov-west-1'],
  ['aws-cn', 'cn-north-1'],
] as const;

/** The stack as an environment with such a database has it. */
function synthesized(database: Partial<PostgresOnDemandSettings> = {}): SynthesizedStack {
  const found = postgresOnDemandSettings(database);
  const settings = {
    ...fileProcessingSettings({
      database: 'on_demand',
      image: IMAGE,
      aws_region: found.aws_region,
    }),
    db_name: found.db_name,
    db_port: found.db_port,
    db_user: 'file_processing',
    db_iam_auth: true,
  };
  const stack = new FileProcessingStack(new App(), 'file-processing', {
    environment: 'etl-playground',
    settings,
    findDatabase: databaseFinder(found),
  });
  return JSON.parse(Testing.synth(stack));
}

const FOUND = {
  rds: {
    list: ['aws_db_instances', 'db-instance-id', 'instance_identifiers'],
    one: ['aws_db_instance', 'db_instance_identifier'],
    host: '${data.aws_db_instance.database.address}',
    resourceId: '${data.aws_db_instance.database.resource_id}',
    group: '${one(data.aws_db_instance.database.vpc_security_groups)}',
  },
  aurora: {
    list: ['aws_rds_clusters', 'db-cluster-id', 'cluster_identifiers'],
    one: ['aws_rds_cluster', 'cluster_identifier'],
    host: '${data.aws_rds_cluster.database.endpoint}',
    resourceId: '${data.aws_rds_cluster.database.cluster_resource_id}',
    group: '${one(tolist(data.aws_rds_cluster.database.vpc_security_group_ids))}',
  },
} as const;

describe.each(['rds', 'aurora'] as const)('A database on demand of %s', (engine) => {
  const json = synthesized({ engine, identifier: 'city', db_name: 'etl', db_port: 6432 });
  const expected = FOUND[engine];

  it('is found by its name, or an error says what to do', () => {
    const [type, filter, identifiers] = expected.list;
    expect(json.data?.[type]?.database).toEqual({
      filter: [{ name: filter, values: ['city'] }],
      lifecycle: {
        postcondition: [
          {
            condition: `\${length(self.${identifiers}) == 1}`,
            error_message:
              'There is no database city in us-gov-west-1: deploy postgres-on-demand first.',
          },
        ],
      },
    });
    const [one, argument] = expected.one;
    const list = `data.${type}.database.${identifiers}`;
    expect(json.data?.[one]?.database?.[argument]).toBe(
      engine === 'rds' ? `\${one(${list})}` : `\${one(tolist(${list}))}`,
    );
  });

  it('must listen on the port that is known at synth, or an error says what to do', () => {
    expect(json.data?.[expected.one[0]]?.database?.lifecycle).toEqual({
      postcondition: [
        {
          condition: '${self.port == 6432}',
          error_message: expect.stringContaining('deploy postgres-on-demand first'),
        },
      ],
    });
  });

  it('is where the listener connects to, by IAM and TLS and without a Secret', () => {
    expect(resourceAt(json, 'kubernetes_config_map_v1.config').data).toMatchObject({
      DB_HOST: expected.host,
      DB_PORT: '6432',
      DB_NAME: 'etl',
      DB_USER: 'file_processing',
      DB_SSL: 'verify-full',
      DB_IAM_AUTH: 'true',
    });
    expect(json.resource).not.toHaveProperty('kubernetes_secret_v1');
  });

  it('lets the nodes in on its port', () => {
    expect(resourceAt(json, 'aws_vpc_security_group_ingress_rule.database')).toMatchObject({
      security_group_id: expected.group,
      from_port: 6432,
      to_port: 6432,
    });
  });

  it.each(REGIONS)('is signed in to as one user of it, in %s', (partition, aws_region) => {
    const own = synthesized({ engine, aws_region });
    const [statement] = statementsAt(own, 'aws_iam_policy.file_processing_database');
    expect(statement).toMatchObject({
      Action: 'rds-db:connect',
      Resource: `arn:${partition}:rds-db:${aws_region}:${ACCOUNT}:dbuser:${expected.resourceId}/file_processing`,
    });
  });
});

describe('A stack whose database is on demand', () => {
  it('is not made without a way to find it', () => {
    const settings = fileProcessingSettings({ database: 'on_demand' });
    expect(
      () => new FileProcessingStack(new App(), 'file-processing', { environment: 'dev', settings }),
    ).toThrow('findDatabase');
  });
});
