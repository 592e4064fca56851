import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { TerraformLocal, type TerraformStack } from 'cdktf';
import { commonVariables, type OWN_TAGS } from '../settings/common-variables.ts';
import { planVariable } from './plan-variable.ts';

const AWS_PROVIDER_VERSION = '~> 6.25';

/** What the AWS provider of a stack depends on. */
export interface AwsProviderSettings {
  readonly aws_region: string;
  readonly aws_profile: string;
  /** Account that credentials must be of; empty for any. */
  readonly account_id: string;
  /** Other accounts whose ARNs and registries may occur in the stack; nothing of Terraform's reads them. */
  readonly trusted_accounts: readonly string[];
  readonly fips_endpoints: boolean;
  /** Role in the account, which the credentials assume; empty for none. */
  readonly assume_role_arn: string;
  readonly assume_role_external_id: string;
  /** Default tags of every resource. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Configures the AWS provider of a stack, and its variable `aws_profile`, which may be empty for the
 * ambient credentials.
 */
export function configureAwsProvider(stack: TerraformStack, settings: AwsProviderSettings): void {
  planVariable(stack, 'aws_profile', commonVariables.aws_profile, settings.aws_profile);
  new AwsProvider(stack, 'aws', {
    region: settings.aws_region,
    profile: AWS_PROFILE_OR_NULL,
    ...(settings.account_id !== '' && { allowedAccountIds: [settings.account_id] }),
    ...(settings.assume_role_arn !== '' && {
      assumeRole: [
        {
          roleArn: settings.assume_role_arn,
          ...(settings.assume_role_external_id !== '' && {
            externalId: settings.assume_role_external_id,
          }),
        },
      ],
    }),
    ...(settings.fips_endpoints && { useFipsEndpoint: true }),
    defaultTags: [{ tags: settings.tags }],
  });
  // The audit judges the JSON alone, and so has to find there whom the stack may name.
  if (settings.trusted_accounts.length > 0) {
    new TerraformLocal(stack, 'trusted_accounts', [...settings.trusted_accounts]);
  }
  stack.addOverride('terraform.required_providers.aws', {
    source: 'hashicorp/aws',
    version: AWS_PROVIDER_VERSION,
  });
}

const AWS_PROFILE_OR_NULL = '${var.aws_profile == "" ? null : var.aws_profile}';

/** Tags of every resource of a stack; a tag of the settings takes precedence over ours of the same name. */
export function defaultTags(
  environment: string,
  component: string,
  tags: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const own: Readonly<Record<(typeof OWN_TAGS)[number], string>> = {
    Component: component,
    Environment: environment,
    ManagedBy: 'terraform',
  };
  return { ...own, ...tags };
}
