import type { HorizontalPodAutoscalerV2Config } from '@cdktf/provider-kubernetes/lib/horizontal-pod-autoscaler-v2/index.js';
import type { PodDisruptionBudgetV1Config } from '@cdktf/provider-kubernetes/lib/pod-disruption-budget-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { listCustomObject } from '../../stack/addressed-stack.ts';
import { LightResource } from '../../stack/light-resource.ts';
import { LABELS, LISTENER, POD_SELECTOR, SCALER_SECRET } from './names.ts';

/** Whether an autoscaler, and no longer the Deployment, owns the number of pods. */
export function hasAutoscaler({ replicas, max_replicas }: FileProcessingSettings): boolean {
  return max_replicas > replicas;
}

/** Whether that is KEDA, by what waits. */
export function scalesByBacklog(settings: FileProcessingSettings): boolean {
  return hasAutoscaler(settings) && settings.autoscaling === 'backlog';
}

/** Quick to add pods, slow to remove them: files come in bursts. */
const BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 60 }],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
  },
} as const;

/** Of the Secret {@link SCALER_SECRET}. */
export const SCALER_SECRET_KEY = 'password';

/** Seconds between two counts. */
const POLLING_SECONDS = 15;

/** Counts in a row that fail until the number of pods is no longer left to what was counted last. */
const FAILED_COUNTS = 4;

/**
 * Lists the ScaledObject of KEDA, and how it signs in. The trigger counts exactly, and no further than to the most pods.
 *
 * It is not a ScaledJob, which makes more Jobs than there is work (keda#7330, #7345). Never fewer pods than `replicas`, 1
 * at least: with none, nobody would move messages into the queue that is counted.
 * Source: KEDA 2.21, "PostgreSQL" scaler and "ScaledObject specification".
 */
export function listScaledObject(scope: Construct, settings: FileProcessingSettings): void {
  const metadata = { name: LISTENER, namespace: settings.namespace, labels: LABELS };
  listCustomObject(scope, {
    ...{ apiVersion: 'keda.sh/v1alpha1', kind: 'TriggerAuthentication', metadata },
    spec: {
      secretTargetRef: [{ parameter: 'password', name: SCALER_SECRET, key: SCALER_SECRET_KEY }],
    },
  });
  listCustomObject(scope, {
    ...{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: LISTENER },
      pollingInterval: POLLING_SECONDS,
      minReplicaCount: settings.replicas,
      maxReplicaCount: settings.max_replicas,
      // A database that does not answer is no reason to take pods away.
      fallback: {
        failureThreshold: FAILED_COUNTS,
        replicas: settings.replicas,
        behavior: 'currentReplicasIfHigher',
      },
      advanced: { horizontalPodAutoscalerConfig: { behavior: BEHAVIOR } },
      triggers: [
        {
          type: 'postgresql',
          metricType: 'AverageValue',
          metadata: {
            host: settings.db_host,
            port: `${settings.db_port}`,
            dbName: settings.db_name,
            userName: settings.scaler_user,
            sslmode: settings.scaler_ssl_mode,
            query: waitingQuery(settings),
            targetQueryValue: `${settings.backlog_per_pod}`,
          },
          authenticationRef: { name: LISTENER },
        },
      ],
    },
  });
}

/** Counts jobs that are due; more than all pods together are to have are as good as those. */
export function waitingQuery({
  db_schema,
  max_replicas,
  backlog_per_pod,
}: Pick<FileProcessingSettings, 'db_schema' | 'max_replicas' | 'backlog_per_pod'>): string {
  return (
    `SELECT count(*) FROM (SELECT FROM ${db_schema}_queue.job WHERE name = 'runs' ` +
    `AND state < 'active' AND NOT blocked AND start_after <= now() ` +
    `LIMIT ${max_replicas * backlog_per_pod}) AS waiting`
  );
}

/** Adds pods while they are busy. */
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
        scaleUp: [forTerraform(BEHAVIOR.scaleUp)],
        scaleDown: [forTerraform(BEHAVIOR.scaleDown)],
      },
    },
    dependsOn,
  });
}

/** Terraform has a block for each policy. */
function forTerraform<T>({ policies, ...rules }: { readonly policies: T }) {
  return { ...rules, policy: policies };
}

/** Allows a drain of nodes to take one pod at a time. */
export function createPodDisruptionBudget(
  scope: Construct,
  { namespace }: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
  pods = {
    id: 'sns_listener',
    name: LISTENER,
    selector: POD_SELECTOR as Readonly<Record<string, string>>,
  },
): LightResource<PodDisruptionBudgetV1Config> {
  return new LightResource(scope, pods.id, 'kubernetes_pod_disruption_budget_v1', {
    metadata: { name: pods.name, namespace, labels: LABELS },
    spec: { maxUnavailable: '1', selector: { matchLabels: pods.selector } },
    dependsOn,
  });
}
