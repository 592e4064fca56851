import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * What an operator decided about a message that could not be read, and about a judgement whose
 * attempts were used up; and the indexes by which runs are listed. `runs_by_verdict` leaves out the
 * verdict that most runs have, which the index by time finds as fast.
 */
export async function up(knex: Knex): Promise<void> {
  const { snsMessages, runs, judgements } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${snsMessages} ADD COLUMN settled_at timestamptz, ADD COLUMN settled_reason text;
    ALTER TABLE ${judgements} ADD COLUMN settled_at timestamptz, ADD COLUMN settled_reason text;
    -- NOT VALID leaves out the scan of what is there: the new columns are null in every row.
    ALTER TABLE ${snsMessages} ADD CONSTRAINT sns_messages_settled_says_why CHECK (
      (settled_at IS NULL) = (settled_reason IS NULL) AND settled_reason <> ''
    ) NOT VALID;
    ALTER TABLE ${judgements} ADD CONSTRAINT judgements_settled_says_why CHECK (
      (settled_at IS NULL) = (settled_reason IS NULL) AND settled_reason <> ''
    ) NOT VALID;

    CREATE INDEX runs_by_verdict ON ${runs} (verdict, created_at DESC) WHERE verdict <> 'passed';

    -- Whether the verdict that stands was made without a mapping.
    ALTER TABLE ${runs} ADD COLUMN unmonitored boolean NOT NULL DEFAULT false;
    UPDATE ${runs} AS run SET unmonitored = true
    FROM ${judgements} AS judgement
    WHERE judgement.run_id = run.id AND judgement.number = run.verdict_number
      AND judgement.mapping_name IS NULL;
    CREATE INDEX runs_unmonitored ON ${runs} (created_at DESC, id) WHERE unmonitored;
  `);
}
