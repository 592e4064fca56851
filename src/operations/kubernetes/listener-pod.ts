import { CHECK } from '@file-processing/contract/listener-interface.ts';
import { checksOfListener, type Diagnosis } from '../doctor/diagnosis.ts';
import { OperationError } from '../operation-error.ts';
import type { Kubectl } from './kubectl.ts';

/** A container that commands can be run in. */
interface ListenerPod {
  readonly pod: string;
  readonly container: string;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly ownerReferences?: readonly { readonly kind: string }[];
      readonly deletionTimestamp?: string;
    };
    readonly spec: {
      readonly serviceAccountName?: string;
      readonly containers: readonly { readonly name: string }[];
    };
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

/**
 * A pod of the listener that runs, a ready one if there is any: by its ServiceAccount, and of a
 * Deployment, not of a Job.
 *
 * @throws OperationError when there is none
 */
export async function listenerPod(kubectl: Kubectl, serviceAccount: string): Promise<ListenerPod> {
  const { code, stdout, stderr } = await kubectl.inNamespace([
    ...['get', 'pods', '--field-selector', 'status.phase=Running', '--output', 'json'],
  ]);
  if (code !== 0) throw new OperationError(`kubectl get pods: ${stderr.trim()}`);
  const pod = choosePod(JSON.parse(stdout) as PodList, serviceAccount);
  if (pod === undefined) {
    throw new OperationError(`no pod of ServiceAccount ${serviceAccount} runs`, {
      next: 'npm run manage -- rollout status; an environment without image deploys none',
    });
  }
  return pod;
}

/** Chooses among pods as `kubectl get pods` lists them. */
export function choosePod({ items }: PodList, serviceAccount: string): ListenerPod | undefined {
  const candidates = items.filter(
    ({ metadata, spec }) =>
      spec.serviceAccountName === serviceAccount &&
      metadata.deletionTimestamp === undefined &&
      metadata.ownerReferences?.some(({ kind }) => kind === 'ReplicaSet'),
  );
  const ready = candidates.find(({ status }) =>
    status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
  );
  const chosen = ready ?? candidates[0];
  const container = chosen?.spec.containers[0]?.name;
  return chosen && container ? { pod: chosen.metadata.name, container } : undefined;
}

/**
 * Runs the listener's `check` in a pod.
 *
 * @throws OperationError when it could not be run there
 */
export async function checkInPod(
  kubectl: Kubectl,
  { pod, container }: ListenerPod,
  parameters: readonly string[],
): Promise<readonly Diagnosis[]> {
  const { stdout, stderr } = await kubectl.inNamespace([
    ...['exec', pod, '--container', container, '--'],
    ...['file-processing', CHECK, '--json', ...parameters],
  ]);
  const checks = checksOfListener(stdout, ' in a pod');
  if (checks.length === 0) {
    throw new OperationError(`file-processing check in pod ${pod}: ${stderr.trim()}`, {
      next: 'the image must be that of this project, in this version: npm run manage -- update-image',
    });
  }
  return checks;
}
