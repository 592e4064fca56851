import type { HorizontalPodAutoscalerV2Config } from '@cdktf/provider-kubernetes/lib/horizontal-pod-autoscaler-v2/index.js';
import { PodDisruptionBudgetV1 } from '@cdktf/provider-kubernetes/lib/pod-disruption-budget-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import { LABELS, LISTENER, POD_SELECTOR } from './names.ts';

/** Whether an autoscaler, and no longer the Deployment, owns the number of pods. */
export function hasAutoscaler({ replicas, max_replicas }: FileProcessingSettings): boolean {
  return max_replicas > replicas;
}

/** Adds pods while they are busy. Quick to add, slow to remove: files come in bursts. */
export function createHorizontalPodAutoscaler(
  scope: Construct,
  settings: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
): LightResource<HorizontalPodAutoscalerV2Config> {
  return new LightResource(scope, 'sns_listener', 'kubernetes_horizontal_pod_autoscaler_v2', {
    metadata: { name: LISTENER, namespace: settings.namespace, labels: LABELS },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: LISTENER },
      minReplicas: settings.replicas,
      maxReplicas: settings.max_replicas,
      metric: [
        {
          type: 'Resource',
          resource: {
            name: 'cpu',
            target: { type: 'Utilization', averageUtilization: settings.target_cpu_percent },
          },
        },
      ],
      behavior: {
        scaleUp: [
          {
            stabilizationWindowSeconds: 0,
            selectPolicy: 'Max',
            policy: [{ type: 'Percent', value: 100, periodSeconds: 60 }],
          },
        ],
        scaleDown: [
          {
            stabilizationWindowSeconds: 300,
            selectPolicy: 'Max',
            policy: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
          },
        ],
      },
    },
    dependsOn,
  });
}

/** Allows a drain of nodes to take one pod at a time. */
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
