import type { Knex } from 'knex';
import { schemaOf, tablesOf } from '../src/database/tables.ts';

/**
 * Messages and reports by month, so that what is too old is dropped with its table. Nothing is copied: `sns_messages`
 * becomes the table of all messages that SNS signed before the month after next, and reports that are there stay in their
 * judgements. So a replica of the version before works on: it takes messages into the table that it knows, whose key says
 * to both versions which are there.
 *
 * Which month a message is of, SNS has signed, and says again with each repetition: so one key for each table is one for
 * all. What fits no month (a time that is made up, or a month that nobody has made) is in the tables that end in `_other`.
 */
export async function up(knex: Knex): Promise<void> {
  const schema = schemaOf(knex);
  const { snsMessages, messages, judgements, reports, retiredMonths } = tablesOf(knex);
  await knex.raw(`
    DO $$
    DECLARE name text;
    BEGIN
      -- What a process that was killed left of its preparation, see database/months.ts.
      FOR name IN SELECT indexrelid::regclass FROM pg_catalog.pg_index
        WHERE indrelid = '${judgements}'::regclass AND NOT indisvalid
      LOOP
        EXECUTE 'DROP INDEX ' || name;
      END LOOP;
    END $$;

    -- When its report was recorded, which says in which month it is; null where there is none, or it is in the row.
    ALTER TABLE ${judgements} ADD COLUMN IF NOT EXISTS reported_at timestamptz;
    ALTER TABLE ${judgements}
      ADD CONSTRAINT judgements_reported_is_of_a_verdict
        CHECK (reported_at IS NULL OR verdict IS NOT NULL) NOT VALID;
    CREATE INDEX IF NOT EXISTS judgements_with_texts ON ${judgements} (finished_at)
      WHERE details_deleted_at IS NULL AND (report IS NOT NULL OR error IS NOT NULL);
    CREATE INDEX IF NOT EXISTS judgements_not_in_bucket ON ${judgements} (finished_at)
      WHERE report_key IS NULL AND (report IS NOT NULL OR reported_at IS NOT NULL);
    DROP INDEX ${schema}.judgements_with_details, ${schema}.judgements_without_report;

    CREATE TABLE ${reports} (
      run_id uuid NOT NULL,
      number integer NOT NULL,
      -- That of its judgement.
      recorded_at timestamptz NOT NULL,
      report jsonb NOT NULL,
      withheld jsonb,
      PRIMARY KEY (run_id, number, recorded_at),
      CONSTRAINT reports_report_is_an_object CHECK (jsonb_typeof(report) = 'object')
    ) PARTITION BY RANGE (recorded_at);
    CREATE TABLE ${reports}_other PARTITION OF ${reports} DEFAULT;

    -- Rules and keys are those of its tables: they must be there already where a large one is attached.
    CREATE TABLE ${messages} (LIKE ${snsMessages} INCLUDING DEFAULTS) PARTITION BY RANGE (signed_at);
    CREATE INDEX messages_by_outcome ON ${messages} (outcome, received_at DESC);
    CREATE INDEX messages_dead ON ${messages} (received_at)
      WHERE outcome = 'dead' AND settled_at IS NULL;
    CREATE TABLE ${messages}_other (LIKE ${snsMessages} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    ALTER TABLE ${messages}_other DROP CONSTRAINT IF EXISTS sns_messages_before_months,
      ADD PRIMARY KEY (message_id);
    DO $$
    BEGIN
      EXECUTE format(
        'ALTER TABLE ${messages} ATTACH PARTITION ${snsMessages} FOR VALUES FROM (MINVALUE) TO (%L)',
        (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months') AT TIME ZONE 'UTC'
      );
    END $$;
    ALTER TABLE ${snsMessages} DROP CONSTRAINT IF EXISTS sns_messages_before_months;
    ALTER TABLE ${messages} ATTACH PARTITION ${messages}_other DEFAULT;

    -- Tables that were taken away for their age.
    CREATE TABLE ${retiredMonths} (
      parent text NOT NULL,
      name text NOT NULL,
      starts timestamptz NOT NULL,
      ends timestamptz NOT NULL,
      retired_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (parent, name)
    );

    -- The tables of messages and reports; both times are null for what fits no month.
    CREATE FUNCTION ${schema}.months() RETURNS TABLE
      (parent text, name text, starts timestamptz, ends timestamptz)
      LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'UTC' AS $$
        SELECT parent.relname, month.relname,
          CASE WHEN bounds LIKE 'FOR VALUES FROM (MINVALUE)%' THEN '-infinity'
            ELSE substring(bounds FROM 'FROM [(]''([^'']+)''[)]')::timestamptz END,
          substring(bounds FROM 'TO [(]''([^'']+)''[)]')::timestamptz
        FROM pg_inherits
        JOIN pg_class AS parent ON parent.oid = inhparent
        JOIN pg_class AS month ON month.oid = inhrelid
        CROSS JOIN pg_get_expr(month.relpartbound, month.oid) AS bounds
        WHERE inhparent IN ('${messages}'::regclass, '${reports}'::regclass)
      $$;

    -- The listener, which may make and drop no table, may do so with these, by their owner's rights. Each waits 30 ms for
    -- each of the three tables at most: whoever comes meanwhile waits behind it.
    CREATE FUNCTION ${schema}.make_month(parent text, month date) RETURNS boolean
      LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp SET lock_timeout = '30ms' SET timezone = 'UTC' AS $$
      DECLARE
        since timestamptz := date_trunc('month', month::timestamp);
        until timestamptz := date_trunc('month', month::timestamp) + interval '1 month';
        name text := parent || to_char(month, '_YYYY_MM');
      BEGIN
        IF parent NOT IN ('messages', 'reports') OR until <= now() OR since > now() + interval '1 year' THEN
          RAISE invalid_parameter_value USING MESSAGE =
            'a month of messages or reports, of those of the next twelve that are not over';
        END IF;
        IF NOT pg_try_advisory_xact_lock(412870936, hashtext('${schema}')) OR EXISTS (
          SELECT FROM ${schema}.months() AS made
          WHERE made.parent = make_month.parent AND made.starts < until AND made.ends > since
        ) THEN
          RETURN false;
        END IF;
        EXECUTE format('CREATE TABLE ${schema}.%I (LIKE ${schema}.%I INCLUDING ALL)', name, parent || '_other');
        EXECUTE format('ALTER TABLE ${schema}.%I ATTACH PARTITION ${schema}.%I FOR VALUES FROM (%L) TO (%L)',
          parent, name, since, until);
        RETURN true;
      EXCEPTION WHEN check_violation THEN
        -- The month has begun without its table, and its rows stay where they are.
        RETURN false;
      END $$;

    CREATE FUNCTION ${schema}.retire_month(parent text, name text) RETURNS boolean
      LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp SET lock_timeout = '30ms' SET timezone = 'UTC' AS $$
      BEGIN
        IF NOT pg_try_advisory_xact_lock(412870936, hashtext('${schema}')) THEN
          RETURN false;
        END IF;
        INSERT INTO ${retiredMonths} (parent, name, starts, ends)
        SELECT month.parent, month.name, month.starts, month.ends FROM ${schema}.months() AS month
        WHERE month.parent = retire_month.parent AND month.name = retire_month.name
          AND month.ends <= now() - interval '14 days';
        IF NOT FOUND THEN
          RETURN false;
        END IF;
        EXECUTE format('ALTER TABLE ${schema}.%I DETACH PARTITION ${schema}.%I', parent, name);
        RETURN true;
      END $$;

    CREATE FUNCTION ${schema}.drop_retired_months() RETURNS integer
      LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp SET lock_timeout = '30ms' AS $$
      DECLARE
        month name;
        dropped integer := 0;
      BEGIN
        IF NOT pg_try_advisory_xact_lock(412870936, hashtext('${schema}')) THEN
          RETURN 0;
        END IF;
        FOR month IN
          SELECT relname FROM pg_class JOIN ${retiredMonths} AS retired ON retired.name = relname
          WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' AND NOT relispartition
        LOOP
          EXECUTE format('DROP TABLE ${schema}.%I', month);
          dropped := dropped + 1;
        END LOOP;
        RETURN dropped;
      END $$;
    REVOKE ALL ON FUNCTION ${schema}.months(), ${schema}.make_month(text, date),
      ${schema}.retire_month(text, text), ${schema}.drop_retired_months() FROM PUBLIC;

    DO $$
    BEGIN
      FOR ahead IN 0..3 LOOP
        PERFORM ${schema}.make_month(parent, ((now() AT TIME ZONE 'UTC')::date + make_interval(months => ahead))::date)
        FROM unnest(ARRAY['messages', 'reports']) AS parent;
      END LOOP;
    END $$;
  `);
}
