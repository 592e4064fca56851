import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Keys of a monitored file's last accepted delivery that foreign keys of other files refer to: one set for each list of
 * fields, as hashes of 16 bytes under the secret beside them, or why there is none. Random bytes are not worth compressing.
 */
export async function up(knex: Knex): Promise<void> {
  const { monitoringFiles, referenceKeys } = tablesOf(knex);
  await knex.raw(`
    CREATE TABLE ${referenceKeys} (
      monitoring_file_id bigint NOT NULL REFERENCES ${monitoringFiles} ON DELETE CASCADE,
      fields text[] NOT NULL,
      run_id uuid NOT NULL,
      kept_at timestamptz NOT NULL DEFAULT now(),
      form integer,
      types text[],
      secret bytea,
      hashes bytea,
      unknown text,
      PRIMARY KEY (monitoring_file_id, fields),
      CONSTRAINT reference_keys_are_known_or_say_why CHECK (
        CASE WHEN unknown IS NULL THEN num_nulls(form, types, secret, hashes) = 0
          ELSE num_nonnulls(form, types, secret, hashes) = 0 END
      )
    );
    ALTER TABLE ${referenceKeys} ALTER COLUMN hashes SET STORAGE EXTERNAL;
    CREATE INDEX reference_keys_run ON ${referenceKeys} (run_id);
  `);
}
