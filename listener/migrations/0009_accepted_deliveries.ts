import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Delivery rules of a mapping, and what finds the deliveries of a monitored file that were accepted: the file is beside
 * the run as long as the verdict that stands accepts it, so that an index leads to the last ones, by the time of their
 * delivery and not of their judgement. Their columns are kept when the report is gone: they are few, and no values.
 */
export async function up(knex: Knex): Promise<void> {
  const { mappings, monitoringFiles, runs, judgements } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${mappings} ADD COLUMN rules jsonb;
    ALTER TABLE ${judgements} ADD COLUMN accepted_columns jsonb;
    ALTER TABLE ${runs} ADD COLUMN accepted_file bigint;
    -- NOT VALID leaves out the scan of what is there: the new columns are null in every row.
    ALTER TABLE ${mappings}
      ADD CONSTRAINT mappings_rules_is_a_list CHECK (jsonb_typeof(rules) = 'array') NOT VALID;
    ALTER TABLE ${runs}
      ADD CONSTRAINT runs_accepted_file_exists
        FOREIGN KEY (accepted_file) REFERENCES ${monitoringFiles} NOT VALID,
      ADD CONSTRAINT runs_accepted_file_is_of_a_verdict CHECK (
        accepted_file IS NULL OR verdict IN ('passed', 'warned')
      ) NOT VALID;
    UPDATE ${runs} AS run SET accepted_file = judgement.monitoring_file_id
    FROM ${judgements} AS judgement
    WHERE judgement.run_id = run.id AND judgement.number = run.verdict_number
      AND run.verdict IN ('passed', 'warned');
    CREATE INDEX runs_accepted ON ${runs}
      (accepted_file, coalesce(event_time, last_modified, created_at), created_at, id)
      WHERE accepted_file IS NOT NULL;
  `);
}
