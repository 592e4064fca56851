/** One thing wrong with a schema, a dialect or thresholds. */
export interface DescriptorProblem {
  /** Where, as a path into the descriptor: `schema.fields[2].constraints.minimum`. */
  readonly path: string;
  /** What was found there and what is allowed. */
  readonly message: string;
}

/** A property of a descriptor, as its author needs to know it. */
export interface DescriptorOption {
  readonly name: string;
  /** What holds when it is absent, in words. */
  readonly default: string;
  /** What may be given, as messages say it after "is needed". */
  readonly allowed: string;
  readonly meaning: string;
}

/** An expectation that can't be used, with everything that is wrong with it. */
export class DescriptorError extends Error {
  override readonly name = 'DescriptorError';
  readonly problems: readonly DescriptorProblem[];

  constructor(problems: readonly DescriptorProblem[]) {
    super(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
    this.problems = problems;
  }
}

/** Collects problems, so that a descriptor's author sees all of them at once. */
export class ProblemList {
  readonly problems: DescriptorProblem[] = [];

  add(path: string, message: string): void {
    this.problems.push({ path, message });
  }

  /** A property that is none of the known ones, with the known one that is written most like it. */
  unknown(path: string, name: string, known: readonly string[]): void {
    this.add(`${path}${name}`, unknownText(name, known));
  }

  /** The value as an object, or undefined with a problem noted. */
  object(path: string, value: unknown): Record<string, unknown> | undefined {
    if (isObject(value)) return value;
    this.add(path, `is ${show(value)}; an object is needed`);
    return undefined;
  }

  /** Checks an optional property against a test and says what is allowed when it fails. */
  optional<T>(
    path: string,
    value: unknown,
    test: (value: unknown) => value is T,
    allowed: string,
  ): T | undefined {
    if (value === undefined || test(value)) return value;
    this.add(path, `is ${show(value)}; ${allowed} is needed`);
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** What {@link isCount} allows, as messages say it. */
export const COUNT = 'a whole number from 0';

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** What {@link isShare} allows, as messages say it. */
export const SHARE = 'a number from 0 to 1';

export function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/**
 * Whether a number of a descriptor may be another one than its author wrote: JSON's are read as doubles, which beyond
 * 2^53 do not tell integers apart.
 */
export function isRounded(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(isRounded);
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

export function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString);
}

/** What is wrong with a name that is none of those that are known, with the one that was probably meant. */
export function unknownText(name: string, known: readonly string[]): string {
  const near = meantName(name, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `is not known${hint}; known: ${known.join(', ')}`;
}

/** The name that is written most like this one, or undefined where none is near: a third of its letters may differ. */
export function nearestName<Name extends string>(
  name: string,
  known: readonly Name[],
): Name | undefined {
  const wanted = name.toLowerCase().slice(0, LONGEST_NAME);
  let nearest: Name | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const edits = editDistance(wanted, candidate.toLowerCase().slice(0, LONGEST_NAME));
    // Names without a character in common are not near, however short they are.
    if (edits >= least || edits >= Math.max(wanted.length, candidate.length)) continue;
    least = edits;
    nearest = candidate;
  }
  return nearest;
}

/** The known name that a property or a type was probably meant to be: the one that is nearest, or that this one abbreviates. */
export function meantName<Name extends string>(
  name: string,
  known: readonly Name[],
): Name | undefined {
  const near = nearestName(name, known);
  if (near !== undefined || name.length < SHORTEST_ABBREVIATION) return near;
  const longer = known.filter((one) => one.toLowerCase().startsWith(name.toLowerCase()));
  return longer.sort((a, b) => a.length - b.length)[0];
}

const SHORTEST_ABBREVIATION = 3;

/** A label as it is compared when case, spaces, invisible characters and the like shall make no difference. */
export function plainName(label: string): string {
  return label
    .normalize('NFKC')
    .replace(/[\s_\-\p{Cf}\p{Cc}]/gu, '')
    .toLowerCase();
}

/** Characters of a name that are compared: the time goes with their square. */
const LONGEST_NAME = 64;

/** Characters to insert, delete or replace (V. Levenshtein, 1966). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** A value as it may stand in a message: JSON, cut at 80 characters. */
export function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 79)}\u2026` : json;
}
