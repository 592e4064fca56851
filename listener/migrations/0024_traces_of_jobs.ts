import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** The trace that goes on in the Job of a judgement, and in what is left to do after its verdict. */
export async function up(knex: Knex): Promise<void> {
  const { kubernetesJobs } = tablesOf(knex);
  await knex.raw(`
    -- W3C traceparent of the work that has kept the judgement for a Job; null where no traces are made.
    ALTER TABLE ${kubernetesJobs} ADD COLUMN traceparent text;
  `);
}
