import { HorizontalPodAutoscalerV2 } from '@cdktf/provider-kubernetes/lib/horizontal-pod-autoscaler-v2/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LABELS, LISTENER } from './names.ts';

/** Whether an autoscaler, and no longer the Deployment, owns the number of pods. */
export function hasAutoscaler({ replicas, max_replicas }: FileProcessingSettings): boolean {
  return max_replicas > replicas;
}

/** Adds pods while they are busy. Quick to add, slow to remove: files come in bursts. */
export function createHorizontalPodAutoscaler(
  scope: Construct,
  settings: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
): HorizontalPodAutoscalerV2 {
  return new HorizontalPodAutoscalerV2(scope, 'sns_listener', {
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
