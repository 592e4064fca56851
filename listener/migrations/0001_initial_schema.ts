import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * The four tables of the listener. What must never be true of a row is refused here, whoever
 * writes it; the names of the constraints appear in PostgreSQL's errors, so they say the rule.
 */
export async function up(knex: Knex): Promise<void> {
  const { mappings, monitoringFiles, snsMessages, runs } = tablesOf(knex);
  await knex.raw(`
    CREATE TABLE ${mappings} (
      name text NOT NULL,
      version integer NOT NULL,
      table_schema jsonb NOT NULL,
      dialect jsonb NOT NULL DEFAULT '{}',
      thresholds jsonb NOT NULL DEFAULT '{}',
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (name, version),
      CONSTRAINT mappings_name_is_an_identifier CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
      CONSTRAINT mappings_version_is_positive CHECK (version > 0),
      CONSTRAINT mappings_table_schema_is_an_object CHECK (jsonb_typeof(table_schema) = 'object'),
      CONSTRAINT mappings_dialect_is_an_object CHECK (jsonb_typeof(dialect) = 'object'),
      CONSTRAINT mappings_thresholds_is_an_object CHECK (jsonb_typeof(thresholds) = 'object')
    );

    CREATE TABLE ${monitoringFiles} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      client text NOT NULL,
      bucket text NOT NULL,
      key_pattern text NOT NULL,
      mapping_name text NOT NULL,
      mapping_version integer NOT NULL,
      active boolean NOT NULL DEFAULT true,
      description text NOT NULL DEFAULT '',
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT monitoring_files_pattern_once UNIQUE (bucket, key_pattern),
      CONSTRAINT monitoring_files_mapping_exists
        FOREIGN KEY (mapping_name, mapping_version) REFERENCES ${mappings} (name, version),
      CONSTRAINT monitoring_files_client_is_named CHECK (client <> ''),
      CONSTRAINT monitoring_files_bucket_is_named CHECK (bucket <> ''),
      CONSTRAINT monitoring_files_pattern_fits_a_key
        CHECK (octet_length(key_pattern) BETWEEN 1 AND 1024)
    );

    CREATE TABLE ${snsMessages} (
      message_id text PRIMARY KEY,
      topic_arn text NOT NULL,
      type text NOT NULL,
      outcome text NOT NULL,
      reason text,
      subject text,
      message text NOT NULL,
      signed_at timestamptz NOT NULL,
      received_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT sns_messages_message_id_is_short CHECK (octet_length(message_id) BETWEEN 1 AND 200),
      CONSTRAINT sns_messages_outcome_fits_the_type CHECK (
        (type = 'Notification' AND outcome IN ('accepted', 'ignored', 'dead'))
        OR (type = 'SubscriptionConfirmation' AND outcome = 'confirmation')
        OR (type = 'UnsubscribeConfirmation' AND outcome = 'unsubscribe')
      ),
      CONSTRAINT sns_messages_has_a_reason CHECK (
        outcome NOT IN ('ignored', 'dead') OR coalesce(reason, '') <> ''
      )
    );
    CREATE INDEX sns_messages_by_outcome ON ${snsMessages} (outcome, received_at DESC);

    CREATE TABLE ${runs} (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      message_id text,
      bucket text NOT NULL,
      key text NOT NULL,
      version_id text,
      e_tag text,
      sequencer text,
      size_bytes bigint,
      event_name text,
      event_time timestamptz,
      aws_region text,
      monitoring_file_id bigint,
      mapping_name text,
      mapping_version integer,
      status text NOT NULL DEFAULT 'queued',
      verdict text,
      row_count bigint,
      byte_count bigint,
      fault_count bigint,
      sha256 text,
      report jsonb,
      error text,
      attempts integer NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL DEFAULT now(),
      started_at timestamptz,
      finished_at timestamptz,
      CONSTRAINT runs_message_exists FOREIGN KEY (message_id) REFERENCES ${snsMessages},
      CONSTRAINT runs_monitoring_file_exists
        FOREIGN KEY (monitoring_file_id) REFERENCES ${monitoringFiles},
      CONSTRAINT runs_mapping_exists
        FOREIGN KEY (mapping_name, mapping_version) REFERENCES ${mappings} (name, version)
        MATCH FULL,
      CONSTRAINT runs_bucket_is_named CHECK (octet_length(bucket) BETWEEN 1 AND 63),
      CONSTRAINT runs_key_is_a_key CHECK (octet_length(key) BETWEEN 1 AND 1024),
      CONSTRAINT runs_identity_is_short CHECK (
        coalesce(octet_length(version_id), 0) <= 1024
        AND coalesce(octet_length(e_tag), 0) <= 256
        AND coalesce(octet_length(sequencer), 0) <= 64
      ),
      CONSTRAINT runs_status_is_known
        CHECK (status IN ('queued', 'running', 'finished', 'gone', 'replaced', 'error')),
      CONSTRAINT runs_verdict_is_known
        CHECK (verdict IN ('passed', 'warned', 'failed', 'unreadable')),
      CONSTRAINT runs_finished_means_a_verdict CHECK ((status = 'finished') = (verdict IS NOT NULL)),
      CONSTRAINT runs_verdict_comes_with_report CHECK (
        (verdict IS NULL) = (report IS NULL)
        AND (verdict IS NULL) = (row_count IS NULL)
        AND (verdict IS NULL) = (byte_count IS NULL)
        AND (verdict IS NULL) = (fault_count IS NULL)
      ),
      CONSTRAINT runs_report_is_an_object CHECK (jsonb_typeof(report) = 'object'),
      CONSTRAINT runs_counts_are_no_less_than_zero CHECK (
        size_bytes >= 0 AND row_count >= 0 AND byte_count >= 0 AND fault_count >= 0 AND attempts >= 0
      ),
      CONSTRAINT runs_sha256_is_hexadecimal CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      CONSTRAINT runs_end_has_a_time
        CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL)),
      CONSTRAINT runs_work_has_a_start CHECK (
        status IN ('queued', 'error') OR (started_at IS NOT NULL AND attempts > 0)
      ),
      CONSTRAINT runs_end_without_verdict_says_why
        CHECK (status NOT IN ('gone', 'replaced', 'error') OR coalesce(error, '') <> ''),
      CONSTRAINT runs_verdict_is_no_error CHECK (verdict IS NULL OR error IS NULL)
    );
    -- NULLs are distinct, so absent parts count as empty: one object, one run.
    CREATE UNIQUE INDEX runs_object_once ON ${runs} (
      bucket, key, coalesce(version_id, e_tag, ''), coalesce(sequencer, '')
    );
    CREATE INDEX runs_by_time ON ${runs} (created_at DESC, id);
    CREATE INDEX runs_by_message ON ${runs} (message_id);
    CREATE INDEX runs_by_mapping ON ${runs} (mapping_name, mapping_version)
      WHERE mapping_name IS NOT NULL;
  `);
}
