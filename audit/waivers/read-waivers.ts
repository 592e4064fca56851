import { isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { isScannerRule, SHORTEST_REASON, type Waiver } from './waiver.ts';

/** Something that is wrong with the waiver file. */
export interface WaiverProblem {
  readonly rule: 'waiver-invalid' | 'waiver-expired' | 'waiver-unknown' | 'waiver-unused';
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

/** What a waiver file holds. */
export interface WaiverFile {
  readonly waivers: readonly Waiver[];
  readonly problems: readonly WaiverProblem[];
}

const FIELDS = ['rule', 'address', 'finding', 'environments', 'reason', 'owner', 'expires'];
const ADDRESS = /^[\w-]+\/[^*\s][^*]*$/;

/** Reads the text of a waiver file: a YAML list. An invalid entry waives nothing and is a problem. */
export function readWaivers(text: string): WaiverFile {
  const lines = new LineCounter();
  // Dates stay text.
  const document = parseDocument(text, { lineCounter: lines, schema: 'failsafe' });
  const broken = document.errors.map(
    ({ message, pos }): WaiverProblem => ({
      rule: 'waiver-invalid',
      line: lines.linePos(pos[0]).line,
      message: message.split('\n')[0] ?? message,
    }),
  );
  if (broken.length > 0) return { waivers: [], problems: broken };
  if (document.contents === null) return { waivers: [], problems: [] };
  if (!isSeq<ParsedNode>(document.contents)) {
    const message = 'The file must be a list of waivers.';
    return { waivers: [], problems: [{ rule: 'waiver-invalid', line: 1, message }] };
  }
  const entries = document.contents.items.map((item) => ({
    line: lines.linePos(item.range[0]).line,
    value: item.toJS(document) as unknown,
  }));
  const judged = entries.map(({ line, value }) => ({ line, value, faults: faultsOf(value) }));
  const waivers = judged
    .filter(({ faults }) => faults.length === 0)
    .map(({ line, value }) => ({ ...(value as Omit<Waiver, 'line'>), line }));
  const problems = judged.flatMap(({ line, faults }) =>
    faults.map((message): WaiverProblem => ({ rule: 'waiver-invalid', line, message })),
  );
  return { waivers, problems: [...problems, ...repeated(waivers)] };
}

function faultsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return ['A waiver must have the fields rule, address, reason, owner and expires.'];
  }
  const given = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((field) => !FIELDS.includes(field));
  const quoted = isScannerRule(String(given.rule)) ? [] : ['finding'];
  const missing = ['rule', 'address', ...quoted, 'reason', 'owner', 'expires'].filter((field) => {
    const text = given[field];
    return typeof text !== 'string' || text.trim() === '';
  });
  return [
    ...unknown.map(
      (field) => `${field} is no field of a waiver; allowed are ${FIELDS.join(', ')}.`,
    ),
    ...missing.map((field) => `${field} is missing or empty.`),
    ...wellFormed(given)
      .filter(({ field }) => !missing.includes(field))
      .map(({ message }) => message),
  ];
}

function wellFormed(given: Readonly<Record<string, unknown>>) {
  const { address, environments, reason, expires } = given;
  const faults: { readonly field: string; readonly message: string }[] = [];
  if (!ADDRESS.test(String(address))) {
    faults.push({
      field: 'address',
      message: `address ${String(address)} must be one exact address, such as file-processing/aws_sns_topic.events; there are no patterns.`,
    });
  }
  if (String(reason).trim().length < SHORTEST_REASON) {
    faults.push({
      field: 'reason',
      message: `reason must be at least ${SHORTEST_REASON} characters long and say why the finding is acceptable.`,
    });
  }
  if (!isDate(String(expires))) {
    faults.push({
      field: 'expires',
      message: `expires ${String(expires)} must be a day such as 2027-06-30.`,
    });
  }
  const names = environments ?? [''];
  if (!Array.isArray(names) || names.length === 0 || !names.every((n) => typeof n === 'string')) {
    faults.push({
      field: 'environments',
      message: 'environments must be a list of environments, or be left out.',
    });
  }
  return faults;
}

/** Whether a text is a day of the calendar, such as `2027-06-30`. */
function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.valueOf()) && date.toISOString().slice(0, 10) === text;
}

function repeated(waivers: readonly Waiver[]): readonly WaiverProblem[] {
  return waivers.flatMap((waiver, index) => {
    const first = waivers
      .slice(0, index)
      .find(({ rule, address }) => rule === waiver.rule && address === waiver.address);
    if (first === undefined) return [];
    const message = `${waiver.rule} on ${waiver.address} is waived on line ${first.line} already; name all environments there.`;
    return [{ rule: 'waiver-invalid', line: waiver.line, message }];
  });
}
