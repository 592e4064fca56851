import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { targetOf } from '../target.ts';

/** `manage kubeconfig`: points kubectl at the stack's cluster. */
export const kubeconfig: Operation<{ readonly dryRun: boolean }> = {
  name: 'kubeconfig',
  summary: "point kubectl at the stack's cluster (aws eks update-kubeconfig)",
  describe: (command) => command.option('--dry-run', 'show the kubeconfig, write nothing', false),
  execute: async (context, options) => {
    const { environment, region, profile } = targetOf(context, options);
    const { code } = await context.run(
      'aws',
      [
        ...['eks', 'update-kubeconfig', '--name', environment.fileProcessing.cluster_name],
        ...['--region', region],
        ...(profile === '' ? [] : ['--profile', profile]),
        ...(options.dryRun ? ['--dry-run'] : []),
      ],
      { output: 'stream' },
    );
    // The AWS CLI ends with 252 to 255 for what 1 says here.
    return code === 0 ? EXIT.ok : EXIT.failed;
  },
};
