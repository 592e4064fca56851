import { asAwsError, OperationError } from '../operation-error.ts';

/** One thing that was looked at. */
export interface Diagnosis {
  /** What, such as `credentials`. */
  readonly name: string;
  /** `warn` does not keep anything from working; `skipped` needs something that is red. */
  readonly state: 'ok' | 'warn' | 'red' | 'skipped';
  /** What was found, or what is wrong. */
  readonly found: string;
  /** What to do about it. */
  readonly next?: string;
}

/** Looks at something; a failure is a red line, not an end. */
export async function diagnose(
  name: string,
  look: () => Promise<Omit<Diagnosis, 'name'>>,
): Promise<Diagnosis> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    const known = error instanceof OperationError ? error : asAwsError(error);
    if (known === undefined) throw error;
    const { message: found, next } = known;
    return { name, state: 'red', found, ...(next === undefined ? {} : { next }) };
  }
}

/** A line each, and below one that is not ok what to do. */
export function diagnosisTable(diagnoses: readonly Diagnosis[]): string {
  const width = Math.max(...diagnoses.map(({ name }) => name.length));
  return diagnoses
    .map(({ name, state, found, next }) => {
      const mark = state === 'red' ? 'RED' : state;
      const line = `${mark.padEnd(7)}  ${name.padEnd(width)}  ${found}\n`;
      return next === undefined ? line : `${line}${' '.repeat(width + 11)}next: ${next}\n`;
    })
    .join('');
}

interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  readonly next?: string;
}

/**
 * What `file-processing check --json` printed, as diagnoses.
 *
 * @param place - appended to each name
 * @returns none where it printed no list, as when its settings are faulty
 */
export function checksOfListener(stdout: string, place: string): readonly Diagnosis[] {
  const results = listIn(stdout);
  return results.map(({ name, ok, found, next }) => ({
    name: `${name}${place}`,
    state: ok ? 'ok' : 'red',
    found,
    ...(next === undefined ? {} : { next }),
  }));
}

function listIn(stdout: string): readonly CheckResult[] {
  try {
    const value: unknown = JSON.parse(stdout);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
