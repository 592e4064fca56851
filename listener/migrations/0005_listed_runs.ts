import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Runs that a listing made and no event has told of yet: intake looks among them before it makes another one, and
 * pays next to nothing as long as there are none.
 */
export async function up(knex: Knex): Promise<void> {
  const { runs } = tablesOf(knex);
  await knex.raw(`
    CREATE INDEX runs_listed ON ${runs} (bucket, key, e_tag) WHERE identity LIKE 'listed %';
  `);
}
