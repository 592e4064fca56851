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
  /** What became of it in the bucket meanwhile. */
  fate?: 'gone' | 'replaced';
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
  readonly report_key: string | null;
  readonly finished_at: Date | string | null;
}

/** One change of a row; `before` is null for a new one, `after` for one that was deleted. */
export type Change =
  | {
      readonly table: 'judgements';
      readonly before: JudgementRow | null;
      readonly after: JudgementRow | null;
    }
  | { readonly table: 'runs'; readonly before: RunRow | null; readonly after: RunRow | null };

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
  /** Messages that SNS gave up: an answer told it not to try again. */
  readonly givenUp: readonly string[];
  /** Messages that are in the queue after the end. */
  readonly leftInQueue: number;
  /** Messages that the queue gave up. */
  readonly queueDead: number;
  readonly messages: readonly {
    readonly message_id: string;
    readonly outcome: string;
    readonly reason: string | null;
  }[];
  readonly runs: readonly RunRow[];
  readonly judgements: readonly JudgementRow[];
  /** Jobs of the queue that have not ended. */
  readonly openJobs: number;
  readonly deadLetters: readonly { readonly runId: string; readonly number: number }[];
  /** In their order. */
  readonly changes: readonly Change[];
  readonly told: readonly Told[];
  readonly toldByCommands: readonly ToldByCommand[];
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
 * recorded verdict is ever lost.
 */
export function violationsOf(evidence: Evidence): Violation[] {
  return [
    ...lostMessages(evidence),
    ...wrongRuns(evidence),
    ...openWork(evidence),
    ...lostVerdicts(evidence),
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
  const recorded = new Map(evidence.messages.map((message) => [message.message_id, message]));
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

function* wrongRuns({ published, runs, judgements, deadLetters }: Evidence): Iterable<Violation> {
  const byObject = Map.groupBy(runs, (run) =>
    nameOf(run.key, run.version_id ?? `${run.e_tag} ${run.sequencer}`),
  );
  const byRun = Map.groupBy(judgements, ({ run_id }) => run_id);
  const objects = new Map(
    published.flatMap((message) =>
      message.objects.map((object) => [
        nameOf(object.key, object.versionId ?? `${object.eTag} ${object.sequencer}`),
        { object, messageId: message.messageId },
      ]),
    ),
  );
  for (const [name, { object, messageId }] of objects) {
    const [run, ...others] = byObject.get(name) ?? [];
    if (run === undefined || others.length > 0) {
      const about = [messageId, object.key];
      yield { text: `${name} has ${run ? others.length + 1 : 0} runs in place of one`, about };
      continue;
    }
    const about = [run.id, messageId, object.key];
    const say = (text: string) => ({ text: `run ${run.id} of ${name} ${text}`, about });
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
    for (const { number, status, error, invocation } of own) {
      const isDead = deadLetters.some((dead) => dead.runId === run.id && dead.number === number);
      if (status === 'queued' || status === 'running') yield say(`has judgement ${number} open`);
      if ((status === 'gone' || status === 'replaced') && object.fate !== status) {
        yield say(`has judgement ${number} ${status}, and the object is ${object.fate ?? 'there'}`);
      }
      if (status !== 'finished' && !error) yield say(`has judgement ${number} without a reason`);
      if (status === 'error' && invocation === null && !isDead) {
        yield say(`has judgement ${number} that failed and is not listed as dead`);
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

/** Ends that are for good; an error of a command may be gone on with by the same one. */
const ENDED = new Set(['finished', 'gone', 'replaced']);

function* lostVerdicts({ changes }: Evidence): Iterable<Violation> {
  for (const { table, before, after } of changes) {
    if (before === null) continue;
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
      ENDED.has(before.status) &&
      (after.status !== before.status ||
        after.verdict !== before.verdict ||
        after.sha256 !== before.sha256)
    ) {
      yield { text: `${name} was ${before.status}, and became ${after.status}`, about };
    } else if (ENDED.has(before.status) && after.finished_at !== before.finished_at) {
      yield { text: `${name} was ended twice`, about };
    } else if (after.attempts < before.attempts) {
      yield {
        text: `${name} fell from attempt ${before.attempts} to ${after.attempts}`,
        about,
      };
    }
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
