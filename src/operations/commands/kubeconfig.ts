import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { roleEnvironment, targetOf } from '../target.ts';

/** `manage kubeconfig`: points kubectl at the stack's cluster. */
export const kubeconfig: Operation<{ readonly dryRun: boolean }> = {
  name: 'kubeconfig',
  summary: "point kubectl at the stack's cluster (aws eks update-kubeconfig)",
  describe: (command) => command.option('--dry-run', 'show the kubeconfig, write nothing', false),
  execute: async (context, options) => {
    const target = targetOf(context, options);
    const { environment, region, profile } = target;
    const { assume_role_arn, assume_role_external_id, cluster_name } = environment.fileProcessing;
    if (assume_role_arn !== '' && assume_role_external_id !== '') {
      throw new OperationError(
        `${assume_role_arn} asks for an external id, which kubectl's sign-in (aws eks get-token) can't give`,
        {
          code: EXIT.refused,
          next: 'make a profile of the AWS CLI with role_arn and external_id, and name it by --profile in aws eks update-kubeconfig',
        },
      );
    }
    const byRole = assume_role_arn !== '';
    const { code } = await context.run(
      'aws',
      [
        ...['eks', 'update-kubeconfig', '--name', cluster_name],
        ...['--region', region],
        ...(byRole ? ['--role-arn', assume_role_arn] : []),
        ...(profile === '' || byRole ? [] : ['--profile', profile]),
        ...(options.dryRun ? ['--dry-run'] : []),
      ],
      { output: 'stream', env: await roleEnvironment(context, target) },
    );
    if (byRole && profile !== '') {
      context.stderr.write(
        `kubectl assumes ${assume_role_arn} by the ambient credentials: export AWS_PROFILE=${profile}\n`,
      );
    }
    // The AWS CLI ends with 252 to 255 for what 1 says here.
    return code === 0 ? EXIT.ok : EXIT.failed;
  },
};
