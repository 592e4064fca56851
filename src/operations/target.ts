import { isRegion } from '@file-processing/contract/partition.ts';
import { type Environment, loadEnvironment } from '../settings/environment.ts';
import { type AwsClients, type AwsTarget, roleCredentials } from './aws-clients.ts';
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
  { fileProcessing }: Environment,
  region: string,
  profile: string,
): AwsTarget {
  return { region, profile, ...signInOf(fileProcessing) };
}

/** As whom, and to which endpoints, the clients of a stack call. */
export function signInOf(settings: {
  readonly assume_role_arn: string;
  readonly assume_role_external_id: string;
  readonly fips_endpoints: boolean;
}): Pick<AwsTarget, 'assumeRole' | 'fips'> {
  const { assume_role_arn: arn, assume_role_external_id: externalId, fips_endpoints } = settings;
  return {
    ...(fips_endpoints && { fips: true }),
    ...(arn !== '' && { assumeRole: { arn, externalId } }),
  };
}

/**
 * Variables by which a program of the AWS CLI, or kubectl, calls as `assume_role_arn`; none where there is none, and
 * the program takes the profile. They hold for an hour.
 */
export async function roleEnvironment(
  context: OperationContext,
  { environment, region, profile }: Pick<Target, 'environment' | 'region' | 'profile'>,
): Promise<Readonly<Record<string, string | undefined>>> {
  const { assumeRole, ...own } = awsTargetOf(environment, region, profile);
  if (assumeRole === undefined) return {};
  const sts = await context.aws(own).sts();
  const { accessKeyId, secretAccessKey, sessionToken } = await roleCredentials(sts, assumeRole);
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_PROFILE: undefined,
  };
}
