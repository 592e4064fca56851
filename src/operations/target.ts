import { isRegion } from '@file-processing/contract/partition.ts';
import { type Environment, loadEnvironment } from '../settings/environment.ts';
import type { AwsClients, AwsTarget } from './aws-clients.ts';
import type { CommonOptions, OperationContext } from './operation.ts';
import { EXIT, OperationError } from './operation-error.ts';

/** The environment that a command works on, and how it signs in there. */
export interface Target {
  readonly environment: Environment;
  readonly region: string;
  /** Empty takes the ambient credentials. */
  readonly profile: string;
  readonly clients: AwsClients;
}

/**
 * Reads the environment's settings; `--profile` and `--region` take precedence.
 *
 * @throws SettingsError with every fault of the tfvars
 * @throws OperationError (usage) when --region is not a region
 */
export function targetOf(context: OperationContext, options: CommonOptions): Target {
  const environment = loadEnvironment(context.root, options.environment, context.clock.now());
  const region = options.region ?? environment.fileProcessing.aws_region;
  if (!isRegion(region)) {
    throw new OperationError(
      `--region ${region} is not a region; one such as us-gov-west-1 is needed`,
      {
        code: EXIT.usage,
      },
    );
  }
  const profile = options.profile ?? environment.fileProcessing.aws_profile;
  return {
    environment,
    region,
    profile,
    clients: context.aws(awsTargetOf(environment, region, profile)),
  };
}

/** Where the clients of an environment call. */
export function awsTargetOf(
  { fileProcessing: { fips_endpoints } }: Environment,
  region: string,
  profile: string,
): AwsTarget {
  return { region, profile, ...(fips_endpoints && { fips: true }) };
}
