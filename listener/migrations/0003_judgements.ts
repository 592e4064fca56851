import type { Knex } from 'knex';
import { tablesOf } from '../src/database/tables.ts';

/**
 * Parts an object version, which is one row for good, from its judgements, of which it may have any
 * number: a verdict is never written over. What was one row of `runs` becomes the run and its first
 * judgement.
 *
 * The table is made anew, since every row changes: copying it is faster than an update, and leaves no
 * dead rows. The intake waits meanwhile; SNS and SQS keep what comes.
 */
export async function up(knex: Knex): Promise<void> {
  const { runs, judgements, monitoringFiles, mappings } = tablesOf(knex);
  await knex.raw(`
    ALTER TABLE ${runs} RENAME TO runs_before_judgements;
    ALTER INDEX ${runs}_pkey RENAME TO runs_before_judgements_pkey;
    DROP INDEX ${runs}_object_once, ${runs}_by_time, ${runs}_by_message, ${runs}_by_mapping;

    CREATE TABLE ${runs} (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      bucket text NOT NULL,
      key text NOT NULL,
      -- What makes it another delivery of the same key.
      identity text NOT NULL,
      version_id text,
      e_tag text,
      sequencer text,
      last_modified timestamptz,
      size_bytes bigint,
      event_name text,
      event_time timestamptz,
      aws_region text,
      -- No foreign key: messages are deleted after a while, runs are not.
      message_id text,
      created_at timestamptz NOT NULL DEFAULT now(),
      status text NOT NULL DEFAULT 'pending',
      last_number integer NOT NULL DEFAULT 1,
      verdict text,
      verdict_number integer,
      verdict_at timestamptz,
      CONSTRAINT runs_bucket_is_named CHECK (octet_length(bucket) BETWEEN 1 AND 63),
      CONSTRAINT runs_key_is_a_key CHECK (octet_length(key) BETWEEN 1 AND 1024),
      CONSTRAINT runs_identity_is_short CHECK (
        octet_length(identity) BETWEEN 1 AND 1200
        AND coalesce(octet_length(version_id), 0) <= 1024
        AND coalesce(octet_length(e_tag), 0) <= 256
        AND coalesce(octet_length(sequencer), 0) <= 64
      ),
      CONSTRAINT runs_size_is_no_less_than_zero CHECK (size_bytes >= 0),
      CONSTRAINT runs_status_is_known
        CHECK (status IN ('pending', 'finished', 'gone', 'replaced', 'error')),
      CONSTRAINT runs_verdict_is_known
        CHECK (verdict IN ('passed', 'warned', 'failed', 'unreadable')),
      CONSTRAINT runs_finished_means_a_verdict CHECK (status <> 'finished' OR verdict IS NOT NULL),
      CONSTRAINT runs_verdict_is_of_a_judgement CHECK (
        (verdict IS NULL) = (verdict_number IS NULL)
        AND (verdict IS NULL) = (verdict_at IS NULL)
        AND verdict_number BETWEEN 1 AND last_number
      ),
      CONSTRAINT runs_last_number_is_positive CHECK (last_number > 0)
    );

    CREATE TABLE ${judgements} (
      run_id uuid NOT NULL,
      number integer NOT NULL,
      asked_by text NOT NULL,
      reason text,
      invocation text,
      job_id uuid NOT NULL DEFAULT gen_random_uuid(),
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
      report_key text,
      error text,
      -- Also the fencing number: who began an attempt may end it as long as no other was begun.
      attempts integer NOT NULL DEFAULT 0,
      heartbeat_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      started_at timestamptz,
      finished_at timestamptz,
      PRIMARY KEY (run_id, number),
      CONSTRAINT judgements_run_exists FOREIGN KEY (run_id) REFERENCES ${runs},
      CONSTRAINT judgements_monitoring_file_exists
        FOREIGN KEY (monitoring_file_id) REFERENCES ${monitoringFiles},
      CONSTRAINT judgements_mapping_exists
        FOREIGN KEY (mapping_name, mapping_version) REFERENCES ${mappings} (name, version)
        MATCH FULL,
      CONSTRAINT judgements_number_is_positive CHECK (number > 0),
      CONSTRAINT judgements_asked_by_is_known
        CHECK (asked_by IN ('message', 'worker', 'operator', 'backfill', 'rule_change')),
      CONSTRAINT judgements_status_is_known
        CHECK (status IN ('queued', 'running', 'finished', 'gone', 'replaced', 'error')),
      CONSTRAINT judgements_verdict_is_known
        CHECK (verdict IN ('passed', 'warned', 'failed', 'unreadable')),
      CONSTRAINT judgements_finished_means_a_verdict
        CHECK ((status = 'finished') = (verdict IS NOT NULL)),
      CONSTRAINT judgements_verdict_comes_with_counts CHECK (
        (verdict IS NULL) = (row_count IS NULL)
        AND (verdict IS NULL) = (byte_count IS NULL)
        AND (verdict IS NULL) = (fault_count IS NULL)
      ),
      -- The report itself is deleted after a while, the verdict is not.
      CONSTRAINT judgements_report_is_of_a_verdict
        CHECK ((report IS NULL AND report_key IS NULL) OR verdict IS NOT NULL),
      CONSTRAINT judgements_report_is_an_object CHECK (jsonb_typeof(report) = 'object'),
      CONSTRAINT judgements_report_key_is_a_key
        CHECK (octet_length(report_key) BETWEEN 1 AND 1024),
      CONSTRAINT judgements_counts_are_no_less_than_zero CHECK (
        row_count >= 0 AND byte_count >= 0 AND fault_count >= 0 AND attempts >= 0
      ),
      CONSTRAINT judgements_sha256_is_hexadecimal CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      CONSTRAINT judgements_end_has_a_time
        CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL)),
      CONSTRAINT judgements_work_has_a_start CHECK (
        status IN ('queued', 'error') OR (started_at IS NOT NULL AND attempts > 0)
      ),
      CONSTRAINT judgements_running_has_a_heartbeat
        CHECK (status <> 'running' OR heartbeat_at IS NOT NULL),
      CONSTRAINT judgements_end_without_verdict_says_why
        CHECK (status NOT IN ('gone', 'replaced', 'error') OR coalesce(error, '') <> ''),
      CONSTRAINT judgements_verdict_is_no_error CHECK (verdict IS NULL OR error IS NULL)
    );

    INSERT INTO ${runs} (
      id, bucket, key, identity, version_id, e_tag, sequencer, size_bytes, event_name, event_time,
      aws_region, message_id, created_at, status, verdict, verdict_number, verdict_at
    )
    SELECT id, bucket, key,
      -- Two runs of one version, as its sequencer counted as well: both are kept.
      CASE row_number() OVER (PARTITION BY bucket, key, identity ORDER BY created_at, id)
        WHEN 1 THEN identity ELSE identity || ' run ' || id END,
      version_id, e_tag, sequencer, size_bytes, event_name, event_time, aws_region, message_id,
      created_at, CASE WHEN status IN ('queued', 'running') THEN 'pending' ELSE status END,
      verdict, CASE WHEN verdict IS NOT NULL THEN 1 END,
      CASE WHEN verdict IS NOT NULL THEN finished_at END
    FROM (
      SELECT *, CASE
        WHEN coalesce(version_id, '') NOT IN ('', 'null') THEN 'version ' || version_id
        WHEN coalesce(e_tag, sequencer, '') <> ''
          THEN 'etag ' || coalesce(e_tag, '') || ' ' || coalesce(sequencer, '')
        WHEN message_id IS NOT NULL THEN 'message ' || message_id
        ELSE 'invocation ' || id
      END AS identity
      FROM ${runs}_before_judgements
    ) AS before;

    INSERT INTO ${judgements} (
      run_id, number, asked_by, job_id, monitoring_file_id, mapping_name, mapping_version, status,
      verdict, row_count, byte_count, fault_count, sha256, report, report_key, error, attempts,
      created_at, started_at, finished_at
    )
    SELECT id, 1, CASE WHEN message_id IS NULL THEN 'operator' ELSE 'message' END, id,
      monitoring_file_id, mapping_name, mapping_version,
      -- Whoever has it in hand is an older program, which can't end it any more.
      CASE status WHEN 'running' THEN 'queued' ELSE status END,
      verdict, row_count, byte_count, fault_count, sha256, report, report_key, error, attempts,
      created_at, started_at, finished_at
    FROM ${runs}_before_judgements;

    DROP TABLE ${runs}_before_judgements;

    -- The key comes first, by pattern operators: so the same index finds the beginning of a key, whatever the database's
    -- collation is. It is the one that costs intake most, and a second one by the key would cost as much.
    CREATE UNIQUE INDEX runs_object_once ON ${runs} (key text_pattern_ops, bucket, identity);
    CREATE INDEX runs_by_time ON ${runs} (created_at DESC, id);
    CREATE INDEX runs_without_verdict ON ${runs} (status, created_at) WHERE status <> 'finished';
    CREATE INDEX judgements_by_mapping ON ${judgements} (mapping_name, mapping_version)
      WHERE mapping_name IS NOT NULL;
    CREATE INDEX judgements_in_hand ON ${judgements} (heartbeat_at) WHERE status = 'running';
    CREATE UNIQUE INDEX judgements_invocation_once ON ${judgements} (run_id, invocation)
      WHERE invocation IS NOT NULL;
  `);
}
