import { PodDisruptionBudgetV1 } from '@cdktf/provider-kubernetes/lib/pod-disruption-budget-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LABELS, LISTENER, POD_SELECTOR } from './names.ts';

/** Lets a drain of nodes take one pod at a time. */
export function createPodDisruptionBudget(
  scope: Construct,
  settings: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
): PodDisruptionBudgetV1 {
  return new PodDisruptionBudgetV1(scope, 'sns_listener', {
    metadata: { name: LISTENER, namespace: settings.namespace, labels: LABELS },
    spec: { maxUnavailable: '1', selector: { matchLabels: POD_SELECTOR } },
    dependsOn,
  });
}
