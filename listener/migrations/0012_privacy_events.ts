import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/** Who saw what reports withhold, and who had values forgotten; and of which judgements they are. */
export async function up(knex: Knex): Promise<void> {
  const { judgements, privacyEvents } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${judgements} ADD COLUMN forgotten_at timestamptz;
    CREATE TABLE ${privacyEvents} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT now(),
      act text NOT NULL CONSTRAINT privacy_events_act_is_known CHECK (act IN ('reveal', 'forget')),
      actor text NOT NULL CONSTRAINT privacy_events_somebody_acts CHECK (actor <> ''),
      database_role text NOT NULL DEFAULT session_user,
      reason text NOT NULL CONSTRAINT privacy_events_say_why CHECK (reason <> ''),
      subject jsonb NOT NULL
    );
  `);
}
