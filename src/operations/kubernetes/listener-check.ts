import { checksOfListener } from '../doctor/checks-of-listener.ts';
import type { Diagnosis } from '../doctor/diagnosis.ts';
import { OperationError } from '../operation-error.ts';
import type { Kubectl } from './kubectl.ts';
import type { ListenerPod } from './listener-pod.ts';

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
    ...['file-processing', 'check', '--json', ...parameters],
  ]);
  const checks = checksOfListener(stdout, ' in a pod');
  if (checks.length === 0) {
    throw new OperationError(`file-processing check in pod ${pod}: ${stderr.trim()}`, {
      next: 'the image must be this project’s own, of this version: npm run manage -- update-image',
    });
  }
  return checks;
}
