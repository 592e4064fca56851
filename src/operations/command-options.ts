import { keyProblem, MAX_KEY_BYTES } from '@file-processing/contract/s3-object.ts';
import { Argument, type Command as Commander, InvalidArgumentError, Option } from 'commander';
import { EXIT, OperationError } from './operation-error.ts';
import { DEFAULT_STACK, STACK_NAMES } from './terraform/stacks.ts';
import { addVariable } from './terraform/variables.ts';

/** The argument that names the stack. */
export function stackArgument(): Argument {
  return new Argument('[stack]', 'stack to work on').choices(STACK_NAMES).default(DEFAULT_STACK);
}

/** `--var`, once for each variable. */
export function varOption(): Option {
  return new Option(
    '--var <name=value>',
    'value of a Terraform variable that only fills a value (repeatable; secrets: TF_VAR_<name>)',
  )
    .default({}, 'none')
    .argParser(addVariable);
}

/** `--target`, once for each address. */
export function targetOption(): Option {
  return new Option('--target <address>', 'limit to a resource and what it refers to (repeatable)')
    .default([], 'all')
    .argParser((address: string, before: readonly string[] = []) => [...before, address]);
}

/** `--allow-cluster-replacement`, for a plan that does what is otherwise refused. */
export function allowReplacementOption(): Option {
  return new Option(
    '--allow-cluster-replacement',
    'allow replacing or deleting the cluster or the network, or replacing a role',
  ).default(false);
}

/** `--allow-message-loss`, for what is otherwise refused while messages wait. */
export function allowMessageLossOption(): Option {
  return new Option(
    '--allow-message-loss',
    'allow changes that lose messages: those waiting in a queue, or arriving while nothing accepts them',
  ).default(false);
}

/** `--wait`, in seconds. */
export function waitOption(description: string): Option {
  return new Option('--wait <seconds>', description).default(900).argParser((text: string) => {
    if (!/^\d{1,5}$/.test(text))
      throw new InvalidArgumentError('A whole number of seconds, 0 to 99999.');
    return Number(text);
  });
}

/** An option in seconds, at least one. */
export function secondsOption(flags: string, description: string, byDefault: number): Option {
  return new Option(flags, `${description}, in seconds`).default(byDefault).argParser((text) => {
    if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('1 to 99999999 are allowed.');
    return Number(text);
  });
}

/** `--auto-approve` and `--dry-run`, for what asks before it changes anything. */
export function withConsentOptions(command: Commander): Commander {
  return command
    .option('--auto-approve', 'do not ask', false)
    .option('--dry-run', 'plan and check, change nothing', false);
}

/**
 * Reads an option in seconds.
 *
 * @throws InvalidArgumentError where it is not a whole number from 0 to 3600
 */
export function wholeSeconds(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 0 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('A whole number of seconds from 0 to 3600 is needed.');
}

/**
 * Checks the key of an object.
 *
 * @throws OperationError (usage)
 */
export function checkKey(key: string): string {
  const problem = keyProblem(key);
  if (problem === undefined) return key;
  throw new OperationError(`the key ${problem}; 1 to ${MAX_KEY_BYTES} bytes of UTF-8 are needed`, {
    code: EXIT.usage,
  });
}
