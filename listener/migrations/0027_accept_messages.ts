import type { Knex } from 'knex';
import { queueSchemaOf, schemaOf, tablesOf } from '../src/database/tables.ts';

/**
 * Intake as one statement, a function whose plans a session keeps: also behind a pooler, where no statement can be prepared.
 * Planned each time, its statements were two fifths of the database's CPU for a message, and their round trips came on top.
 *
 * All run with the rights of the caller. A plan that is kept was made for the tables as they were: where a nearly empty one
 * is read as a whole, it would still be when a burst has filled it. So the settings of the functions leave indexes alone.
 */
export async function up(knex: Knex): Promise<void> {
  const schema = schemaOf(knex);
  const { messages, runs, queueClients } = tablesOf(knex);
  const queueSchema = queueSchemaOf(knex);
  await knex.raw(`
    -- The round of the queue that is being fetched: that of the job that is fetched next. While none waits, no client is ahead
    -- of another one: then it is the one that begins when all places that were given out are used up.
    CREATE FUNCTION ${schema}.current_round() RETURNS double precision LANGUAGE plpgsql STABLE
      SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
      BEGIN
        RETURN coalesce(
          (SELECT 2147483647 - priority FROM ${queueSchema}.job
           WHERE name = 'runs' AND state < 'active' AND NOT blocked AND priority > 0
           ORDER BY priority DESC LIMIT 1),
          (SELECT ceil(max(next_round)) FROM ${queueClients}),
          0
        );
      END $$;

    -- Takes places for jobs, see queue/queue.ts: of each its client, null for none, and the part of a round that it takes.
    -- Answers their priorities, in the same order.
    CREATE FUNCTION ${schema}.take_places(clients text[], steps double precision[]) RETURNS integer[] LANGUAGE plpgsql AS $$
      DECLARE
        priorities integer[];
      BEGIN
        WITH wanted AS MATERIALIZED (
          SELECT client, step, position, row_number() OVER (PARTITION BY client ORDER BY position) - 1 AS before
          FROM unnest(clients, steps) WITH ORDINALITY AS wanted (client, step, position)
        ), asked AS MATERIALIZED (
          SELECT client, sum(step) AS rounds FROM wanted WHERE client IS NOT NULL GROUP BY client
          HAVING pg_try_advisory_xact_lock(412870933, hashtext('${schema} ' || client))
        ), placed AS (
          INSERT INTO ${queueClients} AS present (client, next_round, taken_rounds)
          SELECT client, current.round + rounds, rounds
          FROM asked, (SELECT ${schema}.current_round() AS round OFFSET 0) AS current
          ON CONFLICT (client) DO UPDATE SET
            next_round = excluded.taken_rounds
              + greatest(present.next_round, excluded.next_round - excluded.taken_rounds),
            taken_rounds = excluded.taken_rounds
          RETURNING client, next_round - taken_rounds AS first
        )
        SELECT array_agg(
          CASE WHEN first IS NULL THEN 0
            -- Three thirds of a round are one, whatever binary fractions make of them.
            ELSE greatest(2147483647 - floor(first + before * step + 1e-6), 1)::integer END ORDER BY position
        ) INTO priorities
        FROM wanted LEFT JOIN placed USING (client);
        RETURN priorities;
      END $$;

    -- Records messages, makes a run for each new object of a new message and a job for each new run. Rows are inserted in an
    -- order that is the same in every transaction, so that two of them which hold the same ones can't wait for each other.
    -- given: messages; named: their objects, of each the id of its run if it has none yet, and what its job holds.
    -- settled: why messages that are dead or ignored are taken anew, null where they are not.
    -- taken: messages that are new, or taken anew; made: runs that are new.
    CREATE FUNCTION ${schema}.accept_messages(given jsonb, named jsonb, settled text, OUT taken text[], OUT made uuid[])
      LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
      #variable_conflict use_column
      DECLARE
        may_be_listed boolean;
      BEGIN
        IF settled IS NOT NULL THEN
          WITH anew AS (
            UPDATE ${messages} AS present
            SET outcome = message.outcome, reason = message.reason, settled_at = now(), settled_reason = settled
            FROM jsonb_to_recordset(given) AS message (message_id text, outcome text, reason text)
            WHERE present.message_id = message.message_id AND present.outcome IN ('dead', 'ignored')
            RETURNING present.message_id
          )
          SELECT array_agg(message_id) INTO taken FROM anew;
        END IF;

        WITH new_messages AS (
          INSERT INTO ${messages} (message_id, topic_arn, type, outcome, reason, subject, message, signed_at)
          SELECT message_id, topic_arn, 'Notification', outcome, reason, subject, message, signed_at
          FROM jsonb_to_recordset(given) AS message (
            message_id text, topic_arn text, outcome text, reason text, subject text, message text, signed_at timestamptz
          )
          ORDER BY message_id COLLATE "C"
          -- Each table has its own key.
          ON CONFLICT DO NOTHING
          RETURNING message_id
        )
        SELECT taken || array_agg(message_id) INTO taken FROM new_messages;

        WITH new_runs AS (
          INSERT INTO ${runs}
            (id, message_id, bucket, key, identity, version_id, e_tag, sequencer, size_bytes, event_name, event_time, aws_region)
          SELECT object.*
          FROM jsonb_to_recordset(named) AS object (
            id uuid, message_id text, bucket text, key text, identity text, version_id text, e_tag text,
            sequencer text, size_bytes bigint, event_name text, event_time timestamptz, aws_region text
          )
          WHERE message_id = ANY (taken)
          ORDER BY bucket COLLATE "C", key COLLATE "C", identity COLLATE "C"
          ON CONFLICT (bucket, key, identity) DO NOTHING
          RETURNING id, bucket, key, e_tag
        )
        SELECT array_agg(id), EXISTS (
          SELECT FROM new_runs JOIN LATERAL (
            SELECT FROM ${runs} AS run
            WHERE identity LIKE 'listed %' AND run.bucket = new_runs.bucket AND run.key = new_runs.key
              AND run.e_tag = new_runs.e_tag
            LIMIT 1
          ) AS listed ON true
        ) INTO made, may_be_listed FROM new_runs;

        -- Takes back new runs of objects that a listing found before: the listing's run takes over what their event says, its
        -- identity as well, so that the same event in another message finds it. Planned each time, as it is rare. The
        -- condition on the times is that of isSameWrite in database/column-values.ts.
        IF may_be_listed THEN
          EXECUTE $adopt$
            WITH pair AS (
              SELECT event.id AS event_id, listed.id AS listed_id,
                abs(extract(epoch FROM listed.last_modified - event.event_time)) AS distance
              FROM ${runs} AS event JOIN ${runs} AS listed
                ON (listed.bucket, listed.key, listed.e_tag) = (event.bucket, event.key, event.e_tag)
                AND listed.identity LIKE 'listed %' AND event.identity LIKE 'etag %'
                AND event.event_time >= listed.last_modified - interval '1 minute'
                AND (event.event_time <= listed.last_modified + interval '1 minute'
                  OR (event.e_tag LIKE '%-%' AND event.event_time <= listed.created_at + interval '1 minute'))
              WHERE event.id = ANY ($1)
            ), nearest AS (
              -- Each event with at most one run, and the other way round.
              SELECT * FROM (
                SELECT DISTINCT ON (listed_id) * FROM (
                  SELECT DISTINCT ON (event_id) * FROM pair ORDER BY event_id, distance, listed_id
                ) AS of_event
                ORDER BY listed_id, distance, event_id
              ) AS of_listed
            ), held AS (
              -- Another message may have been faster.
              SELECT event_id, listed_id FROM ${runs} AS run JOIN nearest ON run.id = listed_id
              WHERE run.identity LIKE 'listed %' ORDER BY listed_id FOR NO KEY UPDATE OF run
            ), taken_back AS (
              DELETE FROM ${runs} AS event USING held WHERE event.id = event_id
              RETURNING listed_id, event.*
            ), adopted AS (
              UPDATE ${runs} AS run
              SET identity = event.identity, sequencer = event.sequencer, event_name = event.event_name,
                event_time = event.event_time, aws_region = event.aws_region, message_id = event.message_id
              FROM taken_back AS event WHERE run.id = listed_id
              RETURNING event.id
            )
            SELECT array_agg(id) FROM unnest($1) AS made (id) WHERE id NOT IN (SELECT id FROM adopted)
          $adopt$ INTO made USING made;
        END IF;

        IF made IS NOT NULL THEN
          -- As pg-boss inserts them; a test compares. The job of a message's judgement has its run's id.
          WITH object AS MATERIALIZED (
            SELECT id, data, client, step
            FROM jsonb_to_recordset(named) AS object (id uuid, data jsonb, client text, step double precision)
            WHERE id = ANY (made)
          ), place AS (
            SELECT ${schema}.take_places(array_agg(client), array_agg(step)) AS priorities, array_agg(id) AS ids FROM object
          ), placed AS MATERIALIZED (
            SELECT placed.id, priority FROM place, unnest(ids, priorities) AS placed (id, priority)
          )
          INSERT INTO ${queueSchema}.job
            (id, name, data, priority, start_after, created_on, keep_until, expire_seconds, deletion_seconds, retry_limit,
             retry_delay, retry_backoff, retry_delay_max, policy, dead_letter, heartbeat_seconds)
          SELECT id, queue.name, data, priority, since, since, since + retention_seconds * interval '1 second', expire_seconds,
            deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max, policy, dead_letter, heartbeat_seconds
          FROM object JOIN placed USING (id), ${queueSchema}.queue AS queue, ${queueSchema}.job_now() AS since
          WHERE queue.name = 'runs';
        END IF;
      END $$;
    REVOKE ALL ON FUNCTION ${schema}.current_round(), ${schema}.take_places(text[], double precision[]),
      ${schema}.accept_messages(jsonb, jsonb, text) FROM PUBLIC;
  `);
}
