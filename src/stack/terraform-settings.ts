import { LocalBackend, S3Backend, type TerraformStack } from 'cdktf';

/** Oldest Terraform that knows write-only arguments and S3 lock files. */
const TERRAFORM_VERSION = '>= 1.11.0';

/** The folder that holds cdktf.out, seen from cdktf.out/stacks/<stack>: a new synth never touches it. */
const BESIDE_OUTPUT = '../../..';

/** Where a stack's state is kept. */
export interface StateSettings {
  readonly aws_region: string;
  readonly fips_endpoints: boolean;
  readonly state_bucket: string;
  readonly state_key_prefix: string;
  readonly state_region: string;
  readonly state_kms_key_arn: string;
  /** Role that the backend assumes; empty for none. */
  readonly state_role_arn: string;
  readonly assume_role_external_id: string;
}

/**
 * Sets the Terraform version and the backend: S3 with a lock file and encryption when `state_bucket`
 * is set, else a local file under a relative path, since cdktf's own default writes an absolute one.
 */
export function configureTerraform(
  stack: TerraformStack,
  environment: string,
  settings: StateSettings,
): void {
  stack.addOverride('terraform.required_version', TERRAFORM_VERSION);
  const name = stack.node.id;
  if (settings.state_bucket === '') {
    new LocalBackend(stack, { path: `${BESIDE_OUTPUT}/terraform.${environment}.${name}.tfstate` });
    return;
  }
  new S3Backend(stack, {
    bucket: settings.state_bucket,
    key: `${settings.state_key_prefix}/${environment}/${name}.tfstate`,
    region: settings.state_region || settings.aws_region,
    encrypt: true,
    ...(settings.state_kms_key_arn && { kmsKeyId: settings.state_kms_key_arn }),
  });
  stack.addOverride('terraform.backend.s3.use_lockfile', true);
  if (settings.state_role_arn !== '') {
    const { state_role_arn: role_arn, assume_role_external_id: external_id } = settings;
    // cdktf's own property of it writes a block, which is deprecated for an argument.
    stack.addOverride('terraform.backend.s3.assume_role', {
      role_arn,
      ...(external_id !== '' && { external_id }),
    });
  }
  if (settings.fips_endpoints) stack.addOverride('terraform.backend.s3.use_fips_endpoint', true);
}
