import { describe, expect, it } from 'vitest';
import { namesOf, resourceAt, type SynthesizedStack } from '../../support/synthesized.ts';
import { synthesizePostgres } from '../../support/synthesized-postgres.ts';

const synthesize = (overrides: Parameters<typeof synthesizePostgres>[0] = {}): SynthesizedStack =>
  JSON.parse(synthesizePostgres(overrides));

const DATABASES = { rds: 'aws_db_instance.database', aurora: 'aws_rds_cluster.database' } as const;
const GROUPS = {
  rds: 'aws_db_parameter_group',
  aurora: 'aws_rds_cluster_parameter_group',
} as const;

describe.each(['rds', 'aurora'] as const)('A database of %s', (engine) => {
  const json = synthesize({ engine });

  it('survives what is done to it by mistake', () => {
    expect(resourceAt(json, DATABASES[engine])).toMatchObject({
      deletion_protection: true,
      skip_final_snapshot: false,
      final_snapshot_identifier: 'etl-platform-postgres-final',
      backup_retention_period: 14,
      delete_automated_backups: false,
      copy_tags_to_snapshot: true,
    });
  });

  it('takes the settings that say otherwise', () => {
    const own = synthesize({
      engine,
      identifier: 'city',
      deletion_protection: false,
      final_snapshot_identifier: 'city-2027',
      backup_retention_days: 35,
      restore_from_snapshot: 'city-2026',
      apply_immediately: false,
      db_port: 6432,
      engine_version: '16.4',
    });
    expect(resourceAt(own, DATABASES[engine])).toMatchObject({
      deletion_protection: false,
      final_snapshot_identifier: 'city-2027',
      backup_retention_period: 35,
      snapshot_identifier: 'city-2026',
      apply_immediately: false,
      port: 6432,
      engine_version: '16.4',
    });
  });

  it('is not replaced by what is read only when it is made', () => {
    const name = engine === 'rds' ? 'db_name' : 'database_name';
    expect(resourceAt(json, DATABASES[engine]).lifecycle).toEqual({
      ignore_changes: [name, 'snapshot_identifier'],
    });
  });

  it('refuses connections without TLS, and logs sessions, changes and slow statements', () => {
    expect(resourceAt(json, `${GROUPS[engine]}.database`).parameter).toEqual([
      { name: 'rds.force_ssl', value: '1' },
      { name: 'log_disconnections', value: '1' },
      { name: 'log_statement', value: 'ddl' },
      { name: 'log_min_duration_statement', value: '1000' },
    ]);
  });

  it('has parameters of the family of its major version, made before the old ones go', () => {
    const family = engine === 'rds' ? 'postgres16' : 'aurora-postgresql16';
    const own = synthesize({ engine, engine_version: '16.4' });
    expect(resourceAt(own, `${GROUPS[engine]}.database`)).toMatchObject({
      family,
      name_prefix: `etl-platform-postgres-${family}-`,
      lifecycle: { create_before_destroy: true },
    });
  });

  it('lets users sign in by IAM', () => {
    expect(resourceAt(json, DATABASES[engine]).iam_database_authentication_enabled).toBe(true);
  });

  it('has Database Insights in standard mode, for seven days', () => {
    expect(resourceAt(json, DATABASES[engine])).toMatchObject({
      database_insights_mode: 'standard',
      performance_insights_enabled: true,
      performance_insights_retention_period: 7,
    });
  });
});

describe('RDS', () => {
  it('is one instance of the given size, private, with storage that grows', () => {
    const json = synthesize({
      instance_class: 'db.m7g.large',
      allocated_storage_gib: 200,
      max_allocated_storage_gib: 1000,
      multi_az: false,
    });
    expect(resourceAt(json, DATABASES.rds)).toMatchObject({
      engine: 'postgres',
      instance_class: 'db.m7g.large',
      storage_type: 'gp3',
      allocated_storage: 200,
      max_allocated_storage: 1000,
      multi_az: false,
      publicly_accessible: false,
      auto_minor_version_upgrade: true,
    });
    expect(namesOf(json, 'aws_rds_cluster')).toEqual([]);
  });

  it('does not grow with max_allocated_storage_gib = 0', () => {
    const json = synthesize({ max_allocated_storage_gib: 0 });
    expect(resourceAt(json, DATABASES.rds)).not.toHaveProperty('max_allocated_storage');
  });
});

describe('Aurora', () => {
  it('scales between the given capacities', () => {
    const json = synthesize({ engine: 'aurora', min_capacity_acu: 1.5, max_capacity_acu: 8 });
    expect(resourceAt(json, DATABASES.aurora).serverlessv2_scaling_configuration).toEqual({
      min_capacity: 1.5,
      max_capacity: 8,
    });
  });

  it('pauses with a least capacity of 0 alone', () => {
    const json = synthesize({
      engine: 'aurora',
      min_capacity_acu: 0,
      seconds_until_auto_pause: 3600,
    });
    expect(resourceAt(json, DATABASES.aurora).serverlessv2_scaling_configuration).toEqual({
      min_capacity: 0,
      max_capacity: 4,
      seconds_until_auto_pause: 3600,
    });
  });

  it.each([
    [true, ['database_1', 'database_2']],
    [false, ['database_1']],
  ])('has with multi_az = %s the instances %s', (multi_az, names) => {
    const json = synthesize({ engine: 'aurora', multi_az });
    expect(namesOf(json, 'aws_rds_cluster_instance')).toEqual(names);
    for (const name of names) {
      expect(resourceAt(json, `aws_rds_cluster_instance.${name}`)).toMatchObject({
        identifier: `etl-platform-postgres-${name.slice(-1)}`,
        instance_class: 'db.serverless',
        publicly_accessible: false,
        auto_minor_version_upgrade: true,
      });
    }
  });
});
