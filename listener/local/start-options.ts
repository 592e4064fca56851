import { parseArgs } from 'node:util';

/** What `npm start` was asked for. */
export interface StartOptions {
  readonly once: boolean;
  readonly help: boolean;
  /** Whether notices are sent to a mailbox of this machine. */
  readonly mail: boolean;
  readonly data: string;
  readonly state: string;
  /** A rule set; undefined: that of the environment, else the one that comes with the repository. */
  readonly rules?: string;
  /** A synthesized stack; undefined: synthesize now. */
  readonly stack?: string;
}

/** `npm start` was called in a way that can't work; one line. */
export class StartOptionError extends Error {
  override readonly name = 'StartOptionError';
}

export const START_HELP = `The whole flow on this machine, configured by the synthesized stack.

  --once          judge what is in the drop folder, print the verdicts, end
  --data FOLDER   the drop folder; its first level is the bucket (data)
  --state FOLDER  the database (.local)
  --rules FOLDER  a rule set (environments/<name>/rules, else listener/seed)
  --mail          send notices, as by e-mail, to the folder mail/ of the state
  --stack FILE    a synthesized cdk.tf.json of the stack file-processing, in place of a synthesis
  -h, --help      this text

PORT, METRICS_PORT and ROUTING_TARGETS in the environment take precedence over those of the stack.
Notices are those of --mail, or of NOTICE_EMAIL and the like in the environment: nobody whom the stack names hears of a trial.
`;

const OVERRIDES = /^(PORT|METRICS_PORT|ROUTING_TARGETS|NOTICE_[A-Z_]+)$/;

/**
 * Variables of the listener that the user sets for this machine, in the place of those of the stack.
 * Empty ones count as absent, as everywhere.
 */
export function startOverrides(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value && OVERRIDES.test(name)) overrides[name] = value;
  }
  return overrides;
}

/** @throws {StartOptionError} */
export function startOptions(parameters: readonly string[]): StartOptions {
  const options = parsed(parameters);
  for (const name of ['data', 'state', 'rules', 'stack'] as const) {
    if (options[name] === '') throw problem(`Option '--${name}' is empty`);
  }
  return options;
}

function parsed(parameters: readonly string[]): StartOptions {
  try {
    const { values } = parseArgs({
      args: [...parameters],
      options: {
        once: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        mail: { type: 'boolean', default: false },
        data: { type: 'string', default: 'data' },
        state: { type: 'string', default: '.local' },
        rules: { type: 'string' },
        stack: { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    // What follows the first sentence explains Node's own rules.
    throw problem((error as Error).message.split(/\.\s/)[0] ?? '');
  }
}

function problem(text: string): StartOptionError {
  return new StartOptionError(`${text}; npm start -- --help lists the options`);
}
