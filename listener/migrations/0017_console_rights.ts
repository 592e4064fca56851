import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** What is done in the console is recorded beside what commands do with values; and who has signed in to it. */
export async function up(knex: Knex): Promise<void> {
  const { privacyEvents, consoleSessions } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${privacyEvents}
      ADD COLUMN via text NOT NULL DEFAULT 'command'
        CONSTRAINT privacy_events_way_is_known CHECK (via IN ('command', 'console')),
      DROP CONSTRAINT privacy_events_act_is_known,
      ADD CONSTRAINT privacy_events_act_is_known
        CHECK (act IN ('reveal', 'forget', 'retry', 'rejudge', 'discard'));

    CREATE TABLE ${consoleSessions} (
      -- SHA-256 of what its browser keeps, or of a link that begins one: who reads this table gets in nowhere.
      hash bytea PRIMARY KEY,
      kind text NOT NULL CONSTRAINT console_sessions_kind_is_known CHECK (kind IN ('link', 'session')),
      -- The console that it is for.
      place text NOT NULL,
      person jsonb NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now(),
      ends_at timestamptz NOT NULL
    );
    CREATE INDEX console_sessions_ended ON ${consoleSessions} (ends_at);
  `);
}
