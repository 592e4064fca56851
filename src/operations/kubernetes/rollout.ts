import type { CommonOptions, OperationContext } from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import type { Target } from '../target.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';
import {
  type Deployment,
  isRolledOut,
  listenerDeployment,
  selectorOf,
} from './rollout-deployment.ts';
import {
  type Event,
  eventTable,
  type Pod,
  type PodState,
  podStates,
  podTable,
  warningsOf,
} from './rollout-pods.ts';

/** What is done with the Deployment. */
export interface RolloutRequest extends Pick<CommonOptions, 'json'> {
  /** Replace its pods first. */
  readonly restart: boolean;
  /** Seconds that the rollout may take; 0 only looks. */
  readonly wait: number;
}

/** How a rollout stands. */
export interface RolloutReport {
  readonly deployment: string;
  /** Image that the Deployment asks for. */
  readonly image: string;
  readonly done: boolean;
  readonly pods: readonly PodState[];
  /** Newest warnings of a rollout that is not done. */
  readonly warnings: readonly string[];
}

const LOG_LINES = 10;

/**
 * Waits for the rollout of the listener's Deployment and shows its pods; of one that is not done also
 * the newest warnings and the last lines of a pod that does not run.
 *
 * @returns EXIT.failed when it is not done in time
 * @throws OperationError when the cluster or the Deployment can't be reached
 */
export async function showRollout(
  context: OperationContext,
  target: Target,
  request: RolloutRequest,
): Promise<ExitCode> {
  const kubectl = await kubectlFor(context, target);
  try {
    const { service_account_name } = target.environment.fileProcessing;
    const deployments = await list<Deployment>(kubectl, 'deployments');
    const deployment = listenerDeployment(deployments, service_account_name);
    if (request.restart) await restart(kubectl, deployment);
    const done = await waitForRollout(kubectl, deployment, request.wait);
    const pods = podStates(
      await list<Pod>(kubectl, 'pods', ['--selector', selectorOf(deployment)]),
    );
    const warnings = done
      ? []
      : warningsOf(await list<Event>(kubectl, 'events'), deployment.metadata.name);
    const report: RolloutReport = {
      deployment: deployment.metadata.name,
      image: deployment.spec.template.spec.containers[0]?.image ?? '',
      done,
      pods,
      warnings: warnings.map(({ reason, message }) => `${reason}: ${message}`),
    };
    context.stdout.write(request.json ? `${JSON.stringify(report)}\n` : podTable(pods));
    if (!done) await explain(context, kubectl, report, warnings);
    return done ? EXIT.ok : EXIT.failed;
  } finally {
    kubectl.dispose();
  }
}

async function restart(kubectl: Kubectl, { metadata }: Deployment): Promise<void> {
  const { code, stderr } = await kubectl.inNamespace(
    ['rollout', 'restart', `deployment/${metadata.name}`],
    { output: 'progress' },
  );
  if (code !== 0) throw new OperationError(`kubectl rollout restart: ${stderr.trim()}`);
}

async function waitForRollout(
  kubectl: Kubectl,
  deployment: Deployment,
  seconds: number,
): Promise<boolean> {
  if (seconds === 0) return isRolledOut(deployment);
  const { code } = await kubectl.inNamespace(
    ['rollout', 'status', `deployment/${deployment.metadata.name}`, `--timeout=${seconds}s`],
    { output: 'progress' },
  );
  return code === 0;
}

async function list<T>(
  kubectl: Kubectl,
  kind: string,
  parameters: readonly string[] = [],
): Promise<readonly T[]> {
  const { code, stdout, stderr } = await kubectl.inNamespace([
    ...['get', kind, ...parameters, '--output', 'json'],
  ]);
  if (code !== 0) {
    throw new OperationError(`kubectl get ${kind}: ${stderr.trim()}`, {
      next: 'npm run manage -- doctor',
      code: EXIT.unavailable,
    });
  }
  return (JSON.parse(stdout) as { readonly items: readonly T[] }).items;
}

async function explain(
  { stderr }: OperationContext,
  kubectl: Kubectl,
  { deployment, pods }: RolloutReport,
  warnings: readonly Event[],
): Promise<void> {
  stderr.write(`\nThe rollout of ${deployment} is not done.\n`);
  if (warnings.length > 0) stderr.write(`\nNewest warnings:\n${eventTable(warnings)}`);
  const blocked =
    pods.findLast(({ failing }) => failing !== undefined) ??
    pods.findLast(({ waiting }) => waiting !== undefined);
  const container = blocked?.failing ?? blocked?.waiting;
  if (blocked !== undefined && container !== undefined) {
    // A container that ended has its last lines in the log of the run before.
    const previous = blocked.failing !== undefined && blocked.restarts > 0 ? ['--previous'] : [];
    const { code, stdout } = await kubectl.inNamespace([
      ...['logs', blocked.pod, '--container', container, `--tail=${LOG_LINES}`, ...previous],
    ]);
    if (code === 0 && stdout.trim() !== '') {
      stderr.write(`\nLast lines of ${container} in ${blocked.pod}:\n${stdout}`);
    }
  }
  stderr.write(
    '\nnext: fix what the warnings or the log say, and deploy again; earlier pods, if there are any, keep serving\n',
  );
}
