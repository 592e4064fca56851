import { join } from 'node:path';
import { type Environment, loadEnvironment } from '../../settings/environment.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { formatFinding } from '../../settings/finding.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { CommonOptions, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import type { RunOptions, Writer } from '../runner.ts';
import { signInOf } from '../target.ts';
import { readStackJson, type StackJson, type StackName } from './stacks.ts';
import { synthesize } from './synthesize.ts';
import { type Terraform, terraformOn, terraformProgram } from './terraform.ts';
import { checkVariables } from './variables.ts';

/** A stack, just synthesized, with Terraform at work in its folder. */
export interface OpenStack {
  readonly name: StackName;
  readonly environment: string;
  readonly settings: FileProcessingSettings;
  /** Folder of its Terraform JSON. */
  readonly folder: string;
  readonly json: StackJson;
  readonly terraform: Terraform;
  readonly clients: AwsClients;
}

/** How a stack is opened. */
export interface OpenOptions extends CommonOptions {
  /** Values of Terraform variables, by name. @default none */
  readonly variables?: Readonly<Record<string, string>>;
}

/** How `terraform init` is run. */
export interface InitOptions {
  /** More parameters, such as -upgrade. */
  readonly parameters: readonly string[];
  /** @default 'capture': it is only heard of when it fails */
  readonly output: RunOptions['output'];
}

/**
 * Synthesizes an environment and initializes Terraform in one of its stacks; both are quick when
 * nothing changed, and neither touches AWS (but for a state in S3).
 *
 * @throws SettingsError with every fault of the tfvars
 * @throws OperationError when --region is another than the stack's, or synthesis or init fail
 */
export async function openStack(
  context: OperationContext,
  options: OpenOptions,
  name: StackName,
  init: InitOptions = { parameters: [], output: 'capture' },
): Promise<OpenStack> {
  const environment = loadEnvironment(context.root, options.environment, context.clock.now());
  const [own, warnings] = settingsOf(environment, name);
  refuseOtherRegion(options.region, own.aws_region, name);
  for (const warning of warnings) context.stderr.write(`warning: ${formatFinding(warning)}\n`);
  const secrets = [
    ...['db_password', 'console_secret', 'console_tokens'],
    ...['scaler_password', 'otlp_headers'],
  ];
  if (context.env.TF_LOG && secrets.some((name) => context.env[`TF_VAR_${name}`])) {
    context.stderr.write('warning: TF_LOG makes providers log what they send, the password too\n');
  }

  const folder = join(await synthesize(context, environment.name), 'stacks', name);
  const json = await readStackJson(folder);
  checkVariables(options.variables ?? {}, json);
  const profile = options.profile ?? own.aws_profile;
  const show = options.json ? 'progress' : 'stream';
  const terraform = terraformOn({
    run: context.run,
    program: terraformProgram(context.env),
    folder,
    env: backendEnvironment(profile, context.env),
    variables: {
      ...(options.profile === undefined ? {} : { aws_profile: options.profile }),
      ...options.variables,
    },
    show,
    colors: showsColors(show === 'stream' ? context.stdout : context.stderr, context.env),
  });
  await terraform.init(init.parameters, init.output);
  return {
    name,
    environment: environment.name,
    settings: environment.fileProcessing,
    folder,
    json,
    terraform,
    clients: context.aws({ region: own.aws_region, profile, ...signInOf(own) }),
  };
}

function settingsOf(environment: Environment, name: StackName) {
  const { warnings } = environment;
  if (name === 'file-processing') {
    return [environment.fileProcessing, warnings.fileProcessing] as const;
  }
  if (name === 'foundation-network' && environment.foundationNetwork) {
    return [environment.foundationNetwork, warnings.foundationNetwork] as const;
  }
  if (name === 'postgres-on-demand' && environment.postgresOnDemand) {
    return [environment.postgresOnDemand, warnings.postgresOnDemand] as const;
  }
  const file = `environments/${environment.name}/${name.replaceAll('-', '_')}.tfvars`;
  throw new OperationError(`environment ${environment.name} has no ${name}`, {
    next:
      name === 'foundation-network'
        ? `its network is ${networkOfOthers(environment.fileProcessing)}; for one of its own, take that out and add ${file}`
        : `${file} makes one; it may be empty`,
    code: EXIT.usage,
  });
}

function networkOfOthers({ create_cluster, cluster_name, vpc_id }: Environment['fileProcessing']) {
  return create_cluster
    ? `the existing one that vpc_id names (${vpc_id})`
    : `that of the existing cluster ${cluster_name} (create_cluster = false)`;
}

function refuseOtherRegion(wanted: string | undefined, own: string, name: StackName): void {
  if (wanted === undefined || wanted === own) return;
  throw new OperationError(`--region ${wanted} is not ${own}, which ${name} is synthesized for`, {
    next: 'set aws_region in the tfvars file, or leave --region out',
    code: EXIT.usage,
  });
}

/** A terminal does, unless NO_COLOR (no-color.org) is set. */
function showsColors(writer: Writer, { NO_COLOR }: OperationContext['env']): boolean {
  return !NO_COLOR && 'isTTY' in writer && writer.isTTY === true;
}

/** The S3 backend can't read a variable: it finds the profile in the environment, if at all. */
function backendEnvironment(
  profile: string,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return profile === '' || env.AWS_PROFILE ? {} : { AWS_PROFILE: profile };
}
