import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** Where a run's report is in the bucket of its object; null as long as it is not there. */
export async function up(knex: Knex): Promise<void> {
  const { runs } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${runs} ADD COLUMN report_key text;
    -- NOT VALID leaves out the scan of what is there, which would keep the intake waiting: the new
    -- column is null in every row.
    ALTER TABLE ${runs}
      ADD CONSTRAINT runs_report_key_comes_with_a_verdict
        CHECK (report_key IS NULL OR verdict IS NOT NULL) NOT VALID,
      ADD CONSTRAINT runs_report_key_is_a_key
        CHECK (octet_length(report_key) BETWEEN 1 AND 1024) NOT VALID;
  `);
}
