import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { compileCacheOf } from '../../support/compile-cache.ts';
import { type ProgramResult, run } from '../../support/run-program.ts';
import type { Checkout } from './checkout.ts';
import { type AwsOfTest, terraformEnvironment } from './terraform.ts';

/** The cdktf CLI in a checkout, run as a user does. */
export interface CdktfCli {
  /** A run that must end well: what `npx cdktf` starts, without npx. @returns its output */
  succeeds(...programArguments: string[]): Promise<string>;
  /**
   * A run by `npx cdktf`, with a Terraform that stays until its message is shown. The CLI reads
   * Terraform's output from a terminal, and may be told of the end before the last of it: then that
   * is dropped.
   *
   * @throws Error when the message is not shown within two minutes
   */
  fails(message: string, ...programArguments: string[]): Promise<ProgramResult>;
}

/** Without the frames and line ends that Terraform and the CLI put into a message. */
export function unwrapped(output: string): string {
  return output.replaceAll(/\s+(│\s+)?/g, ' ');
}

/**
 * The CLI in a checkout.
 *
 * @param cliConfigDirectory - a folder of the test's own, into which Terraform's configuration goes
 */
export function cdktfIn(
  checkout: Checkout,
  environment: string,
  aws: AwsOfTest,
  cliConfigDirectory: string,
): CdktfCli {
  const options = {
    directory: checkout.root,
    environment: {
      ...terraformEnvironment(aws, cliConfigDirectory),
      ...compileCacheOf(checkout.root),
      CI: '1',
      DISABLE_VERSION_CHECK: '1',
      ENVIRONMENT: environment,
    },
  };
  return {
    fails: async (message, ...programArguments) => {
      const shown = join(cliConfigDirectory, 'shown');
      return run('npx', ['cdktf', ...programArguments], {
        ...options,
        environment: {
          ...options.environment,
          TERRAFORM_BINARY_NAME: staysWhereItFails(cliConfigDirectory, shown),
        },
        onOutput: (stdout) => {
          if (unwrapped(stdout).includes(message)) writeFileSync(shown, '');
        },
        deadline: 120_000,
      });
    },
    succeeds: async (...programArguments) => {
      const cdktf = ['node_modules/.bin/cdktf', ...programArguments];
      const { exitCode, stdout, stderr } = await run(process.execPath, cdktf, options);
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      return stdout;
    },
  };
}

/** Writes a Terraform that, where it fails, ends when a file is there. @returns its path */
function staysWhereItFails(directory: string, file: string): string {
  const program = join(directory, 'terraform-that-stays');
  const text = `#!/bin/sh
terraform "$@" && exit
code=$?
until [ -e '${file}' ]; do sleep 0.1; done
exit $code
`;
  writeFileSync(program, text, { mode: 0o755 });
  return program;
}
