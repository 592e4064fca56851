import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** What is done in the console is recorded beside what commands do with values. */
export async function up(knex: Knex): Promise<void> {
  const { privacyEvents } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${privacyEvents}
      ADD COLUMN via text NOT NULL DEFAULT 'command'
        CONSTRAINT privacy_events_way_is_known CHECK (via IN ('command', 'console')),
      DROP CONSTRAINT privacy_events_act_is_known,
      ADD CONSTRAINT privacy_events_act_is_known
        CHECK (act IN ('reveal', 'forget', 'retry', 'rejudge', 'discard'));
  `);
}
