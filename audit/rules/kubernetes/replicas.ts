import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-object.ts';
import type { Audited } from '../rule.ts';
import { objectsIn, type Pod } from './pods.ts';

/** Autoscalers that own the number of a workload's pods. */
export function autoscalersOf(audited: Audited, pod: Pod): readonly KubernetesObject[] {
  return objectsIn(audited, pod.namespace, 'HorizontalPodAutoscaler').filter(({ manifest }) => {
    const { kind, name } = manifest.spec?.scaleTargetRef ?? {};
    return kind === pod.kind && name === pod.name;
  });
}

/** The fewest pods that a workload has: its autoscaler's minimum, else its own number. */
export function leastReplicas(audited: Audited, pod: Pod): number {
  const [autoscaler] = autoscalersOf(audited, pod);
  return Number(autoscaler ? (autoscaler.manifest.spec?.minReplicas ?? 1) : ownReplicas(pod));
}

/** The most pods that a workload has, those of a rollout aside. */
export function mostReplicas(audited: Audited, pod: Pod): number {
  const [autoscaler] = autoscalersOf(audited, pod);
  return Number(autoscaler ? (autoscaler.manifest.spec?.maxReplicas ?? 1) : ownReplicas(pod));
}

/** The number of pods that the workload itself says; 1 is the API's default. */
export function ownReplicas({ manifest }: Pod): number {
  return Number(manifest.spec?.replicas ?? 1);
}
