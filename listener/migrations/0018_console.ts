import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * What pages show beside verdicts: how far a judgement in hand has come, what a listing of the buckets found, and which
 * changes of a period a delivery brought about. And a form of theirs that is sent twice acts once.
 */
export async function up(knex: Knex): Promise<void> {
  const { judgements, listings, notices, privacyEvents } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${judgements}
      -- As of the last heartbeat: bytes of the file, and rows of its table.
      ADD COLUMN progress_bytes bigint,
      ADD COLUMN progress_rows bigint;

    CREATE TABLE ${listings} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      ended_at timestamptz NOT NULL DEFAULT now(),
      reason text,
      -- Bucket and prefix of each.
      places jsonb NOT NULL,
      counts jsonb NOT NULL,
      CONSTRAINT listings_places_is_a_list CHECK (jsonb_typeof(places) = 'array'),
      CONSTRAINT listings_counts_is_an_object CHECK (jsonb_typeof(counts) = 'object')
    );

    CREATE INDEX notices_of_periods_by_run ON ${notices} (run_id)
      WHERE number IS NULL AND run_id IS NOT NULL;

    CREATE UNIQUE INDEX privacy_events_form_once ON ${privacyEvents} ((subject ->> 'form'))
      WHERE subject ->> 'form' IS NOT NULL;
  `);
}
