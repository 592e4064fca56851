import { distance } from 'fastest-levenshtein';
import type { TfvarsValue } from './tfvars/tfvars-value.ts';

/** Something to say about a tfvars file. */
export interface Finding {
  readonly file: string;
  /** 1-based; absent where the finding is about a variable that the file leaves out. */
  readonly line?: number;
  readonly variable?: string;
  /** The offending value; absent where it may be a secret. */
  readonly value?: TfvarsValue;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

const LONGEST_VALUE = 120;

/** More of one kind than anybody reads are counted. */
const MOST_FINDINGS = 100;

/** One line: `file:line: variable = value: message`. */
export function formatFinding({ file, line, variable, value, message }: Finding): string {
  const place = line === undefined ? file : `${file}:${line}`;
  const subject = variable === undefined ? [] : [variable + formatValue(value)];
  return [place, ...subject, message].join(': ');
}

function formatValue(value: TfvarsValue | undefined): string {
  if (value === undefined) return '';
  const text = JSON.stringify(value, (_, item) =>
    typeof item === 'string' ? withoutCredentials(item) : item,
  );
  return ` = ${text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text}`;
}

/**
 * What a message may show of an address that is refused for the password in it: messages end in logs of others. A
 * password may hold any character, so all of the text before the last `@` goes.
 */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/.*@/s, '//…@').replace(/^[^\s/:@]+:[^\s/]*@(?=[^\s/:@]+:\d+\/?$)/, '…@');
}

/** The settings can't be used; the message lists every fault, and the warnings that may explain one, each a line. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly faults: readonly Finding[];

  constructor(faults: readonly Finding[], warnings: readonly Finding[] = []) {
    super([...paragraph('fault', faults), ...paragraph('warning', warnings)].join('\n'));
    this.faults = faults;
  }
}

function paragraph(kind: string, findings: readonly Finding[]): readonly string[] {
  if (findings.length === 0) return [];
  const count = findings.length === 1 ? `1 ${kind}` : `${findings.length} ${kind}s`;
  const more = findings.length - MOST_FINDINGS;
  return [
    `${count} in the settings:`,
    ...inOrder(findings)
      .slice(0, MOST_FINDINGS)
      .map((finding) => `  ${formatFinding(finding)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** By file and line, as one goes through them; what a file leaves out comes after its lines. */
function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const files = new Map<string, number>();
  for (const { file } of findings) if (!files.has(file)) files.set(file, files.size);
  const rank = ({ file }: Finding) => files.get(file) ?? 0;
  const lineOf = ({ line }: Finding) => line ?? Number.MAX_SAFE_INTEGER;
  return findings.toSorted((a, b) => rank(a) - rank(b) || lineOf(a) - lineOf(b));
}

/** The name that a mistyped one probably stands for: at most two edits away, or a third of its letters. */
export function nearestName(mistyped: string, names: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(mistyped.length / 3));
  let nearest: string | undefined;
  let least = limit + 1;
  for (const name of names) {
    const edits = distance(mistyped, name);
    if (edits < least) [nearest, least] = [name, edits];
  }
  return nearest;
}
