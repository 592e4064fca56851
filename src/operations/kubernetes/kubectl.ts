import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import type { RunOptions, RunResult } from '../runner.ts';
import { roleEnvironment, type Target } from '../target.ts';

/** kubectl, pointed at the stack's cluster. */
export interface Kubectl {
  /** Runs kubectl; a code other than 0 is a result. */
  readonly run: (parameters: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** Runs kubectl in the stack's namespace, too. */
  readonly inNamespace: (parameters: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** Removes the kubeconfig. */
  readonly dispose: () => void;
}

/**
 * Points kubectl at the stack's cluster by a kubeconfig of its own, in a temporary folder: whatever
 * context the user's kubeconfig has, no command acts on another cluster. It signs in by
 * `aws eks get-token` and holds no secret.
 *
 * @throws OperationError when there is no kubeconfig for the cluster (EXIT.unavailable)
 */
export async function kubectlFor(context: OperationContext, target: Target): Promise<Kubectl> {
  const { cluster_name, namespace } = target.environment.fileProcessing;
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  const KUBECONFIG = join(folder, 'config');
  const dispose = () => rmSync(folder, { recursive: true, force: true });
  let role: Awaited<ReturnType<typeof roleEnvironment>> = {};
  const run: Kubectl['run'] = (parameters, options) =>
    context.run('kubectl', parameters, {
      ...options,
      env: { ...options?.env, ...role, KUBECONFIG },
    });
  try {
    role = await roleEnvironment(context, target);
    const ambient = target.profile === '' || 'AWS_ACCESS_KEY_ID' in role;
    const { code, stderr } = await context.run(
      'aws',
      [
        ...['eks', 'update-kubeconfig', '--name', cluster_name, '--kubeconfig', KUBECONFIG],
        ...['--region', target.region],
        ...(ambient ? [] : ['--profile', target.profile]),
      ],
      { env: role },
    );
    if (code !== 0) {
      throw new OperationError(
        `there is no kubeconfig for cluster ${cluster_name}: ${stderr.trim()}`,
        {
          next: 'npm run manage -- doctor',
          code: EXIT.unavailable,
        },
      );
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    run,
    inNamespace: (parameters, options) => run(['--namespace', namespace, ...parameters], options),
    dispose,
  };
}
