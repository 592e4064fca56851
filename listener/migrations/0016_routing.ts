import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** What is done with a file once it has a verdict: what the rules say, and of each judgement what was begun and done. */
export async function up(knex: Knex): Promise<void> {
  const { judgements, monitoringFiles } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${monitoringFiles}
      ADD COLUMN on_verdict jsonb,
      ADD CONSTRAINT monitoring_files_on_verdict_is_an_object
        CHECK (jsonb_typeof(on_verdict) = 'object');

    ALTER TABLE ${judgements}
      -- The acts, each with its outcome once it has one; recorded before the first of them is begun.
      ADD COLUMN routing jsonb,
      -- When all of them had an outcome.
      ADD COLUMN routed_at timestamptz,
      ADD CONSTRAINT judgements_routing_is_a_list CHECK (jsonb_typeof(routing) = 'array'),
      ADD CONSTRAINT judgements_routed_say_how CHECK (routed_at IS NULL OR routing IS NOT NULL);
  `);
}
