import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * The outbox of notices: what changed, recorded in the transaction of the change, and the messages that tell of it. Neither
 * holds a text of a notice: it is made when it is sent. And which judgements are told of to nobody.
 */
export async function up(knex: Knex): Promise<void> {
  const { judgements, monitoringFiles, notices, noticeMessages } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${judgements} ADD COLUMN quiet boolean NOT NULL DEFAULT false;

    CREATE TABLE ${notices} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- Whether somebody has decided who is told of it.
      planned_at timestamptz,
      -- No foreign key: a verdict takes no further lock.
      run_id uuid,
      -- Of the judgement; null for a change of a period.
      number integer,
      -- What is told of it; of a judgement it is worked out when it is planned.
      state text,
      client text,
      monitoring_file_id bigint,
      -- What was due, and when.
      subject text,
      period text,
      due_at timestamptz,
      CONSTRAINT notices_monitoring_file_exists
        FOREIGN KEY (monitoring_file_id) REFERENCES ${monitoringFiles},
      CONSTRAINT notices_are_of_a_judgement_or_a_period CHECK (
        CASE WHEN number IS NULL
          THEN client IS NOT NULL AND subject IS NOT NULL AND period IS NOT NULL
            AND due_at IS NOT NULL AND state IS NOT NULL
          ELSE run_id IS NOT NULL AND period IS NULL
        END
      ),
      CONSTRAINT notices_state_is_known CHECK (
        state IN ('passed', 'warned', 'failed', 'recovered', 'corrected', 'late', 'missing')
      )
    );
    CREATE INDEX notices_to_plan ON ${notices} (id) WHERE planned_at IS NULL;
    -- A change is told once.
    CREATE UNIQUE INDEX notices_judgement_once ON ${notices} (run_id, number) WHERE number IS NOT NULL;
    CREATE UNIQUE INDEX notices_period_once ON ${notices} (client, subject, period, state)
      WHERE period IS NOT NULL AND state <> 'corrected';

    CREATE TABLE ${noticeMessages} (
      -- Also the idempotency key that the message carries.
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      way text NOT NULL,
      -- Topic, address of a webhook, or e-mail address.
      target text NOT NULL,
      notice_ids bigint[] NOT NULL,
      status text NOT NULL DEFAULT 'waiting',
      -- Also the fencing number.
      attempts integer NOT NULL DEFAULT 0,
      next_at timestamptz NOT NULL,
      give_up_at timestamptz NOT NULL,
      created_at timestamptz NOT NULL,
      settled_at timestamptz,
      settled_reason text,
      error text,
      CONSTRAINT notice_messages_way_is_known CHECK (way IN ('sns', 'webhook', 'email')),
      CONSTRAINT notice_messages_status_is_known
        CHECK (status IN ('waiting', 'delivered', 'dead', 'discarded')),
      CONSTRAINT notice_messages_tell_something CHECK (cardinality(notice_ids) > 0),
      CONSTRAINT notice_messages_end_has_a_time
        CHECK ((status = 'waiting') = (settled_at IS NULL))
    );
    CREATE INDEX notice_messages_due ON ${noticeMessages} (way, next_at) WHERE status = 'waiting';
    CREATE INDEX notice_messages_by_time ON ${noticeMessages} (created_at);
    CREATE INDEX notice_messages_dead ON ${noticeMessages} (created_at) WHERE status = 'dead';
    CREATE INDEX notice_messages_by_target ON ${noticeMessages} (target, give_up_at)
      WHERE way = 'email';
    CREATE INDEX notice_messages_by_notice ON ${noticeMessages} USING gin (notice_ids);
  `);
}
