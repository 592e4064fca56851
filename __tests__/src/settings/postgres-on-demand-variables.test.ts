import { describe, expect, it } from 'vitest';
import {
  databaseIdentifier,
  finalSnapshotIdentifier,
  instanceIdentifiers,
  minutesOfWindow,
  postgresOnDemandVariables,
} from '../../../src/settings/postgres-on-demand-variables.ts';
import { postgresOnDemandSettings } from '../../support/settings.ts';

type Name = keyof typeof postgresOnDemandVariables;

const accepts = (name: Name, value: unknown): boolean =>
  (postgresOnDemandVariables[name].accepts as (value: unknown) => boolean)(value);

describe('A variable of the database', () => {
  it.each<[Name, unknown]>([
    ['identifier', 'etl-platform-postgres'],
    ['engine_version', '17'],
    ['engine_version', '16.4'],
    ['db_name', 'etl_db'],
    ['instance_class', 'db.t4g.medium'],
    ['min_capacity_acu', 0],
    ['min_capacity_acu', 0.5],
    ['max_capacity_acu', 256],
    ['backup_retention_days', 7],
    ['backup_window', '23:45-00:15'],
    ['maintenance_window', 'sun:23:30-mon:00:30'],
    ['final_snapshot_identifier', 'Etl-2027'],
    ['restore_from_snapshot', 'rds:etl-platform-postgres-2026-11-28-20-08'],
    ['restore_from_snapshot', 'arn:aws-us-gov:rds:us-gov-west-1:123456789012:snapshot:etl'],
  ])('%s accepts %j', (name, value) => {
    expect(accepts(name, value)).toBe(true);
  });

  it.each<[Name, unknown]>([
    ['identifier', '1-etl'],
    ['identifier', 'etl--postgres'],
    ['identifier', 'etl-'],
    ['identifier', 'Etl'],
    ['identifier', 'a'.repeat(49)],
    ['engine_version', '14'],
    ['engine_version', '17.4.1'],
    ['engine_version', 'latest'],
    ['db_name', 'etl-db'],
    ['db_name', '1db'],
    ['db_name', 'rdsadmin'],
    ['db_port', 80],
    ['instance_class', 't4g.medium'],
    ['instance_class', 'db.serverless'],
    ['min_capacity_acu', 0.25],
    ['min_capacity_acu', -1],
    ['max_capacity_acu', 0.5],
    ['backup_retention_days', 1],
    ['backup_window', '03:00-03:15'],
    ['backup_window', '3:00-4:00'],
    ['maintenance_window', 'sun:05:00-sun:05:10'],
    ['maintenance_window', 'sun:05:00-tue:05:00'],
    ['maintenance_window', '05:00-06:00'],
    ['final_snapshot_identifier', '2027-etl'],
    ['final_snapshot_identifier', 'etl--2027'],
    ['restore_from_snapshot', 'a snapshot'],
  ])('%s refuses %j', (name, value) => {
    expect(accepts(name, value)).toBe(false);
  });
});

describe('The names of a database', () => {
  it('follow from the prefix of the network', () => {
    const settings = postgresOnDemandSettings({ foundation_name_prefix: 'City' });
    expect(databaseIdentifier(settings)).toBe('city-postgres');
    expect(finalSnapshotIdentifier(settings)).toBe('city-postgres-final');
    expect(instanceIdentifiers(settings)).toEqual(['city-postgres']);
  });

  it('are numbered for the instances of Aurora', () => {
    const settings = postgresOnDemandSettings({ engine: 'aurora', identifier: 'etl' });
    expect(instanceIdentifiers(settings)).toEqual(['etl-1', 'etl-2']);
  });
});

describe('A window', () => {
  it.each([
    ['03:00-04:00', 180, 60],
    ['23:45-00:15', 1425, 30],
    ['mon:00:00-mon:01:00', 0, 60],
    ['sun:23:30-mon:00:30', 6 * 1440 + 1410, 60],
  ])('%s begins at minute %d and lasts %d minutes', (text, start, length) => {
    expect(minutesOfWindow(text)).toEqual({ start, length });
  });
});
