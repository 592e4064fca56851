import type { Verdict } from '@file-processing/quality/verdict.ts';
import { recordNotices } from '../notices/outbox.ts';
import type { Queue } from '../queue/queue.ts';
import { type Period, periodDueFrom, periodOfDelivery } from '../schedule/periods.ts';
import { type Schedule, storedSchedule } from '../schedule/schedule.ts';
import {
  type PeriodChange,
  type Step,
  stepsOfSet,
  stepsOfTime,
  stepsOfVerdict,
} from '../schedule/transitions.ts';
import { toJsonb } from './column-values.ts';
import type { Database, Transaction } from './connection.ts';
import { requestJudgements } from './judgements.ts';
import { keyExpression } from './key-pattern.ts';
import {
  addPeriods,
  type ChangedPeriod,
  changePeriods,
  type NewPeriod,
  type StoredPeriod,
  selectPeriods,
} from './periods.ts';
import { schemaOf, tablesOf } from './tables.ts';

/** What {@link lookAtPeriods} works with. */
export interface ClockOptions {
  readonly database: Database;
  /** Takes the jobs of files that are judged again once their set is whole. @default none is */
  readonly queue?: Pick<Queue, 'enqueue'>;
  /** Whether notices have a way out. @default false */
  readonly tells?: boolean;
  /** @default what the database's clock shows, which is the same for all processes */
  readonly now?: Date;
}

/** What one look did. */
export interface Look {
  /** Each of them once, in all looks of all processes. */
  readonly changes: readonly PeriodChange[];
  /** Monitored files whose schedule can't be worked by. */
  readonly badSchedules: readonly string[];
  /** Whether there may be more to do at once. */
  readonly hasMore: boolean;
}

/** Beside a number of the schema's name; any number, but the same in every version of this program. */
const CLOCK_LOCK = 412_870_934;

/** Schedules, and verdicts, that one look takes. */
const MOST_AT_ONCE = 500;

/** A clock that has not looked for so long was down, and messages of that time may still be on their way. */
const DOWNTIME_MS = 2 * 60_000;

/** So long at most after downtime nothing is late or missing: what came meanwhile is delivered and judged first. */
const CATCH_UP_MS = 10 * 60_000;

/**
 * Where nothing has come for so long after downtime, nothing is on its way any more: SNS repeats what it could not deliver
 * after 60 seconds at most (sns_retry_max_delay_seconds), and waits 15 for an answer.
 */
const QUIET_MS = 2 * 60_000;

/** How often verdicts are looked for that nobody noted, as those of an older version during a rollout; and how far back. */
const SWEEP_MS = 60 * 60_000;

/** Until a schedule is looked at again where a file of it waits for its verdict, or not all that came is known. */
const WAIT_MS = 15_000;

/** Periods of a schedule that one look opens: more than a year of daily ones. */
const MOST_PERIODS = 400;

/** When nothing will ever be due again. */
const NEVER = new Date(Date.UTC(9999, 11, 31));

/**
 * Brings the states of all periods up to date, in one transaction under a lock: of any number of processes one looks at a
 * time, each change is recorded and told exactly once, and all that came about since the last look is told together.
 *
 * What is late or missing is worked out from what is recorded alone, so that it is the same after a restart: a file that
 * has come and waits for its verdict keeps its period from being late, and so does the time after an outage of our own.
 *
 * @returns undefined where another process looks
 */
export async function lookAtPeriods(options: ClockOptions): Promise<Look | undefined> {
  const { database, tells = false } = options;
  return database.transaction(async (transaction) => {
    if (!(await isAlone(transaction))) return undefined;
    const now = options.now ?? (await timeOf(transaction));
    const { isSettled, sweeps } = await goOn(transaction, now);
    const badSchedules = await adoptSchedules(transaction, now);
    const scheduled = await schedulesDue(transaction, now);
    const nextOpenings = await openPeriods(transaction, scheduled, now);
    // Before the verdicts: a file that is judged between the two statements has its verdict looked at all the same.
    const open = await openPeriodsOf(transaction, scheduled);
    const waiting = await periodsWithFiles(transaction, { scheduled, open, now });
    if (sweeps) await sweepVerdicts(transaction, now);

    const book = new Book();
    const verdicts = await takeVerdicts(transaction);
    for (const verdict of verdicts) {
      if (verdict.stands) await countVerdict(transaction, book, verdict, now);
    }
    const hasMore = verdicts.length === MOST_AT_ONCE || scheduled.length === MOST_AT_ONCE;
    const seesAll = isSettled && verdicts.length < MOST_AT_ONCE;
    if (seesAll) {
      for (const period of open) {
        if (!waiting.has(period.id)) {
          book.note(period, stepsOfTime(book.statusOf(period), period, now));
        }
      }
    }
    await changePeriods(transaction, book.changed);
    await scheduleNext(transaction, { now, seesAll, hasMore, scheduled, nextOpenings, waiting });
    const ofSets = await changeSets(transaction, book.sets);
    if (options.queue) await judgeReferencesAgain(transaction, options.queue, ofSets);
    const changes = [...book.changes, ...ofSets];
    // The one place where changes are told, in the transaction that records them.
    if (tells) await recordNotices(transaction, await noticesOf(transaction, changes));
    return { changes, badSchedules, hasMore };
  });
}

async function isAlone(transaction: Transaction): Promise<boolean> {
  const { rows } = await transaction.raw<{ rows: { alone: boolean }[] }>(
    'SELECT pg_try_advisory_xact_lock(?, hashtext(?)) AS alone',
    [CLOCK_LOCK, schemaOf(transaction)],
  );
  return rows[0]?.alone === true;
}

async function timeOf(transaction: Transaction): Promise<Date> {
  const { rows } = await transaction.raw<{ rows: { now: Date }[] }>('SELECT now() AS now');
  return rows[0]?.now ?? new Date();
}

/** Notes that somebody looks. @returns whether all that came is known */
async function goOn(
  transaction: Transaction,
  now: Date,
): Promise<{ readonly isSettled: boolean; readonly sweeps: boolean }> {
  const { periodClock } = tablesOf(transaction);
  const [clock] = await transaction(periodClock).select<
    { looked_at: Date; resumed_at: Date; next_sweep_at: Date }[]
  >('looked_at', 'resumed_at', 'next_sweep_at');
  const wasDown = clock !== undefined && now.getTime() - clock.looked_at.getTime() > DOWNTIME_MS;
  // The first look ever follows no downtime: whatever is expected is due later.
  const firstSettledAt = new Date(now.getTime() - CATCH_UP_MS);
  const resumedAt = wasDown ? now : (clock?.resumed_at ?? firstSettledAt);
  const settledAt = new Date(resumedAt.getTime() + CATCH_UP_MS);
  const isSettled = now >= settledAt || (await isQuiet(transaction, resumedAt, now));
  const nextSweepAt = wasDown ? settledAt : (clock?.next_sweep_at ?? now);
  const sweeps = now >= nextSweepAt;
  const row = {
    ...{ only_one: true, looked_at: now, resumed_at: resumedAt },
    next_sweep_at: sweeps ? new Date(now.getTime() + SWEEP_MS) : nextSweepAt,
  };
  await transaction(periodClock).insert(row).onConflict('only_one').merge();
  return { isSettled, sweeps };
}

/** Whether no file was heard of for a while, and for as long nothing was down. */
async function isQuiet(transaction: Transaction, resumedAt: Date, now: Date): Promise<boolean> {
  const since = new Date(now.getTime() - QUIET_MS);
  if (resumedAt > since) return false;
  const { runs } = tablesOf(transaction);
  return (await transaction(runs).where('created_at', '>', since).first('id')) === undefined;
}

/** A monitored file whose schedule the clock works by. */
interface Scheduled {
  readonly monitoringFileId: number;
  readonly client: string;
  readonly bucket: string;
  readonly keyPattern: string;
  readonly schedule: Schedule;
  readonly since: Date;
}

/**
 * Takes over schedules that are new, have changed or are gone. What a schedule was not about to be late for is not expected
 * by it any more; what has come in for the periods of a new one counts, whenever it did.
 *
 * @returns names of the files whose schedules can't be worked by
 */
async function adoptSchedules(transaction: Transaction, now: Date): Promise<string[]> {
  const { monitoringFiles, periodSchedules } = tablesOf(transaction);
  const { rows } = await transaction.raw<{
    rows: { id: number; name: string; schedule: object | null; known: boolean }[];
  }>(
    `SELECT file.id, file.bucket || '/' || file.key_pattern AS name,
       CASE WHEN file.active THEN file.schedule END AS schedule,
       known.monitoring_file_id IS NOT NULL AS known
     FROM ${monitoringFiles} AS file
     LEFT JOIN ${periodSchedules} AS known ON known.monitoring_file_id = file.id
     WHERE (file.active AND file.schedule IS NOT NULL OR known.monitoring_file_id IS NOT NULL)
       AND known.schedule IS DISTINCT FROM CASE WHEN file.active THEN file.schedule END`,
  );
  const bad: string[] = [];
  for (const { id, name, schedule, known } of rows) {
    const usable = schedule === null ? undefined : storedSchedule(schedule);
    if (schedule !== null && usable === undefined) bad.push(name);
    if (known) await dropExpected(transaction, id, usable === undefined ? undefined : now);
    if (usable === undefined) {
      await transaction(periodSchedules).where({ monitoring_file_id: id }).delete();
      continue;
    }
    await transaction(periodSchedules)
      .insert({
        ...{ monitoring_file_id: id, schedule: toJsonb(schedule), since: now, next_at: now },
      })
      .onConflict('monitoring_file_id')
      .merge();
    await noteVerdictsOf(transaction, id, periodDueFrom(usable, now)?.opensAt ?? now);
  }
  return bad;
}

/** @param after what is due later than then; undefined for all */
async function dropExpected(
  transaction: Transaction,
  monitoringFileId: number,
  after: Date | undefined,
): Promise<void> {
  const { periods } = tablesOf(transaction);
  await transaction(periods)
    .where({ monitoring_file_id: monitoringFileId, state: 'expected' })
    .modify((query) => {
      if (after !== undefined) query.where('due_at', '>', after);
    })
    .delete();
  await transaction.raw(
    `DELETE FROM ${periods} AS whole WHERE monitoring_file_id IS NULL AND state = 'expected'
       AND NOT EXISTS (
         SELECT FROM ${periods} AS part WHERE part.monitoring_file_id IS NOT NULL
           AND (part.client, part.set_name, part.due_at) = (whole.client, whole.set_name, whole.due_at)
       )`,
  );
}

async function noteVerdictsOf(
  transaction: Transaction,
  monitoringFileId: number,
  from: Date,
): Promise<void> {
  const { runs, judgements, periodVerdicts } = tablesOf(transaction);
  await transaction.raw(
    `INSERT INTO ${periodVerdicts} (run_id, number)
     SELECT run_id, number FROM ${judgements} JOIN ${runs} AS run
       ON run.id = run_id AND run.verdict_number = number
     WHERE monitoring_file_id = ? AND finished_at >= ?
     ON CONFLICT DO NOTHING`,
    [monitoringFileId, from],
  );
}

/** A verdict that was counted before changes nothing, and most are left out. */
async function sweepVerdicts(transaction: Transaction, now: Date): Promise<void> {
  const { runs, judgements, periods, periodSchedules, periodVerdicts } = tablesOf(transaction);
  await transaction.raw(
    `INSERT INTO ${periodVerdicts} (run_id, number)
     SELECT judgement.run_id, judgement.number FROM ${periodSchedules} AS known
     JOIN ${judgements} AS judgement
       ON judgement.monitoring_file_id = known.monitoring_file_id AND finished_at >= ?
     JOIN ${runs} AS run ON run.id = judgement.run_id AND run.verdict_number = judgement.number
     WHERE NOT EXISTS (
       SELECT FROM ${periods} AS period
       WHERE (period.run_id, period.number) = (judgement.run_id, judgement.number)
     )
     ON CONFLICT DO NOTHING`,
    [new Date(now.getTime() - 2 * SWEEP_MS)],
  );
}

async function schedulesOf(
  transaction: Transaction,
  condition: string,
  values: readonly (Date | number | readonly number[])[],
): Promise<Scheduled[]> {
  const { monitoringFiles, periodSchedules } = tablesOf(transaction);
  const { rows } = await transaction.raw<{
    rows: (Omit<Scheduled, 'schedule'> & { schedule: object })[];
  }>(
    `SELECT file.id AS "monitoringFileId", file.client, file.bucket,
       file.key_pattern AS "keyPattern", known.schedule, known.since
     FROM ${periodSchedules} AS known JOIN ${monitoringFiles} AS file
       ON file.id = known.monitoring_file_id
     WHERE ${condition}`,
    values as (Date | number | number[])[],
  );
  return rows.flatMap((row) => {
    const schedule = storedSchedule(row.schedule);
    return schedule === undefined ? [] : [{ ...row, schedule }];
  });
}

function schedulesDue(transaction: Transaction, now: Date): Promise<Scheduled[]> {
  return schedulesOf(
    transaction,
    `known.next_at <= ? ORDER BY known.next_at, file.id LIMIT ${MOST_AT_ONCE}`,
    [now],
  );
}

function newPeriod({ monitoringFileId, client, schedule }: Scheduled, period: Period): NewPeriod {
  const { set = null, timeZone = 'UTC' } = schedule;
  return { ...period, monitoringFileId, client, set, timeZone };
}

/** Records the periods that deliveries count for by now. @returns when the next one opens, by the file */
async function openPeriods(
  transaction: Transaction,
  scheduled: readonly Scheduled[],
  now: Date,
): Promise<ReadonlyMap<number, Date>> {
  const ids = scheduled.map(({ monitoringFileId }) => monitoringFileId);
  const { rows } = await transaction.raw<{ rows: { id: number; last: Date }[] }>(
    `SELECT monitoring_file_id AS id, max(due_at) AS last
     FROM ${tablesOf(transaction).periods} WHERE monitoring_file_id = ANY (?::bigint[]) GROUP BY 1`,
    [ids],
  );
  const lastOf = new Map(rows.map(({ id, last }) => [id, last]));
  const next = new Map<number, Date>();
  const opened: NewPeriod[] = [];
  for (const one of scheduled) {
    const { schedule, since, monitoringFileId } = one;
    const last = lastOf.get(monitoringFileId);
    let from = last !== undefined && last >= since ? new Date(last.getTime() + 1) : since;
    for (let count = 0; count <= MOST_PERIODS; count += 1) {
      const period = periodDueFrom(schedule, from);
      next.set(monitoringFileId, period?.opensAt ?? NEVER);
      if (period === undefined || period.opensAt > now || count === MOST_PERIODS) break;
      opened.push(newPeriod(one, period));
      from = new Date(period.dueAt.getTime() + 1);
    }
  }
  await addPeriods(transaction, opened, now);
  return next;
}

/** Those of schedules that nothing has come for. */
function openPeriodsOf(
  transaction: Transaction,
  scheduled: readonly Scheduled[],
): Promise<StoredPeriod[]> {
  return selectPeriods(transaction)
    .whereIn(
      'period.monitoring_file_id',
      scheduled.map(({ monitoringFileId }) => monitoringFileId),
    )
    .whereIn('period.state', ['expected', 'late'])
    .orderBy('period.due_at');
}

/** Clocks of S3 and of the database may differ. */
const CLOCKS_DIFFER = `interval '5 minutes'`;

/** Files that wait, of one monitored file, that are looked at; with more of them, nothing of it is late. */
const MOST_WAITING = 200;

/** Those that would change now, and have a file that waits for its verdict, or could not be given one. */
async function periodsWithFiles(
  transaction: Transaction,
  look: {
    readonly scheduled: readonly Scheduled[];
    readonly open: readonly StoredPeriod[];
    readonly now: Date;
  },
): Promise<ReadonlySet<number>> {
  const { runs } = tablesOf(transaction);
  const byFile = new Map(look.scheduled.map((one) => [one.monitoringFileId, one]));
  const due = look.open.filter((period) => stepsOfTime(period, period, look.now).length > 0);
  if (due.length === 0) return new Set();
  const { rows } = await transaction.raw<{
    rows: { id: number; key: string; deliveredAt: Date }[];
  }>(
    `SELECT due.id, file.key, file.delivered_at AS "deliveredAt"
     FROM jsonb_to_recordset(?::jsonb) AS due
       (id bigint, bucket text, key_expression text, opens_at timestamptz)
     CROSS JOIN LATERAL (
       SELECT key, coalesce(event_time, last_modified, created_at) AS delivered_at
       FROM ${runs} AS run
       WHERE status IN ('pending', 'error') AND created_at > opens_at - ${CLOCKS_DIFFER}
         AND run.bucket = due.bucket AND run.key ~ due.key_expression
       LIMIT ${MOST_WAITING}
     ) AS file`,
    [
      toJsonb(
        due.map(({ id, monitoringFileId, opensAt }) => {
          const { bucket, keyPattern = '' } = byFile.get(monitoringFileId ?? 0) ?? {};
          return { id, bucket, key_expression: keyExpression(keyPattern), opens_at: opensAt };
        }),
      ),
    ],
  );
  const files = Map.groupBy(rows, ({ id }) => id);
  const waiting = due.filter(({ id, monitoringFileId, dueAt }) => {
    const own = files.get(id) ?? [];
    const schedule = byFile.get(monitoringFileId ?? 0)?.schedule;
    return (
      own.length === MOST_WAITING ||
      own.some(
        (file) => schedule && periodOfDelivery(schedule, file)?.dueAt.getTime() === dueAt.getTime(),
      )
    );
  });
  return new Set(waiting.map(({ id }) => id));
}

/** A verdict on a delivery of a monitored file. */
interface NotedVerdict {
  readonly runId: string;
  readonly number: number;
  readonly verdict: Verdict;
  readonly monitoringFileId: number;
  readonly key: string;
  readonly deliveredAt: Date;
  readonly at: Date;
  /** Where it does not, the note of the one that does has come, or will. */
  readonly stands: boolean;
}

/** Takes verdicts that were not counted, in the order in which they were made. */
async function takeVerdicts(transaction: Transaction): Promise<NotedVerdict[]> {
  const { runs, judgements, periodVerdicts } = tablesOf(transaction);
  const { rows } = await transaction.raw<{ rows: NotedVerdict[] }>(
    `WITH taken AS (
       DELETE FROM ${periodVerdicts} WHERE (run_id, number) IN (
         SELECT run_id, number FROM ${periodVerdicts} LIMIT ${MOST_AT_ONCE}
       ) RETURNING run_id, number
     )
     SELECT taken.run_id AS "runId", taken.number, judgement.verdict, run.key,
       judgement.monitoring_file_id AS "monitoringFileId", finished_at AS at,
       coalesce(event_time, last_modified, run.created_at) AS "deliveredAt",
       run.verdict_number = taken.number AS stands
     FROM taken
     JOIN ${judgements} AS judgement USING (run_id, number)
     JOIN ${runs} AS run ON run.id = taken.run_id
     ORDER BY finished_at, taken.run_id`,
  );
  return rows;
}

/** What a look makes of periods, before it is recorded. */
class Book {
  readonly #changed = new Map<number, { period: StoredPeriod; change: ChangedPeriod }>();
  readonly changes: PeriodChange[] = [];
  /** Of which a file has changed, by their names. */
  readonly sets = new Map<string, Pick<StoredPeriod, 'client' | 'set' | 'dueAt'>>();

  get changed(): ChangedPeriod[] {
    return [...this.#changed.values()].map(({ change }) => change);
  }

  /** As it is by now. */
  statusOf(period: StoredPeriod): StoredPeriod {
    const change = this.#changed.get(period.id)?.change;
    if (change === undefined) return period;
    const last = change.steps.at(-1);
    return {
      ...period,
      ...change.delivery,
      ...(last === undefined ? {} : { state: last.state, changedAt: last.at }),
    };
  }

  note(period: StoredPeriod, steps: readonly Step[], delivery?: ChangedPeriod['delivery']): void {
    if (steps.length === 0 && delivery === undefined) return;
    const before = this.#changed.get(period.id)?.change;
    const counted = delivery ?? before?.delivery;
    this.#changed.set(period.id, {
      period,
      change: {
        id: period.id,
        steps: [...(before?.steps ?? []), ...steps],
        ...(counted === undefined ? {} : { delivery: counted }),
      },
    });
    this.changes.push(...changesOf(period, steps, delivery));
    if (period.set !== null && period.monitoringFileId !== null) {
      const { client, set, dueAt } = period;
      this.sets.set(JSON.stringify([client, set, dueAt]), { client, set, dueAt });
    }
  }
}

function changesOf(
  period: StoredPeriod,
  steps: readonly Step[],
  delivery?: ChangedPeriod['delivery'],
): PeriodChange[] {
  const { client, monitoringFileId, set, name, start, end, dueAt, missingAt, timeZone } = period;
  return steps.map(({ from, state: to, verdict, at }) => ({
    ...{ client, monitoringFileId, set, period: name, start, end, dueAt, missingAt, timeZone },
    ...{ from, to, verdict, at },
    judgement:
      verdict === null || delivery === undefined
        ? null
        : { runId: delivery.runId, number: delivery.number },
  }));
}

/** Of several deliveries of a period the last one counts, however late it was judged. */
async function countVerdict(
  transaction: Transaction,
  book: Book,
  delivery: NotedVerdict,
  now: Date,
): Promise<void> {
  const found = await periodOf(transaction, delivery, now);
  if (found === undefined) return;
  const { runId, number, verdict, deliveredAt, at } = delivery;
  const period = book.statusOf(found);
  const isLater =
    period.deliveredAt === null ||
    period.runId === runId ||
    deliveredAt > period.deliveredAt ||
    (deliveredAt.getTime() === period.deliveredAt.getTime() && runId > (period.runId ?? ''));
  if (!isLater) return;
  const steps = stepsOfVerdict(period, period, { verdict, deliveredAt, at });
  book.note(found, steps, { runId, number, verdict, deliveredAt });
}

/** The period that a delivery counts for; undefined for one outside of any. */
async function periodOf(
  transaction: Transaction,
  delivery: Pick<NotedVerdict, 'runId' | 'monitoringFileId' | 'key' | 'deliveredAt'>,
  now: Date,
): Promise<StoredPeriod | undefined> {
  const { runId, monitoringFileId, deliveredAt } = delivery;
  const ofFile = () =>
    selectPeriods(transaction).where('period.monitoring_file_id', monitoringFileId);
  // Judged again, it is of the one that it was of, whatever the schedule is by now.
  const own = await ofFile().where('period.run_id', runId).first();
  if (own !== undefined) return own;
  const [scheduled] = await schedulesOf(transaction, 'file.id = ?', [monitoringFileId]);
  const period = scheduled && periodOfDelivery(scheduled.schedule, delivery);
  if (scheduled !== undefined && period !== undefined && period.dueAt >= scheduled.since) {
    await addPeriods(transaction, [newPeriod(scheduled, period)], now);
    return ofFile().where('period.due_at', period.dueAt).first();
  }
  if (scheduled?.schedule.dated === true) return undefined;
  // Of a schedule that is not in force any more.
  return ofFile()
    .where('period.opens_at', '<=', deliveredAt)
    .where('period.closes_at', '>', deliveredAt)
    .orderBy('period.due_at', 'desc')
    .first();
}

/** Brings sets up to date of which a file has changed. */
async function changeSets(
  transaction: Transaction,
  sets: Book['sets'],
): Promise<readonly PeriodChange[]> {
  const changes: PeriodChange[] = [];
  const changed: ChangedPeriod[] = [];
  for (const { client, set, dueAt } of sets.values()) {
    const { periodSchedules } = tablesOf(transaction);
    const all = await selectPeriods(transaction)
      .where({ 'period.client': client, 'period.set_name': set, 'period.due_at': dueAt })
      // What was expected of a file that nobody expects any more holds up no set.
      .whereRaw(
        `(period.monitoring_file_id IS NULL OR period.verdict IS NOT NULL OR EXISTS (
           SELECT FROM ${periodSchedules} WHERE monitoring_file_id = period.monitoring_file_id))`,
      );
    const whole = all.find(({ monitoringFileId }) => monitoringFileId === null);
    if (whole === undefined) continue;
    const files = all.filter(({ monitoringFileId }) => monitoringFileId !== null);
    const steps = stepsOfSet(whole, whole, files);
    if (steps.length === 0) continue;
    changed.push({ id: whole.id, steps });
    changes.push(...changesOf(whole, steps));
  }
  await changePeriods(transaction, changed);
  return changes;
}

/**
 * Has files judged again whose set is whole now, and whose foreign keys refer to other files: what these had before may be of
 * another period. One that was begun when all others were there was compared with them as they are.
 */
async function judgeReferencesAgain(
  transaction: Transaction,
  queue: Pick<Queue, 'enqueue'>,
  changes: readonly PeriodChange[],
): Promise<void> {
  const { judgements, mappings } = tablesOf(transaction);
  for (const { client, set, period, dueAt, to } of changes) {
    if (to !== 'received' && to !== 'recovered') continue;
    const referring: string[] = await selectPeriods(transaction)
      .clearSelect()
      .join({ judgement: judgements }, (join) => {
        join.on('judgement.run_id', 'period.run_id').andOn('judgement.number', 'period.number');
      })
      .join({ mapping: mappings }, (join) => {
        join
          .on('mapping.name', 'judgement.mapping_name')
          .andOn('mapping.version', 'judgement.mapping_version');
      })
      .where({ 'period.client': client, 'period.set_name': set, 'period.due_at': dueAt })
      .whereRaw(`jsonb_path_exists(mapping.table_schema, '$.foreignKeys[*].reference.resource')`)
      .whereRaw(
        `judgement.started_at < (
          SELECT max(changed_at) FROM ${tablesOf(transaction).periods} AS other
          WHERE other.monitoring_file_id <> period.monitoring_file_id
            AND (other.client, other.set_name, other.due_at) = (period.client, period.set_name, period.due_at)
        )`,
      )
      .orderBy('period.run_id')
      .pluck('period.run_id');
    if (referring.length === 0) continue;
    const reason = `the set ${set} of ${period} is whole`;
    const request = { askedBy: 'worker', reason, onlyOnce: true } as const;
    await queue.enqueue(await requestJudgements(transaction, referring, request), transaction);
  }
}

/** When the clock has to look at each of the schedules again. */
async function scheduleNext(
  transaction: Transaction,
  look: {
    readonly now: Date;
    readonly seesAll: boolean;
    readonly hasMore: boolean;
    readonly scheduled: readonly Scheduled[];
    readonly nextOpenings: ReadonlyMap<number, Date>;
    readonly waiting: ReadonlySet<number>;
  },
): Promise<void> {
  const { now, seesAll, hasMore, scheduled, nextOpenings, waiting } = look;
  if (scheduled.length === 0) return;
  const again = new Date(now.getTime() + (hasMore ? 0 : WAIT_MS));
  const times = new Map(nextOpenings);
  const sooner = (id: number, time: Date) => {
    if (time < (times.get(id) ?? NEVER)) times.set(id, time);
  };
  for (const period of await openPeriodsOf(transaction, scheduled)) {
    const { id, monitoringFileId, state, dueAt, missingAt } = period;
    const file = monitoringFileId ?? 0;
    if (waiting.has(id) || !seesAll) sooner(file, again);
    else sooner(file, state === 'expected' ? dueAt : missingAt);
  }
  const rows = [...times].map(([id, next_at]) => ({ id, next_at }));
  await transaction.raw(
    `UPDATE ${tablesOf(transaction).periodSchedules} AS known SET next_at = given.next_at
     FROM jsonb_to_recordset(?::jsonb) AS given (id bigint, next_at timestamptz)
     WHERE known.monitoring_file_id = given.id`,
    [toJsonb(rows)],
  );
}

/** Changes as notices have them: what arrived as it should is told of by its verdict. */
async function noticesOf(
  transaction: Transaction,
  changes: readonly PeriodChange[],
): Promise<Parameters<typeof recordNotices>[1]> {
  const ids = changes.flatMap(({ monitoringFileId: id }) => (id === null ? [] : [id]));
  const files = await transaction(tablesOf(transaction).monitoringFiles)
    .whereIn('id', ids)
    .select<{ id: number; key_pattern: string }[]>('id', 'key_pattern');
  const patterns = new Map(files.map(({ id, key_pattern: pattern }) => [id, pattern]));
  return changes.flatMap(({ client, monitoringFileId, set, period, dueAt, to, judgement }) => {
    if (to === 'received' || to === 'expected') return [];
    const subject = monitoringFileId === null ? set : patterns.get(monitoringFileId);
    return [
      {
        ...{ state: to, client, subject: subject ?? '', period, dueAt },
        ...(monitoringFileId === null ? {} : { monitoringFileId }),
        ...(judgement === null ? {} : { runId: judgement.runId }),
      },
    ];
  });
}
