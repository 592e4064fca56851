import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ROOT } from '../../support/run-main.ts';
import { type ProgramResult, run } from '../../support/run-program.ts';
import type { Checkout } from './checkout.ts';
import { type AwsOfTest, terraformEnvironment } from './terraform.ts';

/** The cdktf CLI in a checkout, run as a user does. */
export interface CdktfCli {
  run(...programArguments: string[]): Promise<ProgramResult>;
  /** The same, and it must end well. @returns what it wrote to its output */
  succeeds(...programArguments: string[]): Promise<string>;
}

/**
 * Lets the checkout's own app command be followed by the rewriting of the provider's constraint, and
 * returns the CLI.
 *
 * @param cliConfigDirectory - a folder of the test's own, into which Terraform's configuration goes
 */
export function cdktfIn(
  checkout: Checkout,
  environment: string,
  aws: AwsOfTest,
  cliConfigDirectory: string,
): CdktfCli {
  const configuration = JSON.parse(readFileSync(join(ROOT, 'cdktf.json'), 'utf8'));
  const node = './node_modules/.bin/node';
  const app = `${configuration.app} && ${node} ${join(import.meta.dirname, 'relax-output.ts')}`;
  checkout.write('cdktf.json', JSON.stringify({ ...configuration, app }));

  const cdktf: CdktfCli['run'] = (...programArguments) =>
    run('npx', ['cdktf', ...programArguments], {
      directory: checkout.root,
      environment: {
        ...terraformEnvironment(aws, cliConfigDirectory),
        CI: '1',
        DISABLE_VERSION_CHECK: '1',
        ENVIRONMENT: environment,
      },
    });
  return {
    run: cdktf,
    succeeds: async (...programArguments) => {
      const { exitCode, stdout, stderr } = await cdktf(...programArguments);
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      return stdout;
    },
  };
}
