/** One thing that was tried, for people and for `--json`. */
export interface CheckResult {
  /** What was tried, such as `database schema`. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly found: string;
  /** What to do about it; only where it is not ok. */
  readonly next?: string;
}

/** A line each, and below a red one what to do. */
export function checkTable(results: readonly CheckResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  return results
    .map(({ name, ok, found, next }) => {
      const line = `${ok ? 'ok ' : 'RED'}  ${name.padEnd(width)}  ${found}\n`;
      return next === undefined ? line : `${line}     ${' '.repeat(width)}  next: ${next}\n`;
    })
    .join('');
}
