import { resolve } from 'node:path';
import { DEFAULT_ENVIRONMENT } from '../../settings/environment.ts';
import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';

/**
 * Folder that an environment is synthesized into: CDKTF_OUTPUT where it is set, else `cdktf.out` for
 * the default environment and `cdktf.out.<environment>` for the others, which must not share a
 * `.terraform`.
 *
 * @returns its path, relative to the checkout unless CDKTF_OUTPUT is absolute
 */
export function outputFolderOf(
  environment: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  if (env.CDKTF_OUTPUT) return env.CDKTF_OUTPUT;
  return environment === DEFAULT_ENVIRONMENT ? 'cdktf.out' : `cdktf.out.${environment}`;
}

/**
 * Synthesizes an environment, so that what Terraform reads is what the tfvars say now. What Terraform
 * keeps in the folder, such as its providers, stays.
 *
 * @returns the absolute path of the folder
 * @throws OperationError with what the synthesis wrote when it fails
 */
export async function synthesize(context: OperationContext, environment: string): Promise<string> {
  const output = outputFolderOf(environment, context.env);
  const { code, stdout, stderr } = await context.run('npm', ['run', '--silent', 'synth'], {
    cwd: context.root,
    // CDKTF_OUTDIR, which the cdktf CLI sets, would take precedence over the folder that is read afterwards.
    env: { ENVIRONMENT: environment, CDKTF_OUTPUT: output, CDKTF_OUTDIR: undefined },
  });
  if (code !== 0) {
    throw new OperationError(`npm run synth ended with ${code}:\n${stderr}${stdout}`.trimEnd(), {
      next: `ENVIRONMENT=${environment} npm run synth shows it alone`,
    });
  }
  return resolve(context.root, output);
}
