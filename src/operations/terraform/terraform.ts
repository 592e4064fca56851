import { OperationError } from '../operation-error.ts';
import type { Runner, RunOptions, RunResult } from '../runner.ts';
import type { PlanJson, StateJson } from './plan-json.ts';

/** What is planned. */
export interface PlanRequest {
  /** Where the plan goes: what is applied later is this file. */
  readonly file: string;
  /** Resources that the plan is limited to, and what they refer to. @default all */
  readonly targets?: readonly string[];
  /** Plan to destroy. @default false */
  readonly destroy?: boolean;
  /** Show nothing. @default false */
  readonly quiet?: boolean;
  /** Read the plan also where nothing is to be done: it tells what drifted meanwhile. @default false */
  readonly always?: boolean;
}

/** A plan that lies in its file. */
export interface Plan {
  readonly json: PlanJson;
  /** Nothing is to be done, outputs included. */
  readonly isEmpty: boolean;
}

/** An output of a stack. */
export interface Output {
  readonly value: unknown;
  readonly sensitive: boolean;
}

/** The commands of Terraform on one stack. */
export interface Terraform {
  /** @param parameters - more parameters, such as -upgrade */
  init(parameters: readonly string[], output: RunOptions['output']): Promise<void>;
  state(): Promise<StateJson>;
  plan(request: PlanRequest): Promise<Plan>;
  /** Applies a plan that {@link Terraform.plan} wrote. */
  apply(file: string): Promise<void>;
  outputs(): Promise<Readonly<Record<string, Output>>>;
  importResource(address: string, id: string): Promise<void>;
  /** Takes a resource out of the state; what it stands for stays as it is. */
  removeFromState(address: string): Promise<void>;
}

/** What Terraform is run with. */
export interface TerraformProps {
  readonly run: Runner;
  /** What {@link terraformProgram} says. */
  readonly program: string;
  /** Folder of the synthesized stack. */
  readonly folder: string;
  /** Variables added to its environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of Terraform variables; a secret comes by its environment instead. */
  readonly variables: Readonly<Record<string, string>>;
  /** How its output is shown. */
  readonly show: 'stream' | 'progress';
  /** Terraform colours its output in a pipe too. */
  readonly colors: boolean;
}

/**
 * The program that commands run: Terraform, or OpenTofu by `TERRAFORM_BINARY=tofu`.
 *
 * @returns a name on the path, or a path
 */
export function terraformProgram(env: Readonly<Record<string, string | undefined>>): string {
  return env.TERRAFORM_BINARY || 'terraform';
}

/**
 * Terraform on a stack's folder, without a question of its own: a value that is missing is an error.
 * Every command throws an {@link OperationError} when Terraform fails.
 */
export function terraformOn({
  run,
  program,
  folder,
  env,
  variables,
  show,
  colors,
}: TerraformProps): Terraform {
  const terraform = async (
    command: string,
    parameters: readonly string[],
    output: RunOptions['output'],
    accepted: readonly number[] = [0],
  ): Promise<RunResult> => {
    const noColor = colors ? [] : ['-no-color'];
    const result = await run(
      program,
      [`-chdir=${folder}`, ...command.split(' '), ...noColor, ...parameters],
      {
        env: { ...env, TF_IN_AUTOMATION: '1' },
        output,
      },
    );
    if (!accepted.includes(result.code)) throw failureOf(program, command, result, output);
    return result;
  };
  const json = async <T>(command: string, parameters: readonly string[]): Promise<T> => {
    const { stdout } = await terraform(command, ['-json', ...parameters], 'capture');
    return JSON.parse(stdout) as T;
  };
  const assignments = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);

  return {
    init: async (parameters, output) => {
      const input = output === 'inherit' ? [] : ['-input=false'];
      await terraform('init', [...input, ...parameters], output);
    },
    state: async () => {
      const { stdout } = await terraform('state pull', [], 'capture');
      // Nothing at all before there is a state.
      return stdout.trim() === '' ? {} : (JSON.parse(stdout) as StateJson);
    },
    plan: async ({ file, targets = [], destroy = false, quiet = false, always = false }) => {
      const { code } = await terraform(
        'plan',
        [
          ...['-input=false', '-detailed-exitcode', `-out=${file}`],
          ...(destroy ? ['-destroy'] : []),
          ...targets.map((target) => `-target=${target}`),
          ...assignments,
        ],
        quiet ? 'capture' : show,
        [0, 2],
      );
      const isEmpty = code === 0;
      return { json: isEmpty && !always ? {} : await json<PlanJson>('show', [file]), isEmpty };
    },
    apply: async (file) => {
      await terraform('apply', ['-input=false', file], show);
    },
    outputs: () => json('output', []),
    importResource: async (address, id) => {
      await terraform('import', ['-input=false', ...assignments, address, id], show);
    },
    removeFromState: async (address) => {
      await terraform('state rm', [address], 'capture');
    },
  };
}

function failureOf(
  program: string,
  command: string,
  { code, stdout, stderr }: RunResult,
  output: RunOptions['output'],
): OperationError {
  const written = `${stdout}${stderr}`;
  const next = nextAfter(command, written);
  return new OperationError(
    // What was captured has not been shown yet.
    `${program} ${command} ended with ${code}${output === 'capture' ? `:\n${written.trim()}` : ''}`,
    { code, ...(next !== undefined && { next }) },
  );
}

function nextAfter(command: string, written: string): string | undefined {
  if (command === 'apply') {
    return 'what was done so far is in the state; run the same command again, and it continues from there';
  }
  if (/failed to get shared config profile|No valid credential sources found/.test(written)) {
    return 'sign in (aws sso login), or set aws_profile to a profile that there is; empty takes the credentials of the environment';
  }
  if (command === 'init' && /Failed to query available provider packages/.test(written)) {
    return 'let Terraform reach its registry, or name a mirror of it in its CLI configuration (provider_installation in ~/.terraformrc)';
  }
  if (command === 'init' && /Backend configuration (changed|block has changed)/.test(written)) {
    return 'if state_bucket was changed on purpose, npm run manage -- init --migrate-state moves the state';
  }
  return undefined;
}
