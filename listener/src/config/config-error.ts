/** One thing that is wrong with the environment. */
export interface ConfigFault {
  /** The variable's name. */
  readonly variable: string;
  /** What it held; left out when nothing was set, and always for a secret. */
  readonly value?: string;
  /** What would be right, as a phrase: `a whole number from 1 to 64`. */
  readonly allowed: string;
  /** Why it is refused, when the value alone does not say it. */
  readonly problem?: string;
}

/** Every fault of the environment in one error, so that one restart mends them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Stable, for callers that map errors to exit codes. */
  readonly code = 'CONFIG_INVALID';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const heading = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    super(
      `${heading} in the environment:\n${faults.map((fault) => `- ${line(fault)}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

function line({ variable, value, allowed, problem }: ConfigFault): string {
  const shown = value === undefined ? variable : `${variable}=${JSON.stringify(value)}`;
  return `${shown}: ${problem ?? 'not allowed'}; allowed: ${allowed}`;
}
