import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * In which round of the queue each client's next judgement has its place, see `queue/queue.ts`. Each enqueue of a
 * client's judgements changes its row, which no index but the key knows of.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE ${tablesOf(knex).queueClients} (
      client text PRIMARY KEY,
      next_round double precision NOT NULL,
      -- What of it the last enqueue took.
      taken_rounds double precision NOT NULL
    ) WITH (fillfactor = 50)
  `);
}
