import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Rule sets: which file a row came from, when it left its set, and which sets were applied. A row without a file was made
 * by hand, and no rule set changes it. And what a monitored file says beside its mapping.
 */
export async function up(knex: Knex): Promise<void> {
  const { mappings, monitoringFiles, ruleSets } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${mappings}
      ADD COLUMN rule_file text,
      ADD COLUMN retired_at timestamptz,
      ADD CONSTRAINT mappings_retired_came_from_a_file
        CHECK (retired_at IS NULL OR rule_file IS NOT NULL);

    ALTER TABLE ${monitoringFiles}
      ADD COLUMN contact jsonb,
      ADD COLUMN schedule jsonb,
      ADD COLUMN severity text,
      ADD COLUMN classification text,
      ADD COLUMN rule_file text,
      ADD COLUMN retired_at timestamptz,
      ADD CONSTRAINT monitoring_files_contact_is_an_object CHECK (jsonb_typeof(contact) = 'object'),
      ADD CONSTRAINT monitoring_files_schedule_is_an_object CHECK (jsonb_typeof(schedule) = 'object'),
      ADD CONSTRAINT monitoring_files_severity_is_known
        CHECK (severity IN ('low', 'medium', 'high', 'critical')),
      ADD CONSTRAINT monitoring_files_classification_is_known
        CHECK (classification IN ('public', 'internal', 'sensitive')),
      ADD CONSTRAINT monitoring_files_retired_is_not_active
        CHECK (retired_at IS NULL OR NOT active);

    CREATE TABLE ${ruleSets} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      digest text NOT NULL,
      location text NOT NULL,
      changes jsonb NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT rule_sets_digest_is_hexadecimal CHECK (digest ~ '^[0-9a-f]{64}$'),
      CONSTRAINT rule_sets_changes_is_an_object CHECK (jsonb_typeof(changes) = 'object')
    );
  `);
}
