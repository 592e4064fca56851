import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** The trace that each judgement is part of, for whoever looks from a verdict to what led to it. */
export async function up(knex: Knex): Promise<void> {
  const { judgements } = tablesOf(knex);
  await knex.raw(`
    -- W3C traceparent of the last attempt; null where none was recorded.
    ALTER TABLE ${judgements} ADD COLUMN traceparent text;
  `);
}
