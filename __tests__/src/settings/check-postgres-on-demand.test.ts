import { describe, expect, it } from 'vitest';
import { SettingsError } from '../../../src/settings/finding.ts';
import type { PostgresOnDemandSettings } from '../../../src/settings/postgres-on-demand-variables.ts';
import { postgresOnDemandSettings } from '../../support/settings.ts';

type Overrides = Partial<PostgresOnDemandSettings>;

/** Faults of settings, each with the variable that it is about. */
function faultsOf(overrides: Overrides): readonly (readonly [string | undefined, string])[] {
  try {
    postgresOnDemandSettings(overrides);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.faults.map(({ variable, message }) => [variable, message]);
  }
}

describe('Settings of a database', () => {
  it.each<[string, Overrides]>([
    ['no setting at all', {}],
    ['Aurora that pauses', { engine: 'aurora', min_capacity_acu: 0 }],
    ['storage that never grows', { max_allocated_storage_gib: 0 }],
    [
      'storage that may grow by a tenth',
      { allocated_storage_gib: 200, max_allocated_storage_gib: 220 },
    ],
    ['windows one after the other', { backup_window: '03:00-05:00' }],
    ['a backup over midnight', { backup_window: '23:45-00:30' }],
  ])('are accepted with %s', (_, overrides) => {
    expect(faultsOf(overrides)).toEqual([]);
  });

  it.each<[string, Overrides, string, RegExp]>([
    [
      'a prefix that makes no name of RDS',
      { foundation_name_prefix: 'etl-' },
      'identifier',
      /must be given: etl--postgres/,
    ],
    [
      'an instance class for Aurora',
      { engine: 'aurora', instance_class: 'db.m7g.large' },
      'instance_class',
      /is for engine = "rds" and engine is "aurora"/,
    ],
    [
      'storage for Aurora',
      { engine: 'aurora', allocated_storage_gib: 100 },
      'allocated_storage_gib',
      /leave it out/,
    ],
    ['a capacity for RDS', { max_capacity_acu: 8 }, 'max_capacity_acu', /is for engine = "aurora"/],
    [
      'storage that may hardly grow',
      { allocated_storage_gib: 200, max_allocated_storage_gib: 210 },
      'max_allocated_storage_gib',
      /must be at least 220/,
    ],
    [
      'more least than most capacity',
      { engine: 'aurora', min_capacity_acu: 8, max_capacity_acu: 4 },
      'min_capacity_acu',
      /must not be more than max_capacity_acu 4/,
    ],
    [
      'a time until a pause that never comes',
      { engine: 'aurora', seconds_until_auto_pause: 600 },
      'seconds_until_auto_pause',
      /is for min_capacity_acu = 0 and that is 0\.5; leave it out/,
    ],
    [
      'a backup while it is maintained',
      { backup_window: '05:30-06:30' },
      'backup_window',
      /overlaps maintenance_window/,
    ],
    [
      'maintenance over midnight, during a backup',
      { backup_window: '00:15-01:00', maintenance_window: 'sun:23:30-mon:00:30' },
      'backup_window',
      /overlaps/,
    ],
    [
      'a topic of another region',
      { alarm_topic_arn: 'arn:aws-us-gov:sns:us-gov-east-1:123456789012:on-call' },
      'alarm_topic_arn',
      /must be in aws_region us-gov-west-1/,
    ],
    [
      'a topic of another partition',
      { alarm_topic_arn: 'arn:aws:sns:us-east-1:123456789012:on-call' },
      'alarm_topic_arn',
      /is in partition aws; aws_region us-gov-west-1 is in aws-us-gov/,
    ],
    [
      'a role whose name becomes too long',
      { identifier: 'a'.repeat(48), iam_role_name_prefix: 'government-' },
      'iam_role_name_prefix',
      /must be at most 64/,
    ],
    [
      'subnets without their VPC',
      { private_subnet_ids: ['subnet-0a1b2c3d4e5f67890', 'subnet-0b1c2d3e4f5a67891'] },
      'vpc_id',
      /must be given with private_subnet_ids/,
    ],
  ])('are refused with %s', (_, overrides, variable, message) => {
    expect(faultsOf(overrides)).toEqual([[variable, expect.stringMatching(message)]]);
  });
});
