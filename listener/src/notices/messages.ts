import { storableText } from '../database/column-values.ts';
import type { Database, Transaction } from '../database/connection.ts';
import { REPORT_COLUMNS, verdictBefore } from '../database/judgements.ts';
import { tablesOf } from '../database/tables.ts';
import { type ReportForm, reportKey } from '../jobs/write-report.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { storedReport } from '../privacy/withhold.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { findingsOf, type Notice, shownFindings, TOLD_IN_FULL } from './notice.ts';
import { GIVE_UP_MS, LEASE_MS, RefusedError, type Way, waitAfter } from './policy.ts';

/** A message in hand: one attempt to deliver it. */
export interface HeldMessage {
  /** Also its idempotency key. */
  readonly id: string;
  readonly way: Way;
  readonly target: string;
  readonly noticeIds: readonly number[];
  /** This one included; also the fencing number. */
  readonly attempts: number;
}

/**
 * Takes messages of a way that are due. Whoever dies with one loses it after a minute; nobody else is given it before.
 *
 * @param target only those to it. @default any
 */
export async function claimMessages(
  database: Database,
  { way, target }: { readonly way: Way; readonly target?: string },
  now: Date,
  limit: number,
): Promise<readonly HeldMessage[]> {
  const { noticeMessages } = tablesOf(database);
  const { rows } = await database.raw<{ rows: HeldMessage[] }>(
    `UPDATE ${noticeMessages} SET attempts = attempts + 1, next_at = ?
     WHERE id IN (
       SELECT id FROM ${noticeMessages}
       WHERE status = 'waiting' AND way = ? AND target = coalesce(?, target) AND next_at <= ?
       ORDER BY next_at LIMIT ? FOR UPDATE SKIP LOCKED
     )
     RETURNING id, way, target, notice_ids AS "noticeIds", attempts`,
    [new Date(now.getTime() + LEASE_MS), way, target ?? null, now, limit],
  );
  return rows.map((row) => ({ ...row, noticeIds: row.noticeIds.map(Number) }));
}

/** How an attempt ended. */
export type Attempted = 'delivered' | 'failed' | 'dead' | 'lost';

/**
 * Notes how an attempt ended: `failed` is tried again, `dead` waits for an operator.
 *
 * @param error undefined where the message was delivered
 * @returns `lost` where another attempt was begun meanwhile, and nothing was changed
 */
export async function settleMessage(
  database: Database,
  { id, attempts }: Pick<HeldMessage, 'id' | 'attempts'>,
  error: Error | undefined,
  now: Date,
): Promise<Attempted> {
  const nextAt = new Date(now.getTime() + waitAfter(attempts));
  const isDead = error instanceof RefusedError;
  const ended = error === undefined ? 'delivered' : 'dead';
  const text = error === undefined ? null : shortError(error);
  const { rows } = await database.raw<{ rows: { status: string }[] }>(
    `UPDATE ${tablesOf(database).noticeMessages} SET
       status = CASE WHEN ? OR give_up_at <= ? THEN ? ELSE status END,
       settled_at = CASE WHEN ? OR give_up_at <= ? THEN ?::timestamptz END,
       next_at = ?, error = ?
     WHERE id = ? AND attempts = ? AND status = 'waiting' RETURNING status`,
    [
      ...[error === undefined || isDead, now, ended],
      ...[error === undefined || isDead, now, now],
      ...[nextAt, text, id, attempts],
    ],
  );
  const [row] = rows;
  if (row === undefined) return 'lost';
  return row.status === 'waiting' ? 'failed' : (row.status as 'delivered' | 'dead');
}

/** Ends a message in hand that says nothing any more. Nothing happens where another attempt was begun meanwhile. */
export async function withdrawMessage(
  database: Database,
  { id, attempts }: Pick<HeldMessage, 'id' | 'attempts'>,
  now: Date,
): Promise<void> {
  await database(tablesOf(database).noticeMessages)
    .where({ id, attempts, status: 'waiting' })
    .update({ status: 'discarded', settled_at: now, settled_reason: 'what it asks for has come' });
}

/** An answer of a server may be a page. */
const LONGEST_ERROR = 300;

function shortError({ message }: Error): string {
  return storableText(message).slice(0, LONGEST_ERROR) || 'no reason given';
}

/**
 * Ends messages that nobody delivers any more, since their way or target was taken out of the settings or every process
 * died with them.
 *
 * @returns how many
 */
export async function endAbandonedMessages(database: Database, now: Date): Promise<number> {
  return database(tablesOf(database).noticeMessages)
    .where({ status: 'waiting' })
    .where('give_up_at', '<', new Date(now.getTime() - 2 * LEASE_MS))
    .where('next_at', '<', new Date(now.getTime() - LEASE_MS))
    .update({
      status: 'dead',
      settled_at: now,
      error: database.raw(`coalesce(error, 'nobody has tried to deliver it')`),
    });
}

interface NoticeRow {
  readonly created_at: Date;
  readonly state: Notice['data']['state'];
  readonly client: string | null;
  readonly subject: string | null;
  readonly period: string | null;
  readonly due_at: Date | null;
  readonly run_id: string | null;
  readonly number: number | null;
  readonly verdict: Notice['data']['verdict'];
  readonly previous: Notice['data']['verdict'];
  readonly finished_at: Date | null;
  readonly mapping_name: string | null;
  readonly mapping_version: number | null;
  readonly report: Readonly<Record<string, unknown>> | null;
  readonly withheld: Parameters<typeof storedReport>[0]['withheld'];
  readonly report_key: string | null;
  readonly traceparent: string | null;
  readonly bucket: string | null;
  readonly key: string | null;
  readonly version_id: string | null;
  readonly schedule: Schedule | null;
  /** Whether what was due has a verdict by now. */
  readonly has_come: boolean;
}

/** What a message says, as the database has it now. */
export interface MessageContent {
  readonly notices: readonly Notice[];
  /** Changes beyond those that are told in full. */
  readonly untold: number;
  /** Whether all that it would ask for has come meanwhile. */
  readonly isPast: boolean;
  /** W3C `traceparent`s of the judgements that they are of, as far as traces were recorded. */
  readonly traceparents: readonly string[];
}

/**
 * Makes what a message says, from what the database holds: nothing of it is kept. It has no text of a file; the reports
 * that it is made from are the protected ones.
 *
 * @param reports where reports are written; undefined where none are
 */
export async function contentOf(
  database: Database,
  { id, way, noticeIds }: Pick<HeldMessage, 'id' | 'way' | 'noticeIds'>,
  reports: Pick<ReportForm, 'prefix'> | undefined,
): Promise<MessageContent> {
  const tables = tablesOf(database);
  const { notices, judgements, reports: stored, runs, monitoringFiles, periods } = tables;
  const { rows } = await database.raw<{ rows: NoticeRow[] }>(
    `SELECT notice.*, period.verdict IS NOT NULL AS has_come, judgement.verdict,
       judgement.finished_at, judgement.mapping_name,
       judgement.mapping_version, judgement.report_key, ${REPORT_COLUMNS},
       judgement.traceparent, run.bucket, run.key, run.version_id, file.schedule,
       coalesce(notice.client, file.client) AS client, previous.verdict AS previous
     FROM ${notices} AS notice
     LEFT JOIN ${judgements} AS judgement
       ON judgement.run_id = notice.run_id AND judgement.number = notice.number
     LEFT JOIN ${stored} AS stored
       ON (stored.run_id, stored.number, stored.recorded_at)
         = (judgement.run_id, judgement.number, judgement.reported_at)
     LEFT JOIN ${runs} AS run ON run.id = notice.run_id
     LEFT JOIN ${monitoringFiles} AS file
       ON file.id = coalesce(notice.monitoring_file_id, judgement.monitoring_file_id)
     LEFT JOIN ${periods} AS period ON period.due_at = notice.due_at AND (
       period.monitoring_file_id = notice.monitoring_file_id
       OR notice.monitoring_file_id IS NULL AND period.monitoring_file_id IS NULL
         AND (period.client, period.set_name) = (notice.client, notice.subject)
     )
     LEFT JOIN LATERAL ${verdictBefore(judgements)} AS previous ON true
     WHERE notice.id = ANY (?::bigint[]) ORDER BY notice.id LIMIT ?`,
    [[...noticeIds], TOLD_IN_FULL],
  );
  // A program gets each change as it was; a person is not asked for what has come.
  const told = way === 'email' ? withoutWhatCame(rows) : rows;
  return {
    notices: told.map((row) => noticeOf(id, row, reports)),
    isPast: told.length === 0 && rows.length > 0,
    untold: Math.max(0, noticeIds.length - rows.length),
    traceparents: rows.flatMap(({ traceparent }) => traceparent ?? []),
  };
}

/** What has a verdict by now, or came by what the same digest says, is not asked for any more. */
function withoutWhatCame(rows: readonly NoticeRow[]): readonly NoticeRow[] {
  const came = (row: NoticeRow, later: NoticeRow) =>
    (later.state === 'recovered' || later.state === 'corrected') &&
    later.period === row.period &&
    later.subject === row.subject &&
    later.client === row.client;
  return rows.filter(
    (row, index) =>
      row.period === null ||
      (row.state !== 'late' && row.state !== 'missing') ||
      !(row.has_come || rows.slice(index + 1).some((later) => came(row, later))),
  );
}

function noticeOf(
  id: string,
  row: NoticeRow,
  reports: Pick<ReportForm, 'prefix'> | undefined,
): Notice {
  const { state, client, run_id, number, bucket, key, mapping_name, mapping_version } = row;
  const report = storedReport(row, shownClasses(PLACES.notice));
  const place = placeOfReport(row, reports);
  return {
    version: 1,
    id,
    type: `delivery.${state}`,
    timestamp: (row.finished_at ?? row.created_at).toISOString(),
    data: {
      state,
      verdict: row.verdict,
      previousVerdict: row.previous,
      client,
      mapping:
        mapping_name === null || mapping_version === null
          ? null
          : { name: mapping_name, version: mapping_version },
      object: bucket === null || key === null ? null : { bucket, key, versionId: row.version_id },
      period:
        row.period === null || row.subject === null || row.due_at === null
          ? null
          : {
              subject: row.subject,
              name: row.period,
              dueAt: row.due_at.toISOString(),
              timeZone: row.schedule?.timeZone ?? 'UTC',
            },
      run: run_id === null || number === null ? null : { id: run_id, judgement: number },
      counts:
        report === null
          ? null
          : { rows: report.rows, faultyRows: report.faultyRows, faults: report.faultCount },
      ...shownFindings(report === null ? [] : findingsOf(report)),
      diagnoses: (report?.diagnoses ?? []).map(({ kind, sentence, remedy }) => ({
        ...{ kind, sentence, remedy },
      })),
      report: place,
    },
  };
}

/** It is written after the verdict, to a key that is known before. */
function placeOfReport(
  { bucket, key, run_id, number, report_key }: NoticeRow,
  reports: Pick<ReportForm, 'prefix'> | undefined,
): Notice['data']['report'] {
  if (bucket === null || key === null || run_id === null || number === null) return null;
  if (report_key !== null) return { bucket, key: report_key };
  if (reports === undefined) return null;
  const judgement = { runId: run_id, number };
  return { bucket, key: reportKey({ prefix: reports.prefix, objectKey: key, judgement }) };
}

/** A message that could not be delivered. */
export interface DeadMessage {
  readonly id: string;
  readonly way: Way;
  readonly target: string;
  readonly createdAt: Date;
  readonly attempts: number;
  readonly changes: number;
  readonly error: string | null;
}

/** Which dead messages. */
export interface DeadMessageFilter {
  readonly since?: Date;
  readonly until?: Date;
  /** Those after it, in the order of the list. */
  readonly after?: string;
}

const DEAD_COLUMNS = `id, way, target, created_at AS "createdAt", attempts,
  cardinality(notice_ids) AS changes, error`;

/** Dead messages, newest first. */
export async function listDeadMessages(
  database: Database,
  { since, until, after }: DeadMessageFilter,
  limit: number,
): Promise<readonly DeadMessage[]> {
  const { noticeMessages } = tablesOf(database);
  const { rows } = await database.raw<{ rows: DeadMessage[] }>(
    `SELECT ${DEAD_COLUMNS} FROM ${noticeMessages}
     WHERE status = 'dead' AND created_at >= coalesce(?, '-infinity'::timestamptz)
       AND created_at < coalesce(?, 'infinity'::timestamptz)
       AND (?::uuid IS NULL OR (created_at, id)
         < (SELECT created_at, id FROM ${noticeMessages} WHERE id = ?))
     ORDER BY created_at DESC, id DESC LIMIT ?`,
    [since ?? null, until ?? null, after ?? null, after ?? null, limit],
  );
  return rows;
}

/** How many there are. @param atMost counts no further than this */
export async function countDeadMessages(
  database: Database,
  { since, until }: DeadMessageFilter,
  atMost: number,
): Promise<number> {
  const { rows } = await database.raw(
    `SELECT count(*) FROM (
       SELECT FROM ${tablesOf(database).noticeMessages}
       WHERE status = 'dead' AND created_at >= coalesce(?, '-infinity'::timestamptz)
         AND created_at < coalesce(?, 'infinity'::timestamptz) LIMIT ?
     ) AS message`,
    [since ?? null, until ?? null, atMost],
  );
  return Number(rows[0].count);
}

/** A dead message; undefined where there is none with this id. */
export async function findDeadMessage(
  database: Database,
  id: string,
): Promise<DeadMessage | undefined> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return undefined;
  const { rows } = await database.raw<{ rows: DeadMessage[] }>(
    `SELECT ${DEAD_COLUMNS} FROM ${tablesOf(database).noticeMessages}
     WHERE id = ? AND status = 'dead'`,
    [id],
  );
  return rows[0];
}

/** Tries dead messages again, from now on for as long as a new one. @returns how many */
export async function retryMessages(
  database: Database,
  ids: readonly string[],
  now: Date,
): Promise<number> {
  return database(tablesOf(database).noticeMessages)
    .whereIn('id', ids)
    .where({ status: 'dead' })
    .update({
      status: 'waiting',
      settled_at: null,
      next_at: now,
      give_up_at: new Date(now.getTime() + GIVE_UP_MS),
    });
}

/** Settles dead messages as they are; the reason is kept. @returns how many */
export async function discardMessages(
  database: Database,
  ids: readonly string[],
  reason: string,
  now: Date,
): Promise<number> {
  return database(tablesOf(database).noticeMessages)
    .whereIn('id', ids)
    .where({ status: 'dead' })
    .update({ status: 'discarded', settled_at: now, settled_reason: storableText(reason) });
}

/**
 * Removes what the outbox says of runs beyond that they were told of: the reasons that servers gave, which may quote what
 * they were sent. What waits is told still, and has no value.
 */
export async function forgetMessages(
  transaction: Transaction,
  runIds: readonly string[],
): Promise<void> {
  const { notices, noticeMessages } = tablesOf(transaction);
  await transaction.raw(
    `UPDATE ${noticeMessages} SET error = NULL
     WHERE error IS NOT NULL AND notice_ids && (
       SELECT coalesce(array_agg(id), '{}') FROM ${notices} WHERE run_id = ANY (?::uuid[])
     )`,
    [[...runIds]],
  );
}
