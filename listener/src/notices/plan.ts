import type { NoticeState } from '@file-processing/contract/notices.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import type { Database, Transaction } from '../database/connection.ts';
import { verdictBefore } from '../database/judgements.ts';
import type { Contact } from '../database/monitoring-files.ts';
import { schemaOf, tablesOf } from '../database/tables.ts';
import { type Audience, GIVE_UP_MS, nextMailAt, recipientsOf, stateOf } from './policy.ts';

/** Beside a number of the schema's name; any number, but the same in every version of this program. */
const PLANNING_LOCK = 412_870_933;

/** Changes that one transaction plans. */
const PLANNED_AT_ONCE = 200;

interface Change {
  readonly id: number;
  /** Of a period; null for a judgement. */
  readonly state: NoticeState | null;
  readonly verdict: Verdict | null;
  readonly previous: Verdict | null;
  readonly before: Verdict | null;
  readonly overtaken: boolean | null;
  readonly contact: Contact | null;
}

/** What {@link planNotices} did. */
export interface Planned {
  /** Changes that were looked at; as many as {@link PLANNED_AT_ONCE} may mean that there are more. */
  readonly changes: number;
  readonly messages: number;
}

/**
 * Decides who is told of the changes of the outbox, and makes the messages, in one transaction: a process that dies
 * leaves all of it to the next one. Of any number of processes one works at a time, so that what belongs into one
 * digest comes into one; another one gives up at once. A change that nobody is told of is deleted.
 */
export async function planNotices(
  database: Database,
  audience: Audience,
  now: Date,
): Promise<Planned> {
  return database.transaction(async (transaction) => {
    if (!(await isAlone(transaction))) return { changes: 0, messages: 0 };
    const changes = await waitingChanges(transaction);
    if (changes.length === 0) return { changes: 0, messages: 0 };
    let messages = 0;
    const untold: number[] = [];
    for (const change of changes) {
      const state = stateOfChange(change);
      const contact = change.contact?.email;
      const recipients = state === undefined ? [] : recipientsOf(state, contact, audience);
      if (recipients.length === 0) untold.push(change.id);
      else await nameState(transaction, change.id, state as NoticeState, now);
      for (const { way, target } of recipients) {
        if (way === 'email' && (await joinsDigest(transaction, target, change.id))) continue;
        const nextAt = way === 'email' ? nextMailAt(now, await lastMail(transaction, target)) : now;
        await transaction(tablesOf(transaction).noticeMessages).insert({
          ...{ way, target, notice_ids: [change.id], next_at: nextAt, created_at: now },
          give_up_at: new Date(nextAt.getTime() + GIVE_UP_MS),
        });
        messages += 1;
      }
    }
    await transaction(tablesOf(transaction).notices).whereIn('id', untold).delete();
    return { changes: changes.length, messages };
  });
}

function stateOfChange({ state, verdict, overtaken, ...others }: Change): NoticeState | undefined {
  if (state !== null) return state;
  return verdict === null
    ? undefined
    : stateOf({ verdict, overtaken: overtaken === true, ...others });
}

async function isAlone(transaction: Transaction): Promise<boolean> {
  const { rows } = await transaction.raw<{ rows: { alone: boolean }[] }>(
    'SELECT pg_try_advisory_xact_lock(?, hashtext(?)) AS alone',
    [PLANNING_LOCK, schemaOf(transaction)],
  );
  return rows[0]?.alone === true;
}

/** In the order in which they were recorded. The verdicts around a judgement are those that stood when it ended. */
async function waitingChanges(transaction: Transaction): Promise<readonly Change[]> {
  const { notices, judgements, runs, monitoringFiles } = tablesOf(transaction);
  const { rows } = await transaction.raw<{ rows: Change[] }>(
    `SELECT notice.id, notice.state, judgement.verdict, previous.verdict AS previous,
       before.verdict AS before, overtaken.number IS NOT NULL AS overtaken, file.contact
     FROM ${notices} AS notice
     LEFT JOIN ${judgements} AS judgement
       ON judgement.run_id = notice.run_id AND judgement.number = notice.number
     LEFT JOIN ${runs} AS run ON run.id = judgement.run_id
     LEFT JOIN ${monitoringFiles} AS file
       ON file.id = coalesce(notice.monitoring_file_id, judgement.monitoring_file_id)
     LEFT JOIN LATERAL ${verdictBefore(judgements)} AS previous ON true
     LEFT JOIN LATERAL (
       SELECT number FROM ${judgements} AS other
       WHERE other.run_id = judgement.run_id AND other.number > judgement.number
         AND other.status = 'finished' AND other.finished_at < judgement.finished_at
       LIMIT 1
     ) AS overtaken ON true
     LEFT JOIN LATERAL (
       SELECT verdict FROM ${runs} AS other
       WHERE other.bucket = run.bucket AND other.key = run.key AND other.id <> run.id
         AND other.created_at < run.created_at AND other.verdict IS NOT NULL
       ORDER BY other.created_at DESC LIMIT 1
     ) AS before ON true
     WHERE notice.planned_at IS NULL
     ORDER BY notice.id LIMIT ? FOR UPDATE OF notice SKIP LOCKED`,
    [PLANNED_AT_ONCE],
  );
  return rows;
}

async function nameState(
  transaction: Transaction,
  id: number,
  state: NoticeState,
  now: Date,
): Promise<void> {
  await transaction(tablesOf(transaction).notices).where({ id }).update({ state, planned_at: now });
}

/** A mail to the same address that nobody has begun to send takes the change in. */
async function joinsDigest(
  transaction: Transaction,
  target: string,
  noticeId: number,
): Promise<boolean> {
  const { noticeMessages } = tablesOf(transaction);
  const { rowCount } = await transaction.raw<{ rowCount: number }>(
    `UPDATE ${noticeMessages} SET notice_ids = notice_ids || ?::bigint
     WHERE id = (
       SELECT id FROM ${noticeMessages}
       WHERE way = 'email' AND target = ? AND status = 'waiting' AND attempts = 0
       ORDER BY created_at DESC LIMIT 1 FOR UPDATE SKIP LOCKED
     )`,
    [noticeId, target],
  );
  return rowCount === 1;
}

/** When the last mail to an address was due. */
async function lastMail(transaction: Transaction, target: string): Promise<Date | undefined> {
  const [last] = await transaction(tablesOf(transaction).noticeMessages)
    .where({ way: 'email', target })
    .orderBy('give_up_at', 'desc')
    .limit(1)
    .pluck<Date[]>('give_up_at');
  return last && new Date(last.getTime() - GIVE_UP_MS);
}
