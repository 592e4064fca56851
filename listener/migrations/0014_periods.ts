import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Periods in which something is due, their states and how these changed; what the clock knows of each schedule, and which
 * verdicts it has not looked at yet: they are noted by the statement that records a verdict, so that none is missed.
 */
export async function up(knex: Knex): Promise<void> {
  const { judgements, monitoringFiles, periods, periodChanges, periodClock } = tablesOf(knex);
  const { periodSchedules, periodVerdicts } = tablesOf(knex);
  await knex.raw(`
    CREATE TABLE ${periods} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      client text NOT NULL,
      -- Null for the period of a set.
      monitoring_file_id bigint,
      -- Its own, or the one that the file belongs to.
      set_name text,
      name text NOT NULL,
      starts_at timestamptz NOT NULL,
      ends_at timestamptz NOT NULL,
      opens_at timestamptz NOT NULL,
      closes_at timestamptz NOT NULL,
      due_at timestamptz NOT NULL,
      missing_at timestamptz NOT NULL,
      time_zone text NOT NULL,
      state text NOT NULL DEFAULT 'expected',
      verdict text,
      -- The delivery that counts. No foreign key: a verdict waits for no lock of the clock.
      run_id uuid,
      number integer,
      delivered_at timestamptz,
      changed_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT periods_monitoring_file_exists
        FOREIGN KEY (monitoring_file_id) REFERENCES ${monitoringFiles},
      CONSTRAINT periods_are_of_a_file_or_a_set
        CHECK (monitoring_file_id IS NOT NULL OR set_name IS NOT NULL),
      CONSTRAINT periods_due_time_once UNIQUE (monitoring_file_id, due_at),
      CONSTRAINT periods_state_is_known CHECK (
        state IN ('expected', 'late', 'missing', 'received', 'recovered', 'corrected')
      ),
      CONSTRAINT periods_verdict_is_known
        CHECK (verdict IN ('passed', 'warned', 'failed', 'unreadable')),
      CONSTRAINT periods_what_came_has_a_verdict
        CHECK ((state IN ('expected', 'late', 'missing')) = (verdict IS NULL)),
      CONSTRAINT periods_times_follow_each_other CHECK (
        opens_at <= due_at AND due_at <= missing_at AND due_at < closes_at AND starts_at <= ends_at
      )
    );
    CREATE UNIQUE INDEX periods_of_a_set_once ON ${periods} (client, set_name, due_at)
      WHERE monitoring_file_id IS NULL;
    CREATE INDEX periods_by_due_time ON ${periods} (due_at DESC, id DESC);
    CREATE INDEX periods_of_sets ON ${periods} (client, set_name, due_at) WHERE set_name IS NOT NULL;
    CREATE INDEX periods_by_run ON ${periods} (run_id) WHERE run_id IS NOT NULL;
    CREATE INDEX periods_open ON ${periods} (monitoring_file_id) WHERE state IN ('expected', 'late');
    CREATE INDEX periods_absent ON ${periods} (state, closes_at) WHERE state IN ('late', 'missing');

    CREATE TABLE ${periodChanges} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      period_id bigint NOT NULL REFERENCES ${periods},
      from_state text NOT NULL,
      to_state text NOT NULL,
      verdict text,
      run_id uuid,
      number integer,
      -- When it came about, and when the clock saw it.
      at timestamptz NOT NULL,
      recorded_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX period_changes_by_period ON ${periodChanges} (period_id, id);

    CREATE TABLE ${periodSchedules} (
      monitoring_file_id bigint PRIMARY KEY REFERENCES ${monitoringFiles},
      schedule jsonb NOT NULL,
      -- Periods that were due before are none of it.
      since timestamptz NOT NULL,
      -- When there is something to do; the clock looks at the others not at all.
      next_at timestamptz NOT NULL
    );
    CREATE INDEX period_schedules_by_time ON ${periodSchedules} (next_at);

    CREATE TABLE ${periodVerdicts} (
      run_id uuid NOT NULL,
      number integer NOT NULL,
      PRIMARY KEY (run_id, number)
    );

    CREATE TABLE ${periodClock} (
      only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
      looked_at timestamptz NOT NULL,
      -- When it went on after it had not looked for a while.
      resumed_at timestamptz NOT NULL,
      -- When verdicts are next looked for that nobody noted.
      next_sweep_at timestamptz NOT NULL
    );

    CREATE INDEX judgements_by_monitoring_file ON ${judgements} (monitoring_file_id, finished_at)
      WHERE monitoring_file_id IS NOT NULL;
  `);
}
