import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** When report and error of a judgement were deleted for their age; its verdict and figures stay. */
export async function up(knex: Knex): Promise<void> {
  const { judgements } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${judgements} ADD COLUMN details_deleted_at timestamptz;
    -- NOT VALID leaves out the scan of what is there: the rule allows more than the one before.
    ALTER TABLE ${judgements}
      DROP CONSTRAINT judgements_end_without_verdict_says_why,
      ADD CONSTRAINT judgements_end_without_verdict_says_why CHECK (
        status NOT IN ('gone', 'replaced', 'error') OR coalesce(error, '') <> ''
        OR details_deleted_at IS NOT NULL
      ) NOT VALID,
      ADD CONSTRAINT judgements_details_are_deleted_together CHECK (
        details_deleted_at IS NULL
        OR (report IS NULL AND error IS NULL AND finished_at IS NOT NULL)
      ) NOT VALID;
    CREATE INDEX judgements_with_details ON ${judgements} (finished_at)
      WHERE finished_at IS NOT NULL AND details_deleted_at IS NULL;
  `);
}
