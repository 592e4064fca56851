import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The constraint of the AWS provider that the stacks are synthesized with. */
const synthesizedConstraint = '~> 6.25';

/** Admits the older provider that a mirror without internet access may hold. */
const testedConstraint = '>= 5.100.0, < 7.0.0';

/**
 * Copies a synthesized stack for Terraform, with the AWS provider's version constraint relaxed
 * and nothing else changed.
 *
 * @throws Error when the stack's constraint is not the expected one.
 */
export async function copyForTerraform(
  synthesizedStackDirectory: string,
  workDirectory: string,
): Promise<void> {
  const synthesized = await readFile(join(synthesizedStackDirectory, 'cdk.tf.json'), 'utf8');
  await mkdir(workDirectory, { recursive: true });
  await writeFile(join(workDirectory, 'cdk.tf.json'), relaxAwsProvider(synthesized));
}

/**
 * Does the same to a stack that was synthesized as HCL, in its own folder.
 *
 * @throws Error when the stack's constraint is not the expected one.
 */
export async function relaxHclInPlace(stackDirectory: string): Promise<void> {
  const file = join(stackDirectory, 'cdk.tf');
  const hcl = await readFile(file, 'utf8');
  const constraint = JSON.stringify(synthesizedConstraint);
  if (!hcl.includes(constraint)) throw new Error(`${file} has no constraint ${constraint}`);
  await writeFile(file, hcl.replace(constraint, JSON.stringify(testedConstraint)));
}

/**
 * The JSON of a stack with the AWS provider's version constraint relaxed, and without FIPS endpoints.
 *
 * @throws Error when the constraint is not the expected one.
 */
export function relaxAwsProvider(stackJson: string): string {
  const stack = JSON.parse(stackJson) as {
    terraform?: {
      required_providers?: { aws?: { version?: string } };
      backend?: { s3?: { use_fips_endpoint?: boolean } };
    };
    provider?: { aws?: { use_fips_endpoint?: boolean }[] };
  };
  // The SDK refuses FIPS endpoints together with those of an emulator.
  for (const block of [...(stack.provider?.aws ?? []), stack.terraform?.backend?.s3]) {
    if (block) delete block.use_fips_endpoint;
  }
  const provider = stack.terraform?.required_providers?.aws;
  if (provider?.version !== synthesizedConstraint) {
    throw new Error(
      `terraform.required_providers.aws.version is ${JSON.stringify(provider?.version)}, ` +
        `expected ${JSON.stringify(synthesizedConstraint)}`,
    );
  }
  provider.version = testedConstraint;
  return `${JSON.stringify(stack, undefined, 2)}\n`;
}
