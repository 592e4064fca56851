import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProgramResult, run } from '../../support/run-program.ts';
import { findProviderMirror } from './provider-mirror.ts';

/** What may be said to a command that reads the configuration. */
export interface CommandOptions {
  /** Values of Terraform variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Resource addresses to which the command is limited. */
  readonly targets?: readonly string[];
}

/** One resource that a plan would change. */
export interface ResourceChange {
  readonly address: string;
  /** As in Terraform's JSON output format: `['create']`, `['delete', 'create']`, and so on. */
  readonly actions: readonly string[];
  /** The address's import, where the plan has one. */
  readonly importing?: { readonly id: string };
}

/** A plan, and what it would do. */
export interface Plan {
  /** 0: nothing to do; 2: something to do. */
  readonly exitCode: 0 | 2;
  /** Resources that would change; empty when nothing is to be done. */
  readonly changes: readonly ResourceChange[];
  /** Terraform's JSON output format in full (`terraform show -json`); empty where nothing is to be done. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The plan as Terraform shows it to its user. */
  readonly text: string;
}

/** The commands of a real Terraform in one folder, against one AWS endpoint. */
export interface Terraform {
  init(): Promise<void>;
  validate(): Promise<void>;
  /** @returns Terraform's own output */
  apply(options?: CommandOptions): Promise<string>;
  plan(options?: CommandOptions): Promise<Plan>;
  /** Applies the last plan, without making it anew. @returns Terraform's own output */
  applyPlan(): Promise<string>;
  /** The values of all outputs by name, sensitive ones too. */
  outputs(): Promise<Record<string, unknown>>;
  importResource(address: string, id: string, options?: CommandOptions): Promise<void>;
  /** Types of the resources and data sources of a provider, such as `aws_sns_topic`. */
  types(provider: string): Promise<string[]>;
  /** Addresses of everything in the state. */
  stateList(): Promise<string[]>;
  /** Takes resources out of the state, and leaves them as they are. */
  forget(addresses: readonly string[]): Promise<void>;
  destroy(options?: CommandOptions): Promise<string>;
  /** Removes what was written outside the work folder. */
  close(): Promise<void>;
}

/** A command that failed, with Terraform's own message. */
export class TerraformError extends Error {
  override readonly name = 'TerraformError';
  readonly exitCode: number;
  readonly output: string;

  constructor(command: readonly string[], result: ProgramResult) {
    // Errors go to stderr; with -json or a prompt some of them go to stdout alone.
    const message = result.stderr.trim() || result.stdout.trim();
    super(`terraform ${command.join(' ')} ended with ${result.exitCode}:\n${message}`);
    this.exitCode = result.exitCode;
    this.output = `${result.stdout}${result.stderr}`;
  }
}

/** The AWS that Terraform is to talk to. */
export interface AwsOfTest {
  /** The emulator's URL. */
  readonly url: string;
  /** What leads Terraform to a provider that runs already. @default Terraform starts its own */
  readonly attached?: Readonly<Record<string, string>>;
}

/** Options of {@link terraformIn}. */
export interface TerraformOptions {
  readonly aws: AwsOfTest;
  /** More environment, such as `TF_VAR_...`. @default none */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Terraform in a work folder that holds a configuration, with dummy credentials and a CLI
 * configuration of its own: nothing of the user's AWS or Terraform settings is used.
 */
export function terraformIn(workDirectory: string, options: TerraformOptions): Terraform {
  const cliConfigDirectory = mkdtempSync(join(tmpdir(), 'terraform-cli-'));
  const environment = {
    ...terraformEnvironment(options.aws, cliConfigDirectory),
    ...options.environment,
  };

  const terraform = async (command: readonly string[], accepted: readonly number[] = [0]) => {
    const result = await run('terraform', command, { directory: workDirectory, environment });
    if (!accepted.includes(result.exitCode)) throw new TerraformError(command, result);
    return result;
  };

  return {
    init: async () => {
      await terraform(['init', '-input=false', '-no-color']);
    },
    validate: async () => {
      await terraform(['validate', '-no-color']);
    },
    apply: async (commandOptions) => {
      const command = ['apply', '-auto-approve', ...common, ...flags(commandOptions)];
      return (await terraform(command)).stdout;
    },
    plan: async (commandOptions) => {
      const command = ['plan', '-detailed-exitcode', `-out=${planFile}`];
      const planned = await terraform([...command, ...common, ...flags(commandOptions)], [0, 2]);
      const text = planned.stdout;
      // Terraform's own word: neither a resource nor an output would change.
      if (planned.exitCode === 0) return { exitCode: 0, changes: [], json: {}, text };
      const shown = await terraform(['show', '-json', planFile]);
      const json = JSON.parse(shown.stdout) as PlanJson;
      return { exitCode: 2, changes: changesOf(json), json: json as Record<string, unknown>, text };
    },
    applyPlan: async () => (await terraform(['apply', ...common, planFile])).stdout,
    outputs: async () => {
      const { stdout } = await terraform(['output', '-json', '-no-color']);
      const outputs = JSON.parse(stdout) as Record<string, { value: unknown }>;
      return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
    },
    importResource: async (address, id, commandOptions) => {
      const command = ['import', '-input=false', '-no-color', ...flags(commandOptions)];
      await terraform([...command, address, id]);
    },
    types: async (provider) => {
      const { stdout } = await terraform(['providers', 'schema', '-json']);
      const { provider_schemas: schemas } = JSON.parse(stdout) as ProviderSchemas;
      const { resource_schemas: resources, data_source_schemas: dataSources } =
        schemas[provider] ?? {};
      return Object.keys({ ...resources, ...dataSources });
    },
    stateList: async () => {
      const { stdout } = await terraform(['state', 'list']);
      return stdout.split('\n').filter((line) => line !== '');
    },
    forget: async (addresses) => {
      await terraform(['state', 'rm', ...addresses]);
    },
    destroy: async (commandOptions) => {
      const command = ['destroy', '-auto-approve', ...common, ...flags(commandOptions)];
      return (await terraform(command)).stdout;
    },
    close: () => rm(cliConfigDirectory, { recursive: true, force: true }),
  };
}

/**
 * The environment in which Terraform, or the cdktf CLI, talks to the emulator and to nothing else.
 *
 * @param cliConfigDirectory - a folder of the test's own, into which the CLI configuration goes
 */
export function terraformEnvironment(
  aws: AwsOfTest,
  cliConfigDirectory: string,
): NodeJS.ProcessEnv {
  const cliConfigFile = join(cliConfigDirectory, 'terraform.tfrc');
  if (!existsSync(cliConfigFile)) writeFileSync(cliConfigFile, cliConfig(findProviderMirror()));
  return {
    ...awsEnvironment(aws.url),
    ...aws.attached,
    TF_CLI_CONFIG_FILE: cliConfigFile,
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
  };
}

/** The environment in which an AWS client talks to the emulator and to nothing else. */
export function awsEnvironment(endpoint: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS|TF)_/.test(name));
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    // The provider writes megabytes for each command, whether or not anybody reads them.
    TF_LOG_SDK: 'off',
    TF_LOG_PROVIDER: 'off',
  };
}

function cliConfig(mirror: string | undefined): string {
  if (mirror === undefined) return '';
  return `provider_installation {
  filesystem_mirror {
    path = ${JSON.stringify(mirror)}
  }
}
`;
}

const planFile = 'test.tfplan';

// Most of an apply is the provider waiting: more of it side by side costs nothing.
const common = ['-input=false', '-no-color', '-parallelism=30'];

function flags({ variables = {}, targets = [] }: CommandOptions = {}): string[] {
  return [
    ...Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`),
    ...targets.map((target) => `-target=${target}`),
  ];
}

interface ProviderSchemas {
  readonly provider_schemas: Readonly<
    Record<string, { readonly resource_schemas?: object; readonly data_source_schemas?: object }>
  >;
}

interface PlanJson {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly importing?: { readonly id: string };
    };
  }[];
}

function changesOf({ resource_changes: changes = [] }: PlanJson): ResourceChange[] {
  return changes
    .map(({ address, change: { actions, importing } }) => ({ address, actions, importing }))
    .filter(
      ({ actions, importing }) =>
        importing !== undefined ||
        actions.some((action) => action !== 'no-op' && action !== 'read'),
    );
}
