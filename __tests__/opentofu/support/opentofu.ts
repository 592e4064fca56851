import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { goPrograms } from '../../support/go-program.ts';
import { findAwsProvider } from '../../terraform/support/provider-mirror.ts';

const MODULE = join(import.meta.dirname, '../../../test-support/opentofu');

/**
 * The program `tofu`: the one that `TOFU` names, else one that Go builds once into the user's cache folder.
 *
 * @returns its path
 * @throws Error that says what to install when it can't be built
 */
export async function openTofu(): Promise<string> {
  if (process.env.TOFU) return process.env.TOFU;
  const folder = await goPrograms(
    'opentofu',
    [
      {
        program: 'tofu',
        directory: MODULE,
        source: 'github.com/opentofu/opentofu/cmd/tofu',
        // Without it the version is one in development.
        variables: { 'github.com/opentofu/opentofu/version.dev': 'no' },
      },
    ],
    'OpenTofu is built by Go: install Go 1.26 or newer (https://go.dev/dl) and put it on PATH, or let TOFU name the program',
    (built) => existsSync(join(built, 'tofu')),
  );
  return join(folder, 'tofu');
}

/**
 * Writes a CLI configuration that finds the AWS provider of the machine's mirror in the place where OpenTofu looks
 * for it: under the name of OpenTofu's own registry.
 *
 * @param folder - where the mirror and the configuration go
 * @returns the configuration's path, for `TF_CLI_CONFIG_FILE`
 * @throws Error where no mirror holds the provider unpacked
 */
export function openTofuConfiguration(folder: string): string {
  const provider = findAwsProvider();
  if (provider === undefined)
    throw new Error('no filesystem mirror holds the AWS provider unpacked');
  // …/<version>/<platform>/terraform-provider-aws_v…
  const platform = dirname(provider);
  const version = dirname(platform);
  const mirrored = join(folder, 'registry.opentofu.org/hashicorp/aws', basename(version));
  mkdirSync(mirrored, { recursive: true });
  symlinkSync(platform, join(mirrored, basename(platform)));
  const file = join(folder, 'tofu.tfrc');
  writeFileSync(
    file,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(folder)}\n  }\n}\n`,
  );
  return file;
}
