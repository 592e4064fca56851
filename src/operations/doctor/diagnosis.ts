import { asAwsError } from '../aws-error-text.ts';
import { OperationError } from '../operation-error.ts';

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
