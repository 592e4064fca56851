import { readFileSync } from 'node:fs';
import type { NoticeState } from '@file-processing/contract/notices.ts';
import type { FaultType } from '@file-processing/quality/faults.ts';
import type { Verdict } from '@file-processing/quality/verdict.ts';
import { IntlMessageFormat } from 'intl-messageformat';
import { printable } from '../cli/report-text.ts';
import type { Finding, Notice, NoticeData } from './notice.ts';
import { isRejected } from './policy.ts';

/** A language's texts, in ICU MessageFormat. */
export interface Templates {
  readonly status: Readonly<
    Record<Verdict | 'late' | 'missing' | 'recovered' | 'corrected', string>
  >;
  readonly subject: Readonly<
    Record<'judged' | 'recovered' | 'corrected' | 'period' | 'digest', string>
  >;
  readonly headline: Readonly<
    Record<
      | 'judged'
      | 'recovered'
      | 'corrected'
      | 'late'
      | 'missing'
      | 'period-recovered'
      | 'period-corrected',
      string
    >
  >;
  readonly column: Readonly<Record<'named' | 'numbered' | 'none', string>>;
  readonly rows: string;
  readonly and: string;
  readonly 'missing-value': string;
  /** Of faults that break one constraint; of a constraint that is not here, the text of `constraint-error` is taken. */
  readonly constraints: Readonly<Record<string, string>>;
  /** Of values that are not of a type; of a type that is not here, the text of `type-error` is taken. */
  readonly types: Readonly<Record<string, string>>;
  readonly findings: Readonly<Record<FaultType, string>>;
  readonly 'more-findings': string;
  readonly summary: string;
  readonly lines: Readonly<
    Record<
      'file' | 'client' | 'rules' | 'explains' | 'report' | 'show' | 'notice' | 'more-notices',
      string
    >
  >;
  readonly next: Readonly<Record<NoticeState, string>>;
}

/** Languages whose templates come with the program. */
export type Language = 'en';

/** Reads the templates of a language, from their file. */
export function templatesOf(language: Language): Templates {
  const path = new URL(`./templates/${language}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** A mail's texts: the subject is one line. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/** What is longer, a client of mail cuts anyway. */
const LONGEST_SUBJECT = 200;

/** To the minute: schedules know no seconds. */
const TIME: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  timeZoneName: 'short',
};

/** Writes notices as a language's templates have it, for a clerk. */
export class Wording {
  readonly #templates: Templates;
  readonly #language: Language;
  readonly #formats = new Map<string, IntlMessageFormat>();

  constructor(language: Language = 'en') {
    this.#language = language;
    this.#templates = templatesOf(language);
  }

  /**
   * A mail of one notice, or a digest of several.
   *
   * @param id the idempotency key of the mail
   * @param untold changes that have no notice here, since they are too many
   */
  mail(id: string, notices: readonly Notice[], untold = 0): MailText {
    const { lines } = this.#templates;
    const count = notices.length + untold;
    const [first] = notices;
    const subject =
      count === 1 && first !== undefined ? this.subject(first.data) : this.#digest(notices, count);
    const parts = notices.map(({ data }) => this.body(data));
    if (untold > 0) parts.push(this.#fill(lines['more-notices'], { count: untold }));
    parts.push(this.#fill(lines.notice, { id }));
    const line = printable(subject);
    return {
      subject: line.length > LONGEST_SUBJECT ? `${line.slice(0, LONGEST_SUBJECT - 1)}…` : line,
      text: `${parts.join('\n\n')}\n`,
    };
  }

  /** One line that names what changed. */
  subject(data: NoticeData): string {
    const { subject } = this.#templates;
    const values = this.#valuesOf(data);
    if (data.period !== null) return this.#fill(subject.period, values);
    const kind = data.state === 'recovered' || data.state === 'corrected' ? data.state : 'judged';
    return this.#fill(subject[kind], values);
  }

  /** What changed, why, and what is to be done, in lines. */
  body(data: NoticeData): string {
    const { lines, next } = this.#templates;
    const { object, client, mapping, report, run, diagnoses } = data;
    const rejected = data.verdict !== null && isRejected(data.verdict);
    const listed = data.state !== 'recovered' || rejected ? this.findings(data) : [];
    // Of a delivery that has come the notice of its verdict says what to do.
    const hasCome =
      data.period !== null && (data.state === 'recovered' || data.state === 'corrected');
    const texts = [
      this.#headline(data),
      ...diagnoses.map((diagnosis) => `- ${this.#fill(lines.explains, diagnosis)}`),
      ...listed.map((text) => `- ${text}`),
      ...(hasCome ? [] : [this.#fill(next[data.state], {})]),
      ...(data.state === 'corrected' && rejected && !hasCome ? [this.#fill(next.failed, {})] : []),
      '',
      ...(object === null
        ? []
        : [this.#fill(lines.file, { place: `s3://${object.bucket}/${object.key}` })]),
      ...(client === null ? [] : [this.#fill(lines.client, { client })]),
      ...(mapping === null
        ? []
        : [this.#fill(lines.rules, { mapping: `${mapping.name} ${mapping.version}` })]),
      ...(report === null
        ? []
        : [this.#fill(lines.report, { place: `s3://${report.bucket}/${report.key}` })]),
      ...(run === null ? [] : [this.#fill(lines.show, { run: run.id })]),
    ];
    return texts.map(printable).join('\n');
  }

  /** Each finding in a clause, and how many are left out. */
  findings({ findings, moreFindings }: Pick<NoticeData, 'findings' | 'moreFindings'>): string[] {
    const texts = findings.map((finding) => this.finding(finding));
    if (moreFindings > 0) {
      texts.push(this.#fill(this.#templates['more-findings'], { count: moreFindings }));
    }
    return texts;
  }

  /** Such as `12 rows have no officer number (rows 5, 18, 40 and 9 more)`. */
  finding(finding: Finding): string {
    const { kind, missing, constraint, type, count, column, field, rows } = finding;
    const templates = this.#templates;
    const names = templates.column;
    const name =
      field !== null
        ? this.#fill(names.named, { name: field.replaceAll('_', ' ') })
        : column !== null
          ? this.#fill(names.numbered, { number: column })
          : names.none;
    const particular =
      (constraint === null ? undefined : templates.constraints[constraint]) ??
      (type === null ? undefined : templates.types[type]);
    const template = missing
      ? templates['missing-value']
      : (particular ?? templates.findings[kind]);
    return this.#fill(template, {
      count,
      column: name,
      named: name === names.none ? 'no' : 'yes',
      rows: this.#rows(rows, count),
    });
  }

  #rows(rows: readonly number[], count: number): string {
    const { rows: template, and } = this.#templates;
    if (rows.length === 0) return '';
    const more = Math.max(0, count - rows.length);
    const last = more === 0 && rows.length > 1 ? rows.at(-1) : undefined;
    const first = last === undefined ? rows : rows.slice(0, -1);
    const list = first.join(', ') + (last === undefined ? '' : `${and}${last}`);
    return this.#fill(template, { more, list, count: rows.length });
  }

  #headline(data: NoticeData): string {
    const { headline } = this.#templates;
    const { state, period } = data;
    const values = this.#valuesOf(data);
    if (state === 'late' || state === 'missing') return this.#fill(headline[state], values);
    if (state === 'recovered' || state === 'corrected') {
      const kind = period === null ? state : (`period-${state}` as const);
      return this.#fill(headline[kind], values);
    }
    return this.#fill(headline.judged, values);
  }

  #digest(notices: readonly Notice[], count: number): string {
    const tally = new Map<string, number>();
    for (const { data } of notices) {
      const status = this.#statusOf(data).toLowerCase();
      tally.set(status, (tally.get(status) ?? 0) + 1);
    }
    const told = [...tally].map(([status, times]) => `${times} ${status}`).join(', ');
    return this.#fill(this.#templates.subject.digest, { count, tally: told });
  }

  #statusOf({ state, verdict }: NoticeData): string {
    const { status } = this.#templates;
    return status[verdict ?? (state as 'late' | 'missing' | 'recovered' | 'corrected')];
  }

  #valuesOf(data: NoticeData): Readonly<Record<string, string>> {
    const { object, period, previousVerdict } = data;
    return {
      status: this.#statusOf(data),
      file: object === null ? '' : (object.key.split('/').at(-1) ?? object.key),
      before: previousVerdict === null ? '' : this.#templates.status[previousVerdict].toLowerCase(),
      // In any folder is what a name without one says to a clerk.
      subject: period?.subject.replace(/^\*\*\//, '') ?? '',
      period: period?.name ?? '',
      due: period === null ? '' : this.#time(period.dueAt, period.timeZone),
    };
  }

  #time(time: string, timeZone: string): string {
    return new Intl.DateTimeFormat(this.#language, { ...TIME, timeZone }).format(new Date(time));
  }

  #fill(template: string, values: Readonly<Record<string, string | number>>): string {
    let format = this.#formats.get(template);
    if (format === undefined) {
      // A text of ours has no tags: what stands in angle brackets is text.
      format = new IntlMessageFormat(template, this.#language, undefined, { ignoreTag: true });
      this.#formats.set(template, format);
    }
    return String(format.format({ ...values }));
  }
}
