import { checkFileProcessing } from '../../src/settings/check-file-processing.ts';
import { checkFoundationNetwork } from '../../src/settings/check-foundation-network.ts';
import { checkPostgresOnDemand } from '../../src/settings/check-postgres-on-demand.ts';
import {
  type FileProcessingSettings,
  fileProcessingVariables,
} from '../../src/settings/file-processing-variables.ts';
import { type Finding, SettingsError } from '../../src/settings/finding.ts';
import {
  type FoundationNetworkSettings,
  foundationNetworkVariables,
} from '../../src/settings/foundation-network-variables.ts';
import {
  type PostgresOnDemandSettings,
  postgresOnDemandVariables,
} from '../../src/settings/postgres-on-demand-variables.ts';
import { resolveVariables } from '../../src/settings/resolve-variables.ts';
import type { TfvarsValue } from '../../src/settings/tfvars/tfvars-value.ts';
import type { SettingsOf, VariableTable } from '../../src/settings/variable.ts';

const FILE = 'test.tfvars';

/**
 * Checked settings of the foundation-network stack: defaults, except for the overrides.
 *
 * @throws SettingsError when a user could not have such settings
 */
export function foundationNetworkSettings(
  overrides: Partial<FoundationNetworkSettings> = {},
): FoundationNetworkSettings {
  const settings = resolved(overrides, foundationNetworkVariables);
  refuse(checkFoundationNetwork(settings).map((finding) => ({ ...finding, file: FILE })));
  return settings;
}

/**
 * Checked settings of the file-processing stack: the bucket `drop-box` and defaults, except for the
 * overrides.
 *
 * @throws SettingsError when a user could not have such settings
 */
export function fileProcessingSettings(
  overrides: Partial<FileProcessingSettings> = {},
): FileProcessingSettings {
  const bucket = overrides.buckets === undefined ? { bucket_name: 'drop-box' } : {};
  const given = { ...bucket, ...overrides };
  const settings = resolved(given, fileProcessingVariables);
  const names = new Set(Object.keys(given));
  refuse(checkFileProcessing(settings, names).map((finding) => ({ ...finding, file: FILE })));
  return settings;
}

/** An entry of `buckets`: its name and defaults, except for the overrides. */
export function listedBucket(
  name: string,
  overrides: Partial<FileProcessingSettings['buckets'][number]> = {},
): FileProcessingSettings['buckets'][number] {
  const defaults = { prefixes: ['from_client/'], suffix: '', kms_key_arn: '' };
  return { name, ...defaults, create_notifications: false, account_id: '', ...overrides };
}

/**
 * Checked settings of the postgres-on-demand stack: defaults, except for the overrides.
 *
 * @throws SettingsError when a user could not have such settings
 */
export function postgresOnDemandSettings(
  overrides: Partial<PostgresOnDemandSettings> = {},
): PostgresOnDemandSettings {
  const settings = resolved(overrides, postgresOnDemandVariables);
  const names = new Set(Object.keys(overrides));
  refuse(checkPostgresOnDemand(settings, names).map((finding) => ({ ...finding, file: FILE })));
  return settings;
}

function resolved<Table extends VariableTable>(
  given: Readonly<Record<string, TfvarsValue>>,
  table: Table,
): SettingsOf<Table> {
  const assignments = Object.entries(given).map(([name, value], index) => ({
    file: FILE,
    line: index + 1,
    name,
    value,
  }));
  const { settings, faults } = resolveVariables(FILE, assignments, table);
  refuse(faults);
  return settings;
}

function refuse(faults: readonly Finding[]): void {
  if (faults.length > 0) throw new SettingsError(faults);
}
