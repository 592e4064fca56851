import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Indexes of what is counted for the metrics, beside `runs_unmonitored`. All are partial: what goes
 * well is in none of them for long, so that a count reads what is wrong and nothing else.
 */
export async function up(knex: Knex): Promise<void> {
  const { snsMessages, runs, judgements } = tablesOf(knex);
  await knex.raw(`
    CREATE INDEX sns_messages_dead ON ${snsMessages} (received_at)
      WHERE outcome = 'dead' AND settled_at IS NULL;
    CREATE INDEX runs_waiting ON ${runs} (created_at)
      WHERE status = 'pending' AND last_number = 1 AND message_id IS NOT NULL;
    CREATE INDEX judgements_waiting ON ${judgements} (created_at)
      WHERE status IN ('queued', 'running') AND asked_by IN ('worker', 'operator');
    CREATE INDEX judgements_without_report ON ${judgements} (finished_at)
      WHERE report IS NOT NULL AND report_key IS NULL;
  `);
}
