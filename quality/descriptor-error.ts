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

export function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString);
}

/** A value as it may stand in a message: JSON, cut at 80 characters. */
export function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 79)}\u2026` : json;
}
