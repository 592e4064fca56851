import { describe, expect, it } from 'vitest';
import {
  addresses,
  namesOf,
  resourceAt,
  type SynthesizedStack,
  statementsAt,
} from '../../support/synthesized.ts';
import { ACCOUNT } from '../../support/synthesized-file-processing.ts';
import { synthesizePostgres } from '../../support/synthesized-postgres.ts';

const synthesize = (overrides: Parameters<typeof synthesizePostgres>[0] = {}): SynthesizedStack =>
  JSON.parse(synthesizePostgres(overrides));

const ENGINES = ['rds', 'aurora'] as const;
const DATABASES = { rds: 'aws_db_instance.database', aurora: 'aws_rds_cluster.database' } as const;
const REGIONS = [
  ['aws', 'us-east-1', 'amazonaws.com'],
  ['aws-us-gov', 'us-gov-west-1', 'amazonaws.com'],
  ['aws-cn', 'cn-north-1', 'amazonaws.com.cn'],
] as const;

describe.each(ENGINES)('The stack of %s', (engine) => {
  const json = synthesize({ engine });

  it('is found by one name', () => {
    const { identifier, cluster_identifier } = resourceAt(json, DATABASES[engine]);
    expect(identifier ?? cluster_identifier).toBe('etl-platform-postgres');
    expect(json.output.database_identifier?.value).toBe('etl-platform-postgres');
  });

  it('is in the private subnets of the network, which is found by name', () => {
    expect(resourceAt(json, 'aws_db_subnet_group.database').subnet_ids).toBe(
      '${data.aws_subnets.private.ids}',
    );
    expect(json.data).toHaveProperty('aws_vpcs.foundation');
  });

  it('has a security group that lets nobody in or out by itself', () => {
    expect(resourceAt(json, 'aws_security_group.database')).toStrictEqual({
      name: 'etl-platform-postgres',
      description: 'Database etl-platform-postgres; whoever connects brings a rule of its own',
      vpc_id: '${one(data.aws_vpcs.foundation.ids)}',
      tags: { Name: 'etl-platform-postgres' },
    });
    expect(addresses(json).filter((address) => address.includes('_rule'))).toEqual([]);
  });

  it('encrypts everything with its own key', () => {
    const key = '${aws_kms_key.database.arn}';
    expect(resourceAt(json, DATABASES[engine])).toMatchObject({
      storage_encrypted: true,
      kms_key_id: key,
      master_user_secret_kms_key_id: key,
      performance_insights_kms_key_id: key,
    });
    for (const name of namesOf(json, 'aws_cloudwatch_log_group')) {
      expect(resourceAt(json, `aws_cloudwatch_log_group.${name}`).kms_key_id).toBe(key);
    }
  });

  it('has a master password that neither JSON nor a variable ever holds', () => {
    expect(resourceAt(json, DATABASES[engine]).manage_master_user_password).toBe(true);
    const passwords = [...JSON.stringify(json).matchAll(/"(\w*password\w*)":/g)];
    expect([...new Set(passwords.map(([, name]) => name))]).toEqual([
      'manage_master_user_password',
    ]);
    expect(Object.keys(json.variable)).toEqual(['aws_profile']);
  });

  it('makes the log groups that RDS writes to before the database, so that RDS makes none', () => {
    const folder = engine === 'rds' ? 'instance' : 'cluster';
    const logs = resourceAt(json, DATABASES[engine]).enabled_cloudwatch_logs_exports as string[];
    const groups = namesOf(json, 'aws_cloudwatch_log_group');
    expect(groups.map((name) => resourceAt(json, `aws_cloudwatch_log_group.${name}`).name)).toEqual(
      logs.map((log) => `/aws/rds/${folder}/etl-platform-postgres/${log}`),
    );
    const before = resourceAt(json, DATABASES[engine]).depends_on;
    expect(before).toEqual(
      expect.arrayContaining(groups.map((name) => `aws_cloudwatch_log_group.${name}`)),
    );
  });

  it('keeps the role of monitoring within the demands of the account', () => {
    const own = synthesize({
      engine,
      iam_path: '/etl/',
      iam_role_name_prefix: 'etl-',
      permissions_boundary_arn: 'arn:aws-us-gov:iam::123456789012:policy/boundary',
    });
    expect(resourceAt(own, 'aws_iam_role.database_monitoring')).toMatchObject({
      name: 'etl-etl-platform-postgres-monitoring',
      path: '/etl/',
      permissions_boundary: 'arn:aws-us-gov:iam::123456789012:policy/boundary',
    });
  });

  it('has no role with monitoring_interval_seconds = 0', () => {
    const quiet = synthesize({ engine, monitoring_interval_seconds: 0 });
    expect(quiet.resource).not.toHaveProperty('aws_iam_role');
    expect(JSON.stringify(quiet)).not.toContain('monitoring_role_arn');
  });

  it.each(REGIONS)('is of partition %s in %s', (partition, aws_region, suffix) => {
    const own = synthesize({ engine, aws_region });
    const arns = [...JSON.stringify(own).matchAll(/arn:([\w-]+):/g)].map(([, name]) => name);
    expect([...new Set(arns)]).toEqual([partition]);
    expect(statementsAt(own, 'aws_kms_key.database')[1]?.Principal).toEqual({
      Service: `logs.${aws_region}.${suffix}`,
    });
  });

  it('keeps ${ and %{ in tags as the text that they are', () => {
    const own = synthesize({ engine, tags: { note: '${path.module} %{if true}' } });
    expect(JSON.stringify(own.provider.aws)).toContain('$${path.module} %%{if true}');
  });
});

describe('The role of monitoring', () => {
  const trusted = (overrides: Parameters<typeof synthesizePostgres>[0]) =>
    statementsAt(synthesize(overrides), 'aws_iam_role.database_monitoring', 'assume_role_policy')[0]
      ?.Condition;
  const arn = (name: string) => `arn:aws-us-gov:rds:us-gov-west-1:${ACCOUNT}:db:${name}`;

  it('trusts RDS for the one instance', () => {
    expect(trusted({})).toEqual({
      StringEquals: { 'aws:SourceAccount': ACCOUNT },
      ArnLike: { 'aws:SourceArn': [arn('etl-platform-postgres')] },
    });
  });

  it('trusts RDS for the instances of the cluster', () => {
    expect(trusted({ engine: 'aurora' })).toHaveProperty(
      ['ArnLike', 'aws:SourceArn'],
      [arn('etl-platform-postgres-1'), arn('etl-platform-postgres-2')],
    );
  });
});
