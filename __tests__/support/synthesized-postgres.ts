import { App, Testing } from 'cdktf';
import { PostgresOnDemandStack } from '../../src/postgres-on-demand/stack.ts';
import type { PostgresOnDemandSettings } from '../../src/settings/postgres-on-demand-variables.ts';
import { postgresOnDemandSettings } from './settings.ts';

/** Text of the database stack's Terraform JSON: defaults, except for the overrides. */
export function synthesizePostgres(overrides: Partial<PostgresOnDemandSettings> = {}): string {
  const settings = postgresOnDemandSettings(overrides);
  return Testing.synth(
    new PostgresOnDemandStack(new App(), 'postgres-on-demand', {
      environment: 'etl-playground',
      settings,
    }),
  );
}
