import type { Database, Transaction } from './connection.ts';

/** Names of our tables, qualified by their schema, as SQL and knex take them. */
export interface Tables {
  readonly mappings: string;
  readonly monitoringFiles: string;
  /** The table of messages that was there before there was one for each month; one of those of `messages`. */
  readonly snsMessages: string;
  /** Those of SNS, a table for each month. */
  readonly messages: string;
  readonly runs: string;
  readonly judgements: string;
  /** Of judgements, a table for each month. */
  readonly reports: string;
  /** Tables of messages and reports that were taken away for their age. */
  readonly retiredMonths: string;
  readonly signingCertificates: string;
  readonly privacyEvents: string;
  readonly consoleSessions: string;
  readonly referenceKeys: string;
  /** Rule sets that were applied. */
  readonly ruleSets: string;
  /** Another one after each change of mappings or monitored files. */
  readonly ruleRevision: string;
  /** Changes that somebody may have to be told of. */
  readonly notices: string;
  /** The messages that tell of them. */
  readonly noticeMessages: string;
  /** Times at which something is due, with what became of it. */
  readonly periods: string;
  readonly periodChanges: string;
  /** Schedules as the clock of the periods works by them. */
  readonly periodSchedules: string;
  /** Verdicts that the clock has not looked at. */
  readonly periodVerdicts: string;
  readonly periodClock: string;
  /** Judgements that wait for a Kubernetes Job, or have one. */
  readonly kubernetesJobs: string;
  /** What listings of the buckets found. */
  readonly listings: string;
  /** Bucket outages, as each process finds them. */
  readonly bucketOutages: string;
  /** Whose turn it is in the queue of judgements. */
  readonly queueClients: string;
  /** What knex notes of the migrations that ran. */
  readonly migrations: string;
}

/** knex's table in our schema; the one beside it, of its lock, ends in `_lock`. */
export const MIGRATIONS_TABLE = 'migrations';

/**
 * How statements name our tables. All are qualified: the search path belongs to the database's owner,
 * and a pooler hands one session to many clients.
 */
export function tablesOf(database: Database | Transaction): Tables {
  const schema = schemaOf(database);
  return {
    mappings: `${schema}.mappings`,
    monitoringFiles: `${schema}.monitoring_files`,
    snsMessages: `${schema}.sns_messages`,
    messages: `${schema}.messages`,
    runs: `${schema}.runs`,
    judgements: `${schema}.judgements`,
    reports: `${schema}.reports`,
    retiredMonths: `${schema}.retired_months`,
    signingCertificates: `${schema}.signing_certificates`,
    privacyEvents: `${schema}.privacy_events`,
    consoleSessions: `${schema}.console_sessions`,
    referenceKeys: `${schema}.reference_keys`,
    ruleSets: `${schema}.rule_sets`,
    ruleRevision: `${schema}.rule_revision`,
    notices: `${schema}.notices`,
    noticeMessages: `${schema}.notice_messages`,
    periods: `${schema}.periods`,
    periodChanges: `${schema}.period_changes`,
    periodSchedules: `${schema}.period_schedules`,
    periodVerdicts: `${schema}.period_verdicts`,
    periodClock: `${schema}.period_clock`,
    kubernetesJobs: `${schema}.kubernetes_jobs`,
    listings: `${schema}.listings`,
    bucketOutages: `${schema}.bucket_outages`,
    queueClients: `${schema}.queue_clients`,
    migrations: `${schema}.${MIGRATIONS_TABLE}`,
  };
}

/** Schema of pg-boss's tables, beside ours. */
export function queueSchemaOf(database: Database | Transaction): string {
  return `${schemaOf(database)}_queue`;
}

/** The schema of our tables; needs no quotes in SQL. */
export function schemaOf(database: Database | Transaction): string {
  return database.client.config.userParams.schema;
}
