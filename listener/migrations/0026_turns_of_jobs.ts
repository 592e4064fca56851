import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** Whose turn a judgement that waits for its Job is: a place in a round, as the queue has them. */
export async function up(knex: Knex): Promise<void> {
  const { kubernetesJobs } = tablesOf(knex);
  await knex.raw(`
    -- Both null until a look has given it its place.
    ALTER TABLE ${kubernetesJobs} ADD COLUMN client text, ADD COLUMN round double precision,
      ADD CONSTRAINT kubernetes_jobs_place_is_of_a_client CHECK (round IS NULL OR client IS NOT NULL);
  `);
}
