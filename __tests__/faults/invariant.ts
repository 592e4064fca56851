import { createHash } from 'node:crypto';

/** A version of an object, as it was put into the bucket. */
export interface PutObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  readonly eTag: string;
  readonly sequencer: string;
  readonly body: string;
  readonly verdict: 'passed' | 'failed';
  /** What event and listing say. @default now */
  readonly lastModified?: Date;
  /** What became of it in the bucket meanwhile; `dead`: for a while nobody could read it. */
  fate?: 'gone' | 'replaced' | 'dead';
}

/** A message that was published. */
export interface Published {
  readonly messageId: string;
  /** None in a message that nobody can read. */
  readonly objects: readonly PutObject[];
}

/** A run as it is recorded at the end. */
export interface RunRow {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly e_tag: string | null;
  readonly sequencer: string | null;
  readonly status: string;
  readonly verdict: string | null;
  readonly verdict_number: number | null;
  readonly last_number: number;
}

/** A judgement as it is recorded, at the end or on the way. */
export interface JudgementRow {
  readonly run_id: string;
  readonly number: number;
  readonly status: string;
  readonly verdict: string | null;
  readonly sha256: string | null;
  readonly attempts: number;
  readonly error: string | null;
  readonly invocation: string | null;
  readonly asked_by: string;
  readonly reason: string | null;
  readonly report_key: string | null;
  readonly finished_at: Date | string | null;
  readonly settled_at: Date | string | null;
  readonly settled_reason: string | null;
  readonly details_deleted_at: Date | string | null;
}

/** A message as it is recorded. */
export interface MessageRow {
  readonly message_id: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly received_at: Date | string;
  readonly settled_at: Date | string | null;
  readonly settled_reason: string | null;
}

/** One change of a row; `before` is null for a new one, `after` for one that was deleted. */
export type Change =
  | ChangeOf<'judgements', JudgementRow>
  | ChangeOf<'runs', RunRow>
  | ChangeOf<'sns_messages', MessageRow>;

interface ChangeOf<Table extends string, Row> {
  readonly table: Table;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** Judgements that a command asked for, and has said so. */
export interface Asked {
  readonly command: string;
  /** None but this call gave it. */
  readonly reason: string;
  /** However often it is called with this reason, it asks once. */
  readonly isOnce: boolean;
  /** Those of which it should, each with the number of its latest judgement before. */
  readonly runs: readonly { readonly runId: string; readonly number: number }[];
}

/** An end of a judgement that a process has told the outside of. */
export interface Told {
  readonly by: string;
  readonly runId: string;
  readonly number: number;
  readonly status: string;
  readonly verdict?: string;
  readonly attempts: number;
}

/** What a command said of the judgement that it began itself. */
export interface ToldByCommand {
  readonly invocation: string;
  readonly exitCode: number;
  /** Of the report that it printed. */
  readonly verdict?: string;
}

/** All that was seen of one history, from outside and at its end. */
export interface Evidence {
  readonly published: readonly Published[];
  /** Objects that a listing has told of; the event of some came as well, before or after. */
  readonly unannounced: readonly PutObject[];
  /** Messages that SNS gave up: an answer told it not to try again. */
  readonly givenUp: readonly string[];
  /** Messages that are in the queue after the end. */
  readonly leftInQueue: number;
  /** Messages that the queue gave up. */
  readonly queueDead: number;
  readonly messages: readonly MessageRow[];
  readonly runs: readonly RunRow[];
  readonly judgements: readonly JudgementRow[];
  /** Jobs of the queue that have not ended. */
  readonly openJobs: number;
  readonly deadLetters: readonly { readonly runId: string; readonly number: number }[];
  /** In their order, each with when it was made. */
  readonly changes: readonly (Change & { readonly at: Date })[];
  readonly told: readonly Told[];
  readonly toldByCommands: readonly ToldByCommand[];
  readonly asked: readonly Asked[];
  /** What commands have settled without another attempt: ids of messages, and of runs. */
  readonly discarded: readonly { readonly id: string; readonly reason: string }[];
  /** What is older than the retention, and was deleted while it was waited for: ids of messages, and of runs. */
  readonly aged: readonly string[];
  /** When all of this was looked at. */
  readonly at: Date;
  /** What is in the buckets, by `<bucket>/<key>`. */
  readonly stored: (path: string) => string | undefined;
}

/** Something that must not be. */
export interface Violation {
  readonly text: string;
  /** Ids by which its history is found. */
  readonly about: readonly string[];
}

/**
 * The one invariant: every message is accepted in the end; every accepted one ends in exactly one run
 * for each object version with a verdict, or gone, replaced or dead with its reason and listed; no
 * recorded verdict is ever lost. So it is for an object that a listing told of, with or without its message. What a
 * command asked for is asked for once, and what it settled is settled once. Nothing is deleted but what is older
 * than the retention.
 */
export function violationsOf(evidence: Evidence): Violation[] {
  return [
    ...lostMessages(evidence),
    ...wrongRuns(evidence),
    ...openWork(evidence),
    ...lostVerdicts(evidence),
    ...unsettled(evidence),
    ...deletedEarly(evidence),
    ...brokenWords(evidence),
    ...missingReports(evidence),
  ];
}

function* lostMessages(evidence: Evidence): Iterable<Violation> {
  for (const id of evidence.givenUp) {
    yield { text: `SNS gave message ${id} up: an answer was final`, about: [id] };
  }
  if (evidence.leftInQueue > 0) {
    yield { text: `${evidence.leftInQueue} messages are still in the SQS queue`, about: [] };
  }
  if (evidence.queueDead > 0) {
    yield { text: `${evidence.queueDead} messages went to the dead-letter queue`, about: [] };
  }
  const recorded = new Map(
    [...erasedMessages(evidence), ...evidence.messages].map((message) => [
      message.message_id,
      message,
    ]),
  );
  for (const { messageId, objects } of evidence.published) {
    const message = recorded.get(messageId);
    if (message === undefined) {
      yield { text: `message ${messageId} is not recorded`, about: [messageId] };
    } else if ((message.outcome === 'dead') !== (objects.length === 0)) {
      yield { text: `message ${messageId} is recorded as ${message.outcome}`, about: [messageId] };
    } else if (message.outcome === 'dead' && !message.reason) {
      yield { text: `message ${messageId} is dead without a reason`, about: [messageId] };
    }
  }
}

/** What the retention took: whether it may is asked elsewhere. */
function erasedMessages({ changes }: Evidence): MessageRow[] {
  return changes.flatMap(({ table, before, after }) =>
    table === 'sns_messages' && before !== null && after === null ? [before] : [],
  );
}

function* wrongRuns({
  published,
  unannounced,
  runs,
  judgements,
  deadLetters,
}: Evidence): Iterable<Violation> {
  const listed = new Set(unannounced.map(({ key }) => key));
  // A listing does not know the order of writes; here, it tells of no two of the same bytes.
  const name = (key: string, versionId: string | undefined, eTag: unknown, sequencer: unknown) =>
    nameOf(key, versionId ?? (listed.has(key) ? `${eTag}` : `${eTag} ${sequencer}`));
  const nameOfObject = ({ key, versionId, eTag, sequencer }: PutObject) =>
    name(key, versionId, eTag, sequencer);
  const byObject = Map.groupBy(runs, ({ key, version_id, e_tag, sequencer }) =>
    name(key, version_id ?? undefined, e_tag, sequencer),
  );
  const byRun = Map.groupBy(judgements, ({ run_id }) => run_id);
  const objects = new Map<string, { readonly object: PutObject; readonly messageId?: string }>([
    ...unannounced.map((object) => [nameOfObject(object), { object }] as const),
    ...published.flatMap(({ messageId, objects: ofMessage }) =>
      ofMessage.map((object) => [nameOfObject(object), { object, messageId }] as const),
    ),
  ]);
  for (const [name, { object, messageId }] of objects) {
    const [run, ...others] = byObject.get(name) ?? [];
    if (run === undefined || others.length > 0) {
      const about = [messageId ?? object.key, object.key];
      yield { text: `${name} has ${run ? others.length + 1 : 0} runs in place of one`, about };
      continue;
    }
    const about = [run.id, messageId ?? object.key, object.key];
    const say = (text: string) => ({ text: `run ${run.id} of ${name} ${text}`, about });
    if (messageId !== undefined && object.versionId === undefined && run.sequencer === null) {
      yield say('has not taken over what its event said');
    }
    const own = (byRun.get(run.id) ?? []).sort((a, b) => a.number - b.number);
    const counted = own.filter(({ verdict }) => verdict !== null).at(-1);
    if (
      run.verdict !== (counted?.verdict ?? null) ||
      run.verdict_number !== (counted?.number ?? null)
    ) {
      yield say(
        `has verdict ${run.verdict} of ${run.verdict_number}, its judgements ${counted?.verdict} of ${counted?.number}`,
      );
    }
    for (const { number, verdict, sha256 } of own) {
      const right = createHash('sha256').update(object.body).digest('hex');
      if (verdict !== null && (verdict !== object.verdict || sha256 !== right)) {
        yield say(`has a wrong judgement ${number}: ${verdict}, SHA-256 ${sha256}`);
      }
    }
    for (const judgement of own) {
      const { number, status, error, invocation, settled_at, details_deleted_at } = judgement;
      const isListed =
        deadLetters.some((dead) => dead.runId === run.id && dead.number === number) ||
        (settled_at ?? details_deleted_at) !== null ||
        number < run.last_number;
      if (status === 'queued' || status === 'running') yield say(`has judgement ${number} open`);
      if ((status === 'gone' || status === 'replaced') && object.fate !== status) {
        yield say(`has judgement ${number} ${status}, and the object is ${object.fate ?? 'there'}`);
      }
      if (status !== 'finished' && !error && details_deleted_at === null) {
        yield say(`has judgement ${number} without a reason`);
      }
      if (status === 'error' && invocation === null) {
        if (!isListed) yield say(`has judgement ${number} that failed and is not listed as dead`);
        if (object.fate !== 'dead') {
          yield say(`has judgement ${number} that failed, and the object can be read: ${error}`);
        }
      }
    }
    if (run.status === 'pending') yield say('still waits');
    if (own.length === 0) yield say('was never judged');
  }
  const known = new Set(objects.keys());
  for (const name of byObject.keys()) {
    if (!known.has(name)) yield { text: `${name} has a run, and no message named it`, about: [] };
  }
}

function nameOf(key: string, version: string): string {
  return `${key} (${version})`;
}

function* openWork({ openJobs }: Evidence): Iterable<Violation> {
  if (openJobs > 0) yield { text: `${openJobs} jobs have not ended`, about: [] };
}

/** An end that is for good; an error of a command may be gone on with by the same one. */
function isEnded({ status, invocation }: JudgementRow): boolean {
  return (
    ['finished', 'gone', 'replaced'].includes(status) || (status === 'error' && invocation === null)
  );
}

function* lostVerdicts({ changes }: Evidence): Iterable<Violation> {
  for (const { table, before, after } of changes) {
    if (before === null || table === 'sns_messages') continue;
    if (table === 'runs') {
      if (before.verdict === null) continue;
      const isKept =
        after?.verdict != null && (after.verdict_number ?? 0) >= (before.verdict_number ?? 0);
      if (!isKept) {
        const lost = `verdict ${before.verdict} of judgement ${before.verdict_number}`;
        yield { text: `run ${before.id} lost ${lost}`, about: [before.id] };
      }
      continue;
    }
    const name = `judgement ${before.number} of ${before.run_id}`;
    const about = [before.run_id];
    if (after === null) {
      yield { text: `${name} was deleted`, about };
    } else if (
      isEnded(before) &&
      (after.status !== before.status ||
        after.verdict !== before.verdict ||
        after.sha256 !== before.sha256)
    ) {
      yield { text: `${name} was ${before.status}, and became ${after.status}`, about };
    } else if (isEnded(before) && after.finished_at !== before.finished_at) {
      yield { text: `${name} was ended twice`, about };
    } else if (after.attempts < before.attempts) {
      yield {
        text: `${name} fell from attempt ${before.attempts} to ${after.attempts}`,
        about,
      };
    }
  }
}

/** What commands have asked for, or settled as it is. */
function* unsettled(evidence: Evidence): Iterable<Violation> {
  const { asked, discarded, judgements, messages, deadLetters, changes } = evidence;
  const byRun = Map.groupBy(judgements, ({ run_id }) => run_id);
  for (const { command, reason, isOnce, runs } of asked) {
    for (const { runId, number } of runs) {
      const about = [runId, reason];
      const say = (text: string) => ({ text: `${command} ${text} ${runId} (${reason})`, about });
      const own = byRun.get(runId) ?? [];
      const times = own.filter((one) => one.reason === reason).length;
      if (isOnce && times > 1) yield say(`asked ${times} times for a judgement of`);
      if (own.every((one) => one.number <= number)) yield say('asked for no judgement of');
      if (deadLetters.some((dead) => dead.runId === runId && dead.number <= number)) {
        yield say('left the dead letter of');
      }
    }
  }
  const settled = new Map<string, MessageRow | JudgementRow>([
    ...[...erasedMessages(evidence), ...messages].map((row) => [row.message_id, row] as const),
    ...judgements.filter((row) => row.settled_at !== null).map((row) => [row.run_id, row] as const),
  ]);
  for (const { id, reason } of discarded) {
    if (settled.get(id)?.settled_reason !== reason) {
      yield { text: `${id} was discarded and is not settled: ${reason}`, about: [id] };
    }
    if (deadLetters.some(({ runId }) => runId === id)) {
      yield { text: `${id} was discarded, and its dead letter waits`, about: [id] };
    }
  }
  for (const { table, before, after } of changes) {
    if (table === 'runs' || before === null || after === null || before.settled_at === null)
      continue;
    const id = 'run_id' in before ? before.run_id : before.message_id;
    // A command that goes on with its own judgement has it in hand once more.
    const isOpen = 'status' in after && after.status === 'running';
    if (after.settled_at !== before.settled_at && !isOpen) {
      yield { text: `${id} was settled twice`, about: [id] };
    }
  }
}

/** RETENTION_DAYS, which the suite leaves as it is. */
const RETENTION_DAYS = 400;

/** The retention takes what is old and nothing else, and takes it at the next opportunity. */
function* deletedEarly({
  changes,
  aged,
  messages,
  judgements,
  at: end,
}: Evidence): Iterable<Violation> {
  const isOld = (time: Date | string | null, at: Date) =>
    time !== null && at.getTime() - new Date(time).getTime() > RETENTION_DAYS * 86_400_000;
  for (const { table, before, after, at } of changes) {
    if (table === 'sns_messages' && before !== null && after === null) {
      const { message_id: id, received_at: time } = before;
      if (!isOld(time, at)) yield { text: `message ${id} of ${time} was deleted`, about: [id] };
    }
    if (table !== 'judgements' || before === null || after === null) continue;
    if (before.details_deleted_at !== null || after.details_deleted_at === null) continue;
    const { run_id: id, number, finished_at: time } = before;
    if (!isOld(time, at)) {
      yield {
        text: `details of judgement ${number} of ${id} of ${time} were deleted`,
        about: [id],
      };
    }
  }
  const left = new Set([
    ...messages
      .filter(({ received_at }) => isOld(received_at, end))
      .map(({ message_id }) => message_id),
    ...judgements
      .filter((row) => row.details_deleted_at === null && isOld(row.finished_at, end))
      .map(({ run_id }) => run_id),
  ]);
  for (const id of aged) {
    if (left.has(id)) yield { text: `${id} is older than the retention and is there`, about: [id] };
  }
}

/** What somebody was told must be what is recorded, and told once. */
function* brokenWords({ told, toldByCommands, judgements }: Evidence): Iterable<Violation> {
  const recorded = new Map(judgements.map((row) => [`${row.run_id} ${row.number}`, row]));
  const before = new Map<string, Told>();
  for (const one of told) {
    const name = `${one.runId} ${one.number}`;
    const row = recorded.get(name);
    const about = [one.runId];
    const said = `${one.by} said of judgement ${one.number} of ${one.runId}: ${one.verdict ?? one.status} in attempt ${one.attempts}`;
    const other = before.get(name);
    if (other !== undefined) {
      yield { text: `${said}; so did ${other.by} in attempt ${other.attempts}`, about };
    }
    before.set(name, one);
    if (
      row?.status !== one.status ||
      row.verdict !== (one.verdict ?? null) ||
      row.attempts !== one.attempts
    ) {
      const what =
        row && `${row.status}, verdict ${row.verdict}, attempt ${row.attempts}: ${row.error}`;
      yield { text: `${said}; recorded is ${what ?? 'nothing'}`, about };
    }
  }
  for (const { invocation, exitCode, verdict } of toldByCommands) {
    const row = judgements.find((one) => one.invocation === invocation);
    const about = [invocation, ...(row ? [row.run_id] : [])];
    const isTrue =
      exitCode === 66
        ? row !== undefined && ['gone', 'replaced'].includes(row.status)
        : row?.status === 'finished' && (verdict === undefined || verdict === row.verdict);
    if (!isTrue) {
      const what = row ? `${row.status}, verdict ${row.verdict}` : 'nothing';
      yield {
        text: `run ${invocation} ended with ${exitCode}, ${verdict ?? 'no verdict shown'}; recorded is ${what}`,
        about,
      };
    }
  }
}

/** Of a judgement that the queue stands for, the report is there too, or its writing is a dead letter. */
function* missingReports({ runs, judgements, deadLetters, stored }: Evidence): Iterable<Violation> {
  const byId = new Map(runs.map((run) => [run.id, run]));
  for (const { run_id, number, verdict, report_key, invocation } of judgements) {
    if (verdict === null) continue;
    const about = [run_id];
    const name = `the report of judgement ${number} of ${run_id}`;
    const isDead = deadLetters.some((dead) => dead.runId === run_id && dead.number === number);
    if (report_key === null) {
      // A command that is killed after its verdict has nobody who writes the report later.
      if (invocation === null && !isDead) yield { text: `${name} was never written`, about };
      continue;
    }
    const text = stored(`${byId.get(run_id)?.bucket}/${report_key}`);
    const report = text === undefined ? undefined : JSON.parse(text);
    if (report?.runId !== run_id || report.judgement !== number || report.verdict !== verdict) {
      yield { text: `${name} is not in the bucket as ${report_key}`, about };
    }
  }
}
